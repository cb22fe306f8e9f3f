"""Refits, publications and what readers ask for: work that outlasts the request for it."""

from typing import Any

from arena.core.jobs import Task, job
from arena.leaderboard.fragility import pair_fragility
from arena.leaderboard.ledgers import Rows, ledger_between, ledger_of_rows
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
    """params: before, after (digests), and either the board or what the rows are."""
    snapshots = snapshot_get(task.params["before"]), snapshot_get(task.params["after"])

    def tell(fits: int, most: int) -> None:
        task.tell(f"{fits} of at most {most} boards fitted", fits / most)

    if "rows" in task.params:
        return ledger_of_rows(*snapshots, Rows(task.params["rows"]), tell)
    return ledger_between(*snapshots, BoardName(task.params["board"]), tell)


@job("fragility", RankingError)
def run_fragility(task: Task) -> Any:
    """params: snapshot (digest), one, other (contestants on its default board)."""
    snapshot = snapshot_get(task.params["snapshot"])
    return pair_fragility(snapshot, task.params["one"], task.params["other"], task.tell)


def summary(fitted: Fitted | None) -> dict[str, Any] | None:
    if fitted is None:
        return None
    return {"digest": fitted.digest, "counted": fitted.counted, "engine": fitted.engine}
