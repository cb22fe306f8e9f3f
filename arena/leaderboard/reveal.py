"""What the board says about a battle whose vote has committed.

All of it is of the publication that stood when the vote was cast, so a page that is opened again
says the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from arena.battles.models import Battle, Mode, Outcome, Side
from arena.battles.selectors import answers_measured
from arena.catalog.models import Revision
from arena.leaderboard import reveal_words as words
from arena.leaderboard.boards import axis, row_of
from arena.leaderboard.forecasts import Chances, Forecaster, Pull, forecaster, points
from arena.leaderboard.page import Axis, Row
from arena.leaderboard.selectors import digest_at
from arena.leaderboard.sentences import LABELS

# -- What is shown, as plain values: templates compute nothing ---------------------------------


@dataclass(frozen=True)
class Place:
    """Where one side stands among `total`; no `raw_rating` where the raw board is the only one."""

    rank: int
    total: int
    rank_lower: int | None
    rank_upper: int | None
    rating: float
    half: float
    lower: float
    upper: float
    raw_rating: float | None


@dataclass(frozen=True)
class Stands:
    """A side's place, or why it has none. slot: a or b, of which its place on the page is named."""

    letter: str
    slot: str
    name: str
    place: Place | None
    why_none: str


@dataclass(frozen=True)
class Segment:
    """An outcome's part of a forecast's bar; `start` and `width` in percent of it."""

    label: str
    chance: int
    start: float
    width: float
    is_yours: bool


@dataclass(frozen=True)
class Forecast:
    title: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Likelihood:
    sentence: str
    past: str
    met: str
    forecasts: tuple[Forecast, ...]
    basis: tuple[str, ...]


@dataclass(frozen=True)
class Bar:
    """What one difference moves, in percentage points: negative towards A, positive towards B."""

    label: str
    points: float
    shown: str
    towards: str
    is_sure: bool


@dataclass(frozen=True)
class StyleAlone:
    sentence: str
    cause: str
    bars: tuple[Bar, ...]
    together: str
    alike: str
    basis: tuple[str, ...]


@dataclass(frozen=True)
class Reveal:
    headline: str
    """Where more can be said than without a board."""
    snapshot: str
    board: str
    axis: Axis
    """Shared by both sides."""
    sides: tuple[Stands, ...]
    likelihood: Likelihood | None
    """None where one of them is not placed."""
    style: StyleAlone


# -- The battle as the board sees it -----------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """gap: log-odds of A over B, written alike; None where one of them is not placed."""

    outcome: Outcome
    is_named: bool
    a: Revision
    b: Revision
    gap: float | None
    style: tuple[Pull, ...]
    first: Pull | None

    @property
    def is_of_one(self) -> bool:
        return self.a == self.b

    @property
    def pulls(self) -> tuple[Pull, ...]:
        return (*self.style, self.first) if self.first else self.style


def reveal(battle: Battle) -> Reveal | None:
    """None where nothing had been published when the vote was cast."""
    digest = digest_at(battle.vote.created_at)
    if digest is None:
        return None
    known = forecaster(digest)
    case = case_of(battle, known)
    placed = tuple(row for row in (row_on(known, case.a), row_on(known, case.b)) if row)
    return Reveal(
        headline=words.headline_pulled(
            case.outcome, (case.a.name, case.b.name), case.style, known.undecided
        ),
        snapshot=digest[:12],
        board=known.board.value,
        axis=axis(placed),
        sides=(stands(known, case.a, Side.A), stands(known, case.b, Side.B)),
        likelihood=likelihood(known, case, case.gap) if case.gap is not None else None,
        style=style_alone(known, case.pulls),
    )


def case_of(battle: Battle, known: Forecaster) -> Case:
    a, b = battle.revision_a, battle.revision_b
    measured = answers_measured(battle.vote.turn_id)
    return Case(
        outcome=Outcome(battle.vote.outcome),
        is_named=battle.mode == Mode.NAMED,
        a=a,
        b=b,
        gap=known.gap(a.name, b.name),
        style=known.style(measured[Side.A], measured[Side.B]),
        first=known.first_place(),
    )


# -- Where they stand --------------------------------------------------------------------------


def row_on(known: Forecaster, revision: Revision) -> Row | None:
    standing = known.standings.get(revision.name)
    return row_of({**standing, "slug": revision.contestant.slug}) if standing else None


