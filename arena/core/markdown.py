"""Stored Markdown as HTML that a stranger may have written."""

import re
from collections.abc import Sequence
from typing import Any

import nh3
from django.conf import settings
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from arena.core.effort import Effort, bounded_effort
from arena.core.mathematics import math_syntax
from arena.core.rendered import Rendered, digest

ABSOLUTE = re.compile("https?:|mailto:", re.IGNORECASE)
RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
DASHES = re.compile("-+")
# Beyond as many cells as its lines have characters, and so many, a table is shown as text.
SPARE_CELLS = 256
# What a table takes besides its cells, in lines looked at.
TABLE_LINES = 8
LANGUAGE = re.compile(r"[ \t]*([A-Za-z0-9_+#.-]{1,24})(?=[ \t:{,]|$)")

# Shorter texts take a few milliseconds.
KEPT_CHARACTERS = 1_000

TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "s", "del"),
    *("ul", "ol", "li", "blockquote", "pre", "code", "a"),
    *("table", "thead", "tbody", "tr", "th", "td"),
    *("div", "span"),
}
ATTRIBUTES = {
    "a": {"href", "title"},
    "ol": {"start"},
    "code": {"class"},
    "th": {"align"},
    "td": {"align"},
    "div": {"data-language"},
    "*": {"dir"},
}
CLASSES = {"div": {"code", "scroll", "math", "display"}, "span": {"image", "math", "display"}}
IMAGE_ATTRIBUTES = {"src", "alt", "title", "referrerpolicy", "loading", "decoding"}


def render(text: str) -> SafeString:
    """HTML of `text` with headings, lists, tables, code, TeX and links, and nothing that runs.

    The browser renders answers that are being written by the same rules (js/markdown.js), and
    its `enhance` sets mathematics and colours code in both. Images are named and not fetched,
    which would tell their host who reads what, unless ANSWER_IMAGES allows it.
    """
    if len(text) < KEPT_CHARACTERS:
        return mark_safe(cleaned(text))
    key = digest(str(get_language()), str(bool(settings.ANSWER_IMAGES)), text)
    html = kept.get(key)
    if html is None:
        html = cleaned(text)
        kept.put(key, html)
    return mark_safe(html)


def cleaned(text: str) -> str:
    return nh3.clean(
        _parser.render(text, {"effort": Effort()}),
        tags=TAGS | {"img"} if settings.ANSWER_IMAGES else TAGS,
        attributes=ATTRIBUTES | {"img": IMAGE_ATTRIBUTES},
        attribute_filter=without_relative_links,
        allowed_classes=CLASSES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


def without_relative_links(tag: str, attribute: str, value: str) -> str | None:
    """An answer knows no pages of the arena; others than these schemes are gone already."""
    is_relative = attribute == "href" and not ABSOLUTE.match(value)
    return None if is_relative else value


def directions(state: StateCore) -> None:
    """Blocks go the way of their first letter, and what stands inside them goes with them.

    So a list's marks are on the side of its text. `dir="auto"` says the same, but makes a browser
    look for that letter again with every element it adds: half a second for 500 rows of figures.
    """
    block: Token | None = None
    for token in state.tokens:
        if token.level == 0 and token.nesting == 1:
            block = token
        elif block and (letter := first_letter(token)):
            if RIGHT_TO_LEFT.match(letter):
                block.attrSet("dir", "rtl")
            block = None


def first_letter(token: Token) -> str:
    """Of words; neither code nor TeX says which way a text goes."""
    words = (child.content for child in token.children or () if child.type == "text")
    return next((letter for text in words for letter in text if letter.isalpha()), "")


def alignments(state: StateCore) -> None:
    """Those of cells come as a style attribute, which the page's policy forbids."""
    for token in state.tokens:
        if style := token.attrs.pop("style", None):
            token.attrSet("align", str(style).removeprefix("text-align:"))


def bounded_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A table, or its lines as code where filling up its short rows would make far more of it.

    A line that holds a lone pipe is a row as wide as the first: 2 characters for 1,000 cells.
    """
    if not table(state, start, end, silent=True):
        return False
    if silent:
        return True
    columns = len(DASHES.findall(line_of(state, start + 1)))
    last = end_of_rows(state, start + 2, end) if columns * (end - start) > SPARE_CELLS else end
    cells = columns * (last - start - 1)
    if cells <= SPARE_CELLS + state.eMarks[last - 1] - state.bMarks[start]:
        state.env["effort"].spend_lines(TABLE_LINES + cells)
        return table(state, start, end, silent=False)
    text = state.push("code_block", "code", 0)
    text.content = state.getLines(start, last, state.blkIndent, keepLastLF=True)
    text.map = [start, last]
    state.line = last
    return True


def line_of(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def end_of_rows(state: StateBlock, first: int, end: int) -> int:
    """The line before which the rows of a table end, by the same signs as in its own rule."""
    others = state.md.block.ruler.getRules("blockquote")
    for line in range(first, end):
        if state.isEmpty(line) or state.sCount[line] < state.blkIndent or state.is_code_block(line):
            return line
        if any(begins(state, line, end, True) for begins in others):
            return line
    return end


def code(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    named = LANGUAGE.match(token.info)
    language = escape(named[1]) if named else ""
    label = f' data-language="{language}"' if language else ""
    kind = f' class="language-{language}"' if language else ""
    return (
        f'<div class="code"{label} dir="ltr"><pre><code{kind}>{escape(token.content)}'
        "</code></pre></div>\n"
    )


def table_open(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    return f'<div class="scroll">{self.renderToken(tokens, index, options, env)}'


def table_close(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    return "</table></div>\n"


def image(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    alt = self.renderInlineAsText(token.children, options, env)
    address = str(token.attrs["src"])
    if settings.ANSWER_IMAGES and address.startswith("https://"):
        title = f' title="{escape(token.attrs["title"])}"' if "title" in token.attrs else ""
        return (
            f'<img src="{escape(address)}" alt="{escape(alt)}"{title}'
            ' referrerpolicy="no-referrer" loading="lazy" decoding="async">'
        )
    said = _("Image not loaded: %(alt)s") % {"alt": alt} if alt.strip() else _("Image not loaded")
    return f'<span class="image">{escape(said)}</span>'


def parser() -> MarkdownIt:
    """As in the browser while an answer streams (js/markdown.js); a test compares the two.

    A line under a paragraph makes no heading of it, because a list that is being typed would
    flash as one.
    """
    made = (
        MarkdownIt("commonmark", {"html": False, "linkify": False})
        .enable(["table", "strikethrough"])
        .disable("lheading")
        .use(math_syntax)
        .use(bounded_effort)
    )
    made.block.ruler.at("table", bounded_table, {"alt": ["paragraph", "reference"]})
    made.core.ruler.push("directions", directions)
    made.core.ruler.push("alignments", alignments)
    for rule in (table_open, table_close, image):
        made.add_render_rule(rule.__name__, rule)
    made.add_render_rule("fence", code)
    made.add_render_rule("code_block", code)
    return made


_parser = parser()
kept = Rendered()
