"""What an address asks the board to show, and how it is written again."""

from typing import Any

import pytest
from django.http import QueryDict

from arena.core.exceptions import BadInput
from arena.leaderboard import viewing
from arena.leaderboard.exceptions import NoSuchBoard
from arena.leaderboard.models import Snapshot
from arena.leaderboard.selectors import part_names
from arena.leaderboard.viewing import View, view_of

TOGGLES = ("length", "markdown", "code")
CONTROLS = ["length", "headers", "lists", "bold", "code"]


@pytest.fixture(autouse=True)
def parts_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts that a made-up publication names have boards in them, but for those of `few`."""

    def part(snapshot: Snapshot, name: str) -> dict[str, Any] | None:
        is_there = name in part_names(snapshot) and name != "category/few/controlled"
        return {"standings": []} if is_there else None

    monkeypatch.setattr(viewing, "part_get", part)


def snapshot(*parts: str, controlled: bool = True) -> Snapshot:
    boards: dict[str, Any] = {"raw": {"spec": {"controls": []}}}
    if controlled:
        boards["controlled"] = {"spec": {"controls": CONTROLS}}
    made = Snapshot(digest="0123456789ab" + "0" * 52)
    # In the place of a document, which `content` would read.
    made.__dict__["content"] = {"boards": boards, "parts": dict.fromkeys(parts, "")}
    return made


def whole() -> Snapshot:
    names = ["none", "length", "markdown", "code", "length+markdown", "length+code"]
    names += ["markdown+code", "length+markdown+code"]
    others = ["path", "variant/davidson/raw", "variant/davidson/controlled"]
    return snapshot(
        *(f"board/{name}" for name in names),
        *others,
        *("category/math/raw", "category/math/controlled", "category/art/raw"),
        *("category/few/raw", "category/few/controlled", "category/few/pooled"),
        *("category/thin/raw", "category/thin/controlled", "category/thin/pooled"),
    )


def view(query: str, category: str = "overall") -> View:
    return view_of(whole(), QueryDict(query), category)


def test_it_works() -> None:
    shown = view("")

    assert shown.controls == TOGGLES
    assert shown.part == ""
    assert shown.query() == ""


@pytest.mark.parametrize(
    ("query", "controls", "part"),
    [
        ("controls=length,code", ("length", "code"), "board/length+code"),
        ("controls=code&controls=length", ("length", "code"), "board/length+code"),
        ("controls=position&controls=markdown", ("markdown",), "board/markdown"),
        ("controls=none", (), ""),
        ("controls=position", (), ""),
        ("board=raw", (), ""),
        ("board=controlled", TOGGLES, ""),
        ("strength=0", (), ""),
        ("strength=1", TOGGLES, ""),
        ("variant=davidson", TOGGLES, "variant/davidson/controlled"),
        ("variant=davidson&controls=none", (), "variant/davidson/raw"),
        # Of a variant there are the raw and the fully controlled board.
        ("variant=davidson&controls=length", TOGGLES, "variant/davidson/controlled"),
    ],
)
def test_which_board_is_shown(query: str, controls: tuple[str, ...], part: str) -> None:
    shown = view(query)

    assert (shown.controls, shown.part) == (controls, part)


@pytest.mark.parametrize(
    ("category", "query", "part"),
    [
        ("math", "", "category/math/controlled"),
        ("math", "board=raw", "category/math/raw"),
        ("math", "controls=length", "category/math/controlled"),
        ("art", "", "category/art/raw"),
        ("thin", "", "category/thin/pooled"),
        ("thin", "pooling=none", "category/thin/controlled"),
        ("thin", "controls=none", "category/thin/raw"),
        ("few", "", "category/few/pooled"),
    ],
)
def test_which_board_of_a_category_is_shown(category: str, query: str, part: str) -> None:
    assert view(query, category).part == part


def test_a_thin_category_without_a_board_of_its_own_offers_none() -> None:
    assert view("", "thin").can_be_alone
    assert not view("", "few").can_be_alone
    assert view("pooling=none", "thin").query() == "?pooling=none"
    assert view("pooling=none", "math").query() == ""


def test_a_strength_is_that_of_all_controls_together() -> None:
    assert view("strength=0.35").strength == 0.35
    assert view("strength=0,35").strength == 0.35
    assert view("strength=.5&controls=length").query() == "?controls=length"


@pytest.mark.parametrize(
    "query",
    [
        "?controls=length,code",
        "?controls=none",
        "?strength=0.35",
        "?variant=davidson&rows=families",
        "?q=wren&organisation=Nest&licence=open&stage=preview&votes=100&sort=-votes&show=all",
        "?open=Kite+1&open=Wren",
    ],
)
def test_an_address_is_written_as_it_was_read(query: str) -> None:
    said = view(query.removeprefix("?")).query()

    assert QueryDict(said.removeprefix("?")) == QueryDict(query.removeprefix("?"))


def test_a_permalink_names_publication_and_controls() -> None:
    assert view("").permalink(whole()) == "?controls=length,markdown,code&snapshot=0123456789ab"


@pytest.mark.parametrize(
    ("query", "error", "said"),
    [
        ("controls=vibes", NoSuchBoard, "length, markdown, code"),
        ("board=poetry", NoSuchBoard, "controlled, raw"),
        ("variant=vibes", NoSuchBoard, "davidson"),
        ("strength=2", BadInput, "from 0"),
        ("strength=nan", BadInput, "from 0"),
        ("strength=abc", BadInput, "from 0"),
        ("pooling=all", BadInput, "It can be: none"),
        ("rows=columns", BadInput, "revisions, families"),
        ("sort=vibes", BadInput, "rank, contestant"),
        ("licence=vibes", BadInput, "open, proprietary"),
        ("stage=vibes", BadInput, "experimental, preview, released"),
        ("votes=-1", BadInput, "whole number"),
        ("votes=1e9", BadInput, "whole number"),
        ("votes=٣", BadInput, "whole number"),
    ],
)
def test_what_does_not_exist_is_said_with_what_does(
    query: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        view(query)


def test_an_unknown_category_is_said_with_those_that_exist() -> None:
    with pytest.raises(NoSuchBoard, match="overall, art, few, math, thin"):
        view("", "poetry")


def test_without_parts_the_two_boards_remain() -> None:
    draft = snapshot()

    assert view_of(draft, QueryDict("")).controls == TOGGLES
    assert not view_of(draft, QueryDict("")).has_toggles
    # A board that was not published falls back on the fully controlled one.
    assert view_of(draft, QueryDict("controls=length")).controls == TOGGLES
    with pytest.raises(NoSuchBoard, match="0 and 1"):
        view_of(draft, QueryDict("strength=0.5"))


def test_without_style_there_is_the_raw_board() -> None:
    bare = snapshot("board/none", controlled=False)

    assert view_of(bare, QueryDict("")).controls == ()
    with pytest.raises(NoSuchBoard, match="These exist: raw"):
        view_of(bare, QueryDict("board=controlled"))
    with pytest.raises(NoSuchBoard, match="none yet"):
        view_of(bare, QueryDict("controls=length"))
