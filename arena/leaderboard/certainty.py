"""How sure first place is, in a sentence, from what a publication computed."""

from typing import Any

from django.core.cache import cache
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.leaderboard.models import Fitted
from arena.leaderboard.selectors import part_get

KEPT_SECONDS = 24 * 3600
# From this chance on nobody says that first place is open.
SETTLED_PERCENT = 95


def first_place(snapshot: Fitted, *, is_settled: bool) -> str:
    """The chance of whoever leads, and what would put the next ahead; "" where it is not known.

    is_settled: whether the leader alone can hold first place.
    """
    facts = facts_of(snapshot)
    if not facts:
        return ""
    told = {name: shown(value) for name, value in facts.items()}
    # Rank sets consider all contestants at once, so they may leave open what one chance settles.
    is_open = not is_settled and facts["chance"] < SETTLED_PERCENT
    if not facts["votes"]:
        return chance_sentence(is_open) % told
    if not facts["voters"] or facts["votes"] == 1:
        return votes_sentence(is_open, facts["votes"]) % told
    return voters_sentence(is_open, facts["voters"]) % told


def shown(value: Any) -> str:
    return value if isinstance(value, str) else str(number_format(value, force_grouping=True))


def chance_sentence(is_open: bool) -> str:
    if is_open:
        return _("First place is not settled: %(leader)s leads with probability %(chance)s%%.")
    return _("%(leader)s leads with probability %(chance)s%%.")


def votes_sentence(is_open: bool, votes: int) -> str:
    if is_open:
        return ngettext(
            "First place is not settled: %(leader)s leads with probability %(chance)s%%, and "
            "removing %(votes)s vote would put %(second)s ahead.",
            "First place is not settled: %(leader)s leads with probability %(chance)s%%, and "
            "removing %(votes)s votes would put %(second)s ahead.",
            votes,
        )
    return ngettext(
        "%(leader)s leads with probability %(chance)s%%; removing %(votes)s vote would put "
        "%(second)s ahead.",
        "%(leader)s leads with probability %(chance)s%%; removing %(votes)s votes would put "
        "%(second)s ahead.",
        votes,
    )


def voters_sentence(is_open: bool, voters: int) -> str:
    if is_open:
        return ngettext(
            "First place is not settled: %(leader)s leads with probability %(chance)s%%, and "
            "removing %(votes)s votes cast by %(voters)s voter would put %(second)s ahead.",
            "First place is not settled: %(leader)s leads with probability %(chance)s%%, and "
            "removing %(votes)s votes cast by %(voters)s voters would put %(second)s ahead.",
            voters,
        )
    return ngettext(
        "%(leader)s leads with probability %(chance)s%%; removing %(votes)s votes cast by "
        "%(voters)s voter would put %(second)s ahead.",
        "%(leader)s leads with probability %(chance)s%%; removing %(votes)s votes cast by "
        "%(voters)s voters would put %(second)s ahead.",
        voters,
    )


def facts_of(snapshot: Fitted) -> dict[str, Any]:
    """Small things out of parts that hold a number for each pair: kept, as neither changes."""
    key = f"first-place:{snapshot.digest}"
    found: dict[str, Any] | None = cache.get(key)
    if found is None:
        found = facts_read(snapshot)
        cache.set(key, found, KEPT_SECONDS)
    return found


def facts_read(snapshot: Fitted) -> dict[str, Any]:
    sure, fragility = part_get(snapshot, "sure"), part_get(snapshot, "fragility")
    if sure is None or not sure["chances"]:
        return {}
    first = min(sure["chances"], key=lambda entry: entry["rank"])
    name = first["contestant"]
    facts = {"leader": name, "chance": percent(first["best"]), "votes": 0, "voters": 0}
    for pair in fragility["pairs"] if fragility else ():
        if pair["contestant"] == name and pair["unit"] == "vote" and pair["fewest"]:
            told = {"votes": pair["votes"], "voters": pair["voters"] or 0}
            return facts | told | {"second": pair["opponent"]}
    return facts


def percent(chance: float) -> int:
    """Whole; short of certainty, which no number of draws can show."""
    return min(round(100 * chance), 99)
