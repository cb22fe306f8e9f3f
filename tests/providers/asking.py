"""What the tests of providers ask, and how long they wait for it."""

from dataclasses import replace
from typing import Any

from arena.providers.kinds import provider_for
from arena.providers.protocol import Draft, Finish, Limits, Message, Request
from arena.providers.reading import read

LIMITS = Limits(connect=1.0, read=0.3, total=2.0, characters=100_000)


def request(endpoint: str, **changes: Any) -> Request:
    """`changes` are of the request, or of its limits."""
    of_limits = {name: changes.pop(name) for name in [*changes] if hasattr(LIMITS, name)}
    asked = Request(
        messages=(Message("user", "Why is the sky blue?"),),
        limits=replace(LIMITS, **of_limits),
        endpoint=endpoint,
        model="linnet-3",
    )
    return replace(asked, **changes)


async def answer(kind: str, endpoint: str, draft: Draft | None = None, **changes: Any) -> Finish:
    provider = provider_for(kind, recorded_speed=1e6)
    return await read(provider, request(endpoint, **changes), Draft() if draft is None else draft)
