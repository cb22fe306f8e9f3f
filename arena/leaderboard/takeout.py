"""A voter's own votes as a file they may take with them."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from arena.battles.history import prompts_judged
from arena.leaderboard.exports import unformula
from arena.leaderboard.judgements import Judgement, judgements_of
from arena.voters.models import Voter

COLUMNS = ("date", "battle", "prompt", "outcome", "model_a", "model_b", "mode", "not_counted")
TEXTS = ("prompt", "model_a", "model_b")


def votes_csv(voter: Voter) -> Iterator[bytes]:
    """The voter's votes, a piece per vote, in which no text is a formula."""
    yield csv_line(dict(zip(COLUMNS, COLUMNS, strict=True)))
    for row in vote_rows(voter):
        yield csv_line(row | {name: unformula(row[name]) for name in TEXTS})


def votes_json(voter: Voter) -> Iterator[bytes]:
    """The same as {"votes": […]}."""
    before = '{"votes": ['
    for row in vote_rows(voter):
        yield f"{before}\n{json.dumps(row, ensure_ascii=False)}".encode()
        before = ","
    yield b"\n]}\n" if before == "," else f"{before}]}}\n".encode()


def vote_rows(voter: Voter) -> Iterator[dict[str, Any]]:
    """Prompts are read along the way: all of them at once may be more than memory should hold."""
    known = {judgement.vote: judgement for judgement in judgements_of(voter)}
    for vote, asked in prompts_judged(voter):
        if vote in known:  # one that was cast since is left for the next time
            yield vote_row(known[vote], asked)


def vote_row(judgement: Judgement, prompts: list[str]) -> dict[str, Any]:
    return {
        "date": judgement.at.isoformat(),
        "battle": str(judgement.battle),
        "prompt": "\n\n".join(prompts),
        "outcome": judgement.outcome.value,
        "model_a": judgement.a,
        "model_b": judgement.b,
        "mode": judgement.mode,
        "not_counted": judgement.uncounted or "",
    }


def csv_line(row: dict[str, Any]) -> bytes:
    text = io.StringIO()
    csv.DictWriter(text, COLUMNS, lineterminator="\n").writerow(row)
    return text.getvalue().encode()
