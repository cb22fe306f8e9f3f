"""Operators see everything, write by hand what is theirs, and cannot edit what was voted on."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from arena.api.services import token_create
from arena.battles.models import Answer, Battle, Prompt, Vote
from arena.battles.services import vote_cast
from arena.catalog.models import Contestant, Kind, Organisation, Revision, Status
from arena.core.jobs import job_create
from arena.core.models import AuditEntry, Job
from arena.integrity.imports import votes_import
from arena.integrity.models import Exclusion, Segment
from arena.integrity.services import votes_exclude
from arena.leaderboard.models import Snapshot
from arena.leaderboard.services import publish
from arena.voters.models import Voter
from tests import factories
from tests.leaderboard.test_refit import cycle

pytestmark = pytest.mark.django_db
BY_HAND = (Contestant, Organisation, Prompt)
KEPT = (Answer, AuditEntry, Battle, Exclusion, Job, Segment, Snapshot, Vote)
NO_FORMS = {"revisions-TOTAL_FORMS": 0, "revisions-INITIAL_FORMS": 0}


def at(model: type[Model], *what: object) -> str:
    """The admin's address of the model's list, of its form, or of a row."""
    return "/".join(
        ["/admin", model._meta.app_label, str(model._meta.model_name), *map(str, what), ""]
    )


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


def voted(voter: Voter, number: int) -> None:
    """A battle with its vote, which somebody excluded who asked for a refit; makers differ too."""
    maker = Organisation.objects.create(name=f"Maker {number}", slug=f"maker-{number}")
    sides = [factories.revision(f"{name} {number}") for name in ("Wren", "Kite")]
    Contestant.objects.filter(revisions__in=sides).update(organisation=maker)
    battle = factories.battle(*sides, voter)
    vote_cast(battle_id=battle.pk, voter=voter, outcome="tie", key=f"key-of-a-test-{number}")
    actor = User.objects.create_user(f"moderator {number}")
    vote = f"n:{Vote.objects.get(battle=battle).pk}"
    votes_exclude(votes=[vote], rule="rigging", reason="a test", actor=actor)
    job_create(kind="refit", params={}, actor=actor)


@pytest.fixture
def world(alice: Voter, tmp_path: Path) -> None:
    """At least one row of everything that the admin shows."""
    voted(alice, 1)
    factories.prompt()
    user = User.objects.create_user("analyst")
    user.groups.create(name="analysts")
    token_create(user=user, expires_in=timedelta(days=1))
    segment = votes_import(path=cycle(tmp_path)).segment
    votes_exclude(votes=[f"{segment.sha256}:0"], rule="rigging", reason="a test", actor=user)
    publish()


def test_it_works(operator: Client) -> None:
    Organisation.objects.create(name="Quillmoor", slug="quillmoor")
    fields = {"name": "Wren", "slug": "wren", "status": "active", "aliases": '["Jenny"]'}
    operator.post(at(Contestant, "add"), fields | NO_FORMS)

    wren = Contestant.objects.get()
    assert (wren.name, wren.status, wren.aliases) == ("Wren", Status.ACTIVE, ["Jenny"])
    assert "Wren" in operator.get(at(Contestant)).content.decode()


def test_every_list_opens(operator: Client, world: None) -> None:
    for model in admin.site._registry:
        assert model._default_manager.exists(), f"the world of this test has no {model.__name__}"
        assert operator.get(at(model)).status_code == 200, model


@pytest.mark.parametrize("model", [*BY_HAND, Revision, *KEPT])
def test_every_row_opens(operator: Client, world: None, model: type[Model]) -> None:
    row = model._default_manager.first()
    assert row is not None

    assert operator.get(at(model, row.pk, "change")).status_code == 200


@pytest.mark.parametrize("model", [*BY_HAND, Revision])
def test_what_is_written_by_hand_has_a_form(operator: Client, model: type[Model]) -> None:
    assert operator.get(at(model, "add")).status_code == 200


def adding(operator: Client, **fields: object) -> str:
    """What the form for a revision answers: where it goes on, or its page with the errors."""
    contestant = Contestant.objects.create(name="Wren", slug="wren")
    written = {"contestant": contestant.pk, "number": 1, "name": "Wren", "family": "wren"}
    written |= {"kind": "openai", "endpoint": "http://localhost/v1", "decoding": "{}"} | fields
    response = operator.post(at(Revision, "add"), written)
    return response.content.decode() or response["Location"]


@pytest.mark.parametrize(
    "endpoint", ["http://localhost:8000/v1", "http://vllm:8000/v1", "https://[::1]/v1"]
)
def test_a_revision_is_added_by_hand(operator: Client, endpoint: str) -> None:
    assert adding(operator, endpoint=endpoint) == at(Revision)
    assert Revision.objects.get().endpoint == endpoint
    assert len(Revision.objects.get().identity) == 64


@pytest.mark.parametrize("endpoint", ["localhost:8000/v1", "ftp://e.example/v1", "http://"])
def test_an_address_that_no_provider_can_call_is_refused(operator: Client, endpoint: str) -> None:
    assert "Write the address with http://" in adding(operator, endpoint=endpoint)
    assert not Revision.objects.exists()


@pytest.mark.parametrize("decoding", ["[1]", '"warm"', "0.7"])
def test_decoding_that_no_request_can_carry_is_refused(operator: Client, decoding: str) -> None:
    assert "Write an object" in adding(operator, decoding=decoding)
    assert not Revision.objects.exists()


def test_fields_left_empty_are_empty(operator: Client) -> None:
    adding(operator, decoding="")
    fields = {"name": "Kite", "slug": "kite", "status": "draft", "aliases": ""}
    operator.post(at(Contestant, "add"), fields | NO_FORMS)

    assert Revision.objects.get().decoding == {}
    assert Contestant.objects.get(name="Kite").aliases == []


@pytest.mark.parametrize("aliases", ['"Wren"', "[1]", '{"Wren": 1}'])
def test_aliases_that_are_no_list_of_names_are_refused(operator: Client, aliases: str) -> None:
    fields = {"name": "Wren", "slug": "wren", "status": "draft", "aliases": aliases}
    page = operator.post(at(Contestant, "add"), fields | NO_FORMS).content.decode()

    assert "Write a list of names" in page
    assert not Contestant.objects.exists()


@pytest.mark.parametrize("model", KEPT)
def test_what_the_arena_writes_is_only_looked_at(
    operator: Client, world: None, model: type[Model]
) -> None:
    row = model._default_manager.first()
    assert row is not None

    assert operator.get(at(model, "add")).status_code == 403
    for what in ("change", "delete"):
        assert operator.post(at(model, row.pk, what), {"post": "yes"}).status_code == 403
    delete = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    operator.post(at(model), delete)
    assert model._default_manager.filter(pk=row.pk).exists()


def test_a_revision_can_neither_be_edited_nor_deleted(operator: Client) -> None:
    wren = factories.revision("Wren", Kind.OPENAI, endpoint="http://localhost/v1")
    for what in ("change", "delete"):
        changed = {"post": "yes", "name": "Wren", "endpoint": "http://another.example/v1"}
        assert operator.post(at(Revision, wren.pk, what), changed).status_code == 403
    delete = {"action": "delete_selected", "_selected_action": [wren.pk], "post": "yes"}
    operator.post(at(Revision), delete)

    assert Revision.objects.get().endpoint == "http://localhost/v1"


def test_a_revision_is_not_edited_through_its_contestant_either(operator: Client) -> None:
    wren = factories.revision("Wren", Kind.OPENAI, endpoint="http://localhost/v1")
    fields = {
        **{"name": "Jenny", "slug": "jenny", "status": "paused", "aliases": "[]"},
        **{"revisions-TOTAL_FORMS": 2, "revisions-INITIAL_FORMS": 1},
        **{"revisions-0-id": wren.pk, "revisions-0-contestant": wren.contestant_id},
        **{"revisions-0-name": "Jenny", "revisions-0-endpoint": "http://another.example/v1"},
        **{"revisions-0-DELETE": "on", "revisions-1-name": "Another", "revisions-1-number": 2},
    }
    response = operator.post(at(Contestant, wren.contestant_id, "change"), fields)

    assert response.status_code == 302
    assert Contestant.objects.get().name == "Jenny"
    assert Revision.objects.get().name == "Wren"
    assert Revision.objects.get().endpoint == "http://localhost/v1"


def test_a_contestant_that_has_revisions_stays(operator: Client) -> None:
    wren = factories.revision("Wren").contestant
    response = operator.post(at(Contestant, wren.pk, "delete"), {"post": "yes"})

    assert "Cannot delete contestant" in response.content.decode()
    assert Contestant.objects.get() == wren


@pytest.mark.parametrize(
    "model", [Answer, AuditEntry, Battle, Contestant, Exclusion, Revision, Vote]
)
def test_a_longer_list_takes_no_more_queries(
    operator: Client, alice: Voter, model: type[Model]
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            operator.get(at(model))
        return len(asked)

    for number in range(2):
        voted(alice, number)
    short = queries()
    for number in range(2, 8):
        voted(alice, number)

    assert queries() == short


def test_who_is_no_operator_is_asked_to_sign_in(client: Client) -> None:
    client.force_login(User.objects.create_user("somebody"))
    response = client.get(at(Contestant))

    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")
