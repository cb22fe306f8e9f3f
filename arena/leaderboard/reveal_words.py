"""What the board says of a battle after its vote, in sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from arena.battles.models import Outcome, Side
from arena.leaderboard.boards import unplaced_sentence
from arena.leaderboard.forecasts import BIN, Counts, Past, Pull, Undecided, points
from arena.leaderboard.sentences import LABELS, grouped, listed

DIFFERENCES = {
    "length": gettext_lazy("%(side)s was longer, %(more)s tokens to %(less)s."),
    "headers": gettext_lazy("%(side)s had more headers, %(more)s to %(less)s."),
    "lists": gettext_lazy("%(side)s had more list items, %(more)s to %(less)s."),
    "bold": gettext_lazy("%(side)s had more in bold, %(more)s to %(less)s."),
    "code": gettext_lazy("%(side)s had more code blocks, %(more)s to %(less)s."),
    "emoji": gettext_lazy("%(side)s had more emoji, %(more)s to %(less)s."),
    "position": gettext_lazy("%(side)s was shown first."),
}
NO_STYLE = gettext_lazy(
    "This publication does not control for style, so only the side shown first is in it."
)
# A pull is told from none where it moves at least one of 100 decided votes.
FELT = 1.0


def is_decided(outcome: Outcome) -> bool:
    return outcome in {Outcome.MODEL_A, Outcome.MODEL_B}


def headline_pulled(
    outcome: Outcome, names: tuple[str, str], style: tuple[Pull, ...], undecided: Undecided
) -> str:
    """The vote, and whether it went with the pull of style; nothing where that is not sure.

    Sure is a pull beyond the halves of its parts' intervals together: the interval of their sum
    is never wider than that.
    """
    a, b = names
    pull, half = sum(each.log_odds for each in style), sum(each.half for each in style)
    is_sure = abs(pull) > half and abs(sum(points(style, undecided))) >= FELT
    if a == b or not is_decided(outcome) or not is_sure:
        return ""
    chosen, other = (a, b) if outcome == Outcome.MODEL_A else (b, a)
    if (pull > 0) == (chosen == a):
        said = _("You preferred %(chosen)s to %(other)s, as style alone suggests.")
    else:
        said = _("You preferred %(chosen)s to %(other)s, although style alone favours %(other)s.")
    return said % {"chosen": chosen, "other": other}


def not_placed(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return _("Not on the board yet: nothing is claimed about it.")
    return unplaced_sentence(dict(row))


# -- How likely --------------------------------------------------------------------------------


def chance_sentence(outcome: Outcome, chance: int, *, is_named: bool) -> str:
    """The board knows blind votes alone, and says nothing of one by somebody who knew the names."""
    blind = ngettext(
        "Before your vote the board gave “%(outcome)s” %(chance)s chance in 100.",
        "Before your vote the board gave “%(outcome)s” %(chance)s chances in 100.",
        chance,
    )
    named = ngettext(
        "From a voter who knows no names the board expects “%(outcome)s” with %(chance)s chance "
        "in 100.",
        "From a voter who knows no names the board expects “%(outcome)s” with %(chance)s chances "
        "in 100.",
        chance,
    )
    return (named if is_named else blind) % {"outcome": outcome.label, "chance": chance}


def past_sentence(past: Past) -> str:
    told = {
        "low": past.low,
        "high": past.low + BIN,
        "share": round(100 * past.came_true / past.forecasts),
    }
    return (
        _("Of its past forecasts between %(low)s and %(high)s, %(share)s in 100 came true.") % told
    )


def met_sentence(counts: Counts | None) -> str:
    if counts is None:
        return _("The two had not met in votes that this publication counts.")
    told = dict(zip(("a", "b", "tie", "bad"), map(grouped, counts), strict=True))
    return ngettext(
        "The two had met in %(votes)s vote: A better in %(a)s, B in %(b)s, tie %(tie)s, "
        "both bad %(bad)s.",
        "The two had met in %(votes)s votes: A better in %(a)s, B in %(b)s, tie %(tie)s, "
        "both bad %(bad)s.",
        sum(counts),
    ) % {"votes": grouped(sum(counts)), **told}


def forecast_titles(*, controlled: bool, first: bool) -> tuple[str, ...]:
    if controlled:
        return _("If both were written in the same style"), _("With the style they really had")
    if first:
        return _("If neither were shown first"), _("With A shown first")
    return (_("By their ratings alone"),)


def likelihood_basis(undecided: Undecided, past: Past | None) -> tuple[str, ...]:
    shares = _(
        "Who is better comes from the model. Ties and both bad, half a win for either in it, are "
        "taken to be as frequent as in all votes of this publication: %(tie)s and %(bad)s in 100."
    ) % {"tie": round(100 * undecided.tie), "bad": round(100 * undecided.both_bad)}
    if past is None:
        return (shares,)
    forecasts = ngettext(
        "Past forecasts are those of the raw boards of earlier publications, which knew who met "
        "and not how they wrote, for the votes that came after each: %(count)s in this range.",
        "Past forecasts are those of the raw boards of earlier publications, which knew who met "
        "and not how they wrote, for the votes that came after each: %(count)s in this range.",
        past.forecasts,
    ) % {"count": grouped(past.forecasts)}
    return shares, forecasts


# -- Style alone -------------------------------------------------------------------------------


def favoured(towards_a: float) -> str:
    return str(Side.A.label if towards_a > 0 else Side.B.label)


def style_sentence(total: float) -> str:
    share = round(50 + abs(total))
    if share == 50:
        return _("Between equal contestants either would take 50 of 100 decided votes.")
    told = {"side": favoured(total), "share": share}
    return _("Between equal contestants %(side)s would take %(share)s of 100 decided votes.") % told


def cause_sentence(pull: Pull | None) -> str:
    """What differed, and what that does to votes."""
    if pull is None:
        return ""
    has_more = Side.A if pull.a > pull.b else Side.B
    difference = DIFFERENCES[pull.name] % {
        "side": has_more.label,
        "more": grouped(max(pull.a, pull.b)),
        "less": grouped(min(pull.a, pull.b)),
    }
    draws = (pull.log_odds > 0) == (has_more == Side.A)
    effect = _("On this board that draws votes.") if draws else _("On this board that costs votes.")
    return f"{difference} {effect}"


def tenths(value: float) -> str:
    """The size of a value, never 0 for what is not."""
    if abs(value) < 0.05:
        return f"<{number_format(0.1, 1)}"
    return str(number_format(round(abs(value), 1), 1))


def together_sentence(total: float) -> str:
    if abs(total) < 0.05:
        return _("Together they cancel out.")
    told = {"points": tenths(total), "side": favoured(total)}
    return _("Together %(points)s points towards %(side)s.") % told


def alike_sentence(names: Sequence[str]) -> str:
    if not names:
        return ""
    return _("No difference in %(names)s.") % {
        "names": listed(str(LABELS[name]).lower() for name in names)
    }


def style_basis(differing: Sequence[Pull]) -> tuple[str, ...]:
    if not differing:
        return ()
    additive = _(
        "Effects add up in log-odds and not in percent, so each bar is its part of the log-odds, "
        "scaled to add up to what they do together."
    )
    if all(pull.is_sure for pull in differing):
        return (additive,)
    return additive, _("Hollow: this effect could be nothing (interval: 95%).")
