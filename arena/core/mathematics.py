r"""Mathematics in Markdown: $…$, $$…$$, \(…\) and \[…\], as TeX for the browser to set.

The browser knows the same rules for answers that are still being written (js/math-syntax.js);
a test compares them.
"""

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

# An opening dollar has no letter or digit before it and no space after it, a closing one no space
# before it and no digit after it, and neither has another dollar or a code span between: "$5 and
# $10" are prices. Each alternative begins with another character, so that no text takes longer
# than its length.
INLINE = (
    (True, re.compile(r"\$\$(?!\$)((?:\\[\s\S]|\$(?!\$)|[^\\$])+)\$\$(?!\$)")),
    (
        False,
        re.compile(
            r"(?<![0-9A-Za-z])\$(?![ \t\n$])((?:\\[\s\S]|[^\\$`])+)(?<![ \t\n])\$(?![0-9$])"
        ),
    ),
    (False, re.compile(r"\\\(((?:\\[^()]|[^\\])+)\\\)")),
    (True, re.compile(r"\\\[((?:\\[^\[\]]|[^\\])+)\\\](?!\()")),
)
DOLLARS = re.compile(r"\$+")

# What a line may hold until formulas of their own lines end, or others begin.
BLOCK = {
    "$$": ("$$", re.compile(r"(?:\\[\s\S]|\$(?!\$)|[^\\$])*\$\$")),
    r"\[": (r"\]", re.compile(r"(?:\\[^\[\]]|[^\\])*\\[\[\]]")),
}


def math_syntax(markdown: MarkdownIt) -> None:
    """A plug-in. Elements of class `math` hold TeX; those of class `display` stand alone."""
    markdown.inline.ruler.before("escape", "math_inline", inline_math)
    markdown.block.ruler.after(
        "fence",
        "math_block",
        block_math,
        {"alt": ["paragraph", "reference", "blockquote", "list"]},
    )
    markdown.add_render_rule("math_inline", inline_html)
    markdown.add_render_rule("math_block", block_html)


def inline_math(state: StateInline, silent: bool) -> bool:
    first = state.src[state.pos]
    if first not in "$\\":
        return False
    for display, form in INLINE:
        found = form.match(state.src, state.pos)
        if not found or found.end() > state.posMax or not found[1].strip():
            continue
        if not silent:
            token = state.push("math_inline", "span", 0)
            token.content = found[1].strip()
            token.meta = {"display": display}
        state.pos = found.end()
        return True
    dollars = DOLLARS.match(state.src, state.pos)
    if dollars is None:
        return False
    # All dollars in a row at once: a part of them opens nothing either.
    if not silent:
        state.append_pending(dollars[0])
    state.pos = dollars.end()
    return True


def last_line_of_math(state: StateBlock, start: int, end: int, opener: str) -> int | None:
    """The line on which a formula that begins on `start` ends; None where it is none."""
    closer, rest = BLOCK[opener]
    for line in range(start, end):
        # Like TeX, and so that a paragraph that is done stays what it is while it is written.
        if state.isEmpty(line) or state.sCount[line] < state.blkIndent:
            return None
        begin = state.bMarks[line] + state.tShift[line] + (len(opener) if line == start else 0)
        text = state.src[begin : state.eMarks[line]]
        if found := rest.match(text):
            closes = found[0].endswith(closer) and not text[found.end() :].strip()
            return line if closes else None
    return None


def block_math(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    begin = state.bMarks[start] + state.tShift[start]
    opener = state.src[begin : begin + 2]
    if opener not in BLOCK:
        return False
    last = last_line_of_math(state, start, end, opener)
    if last is None:
        return False
    content = state.getLines(start, last + 1, state.blkIndent, False).strip()[2:-2].strip()
    if not content:
        return False
    if silent:
        return True
    token = state.push("math_block", "div", 0)
    token.content = content
    token.map = [start, last + 1]
    state.line = last + 1
    return True


def inline_html(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    token = tokens[index]
    kind = "math display" if token.meta["display"] else "math"
    return f'<span class="{kind}">{escapeHtml(token.content)}</span>'


def block_html(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    return f'<div class="math display">{escapeHtml(tokens[index].content)}</div>\n'
