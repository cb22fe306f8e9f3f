"""Links to a battle: from its voter alone, for as long as they want, and nothing about them."""

import uuid
from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from arena.battles.images import image_store
from arena.battles.models import Answer, Battle, Mode, Outcome, Share, State, Turn
from arena.battles.services import texts_erase, vote_cast
from arena.battles.sharing import shares_end
from arena.catalog.models import Revision
from arena.voters.limits import limiter
from arena.voters.models import Voter
from tests import factories
from tests.battles.test_images import sent
from tests.pictures import png

pytestmark = pytest.mark.django_db


@pytest.fixture
def voter(client: Client) -> Voter:
    client.get("/battle/")
    return factories.voter_of(client)


@pytest.fixture
def wren(db: None) -> Revision:
    return factories.revision("Wren", stage="preview")


@pytest.fixture
def kite(db: None) -> Revision:
    return factories.revision("Kite")


@pytest.fixture
def battle(voter: Voter, wren: Revision, kite: Revision) -> Battle:
    return factories.battle(wren, kite, voter)


def cast(battle: Battle, outcome: str = "model_a") -> Battle:
    key = f"key-{battle.pk.hex[:20]}"
    vote_cast(
        battle_id=battle.pk, attempt=battle.attempt, voter=battle.voter, outcome=outcome, key=key
    )
    return battle


def change(client: Client, battle: Battle, what: str):  # type: ignore[no-untyped-def]
    return client.post(f"/battle/{battle.pk}/share/", {"change": what})


def read(battle: Battle, client: Client | None = None):  # type: ignore[no-untyped-def]
    return (client or Client()).get(f"/shared/{battle.pk}/")


def words(response) -> str:  # type: ignore[no-untyped-def]
    return " ".join(response.content.decode().split())


def test_it_works(client: Client, battle: Battle) -> None:
    cast(battle)
    assert change(client, battle, "start").status_code == 204

    page = read(battle)
    assert page.status_code == 200
    for part in (
        "Somebody preferred Wren to Kite.",
        "Why is the sky blue?",
        "answer a",
        "answer b",
    ):
        assert part in words(page)
    assert "They saw no names before they voted." in words(page)
    assert "Try a battle" in words(page)


def test_it_stops_at_once(client: Client, battle: Battle) -> None:
    cast(battle)
    change(client, battle, "start")
    assert "no-store" in read(battle)["Cache-Control"]

    assert change(client, battle, "stop").status_code == 204
    assert read(battle).status_code == 404
    assert change(client, battle, "stop").status_code == 204


def test_sharing_twice_is_sharing_once(client: Client, battle: Battle) -> None:
    cast(battle)
    change(client, battle, "start")
    change(client, battle, "start")

    assert Share.objects.count() == 1


def test_the_voters_page_says_whether_it_is_shared(client: Client, battle: Battle) -> None:
    cast(battle)
    hidden = "<div data-shared hidden>"
    assert hidden in words(client.get(f"/battle/{battle.pk}/"))

    change(client, battle, "start")
    assert hidden not in words(client.get(f"/battle/{battle.pk}/"))


def test_all_turns_are_shown(client: Client, battle: Battle) -> None:
    second = Turn.objects.create(battle=battle, number=2, prompt="And at night?")
    for side in "ab":
        Answer.objects.create(turn=second, side=side, text=f"**night {side}**", **factories.STYLE)
    cast(battle)
    change(client, battle, "start")

    page = words(read(battle))
    assert page.index("Why is the sky blue?") < page.index("And at night?")
    assert "<strong>night a</strong>" in page


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome.MODEL_B, "Somebody preferred Kite to Wren."),
        (Outcome.TIE, "Somebody called it a tie between Wren and Kite."),
        (Outcome.BOTH_BAD, "Somebody found neither Wren nor Kite good."),
    ],
)
def test_the_headline_is_the_vote(client: Client, battle: Battle, outcome: str, said: str) -> None:
    cast(battle, outcome)
    change(client, battle, "start")

    assert said in words(read(battle))


def test_one_contestant_against_itself_is_not_preferred_to_itself(
    client: Client, voter: Voter, wren: Revision
) -> None:
    battle = cast(factories.battle(wren, wren, voter))
    change(client, battle, "start")

    assert "Somebody preferred answer A. Both were by Wren." in words(read(battle))
    mine = words(client.get(f"/battle/{battle.pk}/"))
    assert "You preferred answer A. Both were by Wren." in mine
    assert "so this vote is kept and not counted" in mine


def test_who_chose_the_names_is_said(client: Client, battle: Battle) -> None:
    Battle.objects.update(mode=Mode.NAMED, draw_probability=None)
    cast(battle)
    change(client, battle, "start")

    assert "They had chosen who met." in words(read(battle))
    mine = words(client.get(f"/battle/{battle.pk}/"))
    assert "You chose who met, so this vote is kept and not counted." in mine


# -- What nobody may see -------------------------------------------------------------------------


def test_what_is_not_shared_tells_nothing(battle: Battle, client: Client) -> None:
    """A battle being written, one that is voted on and one that never was read alike."""
    unvoted = read(battle)
    Battle.objects.update(state=State.GENERATING)
    unfinished = read(battle)
    Battle.objects.update(state=State.COMPLETE)
    unshared = read(cast(battle))
    unknown = Client().get(f"/shared/{uuid.uuid4()}/")

    for response in (unvoted, unfinished, unshared, unknown):
        assert response.status_code == 404
        said = words(response).replace(str(battle.pk), "")
        assert "No battle is shared at this address." in said
        assert "Wren" not in said


