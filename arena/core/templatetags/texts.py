"""Translations that scripts need, as a data block of the page."""

from functools import cache
from gettext import GNUTranslations
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.utils.html import json_script
from django.utils.safestring import SafeString
from django.utils.translation import get_language, to_locale

register = template.Library()


@register.simple_tag
def texts_for_scripts() -> SafeString:
    """The texts of core/js in the page's language; nothing where they are their own source."""
    texts = script_texts(get_language() or settings.LANGUAGE_CODE)
    return json_script(texts, "texts") if texts else SafeString("")


@cache
def script_texts(language: str) -> dict[str, str | list[str]]:
    """Translations by their English text; those with plural forms as a list, by the singular."""
    if language == settings.LANGUAGE_CODE:
        return {}
    (folder,) = settings.LOCALE_PATHS
    path = Path(folder) / to_locale(language) / "LC_MESSAGES" / "djangojs.mo"
    with path.open("rb") as file:
        return gathered(catalog(GNUTranslations(file)))


def catalog(translations: GNUTranslations) -> dict[Any, str]:
    """All of it: the library looks texts up but lists none, so Django reads this as well."""
    entries: dict[Any, str] = translations._catalog  # type: ignore[attr-defined]
    return {text: said for text, said in entries.items() if text}


def gathered(entries: dict[Any, str]) -> dict[str, str | list[str]]:
    """From (text, form) of the library's own form to lists."""
    texts: dict[str, str | list[str]] = {}
    plurals: dict[str, dict[int, str]] = {}
    for text, said in entries.items():
        if isinstance(text, tuple):
            plurals.setdefault(text[0], {})[text[1]] = said
        else:
            texts[text] = said
    lists = {text: [forms[n] for n in sorted(forms)] for text, forms in plurals.items()}
    return texts | lists
