"""What categories are called, and what puts a vote in one, in the reader's language.

A category is named in publications by the last word of its tag, by `lang-` and a language's code,
or by one of the names that `ranking.analysis.tags` makes. Those that the field knows have words
here; others are called by their names.
"""

from django.conf.locale import LANG_INFO
from django.utils.text import capfirst
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from arena.battles.tagging import LONG, LONG_TOKENS, SHORT, SHORT_TOKENS
from ranking.analysis.tags import CODE, HARD, LANGUAGE
from ranking.snapshots import OVERALL

LABELS = {
    OVERALL: gettext_lazy("Overall"),
    CODE: gettext_lazy("Code"),
    HARD: gettext_lazy("Hard prompts"),
    "complexity": gettext_lazy("Complexity"),
    "creative_writing": gettext_lazy("Creative writing"),
    "creativity": gettext_lazy("Creativity"),
    "domain_knowledge": gettext_lazy("Domain knowledge"),
    "if": gettext_lazy("Instruction following"),
    LONG: gettext_lazy("Long prompts"),
    "math": gettext_lazy("Mathematics"),
    "multi_turn": gettext_lazy("Several turns"),
    "problem_solving": gettext_lazy("Problem solving"),
    "real_world": gettext_lazy("Real world"),
    SHORT: gettext_lazy("Short prompts"),
    "specificity": gettext_lazy("Specificity"),
    "technical_accuracy": gettext_lazy("Technical accuracy"),
}

DEFINITIONS = {
    CODE: gettext_lazy("The prompt or an answer holds code."),
    HARD: gettext_lazy(
        "At least six of the seven criteria of a demanding prompt hold: complexity, creativity, "
        "domain knowledge, problem solving, real world, specificity, technical accuracy."
    ),
    "complexity": gettext_lazy("The prompt has several parts, or takes several steps to answer."),
    "creative_writing": gettext_lazy("The prompt asks for writing that is invented."),
    "creativity": gettext_lazy("A good answer takes some invention."),
    "domain_knowledge": gettext_lazy("A good answer takes knowledge of a field."),
    "if": gettext_lazy("The prompt sets rules for the answer that can be checked."),
    "math": gettext_lazy("The prompt asks for mathematics."),
    "multi_turn": gettext_lazy("The conversation had more than one prompt before the vote."),
    "problem_solving": gettext_lazy("The prompt sets a problem that has to be worked out."),
    "real_world": gettext_lazy("The prompt is about something that somebody has to do."),
    "specificity": gettext_lazy("The prompt asks for one particular thing."),
    "technical_accuracy": gettext_lazy("The answer has to be right in technical detail."),
}
# Languages that Django has no entry of their own for.
LANGUAGES = {
    "la": gettext_lazy("Latin"),
    "yue": gettext_lazy("Cantonese"),
    "zh": gettext_lazy("Chinese"),
}


def category_label(name: str) -> str:
    """What a category is called, as a heading has it."""
    if name.startswith(LANGUAGE):
        return language_label(name.removeprefix(LANGUAGE))
    return str(LABELS[name]) if name in LABELS else capfirst(spaced(name))


def category_words(name: str) -> str:
    """What a category is called within a sentence."""
    label = category_label(name)
    return label if name.startswith(LANGUAGE) else label[:1].lower() + label[1:]


def category_definition(name: str) -> str:
    """What puts a vote in it, in one sentence."""
    if name.startswith(LANGUAGE):
        return _("The prompt is in %(language)s.") % {"language": category_label(name)}
    if name == LONG:
        return _("The prompt has at least %(tokens)s tokens.") % {"tokens": LONG_TOKENS}
    if name == SHORT:
        return _("The prompt has at most %(tokens)s tokens.") % {"tokens": SHORT_TOKENS}
    if name in DEFINITIONS:
        return str(DEFINITIONS[name])
    return _("Its votes bear the tag “%(tag)s”.") % {"tag": name}


def spaced(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")


def language_label(code: str) -> str:
    """A language by its code: its name where one is known, else the code."""
    if code in LANGUAGES:
        return str(LANGUAGES[code])
    if code not in LANG_INFO:
        return code
    return capfirst(str(get_language_info(code)["name_translated"]))
