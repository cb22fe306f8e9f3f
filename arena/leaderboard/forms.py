"""What a reader may choose of a board, and where each choice leads."""

from collections.abc import Iterable, Mapping

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from arena.leaderboard.categories import category_label
from arena.leaderboard.models import Fitted
from arena.leaderboard.page import ControlTag, Form, Head, Option, Toggle
from arena.leaderboard.sentences import LABELS
from arena.leaderboard.sources import Data
from arena.leaderboard.viewing import (
    EXPLICIT,
    FAMILIES,
    OVERALL,
    REVISIONS,
    SORTS,
    Filters,
    View,
    query_of,
)
from ranking.covariates import expand_controls

GROUPS = {"markdown": gettext_lazy("Markdown"), "latency": gettext_lazy("Latency")}
VARIANTS = {
    "davidson": gettext_lazy("Ties modelled (Davidson)"),
    "rao_kupper": gettext_lazy("Ties modelled (Rao and Kupper)"),
    "four_outcome": gettext_lazy("Ties and both bad modelled"),
    "no_both_bad": gettext_lazy("Without votes of both bad"),
    "inverse_pair": gettext_lazy("Every pair weighs alike"),
    "draw_probability": gettext_lazy("Weighted by chance of the draw"),
    "no_identity": gettext_lazy("Without answers that named themselves"),
}
# Parts of an address that no input of the form shows.
UNSEEN = {"snapshot", "pooling", "sort", "open", "show"}


def toggle_label(name: str) -> str:
    return str(GROUPS[name] if name in GROUPS else LABELS[name])


def form_of(
    snapshot: Fitted,
    view: View,
    address: str,
    rows: list[Data],
    tags: Mapping[str, ControlTag],
    is_cut: bool,
) -> Form:
    pairs = view.asked()
    bare = view.changed(filters=Filters())
    return Form(
        address=address,
        raw=address + raw_of(view).query() if view.has_controlled and view.has_raw else "",
        controlled=address + full_of(view).query() if view.has_controlled else "",
        toggles=tuple(toggle_of(name, view, tags) for name in switched(view)),
        full=",".join(view.choices.full),
        strength=f"{view.strength:.2f}" if view.has_slider else "",
        path=reverse("leaderboard:path") + query_of([("snapshot", snapshot.short)]),
        categories=categories_of(view),
        variants=variants_of(view),
        organisations=options(
            sorted(
                {row["organisation"] for row in rows if "organisation" in row}, key=str.casefold
            ),
            view.filters.organisation,
        ),
        licences=licences_of(rows, view),
        stages=stages_of(rows, view),
        rows=rows_of_families(snapshot, view, rows),
        search=view.filters.search,
        votes=view.filters.votes,
        held=tuple(held(view)),
        held_by_strength=tuple(pair for pair in pairs if pair[0] not in ("controls", "strength")),
        clear=address + bare.query() if view.filters else "",
        heads={column: head(column, view, address) for column in SORTS},
        strongest=max((abs(tag.elo) for tag in tags.values()), default=0.0),
        all_rows=address + view.changed(whole=True).query() if is_cut else "",
    )


def raw_of(view: View) -> View:
    return view.changed(controls=(), strength=0.0, opened=frozenset())


def full_of(view: View) -> View:
    return view.changed(controls=view.choices.full, strength=1.0)


def held(view: View) -> Iterable[tuple[str, str]]:
    """What the form of choices carries along: its own inputs say the rest."""
    yield from (pair for pair in view.asked() if pair[0] in UNSEEN)
    if view.is_between:
        yield "strength", f"{view.strength:g}"
    if view.has_toggles:
        yield "controls", EXPLICIT
    elif view.has_controlled and not view.controls:
        yield "controls", "none"


# -- Controls --------------------------------------------------------------------------------


def switched(view: View) -> tuple[str, ...]:
    return view.choices.toggles if view.has_toggles else ()


def toggle_of(name: str, view: View, tags: Mapping[str, ControlTag]) -> Toggle:
    members = expand_controls([name])
    return Toggle(
        name=name,
        label=toggle_label(name),
        is_on=name in view.controls,
        controls=tuple(tags[member] for member in members if member in tags),
    )


def head(column: str, view: View, address: str) -> Head:
    """A first look at a column shows its natural order, a second one turns it round."""
    is_sorted = view.sort == column
    descending = not view.descending if is_sorted else SORTS[column]
    order = ("descending" if view.descending else "ascending") if is_sorted else ""
    return Head(address + view.changed(sort=column, descending=descending).query(), order)


# -- Options ---------------------------------------------------------------------------------


def options(values: Iterable[str], chosen: str) -> tuple[Option, ...]:
    """Absent where there is nothing to choose between."""
    made = tuple(Option(value, value, value == chosen) for value in values)
    return made if len(made) > 1 or chosen else ()


def categories_of(view: View) -> tuple[Option, ...]:
    if not view.choices.categories:
        return ()
    return tuple(
        Option(name, category_label(name), name == view.category)
        for name in (OVERALL, *view.choices.categories)
    )


def variants_of(view: View) -> tuple[Option, ...]:
    if not view.choices.variants or view.category != OVERALL:
        return ()
    return tuple(
        Option(name, str(VARIANTS[name]), name == view.variant) for name in view.choices.variants
    )


def licences_of(rows: list[Data], view: View) -> tuple[Option, ...]:
    labels = {"open": pgettext("licence", "Open"), "proprietary": pgettext("licence", "Closed")}
    return labelled(labels, {row.get("licence", "") for row in rows}, view.filters.licence)


def stages_of(rows: list[Data], view: View) -> tuple[Option, ...]:
    labels = {
        "experimental": _("Experimental"),
        "preview": _("Preview"),
        "released": _("Released"),
    }
    return labelled(labels, {row.get("stage", "") for row in rows}, view.filters.stage)


def labelled(labels: Mapping[str, str], there: set[str], chosen: str) -> tuple[Option, ...]:
    found = [name for name in labels if name in there]
    if len(found) < 2 and not chosen:
        return ()
    return tuple(Option(name, labels[name], name == chosen) for name in labels if name in there)


def rows_of_families(snapshot: Fitted, view: View, rows: list[Data]) -> tuple[Option, ...]:
    """Only where some family has more than one revision on the board."""
    families = [row["family"] for row in rows if "family" in row]
    if len(set(families)) == len(families) and view.rows != FAMILIES:
        return ()
    labels = {REVISIONS: _("Revisions"), FAMILIES: _("Families")}
    return tuple(Option(name, label, name == view.rows) for name, label in labels.items())