def stands(known: Forecaster, revision: Revision, side: Side) -> Stands:
    row = row_on(known, revision)
    return Stands(
        letter=side.label,
        slot=side.value,
        name=revision.name,
        place=place(row, len(known.standings)) if row else None,
        why_none="" if row else words.not_placed(known.unplaced.get(revision.name)),
    )


def place(row: Row, total: int) -> Place:
    return Place(
        rank=row.rank,
        total=total,
        rank_lower=row.rank_lower,
        rank_upper=row.rank_upper,
        rating=row.rating,
        half=row.half,
        lower=row.lower,
        upper=row.upper,
        raw_rating=row.moved.raw_rating if row.moved else None,
    )


# -- How likely --------------------------------------------------------------------------------


def likelihood(known: Forecaster, case: Case, gap: float) -> Likelihood:
    """What was expected: of both written alike, and as they were written and shown."""
    alike = known.undecided.chances(gap)
    really = known.undecided.chances(gap + sum(pull.log_odds for pull in case.pulls))
    chance = by_outcome(really)[case.outcome]
    past = known.past_of(chance) if words.is_decided(case.outcome) else None
    titles = words.forecast_titles(controlled=bool(known.coefficients), first=bool(case.first))
    return Likelihood(
        sentence=words.chance_sentence(
            case.outcome, hundredths(really)[case.outcome], is_named=case.is_named
        ),
        past=words.past_sentence(past) if past else "",
        met="" if case.is_of_one else words.met_sentence(known.meetings(case.a.name, case.b.name)),
        forecasts=tuple(
            Forecast(title, segments(chances, case.outcome))
            # Without any pull there is one title, and both are the same.
            for title, chances in zip(titles, (alike, really), strict=False)
        ),
        basis=words.likelihood_basis(known.undecided, past),
    )


def by_outcome(chances: Chances) -> dict[Outcome, float]:
    return {
        Outcome.MODEL_A: chances.a,
        Outcome.TIE: chances.tie,
        Outcome.BOTH_BAD: chances.both_bad,
        Outcome.MODEL_B: chances.b,
    }


def hundredths(chances: Chances) -> dict[Outcome, int]:
    """Whole chances in 100 that add up to 100, none further from its own than need be."""
    exact = {outcome: 100 * chance for outcome, chance in by_outcome(chances).items()}
    whole = {outcome: int(value) for outcome, value in exact.items()}
    owed = 100 - sum(whole.values())
    for outcome in sorted(exact, key=lambda each: whole[each] - exact[each])[:owed]:
        whole[outcome] += 1
    return whole


def segments(chances: Chances, yours: Outcome) -> tuple[Segment, ...]:
    whole, made, start = hundredths(chances), [], 0.0
    for outcome, chance in by_outcome(chances).items():
        is_yours = outcome == yours
        made.append(Segment(str(outcome.label), whole[outcome], start, 100 * chance, is_yours))
        start += 100 * chance
    return tuple(made)


# -- Style alone -------------------------------------------------------------------------------


def style_alone(known: Forecaster, pulls: tuple[Pull, ...]) -> StyleAlone:
    """What the differences in style, and the side shown first, say between equal contestants."""
    moved = list(zip(pulls, points(pulls, known.undecided), strict=True))
    differing = sorted(
        ((pull, each) for pull, each in moved if pull.log_odds), key=lambda pair: -abs(pair[1])
    )
    total = sum(each for _pull, each in moved)
    return StyleAlone(
        sentence=style_sentence(known, pulls, total),
        cause=words.cause_sentence(main_cause(differing, total)),
        bars=tuple(bar(pull, each) for pull, each in differing),
        together=words.together_sentence(total) if len(differing) > 1 else "",
        alike=words.alike_sentence([pull.name for pull in pulls if not pull.log_odds]),
        basis=words.style_basis([pull for pull, _each in differing]),
    )


def style_sentence(known: Forecaster, pulls: Sequence[Pull], total: float) -> str:
    if not pulls:
        return _("This publication accounts neither for style nor for the side shown first.")
    said = words.style_sentence(total)
    return said if known.coefficients else f"{said} {words.NO_STYLE}"


def main_cause(differing: Sequence[tuple[Pull, float]], total: float) -> Pull | None:
    """The largest difference that surely pulls where all of them do together."""
    found = (pull for pull, moved in differing if pull.is_sure and moved * total > 0)
    return next(found, None)


def bar(pull: Pull, moved: float) -> Bar:
    return Bar(
        label=str(LABELS[pull.name]),
        points=-moved,
        shown=words.tenths(moved),
        towards=words.favoured(moved),
        is_sure=pull.is_sure,
    )
