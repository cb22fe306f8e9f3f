"""One fit of a peer, measured in this process; peers.py runs it in the peers' environment.

    .venv-peers/bin/python benchmarks/peer_fits.py WHAT DIR

DIR holds the columns that data.py makes. They are read, and brought to what the peer takes, before
the clock starts. FastChat is not a package that can be installed alone: its fits are written here
from what its rating_systems.py and, before that, its style-control notebook describe.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from data import METRICS, columns_of, names
from measuring import (
    OUTCOMES,
    SCORES,
    Answer,
    Run,
    Stopwatch,
    differences,
    log_likelihood,
    run_and_print,
)

LN10 = float(np.log(10.0))
RESAMPLES = 10
# With these arena-rank's L-BFGS goes on until it has the maximum of the likelihood.
EXACT = {"reg": 0.0, "ftol": 0.0, "gtol": 1e-9}


def arena_rank_controlled(
    columns: dict[str, Any], *, reweighted: bool = False, **settings: float
) -> Run:
    """arena-rank's contextual Bradley-Terry with its sandwich.

    settings: of its model; without any, its ridge and its stops are those it ships. Contestants
    are integers, which its data set takes faster than labels; the covariates are ready columns.
    """
    from arena_rank.models.contextual_bradley_terry import ContextualBradleyTerry
    from arena_rank.utils.data_utils import ContextualPairDataset

    a, b, y = columns["a"], columns["b"], SCORES[columns["outcome"]]
    frame = _frame(columns, a, b)
    for name, x in zip(METRICS, differences(columns, METRICS).T, strict=True):
        frame[name] = x

    def run(watch: Stopwatch) -> Answer:
        with watch("prepare"):
            data = ContextualPairDataset.from_pandas(frame, list(METRICS), reweighted=reweighted)
            _finished(data.features, data.weights, data.outcomes)
        model = ContextualBradleyTerry(data.n_competitors, len(METRICS), **settings)
        with watch("fit"):
            model.fit(data)
            _finished(*model.params.values())
        with watch("sandwich"):
            found = model.compute_ratings_and_cis(data)
            _finished(found["rating_lower"], found["rating_upper"])
        theta, gamma = (np.asarray(model.params[name]) for name in ("ratings", "coeffs"))
        eta = theta[a] - theta[b] + np.asarray(data.features) @ gamma
        return Answer(theta, log_likelihood(eta, y, np.asarray(data.weights)))

    return run


def arena_rank_plain(columns: dict[str, Any]) -> Run:
    """arena-rank's Bradley-Terry with its sandwich, from a frame of labels."""
    from arena_rank.models.bradley_terry import BradleyTerry
    from arena_rank.utils.data_utils import PairDataset

    labels = np.array(names(columns), dtype=object)
    frame = _frame(columns, labels[columns["a"]], labels[columns["b"]])

    def run(watch: Stopwatch) -> Answer:
        with watch("prepare"):
            data = PairDataset.from_pandas(frame)
            _finished(data.opt_weights)
        model = BradleyTerry(data.n_competitors)
        with watch("fit"):
            model.fit(data)
            _finished(model.params["ratings"])
        with watch("sandwich"):
            _finished(model.compute_ratings_and_cis(data)["rating_lower"])
        return Answer(np.asarray(model.params["ratings"]))

    return run


def _frame(columns: dict[str, Any], a: Any, b: Any) -> Any:
    import pandas as pd

    winner = np.array(OUTCOMES, dtype=object)[columns["outcome"]]
    return pd.DataFrame({"model_a": a, "model_b": b, "winner": winner})


def _finished(*arrays: Any) -> None:
    """JAX returns before it has computed: wait."""
    for array in arrays:
        array.block_until_ready()


