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
from arena.voters.selectors import voter_by_key
from arena.voters.services import voter_from, voter_key, voter_known
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
            case protocol.Start() | protocol.Continue():
                await self.ask(message)
            case protocol.Attach():
                await self.attach(message)
            case protocol.Stop():
                await following.stop(await self.own_battle(message))
            case protocol.Retry():
                await self.retry(message)

    async def disconnect(self, code: int) -> None:
        self.leave()

    async def ask(self, message: protocol.Start | protocol.Continue) -> None:
        """Own the turn that this begins; what was sent before is written somewhere already."""
        if await self.is_begun(message):
            self.follow(await self.own_battle(message))
            return
        generation.refuse_while_restarting()
        voter = await self.admitted(message)
        if prompt := own_prompt(message):
            await moderation.refuse_flagged(prompt)
        started = await in_thread(begin)(message, voter)
        if started is not None:
            generation.own(started)
        self.follow(started.battle if started else await self.own_battle(message))

    @in_thread
    def is_begun(self, message: protocol.Start | protocol.Continue) -> bool:
        """Whether the same was sent before: its proof of work is spent, and none is needed."""
        key = voter_key(self.scope["cookies"])
        voter = voter_by_key(key) if key else None
        if voter is None:
            return False
        if isinstance(message, protocol.Start):
            return starting.battle_begun(message.battle, voter)
        return starting.turn_begun(message.battle, voter, message.turn, message.prompt)

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
        # A retry tells nothing that is not kept already.
        if not isinstance(message, protocol.Retry):
            consent_check(voter=voter, given=message.consent)
        voter_admit(voter=voter, address=address_of(self.scope), action=Action.BATTLE)
        challenge_check(voter=voter, payload=message.challenge)
        # Before anybody is asked whether it may pass; where it is stored it is checked again.
        prompt = None if isinstance(message, protocol.Retry) else own_prompt(message)
        if prompt is not None:
            services.checked_prompt(prompt)
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


def own_prompt(message: protocol.Start | protocol.Continue) -> str | None:
    """The visitor's own prompt, which may be empty; None where a recorded one is asked for."""
    if isinstance(message, protocol.Continue):
        return message.prompt
    return message.question.prompt if message.question.is_own else None


def begin(message: protocol.Start | protocol.Continue, voter: Voter) -> starting.StartedTurn | None:
    if isinstance(message, protocol.Start):
        return starting.battle_start(
            battle_id=message.battle,
            voter=voter,
            owner=generation.WORKER,
            question=message.question,
        )
    return starting.battle_continue(
        battle_id=message.battle,
        voter=voter,
        owner=generation.WORKER,
        number=message.turn,
        prompt=message.prompt,
        images=message.images,
    )
