"""Reasoning that a server without a parser for it leaves in the text: <think>…</think> first."""

from enum import Enum, auto

OPENING, CLOSING = "<think>", "</think>"
# Templates put a line end or two before the tag; whatever has more before it is an answer.
MOST_BLANK = 16


class Place(Enum):
    START = auto()
    REASONING = auto()
    BETWEEN = auto()
    ANSWER = auto()


class ThinkSplitter:
    """Divides a text that comes in pieces into the reasoning it begins with and the answer.

    White space before `<think>` and behind `</think>` belongs to neither. Text that begins
    otherwise is answer as it stands. Only what may turn out to be part of a tag is held back.

    is_in_answer: whatever follows is answer and need not be split.
    """

    def __init__(self) -> None:
        self.is_in_answer = False
        self._place = Place.START
        self._held = ""

    def split(self, piece: str) -> tuple[str, str]:
        """The reasoning and the answer that this piece makes certain."""
        text, self._held = self._held + piece, ""
        reasoning = ""
        if self._place is Place.START:
            text = self._after_start(text)
        if self._place is Place.REASONING:
            reasoning, text = self._after_reasoning(text)
        if self._place is Place.BETWEEN:
            text = self._after_blank(text)
        return reasoning, text

    def end(self) -> tuple[str, str]:
        """What was held back when the text ended: an unfinished tag is text like any other."""
        held, self._held = self._held, ""
        return (held, "") if self._place is Place.REASONING else ("", held)

    def _after_start(self, text: str) -> str:
        begun = text.lstrip()
        if len(text) - len(begun) <= MOST_BLANK:
            if begun.startswith(OPENING):
                self._place = Place.REASONING
                return begun.removeprefix(OPENING)
            if OPENING.startswith(begun):
                self._held = text
                return ""
        self._begin_answer()
        return text

    def _after_reasoning(self, text: str) -> tuple[str, str]:
        reasoning, tag, rest = text.partition(CLOSING)
        if tag:
            self._place = Place.BETWEEN
            return reasoning, rest
        certain = len(text) - len(torn_tag(text))
        self._held = text[certain:]
        return text[:certain], ""

    def _after_blank(self, text: str) -> str:
        text = text.lstrip()
        if text:
            self._begin_answer()
        return text

    def _begin_answer(self) -> None:
        self._place = Place.ANSWER
        self.is_in_answer = True


def torn_tag(text: str) -> str:
    """The longest end of the text with which the closing tag may begin."""
    lengths = range(len(CLOSING) - 1, 0, -1)
    return next((CLOSING[:n] for n in lengths if text.endswith(CLOSING[:n])), "")
