"""What the methodology page says, in sentences: each from the numbers of one section."""

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from arena.leaderboard.forms import VARIANTS
from arena.leaderboard.page import ControlTag
from arena.leaderboard.sentences import grouped, joined, listed
from arena.leaderboard.templatetags.glyphs import doubt, signed

Json = Mapping[str, Any]

# Rules that the arena itself applies; any other has the name its operator gave it.
RULES = {
    "same_revision": gettext_lazy("The same contestant on both sides"),
    "named": gettext_lazy("Contestants that somebody chose"),
}
STAGES = {
    "experimental": pgettext_lazy("a stage", "Experimental"),
    "preview": pgettext_lazy("a stage", "Preview"),
    "released": pgettext_lazy("a stage", "Released"),
    "": pgettext_lazy("a stage", "Not stated"),
}
# A p-value below this is told as a finding.
RARE = 0.05
# Forecasts that are off by less, in points of a hundred, come true as they say.
NEXT_TO_NOTHING = 1.0


def decimal(value: float, digits: int) -> str:
    """Rounded, and as the reader's language writes it; number_format alone cuts digits off."""
    return str(number_format(round(value, digits), digits, force_grouping=True))


def percent(share: float, digits: int = 1) -> str:
    """0.524 as 52.4%."""
    return _("%(number)s%%") % {"number": decimal(100.0 * share, digits)}


def between(share: Json) -> str:
    """A share with its interval: 52.5% (51.9–53.1)."""
    told = {
        "share": percent(share["share"]),
        "lower": decimal(100.0 * share["lower"], 1),
        "upper": decimal(100.0 * share["upper"], 1),
    }
    return _("%(share)s (%(lower)s–%(upper)s)") % told


def fraction(value: float, digits: int = 4) -> str:
    return decimal(value, digits)


def so_rarely(p_value: float) -> str:
    """A p-value as a sentence's words."""
    if p_value < 0.001:
        return _("less than 1 in 1,000")
    return _("about %(percent)s") % {"percent": percent(p_value, 0 if p_value >= 0.1 else 1)}


# -- Votes -----------------------------------------------------------------------------------


def rule_label(rule: str) -> str:
    return str(RULES[rule]) if rule in RULES else _("Excluded: %(rule)s") % {"rule": rule}


def losses(counts: Json) -> list[tuple[str, int]]:
    """Why votes do not count, in the order in which they are asked; only what happened."""
    steps = sorted(counts["excluded"].items(), key=lambda item: (-item[1], item[0]))
    told = [(rule_label(rule), number) for rule, number in steps]
    told += [
        (_("Without the style of their answers"), counts["missing"]),
        (_("Without what their weight needs"), counts.get("unweighted", 0)),
        (_("Both bad, left out by the board"), counts["both_bad"]),
        (_("Between contestants without a place"), counts["unplaced"]),
    ]
    return [step for step in told if step[1]]


def funnel_title(counts: Json) -> str:
    read, lost = counts["read"], counts["read"] - counts["counted"]
    told = {"lost": grouped(lost), "read": grouped(read)}
    if not lost:
        return ngettext("The one vote counts.", "All %(read)s votes count.", read) % told
    return (
        ngettext(
            "%(lost)s of %(read)s votes does not count.",
            "%(lost)s of %(read)s votes do not count.",
            lost,
        )
        % told
    )


def funnel_told(counts: Json, rejected: int) -> tuple[str, ...]:
    told = []
    if counts["read"] > counts["counted"]:
        told.append(
            _(
                "Nothing was deleted. Each of these votes is in the files, with the rule that set "
                "it aside; a vote under several rules falls to the first."
            )
        )
    if rejected:
        told.append(
            ngettext(
                "%(rows)s row of imported files was no valid vote and never became one.",
                "%(rows)s rows of imported files were no valid votes and never became any.",
                rejected,
            )
            % {"rows": grouped(rejected)}
        )
    return tuple(told)


