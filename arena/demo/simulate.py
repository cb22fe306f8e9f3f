"""The demo's fortnight: recorded answers of the whole cast, and votes whose truth is known."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from arena.battles.tagging import own_tags, tags_of
from arena.demo.material import Material, load_materials
from arena.demo.render import Style, render
from arena.demo.world import (
    CLAIMED_SHARE,
    GAMMA,
    NATIVE_SINCE,
    POSITION,
    PUBLISHED_AT,
    REVISIONS,
    RIGGED,
    RIGGED_AT,
    SIBLING,
    STARTED_AT,
    VARIANT,
    Revision,
    planted_substance,
    planted_theta,
)
from arena.integrity.native import tag_column
from ranking.covariates import CONTROLS, METRICS, TIMINGS, pair_difference, style_metrics
from ranking.simulation import activity_shares, correlated_draws, drawn_outcomes
from ranking.votes import OUTCOMES, SIDES

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
# Metric -> that of the left answers and of the right ones, (n,) each.
Features = dict[str, tuple[Floats, Floats]]

SEED = 171
VOTES, VOTERS, RIGGERS, RIGGED_VOTES = 30_000, 2_000, 4, 212
# Of a contestant's log length over prompts, before lengths are held within their limits.
JITTER_SD = 0.45
TIE_FACTOR, BOTH_BAD_SHARE = 0.6, 0.25
CORRELATION = 0.3
# Seconds to the first token and tokens per second: medians, then the standard deviations of their
# logarithms between contestants and within each.
FIRST_TOKEN, FIRST_TOKEN_BETWEEN, FIRST_TOKEN_WITHIN = 0.7, 0.2, 0.45
RATE, RATE_BETWEEN, RATE_WITHIN = 60.0, 0.35, 0.2
RIGGING_RULE = "rigging"
_NAMES = tuple(revision.name for revision in REVISIONS)


@dataclass(frozen=True, slots=True)
class World:
    """Everything the demo is seeded with.

    revisions: the cast, best planted substance first (its contestants are in arena.demo.world).
    answers: (revision, prompt slug) -> Markdown, one recorded answer each.
    votes: the vote table (columns as ranking.io reads them), in order of time; those before
        PUBLISHED_AT[0] are the first publication's. model_a is the left side and shown first.
    prompts: slug of each vote's prompt, in the table's order.
    truth: what was planted, JSON-able: theta and rank per revision, gamma on columns divided by
        `scales`, position, the riggers' voter labels, and the constants of the simulation.
    """

    seed: int
    revisions: tuple[Revision, ...]
    materials: tuple[Material, ...]
    answers: Mapping[tuple[str, str], str]
    votes: pa.Table
    prompts: tuple[str, ...]
    truth: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Battles:
    """n battles: revisions left and right, prompt, voter, seconds since the start, in order."""

    a: Ints
    b: Ints
    prompt: Ints
    voter: Ints
    second: Floats
    rigged: Bools

    @property
    def native(self) -> Bools:
        return self.second >= _second(NATIVE_SINCE)


def simulate(seed: int = SEED, votes: int = VOTES) -> World:
    """The demo world of one seed; the same seed gives the same bytes."""
    rng = np.random.default_rng(seed)
    materials = load_materials()
    answers = _answers(materials, seed, rng)
    metrics = _metrics(answers, materials)
    battles = _rigged(_battles(rng, votes, len(materials)), rng)
    features = _features(metrics, battles) | _timings(seed, metrics, battles)
    differences = _differences(features, battles)
    scales = np.sqrt(np.mean(differences[:, ~battles.rigged] ** 2, axis=1))
    outcome = _outcomes(rng, battles, differences, scales)
    voters = [_voter_label(seed, number) for number in range(VOTERS)]
    return World(
        seed=seed,
        revisions=REVISIONS,
        materials=materials,
        answers=answers,
        votes=_table(seed, battles, features, outcome, voters, materials),
        prompts=tuple(materials[place].slug for place in battles.prompt.tolist()),
        truth=_truth(seed, scales, voters),
    )


# Answers


def _answers(
    materials: Sequence[Material], seed: int, rng: np.random.Generator
) -> dict[tuple[str, str], str]:
    substance = planted_substance()
    jitter = rng.normal(0.0, JITTER_SD, (len(REVISIONS), len(materials))).tolist()
    answers: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    for row, revision in enumerate(REVISIONS):
        for column, material in enumerate(materials):
            style = replace(revision.style, length=revision.style.length + jitter[row][column])
            first = (seed * len(REVISIONS) + row) * len(materials) + column
            text = _answer(material, style, substance[revision.name], first, taken)
            answers[revision.name, material.slug] = text
            taken.add(text)
    return answers


def _answer(material: Material, style: Style, substance: float, seed: int, taken: set[str]) -> str:
    """An answer that no other contestant gives. Where the target allows only few texts (an
    opening and nothing else), it is raised until there is one more."""
    for attempt in count():
        longer = replace(style, length=style.length + 0.1 * attempt)
        text = render(material, longer, substance, seed + attempt * 1_000_003)
        if text not in taken:
            return text
    raise AssertionError("longer answers never run out")


def _metrics(answers: Mapping[tuple[str, str], str], materials: Sequence[Material]) -> Floats:
    """Style metrics of the recorded answers, shape (metrics, revisions, prompts)."""
    counts = [
        [astuple(style_metrics(answers[name, material.slug])) for material in materials]
        for name in _NAMES
    ]
    return np.array(counts, dtype=np.float64).transpose(2, 0, 1)


# Battles


def _battles(rng: np.random.Generator, votes: int, prompts: int) -> _Battles:
    second = _seconds(rng, votes)
    a, b = _pairs(rng, second)
    return _Battles(
        a=a,
        b=b,
        prompt=rng.integers(prompts, size=votes),
        voter=_voters(rng, votes),
        second=second,
        rigged=np.zeros(votes, dtype=np.bool_),
    )


def _seconds(rng: np.random.Generator, votes: int) -> Floats:
    """Sorted times over both weeks; busiest at 20:00 UTC, quietest at 08:00."""
    hours = int(_second(PUBLISHED_AT[-1])) // 3600
    of_day = (np.arange(hours) + STARTED_AT.hour) % 24
    busy = 1.0 + 0.7 * np.cos((of_day - 20) * math.tau / 24)
    hour = rng.choice(hours, size=votes, p=busy / busy.sum())
    return np.sort((hour + rng.random(votes)) * 3600.0)


def _pairs(rng: np.random.Generator, second: Floats) -> tuple[Ints, Ints]:
    """Ordered pairs, uniform over those on the roster at the time (the order is the coin)."""
    rosters = _rosters()
    week = (second >= _second(PUBLISHED_AT[0])).astype(np.int64)
    size = rosters.shape[1]
    first = rng.integers(size, size=second.size)
    other = rng.integers(size - 1, size=second.size)
    other += other >= first
    return rosters[week, first], rosters[week, other]


def _rosters() -> Ints:
    """Revisions that are drawn in each week, shape (2, revisions − 1)."""
    absent = (SIBLING, VARIANT)
    return np.array(
        [[row for row, name in enumerate(_NAMES) if name != gone] for gone in absent],
        dtype=np.int64,
    )


def _second(moment: datetime) -> float:
    return (moment - STARTED_AT).total_seconds()


def _voters(rng: np.random.Generator, votes: int) -> Ints:
    """Honest voters, numbered after the riggers: everybody votes, few vote much."""
    honest = np.arange(RIGGERS, VOTERS)
    activity = activity_shares(rng, honest.size)
    once = honest[:votes]
    more = rng.choice(honest, size=votes - once.size, p=activity)
    return rng.permutation(np.concatenate([once, more]))


def _rigged(battles: _Battles, rng: np.random.Generator) -> _Battles:
    """Some votes of one night handed to voters who only vote where RIGGED takes part."""
    start, end = map(_second, RIGGED_AT)
    window = np.flatnonzero((battles.second >= start) & (battles.second < end))
    rows = rng.choice(window, size=min(RIGGED_VOTES, window.size // 4), replace=False)
    target = _NAMES.index(RIGGED)
    a, b = battles.a.copy(), battles.b.copy()
    voter, rigged = battles.voter.copy(), battles.rigged.copy()
    left = rng.random(rows.size) < 0.5
    other = np.where(a[rows] == target, b[rows], a[rows])
    a[rows], b[rows] = np.where(left, target, other), np.where(left, other, target)
    voter[rows] = rng.integers(RIGGERS, size=rows.size)
    rigged[rows] = True
    return replace(battles, a=a, b=b, voter=voter, rigged=rigged)


# Features of both answers


def _features(metrics: Floats, battles: _Battles) -> Features:
    return {
        name: (metric[battles.a, battles.prompt], metric[battles.b, battles.prompt])
        for name, metric in zip(METRICS, metrics, strict=True)
    }


def _timings(seed: int, metrics: Floats, battles: _Battles) -> Features:
    """Seconds until each answer began and until it ended, anew in each battle.

    They have a generator of their own, and so leave all else as it would be without them.
    """
    rng = np.random.default_rng([seed, 1])
    begins = FIRST_TOKEN * np.exp(rng.normal(0.0, FIRST_TOKEN_BETWEEN, len(REVISIONS)))
    rate = RATE * np.exp(rng.normal(0.0, RATE_BETWEEN, len(REVISIONS)))
    tokens = metrics[METRICS.index("tokens")]
    first, duration = [], []
    for side in (battles.a, battles.b):
        n = side.size
        first.append(begins[side] * np.exp(rng.normal(0.0, FIRST_TOKEN_WITHIN, n)))
        writes = rate[side] * np.exp(rng.normal(0.0, RATE_WITHIN, n))
        duration.append(first[-1] + tokens[side, battles.prompt] / writes)
    return {"first_token": (first[0], first[1]), "duration": (duration[0], duration[1])}


# Outcomes


def _differences(features: Features, battles: _Battles) -> Floats:
    """Pair columns of the controls in GAMMA, before scaling; shape (controls, votes).

    Speed differs only where it was shown.
    """
    columns = []
    for metric in (CONTROLS[control] for control in GAMMA):
        column = pair_difference(*features[metric])
        columns.append(column * battles.native if metric in TIMINGS else column)
    return np.stack(columns)


def planted_odds(lead: Floats, differences: Floats, scales: Floats) -> Floats:
    """(n,) log-odds that the left answer is preferred.

    lead: θ of left − θ of right. differences: a row per control of GAMMA, in its order; scales: by
    what each is divided.
    """
    gamma = np.array(list(GAMMA.values()))
    return np.asarray(lead + gamma @ (differences / scales[:, None]) + POSITION)


def _outcomes(
    rng: np.random.Generator, battles: _Battles, differences: Floats, scales: Floats
) -> Ints:
    """Index into OUTCOMES per vote.

    A tie takes equally from both sides, so that a win and half a tie together keep the
    probability p of the Bradley-Terry model, and the planted values are what a fit estimates.
    """
    theta = np.array(list(planted_theta().values()))
    odds = planted_odds(theta[battles.a] - theta[battles.b], differences, scales)
    p = 1.0 / (1.0 + np.exp(-odds))
    longer = differences[list(GAMMA).index("length")]
    draw = correlated_draws(rng, battles.voter, VOTERS, longer, CORRELATION)
    outcome = drawn_outcomes(rng, p, draw, TIE_FACTOR, BOTH_BAD_SHARE)
    target = _NAMES.index(RIGGED)
    return np.where(battles.rigged, np.where(battles.a == target, 0, 1), outcome)


# The vote table and the truth


def _voter_label(seed: int, number: int) -> str:
    return hashlib.blake2b(f"demo:{seed}:{number}".encode(), digest_size=8).hexdigest()


def _table(
    seed: int,
    battles: _Battles,
    features: Features,
    outcome: Ints,
    voters: Sequence[str],
    materials: Sequence[Material],
) -> pa.Table:
    n = outcome.size
    roster = len(REVISIONS) - 1
    columns = {
        f"{name}_{side}": pa.array(column)
        for name, sides in features.items()
        for side, column in zip("ab", sides, strict=True)
    }
    return pa.table(
        {
            "id": [f"demo-{number:05d}" for number in range(1, n + 1)],
            "model_a": _coded(battles.a, _NAMES),
            "model_b": _coded(battles.b, _NAMES),
            "winner": _coded(outcome, OUTCOMES),
            "voter": _coded(battles.voter, voters).cast(pa.string()),
            "shown_first": _coded(np.zeros(n, dtype=np.int64), SIDES),
            **columns,
            "draw_probability": np.full(n, 2.0 / (roster * (roster - 1))),
            "pacing": pa.array(np.where(battles.native, "native", "equal")),
            "timestamp": _timestamps(battles.second),
            **_prompt_columns(battles.prompt, materials),
            "flags": _claims(seed, n),
            "excluded": pa.array([RIGGING_RULE if one else None for one in battles.rigged]),
        }
    )


def _coded(codes: Ints, labels: Sequence[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(codes.astype(np.int32), list(labels))


def _timestamps(second: Floats) -> pa.Array:
    start = int(STARTED_AT.timestamp()) * 1_000_000
    microseconds = start + (second * 1e6).astype(np.int64)
    return pa.array(microseconds, pa.timestamp("us", tz="UTC"))


def _claims(seed: int, n: int) -> pa.Array:
    """Flags of the answers that claim an identity, which some do in every arena."""
    rng = np.random.default_rng([seed, 2])
    claimed, left = rng.random(n) < CLAIMED_SHARE, rng.random(n) < 0.5
    flags = pa.array(np.where(left, "identity_a", "identity_b"))
    return pc.if_else(pa.array(claimed), flags, None)


def _prompt_columns(prompt: Ints, materials: Sequence[Material]) -> dict[str, pa.Array]:
    return {
        "language": _coded(prompt, [material.language for material in materials]).cast(pa.string()),
        "prompt_id": _coded(prompt, [material.slug for material in materials]).cast(pa.string()),
        **_tags(prompt, materials),
    }


def _tags(prompt: Ints, materials: Sequence[Material]) -> dict[str, pa.Array]:
    """The columns that votes on recorded prompts have, as far as any of these has the tag."""
    tags = [tags_of(material.prompt) | own_tags(material.category) for material in materials]
    found = sorted({name for each in tags for name, has in each.items() if has})
    return {
        tag_column(name): pa.array([each.get(name) for each in tags], pa.bool_()).take(prompt)
        for name in found
    }


def _truth(seed: int, scales: Floats, voters: Sequence[str]) -> dict[str, Any]:
    return {
        "seed": seed,
        "theta": planted_theta(),
        "rank": {name: place for place, name in enumerate(_NAMES, start=1)},
        "gamma": dict(GAMMA),
        "scales": dict(zip(GAMMA, scales.tolist(), strict=True)),
        "position": POSITION,
        "tie_factor": TIE_FACTOR,
        "both_bad_share": BOTH_BAD_SHARE,
        "correlation": CORRELATION,
        "variant": VARIANT,
        "sibling": SIBLING,
        "rigged": RIGGED,
        "riggers": list(voters[:RIGGERS]),
        "publications": [moment.isoformat() for moment in PUBLISHED_AT],
    }
