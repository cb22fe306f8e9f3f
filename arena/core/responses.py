"""Sending files under WSGI and ASGI alike, in pieces and never whole in memory."""

from collections.abc import AsyncIterator, Iterator
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

PIECE = 1 << 18


def file_response(
    request: HttpRequest, file: IO[bytes], *, size: int, content_type: str
) -> StreamingHttpResponse:
    """Stream an open file, which is closed with the response.

    Django reads a synchronous stream whole before it sends it under ASGI, so each server gets
    its own kind. The file is sent as it is: compressed columns only grow by compressing again.
    """
    pieces = LaterPieces(file) if isinstance(request, ASGIRequest) else Pieces(file)
    response = StreamingHttpResponse(pieces, content_type=content_type)
    response["Content-Length"] = size
    response["Content-Encoding"] = "identity"
    return response


class Pieces:
    """A file piece by piece. Django calls `close`, also where nobody asked for a piece."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.close = file.close

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.file.read(PIECE):
            yield piece


class LaterPieces:
    """The same for a loop that must not wait for the disk."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.close = file.close

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = sync_to_async(self.file.read, thread_sensitive=False)
        while piece := await read(PIECE):
            yield piece


def stream_response(
    request: HttpRequest, pieces: Iterator[bytes], *, content_type: str
) -> StreamingHttpResponse:
    """Stream what a generator makes piece by piece; it ends early where the client goes away."""
    later = isinstance(request, ASGIRequest)
    body = LaterGenerated(pieces) if later else Generated(pieces)
    response = StreamingHttpResponse(body, content_type=content_type)
    # Compressing on the way would take longer than making it.
    response["Content-Encoding"] = "identity"
    return response


class Generated:
    """A generator's pieces. Django calls `close`, also where nobody asked for a piece."""

    def __init__(self, pieces: Any) -> None:
        self.pieces = pieces
        self.close = pieces.close

    def __iter__(self) -> Iterator[bytes]:
        yield from self.pieces


class LaterGenerated:
    """The same for a loop that must not wait for it.

    All pieces are made in the request's own thread, to which its database connection belongs.
    """

    def __init__(self, pieces: Any) -> None:
        self.pieces = pieces
        self.close = pieces.close

    async def __aiter__(self) -> AsyncIterator[bytes]:
        following = sync_to_async(next, thread_sensitive=True)
        while (piece := await following(self.pieces, None)) is not None:  # type: ignore[call-arg]
            yield piece
