"""The page that holds the boards against what was planted: what it shows, as data and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import fmean
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from arena.core.exceptions import Unknown
from arena.demo.services import is_seeded
from arena.demo.truth import Truth, truth_of
from arena.demo.world import (
    POSITION,
    PUBLISHED_AT,
    REVISIONS,
    SIBLING,
    VARIANT,
    planted_theta,
)
from arena.leaderboard.models import BoardName, Snapshot
from arena.leaderboard.selectors import board_document, board_name, part_get, snapshot_get
from arena.leaderboard.sentences import LABELS, joined, listed
from arena.leaderboard.why import whole_points
from ranking import RankingSpec
from ranking.analysis import TOGGLES, toggles_name
from ranking.covariates import TIMINGS

Json = dict[str, Any]

FIRST = gettext_lazy("Shown first")
LEVEL = 0.95
FAMILY = next(revision.family for revision in REVISIONS if revision.name == SIBLING)
FROM_MORE = {
    "length": gettext_lazy("long answers"),
    "headers": gettext_lazy("headers"),
    "lists": gettext_lazy("lists"),
    "bold": gettext_lazy("bold text"),
    "emoji": gettext_lazy("emoji"),
}


@dataclass(frozen=True)
class Beside:
    """What was planted, and what was recovered with its interval, in the same unit."""

    planted: float
    found: float
    lower: float
    upper: float

    @property
    def holds(self) -> bool:
        return self.lower <= self.planted <= self.upper

    @property
    def half(self) -> float:
        return (self.upper - self.lower) / 2

    @property
    def off(self) -> float:
        return self.found - self.planted


@dataclass(frozen=True)
class Row:
    """A contestant. place: among the placed, by what was planted. moved: from raw to controlled."""

    name: str
    place: int
    rank: int
    raw_rank: int
    rating: Beside
    raw: Beside
    moved: Beside | None
    told: str = ""
    """The role it has in the variant's story, as a class."""


@dataclass(frozen=True)
class Effect:
    """What a typical difference of a control is worth. odds: in log-odds; points: in rating."""

    label: str
    typical: str
    odds: Beside
    points: Beside


@dataclass(frozen=True)
class Share:
    """What one feature did to the variant, in points: by what was planted, and as accounted for."""

    label: str
    planted: int
    found: int


@dataclass(frozen=True)
class Term:
    letter: str
    label: str
    ranks: float
    rating: float


@dataclass(frozen=True)
class Place:
    publication: int
    revision: str
    raw: int
    controlled: int
    rows: int


@dataclass(frozen=True)
class Swap:
    """The family's place in two publications, and the ledger's terms between them."""

    places: tuple[Place, Place]
    terms: tuple[Term, ...]
    sentence: str
    address: str


@dataclass(frozen=True)
class Story:
    headline: str
    sentence: str
    shares: tuple[Share, ...]
    total: Share | None
    swap: Swap | None


@dataclass(frozen=True)
class PlantedPage:
    snapshot: Snapshot
    headline: str
    subtitle: str
    rows: tuple[Row, ...]
    effects: tuple[Effect, ...]
    effects_sentence: str
    moved_sentence: str
    story: Story | None


class NothingPlanted(Unknown):
    def __init__(self) -> None:
        super().__init__(_("This arena has no simulated votes, so nothing was planted in them."))


def planted_page(query: QueryDict) -> PlantedPage:
    """Raises NothingPlanted where the arena is no demo, NoSuchSnapshot and NoSuchBoard."""
    if not is_seeded():
        raise NothingPlanted
    snapshot = snapshot_get(query.get("snapshot", ""))
    board_name(snapshot, BoardName.CONTROLLED)
    truth = truth_of(snapshot)
    rows = rows_of(snapshot, truth)
    effects = effects_of(snapshot, truth)
    return PlantedPage(
        snapshot=snapshot,
        headline=headline(rows),
        subtitle=subtitle(rows),
        rows=rows,
        effects=effects,
        effects_sentence=effects_sentence(effects),
        moved_sentence=moved_sentence(rows),
        story=story_of(snapshot, truth, rows),
    )


# -- Ratings and movements -------------------------------------------------------------------


