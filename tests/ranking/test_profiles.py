"""Profiles of contestants: against the obvious computation, and against each other."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from ranking import RankingSpec, Votes, pairwise_contrasts, rigging_cost
from ranking.analysis.profiles import CLEAR, EXAMPLES, Placed, about, profile_parts
from ranking.contrasts import contrasts_of
from ranking.encounters import encounters_of, further_votes, straight_wins
from ranking.errors import SpecError
from ranking.fingerprints import fingerprints
from ranking.fitting import Estimate, estimate
from ranking.publication import publication
from ranking.selection import prepare
from ranking.snapshots import canonical
from tests.ranking.making import Array, plain, rows_of, simulated, turned

Part = dict[str, Any]


def estimated(votes: Votes, spec: RankingSpec) -> Estimate:
    prepared = prepare(votes, spec)
    assert prepared.design is not None
    return estimate(prepared, prepared.design)


def profiles(votes: Votes) -> dict[str, Part]:
    """The parts by contestant, and the field's."""
    published = publication(votes)
    prepared = prepare(votes, published.default.spec)
    placed = None
    if prepared.design is not None:
        fitted = estimate(prepared, prepared.design)
        placed = Placed.of(fitted, contrasts_of(fitted))
    made = dict(profile_parts(prepared, published, placed))
    assert all(canonical(part) for part in made.values())
    return {name.removeprefix("contestant/"): part for name, part in made.items()}


def against(part: Part, opponent: str) -> Part:
    """The entry of one opponent."""
    versus = part["versus"]
    k = versus["contestants"].index(opponent)
    return {key: column[k] for key, column in versus.items()}


def entries(made: dict[str, Part]) -> Iterator[tuple[str, str, Part]]:
    for name, part in made.items():
        if name != "field":
            for opponent in part["versus"]["contestants"]:
                yield name, opponent, against(part, opponent)


def with_newcomer(votes: Votes) -> Votes:
    """One contestant more, who won the only battle it had, against model 0."""
    return replace(
        votes,
        contestants=(*votes.contestants, "newcomer"),
        a=np.append(votes.a, len(votes.contestants)).astype(np.int32),
        b=np.append(votes.b, 0).astype(np.int32),
        outcome=np.append(votes.outcome, 0).astype(np.int8),
        shown_first=None if votes.shown_first is None else np.append(votes.shown_first, 1),
        voter=None if votes.voter is None else np.append(votes.voter, -1),
        features={
            name: (np.append(a, 5.0), np.append(b, 7.0)) for name, (a, b) in votes.features.items()
        },
    )


@pytest.fixture(scope="module")
def votes() -> Votes:
    return with_newcomer(simulated(3, 900))


@pytest.fixture(scope="module")
def made(votes: Votes) -> dict[str, Part]:
    return profiles(votes)


def test_it_works(votes: Votes, made: dict[str, Part]) -> None:
    assert list(made) == [*sorted(votes.contestants), "field"]
    part = made["model 1"]
    assert (part["contestant"], part["board"]) == ("model 1", "controlled")
    assert {len(column) for column in part["versus"].values()} == {5}
    assert list(part["style"]) == ["tokens", "headers"]
    assert sum(part["versus"]["votes"]) == part["style"]["tokens"]["votes"]


def test_three_wins_of_four_by_hand() -> None:
    """p = ¾, so a lead of ln 3; the information is 4 · ¾ · ¼ = ¾, and so is the sum of squared
    residuals. 0 is (1.96/ln 3)² = 3.18 away, which takes (3.18 − ¾)/(3/16) = 13 votes. A win of B
    moves it by ¾/(¾ + 3/16 per win): 1.5 wins close ln 3."""
    votes = Votes.from_columns(["A"] * 4, ["B"] * 4, ["model_a"] * 3 + ["model_b"])
    made = profiles(votes)

    assert made["A"]["versus"] == {
        "contestants": ["B"],
        **{"votes": [4], "won": [3], "lost": [1], "tied": [0], "both_bad": [0]},
        **{"expected": [3.0], "expected_raw": [3.0], "level": [0.75], "style": [None]},
        "difference": [190.848502],
        "se": [pytest.approx(400 / np.log(10) * np.sqrt(4 / 3), abs=1e-6)],
        "better": [pytest.approx(special.ndtr(np.log(3) / np.sqrt(4 / 3)), abs=1e-6)],
        "needed": [13],
    }
    assert made["A"]["climb"] is None
    climb = made["B"]["climb"]
    assert (climb["above"], climb["gap"], climb["wins"]) == ("A", 190.848502, 2)
    assert climb["better"] == pytest.approx(1 - made["A"]["versus"]["better"][0])
    assert made["A"]["style"] == {}
    assert made["field"] == {"metrics": {}}
    assert made["A"]["disagreements"] is None


