"""The sentences of a voter's own page, computed from their votes."""

from collections import Counter
from collections.abc import Mapping, Sequence

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.leaderboard.personal import LEAST_DECIDED, Agreement, BoardPlace
from ranking.personal import PersonalRanking


def headline(ranking: PersonalRanking | None, votes: int) -> str:
    """The most that the voter's own votes settle."""
    if not votes:
        return _("You have voted in no battle yet.")
    if ranking is None:
        return _("You have cast no vote that counts yet.")
    if not ranking.settled:
        return ngettext(
            "Your one vote that counts does not settle yet who is better.",
            "Your %(count)s votes that count do not settle yet who is better.",
            ranking.votes,
        ) % {"count": number_format(ranking.votes, force_grouping=True)}
    if len(ranking.settled) == 1:
        ((better, worse),) = ranking.settled
        told = {"better": better, "worse": worse}
        return _("You rank %(better)s above %(worse)s; nothing else is settled yet.") % told
    return most_settled(ranking)


def most_settled(ranking: PersonalRanking) -> str:
    """About the contestant that most others are surely above or below of."""
    above = Counter(better for better, _worse in ranking.settled).most_common(1)[0]
    below = Counter(worse for _better, worse in ranking.settled).most_common(1)[0]
    name, count = max(above, below, key=lambda counted: counted[1])
    others = len(ranking.standings) - 1
    told = {"name": name, "count": count, "others": others}
    if count == others:
        first = _("You rank %(name)s above all %(others)s others you met.")
        last = _("You rank %(name)s below all %(others)s others you met.")
        return (first if (name, count) == above else last) % told
    higher = _("You rank %(name)s above %(count)s of the %(others)s others you met.")
    lower = _("You rank %(name)s below %(count)s of the %(others)s others you met.")
    return (higher if (name, count) == above else lower) % told


def subtitle(ranking: PersonalRanking | None, places: Mapping[str, BoardPlace]) -> str:
    """How much is settled, and what the board makes of that."""
    if ranking is None:
        return _("Blind votes between two contestants make a ranking of your own.")
    met = len(ranking.standings)
    if not ranking.settled:
        told = {"count": met}
        return (
            _("Each of the %(count)s contestants you met could still stand from 1 to %(count)s.")
            % told
        )
    settled, pairs = len(ranking.settled), met * (met - 1) // 2
    words = ngettext(
        "%(settled)s pair of %(pairs)s is settled at 95%% confidence.",
        "%(settled)s pairs of %(pairs)s are settled at 95%% confidence.",
        settled,
    ) % {"settled": settled, "pairs": pairs}
    return f"{words} {against_the_board(ranking.settled, places)}".rstrip()


def against_the_board(settled: Sequence[tuple[str, str]], places: Mapping[str, BoardPlace]) -> str:
    """How many settled pairs the board ranks the other way; nothing where it ranks none."""
    known = [pair for pair in settled if set(pair) <= places.keys()]
    if not known:
        return ""
    against = sum(places[better].rating < places[worse].rating for better, worse in known)
    if not against:
        return _("The raw board does not contradict this.")
    return _("The raw board ranks %(count)s the other way.") % {"count": against}


def too_few(votes: int) -> str:
    return ngettext(
        "You have %(count)s decided vote between contestants of the board. From %(least)s on, "
        "this says how often you side with it.",
        "You have %(count)s decided votes between contestants of the board. From %(least)s on, "
        "this says how often you side with it.",
        votes,
    ) % {"count": votes, "least": LEAST_DECIDED}


def sided(found: Agreement) -> str:
    return _("You sided with the board in %(count)s of %(votes)s decided votes.") % {
        "count": number_format(found.agreeing, force_grouping=True),
        "votes": number_format(found.votes, force_grouping=True),
    }


def beside_expected(found: Agreement) -> str:
    """The interval, against what somebody with the board's own chances would do."""
    told = {
        "low": round(100 * found.lower),
        "high": round(100 * found.upper),
        "expected": round(100 * found.expected),
    }
    share = _(
        "Your share lies between %(low)s and %(high)s in 100 (95%% interval). A voter who follows "
        "the board's odds sides with it in %(expected)s of 100."
    )
    return f"{share % told} {apart(found)}"


def apart(found: Agreement) -> str:
    if found.lower > found.expected:
        return _("You do so more often than that.")
    if found.upper < found.expected:
        return _("You do so less often than that.")
    return _("Nothing sets you apart from it so far.")
