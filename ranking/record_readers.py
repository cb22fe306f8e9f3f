"""Readers of votes as JSON objects: one per line, or in one array."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from ranking.batches import Mark, RawBatch, VoteBatch, checked
from ranking.errors import VoteFileError
from ranking.records import ONE_HOT, Columns, flatten
from ranking.schemas import schema_of
from ranking.streams import Source, Unpacked, bad_text

LONGEST_RECORD = 1 << 28
"""Bytes that one object may take: what bounds the memory of reading it."""

_BATCH_ROWS = 1 << 14
_BATCH_BYTES = 1 << 25
_WINDOW_BYTES = 1 << 22


class Item(NamedTuple):
    """A JSON value (or why there is none), its place and line, and where the next one begins."""

    value: dict[str, Any] | str
    place: int
    line: int
    mark: Mark


class _RecordReader:
    """Votes as JSON objects."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.share = 0.0
        with closing(self._items(Mark())) as items:
            values = (item.value for item in items)
            first = list(islice((value for value in values if isinstance(value, dict)), 100))
        self.schema = schema_of(source.path, {key for record in first for key in record})

    def batches(self, after: Mark) -> Iterator[VoteBatch]:
        columns, places, lost, begun = Columns(), [], {}, after
        for value, place, _, mark in self._items(after):
            if isinstance(value, str):
                lost[place] = value
            else:
                columns.append(flatten(value))
                places.append(place)
            full = mark.rows - begun.rows == _BATCH_ROWS
            if full or mark.offset - begun.offset >= _BATCH_BYTES:
                yield self._checked(columns, places, lost, mark)
                columns, places, lost, begun = Columns(), [], {}, mark
        if places or lost:
            yield self._checked(columns, places, lost, mark)

    def _items(self, after: Mark) -> Generator[Item]:
        raise NotImplementedError

    def _checked(
        self, columns: Columns, places: list[int], lost: dict[int, str], mark: Mark
    ) -> VoteBatch:
        table, faults = columns.table()
        table = _complete(table, self.schema)
        raw = RawBatch(table, np.array(places, np.intp), faults, lost, mark)
        return checked(self.schema, raw)


def _complete(table: pa.Table, schema: str) -> pa.Table:
    """Required columns that no record had, all null, so that each row is refused for it."""
    needed = ["model_a", "model_b", *(ONE_HOT if schema == "55k" else ["winner"])]
    for name in needed:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
    return table


class JsonLinesReader(_RecordReader):
    """One JSON object per line; blank lines are none. A place is a line."""

    def lines(self, places: Iterable[int]) -> dict[int, int]:
        return {place: place for place in places}

    def _items(self, after: Mark) -> Generator[Item]:
        rows, offset, number = after
        with self._source.open(text=False, offset=offset) as stream:
            while line := stream.readline(LONGEST_RECORD):
                if len(line) == LONGEST_RECORD:
                    raise too_long(self._source, number)
                offset, here, number = offset + len(line), number, number + 1
                if text := self._text(line, here).strip():
                    rows += 1
                    self.share = stream.share
                    yield Item(_parsed(text), here, here, Mark(rows, offset, number))

    def _text(self, line: bytes, number: int) -> str:
        try:
            return line.removeprefix(codecs.BOM_UTF8 if number == 1 else b"").decode()
        except UnicodeDecodeError as error:
            raise bad_text(self._source.path, error, number) from error


