"""Why a contestant moved: the exact account of the control path, as a bar and a sentence."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arena.leaderboard.models import Fitted
from arena.leaderboard.page import Moved, Row, Term, Why
from arena.leaderboard.selectors import part_get
from arena.leaderboard.sentences import LABELS, joined, listed
from arena.leaderboard.viewing import FAMILIES, View

# A difference that is smaller is no reason that anybody would see.
LEAST_PERCENT = 5
# From here on a number of times says it better.
TIMES_FROM = 2.0
MOST_REASONS = 2

Account = dict[str, Any]


def whys(snapshot: Fitted, view: View, rows: Iterable[Row]) -> dict[str, Why] | None:
    """By contestant, the account of each opened row; None where the publication has none."""
    asked = [row for row in rows if row.name in view.opened and row.moved]
    if not asked:
        return {}
    path = part_get(snapshot, "path")
    if path is None:
        return None
    accounts = {account["contestant"]: account for account in path["attributions"]}
    scales = scales_of(snapshot)
    return {row.name: why_of(row, accounts[row.name], scales, view) for row in asked}


def scales_of(snapshot: Fitted) -> dict[str, float]:
    """What one typical difference of each control is, as a share of both answers together."""
    scales: dict[str, float] = snapshot.content["boards"]["controlled"]["spec"]["scales"]
    return scales


def why_of(row: Row, account: Account, scales: Mapping[str, float], view: View) -> Why:
    points = whole_points([term["rating"] for term in account["terms"]])
    terms, zero = bars([term["control"] for term in account["terms"]], points)
    family = view.changed(rows=FAMILIES, opened=frozenset())
    return Why(
        sentence=sentence(row, account, scales),
        terms=terms,
        points=sum(points),
        zero=zero,
        family=family.query(),
    )


def whole_points(values: list[float]) -> list[int]:
    """Rounded so that they sum to the rounded sum: those furthest from it give way."""
    rounded = [round(value) for value in values]
    off = round(sum(values)) - sum(rounded)
    step = 1 if off > 0 else -1
    order = sorted(range(len(values)), key=lambda k: step * (rounded[k] - values[k]))
    for k in order[: abs(off)]:
        rounded[k] += step
    return rounded


def bars(names: list[str], points: list[int]) -> tuple[tuple[Term, ...], float]:
    """Bars end to end, losses to the left of zero and gains to the right of it."""
    order = sorted(zip(names, points, strict=True), key=lambda term: -abs(term[1]))
    lost = sum(-value for _, value in order if value < 0)
    gained = sum(value for _, value in order if value > 0)
    per_point = 100 / max(lost + gained, 1)
    zero, left, right = lost * per_point, lost * per_point, lost * per_point
    terms = []
    for name, value in order:
        width = abs(value) * per_point
        start = right if value >= 0 else left - width
        left, right = (left, right + width) if value >= 0 else (start, right)
        terms.append(Term(str(LABELS[name]), value, start, width))
    return tuple(terms), zero


# -- The sentence ----------------------------------------------------------------------------


def sentence(row: Row, account: Account, scales: Mapping[str, float]) -> str:
    told = [places_sentence(row)]
    if reasons := reasons_of(account, scales):
        told.append(_("Its answers %(reasons)s.") % {"reasons": listed(reasons)})
    if row.moved and row.moved.could_be_nothing:
        told.append(_("It could be no movement at all."))
    return joined(*told)


def places_sentence(row: Row) -> str:
    assert row.moved is not None
    ranks = row.moved.ranks
    if row.moved.is_contrary and not row.moved.could_be_nothing:
        return contrary_sentence(row.moved)
    if ranks < 0:
        text = ngettext(
            "Style carried it %(number)s place.", "Style carried it %(number)s places.", -ranks
        )
    elif ranks > 0:
        text = ngettext(
            "Style cost it %(number)s place.", "Style cost it %(number)s places.", ranks
        )
    else:
        text = _("Style neither carried it a place nor cost it one.")
    return text % {"number": abs(ranks)}


def contrary_sentence(moved: Moved) -> str:
    if moved.ranks > 0:
        text = ngettext(
            "Its rating falls, yet it stands %(number)s place higher: others fall further.",
            "Its rating falls, yet it stands %(number)s places higher: others fall further.",
            moved.ranks,
        )
    else:
        text = ngettext(
            "Its rating rises, yet it stands %(number)s place lower: others rise further.",
            "Its rating rises, yet it stands %(number)s places lower: others rise further.",
            -moved.ranks,
        )
    return text % {"number": abs(moved.ranks)}


def reasons_of(account: Account, scales: Mapping[str, float]) -> list[str]:
    """How its answers differ in what moved it most, towards where it moved."""
    towards = [term for term in account["terms"] if term["rating"] * account["rating"] > 0]
    towards.sort(key=lambda term: -abs(term["rating"]))
    found = [reason(term["control"], times(term, scales)) for term in towards]
    return [text for text in found if text][:MOST_REASONS]


def times(term: Account, scales: Mapping[str, float]) -> float:
    """How many times as much of it its answers have as those that they met, at the mean share."""
    share = min(max(term["difference"] * scales[term["control"]], -0.95), 0.95)
    return (1 + share) / (1 - share)


def reason(control: str, times: float) -> str:
    """In words; "" where nobody would see the difference."""
    percent = round(100 * abs(times - 1))
    if percent < LEAST_PERCENT:
        return ""
    if times >= TIMES_FROM:
        return reason_times(control) % {"times": f"{times:.1f}"}
    text = reason_more(control) if times > 1 else reason_less(control)
    return text % {"percent": percent}


def reason_times(control: str) -> str:
    match control:
        case "length":
            return _("are %(times)s times as long as those they met")
        case "headers":
            return _("have %(times)s times the headers")
        case "lists":
            return _("have %(times)s times the list items")
        case "bold":
            return _("have %(times)s times the bold text")
        case "code":
            return _("have %(times)s times the code")
        case "emoji":
            return _("have %(times)s times the emoji")
        case "first_token":
            return _("take %(times)s times as long to begin")
    return _("take %(times)s times as long")


def reason_more(control: str) -> str:
    match control:
        case "length":
            return _("are %(percent)s%% longer than those they met")
        case "headers":
            return _("have %(percent)s%% more headers")
        case "lists":
            return _("have %(percent)s%% more list items")
        case "bold":
            return _("have %(percent)s%% more bold text")
        case "code":
            return _("have %(percent)s%% more code")
        case "emoji":
            return _("have %(percent)s%% more emoji")
        case "first_token":
            return _("begin %(percent)s%% later")
    return _("take %(percent)s%% longer")


def reason_less(control: str) -> str:
    match control:
        case "length":
            return _("are %(percent)s%% shorter than those they met")
        case "headers":
            return _("have %(percent)s%% fewer headers")
        case "lists":
            return _("have %(percent)s%% fewer list items")
        case "bold":
            return _("have %(percent)s%% less bold text")
        case "code":
            return _("have %(percent)s%% less code")
        case "emoji":
            return _("have %(percent)s%% fewer emoji")
        case "first_token":
            return _("begin %(percent)s%% sooner")
    return _("take %(percent)s%% less time")
