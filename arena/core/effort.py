"""How much work one answer may make, so that no text keeps a process busy.

Work is counted where Markdown tries its rules: at each line, as often as a block that it may
belong to asks for it, and at each place within a line. So it depends on the text alone, not on how
busy the machine is, and an answer looks alike whenever it is read. Beyond the bounds the rest of
the answer, from the block on in which it happened, is shown as it was written.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from operator import itemgetter

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_core import block as parse_blocks
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

# Each a good half second at worst (benchmarks/render.py). 200,000 characters of prose, tables,
# formulas, code or lists of phrases stay below both; a list of single words does not.
MOST_LINES = 90_000
MOST_PLACES = 200_000
# A block that begins makes tokens, which cost more than a look at its line.
BLOCK_LINES = 3
# What may begin a link or emphasis is looked at more than once, and an address makes most HTML.
MARKS = {**dict.fromkeys("[!*_~", 3), "<": 6}


class TooMuch(Exception):
    """Within this module: a bound is reached."""


@dataclass
class Effort:
    """What one answer has taken so far."""

    lines: int = 0
    places: int = 0
    begun: list[tuple[int, int]] = field(default_factory=list)
    """For each outermost block, how many tokens came before it, and its first line."""

    def spend_lines(self, number: int) -> None:
        self.lines += number
        if self.lines > MOST_LINES:
            raise TooMuch

    def spend_places(self, number: int) -> None:
        self.places += number
        if self.places > MOST_PLACES:
            raise TooMuch


def bounded_effort(markdown: MarkdownIt) -> None:
    """A plug-in. What is parsed needs an `Effort` of its own as `effort` in its environment."""
    markdown.block.ruler.before(
        "table",
        "line_counted",
        line_counted,
        {"alt": ["paragraph", "reference", "blockquote", "list"]},
    )
    markdown.inline.ruler.before("text", "place_counted", place_counted)
    markdown.core.ruler.at("block", blocks)
    markdown.core.ruler.at("inline", inlines)


def line_counted(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    effort: Effort = state.env["effort"]
    if state.level == 0 and not silent:
        effort.begun.append((len(state.tokens), start))
    effort.spend_lines(1 if silent else BLOCK_LINES)
    return False


def place_counted(state: StateInline, silent: bool) -> bool:
    state.env["effort"].spend_places(MARKS.get(state.src[state.pos], 1))
    return False


def blocks(state: StateCore) -> None:
    try:
        parse_blocks(state)
    except TooMuch:
        rest_as_written(state, len(state.tokens))


def inlines(state: StateCore) -> None:
    for index, token in enumerate(state.tokens):
        if token.type != "inline":
            continue
        try:
            token.children = []
            state.md.inline.parse(token.content, state.md, state.env, token.children)
        except TooMuch:
            rest_as_written(state, index)
            return


def rest_as_written(state: StateCore, index: int) -> None:
    """Text instead of the outermost block that holds the token at `index`, and of all after it."""
    begun: list[tuple[int, int]] = state.env["effort"].begun
    first, line = begun[bisect_right(begun, index, key=itemgetter(0)) - 1]
    rest = Token("code_block", "code", 0, content="\n".join(state.src.split("\n")[line:]))
    state.tokens[first:] = [rest]
