"""Operators say who competes and what serves them, and see how the endpoints are."""

from collections.abc import Iterator
from html import unescape

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from arena.catalog.circuits import paused_revisions, revision_failed, revisions_answered
from arena.catalog.models import Circuit, Contestant, Kind, Organisation, Revision, Status
from arena.catalog.services import contestants_archive, revision_add
from arena.core.models import AuditEntry
from tests import factories
from tests.catalog import servers
from tests.catalog.servers import running

pytestmark = pytest.mark.django_db
NO_FORMS = {"revisions-TOTAL_FORMS": 0, "revisions-INITIAL_FORMS": 0}
NOBODY = "http://127.0.0.1:9/v1"


def at(model: type[Model], *what: object) -> str:
    """The admin's address of the model's list, of its form, or of a row."""
    return "/".join(["/admin/catalog", str(model._meta.model_name), *map(str, what), ""])


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


@pytest.fixture
def endpoint() -> Iterator[str]:
    with running(servers.well_behaved) as address:
        yield address


def page(client: Client, address: str) -> str:
    response = client.get(address, follow=True)
    assert response.status_code == 200
    html: str = response.content.decode()
    assert "&lt;a " not in html
    return html


def served(name: str, endpoint: str = NOBODY, **fields: object) -> Revision:
    return factories.revision(
        name, Kind.OPENAI, endpoint=endpoint, remote_model="linnet-3", **fields
    )


def fail(revision: Revision, times: int | None = None) -> None:
    for _ in range(times or settings.BREAKER_FAILURES):
        revision_failed(revision_id=revision.pk, kind="TimedOut", detail="nothing came")


def act(client: Client, action: str, *rows: Model, **fields: str) -> str:
    """What the list says after the action was taken on the rows."""
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    response = client.post(at(type(rows[0])), chosen | fields, follow=True)
    assert response.status_code == 200
    return unescape(response.content.decode())


def changes() -> list[tuple[str, str, object]]:
    """What the audit log says of contestants: on whom, by whom, and what."""
    entries = AuditEntry.objects.filter(action__startswith="contestant.").order_by("id")
    return [(entry.subject, str(entry.actor), entry.detail.get("changes")) for entry in entries]


# -- Organisations ---------------------------------------------------------------------------


def test_an_organisation_is_listed_with_its_contestants(operator: Client) -> None:
    aviary = Organisation.objects.create(name="Aviary", slug="aviary")
    for name in ("Wren", "Kite"):
        contestant = factories.revision(name).contestant
        Contestant.objects.filter(pk=contestant.pk).update(organisation=aviary)
    factories.revision("Finch")

    listed = page(operator, at(Organisation))
    address = f"{at(Contestant)}?organisation__id__exact={aviary.pk}"
    assert f'<a href="{address}">2</a>' in listed
    theirs = page(operator, address)
    assert "Kite" in theirs
    assert "Finch" not in theirs


# -- Contestants -----------------------------------------------------------------------------


def test_a_contestant_is_listed_with_what_serves_it(operator: Client) -> None:
    wren = served("wren-1", stage="preview")
    current = revision_add(
        contestant=wren.contestant, name="wren-2", kind=Kind.RECORDED, stage="released"
    )
    paused = served("Kite")
    fail(paused)
    listed = page(operator, at(Contestant))

    assert f'<a href="{at(Revision, current.pk, "change")}">wren-2</a>' in listed
    assert at(Revision, wren.pk, "change") not in listed
    assert "Released" in listed
    assert f'<a href="{at(Circuit, paused.circuit.pk, "change")}">paused until ' in listed


def test_aliases_are_written_one_per_line(operator: Client) -> None:
    wren = factories.revision("Wren").contestant
    Contestant.objects.update(aliases=["Jenny", "Zaunkönig"])
    form = page(operator, at(Contestant, wren.pk, "change"))
    assert "Jenny\nZaunkönig</textarea>" in form

    fields = {"name": "Wren", "slug": wren.slug, "status": "active", "aliases": "Jenny\r\n天"}
    operator.post(at(Contestant, wren.pk, "change"), fields | NO_FORMS)
    assert Contestant.objects.get().aliases == ["Jenny", "天"]
    assert changes() == [
        (wren.slug, "operator", {"aliases": [["Jenny", "Zaunkönig"], ["Jenny", "天"]]})
    ]


