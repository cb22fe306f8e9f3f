"""Answers in Markdown: one prompt's material, written out in one contestant's style."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from random import Random

from arena.demo.material import Code, Material, Point
from ranking.covariates import count_tokens

BASE_TOKENS = 150
SHORTEST, LONGEST = 40, 600

# Extents that miss the target by nearly as little as the best one are equally good, so that
# one target gives many short points as often as few long ones.
_TOLERANCE = 0.06
# Line ends and markers around a title, and around a point.
_TITLE_TOKENS, _POINT_TOKENS = 4, 2
_RUN = 3
_BOLD = re.compile(r"\*\*([^*\n]+)\*\*")


@dataclass(frozen=True, slots=True)
class Style:
    """How a contestant writes.

    length: logarithm of its length relative to BASE_TOKENS. The others are propensities in
    [0, 1]: the chance that an answer has section headers, that it has a list, that a title or a
    key phrase is bold, that code which fits a point is shown, and that points carry an emoji.
    """

    length: float = 0.0
    headers: float = 0.0
    lists: float = 0.0
    bold: float = 0.0
    code: float = 0.0
    emoji: float = 0.0

    @property
    def tokens(self) -> float:
        """The length aimed at, in tokens of `ranking.covariates.count_tokens`."""
        return min(max(BASE_TOKENS * math.exp(self.length), SHORTEST), LONGEST)


@dataclass(frozen=True, slots=True)
class _Labels:
    """The answer's own furniture in one language."""

    colon: str
    answer: str
    points: str
    closing: str


_LABELS = {
    "en": _Labels(":", "Short answer", "In detail", "One more thing"),
    "fr": _Labels("\u00a0:", "En bref", "En détail", "Pour finir"),
    "de": _Labels(":", "Kurz gesagt", "Im Einzelnen", "Zum Schluss"),
}
# Where the opening is a text of its own, the points are remarks about it.
_DRAFT_LABELS = _Labels(":", "Draft", "Notes", "One more thing")


@dataclass(frozen=True, slots=True)
class _Form:
    """The shape of one answer, drawn before its contents.

    sectioned: a header per point, rather than one over all of them. run_in: in prose, points
    open with their title in bold.
    """

    headed: bool
    listed: bool
    sectioned: bool
    numbered: bool
    titled: bool
    bold_titles: bool
    run_in: bool
    emoji: bool
    level: str

    @property
    def shows_titles(self) -> bool:
        return self.sectioned or (self.titled if self.listed else self.run_in)


@dataclass(frozen=True, slots=True)
class _Said:
    """A point as this answer makes it; `more` is empty where it is only mentioned."""

    title: str
    emoji: str
    brief: str
    more: str
    code: Code | None

    @property
    def text(self) -> str:
        return f"{self.brief} {self.more}".strip()


@dataclass(frozen=True, slots=True)
class _Contents:
    """What the answer says, before it is laid out. Absent parts are empty."""

    lead: str
    bridge: str
    points: tuple[_Said, ...]
    closing: str
    draft: bool


def render(material: Material, style: Style, substance: float, seed: int) -> str:
    """An answer to the prompt in Markdown, about `style.tokens` long.

    substance: in [0, 1]; the higher, the likelier a precise opening and the important points.
    The same arguments always give the same text.
    """
    rng = Random(seed)
    form = _form(style, rng)
    contents = _emphasised(_contents(material, style, substance, form, rng), style.bold, rng)
    labels = _DRAFT_LABELS if material.bridge else _LABELS.get(material.language, _LABELS["en"])
    return "\n\n".join(_blocks(contents, form, labels)) + "\n"


def _form(style: Style, rng: Random) -> _Form:
    headed, listed, bold, emoji = (
        rng.random() < chance for chance in (style.headers, style.lists, style.bold, style.emoji)
    )
    return _Form(
        headed=headed,
        listed=listed,
        sectioned=headed and (not listed or rng.random() < 0.2 + 0.5 * style.headers),
        numbered=rng.random() < 0.3,
        titled=bold or rng.random() < 0.5,
        bold_titles=bold,
        run_in=bold and rng.random() < 0.5,
        emoji=emoji,
        level=rng.choice(("##", "###")),
    )


# What is said


def _contents(
    material: Material, style: Style, substance: float, form: _Form, rng: Random
) -> _Contents:
    strong = rng.random() < 0.1 + 0.8 * substance
    opening = _Contents(
        lead=rng.choice(material.lead_strong if strong else material.lead_plain),
        bridge=rng.choice(material.bridge or ("",)),
        points=(),
        closing=rng.choice(material.closing),
        draft=bool(material.bridge),
    )
    said = [_said(point, style.code, rng) for point in material.points]
    order = _order(len(said), substance, rng)
    extents = list(_extents(opening, said, order, form))
    best = min(_miss(extent, style.tokens) for extent in extents)
    return rng.choice([e for e in extents if _miss(e, style.tokens) <= best + _TOLERANCE])[1]


def _said(point: Point, code: float, rng: Random) -> _Said:
    shown = point.code if point.code is not None and rng.random() < code else None
    return _Said(point.title, point.emoji, rng.choice(point.brief), rng.choice(point.more), shown)


def _order(points: int, substance: float, rng: Random) -> list[int]:
    """All points, those first that are said first when there is room for few."""
    keys = [substance * place / points + (1 - substance) * rng.random() for place in range(points)]
    return sorted(range(points), key=keys.__getitem__)


