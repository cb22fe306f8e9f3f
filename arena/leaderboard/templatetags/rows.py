"""The rows of the board's table. A board may have hundreds, so they are made by format strings:
a template takes five times as long. Names and addresses are escaped here; all else is numbers,
this module's own words, or drawings that glyphs.py has made."""

from dataclasses import dataclass
from urllib.parse import quote

from django import template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from arena.leaderboard.page import BoardPage, Moved, Row
from arena.leaderboard.sentences import grouped
from arena.leaderboard.templatetags.glyphs import (
    arrow,
    doubt,
    interval_glyph,
    rank_set,
    signed,
    whole,
)

register = template.Library()


@dataclass(frozen=True)
class Words:
    """What rows say, looked up once for all of them."""

    rank_set: str
    not_known: str
    up: str
    down: str
    nothing: str
    why: str
    no_price: str
    licences: dict[str, str]
    stages: dict[str, str]
    models: str
    """Where the pages of contestants begin."""
    snapshot: str
    """What names the publication in their addresses, where the board's own does."""
    titles: dict[str, str]
    """By column, what its numbers are."""


def words(page: BoardPage) -> Words:
    return Words(
        models=reverse("reports:contestants"),
        snapshot=f"snapshot={page.snapshot}" if "snapshot=" in page.query else "",
        titles={column: escape(title) for column, title in titles(page).items()},
        rank_set=_("rank set"),
        not_known=_("not known"),
        up=_("up"),
        down=_("down"),
        nothing=_("could be no movement at all"),
        why=_("Why did it move?"),
        no_price=_("not stated"),
        licences={
            "open": f"<b>{escape(pgettext('licence', 'Open'))}</b>",
            "proprietary": escape(pgettext("licence", "Closed")),
        },
        stages={
            stage: render_to_string("core/_stage.html", {"stage": stage}).strip()
            for stage in ("experimental", "preview")
        },
    )


def titles(page: BoardPage) -> dict[str, str]:
    return {
        "rank": _("Rank by rating; the bar shows the places that it may hold"),
        "rating": _("Points on the Elo scale")
        if page.is_between
        else _("Points on the Elo scale, with a 95% interval"),
        "axis-cell": _("95% interval of the rating"),
        "moved": _("Places and points between the raw and this board; opens the account of them"),
        "votes": _("Votes counted on this board"),
        "price": _("Dollars per million tokens, in / out"),
        "latency": _("Median seconds until the first token, of answers given here"),
    }


@register.simple_tag
def table_rows(page: BoardPage) -> SafeString:
    said = words(page)
    return SafeString("".join(table_row(row, page, said) for row in page.rows))


def table_row(row: Row, page: BoardPage, said: Words) -> str:
    cells = [
        rank_cell(row, page, said),
        contestant_cell(row, said),
        rating_cell(row, page, said),
        cell("axis-cell", interval_glyph(row, page), said),
    ]
    if page.has_moved:
        cells.append(cell("moved", moved_words(row, row.moved, said) if row.moved else "", said))
    cells.append(cell("votes", grouped(row.votes), said))
    if page.has_licence:
        cells.append(cell("licence", said.licences.get(row.licence, escape(row.licence)), said))
    if page.has_price:
        cells.append(cell("price", price_words(row, said), said))
    if page.has_latency:
        cells.append(cell("latency", f"{row.latency} s" if row.latency else "", said))
    state = ' class="opened"' if row.why else ' class="below"' if row.below else ""
    begin = f'<tr role="row" data-contestant="{escape(row.name)}" id="{anchor(row)}"{state}>'
    account = account_row(row, page) if row.why else ""
    return f"{begin}{''.join(cells)}</tr>\n{account}"


def anchor(row: Row) -> str:
    return quote(row.name, safe="")


def cell(name: str, content: str, said: Words) -> str:
    title = f' title="{said.titles[name]}"' if name in said.titles else ""
    return f'<td class="{name}" role="cell"{title}>{content}</td>'


def rank_cell(row: Row, page: BoardPage, said: Words) -> str:
    if page.is_between:
        return cell("rank", f"<b>{row.rank}</b>", said)
    known = row.rank_lower is not None
    places = f"{row.rank_lower}–{row.rank_upper}" if known else said.not_known
    return cell(
        "rank",
        f'<b>{row.rank}</b><span class="set">{rank_set(row, page.placed)}'
        f'<small><span class="sr-only">{said.rank_set} </span>{places}</small></span>',
        said,
    )


def contestant_cell(row: Row, said: Words) -> str:
    stage = said.stages.get(row.stage, "")
    organisation = (
        f'<span class="organisation">{escape(row.organisation)}</span>' if row.organisation else ""
    )
    link = f'<a class="name" href="{contestant_address(row, said)}">{escape(row.name)}</a>'
    return (
        '<th class="contestant" scope="row" role="rowheader">'
        f'<span class="who">{link}{stage}</span>{organisation}</th>'
    )


def contestant_address(row: Row, said: Words) -> str:
    """A slug is written in letters that an address may hold."""
    asked = [f"revision={row.revision}"] if row.revision else []
    asked += [said.snapshot] if said.snapshot else []
    return f"{said.models}{row.slug}/{'?' if asked else ''}{'&amp;'.join(asked)}"


def rating_cell(row: Row, page: BoardPage, said: Words) -> str:
    half = "" if page.is_between else f" <small>{doubt(row.half)}</small>"
    return cell("rating", f"<b>{whole(row.rating)}</b>{half}", said)


def moved_words(row: Row, moved: Moved, said: Words) -> str:
    way = {"up": said.up, "down": said.down}.get(moved.direction, "")
    way = f'<span class="sr-only">{way} </span>' if way else ""
    half = f" <small>{doubt(moved.half)}</small>" if moved.is_measured else ""
    text = (
        f'<span class="movement {moved.direction}">{arrow(moved)}<b>{way}{abs(moved.ranks)}</b>'
        f'</span> <span class="shift">{signed(moved.rating)}{half}</span>'
    )
    if moved.is_measured and moved.could_be_nothing:
        text += f'<span class="sr-only"> {said.nothing}</span>'
    if not row.opening:
        return text
    return (
        f'<a class="why" href="{escape(row.opening)}" id="why-{anchor(row)}"'
        f' aria-expanded="{"true" if row.why else "false"}" data-view>{text}'
        f'<span class="sr-only"> {said.why}</span></a>'
    )


def price_words(row: Row, said: Words) -> str:
    if row.price is None:
        return f'<span class="note">{said.no_price}</span>'
    return " / ".join(row.price)


def account_row(row: Row, page: BoardPage) -> str:
    return render_to_string("leaderboard/_why.html", {"row": row, "why": row.why, "page": page})
