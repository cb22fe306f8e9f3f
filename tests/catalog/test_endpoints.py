"""Servers are added with a word on what to do where that fails, and looked at while they serve."""

import os
from collections.abc import Iterator
from io import StringIO

import pytest
from aiohttp import web
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from arena.catalog.circuits import revision_failed
from arena.catalog.endpoints import endpoints_check
from arena.catalog.models import Circuit, Contestant, Kind, Organisation, Revision, Status
from arena.core.models import AuditEntry
from tests import factories
from tests.catalog import servers
from tests.catalog.servers import answering, listing, running

pytestmark = pytest.mark.django_db
NOBODY = "http://127.0.0.1:9/v1"


@pytest.fixture
def endpoint() -> Iterator[str]:
    with running(servers.well_behaved) as address:
        yield address


def add_endpoint(*arguments: str) -> str:
    out = StringIO()
    call_command("add_endpoint", *arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str) -> str:
    """What the command says where it adds nothing."""
    before = Contestant.objects.count()
    with pytest.raises(CommandError) as raised:
        add_endpoint(*arguments)
    assert Contestant.objects.count() == before
    assert Organisation.objects.count() == 0
    return str(raised.value)


def names() -> list[str]:
    return sorted(Revision.objects.values_list("name", flat=True))


# -- Adding ----------------------------------------------------------------------------------


def test_it_works(endpoint: str) -> None:
    said = add_endpoint(endpoint)

    assert "linnet-3 is now drawn for battles." in said
    assert "A battle needs two" not in said
    assert names() == ["linnet-3", "ostrel-prime"]
    linnet = Revision.objects.get(name="linnet-3")
    assert (linnet.kind, linnet.endpoint) == (Kind.OPENAI, endpoint)
    assert (linnet.remote_model, linnet.key_env) == ("linnet-3", "")
    assert set(Contestant.objects.values_list("status", flat=True)) == {Status.ACTIVE}
    assert Circuit.objects.count() == 2
    assert AuditEntry.objects.filter(action="contestant.create").count() == 2


def test_again_adds_nothing(endpoint: str) -> None:
    add_endpoint(endpoint)
    said = add_endpoint(endpoint)

    assert "Known before, and left as they are: linnet-3, ostrel-prime." in said
    assert "Nothing was added" in said
    assert names() == ["linnet-3", "ostrel-prime"]


@pytest.mark.parametrize("change", ["{}/", "{}//", " {}", "{0}"])
def test_one_server_however_its_address_is_written(endpoint: str, change: str) -> None:
    add_endpoint(endpoint)

    assert "Nothing was added" in add_endpoint(change.format(endpoint))
    assert "Nothing was added" in add_endpoint(endpoint.replace("http://", "HTTP://"))
    assert names() == ["linnet-3", "ostrel-prime"]


def test_a_server_of_anthropics_protocol(endpoint: str) -> None:
    add_endpoint(endpoint, "--kind", "anthropic")

    assert set(Revision.objects.values_list("kind", flat=True)) == {Kind.ANTHROPIC}
    assert names() == ["linnet-3", "ostrel-prime"]


def test_what_is_said_of_the_models_is_kept(endpoint: str) -> None:
    said = add_endpoint(
        endpoint,
        *("--model", "linnet-3", "--organisation", "Aviary", "--stage", "preview", "--draft"),
    )

    linnet = Revision.objects.select_related("contestant__organisation").get()
    assert (linnet.name, linnet.stage) == ("linnet-3", "preview")
    assert str(linnet.contestant.organisation) == "Aviary"
    assert linnet.contestant.status == Status.DRAFT
    assert "linnet-3 is a draft." in said
    assert "Activate drafts at /admin/catalog/contestant/" in said


def test_they_may_be_asked_about_pictures_where_it_is_said_so(endpoint: str) -> None:
    add_endpoint(endpoint, "--model", "linnet-3", "--images")
    add_endpoint(endpoint)

    looking = Contestant.objects.filter(accepts_images=True)
    assert list(looking.values_list("name", flat=True)) == ["linnet-3"]

    add_endpoint(endpoint, "--images")
    assert looking.count() == Contestant.objects.count() > 1


