"""Who beats whom: observed and predicted shares of every pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import altair as alt
import numpy as np

from ranking.arrays import FloatArray, IndexArray
from ranking.calibration import outcome_chances
from ranking.errors import PlotError
from ranking.plots.sheets import finished, listed, over, table
from ranking.plots.themes import Theme, palette_of
from ranking.result import Leaderboard
from ranking.selection import select_votes
from ranking.votes import A_WINS, B_WINS, OUTCOMES, Votes

# Up to so many contestants cells have room for a number.
_NUMBERED = 24
# With so many votes a cell has half its colour.
_FEW = 5.0

_SCORE = np.full(len(OUTCOMES), 0.5)
_SCORE[[A_WINS, B_WINS]] = 1.0, 0.0


def heatmap_chart(
    board: Leaderboard, votes: Votes, *, most: int = 100, theme: Theme = "light"
) -> alt.HConcatChart:
    """Share of the votes that each row wins from each column, observed and as the board predicts.

    A tie and both bad are half a win. Observed are the counted votes, each as one; an empty cell
    is a pair that never met. Predicted is the expected score at equal style, over both orders of
    being shown. Of more contestants than `most` the first are drawn, and the chart says so: there
    are as many cells as the square of their number. Raises PlotError for a board of fewer than two
    placed contestants, or of other votes than these.
    """
    names = [standing.contestant for standing in board.standings[:most]]
    if len(names) < 2:
        raise PlotError("a heatmap needs two placed contestants.")
    cell = 30 if len(names) <= _NUMBERED else 14
    m = len(names)
    (observed, met), predicted = observed_scores(board, votes), predicted_scores(board)
    few = met / (met + _FEW)
    panels = [
        _cells(names, observed[:m, :m], few[:m, :m], cell, theme, "left"),
        _cells(names, predicted[:m, :m], np.ones((m, m)), cell, theme, "right"),
    ]
    drawn = alt.hconcat(*panels, spacing=28).resolve_scale(color="shared")
    middle = names[len(names) // 2]
    chance = predicted[0, len(names) // 2]
    told = "Share won by the row against the column, ties half. Faint: few votes; empty: never met."
    if len(names) < len(board.standings):
        told += f" The first {len(names):,} of {len(board.standings):,} placed contestants."
    return finished(
        drawn,
        theme,
        2 * cell * len(names),
        title=f"{names[0]} is expected to score {chance:.0%} against {middle}.",
        told=told,
        words=_heat_words(names, predicted),
    )


def observed_scores(board: Leaderboard, votes: Votes) -> tuple[FloatArray, IndexArray]:
    """(M, M) share of the counted votes that row wins from column, and how many votes it is of.

    NaN where they never met. Rows and columns are the board's standings. Raises PlotError when a
    standing is not among the votes' contestants.
    """
    m = len(board.standings)
    place = {standing.contestant: i for i, standing in enumerate(board.standings)}
    if not place.keys() <= set(votes.contestants):
        raise PlotError("the board is not of these votes: it has contestants that they lack.")
    index = np.array([place.get(name, -1) for name in votes.contestants])
    chosen, _ = select_votes(votes, board.spec)
    a, b = index[votes.a[chosen]], index[votes.b[chosen]]
    score, both = _SCORE[votes.outcome[chosen]], (a >= 0) & (b >= 0)
    pair, won = (a * m + b)[both], score[both]
    wins = np.bincount(pair, won, m * m).reshape(m, m)
    met = np.bincount(pair, minlength=m * m).reshape(m, m)
    total = met + met.T
    won_both = wins + (met - wins).T
    share = np.divide(won_both, total, out=np.full((m, m), np.nan), where=total > 0)
    return share, total


def predicted_scores(board: Leaderboard) -> FloatArray:
    """(M, M) expected score of row against column at equal style, over both orders; diagonal ½."""
    theta = np.array([standing.theta for standing in board.standings])
    gap, mean = np.subtract.outer(theta, theta), 0.5 * np.add.outer(theta, theta)
    first = 0.0 if board.position is None else board.position.value
    tie = None if board.tie is None else board.tie.value
    level = None if board.level is None else board.level.value + mean.ravel()
    orders = [
        _SCORE @ outcome_chances(board.spec.likelihood, gap.ravel() + shown, tie, level)
        for shown in (first, -first)
    ]
    return np.asarray(0.5 * (orders[0] + orders[1]).reshape(gap.shape))


def _cells(
    names: Sequence[str],
    rates: FloatArray,
    sure: FloatArray,
    cell: int,
    theme: Theme,
    side: Literal["left", "right"],
) -> alt.LayerChart:
    colours = palette_of(theme)
    values = [
        {
            "row": names[i],
            "column": names[j],
            "rate": round(float(rates[i, j]), 3),
            "percent": f"{100 * rates[i, j]:.0f}",
            "sure": round(float(sure[i, j]), 2),
        }
        for i, j in np.argwhere(~np.isnan(rates) & ~np.eye(len(names), dtype=bool))
    ]
    axis: dict[str, Any] = {
        "title": None,
        "labelLimit": 330,
        "labelOverlap": False,
        "labelFontSize": 11.5,
    }
    rows = alt.Y("row:N", scale=alt.Scale(domain=names), axis=alt.Axis(orient=side, **axis))
    columns = alt.X(
        "column:N",
        scale=alt.Scale(domain=names),
        axis=alt.Axis(orient="top", labelAngle=-90, **axis),
    )
    shade = alt.Color(
        "rate:Q",
        scale=alt.Scale(
            domain=[0, 0.5, 1],
            range=[colours.down, colours.hairline, colours.up],
            interpolate="lab",
        ),
        legend=alt.Legend(title="share won", format=".0%", orient="right", values=[0, 0.5, 1]),
    )
    drawn = alt.Chart(table(values)).encode(x=columns, y=rows)
    layers = [
        drawn.mark_rect().encode(
            color=shade,
            opacity=alt.Opacity("sure:Q", scale=None),
            tooltip=["row:N", "column:N", "rate:Q"],
        )
    ]
    if len(names) <= _NUMBERED:
        far = "abs(datum.rate - 0.5) * datum.sure > 0.28"
        ink = alt.condition(far, alt.value(colours.page), alt.value(colours.ink))
        number = drawn.mark_text(fontSize=11.5)
        layers.append(number.encode(text="percent:N", color=ink))
    heading = "observed" if side == "left" else "predicted"
    title = alt.TitleParams(heading, fontSize=14, offset=8, anchor="start")
    return over(*layers).properties(width=alt.Step(cell), height=alt.Step(cell), title=title)


def _heat_words(names: Sequence[str], predicted: FloatArray) -> str:
    rows = [
        f"{names[i]} {predicted[i, i + 1]:.0%} against {names[i + 1]}"
        for i in range(len(names) - 1)
    ]
    return f"Expected score against the next on the board: {listed(rows)}"
