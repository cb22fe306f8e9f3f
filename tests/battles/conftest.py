"""The arena on a real socket, served from the test's database."""

from collections.abc import Iterator

import pytest

from tests.server import serving


@pytest.fixture
def arena(transactional_db: None) -> Iterator[str]:
    """Its address."""
    with serving() as address:
        yield address
