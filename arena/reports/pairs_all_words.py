"""The sentences of the page of all pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from arena.leaderboard.models import BoardName
from arena.leaderboard.sentences import grouped, joined

if TYPE_CHECKING:
    from arena.reports.pairs_matrix import Pairs

# So many names are read out; the files have all.
MOST_TOLD = 100


def percent(share: float) -> str:
    """Without its sign. What is not certain reads neither 0 nor 100."""
    written = f"{100 * share:.0f}"
    if written == "0" and share > 0:
        return "<1"
    return ">99" if written == "100" and share < 1 else written


def decimal(value: float) -> str:
    return str(number_format(round(value, 1), 1))


def so_many_votes(votes: float) -> str:
    count = round(votes)
    return ngettext("%(votes)s vote", "%(votes)s votes", count) % {"votes": grouped(count)}


# -- The page --------------------------------------------------------------------------------


def headline(pairs: Pairs) -> str:
    if len(pairs.names) < 2:
        return _("Fewer than two contestants are placed, so there are no pairs yet.")
    if not pairs.tested:
        return _("No pair has met often enough yet to be compared with what its ratings predict.")
    i, j = most_surprising(pairs)
    told = {
        "first": pairs.names[i],
        "second": pairs.names[j],
        "observed": percent(pairs.observed[i, j]),
        "expected": percent(pairs.expected[i, j]),
        "votes": so_many_votes(pairs.votes[i, j]),
    }
    if pairs.surprise[i, j] <= pairs.threshold:
        return _("No pair's votes contradict the ratings of the two.")
    return (
        _(
            "%(first)s scores %(observed)s%% against %(second)s in %(votes)s, where their ratings "
            "predict %(expected)s%%."
        )
        % told
    )


def most_surprising(pairs: Pairs) -> tuple[int, int]:
    """The one who won more than expected, then the other."""
    i, j = np.unravel_index(np.nanargmax(pairs.surprise), pairs.surprise.shape)
    return int(i), int(j)


def subtitle(pairs: Pairs) -> str:
    if len(pairs.names) < 2:
        return ""
    upper = np.triu_indices(len(pairs.names), 1)
    votes = pairs.votes[upper]
    never = int(np.count_nonzero(votes == 0))
    said = [
        ngettext(
            "%(pairs)s pair of %(names)s placed contestants; the usual one has %(usual)s.",
            "%(pairs)s pairs of %(names)s placed contestants; the usual one has %(usual)s.",
            len(votes),
        )
        % {
            "pairs": grouped(len(votes)),
            "names": grouped(len(pairs.names)),
            "usual": so_many_votes(float(np.median(votes))),
        }
    ]
    if never:
        said.append(
            ngettext("%(never)s pair never met.", "%(never)s pairs never met.", never)
            % {"never": grouped(never)}
        )
    if pairs.tested:
        said.append(chance_sentence(pairs))
    return joined(*said)


def chance_sentence(pairs: Pairs) -> str:
    """How large the largest surprise would be by chance."""
    i, j = most_surprising(pairs)
    told = {
        "surprise": decimal(pairs.surprise[i, j]),
        "threshold": decimal(pairs.threshold),
        "tested": grouped(pairs.tested),
    }
    return (
        ngettext(
            "The largest surprise is %(surprise)s standard errors; in %(tested)s comparison "
            "chance alone reaches %(threshold)s one time in twenty.",
            "The largest surprise is %(surprise)s standard errors; among %(tested)s comparisons "
            "chance alone reaches %(threshold)s one time in twenty.",
            pairs.tested,
        )
        % told
    )


def lines_heading(pairs: Pairs) -> str:
    sure = int(np.count_nonzero(np.nan_to_num(pairs.surprise) > pairs.threshold))
    if not sure:
        return _("Farthest from what ratings predict, all within chance")
    return ngettext(
        "%(sure)s pair is farther from its ratings than chance goes",
        "%(sure)s pairs are farther from their ratings than chance goes",
        sure,
    ) % {"sure": grouped(sure)}


# -- Figures ---------------------------------------------------------------------------------


def headings() -> dict[str, str]:
    return {
        "contestant": _("Contestant"),
        "opponent": _("Opponent"),
        "votes": _("Votes"),
        "observed": _("Observed score"),
        "predicted": _("Predicted at equal style"),
        "expected_raw": _("Expected by raw ratings"),
        "surprise": _("Surprise, standard errors"),
    }


def title(pairs: Pairs, chosen: np.ndarray[Any, Any], kind: str) -> str:
    grid = np.ix_(chosen, chosen)
    if kind == "predicted":
        return predicted_title(pairs, chosen)
    votes = pairs.votes[grid]
    if not votes.any():
        return _("None of these have met.")
    return observed_title(pairs, chosen) if kind == "observed" else votes_title(pairs, chosen)


def observed_title(pairs: Pairs, chosen: np.ndarray[Any, Any]) -> str:
    """The pair whose votes are the farthest from even, measured by what they can tell."""
    grid = np.ix_(chosen, chosen)
    votes = pairs.votes[grid]
    lead = (pairs.won[grid] - votes / 2) / np.sqrt(np.maximum(votes, 1))
    i, j = (int(chosen[k]) for k in np.unravel_index(np.argmax(lead), lead.shape))
    if pairs.won[i, j] * 2 == pairs.votes[i, j]:
        return _("Observed: none of these is ahead of another.")
    return _(
        "Observed: %(first)s leads %(second)s most clearly, with %(score)s%% of %(votes)s."
    ) % {
        "first": pairs.names[i],
        "second": pairs.names[j],
        "score": percent(pairs.observed[i, j]),
        "votes": so_many_votes(pairs.votes[i, j]),
    }


def predicted_title(pairs: Pairs, chosen: np.ndarray[Any, Any]) -> str:
    first, last = int(chosen[0]), int(chosen[-1])
    told = {
        "first": pairs.names[first],
        "last": pairs.names[last],
        "score": percent(pairs.level[first, last]),
    }
    if pairs.board == BoardName.CONTROLLED:
        said = _("Predicted at equal style: %(first)s scores %(score)s%% against %(last)s.")
    else:
        said = _("Predicted by raw ratings: %(first)s scores %(score)s%% against %(last)s.")
    return said % told


def votes_title(pairs: Pairs, chosen: np.ndarray[Any, Any]) -> str:
    votes = np.triu(pairs.votes[np.ix_(chosen, chosen)], 1)
    i, j = (int(chosen[k]) for k in np.unravel_index(np.argmax(votes), votes.shape))
    never = int(np.count_nonzero(votes[np.triu_indices(len(chosen), 1)] == 0))
    most = _("%(first)s and %(second)s met the most: %(votes)s.") % {
        "first": pairs.names[i],
        "second": pairs.names[j],
        "votes": so_many_votes(votes.max()),
    }
    if not never:
        return most
    missing = ngettext("%(never)s pair never met.", "%(never)s pairs never met.", never)
    return joined(most, missing % {"never": grouped(never)})


def told(pairs: Pairs, chosen: np.ndarray[Any, Any], kind: str) -> str:
    """Each against the next on the board; the table has the others."""
    found = [said_of(pairs, int(i), int(i) + 1, kind) for i in chosen[:-1][:MOST_TOLD]]
    heading = {
        "observed": _("Observed score against the next on the board:"),
        "predicted": _("Predicted score against the next on the board:"),
        "votes": _("Votes with the next on the board:"),
    }[kind]
    return joined(heading, pgettext("between clauses", "; ").join(found) + ".")


def said_of(pairs: Pairs, i: int, j: int, kind: str) -> str:
    told = {"first": pairs.names[i], "second": pairs.names[j]}
    if kind == "votes":
        told["votes"] = so_many_votes(pairs.votes[i, j])
        return _("%(first)s and %(second)s: %(votes)s") % told
    if kind == "observed" and not pairs.votes[i, j]:
        return _("%(first)s never met %(second)s") % told
    score = pairs.observed[i, j] if kind == "observed" else pairs.level[i, j]
    return _("%(first)s %(score)s%% against %(second)s") % (told | {"score": percent(score)})


def caption(pairs: Pairs, kind: str, count: int) -> str:
    """What stands above the cells: how to read them."""
    if kind == "votes":
        said = _("Votes between the two, the darker the more; empty where they never met.")
    elif kind == "observed":
        said = _(
            "Score of the row against the column in 100 votes, a tie half. Faint: few votes; "
            "empty: never met."
        )
    elif pairs.board == BoardName.CONTROLLED:
        said = _("Expected score of the row against the column in 100 votes, at equal style.")
    else:
        said = _("Expected score of the row against the column in 100 votes, by raw ratings.")
    if count == len(pairs.names):
        return said
    part = _("%(count)s of %(all)s placed contestants.")
    return joined(said, part % {"count": grouped(count), "all": grouped(len(pairs.names))})


def legend(kind: str) -> str:
    return _("votes") if kind == "votes" else _("score of the row")
