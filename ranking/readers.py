"""Which reader a file of votes needs: its first bytes tell its format, its columns the rest."""

from __future__ import annotations

import codecs
import json
import re

from ranking.batches import Mark, Reader
from ranking.counts import CountsReader, pairs_of_json, pairs_of_table
from ranking.errors import VoteFileError
from ranking.record_readers import LONGEST_RECORD, JsonLinesReader, JsonReader, too_long
from ranking.schemas import schema_of
from ranking.streams import Source, not_utf8, refuse_packed_twice
from ranking.table_readers import CsvReader, ParquetReader, TableReader


def reader_of(source: Source) -> Reader:
    """The reader for a file's format, which its first bytes tell.

    Raises VoteFileError where it is empty or of no accepted schema.
    """
    with source.open(text=False) as stream:
        head = stream.read(1 << 16)
    if head.startswith(b"PAR1"):
        return _table_reader(source, ParquetReader(source))
    refuse_packed_twice(source, head)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise VoteFileError(not_utf8(source.path))
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if not text:
        raise VoteFileError(f"{source.path}: is empty.")
    if _COUNTS.match(text):
        return _counts_of_json(source)
    if text[:1] in (b"[", b"{"):
        return JsonReader(source) if text[:1] == b"[" else JsonLinesReader(source)
    return _table_reader(source, CsvReader(source))


_COUNTS = re.compile(rb'\{\s*"(models|X|Y)"\s*:')


def _table_reader(source: Source, reader: TableReader) -> Reader:
    return _counts_of_table(source, reader) if reader.schema == "counts" else reader


def _counts_of_json(source: Source) -> CountsReader:
    with source.open() as stream:
        text = stream.read(LONGEST_RECORD)
    if len(text) == LONGEST_RECORD:
        raise too_long(source, 1)
    try:
        counts = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise VoteFileError(f"{source.path}: is not valid JSON ({error}).") from error
    schema_of(source.path, counts)
    return CountsReader(source, pairs_of_json(source.path, counts))


def _counts_of_table(source: Source, reader: TableReader) -> CountsReader:
    pairs = pairs_of_table(reader.raw(Mark()))
    return CountsReader(source, pairs, reader.lines)
