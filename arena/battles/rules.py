"""Operators' rules of categories: what a prompt must hold, matched in time linear in the prompt.

Words and patterns run on RE2, which never goes back in a text: no rule can be made that some
prompt would keep busy.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from arena.battles.languages import language_of
from arena.battles.models import CategoryRule, Turn
from arena.battles.tagging import CRITERIA, OF_RULES, ends_of
from arena.core.exceptions import BadInput, Conflict
from arena.core.services import audit
from ranking.covariates import count_tokens

# What a compiled expression may take; one that repeats repetitions would take much more.
MOST_MEMORY = 1 << 18
MOST_ACTIVE = 50
MOST_WORDS = 200
# Names of categories that votes have anyway.
RESERVED = frozenset(
    {
        *CRITERIA,
        *("overall", "code", "math", "creative_writing", "if", "hard_prompts"),
        *("short_prompt", "long_prompt", "multi_turn"),
    }
)
CONDITIONS = ("words", "pattern", "collection", "language", "least_tokens", "most_tokens")


@dataclass(frozen=True)
class Asked:
    """What rules look at. language: empty where it is not sure. collection: its id."""

    text: str
    language: str
    tokens: int
    collection: int | None = None


def asked_of(text: str, language: str, collection: int | None = None) -> Asked:
    return Asked(ends_of(text), language, count_tokens(text), collection)


# -- Matching --------------------------------------------------------------------------------


def rules_active() -> list[CategoryRule]:
    return list(CategoryRule.objects.filter(is_active=True))


def rule_tags(rules: Iterable[CategoryRule], asked: Asked) -> dict[str, bool]:
    """The tag of each rule, and whether the prompt has it."""
    return {OF_RULES + rule.slug: rule_holds(rule, asked) for rule in rules}


def rule_holds(rule: CategoryRule, asked: Asked) -> bool:
    return all(conditions(rule, asked))


def conditions(rule: CategoryRule, asked: Asked) -> Iterator[bool]:
    """Whether the prompt meets each of what the rule states, the cheapest first."""
    if rule.collection_id is not None:
        yield rule.collection_id == asked.collection
    if rule.language:
        yield rule.language == asked.language
    if rule.least_tokens is not None:
        yield asked.tokens >= rule.least_tokens
    if rule.most_tokens is not None:
        yield asked.tokens <= rule.most_tokens
    for expression in filter(None, (expression_of(rule.words), rule.pattern)):
        yield bool(compiled(expression).search(asked.text))


def expression_of(words: str) -> str:
    """One that finds any of the words, a line each, where it stands as a word."""
    return "|".join(whole(word) for word in words_in(words))


def words_in(words: str) -> list[str]:
    return [word for line in words.splitlines() if (word := line.strip())]


def whole(word: str) -> str:
    before = r"(?:^|[^\pL\pN_])" if ends_words(word[0]) else ""
    behind = r"(?:$|[^\pL\pN_])" if ends_words(word[-1]) else ""
    return f"{before}{re2.escape(word)}{behind}"


def ends_words(sign: str) -> bool:
    """Whether blanks or marks stand beside words that begin or end so: not beside ideographs."""
    return unicodedata.category(sign) in ("Lu", "Ll", "Lt", "Nd")


@lru_cache(maxsize=256)
def compiled(expression: str) -> Any:
    """Raises ValidationError, in RE2's words."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = MOST_MEMORY
    try:
        return re2.compile(expression, options)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        words = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise ValidationError(f"RE2 does not take it: {words}.") from error


# -- Making and ending -----------------------------------------------------------------------


def rule_check(rule: CategoryRule) -> None:
    """Raises ValidationError where it states nothing, or what cannot be."""
    rule.words = "\n".join(words_in(rule.words))
    if rule.slug in RESERVED or re.fullmatch(r"lang_?.{0,3}", rule.slug):
        raise ValidationError({"slug": "The arena itself has a category of that name."})
    if all(getattr(rule, name) in (None, "") for name in CONDITIONS):
        raise ValidationError("State at least one condition: this rule would hold for everything.")
    if len(words_in(rule.words)) > MOST_WORDS:
        raise ValidationError({"words": f"At most {MOST_WORDS} words or phrases."})
    for name, expression in (("words", expression_of(rule.words)), ("pattern", rule.pattern)):
        try:
            found = expression and compiled(expression).search("")
        except ValidationError as error:
            raise ValidationError({name: error.messages}) from error
        if found:
            raise ValidationError({name: "It holds for every prompt, even one without a word."})
    least, most = rule.least_tokens, rule.most_tokens
    if least is not None and most is not None and least > most:
        raise ValidationError({"most_tokens": "No prompt has fewer tokens than it has at least."})


@transaction.atomic
def rule_create(*, rule: CategoryRule, actor: Any = None) -> CategoryRule:
    """Put a rule into force: battles that begin from now on are looked at for it.

    Raises ValidationError, or BadInput where so many are active already.
    """
    rule.full_clean()
    rule_check(rule)
    refuse_too_many(rule)
    rule.created_by = actor
    rule.save(force_insert=True)
    stated = {name: str(getattr(rule, name) or "") for name in CONDITIONS}
    audit(action="category_rule.create", subject=rule.slug, actor=actor, **stated)
    return rule


@transaction.atomic
def rule_switch(*, rule: CategoryRule, is_active: bool, actor: Any = None) -> None:
    """Look at battles for it, or no longer; what bears its tag keeps it.

    Raises Conflict where it is so already, BadInput where too many are active.
    """
    rule.is_active = is_active
    refuse_too_many(rule)
    if not CategoryRule.objects.filter(pk=rule.pk, is_active=not is_active).update(
        is_active=is_active
    ):
        raise Conflict(f"“{rule}” is {'active' if is_active else 'inactive'} already.")
    action = "category_rule.start" if is_active else "category_rule.stop"
    audit(action=action, subject=rule.slug, actor=actor)


def refuse_too_many(rule: CategoryRule) -> None:
    """Every prompt is looked at for each of them before anybody answers it."""
    others = CategoryRule.objects.filter(is_active=True).exclude(pk=rule.pk)
    if rule.is_active and others.count() >= MOST_ACTIVE:
        raise BadInput(f"{MOST_ACTIVE} rules are active, which is the most. End one of them first.")


# -- Trying one --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """What a rule would have found among the latest first prompts whose texts are kept."""

    looked: int
    found: Sequence[Turn]


LOOKED_AT = 500


def rule_try(rule: CategoryRule, most: int = LOOKED_AT) -> Trial:
    """Which of the latest `most` prompts the rule holds for, the latest first."""
    latest = list(first_turns()[:most])
    return Trial(len(latest), [turn for turn in latest if rule_holds(rule, asked_in(turn))])


def first_turns() -> QuerySet[Turn]:
    """Those that begin battles and whose texts are kept, the latest first."""
    first = Turn.objects.filter(number=1).exclude(salt="").exclude(prompt="")
    return first.select_related("battle__recorded_prompt").order_by("-pk")


def asked_in(turn: Turn) -> Asked:
    battle = turn.battle
    source = battle.recorded_prompt
    language = battle.language or language_of(turn.prompt)
    return asked_of(turn.prompt, language, source.collection_id if source else None)
