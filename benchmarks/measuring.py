"""What peers.py and peer_fits.py, which run in different environments, both need.

Imports NumPy and the standard library only.
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

OUTCOMES = ("model_a", "model_b", "tie", "both_bad")
SCORES = np.array([1.0, 0.0, 0.5, 0.5])


@dataclass
class Stopwatch:
    """Seconds of each named phase."""

    phases: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.phases[phase] = time.perf_counter() - start


@dataclass(frozen=True)
class Answer:
    """theta: (M,) strengths on the log-odds scale. log_likelihood: None where not asked for."""

    theta: Any
    log_likelihood: float | None = None


Run = Callable[[Stopwatch], Answer]


def run_and_print(run: Run, times: int) -> None:
    """Run in this process `times` times and print the figures of all of them as JSON."""
    runs = []
    for _ in range(times):
        watch = Stopwatch()
        answer = run(watch)
        runs.append(watch.phases)
    figures = {
        "runs": runs,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "theta": np.asarray(answer.theta, dtype=float).tolist(),
        "log_likelihood": answer.log_likelihood,
    }
    print(json.dumps(figures))


def log_likelihood(eta: Any, y: Any, weight: Any = 1.0) -> float:
    """Σ w [y ln p + (1 − y) ln(1 − p)] with p = 1/(1 + e^−η)."""
    return float(np.sum(weight * (y * eta - np.logaddexp(0.0, eta))))


def differences(columns: dict[str, Any], metrics: tuple[str, ...]) -> Any:
    """(n, K) columns (a − b)/(a + b), 0 where both are 0."""
    x = np.empty((columns["a"].size, len(metrics)))
    for k, name in enumerate(metrics):
        a, b = columns[f"{name}_a"], columns[f"{name}_b"]
        total = a + b
        x[:, k] = (a - b) / np.where(total > 0.0, total, 1.0)
    return x
