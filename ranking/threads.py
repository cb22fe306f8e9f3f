"""Work on a few threads: NumPy and BLAS release the interpreter while they compute."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

WORKERS = min(8, os.cpu_count() or 1)

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_order(work: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    """work(item) of every item, in the order of the items whatever the number of threads."""
    if WORKERS == 1:
        return list(map(work, items))
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(work, items))
