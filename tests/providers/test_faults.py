"""Every fault of an endpoint has its name, whichever protocol it speaks."""

import pytest

from arena.providers.exceptions import ProviderError
from tests.providers.asking import answer
from tests.upstream import ANTHROPIC_FAULTS, BROKEN_ENDPOINTS, FAULTS, serving

BOTH = {"openai": FAULTS, "anthropic": ANTHROPIC_FAULTS}


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("fault", FAULTS)
async def test_every_fault_has_its_name(kind: str, fault: str) -> None:
    behaviour, name = BOTH[kind][fault]
    async with serving(behaviour) as endpoint:
        with pytest.raises(ProviderError) as raised:
            await answer(kind, endpoint)

    assert raised.value.kind == name


@pytest.mark.parametrize("fault", BROKEN_ENDPOINTS)
async def test_so_has_every_endpoint_that_nobody_can_talk_to(fault: str) -> None:
    broken, name = BROKEN_ENDPOINTS[fault]
    async with broken() as endpoint:
        with pytest.raises(ProviderError) as raised:
            await answer("openai", endpoint)

    assert raised.value.kind == name