def funnel_words(steps: Sequence[tuple[str, int]], counts: Json) -> str:
    told = [_("%(votes)s votes were cast or imported") % {"votes": grouped(counts["read"])}]
    told += [f"{label}: −{grouped(number)}" for label, number in steps]
    told.append(_("%(votes)s count") % {"votes": grouped(counts["counted"])})
    return "; ".join(told) + "."


# -- Exposure --------------------------------------------------------------------------------


def group_label(level: str, name: str) -> str:
    """level: organisations or stages."""
    if level == "stages":
        return str(STAGES.get(name, name))
    return name or _("Not stated")


def is_sure(group: Json, groups: Sequence[Json]) -> bool:
    """Whether chance alone would hardly show any of so many so much, or so little."""
    reach = NormalDist().inv_cdf(1.0 - 0.5 * RARE / len(groups))
    return bool(abs(group["places"] - group["fair"]) > reach * group["error"])


def exposure_title(groups: Sequence[Json]) -> str:
    """groups: with `times`; the one furthest from its fair share, if any is surely off."""
    sure = [group for group in groups if group["name"] and is_sure(group, groups)]
    if not sure:
        return _("No organisation is shown surely more, or less, than its fair share.")
    most = max(sure, key=lambda group: max(group["times"], 1.0 / max(group["times"], 1e-9)))
    told = {"name": most["name"], "times": decimal(most["times"], 2)}
    return _("%(name)s is shown %(times)s times its fair share.") % told


def exposure_told(groups: Sequence[Json], roster: str) -> tuple[str, ...]:
    fair = (
        _(
            "Fair is what drawing any two alike would have given, of those who were between their "
            "first and their last vote. Hollow: chance alone could do it."
        )
        if roster == "time"
        else _(
            "Fair is what drawing any two alike would have given. These votes do not say when they "
            "were cast, so all count as there from first to last. Hollow: chance alone could do it."
        )
    )
    return (fair, variants_sentence(groups)) if variants_sentence(groups) else (fair,)


def variants_sentence(groups: Sequence[Json]) -> str:
    """Who had most private variants in battles."""
    most = max((len(group["experimental"]) for group in groups), default=0)
    if not most:
        return ""
    names = [group["name"] for group in groups if len(group["experimental"]) == most]
    told = {"names": listed([name or _("Organisation not stated") for name in names[:4]])}
    told["count"] = grouped(most)
    if len(names) > 4:
        return (
            ngettext(
                "Several organisations had %(count)s experimental variant in battles, more than "
                "any other.",
                "Several organisations had %(count)s experimental variants in battles, more than "
                "any other.",
                most,
            )
            % told
        )
    return (
        ngettext(
            "Most experimental variants in battles: %(names)s, with %(count)s.",
            "Most experimental variants in battles: %(names)s, with %(count)s.",
            most,
        )
        % told
    )


def exposure_words(groups: Sequence[Json]) -> str:
    told = [
        _("%(name)s %(share)s of the places, fair %(fair)s")
        % {
            "name": group["label"],
            "share": percent(group["share"]),
            "fair": percent(group["fair_share"]),
        }
        for group in groups
    ]
    return "; ".join(told) + "."


def draws_title(draws: Json) -> str:
    if draws["p_value"] < RARE:
        return _("Pairs met more unevenly than the log of the draw says.")
    return _("Pairs met as often as the log of the draw says.")


def draws_told(draws: Json) -> tuple[str, ...]:
    low, high = draws["bins"][0]["low"], draws["bins"][-1]["high"]
    told = {
        "votes": grouped(draws["votes"]),
        "pairs": grouped(draws["pairs"]),
        "chi": decimal(draws["statistic"], 0),
        "degrees": grouped(draws["degrees"]),
        "rarely": so_rarely(draws["p_value"]),
        "low": grouped(1.0 / high),
        "high": grouped(1.0 / low),
    }
    even = (
        _("Each battle was logged with the chance of its pair; all had 1 chance in %(low)s.")
        if told["low"] == told["high"]
        else _(
            "Each battle was logged with the chance of its pair, from 1 in %(high)s to 1 in "
            "%(low)s."
        )
    )
    test = _(
        "Over %(pairs)s pairs and %(votes)s votes χ² is %(chi)s on %(degrees)s degrees of freedom; "
        "chance gives as much or more in %(rarely)s of arenas that draw as they log."
    )
    return even % told, test % told


