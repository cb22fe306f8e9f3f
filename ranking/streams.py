"""The bytes of a file of votes: unpacked where they are packed, checked to be text, and bounded.

How a file is packed is told from its first bytes and not from its name.
"""

from __future__ import annotations

import codecs
import io
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from ranking.errors import VoteFileError

MAX_BYTES = 64 << 30
"""How much a packed file may unpack to unless the caller allows more."""

_MAX_RATIO = 200
_FREE_BYTES = 100 << 20
_BUFFER = 1 << 20

# Parallel packers begin with a frame of zstd that is to be skipped.
_SKIPPED = {bytes([byte]) + b"\x2a\x4d\x18": "zstd" for byte in range(0x50, 0x60)}
_PACKINGS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", **_SKIPPED}
_ARCHIVES = {b"PK\x03\x04": "a ZIP archive", b"BZh": "packed by bzip2", b"\xfd7zXZ": "packed by xz"}


@dataclass(frozen=True, slots=True)
class Source:
    """A file, how it is packed (None where it is not), and how much it may unpack to."""

    path: Path
    packing: str | None
    max_bytes: int

    def open(self, *, text: bool = True, offset: int = 0) -> Unpacked:
        """Its unpacked bytes, from `offset` on.

        Reading raises VoteFileError for packed bytes that are damaged, break off or unpack to
        more than is allowed, and, as `text`, for bytes that are not UTF-8.
        """
        return Unpacked(self, text, offset)

    def seekable(self) -> IO[bytes]:
        """The unpacked file to read from anywhere; a packed one goes through a nameless copy."""
        if self.packing is None:
            return self.path.open("rb")
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        with self.open(text=False) as unpacked:
            shutil.copyfileobj(unpacked, copy, _BUFFER)
        copy.seek(0)
        return copy


def source_of(path: Path, max_bytes: int) -> Source:
    """The file at a path. Raises OSError, and VoteFileError for a folder or an archive."""
    if path.is_dir():
        raise VoteFileError(f"{path}: is a folder, not a file of votes.")
    with path.open("rb") as file:
        head = file.read(8)
    for magic, called in _ARCHIVES.items():
        if head.startswith(magic):
            raise VoteFileError(f"{path}: is {called}. Unpack it, or pack it as gz or zst.")
    return Source(path, _packing(head), max_bytes)


def _packing(head: bytes) -> str | None:
    return next((name for magic, name in _PACKINGS.items() if head.startswith(magic)), None)


def refuse_packed_twice(source: Source, head: bytes) -> None:
    """Raise VoteFileError where the unpacked bytes, of which these come first, are packed."""
    if source.packing and (_packing(head) or head.startswith(tuple(_ARCHIVES))):
        raise VoteFileError(f"{source.path}: is packed twice. Unpack it once and try again.")


def refuse_bomb(path: Path, unpacked: int, packed: int, max_bytes: int) -> None:
    """Raise VoteFileError where a file grows to more than anyone would pack into it."""
    if unpacked > max_bytes:
        raise VoteFileError(
            f"{path}: unpacks to more than {max_bytes:,} bytes. If it is what you expect, allow "
            "more (max_bytes), or split it."
        )
    if unpacked > _FREE_BYTES and unpacked > _MAX_RATIO * packed:
        raise VoteFileError(
            f"{path}: unpacks to more than {_MAX_RATIO} times its size, as files do that are made "
            "to fill a disk. If you trust it, unpack it yourself."
        )


class Unpacked(io.BufferedReader):
    """The bytes of a source in order."""

    raw: _Raw

    def __init__(self, source: Source, text: bool, offset: int) -> None:
        super().__init__(_Raw(source, text, offset), _BUFFER)

    @property
    def share(self) -> float:
        """How much of the file, as it lies on the disk, has been read: 0 to 1."""
        return float(self.raw.share)


class _Raw(io.RawIOBase):
    def __init__(self, source: Source, text: bool, offset: int) -> None:
        self._source = source
        self._packed = pa.OSFile(str(source.path))
        self._size = max(self._packed.size(), 1)
        self._stream = self._packed
        if source.packing:
            self._stream = pa.CompressedInputStream(self._packed, source.packing)
        self._unpacked = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")() if text else None
        self._line = 1
        self._skip(offset)

    @property
    def share(self) -> float:
        return min(int(self._packed.tell()) / int(self._size), 1.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._read(len(buffer))
        if self._decoder is not None:
            self._check_text(self._decoder, chunk)
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
            self._packed.close()
        super().close()

    def _read(self, size: int) -> bytes:
        try:
            chunk: bytes = self._stream.read(size)
        except OSError as error:
            if not self._source.packing:
                raise
            cut = "Truncated" in str(error)
            what = "breaks off: its packed bytes end too early" if cut else f"is damaged ({error})"
            raise VoteFileError(f"{self._source.path}: {what}. Get it once more.") from error
        self._unpacked += len(chunk)
        if self._source.packing:
            packed = self._packed.tell()
            refuse_bomb(self._source.path, self._unpacked, packed, self._source.max_bytes)
        return chunk

    def _skip(self, offset: int) -> None:
        if not self._source.packing:
            self._stream.seek(offset)
            return
        while self._unpacked < offset and self._read(min(_BUFFER, offset - self._unpacked)):
            pass

    def _check_text(self, decoder: codecs.IncrementalDecoder, chunk: bytes) -> None:
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            raise bad_text(self._source.path, error, self._line) from error
        self._line += chunk.count(b"\n")


def bad_text(path: Path, error: UnicodeDecodeError, line: int) -> VoteFileError:
    """Names the line, given that of the first byte that was decoded."""
    return VoteFileError(not_utf8(path, line + error.object[: error.start].count(b"\n")))


def not_utf8(path: Path, line: int | None = None) -> str:
    where = "" if line is None else f"line {line} "
    return f"{path}: {where}is not UTF-8 text. Save it in UTF-8 and try again."
