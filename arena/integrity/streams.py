"""Votes in batches, narrowed by filters, in memory that does not grow with their number."""

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.core.files.storage import storages

from arena.battles.selectors import votes_count_and_last
from arena.core.exceptions import BadInput, Unknown
from arena.integrity import files
from arena.integrity.exceptions import SegmentMissing
from arena.integrity.models import Origin, Segment
from arena.integrity.native import NATIVE_SCHEMA, TEXT_SCHEMA, native_tables, with_tags
from arena.integrity.selectors import (
    Rules,
    exclusions_by_file,
    rows_by_id,
    rows_by_id_within,
    sealed_up_to,
    standing_exclusions,
    state_of,
)
from ranking.batches import common_schema, conformed
from ranking.ndjson import ndjson
from ranking.sealed import with_exclusions
from ranking.tables import CATEGORY

VOTES_AT_ONCE = 16_384
# Conversations weigh a thousand times what a vote does.
CONVERSATIONS_AT_ONCE = 512
CONVERSATIONS = ("conversation_a", "conversation_b")
SHOWN_CATEGORIES = 40


@dataclass(frozen=True)
class VoteFilter:
    """Which votes, and what of them. Empty values narrow nothing.

    contestants: names as in the votes, of whom one took part. category: a tag's name without
    `category_tag.`. excluded: True for votes that do not count. segment: a segment's SHA-256 or its
    beginning. names: add the column `vote`. texts: add the conversations of sealed votes.
    """

    since: datetime | None = None
    until: datetime | None = None
    contestants: tuple[str, ...] = ()
    winner: str = ""
    language: str = ""
    category: str = ""
    excluded: bool | None = None
    segment: str = ""
    names: bool = False
    texts: bool = False


@dataclass(frozen=True)
class VotesStream:
    """Votes that are about to be read.

    schema: what `conformed` brings every batch to. state: names exactly these votes.
    """

    wanted: VoteFilter
    segments: tuple[Segment, ...]
    rules: Rules
    tail: tuple[int, int]
    schema: pa.Schema
    state: Mapping[str, Any] = field(repr=False)

    def tables(self) -> Iterator[pa.Table]:
        """Votes in the chain's order, each table with the columns that its segment has."""
        for segment in self.segments:
            yield from self.of_segment(segment)
        if self.tail[1]:
            yield from self.of_tail()

    def of_segment(self, segment: Segment) -> Iterator[pa.Table]:
        texts = Texts(segment) if self.wanted.texts else None
        size = CONVERSATIONS_AT_ONCE if texts else VOTES_AT_ONCE
        with pq.ParquetFile(files.local(segment.sha256)) as file:
            rules = self.rules[segment.sha256] | rows_by_id_within(file, segment, self.rules["n"])
            excluded = RulesByRow(rules)
            first = 0
            for batch in file.iter_batches(batch_size=size):
                table = pa.Table.from_batches([batch])
                table = with_exclusions(table, excluded.between(first, first + len(table)))
                if self.wanted.names:
                    names = names_of(segment, table, first)
                    table = table.append_column("vote", names)
                first += len(batch)
                table = chosen(table, self.wanted)
                if table.num_rows:
                    yield texts.joined(table) if texts else table

    def of_tail(self) -> Iterator[pa.Table]:
        after, last = self.tail
        for whole in native_tables(after, last, with_tags(NATIVE_SCHEMA, after, last)):
            for start in range(0, len(whole), VOTES_AT_ONCE):
                table = whole.slice(start, VOTES_AT_ONCE)
                table = with_exclusions(table, rows_by_id(table["id"], self.rules["n"]))
                if self.wanted.names:
                    table = table.append_column("vote", table["id"])
                table = chosen(table, self.wanted)
                if table.num_rows:
                    yield table