# -- Style and side --------------------------------------------------------------------------


def coefficients_title(controls: Sequence[ControlTag]) -> str:
    sure = [control for control in controls if abs(control.elo) > control.half]
    if not sure:
        return _("Nothing that was controlled for surely sways votes.")
    most = max(sure, key=lambda control: abs(control.elo))
    told = {"name": most.name, "points": f"{signed(most.elo)} {doubt(most.half)}"}
    return _("%(name)s sways votes most: one typical difference is worth %(points)s points.") % told


def coefficients_words(controls: Sequence[ControlTag]) -> str:
    return (
        "; ".join(f"{each.name} {signed(each.elo)} {doubt(each.half)}" for each in controls) + "."
    )


def sides_said(sides: Json) -> str:
    told = {"share": between(sides["first"])}
    if sides["stated"]:
        return _("The answer shown first wins %(share)s of decided votes.") % told
    return (
        _(
            "These votes do not say which answer was shown first. The one listed first wins "
            "%(share)s of decided votes."
        )
        % told
    )


def sides_told(sides: Json, position: ControlTag | None) -> tuple[str, ...]:
    told = []
    if position is not None:
        points = {"points": f"{signed(position.elo)} {doubt(position.half)}"}
        told.append(
            _(
                "The board holds that equal: being first is worth %(points)s points, on the raw "
                "board too."
            )
            % points
            if abs(position.elo) > position.half
            else _(
                "The board holds that equal, though it may be nothing: being first is worth "
                "%(points)s points."
            )
            % points
        )
    coin = sides["coin"]
    if coin is not None:
        rarely = {"rarely": so_rarely(coin["p_value"])}
        told.append(
            _(
                "The coin that chooses sides is not fair to everybody: it would leave contestants "
                "this uneven in %(rarely)s of fair arenas."
            )
            % rarely
            if coin["p_value"] < RARE
            else _("The coin that chooses sides shows nobody first too often.")
        )
    return tuple(told)


def alone_said(alone: Json) -> str:
    told = {"votes": grouped(alone["votes"]), "decided": between(alone["decided"])}
    return (
        ngettext(
            "In %(votes)s vote both answers came from one contestant, and %(decided)s still "
            "preferred one.",
            "In %(votes)s votes both answers came from one contestant, and %(decided)s still "
            "preferred one.",
            alone["votes"],
        )
        % told
    )


def alone_told(alone: Json) -> tuple[str, ...]:
    told = [_("Such a preference is of the answer or of chance, never of the contestant.")]
    if alone["first"] is not None:
        told.append(
            _("Of these the one shown first was preferred in %(share)s.")
            % {"share": between(alone["first"])}
        )
    return (*told, _("None of these votes count."))


# -- Outcomes and voters ---------------------------------------------------------------------


def ties_said(ties: Json) -> str:
    outcomes = ties["outcomes"]
    votes = sum(outcomes.values())
    told = {
        "ties": percent(outcomes["tie"] / votes),
        "bad": percent(outcomes["both_bad"] / votes),
    }
    if not outcomes["tie"] and not outcomes["both_bad"]:
        return _("Every vote decides for one answer.")
    if not outcomes["both_bad"]:
        return _("%(ties)s of votes are ties; none calls both answers bad.") % told
    return _("%(ties)s of votes are ties and %(bad)s call both answers bad.") % told