def _parsed(line: str) -> dict[str, Any] | str:
    """The object on a line, or why it holds none."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"not valid JSON ({error})"
    return record if isinstance(record, dict) else "not a JSON object"


def too_long(source: Source, line: int) -> VoteFileError:
    size = LONGEST_RECORD >> 20
    return VoteFileError(f"{source.path}: line {line} begins a record of more than {size} MB.")


class JsonReader(_RecordReader):
    """A JSON array of objects. A place is the number of the element, from 1."""

    def lines(self, places: Iterable[int]) -> dict[int, int]:
        """The line that each element begins on, of which a line may have many."""
        wanted = set(places)
        last = max(wanted, default=0)
        with closing(self._items(Mark())) as items:
            return {i.place: i.line for i in islice(items, last) if i.place in wanted}

    def _items(self, after: Mark) -> Generator[Item]:
        rows = after.rows
        with self._source.open(text=False, offset=after.offset) as stream:
            text = _Window(self._source, stream, after)
            more = text.goes_on() if rows else text.begins()
            while more:
                line = text.line
                value = text.value()
                rows += 1
                self.share = stream.share
                record = value if isinstance(value, dict) else "not a JSON object"
                yield Item(record, rows, line, Mark(rows, text.offset, text.line))
                more = text.goes_on()
            text.ends()


class _Window:
    """The part of a JSON array around the element being read.

    offset and line are those of where it stands.
    """

    def __init__(self, source: Source, stream: Unpacked, after: Mark) -> None:
        self.offset, self.line = after.offset, after.line
        self._source, self._stream = source, stream
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text, self._at = "", 0
        self._column = 0  # characters of the line before the window

    def begins(self) -> bool:
        """Past the opening bracket: whether there is an element."""
        if self._stream.peek(3).startswith(codecs.BOM_UTF8):
            self.offset += len(self._stream.read(3))
        self._sign()
        self._go(self._at + 1)
        return self._sign() != "]"

    def goes_on(self) -> bool:
        """Behind an element: whether there is another."""
        sign = self._sign()
        if sign not in (",", "]"):
            raise self._broken(self._at, "a comma or a bracket is missing")
        if sign == ",":
            self._go(self._at + 1)
        return self._sign() != "]"

    def ends(self) -> None:
        """At the closing bracket: nothing follows."""
        self._go(self._at + 1)
        if self._sign():
            raise self._broken(self._at, "the array has ended before")

    def value(self) -> Any:
        """The element that begins here."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not (self._may_be_cut(error) and self._more()):
                    raise self._broken(error.pos, error.msg) from error
            except (ValueError, RecursionError) as error:
                raise self._broken(self._at, str(error)) from error
            else:
                # A number at the window's end may have more digits.
                if end < len(self._text) or not self._more():
                    self._go(end)
                    return value

    def _sign(self) -> str:
        """The next character that is no blank; empty at the file's end."""
        while True:
            found = _SIGN.search(self._text, self._at)
            self._go(found.start() if found else len(self._text))
            if found:
                return found[0]
            if not self._more():
                return ""

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        """Whether more text could mend it: the longest word or escape has nine characters."""
        unterminated = error.msg.startswith("Unterminated string")
        return unterminated or error.pos >= len(self._text) - 9

    def _go(self, at: int) -> None:
        passed = self._text[self._at : at]
        self.offset += len(passed) if passed.isascii() else len(passed.encode())
        self.line += passed.count("\n")
        self._at = at

    def _more(self) -> bool:
        """Drop what is read and add to the rest, at least doubling it; False at the file's end."""
        left = len(self._text) - self._at
        if left > LONGEST_RECORD:
            raise too_long(self._source, self.line)
        chunk = self._stream.read(max(_WINDOW_BYTES, left))
        try:
            added = self._decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            line = self.line + self._text.count("\n", self._at)
            raise bad_text(self._source.path, error, line) from error
        if chunk:
            self._column = self._at - 1 - self._line_end(self._at)
            self._text, self._at = self._text[self._at :] + added, 0
        return bool(chunk)

    def _line_end(self, at: int) -> int:
        """Where in the window the line before that of `at` ends, which may be before it."""
        found = self._text.rfind("\n", 0, at)
        return found if found >= 0 else -1 - self._column

    def _broken(self, at: int, why: str) -> VoteFileError:
        """Says where an array is no JSON: what follows cannot be told apart, so none is taken."""
        line = self.line + self._text.count("\n", self._at, at)
        if not self._text[at:].strip():
            return VoteFileError(
                f"{self._source.path}: the JSON array breaks off after line {line}."
            )
        return VoteFileError(
            f"{self._source.path}: line {line}, column {at - self._line_end(at)} is not valid JSON "
            f"({why}). Correct it; only JSON Lines can be read without its bad rows."
        )


_DECODER = json.JSONDecoder()
_SIGN = re.compile(r"[^ \t\n\r]")
