"""What the board says after a vote: where both stand, how likely it was, what style pulled at."""

import math
import random
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from arena.battles.models import Answer, Battle, Mode, Outcome, Side
from arena.battles.services import vote_cast
from arena.catalog.models import Revision
from arena.integrity.imports import votes_import
from arena.leaderboard.forecasts import (
    Chances,
    Past,
    Pull,
    Undecided,
    answered,
    forecaster,
    points,
)
from arena.leaderboard.models import BoardName, Snapshot
from arena.leaderboard.reveal import hundredths
from arena.leaderboard.reveal_words import headline_pulled
from arena.leaderboard.services import publish
from arena.voters.models import Voter
from tests import factories
from tests.leaderboard.test_refit import cycle

pytestmark = pytest.mark.django_db
THETAS = {"kite": 0.0, "lark": 0.2, "wren": 1.0}
LONG, SHORT = {"tokens": 300, "emoji": 1}, {"tokens": 100, "emoji": 2}


def styled(folder: Path, name: str = "styled.csv", votes: int = 600, seed: int = 1) -> Path:
    """Three equals; the longer answer is better in three of four votes, emoji do nothing."""
    chance = random.Random(seed)
    header = ("model_a", "model_b", "winner", "tokens_a", "tokens_b", "emoji_a", "emoji_b")
    rows = [",".join(header)]
    for _ in range(votes):
        pair = chance.sample(("wren", "kite", "lark"), 2)
        tokens = chance.sample((100, 300), 2)
        is_longer_better = chance.random() < 0.75
        outcome = "model_a" if (tokens[0] > tokens[1]) == is_longer_better else "model_b"
        if chance.random() < 0.2:
            outcome = chance.choice(("tie", "both_bad"))
        values = (*pair, outcome, *tokens, chance.randint(0, 3), chance.randint(0, 3))
        rows.append(",".join(map(str, values)))
    path = folder / name
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture
def board(tmp_path: Path) -> Snapshot:
    """A publication that controls for length and emoji."""
    votes_import(path=styled(tmp_path))
    snapshot = publish()
    assert snapshot is not None
    assert BoardName.CONTROLLED in snapshot.content["boards"]
    return snapshot


@pytest.fixture
def voter(client: Client) -> Voter:
    client.get("/battle/")
    return factories.voter_of(client)


def voted(
    voter: Voter,
    a: Revision | None = None,
    b: Revision | None = None,
    outcome: str = "model_a",
    styles: tuple[dict[str, int], dict[str, int]] = (SHORT, LONG),
) -> Battle:
    """A battle of wren and kite, or of others, with its vote; B is the longer one."""
    battle = factories.battle(a or factories.known("wren"), b or factories.known("kite"), voter)
    for side, style in zip(Side, styles, strict=True):
        Answer.objects.filter(turn__battle=battle, side=side).update(**style)
    vote_cast(
        battle_id=battle.pk,
        attempt=battle.attempt,
        voter=voter,
        outcome=outcome,
        key=f"key-{battle.pk.hex[:20]}",
    )
    return battle


def shown(client: Client, battle: Battle) -> str:
    response = client.get(f"/battle/{battle.pk}/reveal/")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_it_works(client: Client, voter: Voter, board: Snapshot) -> None:
    said = shown(client, voted(voter))

    assert "You preferred wren to kite, although style alone favours kite." in said
    assert said.count("Rank ") == said.count("on the style-controlled board") == 2
    assert "Before your vote the board gave “A is better”" in said
    assert "B was longer, 300 tokens to 100. On this board that draws votes." in said
    assert "towards B" in said


@pytest.mark.parametrize(
    ("outcome", "tail"),
    [
        ("model_b", "You preferred kite to wren, as style alone suggests."),
        ("tie", ""),
        ("both_bad", ""),
    ],
)
def test_the_headline_says_what_style_pulled_at(
    client: Client, voter: Voter, board: Snapshot, outcome: str, tail: str
) -> None:
    said = shown(client, voted(voter, outcome=outcome))

    assert ("verdict-headline" in said) == bool(tail)
    assert tail in said


def test_a_pull_that_is_not_sure_is_not_claimed() -> None:
    undecided = Undecided(0.1, 0.03)

    def headline(log_odds: float, half: float) -> str:
        pull = Pull("length", log_odds, half, 2, 1)
        return headline_pulled(Outcome.MODEL_A, ("Wren", "Kite"), (pull,), undecided)

    assert headline(0.5, 0.2) == "You preferred Wren to Kite, as style alone suggests."
    assert headline(-0.5, 0.2) == "You preferred Wren to Kite, although style alone favours Kite."
    assert headline(0.5, 0.6) == ""
    assert headline(0.01, 0.001) == ""


