"""Votes with a planted truth: to try the command line on, and to see what a fit recovers.

The model (`simulate`). M contestants have strengths θ, normal quantiles of mean 0 and standard
deviation `spread`, the best first. Every vote draws a pair and its order evenly. A metric f of an
answer is ⌊exp(m_f + h_if + e)⌋, with m_f the metric's usual logarithm, h_if ~ N(0, .5²) the habit
of contestant i and e ~ N(0, .35²) of the one answer. With x the pair columns of the controls
(ranking.covariates), each divided by its root mean square over all votes,

    p = P(a preferred) = σ(θ_a − θ_b + x·γ + β·position),

and a tie has the probability κ p(1 − p), taken equally from either side, so that a win and half a
tie together keep p and a Bradley-Terry fit estimates what was planted. A share of ties finds both
answers bad. Voters have Pareto(1.1) activity, none more than about 1 % of the votes. Seen from the
longer answer's side, the normal scores of any two votes of a voter have correlation ρ: voters
differ in their taste for length. Each vote keeps its own p (a Gaussian copula), where a random
effect on the logit would shrink what is estimated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import special

from ranking.arrays import FloatArray, IndexArray, SmallIntArray
from ranking.covariates import CONTROLS, METRICS, pair_difference
from ranking.errors import SpecError
from ranking.votes import A_WINS, B_WINS, BOTH_BAD, OUTCOMES, SIDES, TIE

STYLE = {"length": 0.35, "headers": 0.15, "lists": 0.12, "bold": 0.2, "emoji": 0.1}
"""What one typical difference is worth on the log-odds, unless something else is asked for."""

_USUAL = {"tokens": 6.0, "headers": 1.2, "lists": 2.0, "bold": 2.0, "code": 0.7, "emoji": 0.7}
_BETWEEN_SD, _WITHIN_SD = 0.5, 0.35
_ACTIVITY_TAIL, _ACTIVITY_CAP = 1.1, 0.01
_STARTED, _DAY = 1_767_225_600.0, 86_400.0
_DAYS = 28


@dataclass(frozen=True, slots=True)
class SimulationSpec:
    """What to simulate; the same spec gives the same votes.

    style: control -> γ per root mean square of its column; their metrics are in the votes. ties:
    κ, in [0, 2]. both_bad: share of ties, in [0, 1]. correlation: ρ, in [0, 1). spread: standard
    deviation of θ. Raises SpecError for values out of range.
    """

    contestants: int = 40
    votes: int = 30_000
    voters: int = 2_000
    seed: int = 0
    style: Mapping[str, float] = field(default_factory=lambda: dict(STYLE))
    position: float = 0.1
    ties: float = 0.6
    both_bad: float = 0.25
    correlation: float = 0.3
    spread: float = 0.35

    def __post_init__(self) -> None:
        for name, least in (("contestants", 2), ("votes", 1), ("voters", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise SpecError(f"{name} must be at least {least}, not {getattr(self, name)}.")
        _check_style(self.style)
        most = {"ties": 2.0, "both_bad": 1.0, "correlation": 0.99, "spread": 5.0}
        for name, high in most.items():
            if not 0.0 <= getattr(self, name) <= high:
                value = getattr(self, name)
                raise SpecError(f"{name} must lie between 0 and {high:g}, not {value}.")
        if not abs(self.position) <= 5.0:
            raise SpecError(f"position must lie between -5 and 5, not {self.position}.")


def _check_style(style: Mapping[str, float]) -> None:
    for name, value in style.items():
        if CONTROLS.get(name) not in METRICS:
            known = ", ".join(control for control in CONTROLS if CONTROLS[control] in METRICS)
            raise SpecError(f"style {name!r} cannot be simulated. Known are {known}.")
        if not abs(value) <= 5.0:
            raise SpecError(f"the effect of {name} must lie between -5 and 5, not {value}.")


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """Simulated votes as a vote table (ranking.tables), and what was planted.

    theta: name -> θ, the best first. scales: control -> root mean square of its column, by which
    γ is measured; a fit to all the votes measures the same.
    """

    spec: SimulationSpec
    votes: pa.Table
    theta: Mapping[str, float]
    scales: Mapping[str, float]

    def truth(self) -> dict[str, Any]:
        """JSON-able form of what was planted, without the votes."""
        return {
            "spec": asdict(self.spec) | {"style": dict(self.spec.style)},
            "theta": dict(self.theta),
            "gamma": dict(self.spec.style),
            "scales": dict(self.scales),
            "position": self.spec.position,
        }


def simulate(spec: SimulationSpec | None = None) -> Simulation:
    """Votes drawn from the model above, in order of time."""
    spec = spec or SimulationSpec()
    rng = np.random.default_rng(spec.seed)
    theta = normal_quantiles(spec.contestants, spec.spread)
    battles = _battles(rng, spec)
    x = {name: pair_difference(*battles.features[CONTROLS[name]]) for name in spec.style}
    scales = {name: math.sqrt(float(np.square(column).mean())) or 1.0 for name, column in x.items()}
    lead = theta[battles.a] - theta[battles.b] + spec.position * battles.shown
    for name, column in x.items():
        lead += spec.style[name] / scales[name] * column
    longer = x.get("length", (battles.b - battles.a).astype(np.float64))
    draw = correlated_draws(rng, battles.voter, spec.voters, longer, spec.correlation)
    outcome = drawn_outcomes(rng, special.expit(lead), draw, spec.ties, spec.both_bad)
    names = _names(spec.contestants)
    return Simulation(
        spec=spec,
        votes=_table(spec, names, battles, outcome),
        theta=dict(zip(names, theta.tolist(), strict=True)),
        scales=scales,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Battles:
    """Who met in n battles, before anybody votes: (n,) each; shown is +1 where a was first."""

    a: IndexArray
    b: IndexArray
    shown: SmallIntArray
    voter: IndexArray
    second: FloatArray
    features: dict[str, tuple[FloatArray, FloatArray]]


def _battles(rng: np.random.Generator, spec: SimulationSpec) -> _Battles:
    a = rng.integers(0, spec.contestants, spec.votes)
    b = (a + rng.integers(1, spec.contestants, spec.votes)) % spec.contestants
    return _Battles(
        a=a,
        b=b,
        shown=rng.choice(np.array([-1, 1], dtype=np.int8), spec.votes),
        voter=rng.choice(spec.voters, spec.votes, p=activity_shares(rng, spec.voters)),
        second=np.sort(rng.random(spec.votes)) * _DAYS * _DAY + _STARTED,
        features=_features(rng, spec, a, b),
    )


def normal_quantiles(count: int, spread: float) -> FloatArray:
    """(count,) falling normal quantiles of mean 0 and standard deviation `spread`."""
    quantiles = special.ndtri((np.arange(count)[::-1] + 0.5) / count)
    return np.asarray(spread * quantiles / quantiles.std())


def activity_shares(rng: np.random.Generator, voters: int) -> FloatArray:
    """(voters,) shares of the votes: Pareto(1.1), cut at 1 % where there are voters enough."""
    activity = (1.0 - rng.random(voters)) ** (-1.0 / _ACTIVITY_TAIL)
    for _ in range(50):  # Cutting lowers the total and with it the cut.
        activity = np.minimum(activity, max(_ACTIVITY_CAP, 1.0 / voters) * activity.sum())
    return np.asarray(activity / activity.sum())


def correlated_draws(
    rng: np.random.Generator,
    voter: IndexArray,
    voters: int,
    longer: FloatArray,
    correlation: float,
) -> FloatArray:
    """(n,) uniform draws, below p where a is preferred; correlated within a voter.

    longer: (n,) not negative where a's answer is the longer one. Each vote alone is uniform.
    """
    taste = rng.standard_normal(voters)[voter] * np.where(longer >= 0, 1.0, -1.0)
    own = rng.standard_normal(voter.size)
    score = math.sqrt(correlation) * taste + math.sqrt(1.0 - correlation) * own
    return np.asarray(special.ndtr(score))


def drawn_outcomes(
    rng: np.random.Generator, p: FloatArray, draw: FloatArray, ties: float, both_bad: float
) -> SmallIntArray:
    """(n,) index into OUTCOMES: a where the draw is below p, but for a tie around p itself."""
    tie = ties * p * (1.0 - p)
    undecided = np.where(rng.random(p.size) < both_bad, BOTH_BAD, TIE)
    decided = np.where(draw < p, A_WINS, B_WINS)
    return np.where(np.abs(draw - p) < 0.5 * tie, undecided, decided).astype(np.int8)


def _features(
    rng: np.random.Generator, spec: SimulationSpec, a: IndexArray, b: IndexArray
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Metrics of the controls that have an effect, of a's and of b's answers."""
    features = {}
    for metric in (CONTROLS[name] for name in CONTROLS if name in spec.style):
        habit = _USUAL[metric] + rng.normal(0.0, _BETWEEN_SD, spec.contestants)
        one, other = (
            np.floor(np.exp(habit[side] + rng.normal(0.0, _WITHIN_SD, side.size)))
            for side in (a, b)
        )
        features[metric] = one, other
    return features


