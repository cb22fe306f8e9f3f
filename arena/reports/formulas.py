"""The written method, docs/methodology.md, as a page with an address for each heading."""

import hashlib
import re
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext as _

from arena.core.exceptions import Unknown
from arena.core.markdown import render

HEADING = re.compile(r"^(#{1,3}) +(.+?)\s*$")
MARKS = re.compile(r"[`*]|\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True)
class Chapter:
    """What stands under one heading. level: 1 for the title of the whole."""

    level: int
    title: str
    slug: str
    text: SafeString


def source() -> str:
    """Raises Unknown where the arena was installed without its documents."""
    path = settings.BASE_DIR / "docs" / "methodology.md"
    try:
        return str(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unknown(_("The written method is not installed here.")) from error


def digest() -> str:
    return hashlib.sha256(source().encode()).hexdigest()


def chapters() -> tuple[Chapter, ...]:
    return chapters_of(source())


@cache
def chapters_of(text: str) -> tuple[Chapter, ...]:
    found: list[tuple[int, str, list[str]]] = []
    is_code = False
    for line in text.splitlines():
        is_code ^= line.startswith("```")
        heading = None if is_code else HEADING.match(line)
        if heading:
            found.append((len(heading[1]), MARKS.sub(r"\1", heading[2]), []))
        elif found:
            found[-1][2].append(line)
    return tuple(
        Chapter(level, title, slug_of(title), render("\n".join(lines)))
        for level, title, lines in found
    )


def slug_of(title: str) -> str:
    """Of a heading, without what stands in brackets at its end."""
    return slugify(re.sub(r"\s*\([^)]*\)$", "", title))
