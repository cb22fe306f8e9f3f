"""The votes that a publication's parts are computed from, and what all of the parts share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ranking.analysis.tags import categories_of
from ranking.arrays import BoolArray, IntArray
from ranking.errors import FitError, RankingError
from ranking.newton import NoEstimateError
from ranking.snapshots import Stated
from ranking.spec import RankingSpec
from ranking.tables import labels_of
from ranking.votes import Votes

FAILURES = (FitError, NoEstimateError, np.linalg.LinAlgError, ValueError)
"""What a part may fail of: votes too few or too extreme for it. The others are made anyway."""

Part = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Votes, and what of them the parts need that a single fit does not.

    claimed: (n,) whether an answer of the vote gave its contestant away; None: not known.
    categories: name -> (n,) whether the vote belongs to it.
    places: what a family's row is called -> the contestant that fills it; None: no families.
    stated: by contestant; empty: no catalog.
    prompt: (n,) ids of what was asked, −1 where that is not of a known set; None: nowhere known.
    """

    votes: Votes
    claimed: BoolArray | None = None
    categories: Mapping[str, BoolArray] = field(default_factory=dict)
    places: Mapping[str, str] | None = None
    stated: Mapping[str, Stated] = field(default_factory=dict)
    prompt: IntArray | None = None


def sources_of(
    table: pa.Table,
    places: Mapping[str, str] | None = None,
    stated: Mapping[str, Stated] | None = None,
) -> Sources:
    """What a table of sealed votes tells; for its categories see ranking.analysis.tags."""
    claimed = None
    if "flags" in table.column_names:
        found = pc.match_substring(table["flags"].cast(pa.string()), "identity_")
        claimed = found.fill_null(False).to_numpy()
    votes = Votes.from_arrow(table)
    categories = categories_of(table, votes.excluded)
    return Sources(votes, claimed, categories, places, stated or {}, prompts_of(table))


def prompts_of(table: pa.Table) -> IntArray | None:
    """Ids of the prompts that a table of votes names, None where it names none."""
    if "prompt_id" not in table.column_names or not pc.any(table["prompt_id"].is_valid()).as_py():
        return None
    return labels_of(table, "prompt_id")[1]


@dataclass(frozen=True, slots=True, eq=False)
class Before:
    """The publication before: its votes, its default board's spec and its families."""

    votes: Votes
    spec: RankingSpec
    places: Mapping[str, str] | None = None


def without(votes: Votes, out: BoolArray, rule: str) -> Votes:
    """The votes, of which some do not count by one more rule."""
    before = votes.excluded if votes.excluded is not None else np.full(len(votes), -1, np.int32)
    rules = votes.rules if rule in votes.rules else (*votes.rules, rule)
    excluded = np.where((before < 0) & out, rules.index(rule), before)
    return replace(votes, excluded=excluded.astype(np.int32), rules=rules)


def reason(error: Exception) -> str:
    """What a part without numbers says instead."""
    if isinstance(error, RankingError):
        return str(error)
    return "These votes are too few or too extreme for it: the fit comes to no end."
