"""Whether one model could have given the answers of two revisions (ranking.onemodel).

Compared are the length and formatting of their answers, and how these fared: the score of each vote
against others, less what is expected of it at the one strength that both revisions' votes together
give, on the raw board (`outcome`) and, where style is controlled for, with style accounted for
(`substance`).

prompts says how alike the questions were. "same": answers to prompts that both answered, permuted
within each prompt; "battle": the two answers of each direct battle, which are to one prompt, while
outcomes are of all others' battles; "any": all answers, where votes do not name their prompts, so
that prompts that differ make answers differ too. unit says what was permuted as a whole: an
"answer" with the many times that it was shown, all answers to a "voter", or single "votes".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize, special

from ranking.analysis.members import Member
from ranking.analysis.sources import Sources
from ranking.arrays import AnyArray, BoolArray, FloatArray, IndexArray
from ranking.calibration import leads, strengths
from ranking.covariates import METRICS
from ranking.onemodel import Answers, Compared, compared, holm, permutation_p
from ranking.publication import Publication
from ranking.votes import A_WINS, B_WINS, Votes

OUTCOME, SUBSTANCE = "outcome", "substance"
SHARED_PROMPTS = 8
DIRECT_BATTLES = 100
"""So many are enough for comparing answers to the same prompts alone."""
FEWEST_VOTES = 20
"""Of either revision, for any comparison."""
CARRIED = 0.5
TELLING, OFTEN = 3, 10
"""By so many metrics an answer is known again, and recorded ones are shown so often on average."""
# A strength that far from the others' is none that votes against them give.
_FAR = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """Some votes of one revision, as it stands in them. rows: (k,); is_a: (k,) its side."""

    member: Member
    rows: IndexArray
    is_a: BoolArray

    @classmethod
    def of(cls, votes: Votes, member: Member, rows: IndexArray) -> _Side:
        return cls(member, rows, votes.a[rows] == member.number)

    def metric(self, votes: Votes, name: str) -> FloatArray:
        a, b = votes.features[name]
        return np.where(self.is_a, a[self.rows], b[self.rows])

    def kept(self, mask: BoolArray) -> _Side:
        return _Side(self.member, self.rows[mask], self.is_a[mask])


class Likeness:
    """Compares the members of families, of one publication's votes."""

    def __init__(self, sources: Sources, published: Publication) -> None:
        self.votes, self.prompt = sources.votes, sources.prompt
        self.seed = published.default.spec.seed
        boards = {OUTCOME: published.raw}
        if published.controlled is not None:
            boards[SUBSTANCE] = published.controlled
        self.boards = {
            name: (board, strengths(self.votes, board)) for name, board in boards.items()
        }

    def of(self, first: Member, second: Member, direct: IndexArray) -> dict[str, Any] | None:
        """The comparison of two members; None where their votes are too few for one.

        direct: their votes against each other.
        """
        sides = [_Side.of(self.votes, member, member.rows) for member in (first, second)]
        if min(side.rows.size for side in sides) < FEWEST_VOTES:
            return None
        metrics = [name for name in METRICS if all(self.carries(side, name) for side in sides)]
        sides = [self.complete(side, metrics) for side in sides]
        shared = self.shared(sides)
        prompts = "any"
        styled = sides
        if shared is not None:
            prompts = "same"
            assert self.prompt is not None
            styled = sides = [side.kept(np.isin(self.prompt[side.rows], shared)) for side in sides]
        elif direct.size >= DIRECT_BATTLES:
            prompts = "battle"
            styled = [
                self.complete(_Side.of(self.votes, side.member, direct), metrics) for side in sides
            ]
        style = self.style(styled, metrics, prompts)
        others = [side.kept(~np.isin(side.rows, direct)) for side in sides]
        scores = self.scores(others, metrics, prompts == "same")
        return self.document(sides, styled, style, scores, prompts, shared)

    # -- What is compared ------------------------------------------------------------------------

    def carries(self, side: _Side, name: str) -> bool:
        if name not in self.votes.features:
            return False
        return bool((~np.isnan(side.metric(self.votes, name))).mean() >= CARRIED)

    def complete(self, side: _Side, metrics: Sequence[str]) -> _Side:
        known = np.ones(side.rows.size, dtype=bool)
        for name in metrics:
            known &= ~np.isnan(side.metric(self.votes, name))
        return side.kept(known)

    def shared(self, sides: Sequence[_Side]) -> IndexArray | None:
        """Prompts that both answered, where they are many."""
        if self.prompt is None:
            return None
        asked = one, other = [self.prompt[side.rows] for side in sides]
        both = np.intersect1d(one[one >= 0], other)
        enough = min(int(np.isin(ids, both).sum()) for ids in asked) >= FEWEST_VOTES
        return both.astype(np.intp) if both.size >= SHARED_PROMPTS and enough else None

    def style(self, sides: Sequence[_Side], metrics: Sequence[str], prompts: str) -> _Test | None:
        """Of how they write; None where nothing is known of it."""
        if not metrics or min(side.rows.size for side in sides) < FEWEST_VOTES:
            return None
        values = {
            name: np.concatenate([side.metric(self.votes, name) for side in sides])
            for name in metrics
        }
        if prompts == "battle":
            return _Test(self.of_battles(sides, values), "answer")
        unit, stratum, kind = self.units(sides, metrics, prompts == "same")
        return _Test(Answers(values, _first(sides), unit, stratum), kind)

    def of_battles(self, sides: Sequence[_Side], values: Mapping[str, FloatArray]) -> Answers:
        """Two answers of each battle, which are exchanged together wherever both came again."""
        n = sides[0].rows.size
        both = np.column_stack([each.reshape(2, n).T for each in values.values()])
        _, pair = np.unique(both, axis=0, return_inverse=True)
        stratum = np.tile(pair.ravel(), 2)
        first = _first(sides)
        return Answers(values, first, 2 * stratum + first, stratum)

    def scores(self, sides: Sequence[_Side], metrics: Sequence[str], same: bool) -> _Test | None:
        """Of how they fared against others; None where no strength explains that."""
        residuals: dict[str, FloatArray] = {}
        known = [self.against_placed(side) for side in sides]
        sides = [side.kept(mask) for side, mask in zip(sides, known, strict=True)]
        if min(side.rows.size for side in sides) < FEWEST_VOTES:
            return None
        for name in self.boards:
            found = self.residual(sides, name)
            if found is not None:
                residuals[name] = found
        if not residuals:
            return None
        unit, stratum, kind = self.units(sides, metrics, same)
        return _Test(Answers(residuals, _first(sides), unit, stratum), kind)

    def against_placed(self, side: _Side) -> BoolArray:
        votes = self.votes
        other = np.where(side.is_a, votes.b[side.rows], votes.a[side.rows])
        known = np.ones(side.rows.size, dtype=bool)
        for _, theta in self.boards.values():
            known &= ~np.isnan(theta[other])
        return known

    def residual(self, sides: Sequence[_Side], name: str) -> FloatArray | None:
        """Score less what is expected of it, both revisions taken for equally strong."""
        board, theta = self.boards[name]
        theta = theta.copy()
        theta[[side.member.number for side in sides]] = 0.0
        scores, bases = [], []
        for side in sides:
            lead = leads(self.votes, board, theta, side.rows)
            bases.append(np.where(side.is_a, lead, -lead))
            outcome = self.votes.outcome[side.rows]
            won = np.where(side.is_a, outcome == A_WINS, outcome == B_WINS)
            lost = np.where(side.is_a, outcome == B_WINS, outcome == A_WINS)
            scores.append(0.5 + 0.5 * won - 0.5 * lost)
        score, base = np.concatenate(scores), np.concatenate(bases)
        if not 0.0 < float(score.mean()) < 1.0:
            return None

        def off(strength: float) -> float:
            return float((score - special.expit(base + strength)).sum())

        if off(-_FAR) <= 0.0 or off(_FAR) >= 0.0:
            return None
        strength = float(optimize.brentq(off, -_FAR, _FAR, xtol=1e-12))
        return np.asarray(score - special.expit(base + strength))

    # -- What is permuted ------------------------------------------------------------------------

    def units(
        self, sides: Sequence[_Side], metrics: Sequence[str], same: bool
    ) -> tuple[IndexArray, IndexArray | None, str]:
        """Units and strata of the sides' answers, one side after the other, and what units are."""
        rows, first = np.concatenate([side.rows for side in sides]), _first(sides)
        if same:
            assert self.prompt is not None
            prompt = self.prompt[rows].astype(np.intp)
            return _numbered(first, prompt), prompt, "answer"
        if len(metrics) >= TELLING:
            answer = _numbered(first, self.prints(sides, metrics))
            # Answers that come again and again are recorded: each is one, however often shown.
            if OFTEN * np.unique(answer).size <= rows.size:
                return answer, None, "answer"
        voter = self.votes.voter
        if voter is None or not (voter[rows] >= 0).any():
            return np.arange(rows.size), None, "vote"
        # An unknown voter is one of its own.
        known = np.where(voter[rows] < 0, -1 - np.arange(rows.size), voter[rows])
        return _numbered(first, known), None, "voter"

    def prints(self, sides: Sequence[_Side], metrics: Sequence[str]) -> IndexArray:
        """Ids of answers by all that was measured of them."""
        columns = [np.concatenate([s.metric(self.votes, name) for s in sides]) for name in metrics]
        _, ids = np.unique(np.column_stack(columns), axis=0, return_inverse=True)
        return ids.ravel()

    # -- What is said ----------------------------------------------------------------------------

    def document(
        self,
        sides: Sequence[_Side],
        styled: Sequence[_Side],
        style: _Test | None,
        scores: _Test | None,
        prompts: str,
        shared: IndexArray | None,
    ) -> dict[str, Any] | None:
        tests = [test for test in (style, scores) if test is not None]
        every: dict[str, float] = {}
        for place, test in enumerate(tests):
            means = frozenset(self.boards) if test is scores else frozenset[str]()
            every |= permutation_p(test.answers, means=means, seed=self.seed + place)
        if not every:
            return None
        adjusted = holm(every)
        found = [one for test in tests for one in compared(test.answers, every, adjusted)]
        return {
            "first": sides[0].member.name,
            "second": sides[1].member.name,
            "prompts": prompts,
            "shared": None if shared is None else int(shared.size),
            "unit": tests[0].unit,
            "units": [int(np.unique(ids).size) for ids in tests[0].by_side()],
            "answers": [int(side.rows.size) for side in styled],
            "tests": [self.test_document(one) for one in found],
            "p": min(adjusted.values()),
            "shares": {} if style is None else shares(style.answers, every),
        }

    def test_document(self, one: Compared) -> dict[str, Any]:
        is_score = one.metric in self.boards
        return {
            "metric": one.metric,
            "p": round(one.p, 6),
            "adjusted": round(one.adjusted, 6),
            "means": [round(value, 6) for value in one.means],
            "medians": None if is_score else list(one.medians),
            "more": None if is_score else round(one.more, 6),
        }


