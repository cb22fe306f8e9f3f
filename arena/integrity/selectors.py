"""Reading votes: segments and the votes not yet sealed, through one function."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class VotesRead:
    """Votes, and the state that names exactly these: equal states read equal votes."""

    table: pa.Table
    state: dict[str, Any]


def votes_all() -> tuple[Votes, dict[str, Any]]:
    """Every vote of the arena, those that do not count marked by their rule; and the state."""
    read = votes_read(FITTED_COLUMNS)
    return Votes.from_arrow(read.table), read.state


def votes_read(columns: Collection[str] | None = None) -> VotesRead:
    """Segments in the chain's order, then native votes by id, in the schema of votes at rest.

    `columns` leaves out all others. The state is made from what was read and not beside it, so
    that a vote cast meanwhile is in both or in neither. Raises SegmentMissing where a file of
    the chain is not there.
    """
    segments = list(Segment.objects.order_by("id"))
    exclusions = list(standing_exclusions())
    rules = exclusions_by_file(exclusions)
    tail = tail_table(after=sealed_up_to(segments), rules=rules.get("n", {}))
    parts = [
        with_exclusions(segment_table(segment, columns), rules.get(segment.sha256, {}))
        for segment in segments
    ]
    parts.append(tail.select([name for name in tail.column_names if wanted(name, columns)]))
    table = pa.concat_tables(parts, promote_options="permissive").unify_dictionaries()
    return VotesRead(table, state_of(segments, exclusions, tail.num_rows, last_id(tail)))


def wanted(name: str, columns: Collection[str] | None) -> bool:
    return columns is None or name in columns


def segment_path(sha256: str) -> Path:
    return Path(settings.SEGMENTS_DIR) / f"{sha256}.parquet"


def segment_table(segment: Segment, columns: Collection[str] | None = None) -> pa.Table:
    try:
        file = pq.ParquetFile(segment_path(segment.sha256))
        names = [name for name in file.schema_arrow.names if wanted(name, columns)]
        return file.read(names)
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


def exclusions_by_file(exclusions: Iterable[tuple[str, str]]) -> dict[str, dict[int, str]]:
    """Exclusions by file ("n" for native votes), then by row (or vote id), to their rule.

    A vote under several rules shows the first that was applied.
    """
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for vote, rule in exclusions:
        file, _, row = vote.partition(":")
        found[file].setdefault(int(row), rule)
    return found


def standing_exclusions() -> Iterator[tuple[str, str]]:
    standing = Exclusion.objects.filter(lifted_at__isnull=True).order_by("id")
    return standing.values_list("vote", "rule").iterator()


def exclusions_digest(exclusions: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over the exclusions, one line each."""
    digest = hashlib.sha256()
    for vote, rule in exclusions:
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


def sealed_up_to(segments: Iterable[Segment]) -> int:
    """The id of the last native vote that a segment holds."""
    return max((segment.last_vote or 0 for segment in segments), default=0)


def tail_table(*, after: int, rules: dict[int, str]) -> pa.Table:
    """Native votes that no segment holds."""
    rows = [native_row(row, rules) for row in votes_after(after)]
    return pa.Table.from_pylist(rows, NATIVE_SCHEMA)


def last_id(tail: pa.Table) -> int:
    return int(tail["id"][-1].as_py().removeprefix("n:")) if tail.num_rows else 0


# What a fit needs of a vote; the rest is carried for those who read the files.
FITTED_COLUMNS = frozenset(
    {
        *("model_a", "model_b", "winner", "voter", "shown_first", "pacing", "excluded"),
        *(f"{name}_{side}" for name in (*METRICS, *TIMINGS) for side in "ab"),
    }
)
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
    """The state that a reading of the votes would have now, without reading them."""
    segments = list(Segment.objects.order_by("id"))
    return state_of(segments, standing_exclusions(), *votes_count_and_last(sealed_up_to(segments)))


def state_of(
    segments: list[Segment], exclusions: Iterable[tuple[str, str]], count: int, last: int
) -> dict[str, Any]:
    return {
        "segments": [segment.sha256 for segment in segments],
        "head": segments[-1].link if segments else GENESIS,
        "native": {"count": count, "last": last},
        "exclusions": exclusions_digest(exclusions),
    }
