"""What would turn the order of two contestants, worked out from the votes of a publication."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from arena.leaderboard.models import Snapshot
from arena.leaderboard.selectors import board_name, board_state
from ranking.analysis import fragility_document
from ranking.contrasts import contrasts_of
from ranking.influence import Questioned, Unit, fragility_of
from ranking.rigging import Strategy, rigging_of

STRATEGIES: tuple[Strategy, ...] = ("target_only", "omnipresent")

Report = Callable[[str, float], None]


def pair_fragility(snapshot: Snapshot, one: str, other: str, tell: Report) -> dict[str, Any]:
    """Of two contestants on the default board: their difference, the votes and the voters without
    which the other leads, and the dishonest votes that would lift the lower one as far as the
    upper one stands.

    tell: hears what is being done, and the share done. Raises SegmentMissing and what `ranking`
    raises, as for contestants that are not placed or level.
    """
    tell("Fitting all votes", 0.0)
    state = board_state(snapshot, board_name(snapshot, ""))
    questioned = Questioned.of(state.votes, state.spec)
    contrasts = contrasts_of(questioned.fitted)
    rank = {standing.contestant: standing.rank for standing in contrasts.board.standings}
    upper, lower = sorted((one, other), key=lambda name: rank.get(name, 0))
    difference = contrasts.of(upper, lower)
    units: tuple[Unit, ...] = ("vote", "voter") if contrasts.board.clustered else ("vote",)
    pairs: list[dict[str, Any]] = []
    for unit in units:
        tell("Looking for the fewest votes that hold the order", 0.2 + 0.2 * len(pairs))
        found = fragility_of(questioned, [(upper, lower)], unit)
        pairs += [fragility_document(questioned.votes, entry) for entry in found]
    rigging: list[dict[str, Any]] = []
    for strategy in STRATEGIES:
        tell("Counting the votes that would rig the order", 0.6 + 0.2 * len(rigging))
        cost = rigging_of(questioned, lower, rank[lower] - rank[upper], strategy)
        rigging.append(cost.to_dict())
    return {"difference": asdict(difference), "pairs": pairs, "rigging": rigging}