def rows_of(snapshot: Snapshot, truth: Truth) -> tuple[Row, ...]:
    """The planted contestants that both boards place, best planted first."""
    controlled, raw = (standings(snapshot, board) for board in ("controlled", "raw"))
    theta = {name: value for name, value in planted_theta().items() if name in controlled}
    spec = RankingSpec.from_dict(board_document(snapshot, BoardName.CONTROLLED)["spec"])
    gauge = fmean(theta.values())
    planted = {name: spec.center + spec.elo * (value - gauge) for name, value in theta.items()}
    moves = {moved["contestant"]: moved for moved in snapshot.content["movements"]}
    ratings, raws = (on_gauge(planted, board, spec.center) for board in (controlled, raw))
    return tuple(
        Row(
            name=name,
            place=place,
            rank=controlled[name]["rank"],
            raw_rank=raw[name]["rank"],
            rating=ratings[name],
            raw=raws[name],
            moved=moved_of(moves[name], truth) if name in truth.accounts else None,
            told={VARIANT: "variant", SIBLING: "sibling"}.get(name, ""),
        )
        for place, name in enumerate(planted, start=1)
    )


def standings(snapshot: Snapshot, board: str) -> dict[str, Json]:
    found = board_document(snapshot, BoardName(board))["standings"]
    return {standing["contestant"]: standing for standing in found}


def on_gauge(
    planted: Mapping[str, float], board: Mapping[str, Json], center: float
) -> dict[str, Beside]:
    """Ratings with the mean of the planted contestants at the center, whoever else is placed."""
    off = fmean(board[name]["rating"] for name in planted) - center
    return {
        name: Beside(
            planted=value,
            found=board[name]["rating"] - off,
            lower=board[name]["rating_lower"] - off,
            upper=board[name]["rating_upper"] - off,
        )
        for name, value in planted.items()
    }


def moved_of(moved: Json, truth: Truth) -> Beside:
    planted = truth.accounts[moved["contestant"]].rating
    return Beside(planted, moved["rating"], moved["lower"], moved["upper"])


def held(found: Sequence[Beside]) -> int:
    return sum(each.holds for each in found)


def missed(found: Sequence[Beside]) -> int:
    """Mean distance from what was planted, in whole points."""
    return round(fmean(abs(each.off) for each in found))


def headline(rows: Sequence[Row]) -> str:
    return _(
        "%(held)s of %(all)s intervals hold the planted rating; on the raw board, %(raw)s do."
    ) % {
        "held": held([row.rating for row in rows]),
        "all": len(rows),
        "raw": held([row.raw for row in rows]),
    }


def subtitle(rows: Sequence[Row]) -> str:
    return _(
        "The demo's votes were drawn from strengths and tastes that are known; the ranking saw the "
        "votes alone. Of %(all)s intervals of 95%%, about %(expected)s should hold the truth. The "
        "style-controlled board is off by %(controlled)s points on average, the raw board by "
        "%(raw)s."
    ) % {
        "all": len(rows),
        "expected": round(LEVEL * len(rows)),
        "controlled": missed([row.rating for row in rows]),
        "raw": missed([row.raw for row in rows]),
    }


def moved_sentence(rows: Sequence[Row]) -> str:
    moves = [row.moved for row in rows if row.moved]
    return _(
        "From raw to controlled, %(held)s of %(all)s movements hold what style is worth by the "
        "planted effects."
    ) % {"held": held(moves), "all": len(moves)}


# -- Effects ---------------------------------------------------------------------------------


def effects_of(snapshot: Snapshot, truth: Truth) -> tuple[Effect, ...]:
    """Style and position as on the controlled board; speed from the board that controls for it."""
    board: Json = board_document(snapshot, BoardName.CONTROLLED)
    speed = part_get(snapshot, f"board/{toggles_name(TOGGLES)}")
    found = [*board["coefficients"]]
    if speed is not None:
        found += [each for each in speed["coefficients"] if each["name"] in TIMINGS]
    effects = [effect_of(each, truth) for each in found]
    return (*effects, position_effect(board["position"])) if board["position"] else (*effects,)


def effect_of(coefficient: Json, truth: Truth) -> Effect:
    """Both per typical difference of this board: what was planted was so per one of all votes."""
    name, scale = coefficient["name"], coefficient["scale"]
    return effect(
        str(LABELS[name]),
        _("%(times)s times as much") % {"times": f"{(1 + scale) / (1 - scale):.1f}"},
        truth.worth[name] * scale,
        coefficient,
    )


def position_effect(coefficient: Json) -> Effect:
    return effect(str(FIRST), _("first or second"), POSITION, coefficient)


def effect(label: str, typical: str, planted: float, coefficient: Json) -> Effect:
    elo = RankingSpec().elo
    odds = Beside(planted, *(coefficient[name] for name in ("value", "lower", "upper")))
    points = Beside(*(elo * value for value in (planted, odds.found, odds.lower, odds.upper)))
    return Effect(label, typical, odds, points)


def effects_sentence(effects: Sequence[Effect]) -> str:
    return _("%(held)s of %(all)s effects lie within their intervals.") % {
        "held": held([each.odds for each in effects]),
        "all": len(effects),
    }


