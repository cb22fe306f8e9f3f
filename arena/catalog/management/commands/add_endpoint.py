"""manage.py add_endpoint URL: the models of a server become contestants."""

import asyncio
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.catalog.services import endpoint_add
from arena.core.keys import provider_key
from arena.providers.exceptions import ProviderError
from arena.providers.openai import list_models
from arena.providers.protocol import Limits


class Command(BaseCommand):
    help = "Add every model of an OpenAI-compatible server as an active contestant."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", help="up to and including /v1, e.g. http://localhost:8000/v1")
        parser.add_argument(
            "--key-env", default="", metavar="NAME", help="environment variable that holds the key"
        )

    def handle(self, *, url: str, key_env: str, **options: Any) -> None:
        url = url.rstrip("/")  # one server, however its address is written
        key = provider_key(key_env)
        if key_env and not key:
            raise CommandError(f"The environment has no variable {key_env}. Set it and try again.")
        try:
            models = asyncio.run(list_models(url, api_key=key, limits=limits()))
        except ProviderError as error:
            raise CommandError(f"{url} did not list its models: {error.detail}") from error
        added = endpoint_add(url=url, key_env=key_env, models=models)
        for name in added:
            self.stdout.write(f"{name} is now drawn for battles.")
        if not added:
            self.stdout.write(f"All {len(models)} models of {url} were known; nothing was added.")


def limits() -> Limits:
    return Limits(
        connect=settings.PROVIDER_CONNECT_SECONDS,
        read=settings.PROVIDER_READ_SECONDS,
        total=settings.PROVIDER_TOTAL_SECONDS,
        characters=settings.ANSWER_MAX_CHARACTERS,
    )
