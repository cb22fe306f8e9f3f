"""Which provider answers for an endpoint of which kind: openai, anthropic, recorded."""

from arena.providers import anthropic, openai
from arena.providers.anthropic import AnthropicProvider
from arena.providers.openai import OpenAIProvider
from arena.providers.protocol import Limits, Provider
from arena.providers.recorded import RecordedProvider


def provider_for(kind: str, *, recorded_speed: float) -> Provider:
    """recorded_speed: characters per second of recorded answers. Raises ValueError."""
    match kind:
        case "openai":
            return OpenAIProvider()
        case "anthropic":
            return AnthropicProvider()
        case "recorded":
            return RecordedProvider(recorded_speed)
    raise ValueError(f"no provider of the kind {kind!r}")


async def list_models(kind: str, endpoint: str, *, api_key: str, limits: Limits) -> list[str]:
    """Names of the models that the server offers. Raises ProviderError, or ValueError."""
    match kind:
        case "openai":
            return await openai.list_models(endpoint, api_key=api_key, limits=limits)
        case "anthropic":
            return await anthropic.list_models(endpoint, api_key=api_key, limits=limits)
    raise ValueError(f"no list of models for the kind {kind!r}")
