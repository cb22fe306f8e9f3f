"""Which categories a vote belongs to: its tags, its language, whether it is about code.

A tag is a column `category_tag.…` of yes or no; others name no category. Of the field's seven
criteria of a demanding prompt a further category is made: HARD holds the votes of prompts that
meet at least ENOUGH of them, as the arena that introduced the criteria defines its hard prompts
(Li, Chiang and Dunlap 2024). What is not known of a vote puts it in no category.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ranking.arrays import BoolArray, IntArray
from ranking.snapshots import OVERALL
from ranking.tables import CATEGORY

CODE = "code"
HARD = "hard_prompts"
LANGUAGE = "lang-"
"""Begins the names of categories of one language each; a code of ISO 639 follows."""

CRITERIA = (
    *("complexity", "creativity", "domain_knowledge", "problem_solving"),
    *("real_world", "specificity", "technical_accuracy"),
)
ENOUGH = 6

MOST_CATEGORIES = 40
"""So many are kept, those with the most counted votes: each takes two boards to compute."""

LEAST_IN_LANGUAGE = 50
"""Counted votes that make a category of a language; a detector's slips make none."""

LONGEST_NAME = 200

LANGUAGES = {
    **{"arabic": "ar", "bengali": "bn", "bulgarian": "bg", "catalan": "ca", "chinese": "zh"},
    **{"croatian": "hr", "czech": "cs", "danish": "da", "dutch": "nl", "english": "en"},
    **{"estonian": "et", "finnish": "fi", "french": "fr", "galician": "gl", "german": "de"},
    **{"greek": "el", "hebrew": "he", "hindi": "hi", "hungarian": "hu", "indonesian": "id"},
    **{"italian": "it", "japanese": "ja", "korean": "ko", "latin": "la", "latvian": "lv"},
    **{"lithuanian": "lt", "malay": "ms", "norwegian": "no", "persian": "fa", "polish": "pl"},
    **{"portuguese": "pt", "romanian": "ro", "russian": "ru", "serbian": "sr", "slovak": "sk"},
    **{"slovenian": "sl", "spanish": "es", "swahili": "sw", "swedish": "sv", "tamil": "ta"},
    **{"thai": "th", "turkish": "tr", "ukrainian": "uk", "urdu": "ur", "vietnamese": "vi"},
}
"""Codes of languages by the names that older vote files have for them."""

NO_LANGUAGE = frozenset({"und", "mis", "mul", "zxx", "unknown"})
_CODE = re.compile(r"[a-z]{2,3}")


def categories_of(table: pa.Table, excluded: IntArray | None) -> dict[str, BoolArray]:
    """By name, sorted: (n,) whether each row of a table of votes belongs to the category.

    excluded: (n,) as Votes has it. At most MOST_CATEGORIES.
    """
    found: dict[str, BoolArray] = {}
    for name, inside in _every_category(table):
        found[name] = found[name] | inside if name in found else inside
    counted = {
        name: int((inside if excluded is None else inside & (excluded < 0)).sum())
        for name, inside in found.items()
        if name != OVERALL and _can_be_told(name)
    }
    most = sorted(
        (name for name in counted if counted[name] >= _least(name)),
        key=lambda name: (-counted[name], name),
    )
    return {name: found[name] for name in sorted(most[:MOST_CATEGORIES])}


def _can_be_told(name: str) -> bool:
    """Whether a category of that name can stand in a line and in an address."""
    is_word = any(sign.isalnum() for sign in name)
    return is_word and name.isprintable() and len(name) <= LONGEST_NAME


def _least(name: str) -> int:
    return LEAST_IN_LANGUAGE if name.startswith(LANGUAGE) else 0


def _every_category(table: pa.Table) -> Iterator[tuple[str, BoolArray]]:
    """Names with their rows; a name may come twice."""
    tags = {
        name.removeprefix(CATEGORY): _yes(table[name])
        for name in table.column_names
        if name.startswith(CATEGORY) and pa.types.is_boolean(table[name].type)
    }
    yield from ((name, tags[tag]) for tag, name in short_names(tags).items())
    yield from ((HARD, hard) for hard in _hard(tags))
    if "is_code" in table.column_names:
        yield CODE, _yes(table["is_code"])
    if "language" in table.column_names:
        yield from _languages(table["language"])


def _yes(column: pa.ChunkedArray) -> BoolArray:
    yes: BoolArray = column.fill_null(False).to_numpy()
    return yes


def short_names(tags: Iterable[str]) -> dict[str, str]:
    """What each tag's category is called: its last word, where no other ends in it."""
    words = {tag: tag.rpartition(".")[2] for tag in sorted(tags)}
    ending = Counter(words.values())
    return {tag: word if word and ending[word] == 1 else tag for tag, word in words.items()}


def _hard(tags: Mapping[str, BoolArray]) -> Iterator[BoolArray]:
    """Of each version of the criteria that has all seven: where enough of them hold."""
    versions = sorted({tag.rpartition(".")[0] for tag in tags})
    for version in versions:
        wanted = [f"{version}.{name}" if version else name for name in CRITERIA]
        if all(name in tags for name in wanted):
            met = np.zeros(tags[wanted[0]].size, dtype=np.int8)
            for name in wanted:
                met += tags[name]
            yield met >= ENOUGH


def _languages(column: pa.ChunkedArray) -> Iterator[tuple[str, BoolArray]]:
    """Of each language: the rows in it. What nobody can read as a language is none."""
    encoded = pc.dictionary_encode(column.cast(pa.string())).combine_chunks()
    if not len(encoded):
        return
    values = encoded.dictionary.to_pylist()
    codes = np.asarray(encoded.indices.fill_null(len(values)))
    spoken: dict[str, list[int]] = {}
    for place, value in enumerate(values):
        if language := language_of(value):
            spoken.setdefault(language, []).append(place)
    rows = np.bincount(codes, minlength=len(values) + 1)
    for language, places in sorted(spoken.items()):
        # Most of what a detector finds once or twice is no language of this arena.
        if rows[places].sum() >= LEAST_IN_LANGUAGE:
            chosen = np.zeros(len(values) + 1, dtype=bool)
            chosen[places] = True
            yield f"{LANGUAGE}{language}", chosen[codes]


def language_of(value: str) -> str:
    """The code of a language as a vote file spells it ("en", "zh-Hans", "French"); "" for none."""
    spelt = value.strip().lower().replace("_", "-")
    code = LANGUAGES.get(spelt, spelt.partition("-")[0])
    return code if _CODE.fullmatch(code) and code not in NO_LANGUAGE else ""