def votes_stream(wanted: VoteFilter) -> VotesStream:
    """The votes that a filter leaves.

    Raises BadInput for a segment or a category that is not there, SegmentMissing for a file.
    """
    segments = list(Segment.objects.order_by("id"))
    exclusions = list(standing_exclusions())
    after = sealed_up_to(segments)
    count, last = votes_count_and_last(after)
    chosen_segments = matching(segments, wanted.segment)
    with_tail = count and not wanted.segment
    schemas = [schema_of(segment) for segment in chosen_segments]
    if with_tail:
        schemas.append(with_tags(NATIVE_SCHEMA, after, last))
    schema = common_schema(schemas)
    refuse_unknown_category(wanted.category, schema)
    extra = [pa.field("vote", pa.string())] if wanted.names else []
    extra += [TEXT_SCHEMA.field(name) for name in CONVERSATIONS] if wanted.texts else []
    if "excluded" not in schema.names and exclusions:
        extra.insert(0, pa.field("excluded", pa.string()))
    return VotesStream(
        wanted=wanted,
        segments=tuple(chosen_segments),
        rules=exclusions_by_file(exclusions),
        tail=(after, last) if with_tail else (0, 0),
        schema=pa.schema([*schema, *extra]),
        state=state_of(segments, exclusions, count, last),
    )


def matching(segments: list[Segment], name: str) -> list[Segment]:
    if not name:
        return segments
    found = [segment for segment in segments if segment.sha256.startswith(name)]
    if len(found) != 1:
        few = "No segment's SHA-256 begins" if not found else f"{len(found)} segments' begin"
        recent = ", ".join(str(segment) for segment in segments[-5:])
        raise BadInput(f"segment: {few} with '{name}'. The latest are: {recent or 'none yet'}.")
    return found


def schema_of(segment: Segment) -> pa.Schema:
    try:
        return pq.read_schema(files.local(segment.sha256))
    except (OSError, pa.ArrowInvalid) as error:
        raise SegmentMissing(
            f"{segment.sha256}.parquet cannot be read: {error}. Restore it from a backup."
        ) from error


def segment_open(sha256: str) -> BinaryIO:
    """A segment's file. Raises Unknown, SegmentMissing."""
    if not Segment.objects.filter(sha256=sha256).exists():
        raise Unknown(f"There is no segment '{sha256[:64]}'.")
    try:
        return files.local(sha256).open("rb")
    except OSError as error:
        raise SegmentMissing(
            f"{sha256}.parquet cannot be read: {error}. Restore it from a backup."
        ) from error


def refuse_unknown_category(category: str, schema: pa.Schema) -> None:
    if category and CATEGORY + category not in schema.names:
        tags = [name.removeprefix(CATEGORY) for name in schema.names if name.startswith(CATEGORY)]
        raise BadInput(
            f"category: no vote has the tag '{category}'. "
            f"These exist: {', '.join(tags[:SHOWN_CATEGORIES]) or 'none'}."
        )


def names_of(segment: Segment, table: pa.Table, first: int) -> pa.ChunkedArray | pa.Array:
    """What exclusions call these votes."""
    if segment.after_vote is not None:
        return table["id"]
    rows = pa.array(np.arange(first, first + len(table))).cast(pa.string())
    return pc.binary_join_element_wise(segment.sha256, rows, ":")


class RulesByRow:
    """Exclusions of a segment, found by rows without looking at all of them."""

    def __init__(self, rules: Mapping[int, str]) -> None:
        self.rules = rules
        self.rows = np.array(sorted(rules), dtype=np.int64)

    def between(self, first: int, end: int) -> dict[int, str]:
        """Those of rows [first, end), counted from `first`."""
        start, stop = np.searchsorted(self.rows, [first, end])
        return {int(row) - first: self.rules[int(row)] for row in self.rows[start:stop]}


# -- Filters ---------------------------------------------------------------------------------


def chosen(table: pa.Table, wanted: VoteFilter) -> pa.Table:
    """The rows that a filter leaves; a value that is not there matches nothing."""
    for condition in conditions(table, wanted):
        if condition is None:
            return table.slice(0, 0)
        table = table.filter(condition)
    return table


def conditions(table: pa.Table, wanted: VoteFilter) -> Iterator[pc.Expression | None]:
    """One condition per filter; None where nothing can meet it."""
    column = pc.field
    asked: list[tuple[str, pc.Expression]] = []
    if wanted.since:
        asked.append(("timestamp", column("timestamp") >= pa.scalar(wanted.since)))
    if wanted.until:
        asked.append(("timestamp", column("timestamp") <= pa.scalar(wanted.until)))
    if wanted.winner:
        asked.append(("winner", text(column("winner")) == wanted.winner))
    if wanted.language:
        asked.append(("language", text(column("language")) == wanted.language))
    if wanted.contestants:
        names = pa.array(wanted.contestants, pa.string())
        sides = [text(column(name)).isin(names) for name in ("model_a", "model_b")]
        asked.append(("model_a", sides[0] | sides[1]))
    if wanted.category:
        asked.append(tagged(table, CATEGORY + wanted.category))
    for name, condition in asked:
        yield condition if name in table.column_names else None
    if wanted.excluded is not None:
        if "excluded" in table.column_names:
            absent = column("excluded").is_null()
            yield ~absent if wanted.excluded else absent
        elif wanted.excluded:
            yield None


