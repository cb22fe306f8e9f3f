"""Wrong settings of publications fail at start."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from ranking import RankingError
from ranking.heads import head_line


@register()
def heads_can_be_signed(**kwargs: Any) -> list[CheckMessage]:
    if not settings.HEAD_KEY_FILE:
        return []
    try:
        head_line({}, Path(settings.HEAD_KEY_FILE).read_bytes())
    except (OSError, RankingError) as error:
        return [
            Error(
                f"HEAD_KEY_FILE={settings.HEAD_KEY_FILE} cannot sign: {error}",
                hint="Name a file that holds an Ed25519 private key as PEM.",
                id="leaderboard.E001",
            )
        ]
    return []


@register()
def heads_have_a_place(**kwargs: Any) -> list[CheckMessage]:
    if not settings.HEAD_FILE or Path(settings.HEAD_FILE).parent.is_dir():
        return []
    return [
        Error(
            f"HEAD_FILE={settings.HEAD_FILE} lies in no folder that exists.",
            hint="Make the folder; the file itself is made with the first publication.",
            id="leaderboard.E002",
        )
    ]


@register()
def heads_have_an_address(**kwargs: Any) -> list[CheckMessage]:
    if not settings.HEAD_WEBHOOK or urlsplit(settings.HEAD_WEBHOOK).scheme in {"http", "https"}:
        return []
    return [
        Error(
            f"HEAD_WEBHOOK={settings.HEAD_WEBHOOK} is no address to post to.",
            hint="Give one that begins with https:// or http://.",
            id="leaderboard.E003",
        )
    ]
