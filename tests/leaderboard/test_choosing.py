"""Which board a name, a category and a set of controls mean."""

import pytest

from arena.leaderboard.choosing import view_named
from arena.leaderboard.exceptions import NoSuchBoard
from tests.leaderboard.test_board_view import parts_are_there, snapshot, whole

__all__ = ["parts_are_there"]


@pytest.mark.parametrize(
    ("wanted", "category", "controls", "part"),
    [
        ("current", "", "", ""),
        ("raw", "", "", ""),
        ("current", "", "code,length", "board/length+code"),
        ("controlled", "", "headers,lists,bold", "board/markdown"),
        ("controlled", "", "markdown", "board/markdown"),
        ("current", "math", "", "category/math/controlled"),
        ("raw", "math", "", "category/math/raw"),
        ("current", "math", "none", "category/math/raw"),
        ("current", "art", "", "category/art/raw"),
    ],
)
def test_the_board_that_is_meant(wanted: str, category: str, controls: str, part: str) -> None:
    assert view_named(whole(), wanted, category=category, controls=controls).part == part


@pytest.mark.parametrize(
    ("wanted", "category", "controls", "says"),
    [
        ("current", "poetry", "", "These exist: overall"),
        ("raw", "", "length", "These sets exist: none; code; length; markdown;"),
        ("current", "math", "length", "These sets exist: none; length,markdown,code."),
        ("current", "", "headers", "These sets exist"),
        ("current", "", "colour", "unknown control 'colour'"),
        ("controlled", "art", "", "there is a raw board alone"),
    ],
)
def test_what_is_not_there(wanted: str, category: str, controls: str, says: str) -> None:
    with pytest.raises(NoSuchBoard, match=says.replace("'", ".")):
        view_named(whole(), wanted, category=category, controls=controls)


def test_without_style_there_is_the_raw_board() -> None:
    assert view_named(snapshot(controlled=False), "current").controls == ()
