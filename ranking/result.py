"""What a fit returns: frozen, complete, and the same bytes for the same spec and votes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ranking.spec import RankingSpec


@dataclass(frozen=True, slots=True)
class Standing:
    """One placed contestant.

    rating, se, rating_lower, rating_upper: rating points; the interval is marginal, of the
        contrast with the mean of placed contestants (with the floor: of those that are not of
        few votes), and does not depend on the gauge.
    se_unclustered: standard error with every vote on its own (HC0); equals `se` unless clustered.
    rank: 1 + number of contestants rated strictly higher.
    rank_lower, rank_upper: best and worst rank of the simultaneous rank set; None where the
        voters are too few to give one.
    votes: counted votes it took part in. theta: natural-log strength, mean 0 over the placed.
    """

    contestant: str
    rating: float
    se: float
    rating_lower: float
    rating_upper: float
    rank: int
    rank_lower: int | None
    rank_upper: int | None
    votes: int
    theta: float
    se_unclustered: float


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A contestant the votes do not place, and why.

    reason: "undefeated" (never lost or tied), "winless" (never won or tied), "above" or "below"
        (its group of `group` contestants only ever beat, or lost to, the main group, directly or
        through others), "separate_group" (votes do not lead from the main group to it both ways
        or at all) or "no_votes".
    bound: one-sided bound in rating points from the likelihood's profile, at least which
        ("undefeated", "above") or at most which ("winless", "below") the rating is; None where
        the votes against the main group give none.
    """

    contestant: str
    votes: int
    reason: str
    wins: int
    losses: int
    ties: int
    group: int
    bound: float | None

    @property
    def is_lower_bound(self) -> bool:
        """Whether `bound` says "at least"; otherwise it says "at most"."""
        return self.reason in ("undefeated", "above")


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A covariate's effect on the log-odds.

    value, se, lower, upper: per one `scale`, the root mean square of its column (1 for the
        position term, whose column is +1 or −1). elo: `value` in rating points, what one typical
        difference is worth.
    """

    name: str
    value: float
    se: float
    lower: float
    upper: float
    scale: float
    elo: float


@dataclass(frozen=True, slots=True)
class Counts:
    """Where the votes went: read is the sum of all the others.

    excluded: votes per exclusion rule, by rule. missing: without a required control.
    both_bad: dropped as such by the spec. unplaced: not between two placed contestants.
    unweighted: without the draw probability or the time that the spec's weights need.
    """

    read: int
    excluded: tuple[tuple[str, int], ...]
    missing: int
    both_bad: int
    unplaced: int
    counted: int
    unweighted: int = 0

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form, `excluded` as an object."""
        return {**asdict(self), "excluded": dict(self.excluded)}


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """A fitted ranking.

    standings are in order of rank. clusters is the number of voters (a vote by an unknown voter
    counts as one), effective_voters is G* = n²/Σ n_g²; both None when not clustered.
    converged, iterations, gradient_norm, step, certificate: Newton's last evaluation; step bounds
    the last change of any vote's log-odds (< 1e-9) and certificate is R·λ/√μ (<= 1/2).
    log_likelihood is that of the counted votes (weighted, without the prior). tie: the tie
    parameter where the likelihood has one, ln ν (davidson) or the threshold c = ln ϑ, whose `elo`
    is the lead at which an outright win has even odds (rao_kupper). level: with four outcomes,
    the mean strength above the ground that answers must beat not to be bad. spec carries the
    measured `scales`.
    """

    spec: RankingSpec
    standings: tuple[Standing, ...]
    unplaced: tuple[Unplaced, ...]
    coefficients: tuple[Coefficient, ...]
    position: Coefficient | None
    counts: Counts
    clusters: int | None
    effective_voters: float | None
    converged: bool
    iterations: int
    gradient_norm: float
    step: float
    certificate: float
    log_likelihood: float
    warnings: tuple[str, ...]
    tie: Coefficient | None = None
    level: Coefficient | None = None

    @property
    def clustered(self) -> bool:
        """Whether the intervals are clustered by voter."""
        return self.clusters is not None

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form with a fixed order of keys."""
        data = asdict(self)
        data["spec"] = self.spec.to_dict()
        data["spec_digest"] = self.spec.digest()
        data["counts"] = self.counts.to_dict()
        data["clustered"] = self.clustered
        return data


@dataclass(frozen=True, slots=True)
class Movement:
    """How far control of style moves a contestant.

    ranks: raw rank − controlled rank (positive is up). rating, se, lower, upper: controlled −
    raw in rating points against the mean of placed contestants, with the interval of two fits to
    the same votes.
    """

    contestant: str
    ranks: int
    rating: float
    se: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class StyleMovement:
    """The raw and the controlled board on the same votes; movements in the controlled order."""

    raw: Leaderboard
    controlled: Leaderboard
    movements: tuple[Movement, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form of all three."""
        return {
            "raw": self.raw.to_dict(),
            "controlled": self.controlled.to_dict(),
            "movements": [asdict(movement) for movement in self.movements],
        }
