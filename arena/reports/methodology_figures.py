"""What the methodology page knows of a publication, and the figures that it draws of that."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from arena.leaderboard.boards import control_tag
from arena.leaderboard.models import Fitted
from arena.leaderboard.page import ControlTag
from arena.leaderboard.selectors import board_document, board_name, part_get
from arena.leaderboard.sentences import grouped
from arena.leaderboard.templatetags.glyphs import doubt, signed
from arena.reports import methodology_words as words
from arena.reports.figures import Figure

if TYPE_CHECKING:
    from arena.reports.charts.methodology import Said

Json = dict[str, Any]

PART = "method"
# Rows of a chart; the files of the page have all.
MOST_GROUPS = 40
# Below so much of all votes counted the axis of the funnel begins at zero.
MOSTLY = 0.5


def charts() -> ModuleType:
    """Imported with its libraries where a chart is drawn."""
    from arena.reports.charts import methodology

    return methodology


# -- What is known of a publication ------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """What the page says is computed from: the default board's document and the part."""

    snapshot: Fitted
    board: str
    document: Json
    method: Json

    def section(self, name: str) -> Json | None:
        """A section of the part, None where it is absent or could not be computed."""
        found: Json | None = self.method.get(name)
        return None if found is None or "error" in found else found

    def error(self, name: str) -> str:
        return str(self.method.get(name, {}).get("error", ""))

    @property
    def controls(self) -> list[ControlTag]:
        """Style first and position last, each by how much it is worth."""
        tags = [control_tag(item) for item in self.document["coefficients"]]
        return sorted(tags, key=lambda tag: -abs(tag.elo))

    @property
    def position(self) -> ControlTag | None:
        found = self.document["position"]
        return control_tag(found) if found else None

    @property
    def bins(self) -> list[Json]:
        """Groups of forecasts of the default board."""
        found = self.section("forecasts")
        bins: list[Json] = found["reliability"].get(self.board, []) if found else []
        return bins


def known_of(snapshot: Fitted) -> Known:
    board = board_name(snapshot, "")
    return Known(
        snapshot, board.value, board_document(snapshot, board), part_get(snapshot, PART) or {}
    )


# -- Figures -----------------------------------------------------------------------------------


def figures_of(known: Known) -> dict[str, Figure]:
    """By name, those that these votes give."""
    made = (
        funnel_figure(known),
        exposure_figure(known),
        coefficients_figure(known),
        forecasts_figure(known),
        scores_figure(known),
        draws_figure(known),
        apart_figure(known),
        strength_figure(known),
        voters_figure(known),
        circles_figure(known),
    )
    return {figure.name: figure for figure in made if figure is not None}


def figure(
    name: str,
    chart: str,
    rows: Sequence[Mapping[str, Any]],
    *given: Any,
    title: str,
    told: str,
    said: str,
    headings: Mapping[str, str],
    height: int,
    width: int = 610,
) -> Figure:
    """chart: the function of charts.methodology that draws it, from the rows and what is given."""

    def draw(theme: str) -> Any:
        module = charts()
        say: Said = module.Said(title, told, said)
        return getattr(module, chart)(rows, *given, say, theme)

    shown = {name: headings.get(name, "") for row in rows[:1] for name in row}
    return Figure(
        name=name,
        title=title,
        words=said,
        rows=rows,
        draw=draw,
        size=(width, height),
        headings=shown,
        note=told,
    )


def row_height(rows: Sequence[object]) -> int:
    return 30 + 22 * len(rows)


def funnel_figure(known: Known) -> Figure | None:
    counts = known.document["counts"]
    steps, left = words.losses(counts), counts["read"]
    if not steps:
        return None
    rows = [funnel_row(_("Votes cast"), 0, left, grouped(left), left, whole=True)]
    for label, lost in steps:
        rows.append(funnel_row(label, left - lost, left, signed_whole(-lost), lost, whole=False))
        left -= lost
    rows.append(funnel_row(_("Counted"), 0, left, grouped(left), left, whole=True))
    low = axis_begin(counts["read"], counts["counted"])
    cut = {"low": grouped(low)}
    return figure(
        "funnel",
        "funnel_chart",
        rows,
        low,
        title=words.funnel_title(counts),
        told=_("The axis is cut at %(low)s so that the losses can be seen.") % cut if low else "",
        said=words.funnel_words(steps, counts),
        headings={"label": _("Step"), "votes": _("Votes")},
        height=row_height(rows),
    )