def _extents(
    opening: _Contents, said: Sequence[_Said], order: Sequence[int], form: _Form
) -> Iterator[tuple[float, _Contents]]:
    """Every way to say more or less, with its length in tokens: how many points are made, how
    many of them (the most important ones) in full, and whether there is a closing."""
    for number in range(len(order) + 1):
        if number == 1 and (form.headed or form.listed):
            continue  # a list of one item, or one section, is not how anybody writes
        kept = [said[place] for place in sorted(order[:number])]
        for full, closes in product(range(number + 1), (True, False)):
            points = tuple(kept[:full] + [replace(point, more="") for point in kept[full:]])
            contents = replace(
                opening,
                bridge=opening.bridge if points else "",
                points=points,
                closing=opening.closing if closes else "",
            )
            yield _length(contents, form), contents


def _length(contents: _Contents, form: _Form) -> float:
    around = _POINT_TOKENS + (_TITLE_TOKENS if form.shows_titles else 0)
    texts = (contents.lead, contents.bridge, contents.closing)
    return sum(map(_tokens, texts)) + sum(
        around
        + _tokens(point.brief)
        + _tokens(point.more)
        + (_tokens(point.title) if form.shows_titles else 0)
        + (_tokens(point.code.text) + _TITLE_TOKENS if point.code else 0)
        for point in contents.points
    )


def _miss(extent: tuple[float, _Contents], target: float) -> float:
    return abs(math.log(extent[0] / target))


@lru_cache(maxsize=4096)
def _tokens(text: str) -> int:
    return count_tokens(text)


def _emphasised(contents: _Contents, bold: float, rng: Random) -> _Contents:
    """Each key phrase stays marked with probability `bold`."""

    def mark(text: str) -> str:
        return _BOLD.sub(lambda match: match[0] if rng.random() < bold else match[1], text)

    points = (
        replace(said, brief=mark(said.brief), more=mark(said.more)) for said in contents.points
    )
    return replace(contents, lead=mark(contents.lead), points=tuple(points))


# How it is laid out


def _blocks(contents: _Contents, form: _Form, labels: _Labels) -> Iterator[str]:
    """The answer's Markdown blocks, to be separated by blank lines."""
    structured = len(contents.points) > 1
    sectioned = form.sectioned and (not form.listed or any(point.more for point in contents.points))
    if structured and form.headed and sectioned:
        yield from _sections(contents, form, labels)
    elif structured and form.headed:
        yield from _grouped(contents, form, labels)
    else:
        yield from _opening(contents)
        if structured and form.listed:
            yield _list(contents.points, form, labels)
        else:
            yield from _prose(contents.points, form)
        if contents.closing:
            yield contents.closing


def _opening(contents: _Contents) -> Iterator[str]:
    """The lead; where it is a text of its own, a rule keeps what follows apart from it."""
    yield contents.lead
    if contents.draft and (contents.points or contents.closing):
        yield "---"
    if contents.bridge:
        yield contents.bridge


def _sections(contents: _Contents, form: _Form, labels: _Labels) -> Iterator[str]:
    yield from _opening(contents)
    for point in contents.points:
        yield _header(point.title, form, point.emoji)
        if form.listed and point.more:
            yield f"- {point.brief}\n- {point.more}"
        else:
            yield point.text
        if point.code:
            yield _fenced(point.code)
    if contents.closing:
        yield _header(labels.closing, form)
        yield contents.closing


def _grouped(contents: _Contents, form: _Form, labels: _Labels) -> Iterator[str]:
    yield _header(labels.answer, form)
    yield contents.lead
    yield _header(labels.points, form)
    yield _list(contents.points, form, labels)
    if contents.closing:
        yield _header(labels.closing, form)
        yield contents.closing


def _header(title: str, form: _Form, emoji: str = "") -> str:
    return f"{form.level} {emoji} {title}" if emoji and form.emoji else f"{form.level} {title}"


def _list(points: Sequence[_Said], form: _Form, labels: _Labels) -> str:
    items = [
        _item(point, f"{number}. " if form.numbered else "- ", form, labels)
        for number, point in enumerate(points, start=1)
    ]
    return ("\n\n" if any(point.code for point in points) else "\n").join(items)


def _item(point: _Said, marker: str, form: _Form, labels: _Labels) -> str:
    emoji = f"{point.emoji} " if form.emoji else ""
    title = f"{point.title}{labels.colon}" if form.titled else ""
    if title:
        title = f"**{title}** " if form.bold_titles else f"{title} "
    item = f"{marker}{emoji}{title}{point.text}"
    if not point.code:
        return item
    indent = " " * len(marker)
    lines = _fenced(point.code).splitlines()
    return item + "\n\n" + "\n".join(indent + line if line else "" for line in lines)


def _prose(points: Sequence[_Said], form: _Form) -> Iterator[str]:
    """Paragraphs: a point made in full or followed by code has its own, others share one."""
    run: list[str] = []
    for point in points:
        alone = form.run_in or point.more or point.code
        if run and (alone or len(run) == _RUN):
            yield " ".join(run)
            run = []
        run.append(_sentence(point, form))
        if alone:
            yield run.pop()
        if point.code:
            yield _fenced(point.code)
    if run:
        yield " ".join(run)


def _sentence(point: _Said, form: _Form) -> str:
    title = f"**{point.title}.** " if form.run_in else ""
    return f"{title}{point.text} {point.emoji}" if form.emoji else f"{title}{point.text}"


def _fenced(code: Code) -> str:
    return f"```{code.language}\n{code.text}\n```"
