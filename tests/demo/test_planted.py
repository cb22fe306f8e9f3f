"""What was planted beside what was recovered: the truth by which it is judged, and the page."""

import html
import re
from dataclasses import replace

import numpy as np
import pytest
from django.http import QueryDict
from django.test import Client

from arena.demo.planted import Story, Swap, planted_page
from arena.demo.services import seed
from arena.demo.simulate import World, simulate
from arena.demo.truth import expected, planted_scales, truth_of
from arena.demo.world import GAMMA, POSITION, SIBLING, VARIANT
from arena.leaderboard.models import Snapshot
from arena.leaderboard.selectors import part_get
from ranking import RankingSpec, Votes, fit
from tests import factories


@pytest.fixture(scope="module")
def demo() -> World:
    return simulate()


@pytest.fixture(scope="module")
def endless(demo: World) -> Votes:
    """The demo's counted votes, each cast without end."""
    votes = Votes.from_arrow(demo.votes)
    assert votes.excluded is not None
    kept = votes.excluded < 0
    counted = replace(
        votes,
        **{name: getattr(votes, name)[kept] for name in ("a", "b", "outcome")},
        **dict.fromkeys(("shown_first", "voter", "draw_probability", "time", "excluded")),
        features={name: (a[kept], b[kept]) for name, (a, b) in votes.features.items()},
        rules=(),
    )
    return expected(counted, np.array(list(demo.truth["scales"].values())))


def test_controlled_for_all_that_was_planted_votes_without_end_give_it_back(
    demo: World, endless: Votes
) -> None:
    board = fit(endless, RankingSpec(controls=tuple(GAMMA), draws=100))

    for standing in board.standings:
        assert standing.theta == pytest.approx(demo.truth["theta"][standing.contestant], abs=1e-6)
    for coefficient in board.coefficients:
        assert coefficient.scale == pytest.approx(demo.truth["scales"][coefficient.name])
        assert coefficient.value == pytest.approx(GAMMA[coefficient.name], abs=1e-6)
    assert board.position is not None
    assert board.position.value == pytest.approx(POSITION, abs=1e-6)


def test_without_control_of_speed_they_miss_by_a_few_points(demo: World, endless: Votes) -> None:
    """So that the boards' intervals hold what was planted nearly as often as they say."""
    board = fit(endless, RankingSpec(controls=("style",), draws=100))
    off = [
        board.spec.elo * (standing.theta - demo.truth["theta"][standing.contestant])
        for standing in board.standings
    ]

    assert max(map(abs, off)) < 8
    assert np.mean(np.abs(off)) < 3


@pytest.mark.django_db
def test_the_demo_beside_its_truth(demo: World, client: Client) -> None:
    seed()
    page = planted_page(QueryDict())

    assert page.snapshot.number == 2
    assert len(page.rows) == 41
    assert sum(row.rating.holds for row in page.rows) >= 36
    assert sum(row.raw.holds for row in page.rows) < 15
    assert sum(row.moved.holds for row in page.rows if row.moved) >= 36
    assert sum(row.rating.planted for row in page.rows) == pytest.approx(41 * 1000)
    assert sum(row.rating.found for row in page.rows) == pytest.approx(41 * 1000)
    assert [each.label for each in page.effects[-3:]] == ["First token", "Duration", "Shown first"]
    assert sum(each.odds.holds for each in page.effects) >= 8
    check_story(page.story)
    check_first_publication(demo)
    check_page(client)


def check_story(story: Story | None) -> None:
    assert story is not None
    assert story.headline == f"{VARIANT}: #3 raw, #30 controlled, planted as #30"
    assert f"{SIBLING}, which was released in its place" in story.sentence
    assert "#32 controlled, planted as #32" in story.sentence
    assert story.total is not None
    assert story.total.planted == sum(share.planted for share in story.shares) < -150
    assert story.total.found == pytest.approx(story.total.planted, abs=30)
    assert all(abs(share.planted - share.found) < 20 for share in story.shares)
    check_swap(story.swap)


def check_swap(swap: Swap | None) -> None:
    """On the ledger the swap costs what lies between the two on the controlled board."""
    assert swap is not None
    before, after = swap.places
    assert (before.revision, after.revision) == (VARIANT, SIBLING)
    assert before.raw <= 4
    assert after.raw >= 28
    assert [term.letter for term in swap.terms] == ["V", "S"]
    assert sum(term.ranks for term in swap.terms) == before.controlled - after.controlled
    assert swap.terms[1].ranks == -1
    assert -15 < swap.terms[1].rating < 0


def check_first_publication(demo: World) -> None:
    """It has forty contestants, scales of its own, and no speed; the latest has what needs them."""
    first, latest = Snapshot.objects.order_by("number")
    page = planted_page(QueryDict(f"snapshot={first.short}"))
    worth = truth_of(first).worth

    assert len(page.rows) == 40
    assert [row.place for row in page.rows] == list(range(1, 41))
    assert len(page.effects) == 7
    assert page.effects[0].odds.planted != pytest.approx(GAMMA["length"], abs=1e-4)
    assert worth == truth_of(latest).worth
    assert part_get(latest, "variant/no_identity/controlled") is not None
    assert planted_scales(latest.content["exclusions"]) == pytest.approx(
        list(demo.truth["scales"].values())
    )


def check_page(client: Client) -> None:
    answer = client.get("/planted/")
    text = answer.content.decode()

    assert answer.status_code == 200
    assert text.count('<svg class="beside"') == 6 + 9 + 41
    assert "&lt;" not in text
    assert "#3 raw, #30 controlled" in html.unescape(text)
    board = client.get("/leaderboard/").content.decode()
    assert re.search(r'<aside class="simulated".*href="/planted/".*</aside>', board, re.DOTALL)
    ledger = re.search(r'href="(/moved/[^"]*rows=families)"', text)
    assert ledger is not None
    assert client.get(html.unescape(ledger[1])).status_code == 200


@pytest.mark.django_db
def test_an_arena_without_simulated_votes_has_no_such_page(client: Client) -> None:
    factories.revision("Wren")

    assert client.get("/planted/").status_code == 404
    assert "/planted/" not in client.get("/leaderboard/").content.decode()
