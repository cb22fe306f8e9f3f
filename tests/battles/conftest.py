"""The arena on a real socket, served from the test's database."""

from collections.abc import AsyncIterator, Iterator

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from tests.server import serving


@pytest.fixture
async def no_connection_left(transactional_db: None) -> AsyncIterator[None]:
    """The thread in which asynchronous tests ask the database gives its connection back."""
    yield
    await sync_to_async(connections.close_all, thread_sensitive=True)()


@pytest.fixture
def arena(transactional_db: None) -> Iterator[str]:
    """Its address."""
    with serving() as address:
        yield address
