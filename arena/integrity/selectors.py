"""Reading votes: segments and the votes not yet sealed, through one function."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.db.models import Max, Subquery

from arena.battles.selectors import votes_count_and_last
from arena.integrity import files
from arena.integrity.exceptions import SegmentMissing
from arena.integrity.models import GENESIS, Exclusion, Origin, Segment
from arena.integrity.native import NATIVE_SCHEMA, native_tables, with_tags
from ranking import Votes
from ranking.sealed import FITTED_COLUMNS, with_exclusions

# By file, then by row (or, in "n", by the id of a vote cast here): the rule.
Rules = defaultdict[str, dict[int, str]]


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
    tail = tail_table(after=sealed_up_to(segments))
    count, last = tail.num_rows, last_id(tail)
    parts = [segment_table(segment, rules, columns) for segment in segments]
    parts.append(selected(with_exclusions(tail, rows_by_id(tail["id"], rules["n"])), columns))
    table = pa.concat_tables(parts, promote_options="permissive").unify_dictionaries()
    return VotesRead(table, state_of(segments, exclusions, count, last))


def selected(table: pa.Table, columns: Collection[str] | None) -> pa.Table:
    return table.select([name for name in table.column_names if wanted(name, columns)])


def wanted(name: str, columns: Collection[str] | None) -> bool:
    return columns is None or name in columns


def segment_table(
    segment: Segment, rules: Rules, columns: Collection[str] | None = None
) -> pa.Table:
    """A segment's votes with the exclusions that name them, by row or by id."""
    try:
        file = pq.ParquetFile(files.local(segment.sha256))
        names = [name for name in file.schema_arrow.names if wanted(name, columns)]
        excluded = rules[segment.sha256] | rows_by_id_within(file, segment, rules["n"])
        return with_exclusions(file.read(names), excluded)
    except (OSError, pa.ArrowInvalid) as error:
        raise SegmentMissing(
            f"The votes of {segment.source_name or segment} cannot be read: {error}. Restore "
            f"{segment.sha256}.parquet into the segments folder from a backup."
        ) from error


def last_vote_of(head: str) -> int:
    """Id of the last vote cast here that the chain holds up to the link `head`, 0 without any."""
    last = Segment.objects.filter(link=head).values("pk")
    found = Segment.objects.filter(pk__lte=Subquery(last)).aggregate(last=Max("last_vote"))["last"]
    return found or 0


def chain_head() -> str:
    """The link that stands for all segments so far."""
    last = Segment.objects.order_by("-id").first()
    return last.link if last else GENESIS


def simulated_votes() -> int:
    """How many votes were simulated rather than cast."""
    rows = Segment.objects.filter(origin=Origin.SIMULATED).values_list("rows", flat=True)
    return sum(rows)


# -- Exclusions ------------------------------------------------------------------------------


def exclusions_by_file(exclusions: Iterable[tuple[str, str]]) -> Rules:
    """Exclusions by file ("n" for votes cast here), then by row (or vote id), to their rule.

    A vote under several rules shows the first that was applied.
    """
    found: Rules = defaultdict(dict)
    for vote, rule in exclusions:
        file, _, row = vote.partition(":")
        found[file].setdefault(int(row), rule)
    return found


def rows_by_id_within(
    file: pq.ParquetFile, segment: Segment, rules: Mapping[int, str]
) -> dict[int, str]:
    """Exclusions of votes cast here that this segment holds, by row."""
    after, last = segment.after_vote, segment.last_vote
    if after is None or last is None:
        return {}  # an imported file's ids are another arena's
    inside = {vote: rule for vote, rule in rules.items() if after < vote <= last}
    return rows_by_id(file.read(["id"])["id"], inside) if inside else {}


def rows_by_id(ids: pa.ChunkedArray, rules: Mapping[int, str]) -> dict[int, str]:
    if not rules:
        return {}
    votes = pa.array([f"n:{vote}" for vote in rules])
    rows = pc.index_in(votes, value_set=ids).to_pylist()
    named = zip(rows, rules.values(), strict=True)
    return {row: rule for row, rule in named if row is not None}


def standing_exclusions() -> Iterator[tuple[str, str]]:
    standing = Exclusion.objects.filter(lifted_at__isnull=True).order_by("id")
    return standing.values_list("vote", "rule").iterator()


def exclusions_digest(exclusions: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over the exclusions, one line each."""
    digest = hashlib.sha256()
    for vote, rule in exclusions:
        digest.update(f"{vote} {rule}\n".encode())
    return digest.hexdigest()


# -- Votes that no segment holds -------------------------------------------------------------


def sealed_up_to(segments: Iterable[Segment]) -> int:
    """The id of the last native vote that a segment holds."""
    return max((segment.last_vote or 0 for segment in segments), default=0)


def tail_table(*, after: int) -> pa.Table:
    last = votes_count_and_last(after)[1]
    schema = with_tags(NATIVE_SCHEMA, after, last) if last else NATIVE_SCHEMA
    return pa.concat_tables([schema.empty_table(), *native_tables(after, last, schema)])


def last_id(tail: pa.Table) -> int:
    return int(tail["id"][-1].as_py().removeprefix("n:")) if tail.num_rows else 0


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
