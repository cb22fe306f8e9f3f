"""Refits, publications and ledgers that outlast the request for them."""

from typing import Any

from arena.core.jobs import Task, job
from arena.leaderboard.ledgers import ledger_between
from arena.leaderboard.models import BoardName, Fitted
from arena.leaderboard.selectors import snapshot_get
from arena.leaderboard.services import publish, refit
from ranking import RankingError


@job("refit", RankingError)
def run_refit(task: Task) -> Any:
    """params: none. The result's `draft` is null where nothing was new."""
    task.tell("Fitting all votes")
    return {"draft": summary(refit())}


@job("publish", RankingError)
def run_publish(task: Task) -> Any:
    """params: none. The result's `snapshot` is null where nothing was new."""
    task.tell("Sealing the votes and fitting them")
    return {"snapshot": summary(publish(actor=task.job.actor))}


@job("ledger", RankingError)
def run_ledger(task: Task) -> Any:
    """params: before, after (digests), board."""
    return ledger_between(
        snapshot_get(task.params["before"]),
        snapshot_get(task.params["after"]),
        BoardName(task.params["board"]),
        lambda fits, most: task.tell(f"{fits} of at most {most} boards fitted", fits / most),
    )


def summary(fitted: Fitted | None) -> dict[str, Any] | None:
    if fitted is None:
        return None
    return {"digest": fitted.digest, "counted": fitted.counted, "engine": fitted.engine}
