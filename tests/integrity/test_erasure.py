"""A person is forgotten and their votes go on counting; what is too old is erased."""

from datetime import timedelta
from io import StringIO

import pyarrow.parquet as pq
import pytest
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from arena.battles.exceptions import NothingToVoteOn
from arena.battles.images import image_store
from arena.battles.models import Answer, Battle, Image, State, Turn, Vote
from arena.battles.services import battle_complete, vote_cast
from arena.core.exceptions import Conflict
from arena.core.models import AuditEntry
from arena.integrity import files
from arena.integrity.chain import chain_verify
from arena.integrity.models import Segment
from arena.integrity.selectors import votes_read
from arena.voters.models import Voter
from tests import factories
from tests.pictures import png

pytestmark = pytest.mark.django_db


@pytest.fixture
def battle(alice: Voter) -> Battle:
    return factories.battle(factories.revision("heron"), factories.revision("swift"), alice)


def cast(battle: Battle) -> Vote:
    key = f"key-{battle.pk.hex}"
    return vote_cast(
        battle_id=battle.pk, attempt=battle.attempt, voter=battle.voter, outcome="model_b", key=key
    )


def said(*command: object) -> str:
    out = StringIO()
    call_command(*map(str, command), stdout=out)
    return out.getvalue()


def texts() -> dict[str, str]:
    """Id and last answer of side a of every text in the files."""
    found = {}
    for name in storages[files.TEXTS].listdir("")[1]:
        with storages[files.TEXTS].open(name) as file:
            rows = pq.read_table(file).to_pylist()
        found |= {row["id"]: row["conversation_a"][-1]["content"] for row in rows}
    return found


def test_it_works(battle: Battle, alice: Voter, bob: Voter) -> None:
    theirs = factories.battle(battle.revision_a, battle.revision_b, bob)
    vote, other = cast(battle), cast(theirs)
    out = said("erase_voter", "--voter", alice.pk)

    assert "texts of 1 turns in 1 battles, 0 pictures" in out
    assert "1 votes stay" in out
    assert texts() == {f"n:{other.pk}": "answer a"}
    assert set(Answer.objects.filter(turn__battle=battle).values_list("text", flat=True)) == {""}
    assert battle.turns.get().prompt == ""
    assert theirs.turns.get().prompt
    assert votes_read().table["id"].to_pylist() == [f"n:{vote.pk}", f"n:{other.pk}"]
    chain_verify()


def test_nothing_leads_from_the_person_to_the_sealed_votes(battle: Battle, alice: Voter) -> None:
    alice.user = User.objects.create_user("alice")
    alice.network_hash = "ab" * 32
    alice.save()
    cast(battle)
    said("erase_voter", "--user", "alice")

    assert votes_read().table["voter"].to_pylist() == [alice.pseudonym]
    assert not Voter.objects.filter(pseudonym=alice.pseudonym).exists()
    assert not Voter.objects.filter(key=alice.key).exists()
    row = Voter.objects.get(pk=alice.pk)
    assert (row.user, row.network_hash) == (None, "")
    entry = AuditEntry.objects.get(action="voter.erase")
    written = f"{entry.subject} {entry.detail}"
    for trace in (alice.key, alice.pseudonym, "alice"):
        assert trace not in written


def test_a_dry_run_says_it_and_does_nothing(battle: Battle, alice: Voter) -> None:
    cast(battle)
    out = said("erase_voter", "--voter", alice.pk, "--dry-run")

    assert out.startswith(f"Would erase voter {alice.pk}: the texts of 1 turns in 1 battles")
    assert battle.turns.get().prompt
    assert Voter.objects.filter(key=alice.key).exists()
    assert not Segment.objects.exists()


def test_an_open_battle_of_theirs_cannot_be_voted_in(battle: Battle, alice: Voter) -> None:
    said("erase_voter", "--voter", alice.pk)

    with pytest.raises(NothingToVoteOn):
        cast(battle)


def test_answers_still_being_written_are_not_stored(battle: Battle, alice: Voter) -> None:
    writing = factories.battle(battle.revision_a, battle.revision_b, alice, State.GENERATING)
    said("erase_voter", "--voter", alice.pk)

    with pytest.raises(Conflict):
        battle_complete(battle=writing, turn=writing.turns.get(), answers={})
    assert not Turn.objects.exclude(prompt="").exists()


def test_a_vote_without_texts_is_sealed_without_digest(battle: Battle, alice: Voter) -> None:
    """It was cast before the erasure, and sealed after a first attempt at it had crashed."""
    cast(battle)
    Turn.objects.update(salt="", prompt="")
    Answer.objects.update(text="")
    said("seal")

    assert votes_read().table["answer_sha256_a"].to_pylist() == [None]
    assert texts() == {}


def test_the_person_shows_who_they_are_by_cookie_or_code(client: Client) -> None:
    client.get("/battle/")
    cookie = client.cookies["tiltyard-voter"].value
    with pytest.raises(CommandError, match="nothing to erase"):
        said("erase_voter", "--cookie", cookie)
    voter = factories.voter_of(client)
    code = client.get("/privacy/").context["code"]

    for value in (cookie, code):
        assert f"voter {voter.pk}" in said("erase_voter", "--cookie", value, "--dry-run")
    client.cookies["tiltyard-voter"] = code
    assert client.post(f"/battle/{'0' * 8}-0000-4000-8000-{'0' * 12}/vote/").status_code == 403


