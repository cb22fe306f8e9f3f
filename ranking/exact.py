"""Rating points in whole units, so that terms add up to their sum with nothing left over.

Floating-point terms of a sum miss it by their rounding, and a table whose rows do not add up is
not an account. Here every number of an account is a multiple of 2⁻³² of a rating point. Such
numbers are floating-point numbers up to a million points, and so are their sums: adding the terms
in any order gives the total, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

UNITS_PER_POINT = 1 << 32


def units(points: float) -> int:
    """The nearest whole number of units."""
    return round(points * UNITS_PER_POINT)


def points(whole: int) -> float:
    """Rating points of a number of units; exact below a million points."""
    return whole / UNITS_PER_POINT


def closed(terms: Sequence[float | Fraction], total: int) -> list[int]:
    """Terms, in units, as whole numbers whose sum is `total`.

    Each is rounded, and the largest (of equals the first) takes what then remains: a fraction of
    a unit for each term, and whatever the terms themselves missed the total by. A term of 0
    stays 0 unless all are.
    """
    whole = [round(term) for term in terms]
    if not whole:
        return whole
    largest = max(range(len(whole)), key=lambda k: abs(whole[k]))
    whole[largest] += total - sum(whole)
    return whole
