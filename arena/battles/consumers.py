"""The battle socket: starts battles, asks on, follows their log, stops and retries them."""

import asyncio
import logging
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from arena.battles import (
    following,
    generation,
    moderation,
    protocol,
    selectors,
    services,
    starting,
)
from arena.battles.models import Battle, State
from arena.core.exceptions import ArenaError
from arena.core.language import speaking
from arena.core.threads import in_thread
from arena.voters.challenges import challenge_check
from arena.voters.consent import consent_check
from arena.voters.door import Action, voter_admit
from arena.voters.models import Voter
from arena.voters.networks import address_of
from arena.voters.services import voter_from, voter_known
from arena.voters.sockets import sign_in_needed

log = logging.getLogger(__name__)


class BattleConsumer(AsyncWebsocketConsumer):
    """One battle at a time; a new start or attach ends the following of the last."""

    # What owners write is read from their logs, so a socket needs no channel of its own.
    channel_layer_alias = "none"
    following: asyncio.Task[None] | None = None

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        with speaking(self.scope):
            try:
                await self.do(protocol.parse(text_data))
            except ArenaError as error:
                await self.send(protocol.encode(protocol.refused(error)))

    async def do(self, message: protocol.Incoming) -> None:
        match message:
            case protocol.Start():
                await self.start(message)
            case protocol.Continue():
                await self.go_on(message)
            case protocol.Attach():
                await self.attach(message)
            case protocol.Stop():
                await following.stop(await self.own_battle(message))
            case protocol.Retry():
                await self.retry(message)

    async def disconnect(self, code: int) -> None:
        self.leave()

    async def start(self, message: protocol.Start) -> None:
        generation.refuse_while_restarting()
        voter = await self.admitted(message)
        question = message.question
        if question.is_own:
            await moderation.refuse_flagged(question.prompt)
        started = await in_thread(starting.battle_start)(
            battle_id=message.battle, voter=voter, owner=generation.WORKER, question=question
        )
        await self.follow_turn(message, started)

    async def go_on(self, message: protocol.Continue) -> None:
        generation.refuse_while_restarting()
        voter = await self.admitted(message)
        await moderation.refuse_flagged(message.prompt)
        started = await in_thread(starting.battle_continue)(
            battle_id=message.battle,
            voter=voter,
            owner=generation.WORKER,
            number=message.turn,
            prompt=message.prompt,
            images=message.images,
        )
        await self.follow_turn(message, started)

    async def follow_turn(
        self, message: protocol.Start | protocol.Continue, started: starting.StartedTurn | None
    ) -> None:
        """Own what began just now; what had begun already is written somewhere."""
        if started is None:
            self.follow(await self.own_battle(message))
        else:
            generation.own(started)
            self.follow(started.battle)

    async def attach(self, message: protocol.Attach) -> None:
        self.follow(await self.own_battle(message), message.attempt, message.after)

    async def retry(self, message: protocol.Retry) -> None:
        battle = await self.own_battle(message)
        if battle.state != State.GENERATING:
            voter = await self.admitted(message)
            await following.retry(battle, voter)
        self.follow(await self.own_battle(message))

    async def admitted(self, message: protocol.Start | protocol.Continue | protocol.Retry) -> Voter:
        """The voter, if they may have a turn written now."""
        await sign_in_needed(self.scope)
        return await in_thread(self.admit)(message)

    def admit(self, message: protocol.Start | protocol.Continue | protocol.Retry) -> Voter:
        voter = voter_from(self.scope["cookies"])
        if isinstance(message, protocol.Start):
            consent_check(voter=voter, given=message.consent)
        voter_admit(voter=voter, address=address_of(self.scope), action=Action.BATTLE)
        challenge_check(voter=voter, payload=message.challenge)
        # Before anybody is asked whether it may pass; where it is stored it is checked again.
        match message:
            case protocol.Start(question=question) if question.is_own:
                services.checked_prompt(question.prompt)
            case protocol.Continue():
                services.checked_prompt(message.prompt)
        return voter

    @in_thread
    def own_battle(self, message: protocol.Incoming) -> Battle:
        return selectors.battle_of(message.battle, voter_known(self.scope["cookies"]))

    def follow(self, battle: Battle, attempt: int = 0, after: int = 0) -> None:
        self.leave()
        self.following = asyncio.create_task(self.send_messages(battle, attempt, after))

    def leave(self) -> None:
        if self.following is not None:
            self.following.cancel()

    async def send_messages(self, battle: Battle, attempt: int, after: int) -> None:
        try:
            async for message in following.follow(battle, attempt, after):
                await self.send(message)
        except OSError:
            return  # the browser has left, which the socket's own end will say
        except Exception:
            # The page attaches again, from the last frame it has.
            log.exception("%s could not be followed further", battle)
            await self.close(code=1011)
