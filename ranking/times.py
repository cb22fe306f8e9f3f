"""Times of a file as UTC moments in microseconds; null where there is none in years 1 to 9999."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from ranking.arrow import cast_where_possible
from ranking.tables import COLUMNS

_TIME = COLUMNS["timestamp"]
_ZONE = r"(Z|[+-]([01]\d|2[0-3]):?[0-5]\d)$"
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?"
_MOMENT = rf"^\d{{4}}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])([ T]{_CLOCK})?({_ZONE})?$"

# Seconds of 0001-01-01 and of 10000-01-01: what a datetime can hold lies between.
_FIRST, _END = -62_135_596_800, 253_402_300_800
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_INT64 = 2**63 - 1


def from_ticks(ticks: pa.Array, unit: str) -> pa.Array:
    """Moments from int64 counts of `unit` since 1970."""
    per = _PER_SECOND[unit]
    # What is too large for 64 bits is no bound to them.
    after = pc.greater_equal(ticks, max(_FIRST * per, -_INT64))
    before = pc.less_equal(ticks, min(_END * per - 1, _INT64))
    inside = pc.if_else(pc.and_(after, before), ticks, pa.scalar(None, pa.int64()))
    return pc.cast(pc.cast(inside, pa.timestamp(unit, "UTC")), _TIME, safe=False)


def from_epoch(seconds: pa.Array) -> pa.Array:
    """Moments from float64 seconds since 1970."""
    inside = pc.and_(pc.greater_equal(seconds, _FIRST), pc.less(seconds, _END))
    seconds = pc.if_else(inside, seconds, pa.scalar(None, pa.float64()))
    return pc.cast(pc.cast(pc.round(pc.multiply(seconds, 1e6)), pa.int64()), _TIME)


def from_iso(text: pa.Array) -> pa.Array:
    """Moments from ISO 8601 text; UTC where it names no zone."""
    readable = pc.match_substring_regex(text, _MOMENT)
    text = pc.if_else(readable, text, pa.scalar(None, pa.string()))
    text = pc.replace_substring_regex(text, r"(\.\d{6})\d+", r"\1")
    zoned = pc.match_substring_regex(text, _ZONE)
    text = pc.if_else(zoned, text, pc.binary_join_element_wise(_with_clock(text), "Z", ""))
    moments = cast_where_possible(text, _TIME)
    return from_ticks(pc.cast(moments, pa.int64()), "us")


def _with_clock(text: pa.Array) -> pa.Array:
    """A bare date gets a midnight: Arrow reads a zone only after a time of day."""
    bare = pc.equal(pc.utf8_length(text), 10)
    return pc.if_else(bare, pc.binary_join_element_wise(text, " 00:00", ""), text)