def ties_told(spec: Json, ties: Json) -> tuple[str, ...]:
    outcomes = ties["outcomes"]
    told = []
    if spec["likelihood"] == "bradley_terry" and (outcomes["tie"] or outcomes["both_bad"]):
        told.append(_("Each counts as half a win for either."))
    if spec["both_bad"] == "drop":
        told.append(_("Votes that call both bad are left out."))
    return tuple(told)


def does_differ(rows: Sequence[Json]) -> bool:
    """Whether the first share and the last are surely apart: else the way says nothing."""
    if len(rows) < 2:
        return False
    first, last = rows[0], rows[-1]
    return bool(first["lower"] > last["upper"] or first["upper"] < last["lower"])


def apart_title(rows: Sequence[Json]) -> str:
    told = {"near": percent(rows[0]["share"]), "far": percent(rows[-1]["share"])}
    if rows[0]["share"] < rows[-1]["share"]:
        return (
            _("Ties become more when one answer is favoured: %(near)s at evens, %(far)s furthest.")
            % told
        )
    return (
        _("Ties thin out when one answer is favoured: %(near)s at evens, %(far)s furthest apart.")
        % told
    )


def strength_title(rows: Sequence[Json]) -> str:
    told = {"weak": percent(rows[0]["share"]), "strong": percent(rows[-1]["share"])}
    return (
        _(
            "Both answers are called bad in %(weak)s of votes between the weakest, and in "
            "%(strong)s between the strongest."
        )
        % told
    )


def levels_words(rows: Sequence[Json]) -> str:
    told = [
        _("at %(mean)s points %(share)s") % {"mean": grouped(row["mean"]), "share": between(row)}
        for row in rows
    ]
    return "; ".join(told) + "."


def voters_title(voters: Json) -> str:
    told = {"voters": grouped(voters["voters"])}
    top = next((each for each in voters["top"] if each["share"] >= 0.01), None)
    if top is None:
        told["votes"] = grouped(voters["votes"])
        return (
            ngettext(
                "%(voters)s voter cast the %(votes)s votes of known voters.",
                "%(voters)s voters cast the %(votes)s votes of known voters.",
                voters["voters"],
            )
            % told
        )
    told |= {"top": percent(top["share"], 0), "votes": percent(top["votes"], 0)}
    return _("Of %(voters)s voters the busiest %(top)s cast %(votes)s of the votes.") % told


def voters_told(voters: Json, clustered: bool) -> tuple[str, ...]:
    told = []
    if clustered and voters["effective"] is not None:
        told.append(
            ngettext(
                "Intervals treat a voter as one source: the votes weigh like those of "
                "%(effective)s equally active voter.",
                "Intervals treat a voter as one source: the votes weigh like those of "
                "%(effective)s equally active voters.",
                round(voters["effective"]),
            )
            % {"effective": grouped(voters["effective"])}
        )
    told.append(
        ngettext(
            "The busiest cast %(busiest)s vote, half of the voters no more than %(median)s.",
            "The busiest cast %(busiest)s votes, half of the voters no more than %(median)s.",
            voters["busiest"],
        )
        % {"busiest": grouped(voters["busiest"]), "median": grouped(voters["median"])}
    )
    if voters["unknown"]:
        told.append(
            ngettext(
                "%(unknown)s more vote is by a voter who is not known; each stands for itself.",
                "%(unknown)s more votes are by voters who are not known; each stands for itself.",
                voters["unknown"],
            )
            % {"unknown": grouped(voters["unknown"])}
        )
    return tuple(told)


def voters_words(voters: Json) -> str:
    told = [
        _("the busiest %(share)s cast %(votes)s")
        % {"share": percent(top["share"]), "votes": percent(top["votes"])}
        for top in voters["top"]
    ]
    return joined(voters_title(voters), "; ".join(told) + "." if told else "")


# -- Forecasts -------------------------------------------------------------------------------


def board_label(board: str) -> str:
    if board in VARIANTS:
        return str(VARIANTS[board])
    return _("Style controlled") if board == "controlled" else _("Raw")


