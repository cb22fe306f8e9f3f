"""Text from strangers: what can be stored stays as it is, and the rest is replaced."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.core.text import is_storable, storable

ANYTHING = st.text(st.characters(codec=None))
GARBAGE = ["\x00", "a\x00b", "\ud800", "a\udfffb", "\ude00\ud83d"]


@pytest.mark.parametrize(
    "text", ["", "Why is the sky blue?", "größer 天 👩‍👩‍👧", "a\r\n\tb", "\u202e"]
)
def test_it_works(text: str) -> None:
    assert is_storable(text)
    assert storable(text) == text


@pytest.mark.parametrize("text", GARBAGE)
def test_what_cannot_be_stored_is_known(text: str) -> None:
    assert not is_storable(text)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("a\x00b", "a\ufffdb"),
        ("\x00\x00", "\ufffd\ufffd"),
        ("a\ud800b", "a\ufffdb"),
        ("\udc00", "\ufffd"),
    ],
)
def test_each_bad_character_becomes_one_mark(text: str, stored: str) -> None:
    assert storable(text) == stored


def test_halves_of_a_character_that_arrived_apart_are_put_together() -> None:
    assert storable("blue " + "\ud83d" + "\ude00" + "!") == "blue 😀!"


@given(ANYTHING)
def test_whatever_comes_can_be_stored_afterwards(text: str) -> None:
    stored = storable(text)

    assert is_storable(stored)
    assert b"\x00" not in stored.encode()
    assert storable(stored) == stored