# -- Against each other ------------------------------------------------------------------------


def test_two_contestants_say_the_same_of_each_other(made: dict[str, Part]) -> None:
    for name, opponent, seen in entries(made):
        back = against(made[opponent], name)
        for key, other in (("won", "lost"), ("tied", "tied"), ("both_bad", "both_bad")):
            assert seen[key] == back[other]
        for key in ("votes", "se", "needed"):
            assert seen[key] == back[key]
        for key, whole in (
            *(("expected", seen["votes"]), ("expected_raw", seen["votes"])),
            *(("level", 1.0), ("better", 1.0), ("style", 0.0), ("difference", 0.0)),
        ):
            if seen[key] is None:
                assert back[key] is None
            else:
                assert seen[key] + back[key] == pytest.approx(whole, abs=2e-6)


def test_expectations_are_summed_chances(votes: Votes, made: dict[str, Part]) -> None:
    published = publication(votes)
    assert published.controlled is not None
    kept = np.flatnonzero(votes.a < 6)  # all but the newcomer's
    among = simulated(3, 900)
    for key, board in (("expected", published.controlled), ("expected_raw", published.raw)):
        z, _ = rows_of(among, board.spec)
        theta = {standing.contestant: standing.theta for standing in board.standings}
        assert board.position is not None
        gamma = [*(each.value for each in board.coefficients), board.position.value]
        point = np.array([*(theta[name] for name in among.contestants), *gamma])
        p = special.expit(z @ point)
        for i, name in enumerate(among.contestants):
            for j, opponent in enumerate(among.contestants):
                ours, theirs = (
                    (among.a[kept] == i) & (among.b == j),
                    (among.a == j) & (among.b == i),
                )
                if i != j:
                    summed = p[ours].sum() + (1.0 - p[theirs]).sum()
                    seen = against(made[name], opponent)[key]
                    assert seen == pytest.approx(summed, abs=2e-6)


def test_style_is_what_it_adds_to_a_vote_on_average(votes: Votes, made: dict[str, Part]) -> None:
    board = publication(votes).controlled
    assert board is not None
    among = simulated(3, 900)
    z, _ = rows_of(among, replace(board.spec, position=False))
    style = z[:, len(among.contestants) :] @ [each.value for each in board.coefficients]
    seen = [style[(among.a == 1) & (among.b == 2)], -style[(among.a == 2) & (among.b == 1)]]

    assert against(made["model 1"], "model 2")["style"] == pytest.approx(
        np.concatenate(seen).mean(), abs=1e-6
    )


def test_in_all_a_board_expects_what_happened(made: dict[str, Part]) -> None:
    """The likelihood's equations: nobody scores more or less than expected of all its votes."""
    for name in ("model 1", "model 2"):
        versus = made[name]["versus"]
        halves = sum(versus["tied"]) + sum(versus["both_bad"])
        for key in ("expected", "expected_raw"):
            assert sum(versus[key]) == pytest.approx(sum(versus["won"]) + halves / 2, abs=1e-5)


def test_differences_are_those_of_the_board(votes: Votes, made: dict[str, Part]) -> None:
    found = pairwise_contrasts(votes, publication(votes).default.spec)
    for name, opponent, seen in entries(made):
        if "newcomer" not in (name, opponent):
            pair = found.of(name, opponent)
            assert seen["difference"] == pytest.approx(pair.difference, abs=1e-6)
            assert seen["se"] == pytest.approx(pair.se, abs=1e-6)
            assert seen["better"] == pytest.approx(pair.probability, abs=1e-6)
            lead = pair.difference / publication(votes).default.spec.elo
            assert seen["level"] == pytest.approx(special.expit(lead), abs=1e-6)
            assert (seen["needed"] == 0) == (not pair.lower <= 0.0 <= pair.upper)


