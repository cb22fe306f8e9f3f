"""Reasoning at the beginning of a text, however the text is torn."""

import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.providers.thinking import MOST_BLANK, OPENING, ThinkSplitter

WHOLE = re.compile(rf"\s{{0,{MOST_BLANK}}}<think>(.*?)(?:</think>\s*(.*))?", re.DOTALL)
LIKELY = ("<think>", "</think>", "<th", "ink>", "</", "<", ">", " ", "\n", "Blue.", "é", "<b>")


def texts() -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(LIKELY) | st.text(max_size=3), max_size=12).map("".join)


def torn(text: str, cuts: Sequence[int]) -> list[str]:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    return [text[a:b] for a, b in pairwise(places)]


def split(pieces: Sequence[str]) -> tuple[str, str]:
    splitter = ThinkSplitter()
    parts = [*(splitter.split(piece) for piece in pieces), splitter.end()]
    return "".join(a for a, _ in parts), "".join(b for _, b in parts)


def in_one_look(text: str) -> tuple[str, str]:
    found = WHOLE.fullmatch(text)
    return (found[1], found[2] or "") if found else ("", text)


def test_it_works() -> None:
    pieces = ["<th", "ink>\nLet me", " see.</thi", "nk>\n\n", "Blue", "."]

    assert split(pieces) == ("\nLet me see.", "Blue.")


@given(texts(), st.lists(st.integers(0, 60), max_size=12))
def test_the_parts_do_not_depend_on_the_cuts(text: str, cuts: list[int]) -> None:
    assert split(torn(text, cuts)) == in_one_look(text)


@given(texts())
def test_a_text_in_single_characters(text: str) -> None:
    assert split(list(text)) == in_one_look(text)


@given(st.lists(texts(), max_size=8))
def test_an_answer_is_delayed_only_while_it_may_begin_the_tag(pieces: list[str]) -> None:
    splitter = ThinkSplitter()
    given_out = ""
    for number, piece in enumerate(pieces, 1):
        given_out += splitter.split(piece)[1]
        so_far = "".join(pieces[:number])
        if not may_begin(so_far):
            assert given_out == so_far


def may_begin(text: str) -> bool:
    begun = text.lstrip()
    return OPENING.startswith(begun) or begun.startswith(OPENING)


@pytest.mark.parametrize("text", ["", "   ", "<", "<thin", "Blue <think>?</think>", "</think>"])
def test_a_text_without_the_tag_passes_unchanged(text: str) -> None:
    assert split(list(text)) == ("", text)


def test_reasoning_that_does_not_end_is_all_reasoning() -> None:
    assert split(["<think>Let me see</thi"]) == ("Let me see</thi", "")


def test_blanks_without_end_are_not_held() -> None:
    splitter = ThinkSplitter()

    assert splitter.split(" " * (MOST_BLANK + 1)) == ("", " " * (MOST_BLANK + 1))
    assert splitter.is_in_answer
