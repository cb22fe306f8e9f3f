"""Arenas whose truth is known, for coverage.py: contestants, recorded answers, voters, votes.

Every contestant has a few recorded answers, and a battle is a pair, a prompt and a coin for the
sides. All battles that can happen are therefore a finite list, and what a fit finds in the long
run, a misspecified one too, is the fit to that list with every battle weighted by its chance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from ranking import RankingSpec, Votes
from ranking.covariates import CONTROLS, pair_difference
from ranking.spec import Model

Array = np.ndarray[Any, Any]

# On the log-odds, per typical difference (a root mean square of the pair column).
GAMMA = {"length": 0.35, "bold": 0.2}
POSITION = 0.1
STRENGTH_SD = 0.35
LOG_LEVEL = {"length": 6.0, "bold": 2.0}
BETWEEN_SD, WITHIN_SD = 0.5, 0.45
ACTIVITY_TAIL = 1.1
# The tie parameter of each likelihood: the factor of p(1 − p), ln ν, c, c.
TIE = {"bradley_terry": 0.6, "davidson": -0.9, "rao_kupper": 0.35, "four_outcome": 0.5}
LEVEL = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """M contestants with P answers each, and what decides between them.

    theta: (M,) strengths of mean 0. answers: control -> (M, P) counts. scales: root mean square
    of each control's column over all battles. first, second, chance: (pairs,) the unordered pairs
    and how often each is drawn. likelihood: of the outcomes; under "bradley_terry" a tie takes
    equally from both sides, so that a win and half a tie keep the model's probability.
    """

    theta: Array
    answers: dict[str, Array]
    scales: dict[str, float]
    first: Array
    second: Array
    chance: Array
    likelihood: Model = "bradley_terry"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"m{i:03}" for i in range(self.theta.size))

    @property
    def planted(self) -> dict[str, float]:
        """Name -> θ."""
        return dict(zip(self.names, self.theta.tolist(), strict=True))

    @property
    def prompts(self) -> int:
        return next(iter(self.answers.values())).shape[1] if self.answers else 1

    @property
    def spec(self) -> RankingSpec:
        """The right model, its scales frozen so that planted and estimated units are the same."""
        return RankingSpec(
            likelihood=self.likelihood, controls=tuple(self.answers), scales=self.scales
        )

    def between(self, pairs: Array) -> World:
        """The same world in which only some of the pairs, a mask, are drawn."""
        chance = np.where(pairs, self.chance, 0.0)
        return replace(self, chance=chance / chance.sum())

    def columns(self, a: Array, b: Array, prompt: Array) -> Array:
        """(controls, n) scaled pair columns of battles."""
        rows = [
            pair_difference(answer[a, prompt], answer[b, prompt]) / self.scales[control]
            for control, answer in self.answers.items()
        ]
        return np.reshape(rows, (len(rows), a.size))

    def lead(self, a: Array, b: Array, x: Array) -> Array:
        """(n,) η_a − η_b of battles in which a is shown first."""
        gamma = np.array([GAMMA[control] for control in self.answers])
        return np.asarray(self.theta[a] - self.theta[b] + gamma @ x + POSITION)

    def features(self, a: Array, b: Array, prompt: Array) -> dict[str, tuple[Array, Array]]:
        return {
            CONTROLS[control]: (answer[a, prompt], answer[b, prompt])
            for control, answer in self.answers.items()
        }


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who votes.

    voters: of Pareto(1.1) activity, none expected to cast more than the share `cap` of the votes.
    taste, habit: shares of a vote's normal score that are the voter's own taste for the two
    contestants, and for the longer answer; the rest is that vote's. Two votes of a voter on the
    same pair correlate by `taste`, on one common contestant by half of it, any two by ± `habit`.
    A vote alone is uniform all the same (Gaussian copula): its probability stays the world's.
    """

    voters: int
    cap: float = 0.01
    taste: float = 0.0
    habit: float = 0.0


def make_world(
    rng: np.random.Generator,
    theta: Array,
    *,
    exposure: Array | None = None,
    prompts: int = 12,
    controls: tuple[str, ...] = tuple(GAMMA),
    likelihood: Model = "bradley_terry",
) -> World:
    """A world with new answers. exposure: (M,) how often each contestant is drawn, relative."""
    m = theta.size
    exposure = rng.uniform(0.5, 2.0, m) if exposure is None else exposure
    first, second = np.triu_indices(m, 1)
    chance = exposure[first] * exposure[second]
    habit = rng.normal(0.0, BETWEEN_SD, (len(controls), m, 1))
    log = habit + rng.normal(0.0, WITHIN_SD, (len(controls), m, prompts))
    answers = {
        control: np.floor(np.exp(LOG_LEVEL[control] + log[k])) for k, control in enumerate(controls)
    }
    bare = World(
        theta=theta - theta.mean(),
        answers=answers,
        scales=dict.fromkeys(controls, 1.0),
        first=first,
        second=second,
        chance=chance / chance.sum(),
        likelihood=likelihood,
    )
    return _scaled(bare)


def _scaled(world: World) -> World:
    a, b, prompt, chance = _battles(world)
    size = np.sqrt(np.square(world.columns(a, b, prompt)) @ chance)
    scales = dict(zip(world.answers, size.tolist(), strict=True))
    return replace(world, scales=scales)


