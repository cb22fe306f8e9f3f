"""Which board is meant by its name, its category and its controls, as the API has them."""

from arena.leaderboard.exceptions import NoSuchBoard
from arena.leaderboard.models import BoardName, Fitted
from arena.leaderboard.selectors import CURRENT, board_name
from arena.leaderboard.viewing import OVERALL, View, boards_of, choices_of, known_category
from ranking.analysis import NONE
from ranking.covariates import expand_controls
from ranking.errors import SpecError

LATENCY = "latency"


def view_named(snapshot: Fitted, wanted: str, *, category: str = "", controls: str = "") -> View:
    """The view of the board of that name ("current": the default one).

    controls: names of controls or of toggles with commas between them, or "none"; with "current"
    they choose the board. Raises NoSuchBoard, saying what the publication holds.
    """
    view = category_view(snapshot, category or OVERALL)
    if controls:
        return view.changed(controls=toggles_meant(snapshot, view, wanted, controls))
    # Of a publication's own boards one may be missing too.
    named = board_name(snapshot, "" if wanted == CURRENT else wanted)
    if named == BoardName.RAW:
        return view.changed(controls=())
    if wanted == named and not view.has_controlled:
        raise NoSuchBoard(f"Of '{view.category}' there is a raw board alone.")
    return view.changed(controls=view.choices.full if view.has_controlled else ())


def category_view(snapshot: Fitted, category: str) -> View:
    """Of a category's own votes, or of all. Raises NoSuchBoard, saying which exist."""
    choices = choices_of(snapshot)
    view = View(choices, category=known_category(category, choices), alone=True)
    return view.changed(boards=boards_of(snapshot, view))


def toggles_meant(snapshot: Fitted, view: View, wanted: str, controls: str) -> tuple[str, ...]:
    """The toggles that switch on just these controls, of those with a board."""
    sets = toggle_sets(view)
    held = controls_held(snapshot)
    asked = controls_named(controls)
    for toggles in sets:
        named = {CURRENT, BoardName.CONTROLLED if toggles else BoardName.RAW}
        if wanted in named and held & set(expand_controls(toggles)) == asked:
            return toggles
    known = "; ".join(",".join(toggles) or NONE for toggles in sets)
    raise NoSuchBoard(
        f"No board '{wanted[:40]}' of this publication controls for '{controls[:80]}'. "
        f"These sets exist: {known}."
    )


def toggle_sets(view: View) -> list[tuple[str, ...]]:
    """Those with a board, the smallest first."""
    sets = {(), *(view.choices.sets if view.is_plain else ())}
    if view.has_controlled:
        sets.add(view.choices.full)
    return sorted(sets, key=lambda toggles: (len(toggles), toggles))


def controls_held(snapshot: Fitted) -> set[str]:
    """What a toggle may switch: the controls of the controlled board, and latency."""
    controlled = snapshot.content["boards"].get(BoardName.CONTROLLED)
    return {*(controlled["spec"]["controls"] if controlled else ()), *expand_controls([LATENCY])}


def controls_named(written: str) -> set[str]:
    if written == NONE:
        return set()
    try:
        return set(expand_controls(name.strip() for name in written.split(",")))
    except SpecError as error:
        raise NoSuchBoard(str(error)) from error
