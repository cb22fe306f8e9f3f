"""RankingSpec: every choice behind a leaderboard, frozen and hashable."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self, get_args

from ranking.covariates import CONTROLS, expand_controls
from ranking.errors import SpecError

Scales = tuple[tuple[str, float], ...]
Model = Literal["bradley_terry", "davidson", "rao_kupper", "four_outcome"]
Weighting = Literal["inverse_pair", "draw_probability"]

_REALS = ("confidence", "scale", "center", "prior_strengths", "prior_coefficients")


@dataclass(frozen=True, slots=True)
class RankingSpec:
    """What to fit and how to show it; the same spec and votes give the same numbers.

    likelihood: "bradley_terry" counts a tie as half a win for either; "davidson" and "rao_kupper"
        make it an outcome with a parameter; "four_outcome" does so for both bad as well, and so
        cannot drop it (see ranking.likelihoods).
    controls: style covariates in the model; groups such as "markdown" are expanded.
    complete_for: controls a vote must carry to be counted (None: those in `controls`), so that
        a raw fit can use exactly the votes of the controlled one.
    position: whether a free term for being shown first is in the model.
    both_bad: "half" counts such a vote as half a win for either, "drop" leaves it out.
    cluster: intervals clustered by voter; "auto" does so where voters are known.
    floor: the variance of contestants with few votes is at least the model's own.
    confidence: level of every interval and rank set, in (0, 1).
    scale, center: rating = center + scale/ln 10 · θ, θ of mean 0 over placed contestants.
    anchor: the contestant whose rating is `center` instead of the mean's.
    scales: root mean square of each control's column; None measures it on the counted votes,
        and the spec a Leaderboard carries holds what was measured.
    seed, draws: of the simulation behind the rank sets.
    weights: None counts every vote alike. "inverse_pair" weighs a vote by 1/max(n, pair_floor)
        with n the counted votes of its pair, "draw_probability" by 1/the probability with which
        its pair was drawn. Weights have mean 1 over the counted votes.
    pair_floor: the count below which "inverse_pair" sees no difference; 50 as the field does.
    half_life_days: a vote that much older than the newest counted one weighs half; None: all
        ages alike.
    prior_strengths, prior_coefficients: precisions (1/variance, natural-log units) of normal
        priors on the centred strengths, and on every style and position coefficient per unit of
        its scale; 0 for none. They enter the objective, the Hessian and the intervals alike.
        With a prior on strengths everybody is placed whom votes connect with the others.

    Raises SpecError when a value is unknown or out of range.
    """

    likelihood: Model = "bradley_terry"
    controls: tuple[str, ...] = ()
    complete_for: tuple[str, ...] | None = None
    position: bool = True
    both_bad: Literal["half", "drop"] = "half"
    cluster: Literal["auto"] | bool = "auto"
    floor: bool = True
    confidence: float = 0.95
    scale: float = 400.0
    center: float = 1000.0
    anchor: str | None = None
    scales: Scales | Mapping[str, float] | None = None
    seed: int = 0
    draws: int = 10_000
    weights: Weighting | None = None
    pair_floor: int = 50
    half_life_days: float | None = None
    prior_strengths: float = 0.0
    prior_coefficients: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "controls", expand_controls(_names("controls", self.controls)))
        if self.complete_for is not None:
            complete_for = expand_controls(_names("complete_for", self.complete_for))
            object.__setattr__(self, "complete_for", complete_for)
        if self.scales is not None:
            object.__setattr__(self, "scales", _checked_scales(self.scales, self.controls))
        _check(self)
        # 400 and 400.0 are the same choice and must have the same digest.
        for setting in (*_REALS, "half_life_days"):
            value = getattr(self, setting)
            object.__setattr__(self, setting, None if value is None else float(value))

    @property
    def required(self) -> tuple[str, ...]:
        """Controls a vote must carry to be counted."""
        extra = self.complete_for or ()
        return tuple(name for name in CONTROLS if name in self.controls or name in extra)

    @property
    def elo(self) -> float:
        """Rating points per unit of θ: scale/ln 10."""
        return self.scale / math.log(10.0)

    def scale_of(self, control: str) -> float | None:
        """The frozen root mean square of a control's column, None where it is to be measured."""
        return None if self.scales is None else dict(self.scales)[control]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form; `from_dict` reads it back to an equal spec."""
        data = asdict(self)
        data["controls"] = list(self.controls)
        data["complete_for"] = None if self.complete_for is None else list(self.complete_for)
        data["scales"] = None if self.scales is None else dict(self.scales)
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The spec of a JSON object; absent keys take their defaults.

        Raises SpecError for an unknown key or a value of the wrong kind.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise SpecError(f"unknown setting {unknown[0]!r}. Settings are {', '.join(known)}.")
        return cls(**data)

    def digest(self) -> str:
        """SHA-256 of the canonical JSON form, in hexadecimal."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def _names(setting: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, (tuple, list)):
        raise SpecError(f"{setting} must be a list of control names, not {value!r}.")
    return tuple(map(str, value))