def test_a_contestant_is_said_to_look_at_pictures(operator: Client) -> None:
    wren = factories.revision("Wren").contestant
    fields = {"name": "Wren", "slug": wren.slug, "status": "active", "accepts_images": "on"}
    operator.post(at(Contestant, wren.pk, "change"), fields | NO_FORMS)

    assert Contestant.objects.get().accepts_images
    assert changes() == [(wren.slug, "operator", {"accepts_images": [False, True]})]


def test_a_contestant_without_aliases(operator: Client) -> None:
    fields = {"name": "Kite", "slug": "kite", "status": "draft", "aliases": " \r\n"}
    operator.post(at(Contestant, "add"), fields | NO_FORMS)

    assert Contestant.objects.get().aliases == []
    assert changes() == [("kite", "operator", None)]


@pytest.mark.parametrize(
    ("aliases", "said"),
    [
        *(('["Wren"]', "on a line of its own"), ('"Wren"', "on a line of its own")),
        *(("a" * 201, "at most 200 characters"), ("\n".join(map(str, range(51))), "At most 50")),
    ],
)
def test_aliases_that_nobody_meant_are_refused(operator: Client, aliases: str, said: str) -> None:
    fields = {"name": "Wren", "slug": "wren", "status": "draft", "aliases": aliases}

    form = operator.post(at(Contestant, "add"), fields | NO_FORMS).content.decode()
    assert said in form
    assert not Contestant.objects.exists()


def test_saving_without_a_change_says_nothing_in_the_audit_log(operator: Client) -> None:
    wren = factories.revision("Wren").contestant
    fields = {"name": "Wren", "slug": wren.slug, "status": "active", "aliases": ""}
    operator.post(at(Contestant, wren.pk, "change"), fields | NO_FORMS)

    assert changes() == []


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("activate", "draft", "active"),
        ("pause", "active", "paused"),
        ("retire", "active", "retired"),
    ],
)
def test_several_are_activated_paused_or_retired_at_once(
    operator: Client, action: str, before: str, after: str
) -> None:
    several = [factories.revision(name).contestant for name in ("Wren", "Kite")]
    Contestant.objects.update(status=before)
    said = act(operator, action, *several)

    assert f"2 contestants are now {after}." in said
    assert set(Contestant.objects.values_list("status", flat=True)) == {after}
    assert [what for _, _, what in changes()] == [{"status": [before, after]}] * 2
    assert {who for _, who, _ in changes()} == {"operator"}


def test_what_cannot_be_is_said_and_the_others_are_done(operator: Client) -> None:
    contestants_archive(names=["Kite"])
    kite, wren = Contestant.objects.get(), factories.revision("Wren").contestant
    Contestant.objects.filter(pk=wren.pk).update(status=Status.DRAFT)
    said = act(operator, "activate", kite, wren)

    assert "1 contestant is now active." in said
    assert "Nothing answers for Kite yet: add a revision" in said
    assert Contestant.objects.get(pk=kite.pk).status == Status.ARCHIVED


