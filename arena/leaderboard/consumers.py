"""The board's socket: tells how many votes were cast since the publication; takes nothing."""

import asyncio
import json
import logging

from channels.generic.websocket import AsyncWebsocketConsumer

from arena.leaderboard.live import live

log = logging.getLogger(__name__)


class BoardConsumer(AsyncWebsocketConsumer):
    channel_layer_alias = "none"
    telling: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        await self.accept()
        self.telling = asyncio.create_task(self.tell())

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: object
    ) -> None:
        # A board has nothing to say.
        await self.close(code=1003)

    async def disconnect(self, code: int) -> None:
        if self.telling is not None:
            self.telling.cancel()

    async def tell(self) -> None:
        try:
            async for news in live().follow():
                await self.send(json.dumps(news, separators=(",", ":")))
        except OSError:
            return  # the browser has left, which the socket's own end will say
        except Exception:
            log.exception("a board could not be told further")
            await self.close(code=1011)
