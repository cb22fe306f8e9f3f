"""The limits that hold for every provider alike, and when an answer is asked for again."""

import asyncio
import logging
import random
from contextlib import aclosing
from itertools import count

from arena.providers.exceptions import (
    EmptyAnswer,
    Overloaded,
    ProviderError,
    TimedOut,
    TooLong,
    Truncated,
)
from arena.providers.protocol import Draft, Finish, Provider, Reasoning, Request

log = logging.getLogger(__name__)

# Whoever asked sits and waits: what wants to be asked later than this has failed.
LONGEST_RETRY_AFTER = 20.0
# The first pause; each further one is twice as long.
PAUSE_SECONDS = 0.5


async def read(provider: Provider, request: Request, draft: Draft) -> Finish:
    """Fill the draft with the answer, within the request's limits.

    Where the provider fails before any text or reasoning it is asked again, if that may help,
    at most `limits.retries` times. Raises ProviderError; the draft keeps what had come. To
    cancel it closes the connection at once.
    """
    deadline = asyncio.get_running_loop().time() + request.limits.total
    try:
        async with asyncio.timeout_at(deadline):
            return await asked_until_answered(provider, request, draft, deadline)
    except TimeoutError as error:
        raise TimedOut(f"not finished after {request.limits.total} s") from error


async def asked_until_answered(
    provider: Provider, request: Request, draft: Draft, deadline: float
) -> Finish:
    for tries in count(1):
        draft.requests += 1
        try:
            return await answered(provider, request, draft)
        except ProviderError as error:
            has_begun = draft.length > 0 or bool(draft.reasoning)
            if has_begun or tries > request.limits.retries:
                raise
            await asyncio.sleep(pause_after(error, tries, deadline))
    raise AssertionError("count() does not end")


def pause_after(error: ProviderError, tries: int, deadline: float) -> float:
    """Seconds until the next request. Raises the error where none could help in time."""
    asked_for = (error.retry_after if isinstance(error, Overloaded) else None) or 0.0
    # At random, or all that were refused in one moment would come back in one moment.
    pause = asked_for + PAUSE_SECONDS * 2 ** (tries - 1) * random.uniform(0.5, 1.0)
    is_in_time = asyncio.get_running_loop().time() + pause < deadline
    if not error.is_worth_asking_again or asked_for > LONGEST_RETRY_AFTER or not is_in_time:
        raise error
    log.warning(
        "asked %d times; asking again in %.1f s after %s: %s",
        tries,
        pause,
        error.kind,
        error.detail,
    )
    return pause


async def answered(provider: Provider, request: Request, draft: Draft) -> Finish:
    """One request. This is the arena's busiest loop: it runs once for each token."""
    clock = asyncio.get_running_loop().time
    room = request.limits.characters
    async with aclosing(provider.stream(request)) as events:
        async for event in events:
            if isinstance(event, Finish):
                if not draft.text.strip():
                    raise EmptyAnswer(f"no text; finish reason {event.reason}")
                return event
            room -= len(event.text)
            if room < 0:
                raise TooLong(f"more than {request.limits.characters} characters")
            if isinstance(event, Reasoning):
                draft.reasoning.append(event.text)
                continue
            if draft.first_at is None:
                draft.first_at = clock()
            draft.add(event.text)
    raise Truncated("the provider ended without a finish")