def test_a_share_shows_nothing_before_the_vote(battle: Battle) -> None:
    """Even if a row were there."""
    Share.objects.create(battle=battle)

    assert read(battle).status_code == 404


def test_only_its_voter_shares_it_and_after_the_vote(
    client: Client, battle: Battle, bob: Voter
) -> None:
    assert change(client, battle, "start").status_code == 409
    others = cast(factories.battle(battle.revision_a, battle.revision_b, bob))

    assert change(client, others, "start").status_code == 404
    assert change(Client(), others, "start").status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert change(strict, cast(battle), "start").status_code == 403
    assert not Share.objects.exists()


def test_nobody_else_stops_it(client: Client, battle: Battle) -> None:
    change(client, cast(battle), "start")
    stranger = Client()
    stranger.get("/battle/")
    factories.voter_of(stranger)

    assert change(stranger, battle, "stop").status_code == 404
    assert read(battle).status_code == 200


def test_neither_starting_nor_stopping_is_refused(client: Client, battle: Battle) -> None:
    refused = change(client, cast(battle), "toggle")

    assert refused.status_code == 400
    assert "start or to stop" in refused.json()["message"]


def test_readers_get_no_cookie_and_crawlers_no_page(client: Client, battle: Battle) -> None:
    change(client, cast(battle), "start")
    page = read(battle)

    assert not page.cookies
    assert "noindex" in page["X-Robots-Tag"]
    assert '<meta name="robots" content="noindex">' in words(page)


def test_nothing_of_the_voter_is_on_it(client: Client, battle: Battle, voter: Voter) -> None:
    change(client, cast(battle), "start")
    client.post(f"/battle/{battle.pk}/reasons/", {"reason": ["other"]})

    for reader in (Client(), client):
        page = words(read(battle, reader))
        assert voter.key not in page
        assert voter.pseudonym not in page
        assert "Other" not in page


def test_what_strangers_wrote_stays_text(client: Client, battle: Battle) -> None:
    hostile = "<script>alert(1)</script> [x](javascript:alert(1))"
    Turn.objects.update(prompt=hostile)
    Answer.objects.update(text=hostile)
    change(client, cast(battle), "start")
    page = words(read(battle))

    assert "<script>alert" not in page
    assert 'href="javascript' not in page


def test_its_pictures_are_on_it_and_readable_while_it_is_shared(
    client: Client, battle: Battle, voter: Voter
) -> None:
    picture = image_store(voter=voter, file=sent(png()))
    battle.turns.get().images.add(picture)
    address = f"/images/{picture.pk}/"
    change(client, cast(battle), "start")
    assert f'src="{address}"' in words(read(battle))
    assert Client().get(address).status_code == 200

    change(client, battle, "stop")
    assert Client().get(address).status_code == 404


# -- Erased --------------------------------------------------------------------------------------


def test_erased_texts_are_said_to_be_gone(client: Client, battle: Battle) -> None:
    change(client, cast(battle), "start")
    texts_erase(battles=Battle.objects.all())
    page = read(battle)

    assert page.status_code == 404
    assert "no longer kept" in words(page)
    assert "Wren" not in words(page)


def test_long_answers_are_gone_although_they_were_read_before(
    client: Client, battle: Battle
) -> None:
    Answer.objects.update(text="It is **secret**. " * 200)
    change(client, cast(battle), "start")
    own = f"/battle/{battle.pk}/"
    for page in (read(battle), read(battle), client.get(own)):
        assert "<strong>secret</strong>" in words(page)
    texts_erase(battles=Battle.objects.all())

    for page in (read(battle), client.get(own)):
        assert "secret" not in words(page)


def test_nothing_is_left_to_share(client: Client, battle: Battle) -> None:
    cast(battle)
    texts_erase(battles=Battle.objects.all())
    refused = change(client, battle, "start")

    assert refused.status_code == 404
    assert "no longer kept" in refused.json()["message"]
    assert not Share.objects.exists()


def test_all_of_a_persons_links_end(client: Client, battle: Battle, bob: Voter) -> None:
    change(client, cast(battle), "start")
    others = cast(factories.battle(battle.revision_a, battle.revision_b, bob))
    Share.objects.create(battle=others)

    assert shares_end(battles=Battle.objects.filter(voter=battle.voter)) == 1
    assert read(battle).status_code == 404
    assert read(others).status_code == 200


# -- Too often -----------------------------------------------------------------------------------


@pytest.fixture
def three_an_hour(settings: Settings) -> Iterator[None]:
    settings.NETWORK_SHARED_RATE = (3, 3600)
    limiter.cache_clear()
    if settings.REDIS_URL:
        limiter(settings.REDIS_URL).storage.reset()
    yield
    limiter.cache_clear()


def test_a_network_opens_only_so_many(client: Client, battle: Battle, three_an_hour: None) -> None:
    change(client, cast(battle), "start")
    assert [read(battle).status_code for _ in range(4)] == [200, 200, 200, 429]

    page = read(battle)
    assert "This was asked too often for now." in words(page)
    assert "by all who share it: 3 per hour. The next is possible in" in words(page)
    assert "Wren" not in words(page)
    assert int(page["Retry-After"]) > 0
    elsewhere = Client(REMOTE_ADDR="203.0.113.9")
    assert read(battle, elsewhere).status_code == 200
    assert client.get(f"/battle/{battle.pk}/").status_code == 200


def test_links_that_lead_nowhere_are_counted_too(battle: Battle, three_an_hour: None) -> None:
    assert [read(battle).status_code for _ in range(4)] == [404, 404, 404, 429]
