"""A pair's page: the record, what is expected, how sure the order is, and battles to read."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from arena.battles.models import Answer, Battle, Mode, Turn
from arena.battles.services import vote_cast
from arena.core import jobs
from arena.core.jobs import job_run_next
from arena.integrity.erasure import voter_erase
from arena.integrity.services import votes_exclude
from arena.leaderboard import services
from arena.leaderboard.models import Snapshot
from arena.leaderboard.selectors import part_get
from arena.leaderboard.services import publish
from arena.voters.models import Voter
from ranking.analysis.certainty import default_parts
from tests import factories
from tests.leaderboard.stylish import stylish
from tests.reports.test_contestants import headings, published, text, written

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts that this page reads, which are made sooner than all."""

    def parts(sources: Any, made: Any, before: Any = None) -> Any:
        yield from default_parts(sources.votes, made)

    monkeypatch.setattr(services, "parts", parts)
    # A job outlasting its lease would write from another thread, which SQLite in memory refuses.
    monkeypatch.setattr(jobs, "RENEW_SECONDS", 600.0)


@pytest.fixture
def board(tmp_path: Path) -> Snapshot:
    return published(stylish(tmp_path))


def test_it_works(client: Client, board: Snapshot) -> None:
    said = text(client, "/pairs/wren/finch/")

    assert "wren is better than finch with probability" in said
    assert re.search(r"They met in \d+ counted battles", said)
    assert headings(client, "/pairs/wren/finch/") == [
        "Their battles",
        "Observed and expected",
        "How sure is their order?",
        "What style said",
        "What would turn their order",
    ]
    assert "style favoured finch" in said


def test_its_numbers_are_the_parts(client: Client, board: Snapshot) -> None:
    data = client.get("/pairs/wren/kite/pair.json").json()
    part = part_get(board, "contestant/wren")
    assert part is not None
    place = part["versus"]["contestants"].index("kite")

    for name in ("votes", "won", "lost", "better", "difference", "needed"):
        assert data["record"][name] == part["versus"][name][place]
    rows = client.get("/pairs/wren/kite/record.json").json()["rows"]
    assert [row["kind"] for row in rows] == ["observed", "raw", "controlled", "level"]
    assert rows[2]["share"] == pytest.approx(
        part["versus"]["expected"][place] / part["versus"]["votes"][place]
    )


def test_the_other_way_round_is_the_mirror_image(client: Client, board: Snapshot) -> None:
    one = client.get("/pairs/wren/kite/pair.json").json()["record"]
    other = client.get("/pairs/kite/wren/pair.json").json()["record"]

    assert one["won"] == other["lost"]
    assert one["difference"] == pytest.approx(-other["difference"])
    assert one["better"] == pytest.approx(1 - other["better"], abs=2e-6)
    page = client.get("/pairs/wren/kite/").content.decode()
    assert 'href="/pairs/kite/wren/"' in page
    # Both name the same one for search engines.
    for address in ("/pairs/wren/kite/", "/pairs/kite/wren/"):
        said = client.get(address).content.decode()
        assert '<link rel="canonical" href="/pairs/kite/wren/">' in said


def test_the_chart_is_drawn(client: Client, board: Snapshot) -> None:
    assert b"<title>" in client.get("/pairs/wren/kite/record.svg").content
    assert "record" in text(client, "/pairs/wren/kite/poem.svg", 404)


def test_a_pair_that_never_met(client: Client, tmp_path: Path) -> None:
    rows = ["wren,kite,model_a", "kite,wren,model_a", "kite,lark,model_a", "lark,kite,model_a"]
    published(written(tmp_path, *rows * 8, *["wren,kite,model_a"] * 6))
    said = text(client, "/pairs/wren/lark/")

    assert "They have not met" in said
    assert "wren is better than lark with probability" in said
    assert "Their battles" not in headings(client, "/pairs/wren/lark/")
    kinds = [row["kind"] for row in client.get("/pairs/wren/lark/record.json").json()["rows"]]
    assert kinds == ["level"]


