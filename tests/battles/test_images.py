"""Pictures that go with prompts: whose they are, who sees them, and when they are gone."""

import uuid
from datetime import timedelta

import httpx
import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from arena.battles.exceptions import ImageGone, NobodyLooks, NobodyToMeet, TooManyImages
from arena.battles.images import (
    files,
    image_store,
    images_claim,
    images_erase,
    images_read,
    images_sweep,
    name_of,
)
from arena.battles.matchmaking import pair_for
from arena.battles.models import Battle, Image, Share, State
from arena.battles.selectors import can_show
from arena.battles.services import vote_cast
from arena.catalog.models import Contestant, Kind
from arena.core.pictures import FAULTS
from arena.voters.models import Voter
from arena.voters.services import ban_create
from tests import factories
from tests.pictures import HTML, MARKER, SVG, moving, opened, photograph, png, saved, turned

pytestmark = pytest.mark.django_db
UPLOAD = "/battle/images/"


def sent(data: bytes, name: str = "picture.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="image/png")


def kept(voter: Voter) -> Image:
    return image_store(voter=voter, file=sent(png()))


def names() -> set[str]:
    return set(files().listdir("")[1])


@pytest.fixture
def visitor(client: Client) -> Client:
    client.get("/battle/")
    return client


def upload(client: Client, data: bytes, name: str = "picture.png"):  # type: ignore[no-untyped-def]
    return client.post(UPLOAD, {"image": sent(data, name), "consent": "yes"})


def in_battle(image: Image, state: State = State.COMPLETE) -> Battle:
    """A battle of its voter's with it in the first turn."""
    battle = factories.battle(*factories.pair(), image.voter, state)
    battle.turns.get().images.add(image)
    return battle


def test_it_works(visitor: Client) -> None:
    response = upload(visitor, turned(6, "JPEG"), "holiday.jpg")
    assert response.status_code == 201
    said = response.json()
    assert (said["width"], said["height"]) == (32, 48)

    shown = visitor.get(said["url"])
    image = Image.objects.get()
    assert shown.status_code == 200
    assert shown["Content-Type"] == image.media_type == "image/jpeg"
    assert opened(shown.content).size == (32, 48)
    assert len(shown.content) == image.size
    assert MARKER not in shown.content
    assert said == {"id": str(image.pk), "url": f"/images/{image.pk}/", "width": 32, "height": 48}
    assert image.voter == factories.voter_of(visitor)


def test_nothing_is_taken_before_consent(visitor: Client) -> None:
    refused = visitor.post(UPLOAD, {"image": sent(png(), "picture.png")})

    assert refused.status_code == 403
    assert "agree with what is kept" in refused.json()["message"]
    assert not Image.objects.exists()


# -- Taken in --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"MZ\x90\0" + b"\0" * 200, "unknown"),
        (SVG, "unknown"),
        (HTML + png(), "unknown"),
        (moving("PNG"), "animated"),
        (saved(photograph(), "JPEG")[:3000], "damaged"),
    ],
    ids=["executable", "svg", "polyglot", "moving", "cut"],
)
def test_what_cannot_be_used_is_refused_in_words(visitor: Client, data: bytes, fault: str) -> None:
    response = upload(visitor, data, "holiday.png")

    assert response.status_code == 400
    assert response.json() == {"message": FAULTS[fault]}
    assert not Image.objects.exists()
    assert names() == set()


def test_an_empty_form_is_refused_in_words(visitor: Client) -> None:
    for form in ({}, {"image": "no file"}):
        response = visitor.post(UPLOAD, form | {"consent": "yes"})
        assert response.status_code == 400
        assert "No picture came" in response.json()["message"]


def test_without_the_cookie_it_is_refused(client: Client) -> None:
    response = upload(client, png())

    assert response.status_code == 403
    assert "one cookie" in response.json()["message"]
    assert not Image.objects.exists()


