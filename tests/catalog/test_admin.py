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
from arena.battles.models import (
    Answer,
    Battle,
    Boost,
    CategoryRule,
    Collection,
    PairExclusion,
    PairWeights,
    Prompt,
    Vote,
)
from arena.battles.services import vote_cast
from arena.catalog.models import Circuit, Contestant, Kind, Organisation, Revision, Status
from arena.chats.models import Chat, ChatTurn
from arena.core.jobs import job_create
from arena.core.models import AuditEntry, Job
from arena.integrity.imports import votes_import
from arena.integrity.models import Exclusion, Segment
from arena.integrity.services import votes_exclude
from arena.leaderboard.models import Snapshot
from arena.leaderboard.services import publish
from arena.voters.models import Voter
from arena.voters.services import ban_create
from tests import factories
from tests.leaderboard.test_refit import cycle

pytestmark = pytest.mark.django_db
BY_HAND = (Contestant, Organisation, Prompt)
KEPT = (Answer, AuditEntry, Battle, Circuit, Exclusion, Job, Segment, Snapshot, Vote)
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
    vote_cast(
        battle_id=battle.pk,
        attempt=battle.attempt,
        voter=voter,
        outcome="tie",
        key=f"key-of-a-test-{number}",
    )
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
    served = factories.revision("Served", Kind.OPENAI, endpoint="http://localhost/v1")
    Boost.objects.create(contestant=served.contestant, factor=2, reason="a test")
    other = Contestant.objects.exclude(pk=served.contestant_id)[0]
    PairExclusion.objects.create(first=served.contestant, second=other, reason="a test")
    PairWeights.objects.create(unseen=0.1, votes=1)
    ban_create(reason="a test", actor=user, voter=alice)
    segment = votes_import(path=cycle(tmp_path)).segment
    votes_exclude(votes=[f"{segment.sha256}:0"], rule="rigging", reason="a test", actor=user)
    publish()
    CategoryRule.objects.create(slug="taxes", words="tax")
    Collection.objects.create(slug="recipes", name="Recipes", source_sha256="0" * 64)
    chat = Chat.objects.create(voter=alice, contestant=served.contestant)
    ChatTurn.objects.create(chat=chat, number=1, prompt="Why?", revision=served, owner="test")


def test_it_works(operator: Client) -> None:
    Organisation.objects.create(name="Quillmoor", slug="quillmoor")
    fields = {
        "name": "Wren",
        "slug": "wren",
        "status": "active",
        "aliases": "Jenny\r\n Wrenny \r\n\r\nJenny",
    }
    operator.post(at(Contestant, "add"), fields | NO_FORMS)

    wren = Contestant.objects.get()
    assert (wren.name, wren.status, wren.aliases) == ("Wren", Status.ACTIVE, ["Jenny", "Wrenny"])
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


@pytest.mark.parametrize("model", KEPT)
def test_what_the_arena_writes_is_only_looked_at(
    operator: Client, world: None, model: type[Model]
) -> None:
    row = model._default_manager.first()
    assert row is not None

    if model is not Exclusion:  # it is made by hand, and from then on kept
        assert operator.get(at(model, "add")).status_code == 403
    for what in ("change", "delete"):
        assert operator.post(at(model, row.pk, what), {"post": "yes"}).status_code == 403
    delete = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    operator.post(at(model), delete)
    assert model._default_manager.filter(pk=row.pk).exists()


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