def test_whoever_knew_the_names_is_told_of_those_who_do_not(
    client: Client, voter: Voter, board: Snapshot
) -> None:
    battle = voted(voter)
    Battle.objects.update(mode=Mode.NAMED)
    said = shown(client, battle)

    assert "From a voter who knows no names the board expects “A is better”" in said
    assert "Before your vote" not in said


def test_links_lead_to_the_rows_of_the_publication(
    client: Client, voter: Voter, board: Snapshot
) -> None:
    said = shown(client, voted(voter))

    assert f'href="/leaderboard/?snapshot={board.short}#wren"' in said
    assert 'id="wren"' in client.get(f"/leaderboard/?snapshot={board.short}").content.decode()


# -- Chances ---------------------------------------------------------------------------------


@given(
    gap=st.floats(-12, 12),
    tie=st.floats(0, 0.6),
    both_bad=st.floats(0, 0.4),
)
def test_chances_keep_the_expected_score(gap: float, tie: float, both_bad: float) -> None:
    """However uneven the pair and however many votes are undecided."""
    chances = Undecided(tie, both_bad).chances(gap)
    parts = (chances.a, chances.tie, chances.both_bad, chances.b)

    assert math.isclose(sum(parts), 1)
    assert min(parts) > -1e-12
    score = chances.a + (chances.tie + chances.both_bad) / 2
    assert math.isclose(score, 1 / (1 + math.exp(-gap)), rel_tol=1e-9)


def test_equals_keep_the_shares_of_the_publication() -> None:
    assert Undecided(0.1, 0.04).chances(0) == Chances(0.43, 0.1, 0.04, 0.43)


@given(st.lists(st.integers(0, 1000), min_size=4, max_size=4).filter(any))
def test_whole_chances_add_up(weights: list[int]) -> None:
    a, tie, both_bad, b = (weight / sum(weights) for weight in weights)
    chances = Chances(a, tie, both_bad, b)
    whole = list(hundredths(chances).values())

    assert sum(whole) == 100
    exact = (100 * a, 100 * tie, 100 * both_bad, 100 * b)
    assert all(abs(x - y) < 1 for x, y in zip(whole, exact, strict=True))


def test_what_was_expected_is_of_the_style_they_had(voter: Voter, board: Snapshot) -> None:
    """Three of four votes go to the longer of equals, and half to either of two alike."""
    known = forecaster(board.digest)
    gap = known.gap("wren", "kite")
    assert gap is not None
    style = known.style(SHORT, LONG)

    alike = known.undecided.chances(gap).decided
    really = known.undecided.chances(gap + sum(pull.log_odds for pull in style)).decided
    assert 0.4 < alike < 0.6
    assert 0.15 < really < 0.35


# -- Style -----------------------------------------------------------------------------------


@given(
    st.lists(st.floats(-3, 3), min_size=1, max_size=7),
    st.floats(0, 0.5),
)
def test_bars_add_up_to_what_they_do_together(log_odds: list[float], tie: float) -> None:
    undecided = Undecided(tie, 0.0)
    pulls = tuple(Pull("length", each, 0.0, 2, 1) for each in log_odds)

    together = 100 * (undecided.chances(sum(log_odds)).decided - 0.5)
    assert math.isclose(sum(points(pulls, undecided)), together, abs_tol=1e-5)


def test_bars_have_a_size_where_they_cancel_out() -> None:
    pulls = (Pull("length", 0.4, 0.1, 2, 1), Pull("bold", -0.4, 0.1, 1, 2))
    one, other = points(pulls, Undecided(0.0, 0.0))

    assert math.isclose(one, 10, rel_tol=1e-3)
    assert math.isclose(one, -other)


def test_what_could_be_nothing_is_hollow(client: Client, voter: Voter, board: Snapshot) -> None:
    said = shown(client, voted(voter))

    length, emoji = said.index(">Length<"), said.index(">Emoji<")
    assert "sure" in said[length : said.index("</tr>", length)]
    assert "hollow" in said[emoji : said.index("</tr>", emoji)]
    assert "could be nothing" in said[emoji : said.index("</tr>", emoji)]


def test_answers_alike_leave_only_who_was_shown_first(
    client: Client, voter: Voter, board: Snapshot
) -> None:
    said = shown(client, voted(voter, styles=(LONG, LONG)))

    assert "No difference in length and emoji." in said
    assert ">Shown first<" in said
    assert "verdict-headline" not in said


# -- Forecasts that votes have answered --------------------------------------------------------


