"""Reading votes: segments and the votes not yet sealed, through one function."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings
from django.utils.crypto import salted_hmac

from arena.battles.models import Answer, Battle, Mode, Pacing
from arena.battles.selectors import VoteRow, votes_after, votes_count_and_last
from arena.integrity.exceptions import SegmentMissing
from arena.integrity.models import GENESIS, Exclusion, Origin, Segment
from ranking import Votes
from ranking.covariates import METRICS, TIMINGS
from ranking.tables import COLUMNS


def votes_all() -> Votes:
    """Every vote of the arena, those that do not count marked by their rule."""
    return Votes.from_arrow(votes_table())


def votes_table() -> pa.Table:
    """Segments in the chain's order, then native votes by id, in the schema of votes at rest.

    Raises SegmentMissing where a file of the chain is not there.
    """
    excluded = exclusions_by_file()
    parts = [
        with_exclusions(segment_table(segment), excluded.get(segment.sha256, {}))
        for segment in Segment.objects.order_by("id")
    ]
    parts.append(tail_table(excluded.get("n", {})))
    return pa.concat_tables(parts, promote_options="permissive").unify_dictionaries()


def segment_path(sha256: str) -> Path:
    return Path(settings.SEGMENTS_DIR) / f"{sha256}.parquet"


def segment_table(segment: Segment) -> pa.Table:
    try:
        return pq.read_table(segment_path(segment.sha256))
    except (OSError, pa.ArrowInvalid) as error:
        raise SegmentMissing(
            f"The votes of {segment.source_name or segment} cannot be read: {error}. Restore "
            f"{segment.sha256}.parquet into the segments folder from a backup."
        ) from error


def chain_head() -> str:
    """The link that stands for all segments so far."""
    last = Segment.objects.order_by("-id").first()
    return last.link if last else GENESIS


def simulated_votes() -> int:
    """How many votes were simulated rather than cast."""
    rows = Segment.objects.filter(origin=Origin.SIMULATED).values_list("rows", flat=True)
    return sum(rows)


# -- Exclusions ------------------------------------------------------------------------------


def exclusions_by_file() -> dict[str, dict[int, str]]:
    """Standing exclusions: file ("n" for native votes) to row (or vote id) to rule.

    A vote under several rules shows the first that was applied.
    """
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for vote, rule in standing_exclusions():
        file, _, row = vote.partition(":")
        found[file].setdefault(int(row), rule)
    return found


def standing_exclusions() -> Iterator[tuple[str, str]]:
    standing = Exclusion.objects.filter(lifted_at__isnull=True).order_by("id")
    return standing.values_list("vote", "rule").iterator()


def exclusions_digest() -> str:
    """SHA-256 over the standing exclusions, one line each."""
    digest = hashlib.sha256()
    for vote, rule in standing_exclusions():
        digest.update(f"{vote} {rule}\n".encode())
    return digest.hexdigest()


def with_exclusions(table: pa.Table, rules: dict[int, str]) -> pa.Table:
    """`table` with the rule of each excluded row in its `excluded` column."""
    if not rules:
        return table
    column: list[Any] = (
        table["excluded"].to_pylist()
        if "excluded" in table.column_names
        else [None] * table.num_rows
    )
    for row, rule in rules.items():
        column[row] = rule
    values = pa.array(column, COLUMNS["excluded"])
    if "excluded" in table.column_names:
        return table.set_column(table.column_names.index("excluded"), "excluded", values)
    return table.append_column("excluded", values)


# -- Native votes ----------------------------------------------------------------------------


def tail_table(rules: dict[int, str]) -> pa.Table:
    """Native votes that no segment holds."""
    last = Segment.objects.filter(last_vote__isnull=False).order_by("-id").first()
    after = last.last_vote or 0 if last else 0
    rows = [native_row(row, rules) for row in votes_after(after)]
    return pa.Table.from_pylist(rows, NATIVE_SCHEMA)


NATIVE_COLUMNS = (
    *("id", "model_a", "model_b", "winner", "voter", "shown_first"),
    *(f"{name}_{side}" for name in (*METRICS, *TIMINGS) for side in "ab"),
    *("draw_probability", "pacing", "timestamp", "language", "excluded"),
)
NATIVE_SCHEMA = pa.schema([(name, COLUMNS[name]) for name in NATIVE_COLUMNS])


def native_row(row: VoteRow, rules: dict[int, str]) -> dict[str, Any]:
    vote, battle = row.vote, row.vote.battle
    return {
        "id": f"n:{vote.pk}",
        "model_a": battle.revision_a.name,
        "model_b": battle.revision_b.name,
        "winner": vote.outcome,
        "voter": voter_hash(vote.voter.key),
        "shown_first": "model_a",
        **style_of(row.a, "a"),
        **style_of(row.b, "b"),
        **(timings_of(row.a, "a") | timings_of(row.b, "b") if is_timed(battle) else {}),
        "draw_probability": battle.draw_probability,
        "pacing": battle.pacing,
        "timestamp": vote.created_at,
        "language": battle.language or None,
        "excluded": rules.get(vote.pk) or rule_of(battle),
    }


def rule_of(battle: Battle) -> str | None:
    """The rule by which votes of this kind of battle never count."""
    if battle.mode == Mode.NAMED:
        return "named"
    return "same_revision" if battle.revision_a_id == battle.revision_b_id else None


def is_timed(battle: Battle) -> bool:
    """Only what a voter could feel counts: true speed, and written while they watched."""
    return battle.pacing == Pacing.NATIVE and battle.mode != Mode.RECORDED


def style_of(answer: Answer, side: str) -> dict[str, Any]:
    return {f"{name}_{side}": getattr(answer, name) for name in METRICS}


def timings_of(answer: Answer, side: str) -> dict[str, Any]:
    return {
        f"first_token_{side}": answer.first_token_seconds,
        f"duration_{side}": answer.duration_seconds,
    }


def voter_hash(key: str) -> str:
    """What stands for a voter outside the database."""
    return salted_hmac("arena.integrity.voter", key, algorithm="sha256").hexdigest()[:32]


# -- What a fit rests on ---------------------------------------------------------------------


def votes_state() -> dict[str, Any]:
    """What decides the votes a fit reads: equal states read equal votes."""
    count, last = votes_count_and_last()
    return {
        "segments": list(Segment.objects.order_by("id").values_list("sha256", flat=True)),
        "head": chain_head(),
        "native": {"count": count, "last": last},
        "exclusions": exclusions_digest(),
    }
