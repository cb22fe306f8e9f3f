"""The sentences of a pair's page."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.leaderboard import sure_words
from arena.leaderboard.sentences import grouped
from arena.reports.contestants_words import decimal, share

# A chance that style alone gives is no lean where it is nearer to one half.
LEAN = 0.005


def headline(first: str, second: str, better: float | None, *, is_level: bool) -> str:
    if is_level:
        return sure_words.level_sentence(first, second)
    if better is None:
        return _("%(first)s and %(second)s") % {"first": first, "second": second}
    ahead, behind = (first, second) if better >= 0.5 else (second, first)
    return sure_words.better_sentence(ahead, behind, max(better, 1 - better))


def met_sentence(votes: int, first: str, second: str) -> str:
    told = {"votes": grouped(votes), "first": first, "second": second}
    if not votes:
        return _("They have not met: all that is said here follows from their other battles.")
    return (
        ngettext(
            "They met in %(votes)s counted battle.",
            "They met in %(votes)s counted battles.",
            votes,
        )
        % told
    )


def cannot_compare(name: str, why: str) -> str:
    return _("%(name)s is not placed, so the two cannot be compared: %(why)s") % {
        "name": name,
        "why": why,
    }


# -- The direct record -----------------------------------------------------------------------


def record_title(first: str, observed: float, expected: float | None, *, is_unlike: bool) -> str:
    told = {"name": first, "observed": share(observed)}
    if expected is None:
        return _("%(name)s won %(observed)s of their battles, ties counted half.") % told
    told["expected"] = share(expected)
    if is_unlike:
        return (
            _(
                "%(name)s won %(observed)s of their battles, ties counted half; the board "
                "expected %(expected)s, which is further off than chance usually leads."
            )
            % told
        )
    return (
        _(
            "%(name)s won %(observed)s of their battles, ties counted half; the board expected "
            "%(expected)s."
        )
        % told
    )


def level_title(first: str, level: float) -> str:
    return _("Written alike, %(name)s would be expected to score %(share)s.") % {
        "name": first,
        "share": share(level),
    }


def record_words(rows: Sequence[Mapping[str, Any]]) -> str:
    told = []
    for row in rows:
        said = {"what": row["what"], "share": share(row["share"])}
        if row["lower"] is None:
            told.append(_("%(what)s: %(share)s") % said)
        else:
            said |= {"lower": share(row["lower"]), "upper": share(row["upper"])}
            told.append(_("%(what)s: %(share)s, from %(lower)s to %(upper)s") % said)
    return f"{'; '.join(told)}."


def record_note() -> str:
    """How to read the chart."""
    return _(
        "Ink: observed with its 95% interval. Ring: raw; dot: controlled; hollow: written alike."
    )


# -- How sure --------------------------------------------------------------------------------


def difference_sentence(points: float, half: float | None) -> str:
    """Of the default board's ratings, with the 95% interval."""
    if half is None:
        return _("%(points)s points apart.") % {"points": decimal(abs(points))}
    return sure_words.apart_sentence(abs(points), (abs(points) - half, abs(points) + half))


def needed_sentence(needed: int | None) -> str:
    """How many further direct battles would tell them apart, should the difference stay."""
    if needed is None:
        return _("No number of direct battles would tell them apart, should the difference stay.")
    if needed == 0:
        return _("They are told apart already: the interval leaves out 0.")
    told = {"votes": sure_words.votes_words(needed)}
    if needed > 100:
        return (
            _(
                "About %(votes)s more between the two would tell them apart, should the "
                "difference stay."
            )
            % told
        )
    return _(
        "%(votes)s more between the two would tell them apart, should the difference stay."
    ) % (told)


# -- What style said -------------------------------------------------------------------------


def style_sentence(first: str, second: str, chance: float) -> str:
    """chance: that style alone gave to the first in their battles, on average."""
    if abs(chance - 0.5) < LEAN:
        return _("In their battles style favoured neither.")
    name, value = (first, chance) if chance > 0.5 else (second, 1 - chance)
    return _(
        "In their battles style favoured %(name)s: between equals its answers would have won "
        "%(share)s."
    ) % {"name": name, "share": share(value)}
