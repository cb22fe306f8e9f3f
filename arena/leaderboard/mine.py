"""A voter's own page, as plain values: their battles, their ranking, and the board beside it."""

import math
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean

from django.core.paginator import Page, Paginator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from arena.battles.history import EXCERPT, Begun, battles_begun
from arena.battles.models import State
from arena.battles.page import headline as verdict
from arena.catalog.models import Revision
from arena.leaderboard.boards import axis
from arena.leaderboard.judgements import Judgement, Uncounted, judgements_of
from arena.leaderboard.mine_words import beside_expected, headline, sided, subtitle, too_few
from arena.leaderboard.models import Snapshot
from arena.leaderboard.page import Axis, Moved, Row
from arena.leaderboard.personal import Agreement, BoardPlace, agreement, own_ranking, places_on
from arena.leaderboard.selectors import revisions_by_name
from arena.voters.models import Voter
from ranking.personal import PRIOR_SD, PersonalRanking, PersonalStanding

PER_PAGE = 20

# What became of a battle without a vote; it names nobody.
ENDINGS = {
    State.GENERATING: gettext_lazy("Its answers are being written."),
    State.COMPLETE: gettext_lazy("It waits for your vote."),
    State.FAILED: gettext_lazy("A side stopped answering; nothing was counted."),
    State.INTERRUPTED: gettext_lazy("The server stopped while it was being written."),
    State.STOPPED: gettext_lazy("You stopped it; nothing was counted."),
}
UNCOUNTED = {
    Uncounted.NAMED: gettext_lazy("Not counted: you knew the names."),
    Uncounted.SAME_REVISION: gettext_lazy("Not counted: a check, both answers had one writer."),
    Uncounted.EXCLUDED: gettext_lazy("Not counted: it was excluded."),
}
REASONS = {
    Uncounted.NAMED: gettext_lazy("cast on named contestants"),
    Uncounted.SAME_REVISION: gettext_lazy("on two answers of one contestant"),
    Uncounted.EXCLUDED: gettext_lazy("excluded"),
}


@dataclass(frozen=True)
class OnBoard:
    """Where the raw board has a contestant: among all, and among those the voter met."""

    rank: int
    among: int
    is_elsewhere: bool
    """Whether `among` lies outside the voter's own set."""


@dataclass(frozen=True)
class MyRow:
    """A contestant that the voter met; `row.moved` is the way from the board to their own place."""

    row: Row
    is_open: bool
    """Whether it may still stand anywhere."""
    board: OnBoard | None


@dataclass(frozen=True)
class MyRanking:
    rows: tuple[MyRow, ...]
    axis: Axis
    board: str
    """For the drawings: a voter's own place is neither raw nor controlled."""
    prior: int
    """Deviation of the prior, in rating points."""
    on_board: int
    """How many have a place on the raw board."""
    has_open: bool
    has_settled: bool
    """Whether any contestant is not open."""


@dataclass(frozen=True)
class MyAgreement:
    """Agreement in words and, for its drawing, in shares; `figures` is None below ten votes."""

    sentence: str
    beside: str
    figures: Agreement | None


@dataclass(frozen=True)
class Line:
    """One battle in the list."""

    id: uuid.UUID
    at: datetime
    prompt: str
    has_words: bool
    verdict: str
    note: str
    is_open: bool
    """Whether it waits for a vote."""


@dataclass(frozen=True)
class MyPage:
    headline: str
    subtitle: str
    battles: int
    votes: int
    counted: int
    left_out: tuple[tuple[str, int], ...]
    """(why, how many) for votes that do not count."""
    ranking: MyRanking | None
    agreement: MyAgreement | None
    history: "Page[tuple[uuid.UUID, datetime, str, str, str]]"
    lines: tuple[Line, ...]
    snapshot: str
    """How addresses name the publication that is compared with; empty without any."""


def my_page(voter: Voter, page: str) -> MyPage | None:
    """What the voter sees of themselves; None before their first battle."""
    begun = battles_begun(voter)
    history = Paginator(begun, PER_PAGE).get_page(page)
    if not history.paginator.count:
        return None
    judgements, latest = judgements_of(voter), latest_published()
    ranking, places = own_ranking(judgements), places_on(latest)
    return MyPage(
        headline=headline(ranking, len(judgements)),
        subtitle=subtitle(ranking, places),
        battles=history.paginator.count,
        votes=len(judgements),
        counted=ranking.votes if ranking else 0,
        left_out=left_out(judgements),
        ranking=my_ranking(ranking, places) if ranking else None,
        agreement=my_agreement(agreement(judgements, places)) if ranking and places else None,
        history=history,
        lines=lines_of(history, judgements),
        snapshot=latest.short if latest else "",
    )


