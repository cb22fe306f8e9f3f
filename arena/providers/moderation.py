"""Asking an OpenAI-compatible moderation endpoint about a text."""

from itertools import chain
from typing import Any

from arena.providers import openai
from arena.providers.bodies import largest_document
from arena.providers.exceptions import Unreadable
from arena.providers.http import Call, document
from arena.providers.protocol import Limits

# What a text is flagged for where the endpoint does not say.
UNNAMED = "flagged"


async def flagged(
    text: str, *, endpoint: str, model: str, api_key: str, limits: Limits
) -> list[str]:
    """Names of the categories under which the endpoint flags the text, none if it does not.

    Raises ProviderError. An answer that cannot be understood is no permission: Unreadable.
    """
    call = Call(
        "POST",
        f"{endpoint.rstrip('/')}/moderations",
        limits,
        most=largest_document(limits),
        headers=openai.headers(api_key),
        json={"input": text, **({"model": model} if model else {})},
    )
    answer = await document(call)
    try:
        found = [categories(result) for result in answer["results"]]
    except (AttributeError, KeyError, TypeError) as error:
        raise Unreadable("the answer is not in the form of a moderation") from error
    if not found:
        raise Unreadable("the moderation holds no result")
    return list(dict.fromkeys(chain.from_iterable(found)))


def categories(result: Any) -> list[str]:
    """The categories that one result flags."""
    named = [name for name, is_flagged in result["categories"].items() if is_flagged]
    return named or ([UNNAMED] if result["flagged"] else [])
