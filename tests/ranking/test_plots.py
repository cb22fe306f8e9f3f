"""Charts: what they show, in every format, for few and for many contestants."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ranking import (
    BoardState,
    Leaderboard,
    PlotError,
    RankingSpec,
    StyleMovement,
    VoteFileError,
    Votes,
    calibrate,
    control_path,
    fit,
    fragility,
    movement_ledger,
    plots,
    style_movement,
)
from ranking.cli import main
from ranking.pictures import save_chart
from tests.ranking.making import CONTROLLED, plain, simulated

RAW = RankingSpec(draws=200)


@pytest.fixture(scope="module")
def votes() -> Votes:
    return simulated(1)


@pytest.fixture(scope="module")
def board(votes: Votes) -> Leaderboard:
    return fit(votes, RAW)


@pytest.fixture(scope="module")
def moved(votes: Votes) -> StyleMovement:
    return style_movement(votes, CONTROLLED)


@pytest.fixture(scope="module")
def charts(votes: Votes, moved: StyleMovement) -> dict[str, Any]:
    """Every kind of chart of the same votes."""
    boards = BoardState(votes, RAW), BoardState(votes, CONTROLLED)
    return {
        "intervals": plots.interval_chart(moved.controlled, raw=moved.raw),
        "slope": plots.slope_chart(moved),
        "path": plots.path_chart(control_path(votes, CONTROLLED), steps=5),
        "heatmap": plots.heatmap_chart(moved.controlled, votes),
        "ledger": plots.ledger_chart(movement_ledger(*boards)),
        "fragility": plots.fragility_chart(fragility(votes, RAW)),
        "reliability": plots.reliability_chart(calibrate(votes, RAW, folds=2, bins=4)),
    }


KINDS = ["intervals", "slope", "path", "heatmap", "ledger", "fragility", "reliability"]


def rows_of(chart: Any) -> list[dict[str, Any]]:
    """Data that a chart shows, row by row."""
    return list(_values(chart.to_dict(validate=False)))


def _values(spec: Any) -> Iterator[dict[str, Any]]:
    if isinstance(spec, list):
        for part in spec:
            yield from _values(part)
    elif isinstance(spec, dict):
        for key, part in spec.items():
            yield from part if key == "values" and part and isinstance(part[0], dict) else ()
            yield from _values(part)


def row_for(chart: Any, name: str, field: str) -> dict[str, Any]:
    return next(row for row in rows_of(chart) if row.get("name") == name and field in row)


@pytest.mark.parametrize("kind", KINDS)
def test_every_chart_has_a_finding_and_a_text_alternative(
    charts: dict[str, Any], kind: str, tmp_path: Path
) -> None:
    spec = charts[kind].to_dict()
    save_chart(charts[kind], tmp_path / "out.svg")
    drawn = (tmp_path / "out.svg").read_text(encoding="utf-8")

    assert " ".join(spec["title"]["text"]).endswith(".")
    assert re.search(r"<desc>.*\d.*</desc>", drawn)
    assert 'role="img"' in drawn
    assert "undefined" not in drawn
    assert "NaN" not in drawn


def test_an_interval_chart_shows_the_board(board: Leaderboard) -> None:
    chart = plots.interval_chart(board)
    for standing in board.standings:
        row = row_for(chart, standing.contestant, "rating")
        assert row["rating"] == standing.rating
        assert (row["set_lower"], row["set_upper"]) == (standing.rank_lower, standing.rank_upper)
        assert standing.contestant in chart.description


@pytest.mark.parametrize(("kind", "axis"), [("intervals", 0), ("reliability", 1)])
def test_a_band_is_as_long_as_its_interval(
    charts: dict[str, Any], kind: str, axis: int, tmp_path: Path
) -> None:
    save_chart(charts[kind], tmp_path / "out.svg")
    drawn = (tmp_path / "out.svg").read_text(encoding="utf-8")
    bands = re.findall(r' d="([^"]+)" fill="#C9D8EE"', drawn)
    rows = [row for row in rows_of(charts[kind]) if "lower" in row]
    pixels = [np.ptp(_points(band)[:, axis]) for band in bands[: len(rows)]]
    wide = [row["upper"] - row["lower"] for row in rows[: len(pixels)]]

    assert len(pixels) >= 4
    assert pixels == pytest.approx(np.array(wide) * pixels[0] / wide[0])
    assert "stroke-linecap" not in drawn


def _points(path: str) -> Any:
    """Points of an SVG path of absolute coordinates, two columns."""
    return np.array(re.findall(r"(-?[\d.]+),(-?[\d.]+)", path), dtype=float)


def test_first_place_may_be_shared() -> None:
    level = fit(plain("A=B", "B=C", "C=A"), RankingSpec(position=False, draws=100))
    pair = fit(plain("A=B"), RankingSpec(position=False, draws=100))
    title = " ".join(plots.interval_chart(level).to_dict(validate=False)["title"]["text"])

    assert title == "A and 2 others share the highest rating."
    said = plots.interval_chart(pair).to_dict(validate=False)["title"]
    assert said["text"] == ["A and 1 other share the highest rating."]
    assert said["subtitle"] == ["2 contestants, placed by 1 vote."]


def test_who_enters_or_leaves_is_in_the_finding() -> None:
    spec = RankingSpec(position=False, draws=100)
    boards = [BoardState(plain(*rows), spec) for rows in (["A=B", "B=C", "C=A"], ["A=B", "B=D"])]
    chart = plots.ledger_chart(movement_ledger(*boards))

    assert chart.description.startswith("Nobody changes place, but 1 entered and 1 left.")


def test_numbers_of_a_heatmap_are_rounded_once() -> None:
    votes = plain(*["A>B"] * 889, *["B>A"] * 448)  # .66492, which is .665 to three places.
    board = fit(votes, RankingSpec(position=False, draws=100))
    chart = plots.heatmap_chart(board, votes)

    assert chart.description.startswith("A is expected to score 66% against B.")
    assert {row["percent"] for row in rows_of(chart)} == {"66", "34"}


def test_a_wide_script_has_room_for_its_names() -> None:
    name = "模" * 18
    votes = Votes.from_columns([name, "y"], ["y", name], ["tie", "tie"])
    chart = plots.interval_chart(fit(votes, RankingSpec(position=False, draws=100)))
    limits = re.findall(r'"limit": ([\d.]+)', json.dumps(chart.to_dict(validate=False)))

    assert float(limits[0]) > 13 * len(name)


def test_rings_are_raw(moved: StyleMovement) -> None:
    chart = plots.interval_chart(moved.controlled, raw=moved.raw)
    for standing in moved.raw.standings:
        assert row_for(chart, standing.contestant, "rating")["raw"] == standing.rating


def test_who_is_not_placed_is_on_the_chart_with_the_reason() -> None:
    board = fit(plain("A>B", "B>A", "U>A", "A>W"), RankingSpec(position=False, draws=100))
    chart = plots.interval_chart(board)

    assert "never lost or tied: above" in row_for(chart, "U", "note")["note"]
    assert "never won or tied: below" in row_for(chart, "W", "note")["note"]
    assert "Not placed: U; W." in chart.description


def test_a_board_that_places_nobody_is_drawn_and_an_empty_movement_is_not(tmp_path: Path) -> None:
    lost = plain("A>B")
    chart = plots.interval_chart(fit(lost, RankingSpec(position=False)))
    save_chart(chart, tmp_path / "out.svg")

    assert chart.description.startswith("These votes place nobody.")
    styled = replace(lost, features={"tokens": (np.array([1.0]), np.array([2.0]))})
    with pytest.raises(PlotError, match="place nobody"):
        plots.slope_chart(style_movement(styled, RankingSpec(controls=("length",))))


def test_one_contestant_of_few_votes_does_not_squeeze_the_others(board: Leaderboard) -> None:
    standings = list(board.standings)
    wide = replace(standings[2], rating_lower=-4000.0, rating_upper=6000.0)
    squeezed = replace(board, standings=(*standings[:2], wide, *standings[3:]))
    row = row_for(plots.interval_chart(squeezed), wide.contestant, "rating")

    assert min(s.rating_lower for s in standings) - 50 < row["lower"]
    assert row["upper"] < max(s.rating_upper for s in standings) + 50
    assert row["figure"].endswith("‹›")


def test_a_slope_that_could_be_none_has_a_hollow_arrow(moved: StyleMovement) -> None:
    for sure, arrows in ((True, "▲▼"), (False, "△▽")):
        half = 0.5 if sure else 2.0
        made = [
            replace(
                one,
                ranks=-1,
                rating=-1.0,
                lower=-1.0 - half,
                upper=-1.0 + half,
            )
            for one in moved.movements
        ]
        chart = plots.slope_chart(replace(moved, movements=tuple(made)))
        assert row_for(chart, made[0].contestant, "arrow")["arrow"] == arrows[1]


def test_ledger_segments_add_up_to_the_change_of_rank(votes: Votes) -> None:
    early = replace(
        votes, excluded=np.where(np.arange(400) < 250, -1, 0).astype(np.int32), rules=("later",)
    )
    ledger = movement_ledger(BoardState(early, RAW), BoardState(votes, CONTROLLED))
    chart = plots.ledger_chart(ledger)
    segments = [row for row in rows_of(chart) if "start" in row and "bottom" in row]

    assert any(row.ranks for row in ledger.rows)
    for row in ledger.rows:
        parts = {
            (s["cause"], s["start"], s["end"]) for s in segments if s["name"] == row.contestant
        }
        assert sum(end - start for _, start, end in parts) == pytest.approx(row.ranks)


def test_an_order_that_nothing_turns_is_shown_without_a_bar(tmp_path: Path, votes: Votes) -> None:
    found = fragility(votes, RAW)
    none = replace(found[0], fewest=None, share=None, predicted=None, after=None)
    chart = plots.fragility_chart([none, *found[1:]])
    save_chart(chart, tmp_path / "out.svg")

    assert (tmp_path / "out.svg").read_text(encoding="utf-8").count(">none found<") == 1
    assert "Confirmed" not in json.dumps(plots.fragility_chart([none]).to_dict(validate=False))
    with pytest.raises(PlotError, match="no two contestants"):
        plots.fragility_chart([])


def test_observed_and_predicted_scores_are_of_the_pairs() -> None:
    votes = plain(*["A>B"] * 3, "B>A", *["B>C"] * 2, "B=C", "C>B")
    board = fit(votes, RankingSpec(position=False, draws=100))
    order = [s.contestant for s in board.standings]
    share, met = plots.observed_scores(board, votes)
    a, b, c = (order.index(name) for name in "ABC")

    assert (share[a, b], share[b, a], share[b, c]) == (0.75, 0.25, 0.625)
    assert np.isnan(share[a, c])
    assert (met[a, b], met[b, a], met[a, c]) == (4, 4, 0)
    predicted = plots.predicted_scores(board)
    assert predicted[a, b] == pytest.approx(0.75, abs=1e-6)
    assert predicted + predicted.T == pytest.approx(np.ones((3, 3)))


@pytest.mark.parametrize("likelihood", ["davidson", "rao_kupper", "four_outcome"])
def test_predicted_scores_of_every_likelihood_are_complementary(
    votes: Votes, likelihood: Any
) -> None:
    predicted = plots.predicted_scores(fit(votes, replace(RAW, likelihood=likelihood)))

    assert predicted + predicted.T == pytest.approx(np.ones((6, 6)))
    assert (np.diff(predicted, axis=1) > 0).all()


def test_a_heatmap_says_whom_it_leaves_out(votes: Votes, board: Leaderboard) -> None:
    chart = plots.heatmap_chart(board, votes, most=4)
    names = {row["row"] for row in rows_of(chart) if "row" in row}

    assert names == {s.contestant for s in board.standings[:4]}
    assert "The first 4 of 6" in " ".join(chart.to_dict()["title"]["subtitle"])
    with pytest.raises(PlotError, match="not of these votes"):
        plots.heatmap_chart(board, plain("A>B", "B>A"))


def test_themes_differ_in_colour_only(board: Leaderboard) -> None:
    light, dark = (
        json.dumps(plots.interval_chart(board, theme=theme).to_dict(validate=False))
        for theme in plots.THEMES
    )

    assert light != dark
    assert re.sub(r"#[0-9A-F]{6}", "", light) == re.sub(r"#[0-9A-F]{6}", "", dark)


def test_pictures_are_what_their_names_say(charts: dict[str, Any], tmp_path: Path) -> None:
    for ending in (".svg", ".png", ".html"):
        save_chart(charts["slope"], tmp_path / f"out{ending}")

    assert (tmp_path / "out.svg").read_bytes().startswith(b"<svg")
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "out.html").read_bytes().startswith(b"<!DOCTYPE html>")


def test_a_page_loads_nothing_and_runs_no_name(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script>"
    votes = Votes.from_columns([evil, "y"], ["y", evil], ["tie", "tie"])
    chart = plots.interval_chart(fit(votes, RankingSpec(position=False, draws=100)))
    save_chart(chart, tmp_path / "x.html")
    save_chart(chart, tmp_path / "x.svg")
    page = (tmp_path / "x.html").read_text(encoding="utf-8")

    assert "<script>alert" not in page + (tmp_path / "x.svg").read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page.partition("<script>")[0])
    assert page.count("<script>") == page.count("</script>") == 2


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("out.pdf", PlotError, ".svg, .png, .html"),
        ("out", PlotError, ".svg, .png, .html"),
        ("no such folder/out.svg", VoteFileError, "there is no folder"),
    ],
)
def test_where_a_chart_cannot_go_is_said(
    charts: dict[str, Any], tmp_path: Path, name: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        save_chart(charts["slope"], tmp_path / name)


def test_without_the_libraries_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ranking.pictures.find_spec", lambda module: None)
    code = main(["fit", "no such file.csv", "--plot", "out.svg"])

    assert code == 2
    assert "pip install altair vl-convert-python" in capsys.readouterr().err


def test_rows_do_not_overlap_however_many(board: Leaderboard) -> None:
    standings = [replace(board.standings[0], contestant=f"model {i}") for i in range(300)]
    chart = plots.interval_chart(replace(board, standings=tuple(standings)))
    places = sorted(row["y"] for row in rows_of(chart) if "figure" in row)

    assert len(places) == 300
    assert set(np.diff(places)) == {22.0}
    assert chart.height >= 300 * 22
