"""The drawings of the board say what the numbers say."""

import re
from xml.etree import ElementTree

import pytest

from arena.leaderboard.boards import axis
from arena.leaderboard.page import Axis, ControlTag, Moved, Row, Term, Why
from arena.leaderboard.templatetags import glyphs

AXIS = Axis(low=900, high=1100, ticks=(900, 1000, 1100))


def make_row(
    rank: int = 1,
    *,
    name: str | None = None,
    rating: float = 1000,
    half: float = 20,
    moved: Moved | None = None,
    rank_set: tuple[int, int] | tuple[None, None] = (1, 1),
    place: int | None = None,
    began: int | None = None,
    why: Why | None = None,
) -> Row:
    return Row(
        name=name or f"contestant-{rank}",
        slug=f"contestant-{rank}",
        organisation="",
        licence="",
        stage="",
        rank=rank,
        rank_lower=rank_set[0],
        rank_upper=rank_set[1],
        rating=rating,
        lower=rating - half,
        upper=rating + half,
        votes=100,
        moved=moved,
        place=place or rank,
        began=began or (moved.raw_rank if moved else rank),
        why=why,
    )


def make_moved(raw_rank: int = 1, *, ranks: int = 0, rating: float = 0, half: float = 5) -> Moved:
    return Moved(raw_rank=raw_rank, raw_rating=1000 - rating, ranks=ranks, rating=rating, half=half)


def interval(**changes: object) -> str:
    values = {"rating": 1000, "lower": 980, "upper": 1020, "raw": None, "board": "controlled"}
    return glyphs.interval(axis=AXIS, **{**values, **changes})  # type: ignore[arg-type]


def tag(svg: str, name: str) -> dict[str, str]:
    """Attributes of the one element of this class."""
    (found,) = re.findall(rf'<\w+ class="{name}"([^>]*)>', svg)
    return dict(re.findall(r'(\w+)="([^"]*)"', found))