def tagged(table: pa.Table, name: str) -> tuple[str, pc.Expression]:
    """Votes whose tag is true, a number but 0, or a text but "" and "false"."""
    kind = table.schema.field(name).type if name in table.column_names else pa.null()
    tag = pc.field(name)
    if pa.types.is_boolean(kind):
        return name, tag
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return name, tag != 0
    return name, ~pc.utf8_lower(text(tag)).isin(pa.array(["", "false"])) & tag.is_valid()


def text(column: pc.Expression) -> pc.Expression:
    return column.cast(pa.string())


# -- Conversations ---------------------------------------------------------------------------


class Texts:
    """The conversations of a segment's votes, read beside the votes: both are in order of id."""

    def __init__(self, segment: Segment) -> None:
        self.batches = text_batches_of(segment)
        self.pending = TEXT_SCHEMA.empty_table()

    def joined(self, votes: pa.Table) -> pa.Table:
        """The votes with their conversations, null where there are none."""
        found = self.up_to(number_of(votes["id"])[-1].as_py()) if "id" in votes.column_names else {}
        for name in CONVERSATIONS:
            kind = TEXT_SCHEMA.field(name).type
            if not found:
                votes = votes.append_column(name, pa.nulls(len(votes), kind))
                continue
            places = pc.index_in(votes["id"], value_set=found["id"])
            votes = votes.append_column(name, found[name].take(places))
        return votes

    def up_to(self, last: int) -> Mapping[str, Any] | pa.Table:
        """Conversations not handed on before, of votes up to that id."""
        while not len(self.pending) or number_of(self.pending["id"])[-1].as_py() < last:
            batch = next(self.batches, None)
            if batch is None:
                break
            self.pending = pa.concat_tables([self.pending, pa.Table.from_batches([batch])])
        if not len(self.pending):
            return {}
        upto = pc.sum(pc.less_equal(number_of(self.pending["id"]), last)).as_py()
        found, self.pending = self.pending.slice(0, upto), self.pending.slice(upto)
        return found.combine_chunks() if len(found) else {}


def number_of(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_slice_codeunits(ids, 2).cast(pa.int64())


def text_batches_of(segment: Segment) -> Iterator[pa.RecordBatch]:
    if segment.origin != Origin.NATIVE or not files.exists(files.TEXTS, segment.sha256):
        return
    with (
        storages[files.TEXTS].open(files.name_of(segment.sha256)) as source,
        pq.ParquetFile(source) as file,
    ):
        yield from file.iter_batches(batch_size=CONVERSATIONS_AT_ONCE)


# -- As files --------------------------------------------------------------------------------


def as_ndjson(stream: VotesStream) -> Iterator[bytes]:
    """One JSON object a line; a column that a segment lacks is absent from its lines."""
    for table in stream.tables():
        for batch in table.combine_chunks().to_batches():
            yield ndjson(batch)


def as_parquet(stream: VotesStream) -> Iterator[bytes]:
    """A Parquet file, row group by row group."""
    sink = Sink()
    with pq.ParquetWriter(pa.PythonFile(sink, "w"), stream.schema, compression="zstd") as writer:
        for table in grouped(stream):
            writer.write_table(table)
            yield sink.taken()
    yield sink.taken()


def grouped(stream: VotesStream) -> Iterator[pa.Table]:
    """Tables of the stream's schema, as large as a row group should be."""
    most = CONVERSATIONS_AT_ONCE if stream.wanted.texts else 4 * VOTES_AT_ONCE
    waiting: list[pa.Table] = []
    for table in stream.tables():
        waiting.append(conformed(table, stream.schema))
        if sum(map(len, waiting)) >= most:
            yield joined(waiting)
            waiting = []
    if waiting:
        yield joined(waiting)


def joined(tables: Iterable[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables).unify_dictionaries()


class Sink(io.RawIOBase):
    """Where a writer writes to: what it wrote can be taken away meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self.written.append(piece)
        return len(piece)

    def taken(self) -> bytes:
        whole = b"".join(self.written)
        self.written = []
        return whole