def test_who_may_only_look_is_offered_no_action(client: Client) -> None:
    user = User.objects.create_user("assistant", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    wren = served("Wren")

    act(client, "retire", wren.contestant)
    act(client, "draw_again", wren.circuit)
    assert Contestant.objects.get().status == Status.ACTIVE
    assert 'value="check_now"' not in page(client, at(Circuit))


def test_a_contestant_that_has_revisions_stays(operator: Client) -> None:
    wren = factories.revision("Wren").contestant
    response = operator.post(at(Contestant, wren.pk, "delete"), {"post": "yes"})

    assert "Cannot delete contestant" in response.content.decode()
    assert Contestant.objects.get() == wren


# -- Revisions -------------------------------------------------------------------------------

SERVED = {
    "name": "wren-1",
    "kind": "openai",
    "endpoint": "http://localhost/v1",
    "remote_model": "linnet-3",
    "decoding": "{}",
}


def adding(operator: Client, **fields: object) -> str:
    """What the form for a revision answers: where it goes on, or its page with the errors."""
    contestant, _ = Contestant.objects.get_or_create(name="Wren", slug="wren")
    written = SERVED | {"contestant": contestant.pk} | fields
    response = operator.post(at(Revision, "add"), written)
    return unescape(response.content.decode()) or response["Location"]


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
@pytest.mark.parametrize(
    "endpoint", ["http://localhost:8000/v1", "http://vllm:8000/v1", "https://[::1]/v1"]
)
def test_a_revision_is_added_by_hand(operator: Client, endpoint: str, kind: str) -> None:
    assert adding(operator, endpoint=endpoint, kind=kind) == at(Revision)

    wren = Revision.objects.get()
    assert (wren.endpoint, wren.kind, wren.number, wren.family) == (endpoint, kind, 1, "wren")
    assert len(wren.identity) == 64
    entry = AuditEntry.objects.get(action="revision.create")
    assert (entry.subject, str(entry.actor)) == ("wren-1", "operator")


def test_the_next_revision_gets_the_next_number(operator: Client) -> None:
    for name in ("wren-1", "wren-2", "wren-3"):
        assert adding(operator, name=name, number=1) == at(Revision)

    assert list(Revision.objects.values_list("number", flat=True)) == [1, 2, 3]


def test_the_next_revision_begins_as_the_current_one(operator: Client) -> None:
    wren = served("wren-1", stage="preview", system_prompt="Be kind.", decoding={"top_p": 1})
    form = page(operator, at(Revision, "add") + f"?contestant={wren.contestant_id}")

    for said in ("Be kind.", "{&quot;top_p&quot;: 1}", f'value="{NOBODY}"', 'value="linnet-3"'):
        assert said in form
    assert 'value="wren-1"' not in form
    link = f"{at(Revision, 'add')}?contestant={wren.contestant_id}"
    assert f'<a href="{link}">' in page(operator, at(Contestant, wren.contestant_id, "change"))


@pytest.mark.parametrize("contestant", ["", "0", "nobody", "9" * 30])
def test_the_form_opens_whoever_it_is_asked_for(operator: Client, contestant: str) -> None:
    assert operator.get(at(Revision, "add") + f"?contestant={contestant}").status_code == 200


@pytest.mark.parametrize(
    "endpoint", ["localhost:8000/v1", "ftp://e.example/v1", "http://", "http://[", "http://a:b/v1"]
)
def test_an_address_that_no_provider_can_call_is_refused(operator: Client, endpoint: str) -> None:
    assert "Write the address with http://" in adding(operator, endpoint=endpoint)
    assert not Revision.objects.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"endpoint": "http://me:secret@localhost/v1"}, "must not hold a key or password"),
        ({"endpoint": "http://localhost/v1?key=secret"}, "must not hold a key or password"),
        ({"key_env": "SECRET_KEY"}, "ends in _KEY or _TOKEN"),
        ({"remote_model": ""}, "of kind openai needs endpoint and remote_model"),
        ({"kind": "anthropic", "endpoint": ""}, "of kind anthropic needs endpoint"),
        ({"kind": "recorded"}, "of kind recorded has no endpoint"),
        ({"kind": "telepathy"}, "not one of the available choices"),
        ({"decoding": "[1]"}, "Write an object"),
        ({"decoding": '"warm"'}, "Write an object"),
        ({"decoding": "0.7"}, "Write an object"),
        ({"contestant": ""}, "This field is required"),
        ({"name": ""}, "This field is required"),
    ],
)
def test_a_revision_that_cannot_be(operator: Client, change: dict[str, str], said: str) -> None:
    assert said in adding(operator, **change)
    assert not Revision.objects.exists()


def test_a_name_belongs_to_one_revision(operator: Client) -> None:
    adding(operator)

    assert "Revision with this Name already exists." in adding(operator)
    assert Revision.objects.count() == 1


def test_fields_left_empty_are_empty(operator: Client) -> None:
    adding(operator, decoding="", key_env="", system_prompt="", stage="")

    wren = Revision.objects.get()
    assert (wren.decoding, wren.key_env, wren.system_prompt, wren.stage) == ({}, "", "", "")


def test_a_revision_shows_what_it_is_and_how_it_is(operator: Client) -> None:
    wren = served("wren-1", decoding={"top_p": 1})
    fail(wren, 1)
    shown = page(operator, at(Revision, wren.pk, "change"))

    for link in (
        at(Contestant, wren.contestant_id, "change"),
        at(Circuit, wren.circuit.pk, "change"),
    ):
        assert f'href="{link}"' in shown
    assert "&quot;top_p&quot;: 1" in shown
    assert "failing: 1 in a row" in shown
    assert 'name="_save"' not in shown