def bins_held(bins: Sequence[Json]) -> int:
    """In how many groups the interval of the score holds the forecast."""
    return sum(each["lower"] <= each["expected"] <= each["upper"] for each in bins)


def points_off(bins: Sequence[Json]) -> float:
    """Mean distance of score and forecast, in points of a hundred."""
    votes = sum(each["votes"] for each in bins)
    off = sum(each["votes"] * abs(each["share"] - each["expected"]) for each in bins)
    return float(100.0 * off / votes)


def forecasts_title(bins: Sequence[Json]) -> str:
    if bins_held(bins) >= len(bins) - 1 or points_off(bins) < NEXT_TO_NOTHING:
        return _("Forecasts come true about as often as they say.")
    told = {"points": decimal(points_off(bins), 1)}
    return _("Forecasts are %(points)s points of a hundred off, on average.") % told


def forecasts_told(forecasts: Json, bins: Sequence[Json]) -> tuple[str, ...]:
    votes = sum(each["votes"] for each in bins)
    told = {
        "votes": grouped(votes),
        "held": grouped(bins_held(bins)),
        "bins": grouped(len(bins)),
        "points": decimal(points_off(bins), 1),
    }
    said = [
        _(
            "%(votes)s votes, each forecast by a fit to earlier votes alone. In %(held)s of "
            "%(bins)s groups the 95%% interval, voters as clusters, holds the forecast; on average "
            "the two are %(points)s points of a hundred apart."
        )
        % told
    ]
    if forecasts["votes"] < forecasts["of"]:
        said.append(
            _(
                "Only the last %(votes)s of %(of)s counted votes are used: forecasting needs a fit "
                "for each stretch of votes."
            )
            % {"votes": grouped(forecasts["votes"]), "of": grouped(forecasts["of"])}
        )
    if forecasts["order"] != "time":
        said.append(
            _("When these votes were cast is not known: the order of their rows was taken for it.")
        )
    return tuple(said)


def bins_words(bins: Sequence[Json]) -> str:
    told = [
        _("forecast %(expected)s, scored %(share)s")
        % {"expected": percent(each["expected"]), "share": between(each)}
        for each in bins
    ]
    return "; ".join(told) + "."


def scores_title(forecasts: Json) -> str:
    if forecasts["better"] is None:
        raw = forecasts["boards"][0]
        saved = 1.0 - raw["brier"] / raw["brier_without"]
        if saved <= 0.0:
            return _("Forecasts do no better than ones that know no contestant.")
        told = {"saved": percent(saved)}
        return _("Forecasts miss by %(saved)s less than ones that know no contestant.") % told
    better = forecasts["better"]["brier"]
    told = {
        "gain": fraction(abs(better["gain"])),
        "half": fraction((better["upper"] - better["lower"]) / 2.0),
    }
    if better["lower"] > 0.0:
        return (
            _(
                "Controlling for style makes forecasts better: the Brier score falls by %(gain)s "
                "±%(half)s."
            )
            % told
        )
    if better["upper"] < 0.0:
        return (
            _(
                "Controlling for style makes forecasts worse: the Brier score rises by %(gain)s "
                "±%(half)s."
            )
            % told
        )
    return _("Controlling for style makes forecasts neither surely better nor surely worse.")


def scores_told() -> str:
    return _(
        "The Brier score is the mean square of what a forecast was off; it compares all boards "
        "that rest on the same votes. Log loss compares boards of one model of ties."
    )


def scores_words(rows: Sequence[Json]) -> str:
    told = [
        f"{row['label']} {fraction(row['brier'])} ({fraction(row['brier_without'])})"
        for row in rows
    ]
    return "; ".join(told) + "."


# -- One scale, and who is on it -------------------------------------------------------------


def circles_title(circles: Json) -> str:
    told = {
        "share": percent(circles["share"]),
        "mean": percent(circles["null_mean"]),
        "upper": percent(circles["null_upper"]),
    }
    if circles["p_value"] < RARE:
        return (
            _(
                "One scale does not explain everything: %(share)s of what decides pairs runs in "
                "circles, where chance gives %(mean)s."
            )
            % told
        )
    return (
        _(
            "One scale explains the votes: %(share)s of what decides pairs runs in circles, and "
            "chance gives up to %(upper)s."
        )
        % told
    )


