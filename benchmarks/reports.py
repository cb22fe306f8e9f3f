"""How load.py says what it found: a table to read, the figures as JSON, and what was wrong."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parent / "results"
QUANTILES = (50, 95, 99, 100)


@dataclass
class Report:
    """One run. faults: what must not happen, and how often it did."""

    name: str
    title: str
    rows: list[tuple[str, str]] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def row(self, what: str, said: str, **figures: Any) -> None:
        self.rows.append((what, said))
        self.figures |= figures

    def __str__(self) -> str:
        lines = [self.title, "", "| what | figure |", "| --- | --- |"]
        lines += [f"| {what} | {said} |" for what, said in self.rows]
        wrong = [f"WRONG, {count} times: {what}" for what, count in self.faults.most_common()]
        lines += ["", *(wrong or ["Nothing was wrong."]), *self.notes]
        return "\n".join(lines)

    def store(self) -> None:
        RESULTS.mkdir(exist_ok=True)
        content = {"title": self.title, "figures": self.figures, "faults": dict(self.faults)}
        path = RESULTS / f"{self.name}.json"
        path.write_text(json.dumps(content, indent=1) + "\n")


def milliseconds(seconds: Any) -> tuple[str, list[float]]:
    """p50, p95, p99 and the most of them, in words and as numbers of milliseconds."""
    if not len(seconds):
        return "-", []
    found = [round(1000 * float(value), 1) for value in np.percentile(seconds, QUANTILES)]
    return " / ".join(f"{value:,.0f}" for value in found) + " ms", found


def megabytes(size: float) -> str:
    return f"{size / 2**20:,.1f} MB"
