"""The part `method`: against plain counts, against what was planted, and where votes are few."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ranking import RankingSpec, Votes, calibrate
from ranking.analysis import Sources, forecasts, method
from ranking.analysis.shares import clustered_share
from ranking.publication import publication
from ranking.snapshots import Stated, canonical
from tests.ranking.making import assert_same_numbers, plain, simulated, turned

NOBODY = np.arange(400)


def method_of(votes: Votes, **changes: Any) -> dict[str, Any]:
    ((name, part),) = method.method_part(Sources(votes, **changes), publication(votes))
    assert name == "method"
    canonical(part)
    return part


def timed(votes: Votes) -> Votes:
    return replace(votes, time=np.arange(len(votes), dtype=float))


@pytest.fixture(scope="module")
def votes() -> Votes:
    return timed(simulated(4, votes=3000))


@pytest.fixture(scope="module")
def part(votes: Votes) -> dict[str, Any]:
    return method_of(votes)


def test_it_works(votes: Votes, part: dict[str, Any]) -> None:
    assert set(part) == {"sides", "ties", "voters", "exposure", "forecasts", "circles", "graph"}
    assert not [name for name, section in part.items() if "error" in section]
    outcome = votes.outcome
    decided, ties, bad = ((outcome < 2).sum(), (outcome == 2).sum(), (outcome == 3).sum())
    assert part["ties"]["outcomes"] == {"decided": decided, "tie": ties, "both_bad": bad}
    first = (outcome == 0) == (votes.shown_first == 1)
    assert part["sides"]["first"]["share"] == pytest.approx(first[outcome < 2].mean(), abs=1e-6)
    assert part["graph"] == part["graph"] | {"placed": 6, "pairs": 15, "components": [6]}


def test_which_way_votes_are_recorded_changes_nothing(votes: Votes, part: dict[str, Any]) -> None:
    other = method_of(turned(votes, np.arange(len(votes)) % 3 == 0))

    assert_same_numbers(part, other, 2e-6)


# -- Shares ----------------------------------------------------------------------------------


def test_a_share_of_independent_votes_has_wilsons_interval() -> None:
    values = np.repeat([1.0, 0.0], [240, 160])
    found = clustered_share(values, NOBODY, 0.95)

    assert found is not None
    # Wilson's for 240 of 400, by hand.
    assert (found["lower"], found["upper"]) == pytest.approx((0.5513, 0.6469), abs=2e-3)


def test_votes_of_one_voter_weigh_less() -> None:
    values = np.repeat([1.0, 0.0], [240, 160])
    alone, together = (clustered_share(values, voter, 0.95) for voter in (NOBODY, NOBODY // 20))

    assert alone is not None
    assert together is not None
    assert together["upper"] - together["lower"] > 3 * (alone["upper"] - alone["lower"])


def test_unanimous_votes_still_leave_doubt() -> None:
    found = clustered_share(np.ones(50), np.arange(50) // 10, 0.95)

    assert found is not None
    assert (found["share"], found["upper"]) == (1.0, 1.0)
    assert found["lower"] == pytest.approx(0.5655, abs=1e-3)


# -- Forecasts -------------------------------------------------------------------------------


def test_scores_are_those_of_calibrate(votes: Votes, part: dict[str, Any]) -> None:
    published = publication(votes)
    scored = {each["board"]: each for each in part["forecasts"]["boards"]}
    for name, board in published.boards.items():
        found = calibrate(votes, replace(board.spec, scales=None), folds=forecasts.FOLDS)
        assert scored[name]["log_loss"] == pytest.approx(found.log_loss, abs=1e-6)
        assert scored[name]["brier"] == pytest.approx(found.brier, abs=1e-6)
    assert part["forecasts"]["order"] == "time"
    assert {"davidson", "no_both_bad"} <= set(scored)


def test_control_forecasts_better_where_style_sways(part: dict[str, Any]) -> None:
    better, bins = part["forecasts"]["better"], part["forecasts"]["reliability"]["controlled"]

    assert better["brier"]["lower"] > 0
    assert better["log_loss"]["lower"] > 0
    assert sum(each["lower"] <= each["expected"] <= each["upper"] for each in bins) >= len(bins) - 2


def test_only_the_newest_votes_are_forecast(
    votes: Votes, part: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecasts, "MOST", 1000)
    found = method_of(votes)["forecasts"]
    last = forecasts.taken(votes, np.arange(2000, 3000))

    assert (found["votes"], found["of"]) == (1000, 3000)
    raw = calibrate(last, RankingSpec(complete_for=("length", "headers")), folds=4)
    assert found["boards"][0]["log_loss"] == pytest.approx(raw.log_loss, abs=1e-6)


def test_a_section_that_fails_hides_no_other(
    votes: Votes, part: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object, **named: object) -> None:
        raise ValueError

    monkeypatch.setattr(method, "measure_intransitivity", fail)
    found = method_of(votes)

    assert "error" in found["circles"]
    assert {**found, "circles": None} == {**part, "circles": None}


# -- Who was shown ---------------------------------------------------------------------------

MAKERS = {f"model {i}": "ABBCCC"[i] for i in range(6)}
STATED = {
    name: Stated(organisation=maker, stage="experimental" if name == "model 5" else "released")
    for name, maker in MAKERS.items()
}


def test_whoever_came_late_is_shown_its_share_of_its_own_time(votes: Votes) -> None:
    early = (votes.a == 0) | (votes.b == 0)
    early[1500:] = False
    late = forecasts.taken(votes, np.flatnonzero(~early))
    found = method_of(late, stated=STATED)["exposure"]
    makers = {each["name"]: each for each in found["organisations"]}

    assert found["roster"] == "time"
    # Over all votes its fair share would be a sixth; half of the time it was not there.
    assert makers["A"]["fair"] == pytest.approx(1500 / 3, rel=0.02)
    for maker in makers.values():
        assert abs(maker["places"] - maker["fair"]) < 3.5 * maker["error"]
    assert makers["C"]["experimental"] == ["model 5"]
    assert [each["name"] for each in found["stages"]] == ["released", "experimental"]


def test_who_is_shown_too_often_stands_out(votes: Votes) -> None:
    more = np.flatnonzero((votes.a == 0) | (votes.b == 0))
    found = method_of(
        forecasts.taken(votes, np.concatenate([np.arange(3000), more])), stated=STATED
    )["exposure"]
    first = next(each for each in found["organisations"] if each["name"] == "A")

    assert first["places"] > first["fair"] + 10 * first["error"]


def test_pairs_that_meet_as_logged_and_others() -> None:
    rng = np.random.default_rng(5)
    votes = timed(simulated(4, votes=3000))
    first, second = np.triu_indices(6, 1)
    chance = rng.dirichlet(np.full(15, 4.0))
    pair = rng.choice(15, 3000, p=chance)
    votes = replace(votes, a=first[pair].astype(np.int32), b=second[pair].astype(np.int32))
    honest = method_of(replace(votes, draw_probability=chance[pair]))["draws"]
    wrong = method_of(replace(votes, draw_probability=np.full(3000, 1 / 15)))["draws"]

    assert honest["p_value"] > 0.01
    assert sum(each["met"] for each in honest["bins"]) == 3000
    assert len(honest["bins"]) > 3
    assert len(wrong["bins"]) == 1
    assert wrong["p_value"] < 1e-6


def test_a_coin_that_favours_one_contestant_is_found(votes: Votes, part: dict[str, Any]) -> None:
    assert part["sides"]["coin"]["p_value"] > 0.001
    assert part["sides"]["coin"]["degrees"] == 5
    assert votes.shown_first is not None
    shown = np.where(votes.a == 0, 1, np.where(votes.b == 0, -1, votes.shown_first))
    unfair = method_of(replace(votes, shown_first=shown.astype(np.int8)))

    assert unfair["sides"]["coin"]["p_value"] < 1e-6


def test_battles_against_oneself_are_told_apart(votes: Votes) -> None:
    out = np.full(3000, -1)
    out[:40] = 0
    b = np.where(out == 0, votes.a, votes.b)
    found = method_of(replace(votes, b=b, excluded=out.astype(np.int32), rules=("same_revision",)))
    outcome = votes.outcome[:40]

    assert found["alone"]["votes"] == 40
    assert found["alone"]["decided"]["share"] == pytest.approx((outcome < 2).mean(), abs=1e-6)
    assert found["exposure"]["votes"] == 2960


# -- Few votes -------------------------------------------------------------------------------


def test_a_handful_of_votes_says_what_it_can() -> None:
    found = method_of(plain("A>B", "B>A", "A=B"))

    assert "too few" in found["forecasts"]["error"]
    assert found["ties"]["apart"] == []
    assert found["graph"]["placed"] == 2
    assert "voters" not in found
    assert "circles" not in found


def test_only_ties_decide_nothing() -> None:
    found = method_of(plain("A=B", "B=C", "C=A"))

    assert "sides" not in found
    assert found["ties"]["outcomes"]["tie"] == 3


def test_groups_that_never_met_are_counted() -> None:
    found = method_of(plain("A>B", "B>A", "C>D", "D>C", "D>E", "E>D"))["graph"]

    assert found["components"] == [3, 2]
    assert found["fewest_opponents"] == {"contestant": "A", "opponents": 1}