def circles_told(circles: Json) -> tuple[str, ...]:
    flagged = circles["flagged"]
    told = {"pairs": grouped(circles["pairs"]), "flagged": grouped(flagged)}
    pairs = (
        ngettext(
            "Of %(pairs)s pairs %(flagged)s is further from its forecast than chance allows with "
            "so many pairs.",
            "Of %(pairs)s pairs %(flagged)s are further from their forecasts than chance allows "
            "with so many pairs.",
            flagged,
        )
        if flagged
        else _(
            "Of %(pairs)s pairs none is further from its forecast than chance allows with so many "
            "pairs; these are the furthest."
        )
    )
    null = _(
        "Chance: votes drawn %(simulations)s times from the fitted board, each for itself. Of "
        "voters who vote alike, real shares are somewhat larger."
    ) % {"simulations": grouped(circles["simulations"])}
    return pairs % told, null


def circles_words(pairs: Sequence[Json]) -> str:
    told = [
        _(
            "%(first)s scored %(observed)s against %(second)s, forecast %(expected)s, in "
            "%(votes)s votes"
        )
        % {
            "first": pair["first"],
            "second": pair["second"],
            "observed": percent(pair["observed_share"], 0),
            "expected": percent(pair["expected_share"], 0),
            "votes": grouped(pair["votes"]),
        }
        for pair in pairs
    ]
    return "; ".join(told) + "."


def graph_said(graph: Json, unplaced: int) -> str:
    told = {
        "placed": grouped(graph["placed"]),
        "unplaced": grouped(unplaced),
        "groups": grouped(len(graph["components"])),
    }
    if len(graph["components"]) > 1:
        return (
            _(
                "Contestants form %(groups)s groups that never met; only the largest can be "
                "ranked, with %(placed)s placed."
            )
            % told
        )
    if unplaced:
        return (
            ngettext(
                "%(placed)s contestants can be placed, %(unplaced)s cannot.",
                "%(placed)s contestants can be placed, %(unplaced)s cannot.",
                unplaced,
            )
            % told
        )
    return (
        _("All %(placed)s contestants have a place: wins lead from each to every other and back.")
        % told
    )


def graph_told(graph: Json) -> tuple[str, ...]:
    few, least = graph["fewest_opponents"], graph["fewest_votes"]
    numbers = {
        "pairs": grouped(graph["pairs"]),
        "possible": grouped(graph["possible"]),
        "median": grouped(graph["median_votes"]),
        "opponents": grouped(few["opponents"]),
        "shy": few["contestant"],
        "rare": least["contestant"],
        "votes": grouped(least["votes"]),
    }
    if graph["pairs"] == graph["possible"]:
        met = _("Everybody has met everybody, half of the pairs in %(median)s votes or fewer.")
    else:
        met = joined(
            _(
                "%(pairs)s of %(possible)s possible pairs have met, half of them in %(median)s "
                "votes or fewer."
            ),
            _("The fewest opponents, %(opponents)s, are those of %(shy)s."),
        )
    return (joined(met, _("The fewest votes, %(votes)s, are those of %(rare)s.")) % numbers,)


# -- The page --------------------------------------------------------------------------------


def headline(counts: Json, controls: Sequence[ControlTag], bins: Sequence[Json]) -> str:
    """What is left out, what sways votes, and whether forecasts hold: what can be said of these."""
    told = [funnel_title(counts)]
    sure = [control for control in controls if abs(control.elo) > control.half]
    if sure:
        most = max(sure, key=lambda control: abs(control.elo))
        told.append(_("%(name)s sways votes most.") % {"name": most.name})
    elif bins:
        told.append(forecasts_title(bins))
    return joined(*told)
