"""Collects the texts of pages and scripts, and compiles their translations.

make messages            # after a text was added or changed, and after translating
make messages CHECK=1    # says what is not in order, and changes nothing

Templates, Python and scripts are read with Babel, so GNU gettext is not needed. What is to be
translated stands in locale/*/LC_MESSAGES: django.po for pages, djangojs.po for scripts.
docs/translating.md tells how.
"""

import argparse
import io
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract, extract_javascript, extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).parent.parent
LOCALE = ROOT / "locale"
LANGUAGES = ("fr", "zh_Hans")
WIDTH = 96

# What a call of each name holds: (singular, plural), or a context before them.
ONE, MANY = None, (1, 2)
ONE_OF, MANY_OF = ((1, "c"), 2), ((1, "c"), 2, 3)
PYTHON_CALLS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), ONE),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), MANY),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ONE_OF),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), MANY_OF),
}
SCRIPT_CALLS = {"t": ONE, "tn": MANY}

# In the admin and about the API the arena speaks English alone.
ENGLISH = {"admin", "api"}

Found = Iterator[tuple[Path, Any, str | None]]
"""File, text (or singular and plural) and context."""


# -- Collecting ------------------------------------------------------------------------------


def page_texts() -> Found:
    for path in sorted((ROOT / "templates").rglob("*.html")):
        if not ENGLISH & set(path.parts):
            yield from calls(path, template_code(path), extract_python, PYTHON_CALLS)
    for path in sorted((ROOT / "arena").rglob("*.py")):
        if "migrations" not in path.parts:
            yield from calls(path, path.read_text(), extract_python, PYTHON_CALLS)


def script_texts() -> Found:
    for path in sorted((ROOT / "arena/core/static/core/js").glob("*.js")):
        yield from calls(path, path.read_text(), extract_javascript, SCRIPT_CALLS)


def template_code(path: Path) -> str:
    """The template's texts as calls in Python; within brackets, where indentation is free."""
    return f"({templatize(path.read_text(), origin=str(path))})"


def calls(path: Path, code: str, method: Callable[..., Any], keywords: dict[str, Any]) -> Found:
    for _, text, _, context in extract(method, io.BytesIO(code.encode()), keywords):
        yield path, text, context


@dataclass(frozen=True)
class Domain:
    """A pair of files per language, and where their texts come from."""

    name: str
    texts: Callable[[], Found]

    def collected(self) -> Catalog:
        catalog = Catalog(domain=self.name, fuzzy=False)
        for path, text, context in self.texts():
            catalog.add(text, locations=[(str(path.relative_to(ROOT)), 0)], context=context)
        return catalog

    def path(self, language: str) -> Path:
        return LOCALE / language / "LC_MESSAGES" / f"{self.name}.po"

    def read(self, language: str) -> Catalog:
        path = self.path(language)
        if not path.exists():
            return new_catalog(language, self.name)
        with path.open("rb") as file:
            return read_po(file, locale=language, domain=self.name)


DOMAINS = (Domain("django", page_texts), Domain("djangojs", script_texts))


def new_catalog(language: str, domain: str) -> Catalog:
    """An empty one, whose header says no more than what programs need."""
    return Catalog(
        locale=language,
        domain=domain,
        header_comment=f"# Texts of Tiltyard in {Locale.parse(language).english_name}.\n#",
        project="Tiltyard",
        version="0.1.0",
        msgid_bugs_address="none",
        last_translator="none",
        language_team="none",
        fuzzy=False,
    )


# -- Writing ---------------------------------------------------------------------------------


def update(domain: Domain, language: str, collected: Catalog) -> Catalog:
    """Bring the file up to what was collected. A changed text is a new one: nothing is guessed."""
    catalog = domain.read(language)
    catalog.update(collected, no_fuzzy_matching=True, update_creation_date=False)
    path = domain.path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(
            file,
            catalog,
            width=WIDTH,
            sort_by_file=True,
            include_lineno=False,
            ignore_obsolete=True,
        )
    path.with_suffix(".mo").write_bytes(compiled(domain.read(language)))
    return catalog


def compiled(catalog: Catalog) -> bytes:
    target = io.BytesIO()
    write_mo(target, catalog)
    return target.getvalue()


# -- Checking --------------------------------------------------------------------------------


def problems() -> list[str]:
    """All that is not in order, one line each."""
    return [
        line
        for domain in DOMAINS
        for collected in [domain.collected()]
        for language in LANGUAGES
        for line in problems_of(domain, language, collected)
    ]


def problems_of(domain: Domain, language: str, collected: Catalog) -> Iterator[str]:
    path = domain.path(language)
    where = path.relative_to(ROOT)
    if not path.exists():
        yield f"{where} does not exist: run `make messages`."
        return
    catalog = domain.read(language)
    known, wanted = names_of(catalog), names_of(collected)
    yield from (f"{where} lacks {name}: run `make messages`." for name in sorted(wanted - known))
    yield from (f"{where} has {name}, which nobody says." for name in sorted(known - wanted))
    for message in messages_of(catalog):
        yield from (f"{where}: {name_of(message)} {what}" for what in wrong_with(message, language))
    compiled_path = path.with_suffix(".mo")
    if not compiled_path.exists() or compiled_path.read_bytes() != compiled(catalog):
        yield f"{where} is not what its .mo was made of: run `make messages`."


def messages_of(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


def names_of(catalog: Catalog) -> set[str]:
    return {name_of(message) for message in messages_of(catalog)}


def name_of(message: Message) -> str:
    text = " / ".join(forms_of(message.id))
    return f"{text!r} ({message.context})" if message.context else repr(text)


def forms_of(text: Any) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def wrong_with(message: Message, language: str) -> Iterator[str]:
    sources, said = forms_of(message.id), forms_of(message.string)
    if message.fuzzy:
        yield "is fuzzy: look at it, and take the mark away."
    if not all(said):
        yield "is not translated."
        return
    yield from (f"says {form!r}: {what}" for form in said for what in misspelt(form, language))
    # A singular may leave its number out; the last form is that of many.
    allowed = [inner(source) for source in sources]
    if inner(said[-1]) != allowed[-1] or any(inner(form) not in allowed for form in said):
        yield f"has other {{names}}, %(names)s or tags than {said}."
    if any('"' in form for form in said) and not any('"' in source for source in sources):
        yield 'has a ", which would end an attribute it stands in.'


INNER = re.compile(r"%\(\w+\)\w|\{\w+\}|%%|</?\w[^>]*>")


def inner(text: str) -> list[str]:
    """What a text holds beside words, in any order."""
    return sorted(INNER.findall(text))


# Signs that want a narrow no-break space before or after them, and straight apostrophes.
FRENCH = re.compile(r"[^\u202f?!](?=[;!?»](?!\w))|[^\u202f](?=:(?:\s|$))|«(?!\u202f)|(?<=\w)'")
# Half-width signs beside Chinese characters.
CHINESE = re.compile(r"[\u4e00-\u9fff][,;:!?.(]|[,;:!?)](?=[\u4e00-\u9fff])")


def misspelt(form: str, language: str) -> Iterator[str]:
    words = INNER.sub("x", form)
    if language == "fr" and FRENCH.search(words):
        yield "narrow no-break spaces (U+202F) before ; : ! ? » and after «, and ’ for '."
    if language == "zh_Hans" and CHINESE.search(words):
        yield "full-width signs （，。：；！？） beside Chinese."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    if not parser.parse_args().check:
        for domain in DOMAINS:
            collected = domain.collected()
            for language in LANGUAGES:
                update(domain, language, collected)
    found = problems()
    print("\n".join(found) or "Every text is translated.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
