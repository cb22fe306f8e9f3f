"""Every byte that crosses to a browser, as it crossed: a proxy that keeps what it hands on."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

# Without these the server packs nothing, so that what is recorded can be searched.
PACKING = re.compile(rb"(?im)^(accept-encoding|sec-websocket-extensions):[^\r\n]*\r\n")


class Recorder:
    """What the server behind it sent since the last `clear`."""

    def __init__(self, port: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.server_port = port
        self.address = ""
        self.received = bytearray()
        self.open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Tear every connection, as a lost network does."""
        for writer in list(self.open):
            self.loop.call_soon_threadsafe(writer.transport.abort)

    def clear(self) -> None:
        self.received.clear()

    def found(self, *canaries: str) -> list[str]:
        """Those of the canaries that crossed, in any case of letters."""
        crossed = self.received.decode(errors="replace").lower()
        return [canary for canary in canaries if canary.lower() in crossed]

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await asyncio.open_connection("127.0.0.1", self.server_port)
        both = {writer, behind[1]}
        self.open |= both
        try:
            await asyncio.gather(
                self.hand_on(reader, behind[1], is_answer=False),
                self.hand_on(behind[0], writer, is_answer=True),
            )
        finally:
            for end in both:
                end.close()
            self.open -= both

    async def hand_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool
    ) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(65_536):
                if is_answer:
                    self.received += piece
                else:
                    piece = PACKING.sub(b"", piece)
                writer.write(piece)
                await writer.drain()
        writer.close()

    async def close(self) -> None:
        ends = list(self.open)
        for end in ends:
            end.transport.abort()
        await asyncio.gather(*(end.wait_closed() for end in ends), return_exceptions=True)


@asynccontextmanager
async def recording(address: str) -> AsyncIterator[Recorder]:
    """A recorder in front of the server at that address."""
    recorder = Recorder(int(address.rpartition(":")[2]))
    server = await asyncio.start_server(recorder.connected, "127.0.0.1", 0)
    recorder.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield recorder
    finally:
        server.close()
        await recorder.close()
