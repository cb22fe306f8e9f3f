"""Sentences of a publication, in the reader's language.

A publication is one document for everybody, so what the engine has to say stands in it in
English. Each of its sentences is known here by its pattern; one that is not is shown as it is.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache, reduce

from django.conf import settings
from django.utils.formats import number_format
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext_lazy, gettext_noop, pgettext
from django.utils.translation import gettext as _

LABELS = {
    "length": gettext_lazy("Length"),
    "headers": gettext_lazy("Headers"),
    "lists": gettext_lazy("Lists"),
    "bold": gettext_lazy("Bold"),
    "code": gettext_lazy("Code"),
    "emoji": gettext_lazy("Emoji"),
    "first_token": gettext_lazy("First token"),
    "duration": gettext_lazy("Duration"),
    "position": gettext_lazy("Shown first"),
}
SPLIT = gettext_noop("a split of the contestants")
# Those that hold another come first: it would pass for a name.
SENTENCES = (
    gettext_noop("Style is not controlled for: %(sentence)s"),
    gettext_noop("The side shown first is not accounted for: %(sentence)s"),
    gettext_noop(
        "No two contestants have both won and lost against each other, so nobody can be placed yet."
    ),
    gettext_noop("One voter cast nearly all the votes; the intervals treat votes as independent."),
    gettext_noop(
        "%(names)s is equal on both sides of every counted vote, so it has no coefficient."
    ),
    gettext_noop("%(names)s always move together in these votes; leave one of them out."),
    gettext_noop(
        "%(names)s follows from which contestants meet, so it cannot be told apart from their "
        "strengths; fit without it."
    ),
    gettext_noop(
        "%(names)s: %(share)s%% of its variation lies between contestants, so its coefficient "
        "rests on too little variation within them."
    ),
    gettext_noop(
        "%(names)s: nearly determined by the other covariates, so single coefficients are loose."
    ),
    gettext_noop(
        "Few voters: the votes weigh like those of %(effective)s equally active ones, so the "
        "intervals are rough."
    ),
    gettext_noop(
        "%(voters)s voters are too few for %(parameters)s parameters: no simultaneous rank sets "
        "are given."
    ),
    gettext_noop(
        "No counted vote is a tie, so the tie parameter has no finite estimate; the model's limit "
        "without ties was fitted."
    ),
    gettext_noop(
        "No counted vote is both bad, so the level has no finite estimate; the model's limit "
        "without both-bad votes was fitted."
    ),
    gettext_noop(
        "%(names)s separates wins from losses in these votes, so no finite estimate exists. "
        "Fit without it or gather more votes."
    ),
    gettext_noop(
        "%(names)s separate wins from losses in these votes, so no finite estimate exists. "
        "Fit without them or gather more votes."
    ),
    gettext_noop(
        "%(names)s separates wins from losses in these votes, so no finite estimate exists "
        "(the contestants that it moves most: %(moved)s). Fit without it or gather more votes."
    ),
    gettext_noop(
        "%(names)s separate wins from losses in these votes, so no finite estimate exists "
        "(the contestants that it moves most: %(moved)s). Fit without them or gather more votes."
    ),
    gettext_noop(
        "The votes do not bound how much the categories differ, so hardly anything is pooled and "
        "the intervals leave out that τ is uncertain."
    ),
    # What a job says of how far it is.
    gettext_noop("%(fits)s of at most %(most)s boards fitted"),
    gettext_noop("Fitting all votes"),
    gettext_noop("Looking for the fewest votes that hold the order"),
    gettext_noop("Counting the votes that would rig the order"),
)


def sentence_translated(sentence: str) -> str:
    """What the engine said, as the reader's language has it."""
    if get_language() == settings.LANGUAGE_CODE:
        return sentence
    for source in SENTENCES:
        if found := pattern(source).fullmatch(sentence):
            return capfirst(_(source) % values_translated(found.groupdict()))
    return sentence


def is_known(sentence: str) -> bool:
    return any(pattern(source).fullmatch(sentence) for source in SENTENCES)


@cache
def pattern(source: str) -> re.Pattern[str]:
    """Matches what the engine makes of a sentence by filling it in."""
    escaped = re.escape(source).replace("%%", "%")
    return re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+?)", escaped), re.DOTALL)


def values_translated(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value_translated(name, value) for name, value in values.items()}


def value_translated(name: str, value: str) -> str:
    match name:
        case "sentence":
            return sentence_translated(value)
        case "names":
            return _(SPLIT) if value == SPLIT else covariates_translated(value)
        case "moved":
            return value
    return str(number_format(Decimal(value)))


def covariates_translated(text: str) -> str:
    """Covariates as the engine lists them."""
    names = re.split(r", | and ", text)
    if not all(name in LABELS for name in names):
        return text
    return listed(str(LABELS[name]).lower() for name in names)


def grouped(value: float) -> str:
    """A whole number as the reader's language groups its digits."""
    return str(number_format(round(value), force_grouping=True))


def joined(*sentences: str) -> str:
    """Sentences one after the other, with what the language has between them; no empty ones."""
    said = [sentence for sentence in sentences if sentence]
    return reduce(two_joined, said) if said else ""


def two_joined(first: str, second: str) -> str:
    return _("%(first)s %(second)s") % {"first": first, "second": second}


def listed(names: Iterable[str]) -> str:
    """Names as the words of a sentence: a, b and c."""
    *others, last = names
    if not others:
        return last
    told = {"others": pgettext("between names", ", ").join(others), "last": last}
    return _("%(others)s and %(last)s") % told
