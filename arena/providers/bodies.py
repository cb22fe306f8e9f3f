"""The body of a response, inflated, and bounded whatever its sender does."""

import asyncio
import logging
import zlib

import aiohttp

from arena.providers.exceptions import TooLong, Unreadable
from arena.providers.protocol import Limits
from arena.providers.transport import Wire

log = logging.getLogger(__name__)

# JSON writes a character in at most twelve bytes: two escapes.
BYTES_PER_CHARACTER = 12
# A chunk of some 350 bytes may bring a token of one character.
STREAMED_BYTES_PER_CHARACTER = 512
BYTES_AROUND = 1_000_000
UNCOMPRESSED = ("", "identity")
COMPRESSED = ("gzip", "x-gzip", "deflate")
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
STEP_BYTES = 65_536
DRAIN_SECONDS = 0.05


def largest_document(limits: Limits) -> int:
    """Bytes that a document, or one event of a stream, may have."""
    return BYTES_PER_CHARACTER * limits.characters + BYTES_AROUND


def largest_stream(limits: Limits) -> int:
    """Bytes that all events of a stream may have together."""
    return STREAMED_BYTES_PER_CHARACTER * limits.characters + BYTES_AROUND


class Body:
    """The bytes of one body. Iterating raises TooLong, Unreadable, and the errors of aiohttp."""

    def __init__(self, wire: Wire, *, media_type: str, encoding: str, most: int) -> None:
        self.media_type = media_type
        self._wire = wire
        self._source = wire if encoding in UNCOMPRESSED else Inflated(wire, encoding)
        self._most = self._left = most

    def gather(self) -> None:
        """From now on nobody waits for every byte; see Wire."""
        self._wire.is_gathering = True

    async def drain(self) -> None:
        """Read what follows the end of an answer, if it comes at once.

        The connection is then used again, and the server sees nobody hang up on it. Otherwise,
        and whatever goes wrong, the connection is closed: the answer is whole already.
        """
        self._wire.is_gathering = False
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                async for _ in self._wire:
                    pass
        except (TimeoutError, aiohttp.ClientError) as error:
            log.debug("the end of a stream did not follow its last event: %r", error)

    def __aiter__(self) -> "Body":
        return self

    async def __anext__(self) -> bytes:
        piece = await anext(self._source)
        self._left -= len(piece)
        if self._left < 0:
            raise TooLong(f"more than {self._most} bytes")
        return piece


class Inflated:
    """What a server has compressed although it was asked not to.

    A few kilobytes may stand for gigabytes, so no piece is larger than STEP_BYTES.
    """

    def __init__(self, wire: Wire, encoding: str) -> None:
        if encoding not in COMPRESSED:
            raise Unreadable(f"content encoding {encoding[:40]!r}")
        self._wire = wire
        self._zlib = zlib.decompressobj(GZIP_OR_ZLIB)
        self._has_more = False

    async def __anext__(self) -> bytes:
        piece = self._zlib.unconsumed_tail if self._has_more else await anext(self._wire)
        try:
            inflated = self._zlib.decompress(piece, STEP_BYTES)
        except zlib.error as error:
            raise Unreadable(f"not compressed as it says: {error}") from error
        self._has_more = len(inflated) == STEP_BYTES
        return inflated
