"""Hand-written material for recorded answers: what can be said about each demo prompt."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TEXTS = Path(__file__).parent / "texts"
CATEGORIES = ("advice", "code", "knowledge", "mathematics", "reasoning", "writing")
LEAST_POINTS = 5

Reader = Callable[[str, object], Any]


class MaterialError(ValueError):
    """A text file cannot be used; the message names the file, the field and the remedy."""


@dataclass(frozen=True, slots=True)
class Code:
    """A fenced block: its language tag and its lines, without the fences."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Point:
    """One thing worth saying, as alternatives that fit each other in any combination.

    brief: one sentence each, able to stand alone. more: what continues either of them.
    """

    title: str
    emoji: str
    brief: tuple[str, ...]
    more: tuple[str, ...]
    code: Code | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """All that answers to one prompt are made of; points stand most important first.

    lead_strong, lead_plain: openings that answer precisely, or correctly but in general terms.
    bridge: sentences that lead from the opening to the points, where the opening is a text of
    its own (an email, a story); most prompts need none.
    """

    slug: str
    category: str
    language: str
    prompt: str
    lead_strong: tuple[str, ...]
    lead_plain: tuple[str, ...]
    closing: tuple[str, ...]
    points: tuple[Point, ...]
    bridge: tuple[str, ...] = ()


def load_materials(folder: Path = TEXTS) -> tuple[Material, ...]:
    """Every text file of `folder`, sorted by slug.

    Raises MaterialError when there is none, or one is not as the format demands.
    """
    materials = tuple(load_material(path) for path in sorted(folder.glob("*.toml")))
    if not materials:
        raise MaterialError(f"{folder} holds no .toml file.")
    return materials


def load_material(path: Path) -> Material:
    """One text file. Raises MaterialError."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MaterialError(f"{path.name} is not TOML: {error}") from error
    try:
        return _material(data, path.stem)
    except MaterialError as error:
        raise MaterialError(f"{path.name}: {error}") from None


def _material(data: Mapping[str, Any], stem: str) -> Material:
    material = Material(**_read(data, _MATERIAL, optional=("bridge",)))
    known = ", ".join(CATEGORIES)
    titles = {point.title for point in material.points}
    _demand(material.slug == stem, f"slug {material.slug!r} must be the file's name.")
    _demand(material.category in CATEGORIES, f"category must be one of {known}.")
    _demand(len(titles) == len(material.points), "two points have the same title.")
    _demand(len(titles) >= LEAST_POINTS, f"give at least {LEAST_POINTS} points, best first.")
    return material


def _read(
    data: Mapping[str, Any], readers: Mapping[str, Reader], optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The fields that `readers` name, each read by its reader; none missing, none unknown."""
    unknown = sorted(set(data) - set(readers))
    missing = [name for name in readers if name not in data and name not in optional]
    _demand(not unknown, f"unknown field {', '.join(unknown)}. Known are {', '.join(readers)}.")
    _demand(not missing, f"field {', '.join(missing)} is missing.")
    return {name: read(name, data[name]) for name, read in readers.items() if name in data}


def _points(name: str, value: object) -> tuple[Point, ...]:
    return tuple(
        _point(f"point {number}", entry) for number, entry in enumerate(_list(name, value), start=1)
    )


def _point(name: str, value: object) -> Point:
    try:
        return Point(**_read(_table(name, value), _POINT, optional=("code",)))
    except MaterialError as error:
        raise MaterialError(f"{name}: {error}") from None


def _code(name: str, value: object) -> Code:
    code = Code(**_read(_table(name, value), {"language": _string, "text": _string}))
    _demand("```" not in code.text, f"{name} must not hold a fence.")
    return Code(code.language, code.text.strip("\n").rstrip())


def _texts(name: str, value: object) -> tuple[str, ...]:
    return tuple(_text(name, entry) for entry in _list(name, value))


def _text(name: str, value: object) -> str:
    text = _string(name, value).strip()
    _demand(text.count("**") % 2 == 0, f"{name} has a ** without its partner: {text[:60]!r}")
    return text


def _string(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise MaterialError(f"{name} must be text.")
    return value


def _list(name: str, value: object) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise MaterialError(f"{name} must be a list with at least one entry.")
    return value


def _table(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MaterialError(f"{name} must be a table.")
    return value


def _demand(condition: bool, message: str) -> None:
    if not condition:
        raise MaterialError(message)


_POINT: Mapping[str, Reader] = {
    "title": _text,
    "emoji": _text,
    "brief": _texts,
    "more": _texts,
    "code": _code,
}
_MATERIAL: Mapping[str, Reader] = {
    "slug": _text,
    "category": _text,
    "language": _text,
    "prompt": _text,
    "lead_strong": _texts,
    "lead_plain": _texts,
    "closing": _texts,
    "bridge": _texts,
    "points": _points,
}
