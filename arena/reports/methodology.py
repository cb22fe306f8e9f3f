"""How the numbers are made: the page's sections, each only where it has something to say.

All of it is of one publication, from its document and its part `method`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from arena.integrity.models import Segment
from arena.leaderboard.boards import unplaced_rows
from arena.leaderboard.models import Fitted
from arena.leaderboard.page import UnplacedRow
from arena.leaderboard.sentences import LABELS, grouped, sentence_translated
from arena.leaderboard.viewing import query_of
from arena.reports import methodology_words as words
from arena.reports.figures import Figure, Shown, written
from arena.reports.methodology_drawn import has_drawn
from arena.reports.methodology_figures import (
    Json,
    Known,
    exposure_groups,
    figures_of,
    known_of,
)


@dataclass(frozen=True)
class Section:
    """topic: what it is about. said: the finding, where no figure says it. absent: why there is
    nothing more. formulas: what the written method calls it. table: a template that draws it."""

    name: str
    topic: str
    said: str = ""
    told: tuple[str, ...] = ()
    figures: tuple[Shown, ...] = ()
    absent: str = ""
    formulas: str = ""
    table: str = ""


@dataclass(frozen=True)
class StageRow:
    label: str
    contestants: str
    share: str
    fair: str
    times: str
    is_sure: bool


@dataclass(frozen=True)
class Fact:
    """A figure of the fit, and what it is called."""

    label: str
    value: str


@dataclass(frozen=True)
class MethodPage:
    """sections stand in the order of the page. invented: whether votes are simulated."""

    headline: str
    subtitle: str
    made_at: datetime
    is_draft: bool
    snapshot: str
    digest: str
    engine: str
    counted: int
    read: int
    board: str
    query: str
    permalink: str
    invented: bool
    sections: tuple[Section, ...]
    stages: tuple[StageRow, ...]
    unplaced: tuple[UnplacedRow, ...]
    facts: tuple[Fact, ...]
    warnings: tuple[str, ...]
    has_drawn: bool


# -- Sections ----------------------------------------------------------------------------------


class Shelf:
    """The figures of a page, handed out by name with their addresses."""

    def __init__(self, figures: Mapping[str, Figure], query: str) -> None:
        self.figures, self.query, self.base = figures, query, reverse("reports:methodology")

    def shown(self, *names: str) -> tuple[Shown, ...]:
        return tuple(
            Shown(self.figures[name], f"{self.base}{name}", self.query)
            for name in names
            if name in self.figures
        )


def sections_of(known: Known, shelf: Shelf) -> Iterator[Section]:
    """In the order of the page; those of which nothing is known are left out."""
    makers = (
        votes_section,
        exposure_section,
        style_section,
        forecasts_section,
        scores_section,
        sides_section,
        outcomes_section,
        voters_section,
        draws_section,
        circles_section,
        places_section,
        fit_section,
    )
    for make in makers:
        section = make(known, shelf)
        if section is not None:
            yield section


def votes_section(known: Known, shelf: Shelf) -> Section:
    counts = known.document["counts"]
    shown = shelf.shown("funnel")
    return Section(
        "votes",
        _("Votes that count"),
        said="" if shown else words.funnel_title(counts),
        told=words.funnel_told(counts, rejected_rows(known.snapshot)),
        figures=shown,
        formulas="style-covariates",
    )


def rejected_rows(snapshot: Fitted) -> int:
    """Rows of imported files behind a publication that were no votes."""
    files = [segment["sha256"] for segment in snapshot.content.get("segments", ())]
    found = Segment.objects.filter(sha256__in=files, rejected__gt=0)
    return sum(found.values_list("rejected", flat=True))


def exposure_section(known: Known, shelf: Shelf) -> Section | None:
    found, groups = known.section("exposure"), exposure_groups(known, "organisations")
    stages = stage_rows(known)
    shown = shelf.shown("exposure")
    if found is None or not (shown or stages):
        return None
    return Section(
        "exposure",
        _("Who was shown"),
        told=words.exposure_told(groups, found["roster"]) if shown else (),
        figures=shown,
        table="reports/_methodology_stages.html" if stages else "",
        formulas="exposure-and-the-draw",
    )


def stage_rows(known: Known) -> tuple[StageRow, ...]:
    """Nothing where there is one stage alone: it has all of the places."""
    groups = exposure_groups(known, "stages")
    if len(groups) < 2:
        return ()
    return tuple(
        StageRow(
            label=group["label"],
            contestants=grouped(group["contestants"]),
            share=words.percent(group["share"]),
            fair=words.percent(group["fair_share"]),
            times=words.decimal(group["times"], 2),
            is_sure=words.is_sure(group, groups),
        )
        for group in groups
    )


def style_section(known: Known, shelf: Shelf) -> Section | None:
    shown = shelf.shown("coefficients")
    refused = tuple(map(sentence_translated, known.snapshot.content["refused"]))
    if not shown and not refused:
        return None
    return Section(
        "style",
        _("What sways votes"),
        figures=shown,
        absent="" if shown else " ".join(refused),
        formulas="style-covariates",
    )


def forecasts_section(known: Known, shelf: Shelf) -> Section | None:
    found, shown = known.section("forecasts"), shelf.shown("forecasts")
    error = known.error("forecasts")
    if found is None or not shown:
        return absent_section("forecasts", _("Forecasts"), error, "held-out-scores")
    return Section(
        "forecasts",
        _("Forecasts"),
        told=words.forecasts_told(found, known.bins),
        figures=shown,
        formulas="held-out-scores",
    )


def absent_section(name: str, topic: str, error: str, formulas: str) -> Section | None:
    """Why there is nothing to say, where the votes gave a reason."""
    if not error:
        return None
    return Section(name, topic, absent=capfirst(sentence_translated(error)), formulas=formulas)


def scores_section(known: Known, shelf: Shelf) -> Section | None:
    shown = shelf.shown("scores")
    if not shown:
        return None
    return Section(
        "scores",
        _("Which board forecasts best"),
        told=(words.scores_told(),),
        figures=shown,
        formulas="held-out-scores",
    )


def sides_section(known: Known, shelf: Shelf) -> Section | None:
    sides, alone = known.section("sides"), known.section("alone")
    if sides is None:
        return None
    told = words.sides_told(sides, known.position)
    if alone is not None:
        told = (*told, words.alone_said(alone), *words.alone_told(alone))
    return Section(
        "sides",
        _("Side"),
        said=words.sides_said(sides),
        told=told,
        formulas="from-votes-to-a-board",
    )


def outcomes_section(known: Known, shelf: Shelf) -> Section | None:
    ties = known.section("ties")
    if ties is None:
        return None
    return Section(
        "outcomes",
        _("Ties, and both bad"),
        said=words.ties_said(ties),
        told=words.ties_told(known.document["spec"], ties),
        figures=shelf.shown("ties", "both-bad"),
        formulas="likelihoods",
    )


def voters_section(known: Known, shelf: Shelf) -> Section | None:
    voters = known.section("voters")
    if voters is None:
        return None
    shown = shelf.shown("voters")
    return Section(
        "voters",
        _("Voters"),
        said="" if shown else words.voters_title(voters),
        told=words.voters_told(voters, known.document["clustered"]),
        figures=shown,
        formulas="how-sure",
    )


def draws_section(known: Known, shelf: Shelf) -> Section | None:
    draws = known.section("draws")
    if draws is None:
        return None
    shown = shelf.shown("draws")
    return Section(
        "draws",
        _("The draw"),
        said="" if shown else words.draws_title(draws),
        told=words.draws_told(draws),
        figures=shown,
        formulas="exposure-and-the-draw",
    )


def circles_section(known: Known, shelf: Shelf) -> Section | None:
    circles, shown = known.section("circles"), shelf.shown("circles")
    if circles is None:
        error = known.error("circles")
        return absent_section("circles", _("Circles"), error, "circles")
    return Section(
        "circles",
        _("Circles"),
        said="" if shown else words.circles_title(circles),
        told=words.circles_told(circles),
        figures=shown,
        formulas="circles",
    )


def places_section(known: Known, shelf: Shelf) -> Section | None:
    graph, unplaced = known.section("graph"), known.document["unplaced"]
    if graph is None:
        return None
    return Section(
        "places",
        _("Who has a place"),
        said=words.graph_said(graph, len(unplaced)),
        told=words.graph_told(graph),
        table="reports/_methodology_unplaced.html" if unplaced else "",
        formulas="who-can-be-placed",
    )


def fit_section(known: Known, shelf: Shelf) -> Section:
    return Section("fit", _("The fit"), table="reports/_methodology_fit.html", formulas="the-fit")


def facts_of(known: Known) -> tuple[Fact, ...]:
    document = known.document
    spec = document["spec"]
    held = [str(LABELS[name]) for name in spec["controls"]]
    facts = [
        Fact(_("Held equal"), ", ".join(held) if held else _("nothing of style")),
        Fact(_("Newton steps"), grouped(document["iterations"])),
        Fact(_("Largest slope left"), f"{document['gradient_norm']:.0e}"),
        Fact(_("Last step, at most"), f"{document['step']:.0e}"),
        Fact(_("Certificate, ½ or less"), f"{document['certificate']:.0e}"),
        Fact(_("Log-likelihood"), written(document["log_likelihood"], 1)),
        Fact(_("Confidence of intervals"), words.percent(spec["confidence"], 0)),
        Fact(_("Seed and draws of rank sets"), f"{spec['seed']}, {grouped(spec['draws'])}"),
    ]
    return tuple(facts)


# -- The page ----------------------------------------------------------------------------------


def method_page(snapshot: Fitted, asked: str) -> MethodPage:
    """asked: the publication as the address names it; "" for the latest."""
    known = known_of(snapshot)
    counts, address = known.document["counts"], reverse("reports:methodology")
    query = query_of([("snapshot", asked)] if asked else [])
    warnings = [*known.document["warnings"], *snapshot.content["refused"]]
    return MethodPage(
        headline=words.headline(counts, known.controls, known.bins),
        subtitle=_(
            "How these numbers are made, and what they leave out. Every figure here is computed "
            "from the votes of this publication, and can be computed again."
        ),
        made_at=snapshot.made_at,
        is_draft=snapshot.is_draft,
        snapshot=snapshot.short,
        digest=snapshot.digest,
        engine=snapshot.engine,
        counted=counts["counted"],
        read=counts["read"],
        board=known.board,
        query=query,
        permalink=address + query_of([("snapshot", snapshot.short)]),
        invented=bool(snapshot.content["simulated_votes"]),
        sections=tuple(sections_of(known, Shelf(figures_of(known), query))),
        stages=stage_rows(known),
        unplaced=unplaced_rows(known.document["unplaced"]),
        facts=facts_of(known),
        warnings=tuple(dict.fromkeys(map(sentence_translated, warnings))),
        has_drawn=has_drawn(),
    )


def method_data(snapshot: Fitted) -> Json:
    """What the page says, as numbers."""
    known = known_of(snapshot)
    return {
        "snapshot": snapshot.digest,
        "simulated_votes": snapshot.content["simulated_votes"],
        "board": known.board,
        **{
            name: known.document[name]
            for name in ("counts", "coefficients", "position", "unplaced", "warnings")
        },
        "refused": snapshot.content["refused"],
        "method": known.method,
    }
