"""The same design fitted again with other weights of its rows: some out, some several times.

The sort by pair, the columns and the blocks stay as they are; only the weights change, and the
search starts where the last estimate was. Weights may cut the win graph, so who can be placed is
asked anew each time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from ranking.arrays import BoolArray, FloatArray, IndexArray
from ranking.channels import score_change
from ranking.design import PairDesign
from ranking.fitting import Estimate
from ranking.graph import WinGraph, place
from ranking.likelihoods import BOTH_BAD_SCORE
from ranking.newton import NoEstimateError, Solution, solve


@dataclass(frozen=True, slots=True)
class Refit:
    """An estimate under other weights.

    theta: (M,) of mean 0 over those placed, NaN for the rest. gamma: (K,), NaN for a column that
    is 0 in every row of weight. placed: (M,). design: the rows with the weights that were fitted
    (0 where a row is not between two placed contestants); solution: its estimate.
    """

    theta: FloatArray
    gamma: FloatArray
    placed: BoolArray
    design: PairDesign
    solution: Solution


def refit(fitted: Estimate, times: FloatArray, start: FloatArray | None = None) -> Refit | None:
    """The estimate when row k of a fit's design counts times[k] >= 0 times, None without one.

    times: (n,), multiplies the design's own weights; weights by counts of pairs follow it. start:
    (M + K,) a point near the estimate, None: one step from the fit. There is no estimate where no
    two contestants can be placed or a covariate separates wins from losses.

    Raises ConvergenceError as `solve` does.
    """
    design, solution = fitted.design, fitted.solution
    placed = _placed(design, times)
    if not placed.any():
        return None
    weighted, every = _weighted(fitted, times, placed), np.arange(len(design.names))
    if start is None:
        start = np.concatenate([solution.theta, solution.gamma])
        # One step with the Hessian at hand costs a quarter of a Newton step and replaces one.
        start += fitted.bread @ score_change(design, fitted.residual, times)
    found = _solved(weighted, placed, every, start)
    if found is None:
        # A column may vary only in rows that are out now; then it has no coefficient.
        varying = np.flatnonzero(np.abs(weighted.x) @ (times > 0.0) > 0.0)
        found = _solved(weighted, placed, varying, start) if varying.size < every.size else None
    return found


def _solved(
    design: PairDesign, placed: BoolArray, columns: IndexArray, start: FloatArray
) -> Refit | None:
    m, k = design.contestants, len(design.names)
    coefficients = np.append(columns, np.arange(k, start.size - m))
    if columns.size < k:
        design = design.columns(columns.tolist())
    first = np.concatenate([start[:m], start[m:][coefficients]])
    try:
        # A row without weight may overflow on a step too long; the step is halved then.
        with np.errstate(over="ignore", invalid="ignore"):
            solution = solve(design, start=first)
    except NoEstimateError:
        return None
    gamma = np.full(start.size - m, np.nan)
    gamma[coefficients] = solution.gamma
    return Refit(np.where(placed, solution.theta, np.nan), gamma, placed, design, solution)


def _placed(design: PairDesign, times: FloatArray) -> BoolArray:
    """(M,) the main group of the win graph of the rows that count."""
    by_prior = design.prior_strengths > 0.0
    if not design.likelihood.levelled and not by_prior and _all_connected(design, times):
        return np.ones(design.contestants, dtype=bool)
    main = place(_graph(design, times), by_prior=by_prior).main
    while design.likelihood.levelled and main.any():
        # As in `prepare`: votes against who is left out connected others with the ground.
        inside = np.repeat(main[design.first] & main[design.second], design.counts)
        within = place(_graph(design, np.where(inside, times, 0.0)), by_prior=by_prior).main & main
        if (within == main).all():
            break
        main = within
    return main


def _all_connected(design: PairDesign, times: FloatArray) -> bool:
    """Whether everybody has won and lost against everybody directly or through others.

    So it is in nearly every refit, and two sums per pair tell.
    """
    m, (for_first, for_second) = design.contestants, np.empty((2, design.first.size))

    # By blocks, because fresh memory for whole columns costs more than the sums.
    def work(low: int, high: int) -> None:
        begin, end = design.starts[low], design.starts[high]
        offsets, counted = design.starts[low:high] - begin, times[begin:end]
        won = counted * design.y[begin:end]
        np.add.reduceat(won, offsets, out=for_first[low:high])
        np.add.reduceat(counted - won, offsets, out=for_second[low:high])

    design.each_block(work)
    ends = (design.first, design.second), (design.second, design.first)
    won = np.concatenate([for_first, for_second]) > 0.0
    at = tuple(np.concatenate(side)[won] for side in ends)
    beats = sparse.coo_array((np.ones(at[0].size, dtype=np.int8), at), shape=(m, m)).tocsr()
    groups, _ = csgraph.connected_components(beats, directed=True, connection="strong")
    return bool(groups == 1)


def _graph(design: PairDesign, times: FloatArray) -> WinGraph:
    """The win graph, with numbers of votes, of the pairs that still have any."""
    begin = design.starts[:-1]
    bad = design.y == BOTH_BAD_SCORE
    kinds = (design.y == 1.0, design.y == 0.0, (design.y == 0.5) | bad, bad)
    votes = np.stack([np.add.reduceat(np.where(kind, times, 0.0), begin) for kind in kinds], axis=1)
    met = votes.any(axis=1)
    counts = np.ceil(votes[met]).astype(np.intp)
    ground = counts[:, 3] if design.likelihood.levelled else None
    return WinGraph(
        design.contestants, design.first[met], design.second[met], counts[:, :3], ground
    )


def _weighted(fitted: Estimate, times: FloatArray, placed: BoolArray) -> PairDesign:
    """The design with its rows' weights times `times`, 0 outside the placed contestants.

    Each contestant that is not placed becomes a group of its own, whose strength stays 0.
    """
    design = fitted.design
    inside = placed[design.first] & placed[design.second]
    if not inside.all():
        times = np.where(np.repeat(inside, design.counts), times, 0.0)
    group = np.zeros(design.contestants, dtype=np.intp)
    group[~placed] = np.arange(1, 1 + int((~placed).sum()))
    return replace(design, weight=_weights(fitted, times), group=group)


def _weights(fitted: Estimate, times: FloatArray) -> FloatArray:
    """(n,) weights of rows that count `times` as often, of mean 1 over them as the spec's are."""
    design, spec = fitted.design, fitted.prepared.spec
    if design.weight is None:
        return times
    weight: FloatArray = times * design.weight
    if spec.weights == "inverse_pair":
        now = np.add.reduceat(times, design.starts[:-1])
        ratio = np.maximum(design.counts, spec.pair_floor) / np.maximum(now, spec.pair_floor)
        weight *= np.repeat(ratio, design.counts)
    weight *= times.sum() / weight.sum()
    return weight
