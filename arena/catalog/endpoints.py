"""Asking endpoints which models they have: to add them, and to see whether they still answer."""

import asyncio
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db.models.functions import Now

from arena.catalog.models import SERVED, Circuit, Kind, Revision
from arena.catalog.selectors import served_revisions
from arena.core.exceptions import BadInput
from arena.core.keys import provider_key
from arena.providers.exceptions import (
    Gone,
    ProviderError,
    TimedOut,
    Unauthorised,
    Unreachable,
    Unreadable,
)
from arena.providers.kinds import list_models
from arena.providers.protocol import Limits

AT_ONCE = 16
# Where an address was copied from: beyond these endings it is the endpoint's own.
CALLS = re.compile(r"/(?:chat/completions|completions|models|messages)$")
PREFIXES = ("", "/v1", "/api/v1", "/openai/v1")


@dataclass(frozen=True)
class Server:
    """Where models are served, by which protocol, and which variable holds the key."""

    kind: Kind
    url: str
    key_env: str = ""


async def models_of(server: Server) -> list[str] | None:
    """Names of the server's models, None where it keeps no list. Raises ProviderError."""
    limits = Limits(
        connect=settings.PROVIDER_CONNECT_SECONDS,
        read=settings.PROVIDER_READ_SECONDS,
        total=settings.PROVIDER_CONNECT_SECONDS + settings.PROVIDER_READ_SECONDS,
        characters=settings.ANSWER_MAX_CHARACTERS,
    )
    try:
        return await list_models(
            server.kind, server.url, api_key=provider_key(server.key_env), limits=limits
        )
    except Gone:
        return None


# -- To add them -----------------------------------------------------------------------------


def models_found(server: Server) -> list[str] | None:
    """Names of the server's models, None where it keeps no list.

    Raises BadInput, which says what is wrong and what to do about it.
    """
    refuse_missing_key(server)
    return async_to_sync(found_or_explained)(server)


def refuse_missing_key(server: Server) -> None:
    if server.key_env and not provider_key(server.key_env):
        raise BadInput(f"The environment has no variable {server.key_env}. Set it and try again.")


async def found_or_explained(server: Server) -> list[str] | None:
    try:
        found = await models_of(server)
    except (Unreachable, TimedOut) as error:
        raise BadInput(
            f"{no_list(server, error)} Is the server running, and is this its address as seen "
            "from this machine (or container)?"
        ) from error
    except ProviderError as error:
        raise BadInput(await elsewhere(server) or explained(server, error)) from error
    if found is None and (hint := await elsewhere(server)):
        raise BadInput(hint)
    return found


async def elsewhere(server: Server) -> str:
    """What to type instead, where the same host lists models in another way."""
    others = [other for other in ways_to(server) if other != server]
    replies = await replies_of(others)
    for other in others:
        if replies[other].models:
            kind = "" if other.kind == Kind.OPENAI else f" --kind {other.kind}"
            key = f" --key-env {other.key_env}" if other.key_env else ""
            return (
                f"{server.url} did not list its models by the protocol {server.kind}, but there is "
                f"a list that can be had: manage.py add_endpoint {other.url}{kind}{key}"
            )
    return ""


def ways_to(server: Server) -> list[Server]:
    """Where on the same host the models may be, by every protocol."""
    base = CALLS.sub("", server.url)
    parts = urlsplit(base)
    starts = (base.removesuffix("/v1"), f"{parts.scheme}://{parts.netloc}")
    urls = [base, *(f"{start}{prefix}" for start in starts for prefix in PREFIXES)]
    kinds = (server.kind, *(kind for kind in SERVED if kind != server.kind))
    return [replace(server, kind=kind, url=url) for kind in kinds for url in dict.fromkeys(urls)]


