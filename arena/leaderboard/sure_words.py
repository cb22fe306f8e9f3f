"""The sentences of the page on how sure a board is."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.leaderboard.sentences import grouped, listed

# Of an error that lists what exists, so many are named.
MOST_NAMED = 60
# Chances are told no closer to 0 and 1 than this.
NEAR_ZERO, NEAR_ONE = 0.001, 0.999


def chance(value: float) -> str:
    """A probability in percent, never 0 or 100: no estimate is that sure."""
    told = {"share": figure(value)}
    if value > NEAR_ONE:
        return _("over %(share)s%%") % told
    if value < NEAR_ZERO:
        return _("under %(share)s%%") % told
    return _("%(share)s%%") % told


def cell(value: float) -> str:
    """The same in a table."""
    sign = ">" if value > NEAR_ONE else "<" if value < NEAR_ZERO else ""
    return f"{sign}{figure(value)}"


def figure(value: float) -> str:
    """With a decimal where it is near 0 or 100."""
    value = min(max(value, NEAR_ZERO), NEAR_ONE)
    places = 0 if 0.0995 <= value < 0.9 else 1
    return str(number_format(round(100 * value, places), places))


def share(value: float) -> str:
    """A share in percent with two digits that say something."""
    percent = 100 * value
    if 99.5 <= percent < 100:
        return _("%(share)s%%") % {"share": ">99"}
    places = (
        0 if percent >= 10 or not percent else 1 if percent >= 1 else 2 if percent >= 0.1 else 3
    )
    return _("%(share)s%%") % {"share": number_format(round(percent, places), places)}


# -- Findings --------------------------------------------------------------------------------


def first_sentence(possible: Sequence[str]) -> str:
    """From the rank sets alone: who may hold first place."""
    if len(possible) == 1:
        return _("First place is settled: at 95%% confidence only %(name)s can hold it.") % {
            "name": possible[0]
        }
    return _("First place is not settled: at 95%% confidence any of %(number)s could hold it.") % {
        "number": grouped(len(possible))
    }


def neighbours_sentence(open_ones: int, every: int) -> str:
    told = {"number": grouped(open_ones), "all": grouped(every)}
    if not open_ones:
        return _("No two neighbours on the board could stand the other way round.")
    return (
        ngettext(
            "%(number)s of %(all)s pairs of neighbours could stand the other way round.",
            "%(number)s of %(all)s pairs of neighbours could stand the other way round.",
            every,
        )
        % told
    )


def sets_sentence(width: int, own: int, every: int) -> str:
    """width: places of the middle rank set; own: contestants with one place."""
    told = {"width": grouped(width), "own": grouped(own), "all": grouped(every)}
    if own:
        return (
            ngettext(
                "%(own)s of %(all)s contestants has a place of its own.",
                "%(own)s of %(all)s contestants have a place of their own.",
                own,
            )
            % told
        )
    return (
        ngettext(
            "No place is certain: the usual contestant may hold any of %(width)s places.",
            "No place is certain: the usual contestant may hold any of %(width)s places.",
            width,
        )
        % told
    )


def best_sentence(likely: int, every: int) -> str:
    """likely: how many have a chance of 1 in 20 or more to be the best."""
    told = {"number": grouped(likely), "all": grouped(every)}
    return (
        ngettext(
            "%(number)s of %(all)s has at least 1 chance in 20 to be the best.",
            "%(number)s of %(all)s have at least 1 chance in 20 to be the best.",
            likely,
        )
        % told
    )


def settled_sentence(settled: int, every: int) -> str:
    told = {"settled": grouped(settled), "all": grouped(every)}
    return (
        ngettext(
            "%(settled)s of %(all)s pair is settled at 95%%",
            "%(settled)s of %(all)s pairs are settled at 95%%",
            every,
        )
        % told
    )


def unplaced_words(names: Sequence[str]) -> str:
    """Who is left out; the board says why."""
    if not names:
        return ""
    return ngettext(
        "Not placed, so nothing can be said of it here: %(names)s.",
        "Not placed, so nothing can be said of them here: %(names)s.",
        len(names),
    ) % {"names": named(names)}


# -- Any pair --------------------------------------------------------------------------------


def better_sentence(upper: str, lower: str, value: float) -> str:
    told = {"upper": upper, "lower": lower, "chance": chance(value)}
    return _("%(upper)s is better than %(lower)s with probability %(chance)s.") % told


def level_sentence(one: str, other: str) -> str:
    return _("%(one)s and %(other)s are level, so there is no order to turn.") % {
        "one": one,
        "other": other,
    }


def apart_sentence(points: float, ends: tuple[float, float] | None) -> str:
    """How far apart they are, with the ends of the interval where they are known."""
    told = {"points": decimal(points)}
    if ends is None:
        return (
            _(
                "%(points)s points apart. The chance is too close to 100%% for the interval to "
                "follow from it; the interval is worked out with what would turn the order."
            )
            % told
        )
    told |= {"lower": decimal(ends[0]), "upper": decimal(ends[1])}
    sentence = _("%(points)s points apart, 95%% interval %(lower)s to %(upper)s.") % told
    if ends[0] <= 0 <= ends[1]:
        return _("%(first)s %(second)s") % {
            "first": sentence,
            "second": _("It includes 0: they could stand the other way round."),
        }
    return sentence


def decimal(value: float) -> str:
    """Points with one decimal and a true minus."""
    return str(number_format(round(value, 1) + 0.0, 1)).replace("-", "\N{MINUS SIGN}")


def same_twice(name: str) -> str:
    return _("%(name)s was named twice. Choose two different contestants.") % {"name": name}


def one_missing() -> str:
    return _("Choose two contestants.")


def unknown(name: str, names: Sequence[str]) -> str:
    told = {"name": name[:80], "names": named(names)}
    return _("This board has no contestant '%(name)s'. It places: %(names)s.") % told


def not_placed(name: str, why: str, names: Sequence[str]) -> str:
    told = {"name": name, "why": why, "names": named(names)}
    return _("%(name)s is not placed: %(why)s These are: %(names)s.") % told


def named(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    if more > 0:
        others = ngettext("%(number)s more", "%(number)s more", more) % {"number": grouped(more)}
        return listed([*names[:MOST_NAMED], others])
    return listed(names) if names else _("nobody")


# -- What would undo an order ----------------------------------------------------------------


def votes_sentence(pair: Mapping[str, Any], swap: Mapping[str, str], counted: int) -> str:
    """How few votes, taken one by one. swap: upper and lower, as the sentence calls them."""
    if pair["fewest"] is None:
        return _("No removal of single votes was found that swaps %(upper)s and %(lower)s.") % swap
    told = {**swap, "counted": grouped(counted), "votes": grouped(pair["votes"])}
    if not pair["voters"]:
        return (
            ngettext(
                "Dropping %(votes)s vote of %(counted)s swaps %(upper)s and %(lower)s.",
                "Dropping %(votes)s votes of %(counted)s swaps %(upper)s and %(lower)s.",
                pair["votes"],
            )
            % told
        )
    if pair["votes"] == 1:
        return _("Dropping a single vote of %(counted)s swaps %(upper)s and %(lower)s.") % told
    told["voters"] = grouped(pair["voters"])
    return (
        ngettext(
            "Dropping %(votes)s votes of %(counted)s, cast by %(voters)s voter, swaps %(upper)s "
            "and %(lower)s.",
            "Dropping %(votes)s votes of %(counted)s, cast by %(voters)s voters, swaps %(upper)s "
            "and %(lower)s.",
            pair["voters"],
        )
        % told
    )


def voters_sentence(pair: Mapping[str, Any], swap: Mapping[str, str]) -> str:
    """How few voters with all their votes."""
    if pair["fewest"] is None:
        return _("No removal of whole voters was found that swaps %(upper)s and %(lower)s.") % swap
    told = {
        **swap,
        "voters": grouped(pair["fewest"]),
        "votes": votes_words(pair["votes"]),
    }
    return (
        ngettext(
            "Leaving out %(voters)s voter with all of %(votes)s swaps %(upper)s and %(lower)s.",
            "Leaving out %(voters)s voters with all of %(votes)s swaps %(upper)s and %(lower)s.",
            pair["fewest"],
        )
        % told
    )


def votes_words(votes: int) -> str:
    return ngettext("%(votes)s vote", "%(votes)s votes", votes) % {"votes": grouped(votes)}


def rigging_sentence(cost: Mapping[str, Any], upper: str) -> str:
    """What it would take to lift one as far as another stands."""
    told = {"lower": cost["contestant"], "upper": upper}
    if cost["votes"] is None:
        return (
            _("As many dishonest votes as were counted would not lift %(lower)s over %(upper)s.")
            % told
        )
    told |= {"votes": grouped(cost["votes"]), "battles": grouped(rounded(cost["battles"]))}
    return (
        ngettext(
            "%(votes)s dishonest vote, about %(battles)s battles, would lift %(lower)s over "
            "%(upper)s.",
            "%(votes)s dishonest votes, about %(battles)s battles, would lift %(lower)s over "
            "%(upper)s.",
            cost["votes"],
        )
        % told
    )


def runs_words(cost: Mapping[str, Any]) -> str:
    """How far the runs differ: who meets whom is chance."""
    if cost["least"] is None:
        return ""
    return _("%(least)s to %(most)s") % {
        "least": grouped(cost["least"]),
        "most": grouped(cost["most"]),
    }


def rounded(battles: int) -> int:
    """To two digits: how many battles it takes is chance."""
    digits = max(len(str(battles)) - 2, 0)
    return round(battles, -digits)