@dataclass(frozen=True, slots=True, eq=False)
class _Test:
    answers: Answers
    unit: str

    def by_side(self) -> tuple[IndexArray, IndexArray]:
        first = self.answers.first
        return self.answers.unit[first], self.answers.unit[~first]


def shares(answers: Answers, tested: Mapping[str, float]) -> dict[str, Any]:
    """By metric, the shares of both revisions' answers from 0, 1, 2, 4, 8, … on."""
    found = {}
    for metric, values in answers.values.items():
        if metric not in tested:
            continue
        place = np.where(values < 1.0, 0, 1 + np.floor(np.log2(np.maximum(values, 1.0))))
        place = place.astype(np.intp)
        low, size = int(place.min()), int(place.max()) + 1
        counts = [np.bincount(place[side], minlength=size) for side in _sides(answers.first)]
        found[metric] = {
            "from": [0 if k == 0 else 2 ** (k - 1) for k in range(low, size)],
            "first": [round(float(x), 6) for x in counts[0][low:] / counts[0].sum()],
            "second": [round(float(x), 6) for x in counts[1][low:] / counts[1].sum()],
        }
    return found


def _sides(first: BoolArray) -> tuple[BoolArray, BoolArray]:
    return first, ~first


def _first(sides: Sequence[_Side]) -> BoolArray:
    return np.repeat([True, False], [side.rows.size for side in sides])


def _numbered(*keys: AnyArray) -> IndexArray:
    """(n,) ids, the same where all keys are."""
    ids: IndexArray = np.zeros(keys[0].size, dtype=np.intp)
    for key in keys:
        distinct, place = np.unique(key, return_inverse=True)
        ids = np.unique(ids * distinct.size + place, return_inverse=True)[1]
    return ids
