"""Where two JSON values differ: what was published, and what the votes give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ranking.snapshots import canonical, digest_of

# Another processor, or another BLAS, adds in another order. Newton's method stops within 1e-9 of
# every vote's log-odds, which is 2e-7 rating points; sums over millions of votes, such as the
# log-likelihood, agree to 1e-12 of their size. A difference below both is no other result.
ABSOLUTE, RELATIVE = 1e-6, 1e-9

ABSENT = "nothing"
"""How a `Difference` shows that there is no value."""


class _Absent:
    """Stands where a document has no value; equal to none that one may have."""


_ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Difference:
    """A place where two documents differ; `contestant` is whom its row is about, if anybody."""

    where: str
    published: Any
    recomputed: Any
    contestant: str | None = None


def first_difference(
    published: Mapping[str, Any], recomputed: Mapping[str, Any]
) -> Difference | None:
    """The first of `differences` between two documents, None where there is none."""
    for key, pair in _pairs(published, recomputed):
        # On the machine that published every digit is the same, and texts compare quickly.
        if _ABSENT in pair or canonical(pair[0]) != canonical(pair[1]):
            for difference in differences(*pair, key):
                return difference
    return None


def differences(
    published: Any, recomputed: Any, where: str = "", contestant: str | None = None
) -> Iterator[Difference]:
    """Where two JSON values differ, in order: numbers with a decimal point by more than 1e-6 and
    1e-9 of their size together, everything else at all. A spec's digest must be that of the spec
    beside it."""
    if isinstance(published, dict) and isinstance(recomputed, dict):
        contestant = published.get("contestant", contestant)
        for key, pair in _pairs(published, recomputed):
            yield from differences(*pair, f"{where}.{key}" if where else key, contestant)
    elif isinstance(published, list) and isinstance(recomputed, list):
        for index, pair in enumerate(zip(published, recomputed, strict=False)):
            yield from differences(*pair, f"{where}[{index}]", contestant)
        if len(published) != len(recomputed):
            yield Difference(f"{where}.length", len(published), len(recomputed), contestant)
    elif not _is_same(published, recomputed):
        yield Difference(where, _shown(published), _shown(recomputed), contestant)


def _pairs(
    published: Mapping[str, Any], recomputed: Mapping[str, Any]
) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """What is to be the same of two documents, by key."""
    for key in sorted({*published, *recomputed}):
        should = recomputed.get(key, _ABSENT)
        if key == "spec_digest" and "spec" in published and "spec" in recomputed:
            # Measured scales may differ in their last digit, and then every digit of this does.
            should = digest_of(published["spec"])
        yield key, (published.get(key, _ABSENT), should)


def _shown(value: Any) -> Any:
    return ABSENT if value is _ABSENT else value


def _is_same(published: Any, recomputed: Any) -> bool:
    if type(published) is not type(recomputed):
        return False
    if isinstance(published, float):
        return bool(abs(published - recomputed) <= ABSOLUTE + RELATIVE * abs(recomputed))
    return bool(published == recomputed)