def test_forecasts_are_those_made_before_the_votes() -> None:
    def document(rows: list[list[int]]) -> dict[str, object]:
        standings = [{"contestant": name, "theta": theta} for name, theta in THETAS.items()]
        return {
            "boards": {"raw": {"standings": standings}},
            "pairs": {"contestants": ["kite", "lark", "wren", "new"], "rows": rows},
        }

    older = document([[0, 2, 4, 6, 0, 0], [1, 2, 9, 1, 0, 0]])
    # Kite met wren ten times more; of lark and wren a vote was excluded; "new" was not placed.
    newer = document([[0, 2, 7, 13, 0, 0], [1, 2, 8, 9, 0, 0], [2, 3, 5, 5, 0, 0]])
    forecasts = list(answered(older, newer))

    expected = 1 / (1 + math.exp(1))
    assert [(round(chance, 6), true, votes) for chance, true, votes in forecasts] == [
        (round(expected, 6), 3, 10),
        (round(1 - expected, 6), 7, 10),
    ]


def test_how_past_forecasts_came_true_is_said(
    client: Client, voter: Voter, board: Snapshot, tmp_path: Path
) -> None:
    votes_import(path=styled(tmp_path, "more.csv", seed=2))
    publish()
    assert "Of its past forecasts" not in shown(client, voted(voter))

    battle = voted(voter, styles=(LONG, LONG))
    said = shown(client, battle)
    past = forecaster(Snapshot.objects.latest("number").digest).past

    assert sum(each.forecasts for each in past) == 1200
    assert "Of its past forecasts between 40 and 50," in said
    assert "who met and not how they wrote" in said


def test_too_few_past_forecasts_say_nothing(board: Snapshot) -> None:
    known = forecaster(board.digest)
    assert known.past_of(0.43) is None

    few = Past(low=40, forecasts=49, came_true=20)
    enough = Past(low=50, forecasts=50, came_true=20)
    known = replace(known, past=(few, enough))
    assert known.past_of(0.43) is None
    assert known.past_of(0.5) == enough


# -- What the board does not know ----------------------------------------------------------------


def test_nothing_was_published(client: Client, voter: Voter, tmp_path: Path) -> None:
    """And what is published later says nothing of a vote that it may count."""
    battle = voted(voter, factories.revision("wren"), factories.revision("kite"))
    assert "No board had been published when you voted" in shown(client, battle)

    votes_import(path=styled(tmp_path))
    publish()
    assert "No board had been published when you voted" in shown(client, battle)


def test_a_later_publication_changes_nothing(
    client: Client, voter: Voter, board: Snapshot, tmp_path: Path
) -> None:
    battle = voted(voter)
    before = shown(client, battle)
    votes_import(path=styled(tmp_path, "more.csv", seed=2))
    publish()

    assert shown(client, battle) == before


def test_who_is_not_placed_is_said_and_style_all_the_same(
    client: Client, voter: Voter, board: Snapshot
) -> None:
    said = shown(client, voted(voter, b=factories.revision("newcomer")))

    assert "Not on the board yet: nothing is claimed about it." in said
    assert "The board cannot say" in said
    assert "Between equal contestants B would take" in said
    assert "#newcomer" not in said


def test_a_publication_without_style_says_so(client: Client, voter: Voter, tmp_path: Path) -> None:
    path = styled(tmp_path)
    rows = [",".join(line.split(",")[:3]) for line in path.read_text().splitlines()]
    path.write_text("\n".join(rows) + "\n")
    votes_import(path=path)
    publish()
    said = shown(client, voted(voter))

    assert "does not control for style" in said
    assert "If neither were shown first" in said
    assert ">Length<" not in said
    assert "verdict-headline" not in said


def test_a_publication_without_anything_but_ratings_says_so(
    client: Client, voter: Voter, tmp_path: Path
) -> None:
    votes_import(path=cycle(tmp_path))
    publish()
    said = shown(client, voted(voter))

    assert "accounts neither for style nor for the side shown first" in said
    assert "By their ratings alone" in said
    assert "towards" not in said


def test_a_battle_of_one_contestant_with_itself(
    client: Client, voter: Voter, board: Snapshot
) -> None:
    wren = factories.known("wren")
    said = shown(client, voted(voter, wren, wren))

    assert "style alone" not in said.split("</div>")[0]
    assert "had not met" not in said
    assert "Between equal contestants B would take" in said


# -- Safety and cost -----------------------------------------------------------------------------


def test_hostile_names_stay_text(client: Client, voter: Voter, tmp_path: Path) -> None:
    name = "<script>alert(1)</script>"
    path = styled(tmp_path)
    path.write_text(path.read_text().replace("wren", name))
    votes_import(path=path)
    publish()
    said = shown(client, voted(voter, factories.known(name)))

    assert "although style alone favours" in said
    assert "<script" not in said


def test_a_publication_is_read_once(
    client: Client, voter: Voter, board: Snapshot, django_assert_num_queries: object
) -> None:
    battle = voted(voter)
    shown(client, battle)

    # The cookie's voter, the battle, which publication, and what the answers measured.
    with django_assert_num_queries(4) as asked:  # type: ignore[operator]
        shown(client, battle)
    assert not any("document" in query["sql"] for query in asked.captured_queries)