def test_who_is_not_placed_has_a_record(made: dict[str, Part]) -> None:
    part = made["newcomer"]

    assert part["versus"]["contestants"] == ["model 0"]
    seen = against(part, "model 0")
    assert (seen["votes"], seen["won"], seen["lost"]) == (1, 1, 0)
    for key in ("expected", "expected_raw", "level", "style", "difference", "se", "better"):
        assert seen[key] is None
    assert (seen["needed"], part["climb"], part["disagreements"]) == (None, None, None)
    assert part["style"]["tokens"]["median"] == 5.0
    assert "newcomer" in made["model 0"]["versus"]["contestants"]
    assert "newcomer" not in made["model 1"]["versus"]["contestants"]


def test_where_nobody_is_placed_all_have_a_record() -> None:
    made = profiles(plain("A>B", "A>B", "B>C"))

    assert list(made) == ["A", "B", "C", "field"]
    assert made["B"]["versus"]["contestants"] == ["A", "C"]
    assert made["B"]["versus"]["won"] == [0, 1]
    assert made["B"]["versus"]["level"] == [None, None]


def test_who_has_no_counted_vote_has_no_part() -> None:
    votes = simulated(3, 900)
    out = np.where((votes.a == 5) | (votes.b == 5), 0, -1)

    assert "model 5" not in profiles(replace(votes, excluded=out, rules=("robot",)))


def test_who_never_met_is_compared_all_the_same() -> None:
    votes = plain(*["A>B", "B>A", "A>B", "B>C", "C>B", "B>C"] * 4)
    seen = against(profiles(votes)["A"], "C")

    assert (seen["votes"], seen["expected"], seen["style"]) == (0, 0.0, None)
    assert seen["level"] > 0.5
    assert seen["needed"] > 0


def test_without_style_both_boards_expect_the_same() -> None:
    made = profiles(replace(simulated(4), features={}))

    assert made["model 0"]["board"] == "raw"
    for _, _, seen in entries(made):
        assert seen["expected"] == pytest.approx(seen["expected_raw"], abs=2e-6)
        assert seen["style"] is None
    assert made["model 0"]["disagreements"] is None


def test_recording_votes_the_other_way_round_changes_nothing(
    votes: Votes, made: dict[str, Part]
) -> None:
    which = np.random.default_rng(0).random(len(votes)) < 0.5

    assert profiles(turned(votes, which)) == made


def test_other_likelihoods_have_no_expected_score() -> None:
    with pytest.raises(SpecError, match="davidson"):
        encounters_of(estimated(simulated(1), RankingSpec(likelihood="davidson")))


# -- Further votes -----------------------------------------------------------------------------


def test_as_many_further_votes_are_enough_and_fewer_are_not() -> None:
    """The Hessian with m like votes added, row by row, in place of the eigenvalues."""
    fitted = estimated(with_habits(simulated(6, 900)), RankingSpec(controls=("length", "headers")))
    contrasts, design = contrasts_of(fitted), fitted.design
    encounters = encounters_of(fitted)
    order = [contrasts.board.standings[k].contestant for k in range(6)]
    place = [order.index(name) for name in fitted.prepared.labels]
    se = contrasts.se[np.ix_(place, place)] / fitted.prepared.spec.elo
    found = further_votes(encounters, se, contrasts.reach)

    pair = np.repeat(np.arange(design.first.size), design.counts)
    means = np.array([design.x[:, pair == k].mean(axis=1) for k in range(design.first.size)]).T
    within = (design.x - means[:, pair]) @ (design.x - means[:, pair]).T / len(design)
    theta, m = fitted.solution.theta, 6
    tried = 0
    for k, (i, j) in enumerate(zip(design.first, design.second, strict=True)):
        if not 0.0 < found[i, j] < 1e6:
            continue
        tried += 1
        contrast = np.zeros(m + 3)
        contrast[i], contrast[j] = 1.0, -1.0
        row = contrast.copy()
        row[m:] = means[:, k]
        moment = np.outer(row, row)
        moment[m:, m:] += within
        information = encounters.information[k] / encounters.votes[k]

        def variance(
            more: float, moment: Array = moment, contrast: Array = contrast, w: float = information
        ) -> float:
            hessian = fitted.solution.hessian + more * w * moment
            return float(contrast @ np.linalg.pinv(hessian, hermitian=True) @ contrast)

        inflation = se[i, j] ** 2 / variance(0.0)
        reach = abs(theta[i] - theta[j]) / contrasts.reach
        assert variance(found[i, j]) * inflation == pytest.approx(reach**2, rel=1e-6)
    assert tried >= 3