def test_with_one_contestant_it_says_how_to_get_a_second(endpoint: str) -> None:
    said = add_endpoint(endpoint, "--model", "linnet-3")
    assert "A battle needs two contestants, and 1 can be drawn now. Add another" in said

    add_endpoint(endpoint)
    assert "A battle needs two" not in add_endpoint(endpoint)
    Contestant.objects.update(status=Status.PAUSED)
    assert "none can be drawn now" in add_endpoint(endpoint)


def test_who_is_paused_by_the_breaker_cannot_be_drawn_now(endpoint: str) -> None:
    add_endpoint(endpoint)
    linnet = Revision.objects.get(name="linnet-3")
    for _ in range(settings.BREAKER_FAILURES):
        revision_failed(revision_id=linnet.pk, kind="TimedOut", detail="")

    assert "1 can be drawn now" in add_endpoint(endpoint)


def test_models_of_a_server_without_a_list_are_named() -> None:
    with running(answering(servers.nothing)) as address:
        assert "lists no models" in refused(address)
        add_endpoint(address, "--model", "linnet-3", "--model", "ostrel-prime")

    assert names() == ["linnet-3", "ostrel-prime"]


def test_a_list_without_models() -> None:
    with running(answering(listing())) as address:
        assert "lists no models. Load one there" in refused(address)


def test_a_model_that_the_server_does_not_list(endpoint: str) -> None:
    said = refused(endpoint, "--model", "linnet-4")

    assert "does not serve linnet-4" in said
    assert "It lists: linnet-3, ostrel-prime." in said


@pytest.mark.parametrize("name", ["", " ", "a\x1b[31m", "a\x00b", "a\nb", "a" * 151, "\ud800"])
def test_names_that_no_contestant_can_bear(name: str) -> None:
    with running(answering(listing("linnet-3", name))) as address:
        said = refused(address)
        assert "no name that a contestant can bear" in said
        assert said.isprintable()
        add_endpoint(address, "--model", "linnet-3")

    assert names() == ["linnet-3"]


def test_long_names_that_are_alike_are_told_apart() -> None:
    with (
        running(answering(listing("l" * 150))) as one,
        running(answering(listing("l" * 150))) as two,
    ):
        add_endpoint(one)
        add_endpoint(two)

    assert len(names()) == 2
    assert set(Revision.objects.values_list("remote_model", flat=True)) == {"l" * 150}


# -- Where it goes wrong ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        *("{host}", "{host}/", "{host}/v1/models", "{host}/v1/chat/completions"),
        *("{host}/api/v1", "{host}/v1/messages", "{host}/v2"),
    ],
)
def test_a_wrong_address_of_the_right_host_is_put_right(typed: str) -> None:
    with running(answering(listing("linnet-3"))) as address:
        host = address.removesuffix("/v1")
        said = refused(typed.format(host=host))

    assert said.endswith(f"can be had: manage.py add_endpoint {address}")


def test_the_address_of_a_router_is_put_right() -> None:
    with running(answering(listing("linnet-3"), path="/api/v1/models")) as address:
        host = address.removesuffix("/v1")
        assert f"add_endpoint {host}/api/v1" in refused(f"{host}/v1")


def test_the_other_protocol_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINNET_KEY", "CANARY-key")
    with running(answering(servers.of_anthropic)) as address:
        said = refused(address, "--key-env", "LINNET_KEY")
        assert f"add_endpoint {address} --kind anthropic --key-env LINNET_KEY" in said
        assert "CANARY" not in said
        add_endpoint(address, "--kind", "anthropic", "--key-env", "LINNET_KEY")

    assert names() == ["linnet-3"]


def test_a_key_is_wanted() -> None:
    with running(answering(servers.wanting("CANARY-key"))) as address:
        said = refused(address)

    assert "status 401" in said
    assert "It wants a key: put that into a variable, and name it by --key-env." in said


def test_a_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINNET_KEY", "CANARY-another")
    with running(answering(servers.wanting("CANARY-key"))) as address:
        said = refused(address, "--key-env", "LINNET_KEY")

    assert "It refused the key in LINNET_KEY" in said
    assert "CANARY" not in said


