"""The votes that a publication's parts are computed from, and what all of the parts share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ranking.arrays import BoolArray
from ranking.errors import FitError, RankingError
from ranking.newton import NoEstimateError
from ranking.snapshots import Stated
from ranking.spec import RankingSpec
from ranking.tables import CATEGORY
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
    """

    votes: Votes
    claimed: BoolArray | None = None
    categories: Mapping[str, BoolArray] = field(default_factory=dict)
    places: Mapping[str, str] | None = None
    stated: Mapping[str, Stated] = field(default_factory=dict)


def sources_of(
    table: pa.Table,
    places: Mapping[str, str] | None = None,
    stated: Mapping[str, Stated] | None = None,
) -> Sources:
    """What a table of sealed votes tells. Tags that are no yes or no name no category."""
    claimed = None
    if "flags" in table.column_names:
        found = pc.match_substring(table["flags"].cast(pa.string()), "identity_")
        claimed = found.fill_null(False).to_numpy()
    tags = {
        name.removeprefix(CATEGORY): table[name]
        for name in table.column_names
        if name.startswith(CATEGORY) and pa.types.is_boolean(table[name].type)
    }
    categories = {
        name: tags[tag].fill_null(False).to_numpy() for tag, name in short_names(tags).items()
    }
    return Sources(Votes.from_arrow(table), claimed, categories, places, stated or {})


def short_names(tags: Iterable[str]) -> dict[str, str]:
    """What each tag's category is called: its last word, where no other ends in it."""
    tags = sorted(tags)
    last = Counter(tag.rpartition(".")[2] for tag in tags)
    words = {tag: tag.rpartition(".")[2] for tag in tags}
    return {tag: word if last[word] == 1 else tag for tag, word in words.items()}


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