def test_one_that_is_not_placed(client: Client, tmp_path: Path) -> None:
    rows = ["wren,kite,tie", "kite,wren,model_a", "wren,kite,model_a", "lark,wren,model_a"]
    published(written(tmp_path, *rows))
    said = text(client, "/pairs/lark/wren/")

    assert "lark is not placed, so the two cannot be compared: Undefeated in 1 battle" in said
    assert "They met in 1 counted battle." in said
    assert "None" not in said
    assert headings(client, "/pairs/lark/wren/") == ["Their battles", "Observed and expected"]


@pytest.mark.parametrize(
    ("address", "status", "says"),
    [
        ("/pairs/wren/wren/", 400, "wren was named twice"),
        ("/pairs/wren/kit/", 404, "The nearest names: kite"),
        ("/pairs/nobody-at-all/kite/", 404, "finch, kite, lark, rook, swift and wren"),
        ("/pairs/wren/kite/?first=4", 404, "These exist: 1"),
        ("/pairs/wren/kite/?snapshot=abcdef012", 404, "no publication"),
    ],
)
def test_what_is_not_there_is_told(
    client: Client, board: Snapshot, address: str, status: int, says: str
) -> None:
    assert says in text(client, address, status)


def test_nothing_published_yet(client: Client) -> None:
    assert "No votes yet" in text(client, "/pairs/wren/kite/")


def test_what_would_turn_it_is_worked_out_when_asked_for(client: Client, board: Snapshot) -> None:
    page = client.get("/pairs/wren/finch/").content.decode()
    form = re.search(r'<form action="([^"]+)" method="post"', page)
    assert form is not None
    asked = client.post(form[1].replace("&amp;", "&"))

    assert asked.status_code == 302
    assert "Waiting for its turn" in text(client, "/pairs/wren/finch/")
    done = job_run_next()
    assert done is not None
    assert done.error == ""
    # Either order finds it, and nobody is told an older state.
    for address in ("/pairs/wren/finch/", "/pairs/finch/wren/"):
        assert "swaps #1 and #" in text(client, address)
        assert "Work out what would turn it" not in text(client, address)
    assert "no-store" in client.get("/pairs/wren/finch/")["Cache-Control"]


# -- Battles to read -------------------------------------------------------------------------


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PUBLISH_TEXT", True)
    monkeypatch.setattr(settings, "ARCHIVE_VOTES", True)


def voted(voter: Voter, asked: str, outcome: str = "model_a", **fields: Any) -> Battle:
    """A battle of wren against kite with a vote, in which everybody says what they are."""
    battle = factories.battle(factories.known("wren"), factories.known("kite"), voter, **fields)
    Turn.objects.filter(battle=battle).update(prompt=asked)
    for side, answer in (("a", f"wren on {asked}"), ("b", f"kite on {asked}")):
        Answer.objects.filter(turn__battle=battle, side=side).update(text=answer)
    vote_cast(
        battle_id=battle.pk,
        attempt=battle.attempt,
        voter=voter,
        outcome=outcome,
        key=f"key-{battle.pk}",
    )
    return battle


def test_battles_are_read_where_texts_are_published(
    client: Client, board: Snapshot, alice: Voter, texts: None
) -> None:
    battle = voted(alice, "the *sky*", "model_b")
    assert "Battles to read" not in headings(client, "/pairs/wren/kite/")
    publish()

    said = text(client, "/pairs/wren/kite/")
    assert "the *sky* kite preferred" in said
    page = client.get(f"/pairs/kite/wren/?battle={battle.vote.pk}").content.decode()
    assert "wren on the <em>sky</em>" in page
    assert page.index("kite on the") < page.index("wren on the")
    assert str(battle.pk) not in page
    assert alice.key not in page
    assert alice.pseudonym not in page


