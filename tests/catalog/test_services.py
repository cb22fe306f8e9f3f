"""Who competes: names and slugs that never collide, revisions that never change, servers added."""

import os
from collections.abc import Iterator
from io import StringIO

import pytest
from anyio.from_thread import start_blocking_portal
from django.core.management import CommandError, call_command
from django.db import IntegrityError, models, transaction

from arena.catalog.models import Contestant, Kind, Revision, Status
from arena.catalog.services import contestants_archive, endpoint_add, revision_add
from tests.upstream import serving

pytestmark = pytest.mark.django_db
NOBODY = "http://127.0.0.1:9/v1"


@pytest.fixture
def wren() -> Contestant:
    return Contestant.objects.create(name="Wren", slug="wren", status=Status.ACTIVE)


def names() -> list[str]:
    return sorted(Revision.objects.values_list("name", flat=True))


# -- Names that come with imported votes -----------------------------------------------------


def test_it_works() -> None:
    assert contestants_archive(names=["Kite 7B", "Wren"]) == 2

    kite = Revision.objects.get(name="Kite 7B")
    assert kite.contestant.name == "Kite 7B"
    assert kite.contestant.slug == kite.family == "kite-7b"
    assert kite.contestant.status == Status.ARCHIVED
    assert (kite.number, kite.kind) == (1, Kind.IMPORTED)


def test_a_name_is_archived_once() -> None:
    contestants_archive(names=["Wren", "Wren"])

    assert contestants_archive(names=["Kite", "Wren"]) == 1
    assert names() == ["Kite", "Wren"]


def test_the_name_of_any_revision_is_known(wren: Contestant) -> None:
    revision_add(contestant=wren, name="wren-2026-01", kind=Kind.RECORDED)

    assert contestants_archive(names=["wren-2026-01"]) == 0
    assert wren.revisions.count() == Contestant.objects.count() == 1


def test_votes_keep_their_name_where_a_contestant_bears_it(wren: Contestant) -> None:
    """Imported votes name revisions; whose server "Wren" is now, the file cannot know."""
    contestants_archive(names=["Wren"])

    archived = Revision.objects.get(name="Wren").contestant
    assert archived != wren
    assert archived.status == Status.ARCHIVED
    assert archived.name.startswith("Wren (")


def test_a_name_that_is_taken_twice_over_finds_another(wren: Contestant) -> None:
    Contestant.objects.create(name="Wren (imported)", slug="wren-imported")

    assert contestants_archive(names=["Wren", "Wren (imported)"]) == 2
    assert names() == ["Wren", "Wren (imported)"]


@pytest.mark.parametrize(
    "alike", [("GPT 4", "gpt-4", "gpt 4!"), ("天", "空", "?"), ("a" * 200, "a" * 199 + "-")]
)
def test_names_that_look_alike_get_slugs_of_their_own(alike: tuple[str, ...]) -> None:
    contestants_archive(names=alike[:1])
    contestants_archive(names=alike[1:])

    slugs = set(Contestant.objects.values_list("slug", flat=True))
    assert len(slugs) == len(alike)
    assert all(slugs)
    assert names() == sorted(alike)


# -- Revisions -------------------------------------------------------------------------------


def test_revisions_are_numbered_within_their_contestant(wren: Contestant) -> None:
    kite = Contestant.objects.create(name="Kite", slug="kite")
    made = [
        revision_add(contestant=contestant, name=name, kind=Kind.RECORDED)
        for contestant, name in ((wren, "w1"), (kite, "k1"), (wren, "w2"), (wren, "w3"))
    ]

    assert [revision.number for revision in made] == [1, 1, 2, 3]
    assert [revision.name for revision in wren.revisions.all()] == ["w1", "w2", "w3"]


def test_two_revisions_never_share_a_name(wren: Contestant) -> None:
    revision_add(contestant=wren, name="w1", kind=Kind.RECORDED)

    with pytest.raises(IntegrityError), transaction.atomic():
        revision_add(contestant=wren, name="w1", kind=Kind.RECORDED)
    assert names() == ["w1"]


def test_a_revision_is_never_changed_nor_deleted(wren: Contestant) -> None:
    revision = revision_add(contestant=wren, name="w1", kind=Kind.OPENAI, endpoint=NOBODY)
    revision.endpoint = "http://another.example/v1"

    with pytest.raises(TypeError, match="never changed"):
        revision.save()
    with pytest.raises(TypeError, match="never deleted"):
        revision.delete()
    with pytest.raises(models.ProtectedError):
        wren.delete()
    assert Revision.objects.get().endpoint == NOBODY


