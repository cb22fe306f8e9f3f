"""The passes of an out-of-core fit on a Dask cluster.

Partitions lie in a folder that all workers see under the same name (workers on one machine do; on
several, a shared file system). What travels are tasks, points and sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from ranking.errors import ResourceError
from ranking.partitions import Run
from ranking.version import ENGINE

if TYPE_CHECKING:
    from distributed import Client

_CONNECT_SECONDS = 10

_T = TypeVar("_T")
_Item = TypeVar("_Item")


def connect(address: str) -> Client:
    """A client of the cluster whose scheduler listens there, such as tcp://127.0.0.1:8786.

    Raises ResourceError when Dask is not installed or nobody answers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        remedy = 'Install it: pip install "dask[distributed]".'
        raise ResourceError(f"Dask is not installed. {remedy}") from error
    try:
        client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ResourceError(
            f"no Dask scheduler answers at {address} ({error}). Start one with `dask scheduler` "
            "and workers with `dask worker ADDRESS --nthreads 1`."
        ) from error
    return client


def threads_of(client: Client) -> list[int]:
    """How many tasks each worker runs at a time.

    Raises ResourceError when there is no worker, or one of them has not this package.
    """
    threads = list(client.nthreads().values())
    if not threads:
        raise ResourceError(
            "the Dask cluster has no worker. Start some with `dask worker ADDRESS --nthreads 1`."
        )
    for worker, engine in client.run(_engine, on_error="return").items():
        if engine != ENGINE:
            raise ResourceError(
                f"the worker {worker} computes with {engine} and not with {ENGINE}. Start it "
                "where the same package can be imported."
            )
    return threads


def _engine() -> str:
    return ENGINE


def on_workers(client: Client) -> Run:
    """What `map` is to this process: a task per item, and their results in the items' order."""

    def run(work: Callable[[_Item], _T], items: Iterable[_Item]) -> Iterator[_T]:
        # Not pure: a pass that is repeated at the same point must not find a lost worker's key.
        futures = client.map(work, list(items), pure=False)
        try:
            for future in futures:
                with _losses():
                    result = future.result()
                yield result
                # Workers keep a result for as long as somebody may ask for it.
                future.release()
        finally:
            client.cancel(futures)

    return run


@contextmanager
def _losses() -> Iterator[None]:
    """What a lost worker leads to, said in our terms: no task may run twice."""
    from distributed import KilledWorker
    from distributed.comm.core import CommClosedError

    try:
        yield
    except (KilledWorker, CommClosedError) as error:
        raise ResourceError(
            f"the Dask cluster lost a worker ({error}). Where it ran out of memory, fit with less "
            "(--memory) than the worker has, and start again."
        ) from error
    except (FileExistsError, FileNotFoundError) as error:
        raise ResourceError(
            f"temporary files are not as they were left ({error}). Either a worker was lost and "
            "its work done twice, then start again, or the workers do not see the same folder, "
            "then name one that they share (folder, TMPDIR)."
        ) from error
