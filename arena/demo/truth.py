"""What was planted in the demo's votes, measured as boards measure it.

A board of these votes has a right answer of its own. Each counted vote is replaced by its planted
probability p, as a win of weight p and a loss of weight 1 − p: what is fitted to that is what the
same battles would say if each were voted on without end. Controlled for all that was planted, the
fit gives back the planted strengths and effects exactly; the raw one shows where style carries
everybody, and the path between the two what each feature's share of it is (see ranking.path).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from django.core.cache import cache

from arena.demo.simulate import Floats, planted_odds
from arena.demo.world import GAMMA, planted_theta
from arena.integrity import files
from arena.integrity.models import Origin, Segment
from arena.leaderboard.models import Snapshot
from ranking import RankingSpec, Votes
from ranking.covariates import CONTROLS, pair_difference
from ranking.path import Attribution, control_path
from ranking.sealed import read_sealed
from ranking.snapshots import Exclusions, SegmentEntry

KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Truth:
    """worth: control -> log-odds per unit of its pair column, before any division by a scale.
    accounts: contestant -> its way from raw to controlled on votes without end, in points."""

    worth: Mapping[str, float]
    accounts: Mapping[str, Attribution]


def truth_of(snapshot: Snapshot) -> Truth:
    """What was planted in the simulated votes of a publication that has a controlled board."""
    key = f"demo-truth:{snapshot.digest}"
    found: Truth | None = cache.get(key)
    if found is None:
        found = truth_computed(snapshot)
        cache.set(key, found, KEPT_SECONDS)
    return found


def truth_computed(snapshot: Snapshot) -> Truth:
    content = snapshot.content
    entries = [SegmentEntry(**entry) for entry in content["segments"]]
    scales = planted_scales(content["exclusions"])
    spec = RankingSpec.from_dict(content["boards"]["controlled"]["spec"])
    votes = expected(simulated(entries, content["exclusions"]), scales)
    path = control_path(votes, replace(spec, cluster=False, anchor=None))
    return Truth(
        worth={
            name: gamma / scale for (name, gamma), scale in zip(GAMMA.items(), scales, strict=True)
        },
        accounts={account.contestant: account for account in path.attributions},
    )


def planted_scales(exclusions: Exclusions) -> Floats:
    """By what each column of GAMMA was divided: its root mean square over all simulated votes."""
    segments = Segment.objects.filter(origin=Origin.SIMULATED).order_by("id")
    entries = [SegmentEntry(each.sha256, each.link, each.rows, each.origin) for each in segments]
    columns = differences(simulated(entries, exclusions))
    return np.asarray(np.sqrt(np.mean(columns**2, axis=1)))


def simulated(entries: Sequence[SegmentEntry], exclusions: Exclusions) -> Votes:
    """The simulated votes among these that count."""
    wanted = [entry for entry in entries if entry.origin == Origin.SIMULATED]
    votes = Votes.from_arrow(read_sealed(wanted, exclusions, files.local).table)
    kept = np.ones(len(votes), bool) if votes.excluded is None else votes.excluded < 0
    return Votes(
        contestants=votes.contestants,
        a=votes.a[kept],
        b=votes.b[kept],
        outcome=votes.outcome[kept],
        features={name: (a[kept], b[kept]) for name, (a, b) in votes.features.items()},
    )


def differences(votes: Votes) -> Floats:
    """Pair columns of the controls in GAMMA, before scaling; shape (controls, votes)."""
    return np.stack([pair_difference(*votes.features[CONTROLS[name]]) for name in GAMMA])


def expected(votes: Votes, scales: Floats) -> Votes:
    """Each vote twice: won with the weight of its planted probability, lost with the rest."""
    theta = np.array([planted_theta()[name] for name in votes.contestants])
    odds = planted_odds(theta[votes.a] - theta[votes.b], differences(votes), scales)
    p = 1.0 / (1.0 + np.exp(-odds))
    won = np.repeat([True, False], len(votes))
    return Votes(
        contestants=votes.contestants,
        a=np.tile(votes.a, 2),
        b=np.tile(votes.b, 2),
        outcome=np.where(won, 0, 1).astype(np.int8),
        features={name: (np.tile(a, 2), np.tile(b, 2)) for name, (a, b) in votes.features.items()},
        weight=np.concatenate([p, 1.0 - p]),
    )
