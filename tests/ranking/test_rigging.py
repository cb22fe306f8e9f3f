"""What lifting a contestant costs, with every count confirmed by a fit to the rigged votes."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ranking import RankingSpec, SpecError, Votes, fit, rigging_cost
from tests.ranking.making import CONTROLLED, plain, simulated

PLAIN = RankingSpec(position=False, draws=100)


def board(votes: Votes) -> list[str]:
    return [standing.contestant for standing in fit(votes, CONTROLLED).standings]


@pytest.mark.parametrize(("wins", "losses"), [(6, 5), (9, 4), (30, 10)])
def test_two_contestants(wins: int, losses: int) -> None:
    """Every battle is the target's, and as many votes as its deficit share the rank."""
    votes = plain(*["A>B"] * wins, *["B>A"] * losses)
    for strategy in ("target_only", "omnipresent"):
        found = rigging_cost(votes, PLAIN, contestant="B", strategy=strategy, runs=3)
        assert found.votes == found.battles == found.least == found.most == wins - losses
        assert found.share == found.votes / (wins + losses)
        assert {run.rank for run in found.runs} == {1}


def test_target_only_votes_only_where_the_target_is() -> None:
    votes = simulated(1, votes=900)
    name = board(votes)[4]
    found = rigging_cost(votes, CONTROLLED, contestant=name, ranks=2, runs=5)

    part = np.mean(
        [
            name in (votes.contestants[a], votes.contestants[b])
            for a, b in zip(votes.a, votes.b, strict=True)
        ]
    )
    for run in found.runs:
        assert run.votes is not None
        assert run.battles is not None
        assert run.votes / run.battles == pytest.approx(part, rel=0.5)
        assert run.rank is not None
        assert run.rank <= found.rank - 2


def test_omnipresent_votes_in_more_of_the_battles() -> None:
    votes = simulated(2, votes=900)
    name = board(votes)[4]
    alone, everywhere = (
        rigging_cost(votes, CONTROLLED, contestant=name, ranks=1, strategy=strategy, runs=5)
        for strategy in ("target_only", "omnipresent")
    )
    share = [
        np.mean([run.votes / run.battles for run in found.runs if run.votes and run.battles])
        for found in (alone, everywhere)
    ]

    assert share[1] > share[0]


def test_more_ranks_cost_no_less() -> None:
    votes = simulated(3, votes=900)
    last = board(votes)[-1]
    costs = [
        rigging_cost(votes, CONTROLLED, contestant=last, ranks=k, runs=1).votes for k in (1, 2, 3)
    ]

    assert None not in costs
    assert costs == sorted(c for c in costs if c is not None)


def test_the_count_is_confirmed_by_a_fit_to_the_rigged_votes() -> None:
    """Without style and position every battle of two is alike, so the votes can be rebuilt."""
    votes = replace(simulated(4, votes=300, contestants=3), voter=None, shown_first=None)
    names = [s.contestant for s in fit(votes, PLAIN).standings]
    found = rigging_cost(votes, PLAIN, contestant=names[1], runs=1)
    assert found.votes is not None

    def ranked(added: int) -> int:
        # Against either opponent: the mix of battles decides, so both extremes bracket it.
        ranks = []
        for other in (names[0], names[2]):
            more = Votes.from_columns(
                [*(votes.contestants[i] for i in votes.a), *[names[1]] * added],
                [*(votes.contestants[i] for i in votes.b), *[other] * added],
                np.append(votes.outcome, np.zeros(added, dtype=np.int8)),
                contestants=votes.contestants,
            )
            standings = fit(more, PLAIN).standings
            ranks.append(next(s.rank for s in standings if s.contestant == names[1]))
        return min(ranks)

    assert ranked(found.votes) == 1


def test_runs_are_seeded_and_extend() -> None:
    votes = simulated(5)
    name = board(votes)[3]
    two = rigging_cost(votes, CONTROLLED, contestant=name, runs=2)
    three = rigging_cost(votes, CONTROLLED, contestant=name, runs=3)

    assert three.runs[:2] == two.runs
    assert json.dumps(two.to_dict()) == json.dumps(
        rigging_cost(votes, CONTROLLED, contestant=name, runs=2).to_dict()
    )


def test_what_as_many_votes_as_were_counted_do_not_buy() -> None:
    votes = plain(*["A>B"] * 40, "B>A", *["A>C", "C>B"] * 20, "B>C", "C>A")
    found = rigging_cost(votes, PLAIN, contestant="B", ranks=2, runs=2)

    assert found.votes is None or found.votes <= len(votes)
    assert all((run.votes is None) == (run.rank is None) for run in found.runs)


def test_settings_are_checked() -> None:
    votes = simulated(6)
    names = board(votes)
    with pytest.raises(SpecError, match="rise by 1 to 0 ranks"):
        rigging_cost(votes, CONTROLLED, contestant=names[0])
    with pytest.raises(SpecError, match="target_only or omnipresent"):
        rigging_cost(votes, CONTROLLED, contestant=names[1], strategy="bribe")
    with pytest.raises(SpecError, match="at least 1"):
        rigging_cost(votes, CONTROLLED, contestant=names[1], runs=0)
    with pytest.raises(SpecError, match="'nobody' is not among"):
        rigging_cost(votes, CONTROLLED, contestant="nobody")
