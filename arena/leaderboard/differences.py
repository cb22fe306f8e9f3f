"""What differs between a publication and the one before it: in its rules, and in who is in it.

Both documents say it, and neither is read whole: the database takes out of each the few fields
that count, and those are kept by the document's digest, for they never change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import JSONField
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Cast
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from arena.leaderboard.models import Snapshot
from arena.leaderboard.sentences import LABELS, grouped, listed

KEPT_SECONDS = 24 * 3600
# Of those who came or went so many are named.
MOST_NAMED = 4

LIKELIHOODS = {
    "bradley_terry": gettext_lazy("Bradley-Terry, a tie half a win"),
    "davidson": gettext_lazy("Davidson, ties an outcome of their own"),
    "rao_kupper": gettext_lazy("Rao-Kupper, ties an outcome of their own"),
    "four_outcome": gettext_lazy("four outcomes, both bad among them"),
}
BOTH_BAD = {"half": gettext_lazy("half a win for either"), "drop": gettext_lazy("left out")}
WEIGHTS = {
    None: gettext_lazy("none"),
    "inverse_pair": gettext_lazy("by how often the pair met"),
    "draw_probability": gettext_lazy("by the probability of the draw"),
}
# What is told in sentences of its own, and what is measured on the votes and no choice.
APART = {"controls", "complete_for", "position", "scales"}
SETTINGS = {
    "likelihood": gettext_lazy("Likelihood"),
    "both_bad": gettext_lazy("“Both bad” counts as"),
    "weights": gettext_lazy("Weights"),
    "cluster": gettext_lazy("Intervals clustered by voter"),
    "floor": gettext_lazy("Least variance for few votes"),
    "confidence": gettext_lazy("Level of intervals"),
    "scale": gettext_lazy("Rating points a factor of ten is worth"),
    "center": gettext_lazy("Mean rating"),
    "anchor": gettext_lazy("Anchor"),
    "seed": gettext_lazy("Seed"),
    "draws": gettext_lazy("Draws behind the rank sets"),
    "pair_floor": gettext_lazy("Votes below which pairs weigh alike"),
    "half_life_days": gettext_lazy("Days after which a vote weighs half"),
    "prior_strengths": gettext_lazy("Prior on strengths"),
    "prior_coefficients": gettext_lazy("Prior on coefficients"),
}
VALUES: dict[str, Mapping[Any, Any]] = {
    "likelihood": LIKELIHOODS,
    "both_bad": BOTH_BAD,
    "weights": WEIGHTS,
}


@dataclass(frozen=True)
class Outline:
    """What a document says of its rules, and who has votes in it.

    excluded: votes taken out, by rule.
    """

    number: int
    engine: str
    counted: int
    spec: Mapping[str, Any]
    excluded: Mapping[str, int]
    contestants: frozenset[str]


def outlines(digests: Collection[str]) -> dict[str, Outline]:
    """By digest; at most one query."""
    keys = {f"outline:{digest}": digest for digest in digests}
    found = {keys[key]: outline for key, outline in cache.get_many(keys).items()}
    missing = [digest for digest in digests if digest not in found]
    if missing:
        read = outlines_read(missing)
        cache.set_many({f"outline:{each}": read[each] for each in read}, KEPT_SECONDS)
        found |= read
    return found


def outlines_read(digests: Iterable[str]) -> dict[str, Outline]:
    document = Cast("document", JSONField())
    rows = Snapshot.objects.filter(digest__in=list(digests)).order_by()
    named = rows.annotate(
        spec=KeyTransform("spec", document),
        counts=KeyTransform("counts", document),
        names=KeyTransform("contestants", KeyTransform("pairs", document)),
    )
    values = named.values_list("digest", "number", "engine", "counted", "spec", "counts", "names")
    return {
        digest: Outline(number, engine, counted, spec, counts["excluded"], frozenset(names))
        for digest, number, engine, counted, spec, counts, names in values
    }


def differences(snapshots: Sequence[Snapshot]) -> dict[str, tuple[str, ...]]:
    """By digest, in sentences, what each of these has otherwise than the one before it."""
    wanted = {each.digest for each in snapshots} | {each.previous for each in snapshots}
    known = outlines(wanted)
    return {
        each.digest: sentences(known.get(each.previous), known[each.digest]) for each in snapshots
    }


def sentences(before: Outline | None, after: Outline) -> tuple[str, ...]:
    if before is None:
        return (_("The first."),)
    told = [
        *votes_told(before, after),
        *names_told(before, after),
        *controls_told(before.spec, after.spec),
        *settings_told(before.spec, after.spec),
        *excluded_told(before.excluded, after.excluded),
    ]
    if before.engine != after.engine:
        told.append(changed(_("Engine"), before.engine, after.engine))
    return tuple(told) or (_("The same rules, contestants and number of votes."),)


def changed(name: str, before: str, after: str) -> str:
    return _("%(name)s: %(before)s before, now %(after)s.") % {
        "name": name,
        "before": before,
        "after": after,
    }


# -- Votes and contestants -------------------------------------------------------------------


def votes_told(before: Outline, after: Outline) -> list[str]:
    more = after.counted - before.counted
    if not more:
        return []
    told = {"votes": grouped(abs(more))}
    if more > 0:
        said = ngettext("%(votes)s more vote counted.", "%(votes)s more votes counted.", more)
    else:
        said = ngettext("%(votes)s vote fewer counted.", "%(votes)s votes fewer counted.", -more)
    return [said % told]


def names_told(before: Outline, after: Outline) -> list[str]:
    came, went = after.contestants - before.contestants, before.contestants - after.contestants
    told = []
    if came:
        told.append(_("New: %(names)s.") % {"names": some_of(came)})
    if went:
        told.append(_("Gone: %(names)s.") % {"names": some_of(went)})
    return told


def some_of(names: Iterable[str]) -> str:
    every = sorted(names)
    more = len(every) - MOST_NAMED
    if more <= 1:
        return listed(every)
    others = ngettext("%(more)s other", "%(more)s others", more) % {"more": grouped(more)}
    return listed([*every[:MOST_NAMED], others])


def excluded_told(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    told = []
    for rule in sorted({*before, *after}):
        more = after.get(rule, 0) - before.get(rule, 0)
        if more > 0:
            said = ngettext(
                "%(votes)s more vote taken out by the rule “%(rule)s”.",
                "%(votes)s more votes taken out by the rule “%(rule)s”.",
                more,
            )
        elif more < 0:
            said = ngettext(
                "%(votes)s vote fewer taken out by the rule “%(rule)s”.",
                "%(votes)s votes fewer taken out by the rule “%(rule)s”.",
                -more,
            )
        else:
            continue
        told.append(said % {"votes": grouped(abs(more)), "rule": rule})
    return told


# -- Rules -----------------------------------------------------------------------------------


def controls_told(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    was, now = before["controls"], after["controls"]
    told = []
    if not was and now:
        told.append(_("Style is now controlled for: %(names)s.") % {"names": labels(now)})
    elif was and not now:
        told.append(_("Style is no longer controlled for."))
    else:
        if more := [name for name in now if name not in was]:
            told.append(_("Also controlled for: %(names)s.") % {"names": labels(more)})
        if fewer := [name for name in was if name not in now]:
            told.append(_("No longer controlled for: %(names)s.") % {"names": labels(fewer)})
    if before["position"] and not after["position"]:
        told.append(_("Which side was shown first is no longer accounted for."))
    elif after["position"] and not before["position"]:
        told.append(_("Which side was shown first is now accounted for."))
    return told


def labels(controls: Iterable[str]) -> str:
    return listed(str(LABELS.get(name, name)).lower() for name in controls)


def settings_told(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Settings that one of the two does not know have no value there."""
    names = [name for name in (*before, *after) if name not in APART]
    return [
        changed(
            str(SETTINGS.get(name, name)),
            value_words(name, before.get(name)),
            value_words(name, after.get(name)),
        )
        for name in dict.fromkeys(names)
        if before.get(name) != after.get(name)
    ]


def value_words(name: str, value: Any) -> str:
    known = VALUES.get(name, {})
    if value in known:
        return str(known[value])
    if value is None:
        return _("none")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)