def test_what_may_not_be_read(
    client: Client, board: Snapshot, alice: Voter, bob: Voter, texts: None
) -> None:
    """Battles by name, excluded ones, erased ones, votes not sealed, and another pair's."""
    voted(bob, "erased")
    out = voted(alice, "excluded")
    voted(alice, "by-name", mode=Mode.NAMED)
    voted(alice, "readable")
    votes_exclude(votes=[f"n:{out.vote.pk}"], rule="spam", reason="A test.")
    publish()
    voter_erase(voter=bob)
    late = voted(alice, "unsealed")

    said = client.get("/pairs/wren/kite/").content.decode()
    assert "readable" in said
    for hidden in ("erased", "excluded", "by-name", "unsealed"):
        assert hidden not in said, hidden
    for vote in (out.vote.pk, late.vote.pk):
        assert client.get(f"/pairs/wren/kite/?battle={vote}").status_code == 404
    assert client.get("/pairs/wren/kite/?battle=' or 1").status_code == 404
    assert "readable" not in client.get("/pairs/wren/lark/").content.decode()


@pytest.mark.parametrize("closed", ["PUBLISH_TEXT", "ARCHIVE_VOTES"])
def test_nothing_is_read_where_the_operator_keeps_it(
    client: Client,
    board: Snapshot,
    alice: Voter,
    texts: None,
    monkeypatch: pytest.MonkeyPatch,
    closed: str,
) -> None:
    battle = voted(alice, "the sky")
    publish()
    monkeypatch.setattr(settings, closed, False)

    assert "Battles to read" not in headings(client, "/pairs/wren/kite/")
    page = client.get(f"/pairs/wren/kite/?battle={battle.vote.pk}").content.decode()
    assert "the sky" not in page


def test_the_list_is_paged_and_its_queries_are_few(
    client: Client,
    board: Snapshot,
    alice: Voter,
    texts: None,
    django_assert_max_num_queries: Callable[[int], Any],
) -> None:
    for number in range(23):
        voted(alice, f"question-{number}")
    publish()

    newest = text(client, "/pairs/wren/kite/")
    assert "question-22" in newest
    assert "question-2 " not in newest
    assert "question-2 " in text(client, "/pairs/wren/kite/?page=2")
    assert "question-0" in text(client, "/pairs/wren/kite/?page=99")
    vote = Battle.objects.earliest("created_at").vote.pk
    with django_assert_max_num_queries(15):
        client.get(f"/pairs/wren/kite/?battle={vote}")


def test_answers_cannot_run_anything(
    client: Client, board: Snapshot, alice: Voter, texts: None
) -> None:
    battle = voted(alice, "<script>alert(1)</script>")
    publish()
    page = client.get(f"/pairs/wren/kite/?battle={battle.vote.pk}").content.decode()

    assert "<script>alert(1)" not in page


def test_a_vote_against_style_leads_to_its_battle(
    client: Client, board: Snapshot, alice: Voter, texts: None
) -> None:
    """Answers as different as no others here, of which the long one lost."""
    battle = factories.battle(factories.known("wren"), factories.known("kite"), alice)
    Answer.objects.filter(turn__battle=battle, side="a").update(tokens=1, text="short")
    Answer.objects.filter(turn__battle=battle, side="b").update(tokens=9000, text="long")
    vote_cast(
        battle_id=battle.pk, attempt=battle.attempt, voter=alice, outcome="model_a", key="key-of-it"
    )
    publish()
    address = f"/pairs/wren/kite/?battle={battle.vote.pk}#battle"

    assert f'href="{address}"' in client.get("/models/wren/").content.decode()
    assert "short" in text(client, address)
    votes_exclude(votes=[f"n:{battle.vote.pk}"], rule="spam", reason="A test.")
    cache.clear()
    assert address not in client.get("/models/wren/").content.decode()
