"""The pages on organisations: everybody's in one table, open against closed, and each its own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from arena.core.exceptions import Unknown
from arena.leaderboard.models import Fitted
from arena.leaderboard.selectors import board_name
from arena.leaderboard.sentences import joined
from arena.reports import organisations_words as words
from arena.reports.makers import Maker, Member, makers_of, members_of, shown_of
from arena.reports.openness import Openness, openness_of, records_of
from arena.reports.roster import roster_of, some_of


@dataclass(frozen=True)
class Index:
    """All organisations. board: how ratings are drawn, controlled or raw.

    query: what keeps links within the publication that the reader named.
    """

    snapshot: str
    made_at: datetime
    is_draft: bool
    counted: int
    board: str
    headline: str
    subtitle: str
    makers: tuple[Maker, ...]
    members: tuple[Member, ...]
    openness: Openness | None
    query: str
    is_simulated: bool

    @property
    def has_organisations(self) -> bool:
        return any(maker.name for maker in self.makers)

    @property
    def has_raw(self) -> bool:
        """Whether the raw board is another one than that which is shown."""
        return self.board == "controlled"

    @property
    def has_variants(self) -> bool:
        return any(maker.variants for maker in self.makers)

    @property
    def has_stages(self) -> bool:
        return any(member.stage for member in self.members)

    @property
    def has_licences(self) -> bool:
        return any(member.licence for member in self.members)

    @property
    def has_shown(self) -> bool:
        return any(maker.shown for maker in self.makers)

    @property
    def unstated(self) -> int:
        """Contestants whose licence is not known."""
        return sum(not member.licence for member in self.members)

    @property
    def gap_note(self) -> str:
        return words.interval_note(self.openness) if self.openness else ""

    @property
    def permalink(self) -> str:
        return f"{reverse('reports:organisations')}?snapshot={self.snapshot}"


def index_page(snapshot: Fitted, named: str) -> Index:
    """named: how the address names the publication, "" where it does not."""
    roster = roster_of(snapshot, named)
    members = members_of(snapshot, roster)
    makers = with_exposure(makers_of(members, roster), snapshot)
    openness = openness_of(snapshot, members)
    said = headlines(makers, openness)
    return Index(
        snapshot=snapshot.short,
        made_at=snapshot.made_at,
        is_draft=snapshot.is_draft,
        counted=snapshot.counted,
        board=board_name(snapshot, "").value,
        headline=said[0],
        subtitle=joined(*said[1:]),
        makers=makers,
        members=members,
        openness=openness,
        query=roster.query({}),
        is_simulated=bool(snapshot.content["simulated_votes"]),
    )


def with_exposure(makers: tuple[Maker, ...], snapshot: Fitted) -> tuple[Maker, ...]:
    shown = shown_of(snapshot)
    return tuple(replace(maker, shown=shown.get(maker.name)) for maker in makers)


def headlines(makers: Sequence[Maker], openness: Openness | None) -> list[str]:
    """What there is to say, the most telling first."""
    named = [maker for maker in makers if maker.name]
    if openness:
        said = [words.gap_sentence(openness), words.top_sentence(openness)]
    else:
        said = [words.exposure_sentence(makers)]
    said = [sentence for sentence in (*said, words.variants_sentence(makers)) if sentence]
    if not named and not said:
        return [_("No organisation is stated for any contestant of this board.")]
    return said or [words.maker_sentence(named[0], sum(len(each.members) for each in makers))]


# -- One of them -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """One organisation. releases: its placed contestants with a date of release, by that date;
    records: everybody's who was the best of all so far at their release."""

    snapshot: str
    made_at: datetime
    is_draft: bool
    board: str
    maker: Maker
    headline: str
    subtitle: str
    placed: int
    families: int
    releases: tuple[Member, ...]
    records: tuple[Member, ...]
    query: str
    is_simulated: bool

    @property
    def has_raw(self) -> bool:
        return self.board == "controlled"

    @property
    def has_families(self) -> bool:
        """Whether any family has a page."""
        return any(member.family_address for member in self.maker.members)

    @property
    def has_stages(self) -> bool:
        return any(member.stage for member in self.maker.members)

    @property
    def has_licences(self) -> bool:
        return any(member.licence for member in self.maker.members)

    @property
    def has_dates(self) -> bool:
        return any(member.released for member in self.maker.members)

    @property
    def has_timeline(self) -> bool:
        return len(self.releases) > 1

    @property
    def permalink(self) -> str:
        address = reverse("reports:organisation", args=[self.maker.slug])
        return f"{address}?snapshot={self.snapshot}"


def organisation_page(snapshot: Fitted, slug: str, named: str) -> Shown:
    """Raises Unknown, saying which organisations this publication has."""
    roster = roster_of(snapshot, named)
    members = members_of(snapshot, roster)
    makers = with_exposure(makers_of(members, roster), snapshot)
    maker = maker_get(makers, slug)
    placed = sum(member.place is not None for member in members)
    return Shown(
        snapshot=snapshot.short,
        made_at=snapshot.made_at,
        is_draft=snapshot.is_draft,
        board=board_name(snapshot, "").value,
        maker=maker,
        headline=words.maker_sentence(maker, placed),
        subtitle=words.best_sentence(maker),
        placed=placed,
        families=len({member.family for member in maker.members}),
        releases=released(maker.members),
        records=tuple(records_of(released(members))),
        query=roster.query({}),
        is_simulated=bool(snapshot.content["simulated_votes"]),
    )


def maker_get(makers: Sequence[Maker], slug: str) -> Maker:
    known = {maker.slug: maker for maker in makers if maker.slug}
    if slug in known:
        return known[slug]
    if not known:
        raise Unknown(_("No organisation is stated for any contestant of this board."))
    told = {"name": slug[:80], "names": some_of(known)}
    raise Unknown(_("There is no organisation '%(name)s'. These exist: %(names)s.") % told)


def released(members: Sequence[Member]) -> tuple[Member, ...]:
    """Those that are placed and whose release is dated, by that date."""
    dated = [member for member in members if member.released and member.place]
    dated = [member for member in dated if member.is_available]
    return tuple(sorted(dated, key=lambda member: (words.day(member), member.name)))