def parse(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


class TestInterval:
    def test_it_works(self) -> None:
        svg = interval()

        assert tag(svg, "dot")["cx"] == "50.00%"
        assert tag(svg, "band")["x"] == "40.00%"
        assert tag(svg, "band")["width"] == "20.00%"

    def test_ring_stands_at_the_raw_rating(self) -> None:
        svg = interval(raw=950)

        assert tag(svg, "ring")["cx"] == "25.00%"
        assert (tag(svg, "tilt")["x1"], tag(svg, "tilt")["x2"]) == ("25.00%", "50.00%")

    def test_without_raw_rating_there_is_no_ring(self) -> None:
        assert "ring" not in interval(raw=None)

    def test_raw_board_shows_a_ring_and_no_dot(self) -> None:
        svg = interval(board="raw")

        assert tag(svg, "ring")["cx"] == "50.00%"
        assert "dot" not in svg

    def test_what_leaves_the_axis_runs_off_the_drawing(self) -> None:
        band = tag(interval(rating=1090, lower=1050, upper=1300), "band")

        assert band["x"] == "75.00%"
        assert float(band["width"].rstrip("%")) > 25

    def test_axis_without_extent_does_not_divide_by_zero(self) -> None:
        assert glyphs.share(1000, Axis(low=1000, high=1000, ticks=(1000,))) == 50


class TestRankSet:
    def test_bar_covers_exactly_the_places_of_the_set(self) -> None:
        svg = glyphs.rank_set(make_row(3, rank_set=(2, 5)), 10)

        assert tag(svg, "band")["x"] == "10.00%"
        assert tag(svg, "band")["width"] == "40.00%"
        assert tag(svg, "point")["x"] == "25.00%"

    def test_set_of_all_places_fills_the_line(self) -> None:
        svg = glyphs.rank_set(make_row(3, rank_set=(1, 10)), 10)

        assert (tag(svg, "band")["x"], tag(svg, "band")["width"]) == ("0.00%", "100.00%")

    def test_unknown_set_is_a_line_without_a_bar(self) -> None:
        svg = glyphs.rank_set(make_row(3, rank_set=(None, None)), 10)

        assert [part.tag for part in parse(svg)] == ["line"]


class TestArrow:
    @pytest.mark.parametrize(
        ("rating", "half", "hollow"), [(11, 6, False), (4, 5, True), (-5, 5, True)]
    )
    def test_hollow_when_the_interval_includes_zero(
        self, rating: float, half: float, hollow: bool
    ) -> None:
        svg = glyphs.arrow(make_moved(ranks=2, rating=rating, half=half))

        assert ("hollow" in svg) is hollow

    def test_no_change_of_place_is_a_dash(self) -> None:
        path = parse(glyphs.arrow(make_moved(ranks=0, rating=1))).find("path")

        assert path is not None
        assert set(path.attrib["d"]) <= set("Mh0123456789 ")

    def test_up_and_down_differ(self) -> None:
        up, down = (glyphs.arrow(make_moved(ranks=ranks, rating=ranks * 20)) for ranks in (3, -3))

        assert up != down


class TestSlopeChart:
    def rows(self) -> tuple[Row, ...]:
        """Three rows: the second fell from first place, the others rose by one."""
        return (
            make_row(1, moved=make_moved(2, ranks=1)),
            make_row(2, moved=make_moved(3, ranks=1)),
            make_row(3, moved=make_moved(1, ranks=-2)),
        )

    def lines(self, rows: tuple[Row, ...]) -> dict[str, ElementTree.Element]:
        found = parse(glyphs.slope_chart(rows)).findall("g")
        return {line.attrib["data-contestant"]: line for line in found}

    def test_lines_join_the_centres_of_rows(self) -> None:
        for row in self.rows():
            line = self.lines(self.rows())[row.name]
            ring, dot = line.findall("circle")
            path = line.find("path")

            assert row.moved is not None
            assert path is not None
            assert float(ring.attrib["cy"]) == (row.moved.raw_rank - 0.5) * glyphs.ROW_HEIGHT
            assert float(dot.attrib["cy"]) == (row.rank - 0.5) * glyphs.ROW_HEIGHT
            assert path.attrib["d"].endswith(f" {dot.attrib['cx']} {dot.attrib['cy']}")

    def test_rows_that_share_a_rank_still_have_a_place_each(self) -> None:
        rows = (
            make_row(1, name="first", moved=make_moved(1)),
            make_row(1, name="second", moved=make_moved(2), place=2),
        )

        drawn = parse(glyphs.slope_chart(rows)).findall("g/circle[@class='dot']")

        assert [float(dot.attrib["cy"]) for dot in drawn] == [19.5, 58.5]

    def test_lines_of_some_rows_begin_in_their_order_on_the_raw_board(self) -> None:
        rows = (
            make_row(3, moved=make_moved(20, ranks=17), place=1, began=2),
            make_row(9, moved=make_moved(8, ranks=-1), place=2, began=1),
        )

        lines = self.lines(rows)

        assert [line.findtext("text") for line in lines.values()] == ["8", "20"]
        rings = [line.find("circle[@class='ring']") for line in lines.values()]
        assert [float(ring.attrib["cy"]) for ring in rings if ring is not None] == [19.5, 58.5]

    def test_what_is_unfolded_between_rows_moves_lines_down(self) -> None:
        why = Why(sentence="", terms=(), points=0, zero=0, family="")
        rows = (
            make_row(1, moved=make_moved(1), why=why),
            make_row(2, moved=make_moved(2), place=5),
        )

        svg = glyphs.slope_chart(rows)

        assert float(parse(svg).attrib["viewBox"].split()[3]) == 5 * glyphs.ROW_HEIGHT
        assert "slope opened" in self.lines(rows)["contestant-1"].attrib["class"]

    def test_only_long_movements_take_colour(self) -> None:
        rows = tuple(
            make_row(rank, moved=make_moved(rank + ranks, ranks=ranks, rating=50), began=rank)
            for rank, ranks in ((1, 3), (2, 4), (3, 9))
        )

        classes = {slug: line.attrib["class"] for slug, line in self.lines(rows).items()}

        assert classes == {
            "contestant-1": "slope",
            "contestant-2": "slope up",
            "contestant-3": "slope up furthest",
        }

    def test_movement_that_could_be_nothing_is_drawn_hollow(self) -> None:
        rows = (
            make_row(1, moved=make_moved(2, ranks=1, rating=4, half=5)),
            make_row(2, moved=make_moved(1, ranks=-1, rating=-6, half=5)),
        )

        lines = self.lines(rows)

        assert "hollow" in lines["contestant-1"].attrib["class"]
        assert "hollow" not in lines["contestant-2"].attrib["class"]

    def test_hostile_names_are_escaped(self) -> None:
        hostile = '</title></svg><script>alert("x")</script>&'
        rows = (make_row(1, name=hostile, moved=make_moved(1)),)

        svg = glyphs.slope_chart(rows)
        title = parse(svg).find("g/title")

        assert "<script" not in svg
        assert title is not None
        assert title.text is not None
        assert title.text.startswith(hostile)

    def test_board_without_rows_draws_nothing(self) -> None:
        assert parse(glyphs.slope_chart(())).findall("g") == []


class TestControlBar:
    def bar(self, elo: float, half: float, strongest: float = 40) -> str:
        return glyphs.control_bar(ControlTag("length", elo, half), strongest)

    def test_length_is_relative_to_the_strongest(self) -> None:
        assert 'width="25.00%"' in self.bar(-10, 1)

    def test_hollow_when_it_could_be_worth_nothing(self) -> None:
        assert "hollow" in self.bar(3, 4)
        assert "hollow" not in self.bar(-5, 4)

    def test_controls_worth_nothing_do_not_divide_by_zero(self) -> None:
        assert 'width="0.00%"' in self.bar(0, 0, strongest=0)


class TestAccountBar:
    def test_losses_stand_left_of_zero_and_gains_right(self) -> None:
        terms = (Term("length", -6, 0, 60), Term("bold", 4, 60, 40), Term("code", 0, 60, 0))
        why = Why(sentence="", terms=terms, points=-2, zero=60, family="")

        drawn = parse(glyphs.account_bar(why))

        assert [(group.attrib["class"], group.findtext("text")) for group in drawn.iter("g")] == [
            ("loss", "−6"),
            ("gain", "+4"),
        ]


class TestNumbers:
    @pytest.mark.parametrize(
        ("value", "text"), [(11.4, "+11"), (-36.2, "−36"), (0.3, "0"), (-0.3, "0"), (-10, "−10")]
    )
    def test_differences_carry_their_sign(self, value: float, text: str) -> None:
        assert glyphs.signed(value) == text

    @pytest.mark.parametrize(("value", "text"), [(1147.6, "1148"), (-3.2, "−3"), (-0.2, "0")])
    def test_whole_numbers_have_a_true_minus(self, value: float, text: str) -> None:
        assert glyphs.whole(value) == text

    @pytest.mark.parametrize(("half", "text"), [(16.6, "±17"), (0.4, "±0.4"), (0.97, "±1")])
    def test_doubt_is_never_rounded_to_nothing(self, half: float, text: str) -> None:
        assert glyphs.doubt(half) == text


def test_a_very_wide_interval_runs_off_the_axis_that_the_others_use() -> None:
    usual = [make_row(n, rating=1000 + 10 * n, half=12) for n in range(1, 5)]
    scale = axis((*usual, make_row(5, rating=1005, half=460)))

    assert scale.cut
    assert scale.high - scale.low < 120
    assert not axis(tuple(usual)).cut