def test_without_the_csrf_token_it_is_refused(visitor: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = visitor.cookies

    assert upload(strict, png()).status_code == 403
    assert not Image.objects.exists()


def test_only_so_many_may_be_attached(visitor: Client, settings: Settings) -> None:
    settings.VOTER_IMAGE_RATE = (2, 3600)
    statuses = [upload(visitor, png()).status_code for _ in range(3)]
    response = upload(visitor, png())

    assert statuses == [201, 201, 429]
    assert "as many pictures as one person may here: 2 per hour" in response.json()["message"]
    assert int(response["Retry-After"]) > 0


def test_a_network_may_attach_only_so_many(visitor: Client, settings: Settings) -> None:
    settings.NETWORK_IMAGE_RATE = (1, 3600)
    other = Client()
    other.get("/battle/")

    assert upload(visitor, png()).status_code == 201
    assert upload(other, png()).status_code == 429


def test_who_is_banned_attaches_nothing(visitor: Client) -> None:
    ban_create(voter=factories.voter_of(visitor), reason="a flood", actor=None)

    assert upload(visitor, png()).status_code == 403


def test_a_file_that_is_too_large_is_refused(visitor: Client, settings: Settings) -> None:
    settings.IMAGE_MAX_BYTES = 2_000_000
    response = upload(visitor, png() + b"\0" * 2_000_000)

    assert response.status_code == 413
    assert "A picture may have 2 MB here" in response.json()["message"]


@pytest.mark.django_db(transaction=True)
def test_a_body_that_is_too_large_is_refused_before_it_is_read(arena: str) -> None:
    with httpx.Client(base_url=arena) as client:
        client.get("/battle/")
        response = client.post(UPLOAD, files={"image": ("a.png", b"\0" * 20_000_000)})

    assert response.status_code == 413
    assert "A picture may have 10 MB here" in response.json()["detail"]


def test_of_those_never_sent_the_oldest_give_way(alice: Voter, settings: Settings) -> None:
    settings.IMAGES_UNSENT = 3
    used = kept(alice)
    in_battle(used)
    images = [kept(alice) for _ in range(5)]

    left = {used, *images[-3:]}
    assert set(Image.objects.all()) == left
    assert names() == {name_of(image.pk) for image in left}


# -- Sent ------------------------------------------------------------------------------------


def test_they_are_claimed_and_read_in_the_order_asked_for(alice: Voter) -> None:
    first, second = kept(alice), image_store(voter=alice, file=sent(saved(photograph(), "JPEG")))
    claimed = images_claim(voter=alice, ids=[second.pk, first.pk])

    assert claimed == [second, first]
    read = images_read(claimed)
    assert [image.media_type for image in read] == ["image/jpeg", "image/png"]
    assert opened(read[1].data).size == (48, 32)
    assert images_claim(voter=alice, ids=[]) == []


def test_nobody_claims_what_is_not_theirs_or_was_sent(alice: Voter, bob: Voter) -> None:
    own, used, theirs = kept(alice), kept(alice), kept(bob)
    in_battle(used)

    for ids in ([theirs.pk], [used.pk], [uuid.uuid4()], [own.pk, theirs.pk], [own.pk, own.pk]):
        with pytest.raises(ImageGone):
            images_claim(voter=alice, ids=ids)


def test_a_prompt_takes_only_so_many(alice: Voter, settings: Settings) -> None:
    settings.IMAGES_PER_PROMPT = 1
    ids = [kept(alice).pk for _ in range(2)]

    with pytest.raises(TooManyImages, match="At most 1 picture goes with a prompt"):
        images_claim(voter=alice, ids=ids)


def test_one_that_is_gone_is_said_to_be(alice: Voter) -> None:
    image = kept(alice)
    files().delete(name_of(image.pk))

    with pytest.raises(ImageGone):
        images_read([image])


# -- Who is asked ----------------------------------------------------------------------------


def served(*looking: str, blind: tuple[str, ...] = ()) -> None:
    for name in (*looking, *blind):
        factories.revision(name, Kind.OPENAI, endpoint="http://localhost/v1", remote_model=name)
    Contestant.objects.filter(name__in=looking).update(accepts_images=True)


def test_only_those_who_look_at_pictures_are_drawn() -> None:
    served("Wren", "Kite", "Linnet", blind=("Ostrel", "Harrow"))
    pairs = [pair_for(None, with_images=True) for _ in range(60)]

    assert can_show()
    assert {pair.a.name for pair in pairs} == {"Wren", "Kite", "Linnet"}
    assert all(pair.probability == pytest.approx(1 / 3) for pair in pairs)
    # Remembered apart from the drawing without pictures.
    assert pair_for(None).probability == pytest.approx(1 / 10)


def test_where_nobody_looks_it_says_so() -> None:
    served("Wren", blind=("Kite", "Ostrel"))

    assert not can_show()
    assert pair_for(None)
    with pytest.raises(NobodyLooks, match="Take the pictures off"):
        pair_for(None, with_images=True)
    Contestant.objects.update(status="retired")
    with pytest.raises(NobodyToMeet):
        pair_for(factories.prompt())


# -- Who sees them ---------------------------------------------------------------------------


def address(image: Image) -> str:
    return f"/images/{image.pk}/"


def test_its_answer_gives_a_browser_nothing_but_a_picture(visitor: Client) -> None:
    image = kept(factories.voter_of(visitor))
    response = visitor.get(address(image))

    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "private, no-store"
    assert response["Content-Disposition"] == f'inline; filename="{image.pk}.png"'
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not response.cookies


def test_nobody_elses_is_shown(client: Client, alice: Voter) -> None:
    image = kept(alice)
    in_battle(image)
    client.get("/battle/")

    for stranger in (client, Client()):
        assert stranger.get(address(image)).status_code == 404
    assert client.get(f"/images/{uuid.uuid4()}/").status_code == 404


def test_a_shared_battles_is_shown_once_it_has_its_vote(client: Client, alice: Voter) -> None:
    image = kept(alice)
    battle = in_battle(image)
    share = Share.objects.create(battle=battle)
    assert client.get(address(image)).status_code == 404

    vote_cast(
        battle_id=battle.pk, attempt=battle.attempt, voter=alice, outcome="tie", key="key-of-a-test"
    )
    assert client.get(address(image)).status_code == 200
    assert client.get(address(kept(alice))).status_code == 404
    share.delete()
    assert client.get(address(image)).status_code == 404


def test_staff_see_those_of_others_where_they_may_read(client: Client, alice: Voter) -> None:
    image = kept(alice)
    operator = User.objects.create_user("operator", is_staff=True)
    client.force_login(operator)
    assert client.get(address(image)).status_code == 404

    operator.user_permissions.add(Permission.objects.get(codename="view_turn"))
    assert client.get(address(image)).status_code == 200
    User.objects.update(is_staff=False)
    assert client.get(address(image)).status_code == 404


def test_a_private_arena_shows_none_to_who_is_not_signed_in(
    visitor: Client, settings: Settings
) -> None:
    image = kept(factories.voter_of(visitor))
    settings.PRIVATE = True

    assert visitor.get(address(image)).status_code == 403
    assert upload(visitor, png()).status_code == 403


def test_without_its_file_it_is_no_mistake_of_ours(visitor: Client) -> None:
    image = kept(factories.voter_of(visitor))
    files().delete(name_of(image.pk))

    assert visitor.get(address(image)).status_code == 404


# -- Forgotten -------------------------------------------------------------------------------


def aged(image: Image, hours: int) -> Image:
    Image.objects.filter(pk=image.pk).update(created_at=F("created_at") - timedelta(hours=hours))
    return image


def test_those_never_sent_are_swept_after_a_day(alice: Voter) -> None:
    old, young, used = aged(kept(alice), 25), aged(kept(alice), 23), aged(kept(alice), 99)
    in_battle(used)

    assert images_sweep(now=timezone.now()) == 1
    assert set(Image.objects.all()) == {young, used}
    assert name_of(old.pk) not in names()
    assert images_sweep(now=timezone.now()) == 0


def test_files_that_no_row_names_are_swept_after_a_day(alice: Voter) -> None:
    image = kept(alice)
    in_battle(image)
    files().save("left-by-a-dead-process", ContentFile(b"half"))
    images_sweep(now=timezone.now())
    assert len(names()) == 2

    images_sweep(now=timezone.now() + timedelta(hours=25))
    assert names() == {name_of(image.pk)}


def test_what_is_erased_may_be_erased_again(alice: Voter) -> None:
    image = kept(alice)
    battle = in_battle(image)
    files().delete(name_of(image.pk))

    assert images_erase(images=Image.objects.filter(voter=alice)) == 1
    assert images_erase(images=Image.objects.filter(voter=alice)) == 0
    assert battle.turns.get().images.count() == 0