# -- The variant -----------------------------------------------------------------------------


def story_of(snapshot: Snapshot, truth: Truth, rows: Sequence[Row]) -> Story | None:
    row = next((row for row in rows if row.name == VARIANT), None)
    if row is None:
        return None
    shares = shares_of(snapshot, truth)
    return Story(
        headline=_("%(name)s: #%(raw)s raw, #%(controlled)s controlled, planted as #%(planted)s")
        % {
            "name": VARIANT,
            "raw": row.raw_rank,
            "controlled": row.rank,
            "planted": row.place,
        },
        sentence=story_sentence(row, rows),
        shares=shares,
        total=Share(_("Together"), sum(s.planted for s in shares), sum(s.found for s in shares))
        if shares
        else None,
        swap=swap_of(),
    )


def story_sentence(row: Row, rows: Sequence[Row]) -> str:
    told = [
        _("Its answers are written to please: %(features)s.")
        % {"features": listed(str(label) for label in FROM_MORE.values())}
    ]
    sibling = next((each for each in rows if each.name == SIBLING), None)
    if sibling is not None:
        told.append(
            _(
                "%(sibling)s, which was released in its place, writes plainly: #%(raw)s raw, "
                "#%(controlled)s controlled, planted as #%(planted)s."
            )
            % {
                "sibling": SIBLING,
                "raw": sibling.raw_rank,
                "controlled": sibling.rank,
                "planted": sibling.place,
            }
        )
    return joined(*told)


def shares_of(snapshot: Snapshot, truth: Truth) -> tuple[Share, ...]:
    """The variant's way from raw to controlled by feature, the largest planted share first."""
    path, planted = part_get(snapshot, "path"), truth.accounts.get(VARIANT)
    if path is None or planted is None:
        return ()
    accounts = {account["contestant"]: account for account in path["attributions"]}
    found = {term["control"]: term["rating"] for term in accounts[VARIANT]["terms"]}
    both = [
        whole_points([term.rating for term in planted.terms]),
        whole_points([found.get(term.control, 0.0) for term in planted.terms]),
    ]
    shares = [
        Share(str(LABELS[term.control]), *points)
        for term, *points in zip(planted.terms, *both, strict=True)
    ]
    return tuple(sorted(shares, key=lambda share: share.planted))


def swap_of() -> Swap | None:
    """What the ledger says of the publication by which the sibling stands for the family."""
    after = Snapshot.objects.filter(published_at=PUBLISHED_AT[1]).first()
    ledger = part_get(after, "ledger/families") if after else None
    if after is None or ledger is None:
        return None
    before = Snapshot.objects.get(number=after.number - 1)
    row = next(row for row in ledger["rows"] if row["contestant"] == FAMILY)
    terms = tuple(
        Term(
            letter=term["cause"],
            label=term_label(term["cause"]),
            ranks=float(Fraction(term["ranks"])),
            rating=term["rating"],
        )
        for term in row["terms"]
    )
    places = place_of(before), place_of(after)
    return Swap(places, terms, swap_sentence(*places), moved_address(before, after))


def term_label(cause: str) -> str:
    if cause == "S":
        return _("%(sibling)s in the place of %(variant)s") % {
            "sibling": SIBLING,
            "variant": VARIANT,
        }
    return _("New votes")


def place_of(snapshot: Snapshot) -> Place:
    """The family's places among families."""
    families = snapshot.content["families"]
    ranks = {}
    for board in BoardName.values:
        placed = standings(snapshot, board)
        mine = placed[families[FAMILY]]["rating"]
        others = [placed[name]["rating"] for name in families.values() if name in placed]
        ranks[board] = 1 + sum(rating > mine for rating in others)
    return Place(snapshot.number, families[FAMILY], ranks["raw"], ranks["controlled"], len(others))


def swap_sentence(before: Place, after: Place) -> str:
    return _(
        "A board of families shows one revision of each: %(variant)s in publication %(first)s, "
        "%(sibling)s in publication %(second)s. On the raw board the family fell from "
        "#%(raw_before)s to #%(raw_after)s; on the controlled one it went from #%(before)s to "
        "#%(after)s. The ledger says how much of that is the swap."
    ) % {
        "first": before.publication,
        "second": after.publication,
        "variant": before.revision,
        "sibling": after.revision,
        "raw_before": before.raw,
        "raw_after": after.raw,
        "before": before.controlled,
        "after": after.controlled,
    }


def moved_address(before: Snapshot, after: Snapshot) -> str:
    query = QueryDict(mutable=True)
    query.update({"from": before.short, "to": after.short, "rows": "families"})
    return f"{reverse('leaderboard:moved')}?{query.urlencode()}"
