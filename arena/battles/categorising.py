"""The categories of battles: what their first prompt says of itself, and how many have each."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet

from arena.battles.languages import language_of
from arena.battles.models import Battle, CategoryRule, Judgement, Prompt, Vote
from arena.battles.rules import asked_of, rule_tags, rules_active
from arena.battles.tagging import CRITERIA, OF_RULES, own_tags, tags_of

# Those that every prompt is looked at for.
OF_TEXT = tuple(tags_of(""))


def categories_of(text: str, source: Prompt | None) -> dict[str, Any]:
    """Fields of a battle over that prompt: `categories` by name, and `language`.

    What the operator said of a recorded prompt holds, whatever its text looks like.
    """
    language = (source.language if source else "") or language_of(text)
    asked = asked_of(text, language, source.collection_id if source else None)
    own = own_tags(source.category) if source else {}
    tags = tags_of(text) | rule_tags(rules_active(), asked) | own
    return {"categories": dict(sorted(tags.items())), "language": language}


# -- For votes at rest -----------------------------------------------------------------------


def tags_of_votes(after: int, last: int) -> list[str]:
    """Every tag that votes with an id in (after, last] may bear, without reading each of them."""
    votes = Vote.objects.order_by().filter(pk__gt=after, pk__lte=last)
    found = {*OF_TEXT, *tags_of_recorded(votes)}
    if Judgement.objects.filter(battle__vote__in=votes, verdict__isnull=False).exists():
        found.update(CRITERIA)
    if newest := Vote.objects.filter(pk__lte=last).order_by("-pk").first():
        made = CategoryRule.objects.filter(created_at__lte=newest.created_at)
        found.update(OF_RULES + slug for slug in made.values_list("slug", flat=True))
    return sorted(found)


def tags_of_recorded(votes: QuerySet[Vote]) -> set[str]:
    """Those that recorded prompts' own categories make; the prompts may say otherwise by now."""
    recorded = votes.filter(battle__recorded_prompt__isnull=False)
    kinds = recorded.values_list("battle__categories", flat=True).distinct()
    return {tag for categories in kinds for tag in categories}


# -- For operators ---------------------------------------------------------------------------


@dataclass(frozen=True)
class InCategory:
    """How many battles have a tag, how many of these a vote, and of how many it is not known."""

    name: str
    battles: int
    votes: int
    unknown: int


@dataclass(frozen=True)
class Categorised:
    """Battles since a time, those with a vote among them, by tag and by language.

    Both lists have the most frequent first; a language is a code, "" where it is not known.
    """

    battles: int
    votes: int
    tags: tuple[InCategory, ...]
    languages: tuple[InCategory, ...]


def categorised(since: datetime | None = None) -> Categorised:
    """How many battles each category has, of those that began since then."""
    battles = Battle.objects.order_by()
    if since:
        battles = battles.filter(created_at__gte=since)
    rows = battles.values_list("categories", "language").annotate(Count("pk"), Count("vote"))
    tags, languages = Tally(), Tally()
    for categories, language, count, votes in rows.iterator():
        tags.add({name for name, has in categories.items() if has}, set(categories), count, votes)
        languages.add({language}, set(), count, votes)
    return Categorised(tags.battles, tags.votes, tags.rows(), languages.rows())


class Tally:
    """Counts of battles and votes, and of the battles of which each name is known."""

    def __init__(self) -> None:
        self.battles = self.votes = 0
        self.has: Counter[str] = Counter()
        self.voted: Counter[str] = Counter()
        self.known: Counter[str] = Counter()

    def add(self, has: set[str], known: set[str], battles: int, votes: int) -> None:
        self.battles += battles
        self.votes += votes
        for names, counter, count in (
            (has, self.has, battles),
            (has, self.voted, votes),
            (known, self.known, battles),
        ):
            for name in names:
                counter[name] += count

    def rows(self) -> tuple[InCategory, ...]:
        names = sorted(self.known | self.has, key=lambda name: (-self.has[name], name))
        return tuple(
            InCategory(name, self.has[name], self.voted[name], self.battles - self.known[name])
            for name in names
        )
