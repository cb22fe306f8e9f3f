"""The limits that hold for every provider alike."""

import asyncio
from collections.abc import AsyncIterator

from arena.providers.exceptions import EmptyAnswer, TimedOut, TooLong, Truncated
from arena.providers.protocol import Delta, Event, Provider, Request


async def read(provider: Provider, request: Request) -> AsyncIterator[Event]:
    """The provider's events within the request's limits, the last one a Finish.

    Raises ProviderError: among others TooLong, EmptyAnswer, and TimedOut after `limits.total`.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + request.limits.total
    written, blank, finished = 0, True, False
    stream = aiter(provider.stream(request))
    while not finished:
        try:
            async with asyncio.timeout_at(deadline):
                event = await anext(stream, None)
        except TimeoutError as error:
            raise TimedOut(f"not finished after {request.limits.total} s") from error
        if event is None:
            raise Truncated("the provider ended without a finish")
        if isinstance(event, Delta):
            written += len(event.text)
            blank = blank and not event.text.strip()
            if written > request.limits.characters:
                raise TooLong(f"more than {request.limits.characters} characters")
        else:
            finished = True
            if blank:
                raise EmptyAnswer(f"no text; finish reason {event.reason}")
        yield event
