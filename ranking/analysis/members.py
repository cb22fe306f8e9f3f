"""Revisions of one family, as its parts are computed from them."""

from __future__ import annotations

from dataclasses import dataclass

from ranking.arrays import IndexArray
from ranking.snapshots import Stated

STAGES = ("experimental", "preview", "", "released")
"""How far a revision has come; "" is not stated."""


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A revision with counted votes. number: its id in the votes; rows: those votes, in order."""

    name: str
    number: int
    stated: Stated
    rows: IndexArray

    @property
    def is_released(self) -> bool:
        return self.stated.stage == "released"

    @property
    def is_unreleased(self) -> bool:
        return self.stated.stage in ("experimental", "preview")
