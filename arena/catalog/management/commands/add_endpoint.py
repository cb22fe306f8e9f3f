"""manage.py add_endpoint URL: the models of a server become contestants."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.catalog.endpoints import Server, models_found
from arena.catalog.models import SERVED, Kind, Stage, Status
from arena.catalog.selectors import drawable_count
from arena.catalog.services import Added, endpoint_add, endpoint_address, key_variable
from arena.core.exceptions import ArenaError, BadInput

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Add the models of a server as contestants: all that it lists, or those that --model "
        "names. What was added before is left as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", help="up to and with /v1, e.g. http://localhost:8000/v1")
        parser.add_argument(
            "--kind",
            choices=[kind.value for kind in SERVED],
            default=Kind.OPENAI.value,
            help="the protocol that the server speaks (default %(default)s)",
        )
        parser.add_argument(
            "--key-env",
            default="",
            metavar="NAME",
            help="environment variable that holds the key, …_KEY or …_TOKEN; the key is not stored",
        )
        parser.add_argument(
            "--model",
            action="append",
            default=[],
            metavar="NAME",
            help="add this model alone, or these; needed where the server keeps no list",
        )
        parser.add_argument(
            "--organisation", default="", metavar="NAME", help="who makes these models"
        )
        parser.add_argument(
            "--stage",
            choices=[stage.value for stage in Stage if stage.value],
            default="",
            help="how far along they are",
        )
        parser.add_argument(
            "--images", action="store_true", help="they may be asked about pictures, all of them"
        )
        parser.add_argument(
            "--draft", action="store_true", help="do not draw them until they are activated"
        )

    def handle(
        self,
        *,
        url: str,
        kind: str,
        key_env: str,
        model: list[str],
        organisation: str,
        stage: str,
        images: bool,
        draft: bool,
        **options: Any,
    ) -> None:
        try:
            server = Server(Kind(kind), endpoint_address(url), key_variable(key_env))
            added = endpoint_add(
                url=server.url,
                kind=server.kind,
                key_env=server.key_env,
                models=chosen(server, model, models_found(server)),
                organisation=organisation,
                stage=stage,
                accepts_images=images,
                status=Status.DRAFT if draft else Status.ACTIVE,
            )
        except ArenaError as error:
            raise CommandError(error.message) from error
        for line in report(added, draft):
            self.stdout.write(line)


def chosen(server: Server, named: Sequence[str], listed: Sequence[str] | None) -> Sequence[str]:
    """The models to add. Raises BadInput."""
    if not listed and not named:
        raise BadInput(
            f"{server.url} lists no models. Load one there, or name those that it serves, each "
            "by --model."
        )
    missing = [name for name in named if listed and name not in listed]
    if missing:
        raise BadInput(
            f"{server.url} does not serve {', '.join(missing)}. It lists: {some(listed or ())}."
        )
    return named or listed or ()


def report(added: Added, draft: bool) -> Iterator[str]:
    for name in added.new:
        yield f"{name} is a draft." if draft else f"{name} is now drawn for battles."
    if added.known:
        yield f"Known before, and left as they are: {some(added.known)}."
    if not added.new:
        yield "Nothing was added."
    if draft and added.new:
        yield "Activate drafts at /admin/catalog/contestant/ to have them drawn."
    if (count := drawable_count()) < 2:
        yield (
            f"A battle needs two contestants, and {count or 'none'} can be drawn now. Add another "
            "model of this server, or another server, by add_endpoint; or activate one that is "
            "there at /admin/catalog/contestant/."
        )


def some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
