"""Reading a battle's log from wherever its owner is, and telling the owner what to do."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from django.utils.translation import get_language, override

from arena.battles import generation, protocol, relay, selectors, starting
from arena.battles.generation import Generation
from arena.battles.models import Battle, State
from arena.core.exceptions import Conflict
from arena.core.threads import in_thread
from arena.voters.models import Voter

# An owner that has nothing new says so after this long; one that says nothing for ANSWER_SECONDS
# is asked again, and the battle's row looked at, which says when its lease has run out.
NEWS_SECONDS = 0.5
ANSWER_SECONDS = 1.0


async def follow(battle: Battle, attempt: int, after: int) -> AsyncIterator[str]:
    """Messages of the battle after that frame of that attempt, up to the one that ends it.

    Whoever saw another attempt, or none, gets `battle.started` and all of it.
    """
    while True:
        own = generation.owned(battle.pk)
        # The log of an earlier attempt tells nothing of one that another process has taken up.
        if own is not None and own.log.attempt >= battle.attempt:
            async for message in follow_here(own, attempt, after):
                yield message
            return
        if battle.state != State.GENERATING:
            yield protocol.encode(protocol.reload())
            return
        answer = await relay.ask(
            battle.owner,
            {
                "do": "read",
                "battle": battle.pk.hex,
                "taken": battle.attempt,
                "attempt": attempt,
                "after": after,
            },
            seconds=NEWS_SECONDS + ANSWER_SECONDS,
        )
        if answer is None or answer["is_unknown"]:
            # It may have ended, been taken up again, or be about to be given up.
            await asyncio.sleep(NEWS_SECONDS)
            battle = await in_thread(selectors.battle_get)(battle.pk)
            continue
        for message in answer["messages"]:
            yield message
        if answer["ended"]:
            return
        attempt, after = answer["attempt"], answer["after"]


async def follow_here(own: Generation, attempt: int, after: int) -> AsyncIterator[str]:
    if attempt != own.log.attempt:
        yield protocol.encode(own.started())
        after = 0
    async for message in own.log.follow(after):
        yield message


async def stop(battle: Battle) -> None:
    """Have the battle stopped, wherever it is being written."""
    # Not by the log, which the owner of an earlier turn or attempt keeps for a while.
    if battle.owner == generation.WORKER:
        generation.stop(battle.pk)
    else:
        question = {"do": "stop", "battle": battle.pk.hex}
        await relay.ask(battle.owner, question, seconds=ANSWER_SECONDS)


async def retry(battle: Battle, voter: Voter) -> None:
    """Have another attempt made: by the owner, who may hold a side that is whole, or else here.

    A retry that was sent twice makes one attempt. Raises an ArenaError where there can be none.
    """
    if battle.owner != generation.WORKER:
        question = {
            "do": "retry",
            "battle": battle.pk.hex,
            "voter": voter.pk,
            "language": get_language(),
        }
        answer = await relay.ask(battle.owner, question, seconds=ANSWER_SECONDS)
        if answer is not None and not answer["is_unknown"]:
            if answer["refused"]:
                raise Conflict(answer["refused"])
            return
    await retry_here(battle.pk, voter)


async def retry_here(battle_id: uuid.UUID, voter: Voter) -> None:
    generation.refuse_while_restarting()
    started = await in_thread(starting.battle_retry)(
        battle_id=battle_id, voter=voter, owner=generation.WORKER
    )
    if started is not None:
        generation.own(started)


# -- Answering other processes ---------------------------------------------------------------

UNKNOWN = {"is_unknown": True}


async def answer(question: dict[str, Any]) -> dict[str, Any]:
    """What this process says of a battle that another one asks about."""
    own = generation.owned(uuid.UUID(question["battle"]))
    if own is None:
        return UNKNOWN
    match question["do"]:
        case "read" if own.log.attempt < question["taken"]:
            return UNKNOWN  # the next attempt is taken, and its log is about to be opened
        case "read":
            return await answer_read(own, question["attempt"], question["after"])
        case "stop":
            generation.stop(own.battle.pk)
            return {"is_unknown": False}
        case "retry":
            with override(question["language"]):
                return await answer_retry(own, question["voter"])
    raise ValueError(f"no such question: {question['do']!r}")


async def answer_read(own: Generation, attempt: int, after: int) -> dict[str, Any]:
    """One message at a time, so that what is under way stays small."""
    messages: list[str] = []
    if attempt != own.log.attempt:
        messages.append(protocol.encode(own.started()))
        after = 0
    else:
        # No news is an answer too: it says that the owner is alive.
        with suppress(TimeoutError):
            async with asyncio.timeout(NEWS_SECONDS):
                await own.log.wait(after)
    batch = own.log.read(after, most=1)
    return {
        "is_unknown": False,
        "messages": messages + batch.messages,
        "attempt": own.log.attempt,
        "after": batch.after,
        "ended": batch.ended,
    }


async def answer_retry(own: Generation, voter_id: int) -> dict[str, Any]:
    try:
        await retry_here(own.battle.pk, await in_thread(Voter.objects.get)(pk=voter_id))
    except Conflict as error:
        return {"is_unknown": False, "refused": error.message}
    return {"is_unknown": False, "refused": ""}