def funnel_row(
    label: str, start: int, end: int, said: str, votes: int, *, whole: bool
) -> dict[str, Any]:
    return {
        "label": label,
        "votes": votes,
        "start": start,
        "end": end,
        "figure": said,
        "whole": whole,
    }


def signed_whole(value: int) -> str:
    return f"−{grouped(-value)}" if value < 0 else grouped(value)


def axis_begin(read: int, counted: int) -> int:
    """Where the axis of the funnel begins: round, and so that the losses take half of it."""
    low = counted - (read - counted)
    if counted < MOSTLY * read or low <= 0:
        return 0
    step = 10 ** max(0, int(math.log10(read - counted)))
    return int(low // step * step)


def exposure_groups(known: Known, level: str) -> list[Json]:
    found = known.section("exposure")
    if found is None:
        return []
    places = 2 * found["votes"]
    return [
        group
        | {
            "label": words.group_label(level, group["name"]),
            "share": group["places"] / places,
            "fair_share": group["fair"] / places,
            "times": group["places"] / group["fair"] if group["fair"] else 0.0,
        }
        for group in found[level]
        if group["fair"]
    ]


def exposure_figure(known: Known) -> Figure | None:
    groups = exposure_groups(known, "organisations")
    if len(groups) < 2:
        return None
    shown = sorted(groups, key=lambda group: -group["times"])
    rows = [
        {
            "label": group["label"],
            "contestants": group["contestants"],
            "places": group["places"],
            "share": round(group["share"], 6),
            "fair_share": round(group["fair_share"], 6),
            "times": round(group["times"], 4),
            "experimental": len(group["experimental"]),
            "times_said": words.decimal(group["times"], 2),
            "tried_said": grouped(len(group["experimental"])),
            "hollow": not words.is_sure(group, groups),
        }
        for group in shown[:MOST_GROUPS]
    ]
    return figure(
        "exposure",
        "exposure_chart",
        rows,
        title=words.exposure_title(groups),
        told=_("Dot: share of places in battles. Bar: fair share. Variants: experimental ones."),
        said=words.exposure_words(shown[:MOST_GROUPS]),
        headings={
            "label": _("Organisation"),
            "contestants": _("Contestants"),
            "places": pgettext("in battles", "Places"),
            "share": pgettext("part of all", "Share"),
            "fair_share": _("Fair share"),
            "times": _("Times fair"),
            "experimental": _("Experimental variants"),
        },
        height=row_height(rows),
    )


def coefficients_figure(known: Known) -> Figure | None:
    if not known.controls:
        return None
    tags = [*known.controls, *([known.position] if known.position else [])]
    rows = [
        {
            "label": tag.name,
            "elo": round(tag.elo, 3),
            "lower": round(tag.elo - tag.half, 3),
            "upper": round(tag.elo + tag.half, 3),
            "figure": f"{signed(tag.elo)} {doubt(tag.half)}",
            "hollow": abs(tag.elo) <= tag.half,
        }
        for tag in tags
    ]
    return figure(
        "coefficients",
        "coefficients_chart",
        rows,
        title=words.coefficients_title(known.controls),
        told=_("Points that one typical difference is worth, 95% interval. Hollow: may be none."),
        said=words.coefficients_words(tags),
        headings={
            "label": _("Control"),
            "elo": _("Points"),
            "lower": pgettext("end of an interval", "From"),
            "upper": pgettext("end of an interval", "To"),
        },
        height=row_height(rows),
    )


def forecasts_figure(known: Known) -> Figure | None:
    bins = known.bins
    if len(bins) < 2:
        return None
    return figure(
        "forecasts",
        "forecasts_chart",
        bins,
        known.board,
        title=words.forecasts_title(bins),
        told=_("Dashed: forecasts that come true exactly as often as they say. Bands: 95%."),
        said=words.bins_words(bins),
        headings={
            "expected": _("Forecast"),
            "share": _("Scored"),
            "lower": pgettext("end of an interval", "From"),
            "upper": pgettext("end of an interval", "To"),
            "votes": _("Votes"),
        },
        height=384,
        width=410,
    )


def scores_figure(known: Known) -> Figure | None:
    found = known.section("forecasts")
    scored = [each for each in found["boards"] if "error" not in each] if found else []
    if found is None or not scored:
        return None
    rows = [
        {
            **each,
            "label": words.board_label(each["board"]),
            "figure": words.fraction(each["brier"]),
            "loss_said": words.fraction(each["log_loss"]),
        }
        for each in scored
    ]
    return figure(
        "scores",
        "scores_chart",
        rows,
        title=words.scores_title(found),
        told=_("Brier score a vote, lower is better. Bar: half a chance for either side."),
        said=words.scores_words(rows),
        headings={
            "label": _("Board"),
            "forecast": _("Votes forecast"),
            "brier": _("Brier"),
            "brier_without": _("Brier of a coin"),
            "log_loss": _("Log loss"),
            "log_loss_without": _("Log loss without contestants"),
        },
        height=row_height(rows),
    )


def draws_figure(known: Known) -> Figure | None:
    found = known.section("draws")
    if found is None or len(found["bins"]) < 2:
        return None
    rows = [
        {
            **each,
            "label": _("Drawn 1 in %(high)s to 1 in %(low)s")
            % {"high": grouped(1.0 / each["high"]), "low": grouped(1.0 / each["low"])},
            "figure": words.percent(each["met"] / each["due"], 0),
        }
        for each in found["bins"]
    ]
    return figure(
        "draws",
        "draws_chart",
        rows,
        title=words.draws_title(found),
        told=_("Dot: votes of pairs that were drawn about as often. Bar: how many were due."),
        said="; ".join(f"{row['label']}: {row['figure']}" for row in rows) + ".",
        headings={
            "label": _("Pairs"),
            "pairs": _("How many"),
            "due": _("Votes due"),
            "met": _("Votes"),
        },
        height=row_height(rows),
    )


def level_rows(known: Known, name: str) -> list[Json]:
    """Shares along points; none where the first and the last are not surely apart."""
    found = known.section("ties")
    rows: list[Json] = found[name] if found else []
    return rows if words.does_differ(rows) else []


def apart_figure(known: Known) -> Figure | None:
    rows = level_rows(known, "apart")
    return levels_figure("ties", rows, words.apart_title, _("points apart")) if rows else None


def strength_figure(known: Known) -> Figure | None:
    rows = level_rows(known, "strength")
    axis = _("mean rating of the two")
    return levels_figure("both-bad", rows, words.strength_title, axis) if rows else None


def levels_figure(
    name: str, rows: list[Json], title: Callable[[Sequence[Json]], str], beneath: str
) -> Figure:
    return figure(
        name,
        "levels_chart",
        rows,
        beneath,
        title=title(rows),
        told=_("Share of votes, 95% interval, voters as clusters."),
        said=words.levels_words(rows),
        headings={
            "mean": beneath,
            "share": pgettext("part of all", "Share"),
            "lower": pgettext("end of an interval", "From"),
            "upper": pgettext("end of an interval", "To"),
            "votes": _("Votes"),
        },
        height=232,
    )


def voters_figure(known: Known) -> Figure | None:
    found = known.section("voters")
    if found is None or len(found["curve"]) < 3:
        return None
    rows = [{"voters": share, "votes": votes} for share, votes in found["curve"]]
    return figure(
        "voters",
        "voters_chart",
        rows,
        title=words.voters_title(found),
        told=_("Dashed: were all voters equally active."),
        said=words.voters_words(found),
        headings={"voters": _("Share of voters"), "votes": _("Share of votes")},
        height=248,
    )


def circles_figure(known: Known) -> Figure | None:
    found = known.section("circles")
    if found is None or not found["striking"]:
        return None
    rows = [
        {
            "first": pair["first"],
            "second": pair["second"],
            "observed_share": round(pair["observed"] / pair["votes"], 4),
            "expected_share": round(pair["expected"] / pair["votes"], 4),
            "votes": pair["votes"],
            "standardised": round(pair["standardised"], 2),
            "p_adjusted": pair["p_adjusted"],
            "label": f"{pair['first']} – {pair['second']}",
            "figure": grouped(pair["votes"]),
            "hollow": not pair["flagged"],
        }
        for pair in found["striking"]
    ]
    return figure(
        "circles",
        "circles_chart",
        rows,
        title=words.circles_title(found),
        told=_("Dot: what the first of the pair scored. Bar: the forecast. Hollow: may be chance."),
        said=words.circles_words(rows),
        headings={
            "first": _("First"),
            "second": _("Second"),
            "observed_share": _("Scored"),
            "expected_share": _("Forecast"),
            "votes": _("Votes"),
            "standardised": _("Standard errors"),
            "p_adjusted": _("p, adjusted"),
        },
        height=row_height(rows),
    )