def test_the_key_is_named_and_never_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINNET_KEY", "CANARY-key")
    with running(answering(servers.wanting("CANARY-key"))) as address:
        said = add_endpoint(address, "--key-env", "LINNET_KEY")

    assert set(Revision.objects.values_list("key_env", flat=True)) == {"LINNET_KEY"}
    assert "CANARY" not in said + str(list(Revision.objects.values()))


def test_a_key_variable_that_is_not_set_is_named(endpoint: str) -> None:
    assert "NO_SUCH_KEY" not in os.environ

    assert "no variable NO_SUCH_KEY" in refused(endpoint, "--key-env", "NO_SUCH_KEY")


def test_a_key_in_the_place_of_its_name_is_not_repeated(endpoint: str) -> None:
    said = refused(endpoint, "--key-env", "sk-CANARY-key")

    assert "Give the name of an environment variable" in said
    assert "CANARY" not in said


@pytest.mark.parametrize("variable", ["SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "HOME"])
def test_what_is_no_endpoints_key_is_sent_to_no_endpoint(
    endpoint: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "CANARY-secret")
    seen: list[str] = []

    async def noting(request: web.Request) -> web.StreamResponse:
        seen.append(str(request.headers))
        return await listing("linnet-3")(request)

    with running(answering(noting)) as address:
        assert "ends in _KEY or _TOKEN" in refused(address, "--key-env", variable)
    assert seen == []


@pytest.mark.parametrize(
    "address",
    [
        *("http://me:CANARY@localhost/v1", "http://CANARY@localhost/v1"),
        *("http://localhost/v1?key=CANARY", "http://localhost/v1#CANARY"),
    ],
)
def test_an_address_that_holds_a_key_is_refused_and_not_repeated(address: str) -> None:
    said = refused(address)

    assert "must not hold a key or password" in said
    assert "CANARY" not in said


@pytest.mark.parametrize(
    "address", ["localhost:8000/v1", "linnet", "ftp://e.example/v1", "http://", "http://[::1", ""]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    assert "Write the address with http://" in refused(address)


def test_an_address_where_nobody_answers() -> None:
    said = refused(NOBODY)

    assert said.startswith(f"{NOBODY} did not list its models: no connection")
    assert "Is the server running" in said


def test_a_server_that_does_not_answer_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PROVIDER_READ_SECONDS", 0.2)
    with running(answering(servers.slow)) as address:
        assert "Is the server running" in refused(address)


def test_what_speaks_another_protocol() -> None:
    with running(answering(servers.web_page)) as address:
        said = refused(address)

    assert "Something answers there, but not by the protocol openai" in said
    assert said.isprintable()


def test_a_server_that_is_broken() -> None:
    with running(answering(servers.broken)) as address:
        assert "out of memory" in refused(address)


# -- Checking --------------------------------------------------------------------------------


def revision(name: str, endpoint: str, model: str = "linnet-3", **fields: object) -> Revision:
    kind = Kind(fields.pop("kind", Kind.OPENAI))
    return factories.revision(name, kind, endpoint=endpoint, remote_model=model, **fields)


def check_endpoints() -> tuple[str, str]:
    """What the command printed, and with which words it failed."""
    out = StringIO()
    try:
        call_command("check_endpoints", stdout=out)
    except CommandError as error:
        assert error.returncode == 1
        return out.getvalue(), str(error)
    return out.getvalue(), ""


def test_endpoints_that_answer(endpoint: str) -> None:
    wren = revision("Wren", endpoint)
    revision("Kite", endpoint, "ostrel-prime", kind=Kind.ANTHROPIC)
    said, failed = check_endpoints()

    assert failed == ""
    assert said.count("answers") == 2
    assert endpoint in said
    circuit = Circuit.objects.get(revision=wren)
    assert (circuit.reachable, circuit.check_error) == (True, "")
    assert circuit.checked_at is not None
    assert circuit.check_seconds is not None
    assert 0 < circuit.check_seconds < 5


def test_an_endpoint_that_does_not(endpoint: str) -> None:
    revision("Wren", endpoint)
    kite = revision("Kite", NOBODY)
    said, failed = check_endpoints()

    assert failed.startswith("1 failed")
    assert "Unreachable: no connection" in said
    circuit = Circuit.objects.get(revision=kite)
    assert circuit.reachable is False
    assert circuit.check_error.startswith("Unreachable: no connection")


def test_a_model_that_is_gone(endpoint: str) -> None:
    kite = revision("Kite", endpoint, "linnet-2")
    said, failed = check_endpoints()

    assert failed
    assert "model gone: linnet-2 is not among the 2 listed" in said
    assert Circuit.objects.get(revision=kite).reachable is False


@pytest.mark.parametrize("asked", ["linnet", "linnet:latest", "linnet:latest:nitro", "finch"])
def test_a_model_by_another_of_its_names(asked: str) -> None:
    with running(answering(listing("linnet:latest", "models/finch", "linnet"))) as address:
        revision("Wren", address, asked)
        assert check_endpoints()[1] == ""


def test_a_server_without_a_list_answers_all_the_same() -> None:
    with running(answering(servers.nothing)) as address:
        revision("Wren", address)
        said, failed = check_endpoints()

    assert "answers, and keeps no list of models" in said
    assert failed == ""


def test_a_key_that_is_not_set() -> None:
    revision("Wren", NOBODY, key_env="NO_SUCH_KEY")

    assert "no variable NO_SUCH_KEY" in check_endpoints()[0]


def test_a_failed_check_pauses_nobody_and_a_good_one_resumes_nobody(endpoint: str) -> None:
    wren, kite = revision("Wren", endpoint), revision("Kite", NOBODY)
    for _ in range(settings.BREAKER_FAILURES):
        revision_failed(revision_id=wren.pk, kind="TimedOut", detail="")
    before = Circuit.objects.get(revision=wren)
    for _ in range(settings.BREAKER_FAILURES):
        check_endpoints()

    after = Circuit.objects.get(revision=wren)
    assert (after.failures, after.paused_until) == (before.failures, before.paused_until)
    assert Circuit.objects.get(revision=kite).paused_until is None


def test_only_what_is_drawn_is_asked(endpoint: str) -> None:
    wren = revision("Wren", NOBODY)
    factories.revision("Old recordings")
    Contestant.objects.filter(pk=revision("Kite", NOBODY).contestant_id).update(
        status=Status.RETIRED
    )
    Revision.objects.create(
        contestant=wren.contestant,
        number=2,
        name="Wren 2",
        family="wren",
        kind=Kind.OPENAI,
        endpoint=endpoint,
        remote_model="linnet-3",
    )
    (checked,) = endpoints_check()

    assert (checked.revision.name, checked.error) == ("Wren 2", "")
    assert Circuit.objects.get(revision__name="Wren 2").reachable


def test_where_nobody_is_served() -> None:
    assert "No active contestant is served" in check_endpoints()[0]


def test_a_server_is_asked_once_for_all_its_models() -> None:
    asked: list[str] = []

    async def noting(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return await listing("linnet-3")(request)

    with running(answering(noting)) as address:
        for number in range(5):
            revision(f"Wren {number}", address)
        check_endpoints()
    assert asked == ["/v1/models"]


def test_all_are_asked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PROVIDER_READ_SECONDS", 0.5)
    with running(answering(servers.slow)) as address:
        for number in range(8):
            revision(f"Wren {number}", address, key_env=f"K{number}_KEY")
            monkeypatch.setenv(f"K{number}_KEY", "secret")
        checked = endpoints_check()

    assert {one.error.partition(":")[0] for one in checked} == {"TimedOut"}
    assert max(one.seconds for one in checked) < 2.5


def test_more_revisions_take_no_more_queries(endpoint: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            endpoints_check()
        return len(asked)

    revision("Wren", endpoint)
    few = queries()
    for number in range(6):
        revision(f"Wren {number}", endpoint)

    assert queries() == few <= 4


def test_watching_goes_on_until_it_is_interrupted(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    revision("Kite", NOBODY)
    looks: list[float] = []

    def interrupted(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("arena.catalog.management.commands.check_endpoints.time.sleep", interrupted)
    out = StringIO()
    call_command("check_endpoints", "--watch", "7", stdout=out)

    assert looks == [7, 7]
    assert out.getvalue().count("Kite") == 2
    assert "Stopped." in out.getvalue()


def test_watching_needs_a_time_between() -> None:
    with pytest.raises(CommandError, match="more than 0"):
        call_command("check_endpoints", "--watch", "0")