def test_level_contestants_are_never_told_apart() -> None:
    made = profiles(plain(*["A=B"] * 4, *["B=C"] * 3))

    assert {seen["needed"] for _, _, seen in entries(made)} == {None}
    assert {part["climb"] for name, part in made.items() if name != "field"} == {None}


@pytest.mark.parametrize(
    ("votes", "shown"),
    [
        *((0.0, 0), (1e-9, 1), (0.2, 1), (13.0, 13), (13.1, 14), (100.0, 100), (100.2, 110)),
        *((1300.0, 1300), (1301.0, 1400), (999.5, 1000), (8_700_000.5, 8_800_000)),
    ],
)
def test_many_votes_are_told_in_two_digits(votes: float, shown: int) -> None:
    assert about(votes) == shown


def with_habits(votes: Votes) -> Votes:
    """The same votes, of contestants who write at ever greater length."""
    habit = np.exp(np.linspace(-0.8, 0.8, len(votes.contestants)))
    a, b = votes.features["tokens"]
    longer = (a * habit[votes.a], b * habit[votes.b])
    return replace(votes, features={**votes.features, "tokens": longer})


def test_straight_wins_are_one_step_with_the_votes_as_they_were() -> None:
    fitted = estimated(with_habits(simulated(9, 900)), RankingSpec(controls=("length", "headers")))
    design, solution, m = fitted.design, fitted.solution, 6
    above = np.array([1, 2, 3, 4, 5, -1])
    found = straight_wins(encounters_of(fitted), above)

    pair = np.repeat(np.arange(design.first.size), design.counts)
    rows = np.zeros((len(design), m + 3))
    rows[np.arange(len(design)), design.first[pair]] = 1.0
    rows[np.arange(len(design)), design.second[pair]] = -1.0
    rows[:, m:] = design.x.T
    means = np.array([rows[pair == k].mean(axis=0) for k in range(design.first.size)])[pair]
    p = special.expit(rows @ np.concatenate([solution.theta, solution.gamma]))
    inverse = np.linalg.pinv(solution.hessian, hermitian=True)
    leverage = p * (1.0 - p) * np.einsum("ij,jk,ik->i", means, inverse, means)
    for i in range(m - 1):
        own = np.flatnonzero(rows[:, i])
        missed = np.where(rows[own, i] > 0, 1.0 - p[own], p[own]) * rows[own, i]
        contrast = np.zeros(m + 3)
        contrast[i], contrast[above[i]] = 1.0, -1.0
        gained = float(np.mean(missed * (rows[own] @ inverse @ contrast)))
        gap = solution.theta[above[i]] - solution.theta[i]
        wins = gap / (gained - gap * leverage[own].mean())
        assert found[i] == pytest.approx(wins, rel=1e-8) if wins > 0 else np.isnan(found[i])
    assert np.isnan(found[-1])
    assert (found > 0.0).sum() >= 2


def test_straight_wins_are_about_those_that_it_takes() -> None:
    """The estimate against exact refits with drawn battles."""
    votes = with_habits(simulated(8, 4000))
    made, spec = profiles(votes), publication(votes).default.spec
    tried = 0
    for name in votes.contestants:
        climb = made[name]["climb"]
        if climb is not None and climb["gap"] < 60.0:
            cost = rigging_cost(votes, spec, contestant=name)
            assert cost.least is not None
            assert cost.most is not None
            assert 0.8 * cost.least - 1 <= climb["wins"] <= 1.25 * cost.most + 1
            tried += 1
    assert tried >= 3


def test_who_is_level_has_the_same_one_above() -> None:
    votes = plain(*["A>B", "A>C", "B>A", "C>A", "A>B", "A>C", "B=C"])
    made = profiles(votes)

    assert [made[name]["climb"] for name in "BC"] == [made["B"]["climb"]] * 2
    assert made["B"]["climb"]["above"] == "A"
    assert made["A"]["climb"] is None


# -- Where style and the vote disagree -----------------------------------------------------------