def _checked_scales(
    scales: Scales | Mapping[str, float], controls: tuple[str, ...]
) -> tuple[tuple[str, float], ...]:
    try:
        given = {name: float(value) for name, value in dict(scales).items()}
    except (TypeError, ValueError) as error:
        raise SpecError(f"scales must map each control to a number, not {scales!r}.") from error
    if set(given) != set(controls):
        raise SpecError(
            f"scales must name exactly the controls ({', '.join(controls) or 'none'}), "
            f"not {', '.join(given) or 'none'}."
        )
    if not all(math.isfinite(value) and value >= 0 for value in given.values()):
        raise SpecError("scales must be finite and not negative.")
    return tuple((name, given[name]) for name in controls)


def _check(spec: RankingSpec) -> None:
    _one_of("likelihood", spec.likelihood, get_args(Model))
    _one_of("weights", spec.weights, (None, *get_args(Weighting)))
    _one_of("both_bad", spec.both_bad, ("half", "drop"))
    _one_of("cluster", spec.cluster, ("auto", True, False))
    _one_of("position", spec.position, (True, False))
    _one_of("floor", spec.floor, (True, False))
    if not 0.0 < _number("confidence", spec.confidence) < 1.0:
        raise SpecError(f"confidence must lie between 0 and 1, not {spec.confidence}.")
    if not _number("scale", spec.scale) > 0.0:
        raise SpecError(f"scale must be positive, not {spec.scale}.")
    _number("center", spec.center)
    _whole("seed", spec.seed, least=0)
    _whole("draws", spec.draws, least=100)
    _whole("pair_floor", spec.pair_floor, least=1)
    for prior in ("prior_strengths", "prior_coefficients"):
        if _number(prior, getattr(spec, prior)) < 0.0:
            raise SpecError(f"{prior} is a precision and cannot be negative.")
    if spec.half_life_days is not None and _number("half_life_days", spec.half_life_days) <= 0.0:
        raise SpecError(f"half_life_days must be positive, not {spec.half_life_days}.")
    if spec.likelihood == "four_outcome" and spec.both_bad == "drop":
        raise SpecError(
            'the likelihood "four_outcome" models votes that find both bad, so it cannot drop '
            'them. Use "rao_kupper" with both_bad="drop".'
        )
    if not (spec.anchor is None or isinstance(spec.anchor, str)):
        raise SpecError(f"anchor must be a contestant's name, not {spec.anchor!r}.")


def _one_of(setting: str, value: object, allowed: tuple[object, ...]) -> None:
    if not any(value is choice or (value == choice and value not in (0, 1)) for choice in allowed):
        raise SpecError(f"{setting} must be one of {', '.join(map(str, allowed))}, not {value!r}.")


def _number(setting: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise SpecError(f"{setting} must be a finite number, not {value!r}.")
    return float(value)


def _whole(setting: str, value: object, *, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SpecError(f"{setting} must be a whole number of at least {least}, not {value!r}.")