def fastchat_controlled(columns: dict[str, Any]) -> Run:
    """FastChat's style control as its repository has it now: the fit alone, without intervals.

    Minimises −Σ [y ln p + (1 − y) ln(1 − p)] + ¼ |(θ, γ)|² with log-odds ln 10 (θ_a − θ_b) + x·γ
    and standardised columns by SciPy's L-BFGS-B, gtol 1e-6 and at most 100 iterations; the
    gradient of the strengths is scattered row by row.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    met = np.column_stack([columns["a"], columns["b"]]).astype(np.intp)
    x, y = _standardised(columns), SCORES[columns["outcome"]]
    contestants, sides = int(met.max()) + 1, np.array([1.0, -1.0])

    def odds(point: Any) -> Any:
        strength = point[:contestants][met]
        return LN10 * (strength[:, 0] - strength[:, 1]) + x @ point[contestants:]

    def objective(point: Any) -> tuple[float, Any]:
        p = expit(odds(point))
        loss = -np.sum(y * np.log(p) + (1.0 - y) * np.log(1.0 - p)) + 0.25 * point @ point
        gradient, wrong = 0.5 * point, p - y
        np.add.at(gradient[:contestants], met, (LN10 * wrong)[:, None] * sides)
        gradient[contestants:] += x.T @ wrong
        return float(loss), gradient

    def run(watch: Stopwatch) -> Answer:
        start = np.zeros(contestants + x.shape[1])
        options = {"maxiter": 100, "gtol": 1e-6}
        with watch("fit"):
            found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
        return Answer(LN10 * found.x[:contestants], log_likelihood(odds(found.x), y))

    return run


def fastchat_dense(columns: dict[str, Any]) -> Run:
    """FastChat's style control as its notebook first had it: the fit alone, without intervals.

    Every vote is two rows of a dense matrix with ±ln 10 in the columns of its contestants and the
    standardised style columns; a win is two rows won and a tie one won and one lost. Fitted by
    scikit-learn's LogisticRegression with its default penalty and L-BFGS, without an intercept.
    """
    from sklearn.linear_model import LogisticRegression

    a, b, style = columns["a"], columns["b"], _standardised(columns)
    y, contestants = (
        SCORES[columns["outcome"]],
        int(max(columns["a"].max(), columns["b"].max())) + 1,
    )
    rows = np.zeros((2, a.size, contestants + style.shape[1]))
    for half in rows:
        half[np.arange(a.size), a] = LN10
        half[np.arange(a.size), b] = -LN10
        half[:, contestants:] = style
    won = np.concatenate([y > 0.0, y == 1.0])
    design = rows.reshape(won.size, -1)

    def run(watch: Stopwatch) -> Answer:
        with watch("fit"):
            found = LogisticRegression(fit_intercept=False).fit(design, won)
        point = found.coef_[0]
        theta = LN10 * point[:contestants]
        eta = theta[a] - theta[b] + style @ point[contestants:]
        return Answer(theta, log_likelihood(eta, y))

    return run


def _standardised(columns: dict[str, Any]) -> Any:
    x = differences(columns, METRICS)
    return (x - x.mean(axis=0)) / x.std(axis=0)


def evalica_plain(columns: dict[str, Any]) -> Run:
    """evalica's Bradley-Terry scores from lists of labels; it gives no interval with them."""
    import evalica

    a, b, winners, order = _evalica_lists(columns)

    def run(watch: Stopwatch) -> Answer:
        with watch("fit"):
            found = evalica.bradley_terry(a, b, winners)
        return Answer(np.log(found.scores[order].to_numpy()))

    return run


def evalica_bootstrap(columns: dict[str, Any]) -> Run:
    """evalica's scores with its percentile bootstrap of RESAMPLES (its default is 1000)."""
    import evalica

    a, b, winners, order = _evalica_lists(columns)

    def run(watch: Stopwatch) -> Answer:
        with watch("fit and intervals"):
            found = evalica.bootstrap(
                evalica.bradley_terry,
                a,
                b,
                winners,
                n_resamples=RESAMPLES,
                bootstrap_method="percentile",
            )
        return Answer(np.log(found.result.scores[order].to_numpy()))

    return run


def _evalica_lists(columns: dict[str, Any]) -> tuple[list[str], list[str], list[Any], list[str]]:
    from evalica import Winner

    labels, outcomes = names(columns), (Winner.X, Winner.Y, Winner.Draw, Winner.Draw)
    a, b = ([labels[i] for i in columns[side].tolist()] for side in "ab")
    return a, b, [outcomes[i] for i in columns["outcome"].tolist()], list(labels)


FITS: dict[str, tuple[Callable[[dict[str, Any]], Run], int]] = {
    "arena-rank controlled": (arena_rank_controlled, 2),
    "arena-rank exact": (lambda c: arena_rank_controlled(c, **EXACT), 2),
    "arena-rank weighted": (lambda c: arena_rank_controlled(c, reweighted=True), 2),
    "arena-rank plain": (arena_rank_plain, 2),
    "fastchat controlled": (fastchat_controlled, 2),
    "fastchat dense": (fastchat_dense, 1),
    "evalica plain": (evalica_plain, 2),
    "evalica bootstrap": (evalica_bootstrap, 1),
}
"""Name -> what to fit, and how often in a process: the last run is the warm one."""


def main() -> None:
    what, folder = sys.argv[1:]
    prepare, times = FITS[what]
    run_and_print(prepare(columns_of(Path(folder), mapped=False)), times)


if __name__ == "__main__":
    main()