def test_disagreements_are_found_one_by_one(votes: Votes, made: dict[str, Part]) -> None:
    board = publication(votes).controlled
    assert board is not None
    among = simulated(3, 900)
    z, y = rows_of(among, replace(board.spec, position=False))
    style = z[:, len(among.contestants) :] @ [each.value for each in board.coefficients]
    inside = (among.a == 2) | (among.b == 2)
    decided = np.flatnonzero(inside & (y != 0.5) & (np.abs(style) >= CLEAR))
    lost = decided[np.sign(style[decided]) != np.sign(y[decided] - 0.5)]
    part = made["model 2"]["disagreements"]

    assert (part["decided"], part["against"]) == (decided.size, lost.size)
    clearest = sorted(lost, key=lambda row: (-round(float(abs(style[row])), 6), row))[:EXAMPLES]
    assert [each["row"] for each in part["examples"]] == clearest
    for each in part["examples"]:
        row = each["row"]
        ids = int(among.a[row]), int(among.b[row])
        assert each["opponent"] == f"model {ids[ids[0] == 2]}"
        assert each["won"] == ((y[row] == 1.0) == (ids[0] == 2))
        assert each["style"] == pytest.approx(abs(style[row]), abs=1e-6)


def test_rows_are_those_of_all_votes(votes: Votes, made: dict[str, Part]) -> None:
    """Also of votes that do not count, which stand before them."""
    ahead = 50
    rows = np.append(np.zeros(ahead, dtype=np.intp), np.arange(len(votes)))
    assert votes.shown_first is not None
    assert votes.voter is not None
    longer = replace(
        votes,
        **{name: getattr(votes, name)[rows] for name in ("a", "b", "outcome", "voter")},
        shown_first=votes.shown_first[rows],
        features={name: (a[rows], b[rows]) for name, (a, b) in votes.features.items()},
        excluded=np.where(np.arange(rows.size) < ahead, 0, -1),
        rules=("robot",),
    )
    shifted = profiles(longer)["model 2"]["disagreements"]

    for each in shifted["examples"]:
        each["row"] -= ahead
    assert shifted == made["model 2"]["disagreements"]


# -- How they write ----------------------------------------------------------------------------


def test_style_is_that_of_the_counted_answers() -> None:
    votes = simulated(5)
    tokens = (votes.features["tokens"][0].copy(), votes.features["tokens"][1])
    tokens[0][::7] = np.nan
    out = np.where(np.arange(len(votes)) % 5 == 0, 0, -1)
    features = {"headers": votes.features["headers"], "emoji": tokens}
    made = profiles(replace(votes, features=features, excluded=out, rules=("robot",)))
    # The boards control for what is missing here and there, so that these votes do not count.
    counted = (out < 0) & ~np.isnan(tokens[0])
    own = np.concatenate([tokens[0][counted & (votes.a == 1)], tokens[1][counted & (votes.b == 1)]])
    low, median, high = np.quantile(own, [0.1, 0.5, 0.9])

    assert made["model 1"]["style"]["emoji"] == pytest.approx(
        {"votes": own.size, "mean": own.mean(), "low": low, "median": median, "high": high},
        abs=1e-6,
    )
    metrics = made["field"]["metrics"]
    assert list(metrics) == ["headers", "emoji"]
    assert metrics["emoji"]["contestants"] == sorted(votes.contestants)
    assert metrics["emoji"]["medians"][1] == pytest.approx(median)


def test_answers_shown_at_one_pace_say_nothing_of_speed() -> None:
    votes = simulated(5)
    rng = np.random.default_rng(5)
    seconds = rng.lognormal(1.0, 0.5, (2, len(votes)))
    seconds[:, : len(votes) // 2] = 0.0
    timed = replace(votes, features={"duration": (seconds[0], seconds[1])})
    (found,) = fingerprints(timed, None, ("tokens", "duration"))
    own = np.concatenate([seconds[0][votes.a == 2], seconds[1][votes.b == 2]])

    assert found.quantiles[1, 2] == pytest.approx(np.median(own[own > 0]))
    nothing = replace(votes, features={"duration": (np.zeros(len(votes)),) * 2})
    assert profiles(nothing)["field"] == {"metrics": {}}


# -- Any votes ---------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["A>B", "B>A", "A=B", "B>C", "C>A", "C=D", "D>A"]), min_size=1))
def test_any_votes_have_profiles(words: list[str]) -> None:
    votes = plain(*words)
    made = profiles(votes)

    assert set(made) == {*votes.contestants, "field"}
    for name, opponent, seen in entries(made):
        back = against(made[opponent], name)
        assert seen["votes"] == seen["won"] + seen["lost"] + seen["tied"] + seen["both_bad"]
        assert (seen["votes"], seen["won"]) == (back["votes"], back["lost"])
        assert seen["needed"] == back["needed"]
    ranks = {s.contestant: s.rank for s in publication(votes).default.standings}
    climbers = {name for name in votes.contestants if made[name]["climb"]}
    assert climbers == {name for name, rank in ranks.items() if rank > 1}
