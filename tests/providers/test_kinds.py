"""Providers and lists of models by the kind of their endpoint."""

import pytest

from arena.providers.anthropic import AnthropicProvider
from arena.providers.kinds import list_models, provider_for
from arena.providers.openai import OpenAIProvider
from arena.providers.protocol import Draft
from arena.providers.recorded import RecordedProvider
from tests.providers.asking import LIMITS, answer
from tests.upstream import serving

TEXT = "The sky is blue.\n\nIt scatters."


@pytest.mark.parametrize(
    ("kind", "provider"),
    [
        ("openai", OpenAIProvider),
        ("anthropic", AnthropicProvider),
        ("recorded", RecordedProvider),
    ],
)
def test_every_kind_has_a_provider(kind: str, provider: type) -> None:
    assert isinstance(provider_for(kind, recorded_speed=100), provider)


def test_no_other_has() -> None:
    with pytest.raises(ValueError, match="imported"):
        provider_for("imported", recorded_speed=100)


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
async def test_models_are_listed(kind: str) -> None:
    async with serving() as endpoint:
        listed = await list_models(kind, endpoint, api_key="", limits=LIMITS)

    assert listed == ["linnet-3", "ostrel-prime"]


async def test_what_is_recorded_lists_none() -> None:
    with pytest.raises(ValueError, match="recorded"):
        await list_models("recorded", "", api_key="", limits=LIMITS)


async def test_a_recorded_answer_is_read_as_any_other() -> None:
    draft = Draft()
    finish = await answer("recorded", "", draft, recorded=TEXT)

    assert (draft.text, finish.reason) == (TEXT, "stop")
