"""The sentences of the page on price and speed."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.leaderboard.sentences import grouped, joined
from arena.leaderboard.templatetags.glyphs import doubt, whole

if TYPE_CHECKING:
    from arena.reports.prices import Frontier, Panel, Point, Rated

PRICE = "price"


def money(value: float) -> str:
    """Dollars, with digits that say something: $0.05, $2.5, $12."""
    digits = format(Decimal(f"{value:.3g}"), "f")
    return f"${number_format(digits)}"


def seconds(value: float) -> str:
    """Of what is hardly anything more digits, so that it is not told as nothing."""
    digits = 2 if value >= 0.05 or value == 0 else 4
    return _("%(seconds)s s") % {"seconds": number_format(round(value, digits), digits)}


def cost_words(kind: str, value: float) -> str:
    return money(value) if kind == PRICE else seconds(value)


def times(value: float) -> str:
    return str(number_format(round(value, 1 if value < 10 else 0), 1 if value < 10 else 0))


def mix_words(mix: int) -> str:
    told = {"out": mix, "input": 100 - mix}
    return _("%(input)s%% input, %(out)s%% output") % told


def headline(kind: str, frontier: "Frontier") -> str:
    count = len(frontier.on)
    told = {"number": grouped(count), "all": grouped(len(frontier.points))}
    if kind == PRICE:
        return (
            ngettext(
                "%(number)s of %(all)s priced contestants is rated above all that cost no more.",
                "%(number)s of %(all)s priced contestants are rated above all that cost no more.",
                count,
            )
            % told
        )
    return (
        ngettext(
            "%(number)s of %(all)s timed contestants is rated above all that answer as soon.",
            "%(number)s of %(all)s timed contestants are rated above all that answer as soon.",
            count,
        )
        % told
    )


def top_step(kind: str, frontier: "Frontier") -> str:
    """What the highest rated one costs above the next."""
    last = frontier.on[-1]
    step = last.step
    if step is None:
        return ""
    told = {"name": last.rated.name, "other": step.name, "points": whole(step.points)}
    if step.times is None:
        return ""
    told["times"] = times(step.times)
    if kind == PRICE and step.could_be_nothing:
        return (
            _(
                "The last step, from %(other)s to %(name)s, is %(points)s points, which could be "
                "nothing, for %(times)s times the price."
            )
            % told
        )
    if kind == PRICE:
        return (
            _(
                "The last step, from %(other)s to %(name)s, is %(points)s points for %(times)s "
                "times the price."
            )
            % told
        )
    if step.could_be_nothing:
        return (
            _(
                "The last step, from %(other)s to %(name)s, is %(points)s points, which could be "
                "nothing, for %(times)s times the wait."
            )
            % told
        )
    return (
        _(
            "The last step, from %(other)s to %(name)s, is %(points)s points for %(times)s times "
            "the wait."
        )
        % told
    )


def sure_sentence(kind: str, frontier: "Frontier", *, is_default: bool) -> str:
    """How sure it is who belongs there, and by what."""
    sure, on, maybe = frontier.sure, len(frontier.on), frontier.maybe
    said = [
        ngettext(
            "%(sure)s of the %(on)s on the line belongs there beyond doubt.",
            "%(sure)s of the %(on)s on the line belong there beyond doubt.",
            sure,
        )
        % {"sure": grouped(sure), "on": grouped(on)}
    ]
    if maybe:
        said.append(
            ngettext(
                "%(maybe)s below it could belong there too.",
                "%(maybe)s below it could belong there too.",
                maybe,
            )
            % {"maybe": grouped(maybe)}
        )
    return joined(*said, beyond_doubt(kind, is_default=is_default))


def beyond_doubt(kind: str, *, is_default: bool) -> str:
    told = {"chance": number_format(97.5, 1)}
    if kind == PRICE:
        if is_default:
            return (
                _("Beyond doubt is a chance of %(chance)s%% against each that costs no more.")
                % told
            )
        return _("Beyond doubt is an interval clear of that of each that costs no more.")
    if is_default:
        return (
            _("Beyond doubt is a chance of %(chance)s%% against each that answers as soon.") % told
        )
    return _("Beyond doubt is an interval clear of that of each that answers as soon.")


def absent_sentence(kind: str, absent: int) -> str:
    if not absent:
        return ""
    told = {"number": grouped(absent)}
    if kind == PRICE:
        return (
            ngettext(
                "%(number)s placed contestant states no price, and is not here.",
                "%(number)s placed contestants state no price, and are not here.",
                absent,
            )
            % told
        )
    return (
        ngettext(
            "Of %(number)s placed contestant no time to the first token is known.",
            "Of %(number)s placed contestants no time to the first token is known.",
            absent,
        )
        % told
    )


def unknown_sentence(kind: str) -> str:
    if kind == PRICE:
        return _("No contestant of this board states a price.")
    return _(
        "No time to the first token is known: it is measured where the arena itself asks a model, "
        "and votes that were imported or recorded carry none."
    )


def left_out_sentence(number: int) -> str:
    if not number:
        return ""
    return ngettext(
        "%(number)s experimental variant is left out: it is not to be had at any price.",
        "%(number)s experimental variants are left out: they are not to be had at any price.",
        number,
    ) % {"number": grouped(number)}


def nothing_known(rated: "Sequence[Rated]") -> str:
    if not rated:
        return _("Nobody can be placed yet.")
    return _("Neither a price nor a time is known of any contestant of this board.")


def panel_words(panel: "Panel") -> str:
    """The frontier in words and numbers."""
    told = "; ".join(point_words(panel.kind, point) for point in panel.frontier.on)
    beginning = (
        _("From the least cost on: %(points)s.")
        if panel.kind == PRICE
        else _("From the soonest on: %(points)s.")
    )
    return joined(beginning % {"points": told}, panel.absent)


def point_words(kind: str, point: "Point") -> str:
    told = (
        f"{point.rated.name} {cost_words(kind, point.cost)}, {whole(point.rated.rating)} "
        f"{doubt(point.rated.half)}"
    )
    return told if point.is_sure else told + _(", perhaps not")