def explained(server: Server, error: ProviderError) -> str:
    said = no_list(server, error)
    if isinstance(error, Unauthorised):
        if server.key_env:
            return f"{said} It refused the key in {server.key_env}: see that it is this server's."
        return f"{said} It wants a key: put that into a variable, and name it by --key-env."
    if isinstance(error, Unreadable):
        return (
            f"{said} Something answers there, but not by the protocol {server.kind}: see whether "
            f"the address is that of the API, up to and with /v1, or name another --kind."
        )
    return f"{said} See the server's own log, and try again."


def no_list(server: Server, error: ProviderError) -> str:
    return f"{server.url} did not list its models: {shown(error).rstrip('.')}."


def shown(error: ProviderError) -> str:
    """What a server said, on one line, and without what would steer an operator's terminal."""
    line = " ".join(error.detail.split())
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in line)


# -- To see whether they still answer --------------------------------------------------------


@dataclass(frozen=True)
class Reply:
    """models: None where the server keeps no list. error: empty where it answered."""

    seconds: float
    models: frozenset[str] | None = None
    error: str = ""


@dataclass(frozen=True)
class Checked:
    """What a look at a revision's endpoint told. `error` is empty where all is well."""

    revision: Revision
    seconds: float
    error: str
    has_list: bool


def endpoints_check(*, revisions: Iterable[Revision] | None = None) -> list[Checked]:
    """Ask the endpoints of these revisions, or of all that are drawn, for their models.

    Each server is asked once, all at once. What they say is kept beside the breaker and does not
    open it: only answers do.
    """
    asked = [revision for revision in found_revisions(revisions) if revision.kind in SERVED]
    replies = async_to_sync(replies_of)({server_of(revision) for revision in asked})
    checked = [looked_at(revision, replies[server_of(revision)]) for revision in asked]
    checks_keep(checked)
    return checked


def found_revisions(revisions: Iterable[Revision] | None) -> Iterable[Revision]:
    return served_revisions().order_by("name") if revisions is None else revisions


def server_of(revision: Revision) -> Server:
    return Server(Kind(revision.kind), revision.endpoint, revision.key_env)


async def replies_of(servers: Iterable[Server]) -> Mapping[Server, Reply]:
    gate, asked = asyncio.Semaphore(AT_ONCE), list(servers)
    replies = await asyncio.gather(*(reply_of(server, gate) for server in asked))
    return dict(zip(asked, replies, strict=True))


async def reply_of(server: Server, gate: asyncio.Semaphore) -> Reply:
    async with gate:
        began = time.perf_counter()
        try:
            refuse_missing_key(server)
            models = await models_of(server)
        except BadInput as error:
            return Reply(time.perf_counter() - began, error=error.message)
        except ProviderError as error:
            return Reply(time.perf_counter() - began, error=f"{error.kind}: {shown(error)}")
    return Reply(time.perf_counter() - began, None if models is None else frozenset(models))


def looked_at(revision: Revision, reply: Reply) -> Checked:
    error = reply.error
    if (
        not error
        and reply.models is not None
        and not is_listed(revision.remote_model, reply.models)
    ):
        error = f"model gone: {revision.remote_model} is not among the {len(reply.models)} listed"
    return Checked(revision, reply.seconds, error, reply.models is not None)


def is_listed(model: str, models: frozenset[str]) -> bool:
    """Servers answer to shorter names than they list (`llama3` is `llama3:latest` for Ollama,
    Google lists `models/…`), and to longer ones (`…:nitro` at OpenRouter)."""
    spellings = (model, f"{model}:latest", f"models/{model}", model.partition(":")[0])
    return not models.isdisjoint(spellings)


def checks_keep(checked: Iterable[Checked]) -> None:
    Circuit.objects.bulk_create(
        (
            Circuit(
                revision=one.revision,
                reachable=not one.error,
                check_seconds=one.seconds,
                check_error=one.error,
                checked_at=Now(),
            )
            for one in checked
        ),
        update_conflicts=True,
        unique_fields=("revision",),
        update_fields=("reachable", "check_seconds", "check_error", "checked_at"),
    )