@pytest.mark.parametrize(
    ("who", "message"),
    [
        (("--cookie", "forged"), "signed no such cookie"),
        (("--user", "nobody"), "'nobody' is not known"),
        (("--voter", "99999999"), "Voter 99999999 is not known"),
    ],
)
def test_who_is_not_known_is_said_to_be_unknown(who: tuple[str, str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        said("erase_voter", *who)


# -- Pictures --------------------------------------------------------------------------------


def pictured(battle: Battle) -> Image:
    """A picture of the battle's voter, in its turn."""
    image = attached(battle.voter)
    battle.turns.get().images.add(image)
    return image


def attached(voter: Voter) -> Image:
    return image_store(voter=voter, file=SimpleUploadedFile("a.png", png()))


def pictures() -> set[str]:
    return set(storages["images"].listdir("")[1])


def test_who_is_erased_leaves_no_picture(battle: Battle, alice: Voter, bob: Voter) -> None:
    pictured(battle)
    attached(alice)
    theirs = pictured(factories.battle(battle.revision_a, battle.revision_b, bob))
    out = said("erase_voter", "--voter", alice.pk)

    assert "2 pictures" in out
    assert list(Image.objects.all()) == [theirs]
    assert pictures() == {str(theirs.pk)}
    assert AuditEntry.objects.get(action="voter.erase").detail["images"] == 2


def test_pictures_are_purged_with_the_texts(
    battle: Battle, alice: Voter, settings: Settings
) -> None:
    settings.RETAIN_TEXT_DAYS = 30
    pictured(aged(battle, 31))
    young = pictured(factories.battle(battle.revision_a, battle.revision_b, alice))
    out = said("purge")

    assert "pictures with them: 1 older than 30 days erased." in out
    assert "pictures never sent: 0 older than a day erased." in out
    assert list(Image.objects.all()) == [young]
    assert pictures() == {str(young.pk)}


def test_pictures_never_sent_are_purged_however_long_texts_are_kept(
    alice: Voter, settings: Settings
) -> None:
    settings.RETAIN_TEXT_DAYS = 0
    attached(alice)
    Image.objects.update(created_at=timezone.now() - timedelta(hours=25))
    young = attached(alice)

    assert "pictures never sent: 1 older than a day erased." in said("purge")
    assert pictures() == {str(young.pk)}


# -- What is too old -------------------------------------------------------------------------


def aged(battle: Battle, days: int) -> Battle:
    Battle.objects.filter(pk=battle.pk).update(created_at=timezone.now() - timedelta(days=days))
    return battle


def test_old_texts_are_purged_and_young_ones_stay(
    battle: Battle, alice: Voter, settings: Settings
) -> None:
    settings.RETAIN_TEXT_DAYS = 30
    old, young = aged(battle, 31), factories.battle(battle.revision_a, battle.revision_b, alice)
    cast(old)
    kept = cast(young)
    assert "texts of turns: 1 older than 30 days erased." in said("purge")

    assert texts() == {f"n:{kept.pk}": "answer a"}
    assert old.turns.get().prompt == ""
    assert young.turns.get().prompt
    assert AuditEntry.objects.filter(action="texts.purge").count() == 1
    assert "texts of turns: 0 older" in said("purge")
    assert AuditEntry.objects.filter(action="texts.purge").count() == 1


def test_the_last_text_takes_its_file_along(battle: Battle, settings: Settings) -> None:
    settings.RETAIN_TEXT_DAYS = 30
    cast(aged(battle, 31))
    said("purge")

    assert storages[files.TEXTS].listdir("")[1] == []
    chain_verify()


def test_old_network_hashes_are_purged(alice: Voter, bob: Voter, settings: Settings) -> None:
    settings.RETAIN_NETWORK_DAYS = 7
    now = timezone.now()
    for voter, days in ((alice, 8), (bob, 6)):
        seen = {"network_hash": "ab" * 32, "network_at": now - timedelta(days=days)}
        Voter.objects.filter(pk=voter.pk).update(**seen)
    said("purge")

    assert list(Voter.objects.exclude(network_hash="")) == [bob]


def test_without_an_end_everything_is_kept(battle: Battle, settings: Settings) -> None:
    settings.RETAIN_TEXT_DAYS = settings.RETAIN_NETWORK_DAYS = 0
    cast(aged(battle, 10_000))

    assert "texts of turns: kept for ever" in said("purge")
    assert battle.turns.get().prompt


def test_the_page_says_what_the_settings_say(client: Client, settings: Settings) -> None:
    settings.RETAIN_TEXT_DAYS, settings.RETAIN_NETWORK_DAYS = 123, 0
    settings.PUBLISH_TEXT, settings.ARCHIVE_VOTES = False, True
    settings.OPERATOR_CONTACT = "privacy@arena.example"
    page = client.get("/privacy/").content.decode()

    for words in ("123 days, then erased", "sets no end", "privacy@arena.example"):
        assert words in page
    assert "Votes are published" in page
    assert "Prompts and answers are not published" in page
    settings.PUBLISH_TEXT, settings.ARCHIVE_VOTES = True, False
    page = client.get("/privacy/").content.decode()
    assert "Prompts and answers are published too" in page
    assert "Votes are not published" in page


def test_an_erased_battle_says_so(client: Client, settings: Settings) -> None:
    client.get("/battle/")
    battle = factories.battle(*factories.pair(), factories.voter_of(client))
    cast(battle)
    settings.RETAIN_TEXT_DAYS = 30
    aged(battle, 31)
    said("purge")

    assert "no longer kept" in client.get(f"/battle/{battle.pk}/").content.decode()


def test_the_page_is_linked_from_every_page(client: Client) -> None:
    assert 'href="/privacy/"' in client.get("/").content.decode()
