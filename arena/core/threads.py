"""Blocking work of asynchronous code."""

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from channels.db import database_sync_to_async

P = ParamSpec("P")
T = TypeVar("T")


def in_thread(work: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """`work` in a thread of the pool, with a connection to the database for as long.

    By default all such calls of a process take turns in one thread, where a hundred battles
    that begin at once would wait for each other's commits.
    """
    return database_sync_to_async(work, thread_sensitive=False)