def draw(world: World, crowd: Crowd | None, votes: int, rng: np.random.Generator) -> Votes:
    """Votes of a world; without a crowd their voters are unknown."""
    pair = rng.choice(world.chance.size, votes, p=world.chance)
    turned = rng.random(votes) < 0.5
    a = np.where(turned, world.second[pair], world.first[pair])
    b = np.where(turned, world.first[pair], world.second[pair])
    prompt = rng.integers(world.prompts, size=votes)
    x = world.columns(a, b, prompt)
    if crowd is None:
        voter, score = None, rng.standard_normal(votes)
    else:
        voter = rng.choice(crowd.voters, votes, p=_activity(rng, crowd))
        score = _scores(rng, world, crowd, (voter, a, b, x))
    cumulated = np.cumsum(_chances(world, world.lead(a, b, x), a, b), axis=0)
    # Outcomes in order of what they say for a: win, tie, both bad, loss.
    place = (special.ndtr(-score) >= cumulated[:3]).sum(axis=0)
    return Votes.from_columns(
        a,
        b,
        np.array([0, 2, 3, 1])[place],
        contestants=world.names,
        voter=voter,
        features=world.features(a, b, prompt),
    )


def draw_newcomer(world: World, votes: int, own: int, rng: np.random.Generator) -> Votes:
    """Votes among all but the last contestant, and exactly `own` votes of the last one."""
    last = world.second == world.theta.size - 1
    parts = draw(world.between(~last), None, votes, rng), draw(world.between(last), None, own, rng)
    a, b, outcome = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("a", "b", "outcome")
    )
    features = {
        name: tuple(
            np.concatenate([part.features[name][side] for part in parts]) for side in (0, 1)
        )
        for name in parts[0].features
    }
    return Votes.from_columns(a, b, outcome, contestants=world.names, features=features)


def long_run(world: World) -> Votes:
    """Every battle that can happen with both results, weighted by chance: the long run of votes.

    Bradley-Terry worlds only. A tie counts as half of each result, so it needs no row.
    """
    a, b, prompt, chance = _battles(world)
    a, b = np.concatenate([a, b]), np.concatenate([b, a])
    prompt, chance = np.tile(prompt, 2), np.tile(chance, 2) / 2
    p = special.expit(world.lead(a, b, world.columns(a, b, prompt)))
    features = world.features(*np.tile([a, b, prompt], 2))
    return Votes.from_columns(
        np.tile(a, 2),
        np.tile(b, 2),
        np.repeat([0, 1], a.size),
        contestants=world.names,
        features=features,
        weight=np.concatenate([chance * p, chance * (1.0 - p)]),
    )


def _battles(world: World) -> tuple[Array, Array, Array, Array]:
    """Every pair with every prompt, one way round, and its chance."""
    repeat = world.prompts
    return (
        np.repeat(world.first, repeat),
        np.repeat(world.second, repeat),
        np.tile(np.arange(repeat), world.first.size),
        np.repeat(world.chance / repeat, repeat),
    )


def _activity(rng: np.random.Generator, crowd: Crowd) -> Array:
    activity = rng.pareto(ACTIVITY_TAIL, crowd.voters) + 1.0
    for _ in range(50):  # capping lowers the total and with it the cap
        activity = np.minimum(activity, crowd.cap * activity.sum())
    return np.asarray(activity / activity.sum())


def _scores(
    rng: np.random.Generator, world: World, crowd: Crowd, battles: tuple[Array, Array, Array, Array]
) -> Array:
    """(n,) normal scores, high where a wins, of battles (voter, a, b, x)."""
    voter, a, b, x = battles
    liking = rng.standard_normal((crowd.voters, world.theta.size))
    longer = rng.standard_normal(crowd.voters)[voter] * np.where(x[0] >= 0.0, 1.0, -1.0)
    return np.asarray(
        np.sqrt(crowd.taste / 2) * (liking[voter, a] - liking[voter, b])
        + np.sqrt(crowd.habit) * longer
        + np.sqrt(1.0 - crowd.taste - crowd.habit) * rng.standard_normal(voter.size)
    )


def _chances(world: World, lead: Array, a: Array, b: Array) -> Array:
    """(4, n) probabilities of a win of a, a tie, both bad, a win of b."""
    tie, none = TIE[world.likelihood], np.zeros(lead.size)
    if world.likelihood == "bradley_terry":
        p = special.expit(lead)
        tied = tie * p * (1.0 - p)
        return np.stack([p - tied / 2, tied, none, 1.0 - p - tied / 2])
    if world.likelihood == "davidson":
        weights = np.stack([np.exp(lead / 2), np.full(lead.size, np.exp(tie)), np.exp(-lead / 2)])
        win, tied, loss = weights / weights.sum(axis=0)
        return np.stack([win, tied, none, loss])
    if world.likelihood == "rao_kupper":
        win, loss = special.expit(lead - tie), special.expit(-lead - tie)
        return np.stack([win, 1.0 - win - loss, none, loss])
    middle = LEVEL + (world.theta[a] + world.theta[b]) / 2
    of_a, of_b = np.exp(middle + lead / 2), np.exp(middle - lead / 2)
    win = of_a / (of_a + np.exp(tie) * of_b + 1.0)
    loss = of_b / (of_b + np.exp(tie) * of_a + 1.0)
    bad = 1.0 / (1.0 + of_a + of_b)
    return np.stack([win, 1.0 - win - loss - bad, bad, loss])