def latest_published() -> Snapshot | None:
    """Without its document, of which this page reads nothing."""
    return Snapshot.objects.defer("document").first()


def left_out(judgements: Iterable[Judgement]) -> tuple[tuple[str, int], ...]:
    reasons = Counter(one.uncounted for one in judgements if one.uncounted)
    return tuple((str(REASONS[why]), number) for why, number in reasons.most_common())


def my_agreement(found: Agreement) -> MyAgreement:
    if not found.is_enough:
        return MyAgreement(too_few(found.votes), "", None)
    return MyAgreement(sided(found), beside_expected(found), found)


# -- The ranking -----------------------------------------------------------------------------


def my_ranking(ranking: PersonalRanking, places: Mapping[str, BoardPlace]) -> MyRanking:
    """The ranking with the board's places, its ratings about the mean of those it shares."""
    ratings = {one.contestant: one.rating for one in ranking.standings}
    met = {name: places[name] for name in ratings if name in places}
    shift = fmean(ratings[name] - place.rating for name, place in met.items()) if met else 0.0
    revisions = revisions_by_name([one.contestant for one in ranking.standings])
    total = len(ranking.standings)
    rows = tuple(
        my_row(one, revisions[one.contestant], met, shift, total) for one in ranking.standings
    )
    return MyRanking(
        rows=rows,
        axis=axis(tuple(one.row for one in rows)),
        board="own",
        prior=round(PRIOR_SD),
        on_board=len(places),
        has_open=any(one.is_open for one in rows),
        has_settled=not all(one.is_open for one in rows),
    )


def my_row(
    standing: PersonalStanding,
    revision: Revision,
    met: Mapping[str, BoardPlace],
    shift: float,
    total: int,
) -> MyRow:
    place, board, moved = met.get(standing.contestant), None, None
    if place is not None:
        among = 1 + sum(other.rating > place.rating for other in met.values())
        elsewhere = not standing.rank_lower <= among <= standing.rank_upper
        board = OnBoard(rank=place.rank, among=among, is_elsewhere=elsewhere)
        moved = from_board(standing, place, among, shift)
    organisation = revision.contestant.organisation
    row = Row(
        name=standing.contestant,
        slug=revision.contestant.slug,
        organisation=organisation.name if organisation else "",
        licence=revision.contestant.licence,
        stage=revision.stage,
        rank=standing.rank,
        rank_lower=standing.rank_lower,
        rank_upper=standing.rank_upper,
        rating=standing.rating,
        lower=standing.rating_lower,
        upper=standing.rating_upper,
        votes=standing.votes,
        moved=moved,
    )
    is_open = (standing.rank_lower, standing.rank_upper) == (1, total)
    return MyRow(row=row, is_open=is_open, board=board)


def from_board(standing: PersonalStanding, place: BoardPlace, among: int, shift: float) -> Moved:
    half = (standing.rating_upper - standing.rating_lower) / 2
    return Moved(
        raw_rank=among,
        raw_rating=place.rating + shift,
        ranks=among - standing.rank,
        rating=standing.rating - place.rating - shift,
        half=math.hypot(half, place.half),
    )


# -- Battles ---------------------------------------------------------------------------------


def lines_of(
    begun: Iterable[tuple[uuid.UUID, datetime, str, str, str]], judgements: Iterable[Judgement]
) -> tuple[Line, ...]:
    judged = {judgement.battle: judgement for judgement in judgements}
    battles = (Begun(*fields) for fields in begun)
    return tuple(line_of(battle, judged.get(battle.id)) for battle in battles)


def line_of(battle: Begun, judgement: Judgement | None) -> Line:
    """Names come from the vote alone, so that without one there are none to say."""
    state = State(battle.state)
    return Line(
        id=battle.id,
        at=battle.at,
        prompt=prompt_shown(battle),
        has_words=bool(battle.prompt),
        verdict=verdict_on(judgement) if judgement else str(ENDINGS.get(state, "")),
        note=str(UNCOUNTED[judgement.uncounted]) if judgement and judgement.uncounted else "",
        is_open=state == State.COMPLETE,
    )


def prompt_shown(battle: Begun) -> str:
    if not battle.salt:
        return _("Its texts are no longer kept.")
    words = " ".join(battle.prompt.split())
    if len(battle.prompt) == EXCERPT:
        words += "\N{HORIZONTAL ELLIPSIS}"
    return words or _("A prompt without words.")


def verdict_on(judgement: Judgement) -> str:
    if judgement.a == judgement.b:
        return _("Both answers were written by %(name)s.") % {"name": judgement.a}
    return verdict(judgement.outcome, judgement.a, judgement.b)
