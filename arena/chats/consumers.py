"""The chat socket: asks, follows the answer, stops and retries it."""

import asyncio
import logging
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from arena.battles import generation, moderation
from arena.battles.protocol import Outgoing, encode
from arena.battles.services import checked_prompt
from arena.chats import following, protocol, selectors, services, writing
from arena.chats.following import Seen
from arena.chats.models import ChatTurn, State
from arena.core.exceptions import ArenaError
from arena.core.language import speaking
from arena.core.threads import in_thread
from arena.voters.challenges import challenge_check
from arena.voters.consent import consent_check
from arena.voters.door import Action, voter_admit
from arena.voters.models import Voter
from arena.voters.networks import address_of
from arena.voters.selectors import voter_by_key
from arena.voters.services import voter_from, voter_key_needed
from arena.voters.sockets import sign_in_needed

log = logging.getLogger(__name__)

NOTHING = Seen()


class ChatConsumer(AsyncWebsocketConsumer):
    """One answer at a time; a new prompt or attach ends the following of the last."""

    # Answers are read from drafts and rows, so a socket needs no channel of its own.
    channel_layer_alias = "none"
    following: asyncio.Task[None] | None = None

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        with speaking(self.scope):
            try:
                await self.do(protocol.parse(text_data))
            except ArenaError as error:
                await self.say(protocol.refused(error))

    async def do(self, message: protocol.Incoming) -> None:
        match message:
            case protocol.Start() | protocol.Say():
                await self.ask(message)
            case protocol.Attach(turn=turn, attempt=attempt, after=after):
                self.follow(await self.last_turn(message), Seen(turn, attempt, after))
            case protocol.Stop():
                await self.stop(message)
            case protocol.Retry():
                await self.retry(message)

    async def disconnect(self, code: int) -> None:
        self.leave()

    async def ask(self, message: protocol.Start | protocol.Say) -> None:
        if not await self.is_begun(message):
            voter = await self.admitted(message)
            await moderation.refuse_flagged(message.prompt)
            started = await in_thread(begin)(message, voter)
            if started is not None:
                writing.own(started)
        self.follow(await self.last_turn(message))

    async def stop(self, message: protocol.Stop) -> None:
        turn = await self.last_turn(message)
        await in_thread(services.stop_ask)(turn=turn)
        writing.stop(turn)

    async def retry(self, message: protocol.Retry) -> None:
        if (await self.last_turn(message)).state != State.GENERATING:
            voter = await self.admitted(message)
            started = await in_thread(services.turn_retry)(
                chat_id=message.chat, voter=voter, owner=generation.WORKER
            )
            if started is not None:
                writing.own(started)
        self.follow(await self.last_turn(message))

    async def admitted(self, message: protocol.Start | protocol.Say | protocol.Retry) -> Voter:
        """The voter, if they may have an answer written now."""
        generation.refuse_while_restarting()
        await sign_in_needed(self.scope)
        return await in_thread(self.admit)(message)

    def admit(self, message: protocol.Start | protocol.Say | protocol.Retry) -> Voter:
        voter = voter_from(self.scope["cookies"])
        if not isinstance(message, protocol.Retry):
            # Before anybody is asked whether it may pass; where it is stored it is checked again.
            checked_prompt(message.prompt)
            consent_check(voter=voter, given=message.consent)
        voter_admit(voter=voter, address=address_of(self.scope), action=Action.BATTLE)
        challenge_check(voter=voter, payload=message.challenge)
        return voter

    def voter(self) -> Voter | None:
        return voter_by_key(voter_key_needed(self.scope["cookies"]))

    @in_thread
    def is_begun(self, message: protocol.Start | protocol.Say) -> bool:
        """Whether the same was sent before: its proof of work is spent, and none is needed."""
        voter = self.voter()
        return voter is not None and selectors.turn_begun(
            message.chat, voter, message.turn, message.prompt.strip()
        )

    @in_thread
    def last_turn(self, message: protocol.Incoming) -> ChatTurn:
        return selectors.turn_last(selectors.chat_of(message.chat, self.voter()))

    def follow(self, turn: ChatTurn, seen: Seen = NOTHING) -> None:
        self.leave()
        self.following = asyncio.create_task(self.send_messages(turn, seen))
        if turn.owner == generation.WORKER:
            writing.tell_before_ending(self.following)

    def leave(self) -> None:
        if self.following is not None:
            self.following.cancel()

    async def send_messages(self, turn: ChatTurn, seen: Seen) -> None:
        try:
            async for message in following.follow(turn, seen):
                await self.say(message)
        except ArenaError as error:
            await self.say(protocol.refused(error))
        except OSError:
            return  # the browser has left, which the socket's own end will say
        except Exception:
            # The page attaches again, from the last frame it has.
            log.exception("%s could not be followed further", turn)
            await self.close(code=1011)

    async def say(self, message: Outgoing) -> None:
        await self.send(encode(message))


def begin(message: protocol.Start | protocol.Say, voter: Voter) -> services.StartedTurn | None:
    asked: dict[str, Any] = {
        "chat_id": message.chat,
        "voter": voter,
        "owner": generation.WORKER,
        "prompt": message.prompt,
    }
    if isinstance(message, protocol.Start):
        return services.chat_start(contestant=message.contestant, **asked)
    return services.chat_say(number=message.turn, **asked)