def test_a_revision_can_neither_be_edited_nor_deleted(operator: Client) -> None:
    wren = served("Wren")
    for what in ("change", "delete"):
        changed = {"post": "yes", "name": "Wren", "endpoint": "http://another.example/v1"}
        assert operator.post(at(Revision, wren.pk, what), changed).status_code == 403
    delete = {"action": "delete_selected", "_selected_action": [wren.pk], "post": "yes"}
    operator.post(at(Revision), delete)

    assert Revision.objects.get().endpoint == NOBODY


def test_a_revision_is_not_edited_through_its_contestant_either(operator: Client) -> None:
    wren = served("Wren")
    fields = {
        **{"name": "Jenny", "slug": "jenny", "status": "paused", "aliases": ""},
        **{"revisions-TOTAL_FORMS": 2, "revisions-INITIAL_FORMS": 1},
        **{"revisions-0-id": wren.pk, "revisions-0-contestant": wren.contestant_id},
        **{"revisions-0-name": "Jenny", "revisions-0-endpoint": "http://another.example/v1"},
        **{"revisions-0-DELETE": "on", "revisions-1-name": "Another", "revisions-1-number": 2},
    }
    response = operator.post(at(Contestant, wren.contestant_id, "change"), fields)

    assert response.status_code == 302
    assert Contestant.objects.get().name == "Jenny"
    assert Revision.objects.get().name == "Wren"
    assert Revision.objects.get().endpoint == NOBODY


# -- Endpoints' health -----------------------------------------------------------------------


def test_the_state_of_every_endpoint_in_words(operator: Client) -> None:
    served("Wren")
    failing, paused, trying, well = map(served, ("Kite", "Finch", "Lark", "Swift"))
    fail(failing, 1)
    for revision in (paused, trying):
        fail(revision)
    Circuit.objects.filter(revision=trying).update(paused_until="2026-01-01T00:00Z")
    fail(well)
    revisions_answered(revision_ids=[well.pk])
    listed = page(operator, at(Circuit))

    for words in (
        "not asked yet",
        "failing: 1 in a row",
        "paused until ",
        "trying again",
        "answering",
    ):
        assert words in listed
    assert "TimedOut, nothing came" in listed
    assert "Lark" in page(operator, f"{at(Circuit)}?state=trying")
    assert "Finch</a>" not in page(operator, f"{at(Circuit)}?state=trying")


def test_endpoints_are_checked_now(operator: Client, endpoint: str) -> None:
    wren, kite, _ = served("Wren", endpoint), served("Kite"), served("Finch", endpoint)
    said = act(operator, "check_now", wren.circuit, kite.circuit)

    assert "Checked 2: 1 passed, 1 did not." in said
    assert "Kite: Unreachable: no connection" in said
    assert list(Circuit.objects.order_by("pk").values_list("reachable", flat=True)) == [
        *(True, False, None)
    ]
    assert "failing its checks" in page(operator, at(Circuit))


def test_a_paused_revision_is_let_be_drawn_again(operator: Client) -> None:
    wren, kite = served("Wren"), served("Kite")
    fail(wren)
    asked = act(operator, "draw_again", wren.circuit, kite.circuit)
    assert "Let revisions be drawn again" in asked
    assert list(paused_revisions()) == [wren]

    answered = {"answered": "1", "chosen": f"{wren.circuit.pk},{kite.circuit.pk}"}
    said = act(operator, "draw_again", wren.circuit, **answered, reason="It was restarted.")
    assert "Of 2 chosen 1 had failed, which is forgotten now." in said
    assert not paused_revisions().exists()
    entry = AuditEntry.objects.get(action="revision.resume")
    assert (entry.subject, str(entry.actor)) == ("Wren", "operator")
    assert entry.detail["reason"] == "It was restarted."


# -- However long the lists are --------------------------------------------------------------


@pytest.mark.parametrize("model", [Organisation, Contestant, Revision, Circuit])
def test_a_longer_list_takes_no_more_queries(operator: Client, model: type[Model]) -> None:
    def more(number: int) -> None:
        wren = served(f"Wren {number}")
        maker = Organisation.objects.create(name=f"Maker {number}", slug=f"maker-{number}")
        Contestant.objects.filter(pk=wren.contestant_id).update(organisation=maker)
        revision_add(
            contestant=wren.contestant,
            name=f"Wren {number}b",
            kind=Kind.ANTHROPIC,
            endpoint=NOBODY,
            remote_model="linnet-3",
        )
        fail(wren)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            operator.get(at(model))
        return len(asked)

    for number in range(2):
        more(number)
    short = queries()
    for number in range(2, 8):
        more(number)

    assert queries() == short
