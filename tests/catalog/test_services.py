"""Who competes: names and slugs that never collide, revisions that never change, servers added."""

import pytest
from django.db import IntegrityError, models, transaction

from arena.catalog.models import SERVED, Circuit, Contestant, Kind, Revision, Status
from arena.catalog.selectors import current_revisions, served_revisions
from arena.catalog.services import (
    Added,
    contestants_archive,
    endpoint_add,
    revision_add,
    revision_create,
    status_change,
)
from arena.core.exceptions import BadInput, Conflict
from arena.core.models import AuditEntry

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


def add(*models: str) -> Added:
    return endpoint_add(url=NOBODY, models=models)


def test_only_what_is_new_on_a_server_is_added() -> None:
    add("linnet-3")

    added = add("ostrel-prime", "linnet-3", "linnet-3")
    assert (added.new, added.known) == (["ostrel-prime"], ["linnet-3"])
    assert names() == ["linnet-3", "ostrel-prime"]


def test_a_model_that_was_retired_stays_retired() -> None:
    add("linnet-3")
    Contestant.objects.update(status=Status.RETIRED)

    assert add("linnet-3").new == []
    assert Contestant.objects.get().status == Status.RETIRED


def test_the_same_model_elsewhere_is_another_contestant() -> None:
    add("linnet-3")
    (added,) = endpoint_add(url="http://another.example/v1", models=["linnet-3"]).new

    assert added != "linnet-3"
    assert "linnet-3" in added
    other = Revision.objects.get(name=added)
    assert other.contestant.name == added
    assert other.remote_model == "linnet-3"


def test_a_model_that_imported_votes_know_keeps_apart_from_them() -> None:
    contestants_archive(names=["linnet-3"])
    (added,) = add("linnet-3").new

    assert names() == sorted(["linnet-3", added])
    assert Contestant.objects.get(name="linnet-3").status == Status.ARCHIVED


def test_a_protocol_is_part_of_what_is_served() -> None:
    add("linnet-3")
    (added,) = endpoint_add(url=NOBODY, kind=Kind.ANTHROPIC, models=["linnet-3"]).new

    assert Revision.objects.get(name=added).kind == Kind.ANTHROPIC


def test_what_the_catalog_does_not_take_adds_nothing() -> None:
    with pytest.raises(BadInput, match="endpoint: Write the address"):
        endpoint_add(url="ftp://e.example", models=["linnet-3"], organisation="Aviary")
    assert not Contestant.objects.exists()


# -- What kinds need -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SERVED)
@pytest.mark.parametrize("missing", ["endpoint", "remote_model"])
def test_who_is_served_by_an_endpoint_says_which(
    wren: Contestant, kind: Kind, missing: str
) -> None:
    served = {"endpoint": NOBODY, "remote_model": "linnet-3"} | {missing: ""}

    with pytest.raises(BadInput, match=f"of kind {kind} needs endpoint and remote_model"):
        revision_create(contestant=wren, name="w1", kind=kind, **served)
    assert not wren.revisions.exists()


@pytest.mark.parametrize("kind", [Kind.RECORDED, Kind.IMPORTED])
@pytest.mark.parametrize("given", ["endpoint", "key_env"])
def test_who_is_served_by_none_names_none(wren: Contestant, kind: Kind, given: str) -> None:
    with pytest.raises(BadInput, match="has no endpoint"):
        revision_create(contestant=wren, name="w1", kind=kind, **{given: NOBODY})


@pytest.mark.parametrize("variable", ["SECRET_KEY", "AWS_SECRET_KEY", "sk-123", "HOME", "key"])
def test_what_is_no_name_of_a_key_is_refused(wren: Contestant, variable: str) -> None:
    served = {"endpoint": NOBODY, "remote_model": "linnet-3", "key_env": variable}

    with pytest.raises(BadInput, match="key_env: Give the name of an environment variable"):
        revision_create(contestant=wren, name="w1", kind=Kind.OPENAI, **served)


def test_served_revisions_have_their_health_from_the_start(wren: Contestant) -> None:
    for number, kind in enumerate(Kind):
        revision_add(contestant=wren, name=f"w{number}", kind=kind)

    assert set(Circuit.objects.values_list("revision__kind", flat=True)) == set(SERVED)


# -- Drawn or not ----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [Status.PAUSED, Status.RETIRED, Status.ACTIVE])
def test_a_status_is_changed_and_told(wren: Contestant, status: Status) -> None:
    revision_add(contestant=wren, name="w1", kind=Kind.RECORDED)
    status_change(contestant=wren, status=status, actor=None)

    assert Contestant.objects.get().status == status
    told = AuditEntry.objects.filter(action="contestant.change").first()
    if status == Status.ACTIVE:
        assert told is None
    else:
        assert told is not None
        assert told.detail["changes"] == {"status": ["active", status]}


def test_who_has_nothing_that_answers_is_not_activated(wren: Contestant) -> None:
    contestants_archive(names=["Kite"])
    kite = Contestant.objects.get(name="Kite")
    for contestant in (wren, kite):
        with pytest.raises(Conflict, match=f"Nothing answers for {contestant} yet"):
            status_change(contestant=contestant, status=Status.ACTIVE, actor=None)
    assert Contestant.objects.get(name="Kite").status == Status.ARCHIVED


def test_who_is_not_drawn_is_neither_paused_nor_retired_from_it() -> None:
    contestants_archive(names=["Kite"])
    kite = Contestant.objects.get(name="Kite")
    for status in (Status.PAUSED, Status.RETIRED):
        with pytest.raises(Conflict, match="Kite is"):
            status_change(contestant=kite, status=status, actor=None)


# -- The current revision --------------------------------------------------------------------


def test_the_latest_revision_is_current(wren: Contestant) -> None:
    revision_add(contestant=wren, name="w1", kind=Kind.OPENAI)
    assert [revision.name for revision in served_revisions()] == ["w1"]
    revision_add(contestant=wren, name="w2", kind=Kind.ANTHROPIC)
    assert [revision.name for revision in served_revisions()] == ["w2"]
    revision_add(contestant=wren, name="w3", kind=Kind.RECORDED)
    assert [revision.name for revision in current_revisions()] == ["w3"]
    assert not served_revisions().exists()