def _names(count: int) -> list[str]:
    """Names in order of strength, which sort so as well."""
    digits = len(str(count))
    return [f"contestant {place:0{digits}}" for place in range(1, count + 1)]


def _table(
    spec: SimulationSpec, names: list[str], battles: _Battles, outcome: SmallIntArray
) -> pa.Table:
    digits = len(str(spec.votes))
    voters = [f"voter {number}" for number in range(1, spec.voters + 1)]
    columns = {
        "id": pa.array([f"sim-{number:0{digits}}" for number in range(1, spec.votes + 1)]),
        "model_a": _coded(battles.a, names),
        "model_b": _coded(battles.b, names),
        "winner": _coded(outcome, OUTCOMES),
        "voter": _coded(battles.voter, voters).cast(pa.string()),
        "shown_first": _coded(battles.shown < 0, SIDES),
    }
    for metric, sides in battles.features.items():
        for side, column in zip("ab", sides, strict=True):
            columns[f"{metric}_{side}"] = pa.array(column)
    pairs = spec.contestants * (spec.contestants - 1) / 2
    columns["draw_probability"] = pa.array(np.full(spec.votes, 1.0 / pairs))
    microseconds = (battles.second * 1e6).astype(np.int64)
    columns["timestamp"] = pa.array(microseconds, pa.timestamp("us", tz="UTC"))
    return pa.table(columns)


def _coded(codes: npt.NDArray[Any], labels: Sequence[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(codes.astype(np.int32), list(labels))