def identity(name: str, **served: object) -> str:
    contestant = Contestant.objects.create(name=name, slug=name)
    fields = {
        "kind": Kind.OPENAI,
        "endpoint": NOBODY,
        "remote_model": "linnet-3",
        "decoding": {"temperature": 0.7, "top_p": 0.9},
        **served,
    }
    return revision_add(contestant=contestant, name=name, **fields).identity  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "served",
    [
        {"kind": Kind.RECORDED},
        {"endpoint": "http://another.example/v1"},
        {"remote_model": "linnet-4"},
        {"system_prompt": "Answer in one sentence."},
        {"decoding": {"temperature": 0.8, "top_p": 0.9}},
        {"decoding": {}},
    ],
)
def test_another_identity_where_a_voter_would_get_something_else(served: dict[str, object]) -> None:
    assert identity("before") != identity("after", **served)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"decoding": {"top_p": 0.9, "temperature": 0.7}},
        {"stage": "preview"},
        {"family": "songbirds"},
        {"key_env": "ANOTHER_KEY"},
    ],
)
def test_the_same_identity_where_a_voter_gets_the_same(said: dict[str, object]) -> None:
    assert identity("before") == identity("after", **said)


# -- Servers ---------------------------------------------------------------------------------


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A server's address while it serves, in a thread: the command runs a loop of its own."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving()) as address,
    ):
        yield address


def add_endpoint(*arguments: str) -> str:
    out = StringIO()
    call_command("add_endpoint", *arguments, stdout=out)
    return out.getvalue()


def test_the_models_of_a_server_become_contestants(endpoint: str) -> None:
    said = add_endpoint(endpoint)

    assert "linnet-3 is now drawn for battles." in said
    assert names() == ["linnet-3", "ostrel-prime"]
    linnet = Revision.objects.get(name="linnet-3")
    assert (linnet.kind, linnet.endpoint, linnet.remote_model) == (
        Kind.OPENAI,
        endpoint,
        "linnet-3",
    )
    assert set(Contestant.objects.values_list("status", flat=True)) == {Status.ACTIVE}


def test_a_server_is_added_once(endpoint: str) -> None:
    add_endpoint(endpoint)
    said = add_endpoint(endpoint)

    assert "nothing was added" in said
    assert names() == ["linnet-3", "ostrel-prime"]


def test_a_slash_at_the_end_makes_no_other_server(endpoint: str) -> None:
    add_endpoint(endpoint)
    said = add_endpoint(f"{endpoint}/")

    assert "nothing was added" in said
    assert names() == ["linnet-3", "ostrel-prime"]


def test_only_what_is_new_on_a_server_is_added() -> None:
    endpoint_add(url=NOBODY, key_env="", models=["linnet-3"])

    added = endpoint_add(url=NOBODY, key_env="", models=["ostrel-prime", "linnet-3", "linnet-3"])
    assert added == ["ostrel-prime"]
    assert names() == ["linnet-3", "ostrel-prime"]


def test_a_model_that_was_retired_stays_retired() -> None:
    endpoint_add(url=NOBODY, key_env="", models=["linnet-3"])
    Contestant.objects.update(status=Status.RETIRED)

    assert endpoint_add(url=NOBODY, key_env="", models=["linnet-3"]) == []
    assert Contestant.objects.get().status == Status.RETIRED


def test_the_same_model_elsewhere_is_another_contestant() -> None:
    endpoint_add(url=NOBODY, key_env="", models=["linnet-3"])
    (added,) = endpoint_add(url="http://another.example/v1", key_env="", models=["linnet-3"])

    assert added != "linnet-3"
    assert "linnet-3" in added
    other = Revision.objects.get(name=added)
    assert other.contestant.name == added
    assert other.remote_model == "linnet-3"


def test_a_model_that_imported_votes_know_keeps_apart_from_them() -> None:
    contestants_archive(names=["linnet-3"])
    (added,) = endpoint_add(url=NOBODY, key_env="", models=["linnet-3"])

    assert names() == sorted(["linnet-3", added])
    assert Contestant.objects.get(name="linnet-3").status == Status.ARCHIVED


def test_the_key_is_named_and_never_stored(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINNET_KEY", "CANARY-key")
    said = add_endpoint(endpoint, "--key-env", "LINNET_KEY")

    assert set(Revision.objects.values_list("key_env", flat=True)) == {"LINNET_KEY"}
    assert "CANARY" not in said + str(list(Revision.objects.values()))


def test_a_key_variable_that_is_not_set_is_named(endpoint: str) -> None:
    assert "NO_SUCH_KEY" not in os.environ

    with pytest.raises(CommandError, match="no variable NO_SUCH_KEY"):
        add_endpoint(endpoint, "--key-env", "NO_SUCH_KEY")
    assert not Contestant.objects.exists()


@pytest.mark.parametrize("address", [NOBODY, "localhost:8000/v1", "linnet", "ftp://e.example/v1"])
def test_an_address_where_nobody_answers_is_said(address: str) -> None:
    with pytest.raises(CommandError) as raised:
        add_endpoint(address)

    assert str(raised.value).startswith(f"{address} did not list its models: no connection")
    assert not Contestant.objects.exists()


def test_a_server_that_lists_no_models_is_said(endpoint: str) -> None:
    address = f"{endpoint}/elsewhere"
    with pytest.raises(CommandError) as raised:
        add_endpoint(address)

    assert f"{address} did not list its models: status 404" in str(raised.value)
    assert not Contestant.objects.exists()
