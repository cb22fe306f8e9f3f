"""Pictures that belong to prompts."""

import uuid
from collections.abc import Iterable, Sequence

from arena.battles.models import Image
from arena.core.exceptions import BadInput
from arena.providers import protocol
from arena.voters.models import Voter


def images_claim(*, voter: Voter, ids: Sequence[uuid.UUID]) -> list[Image]:
    if ids:
        raise BadInput("Pictures cannot be asked about.")
    return []


def images_read(images: Iterable[Image]) -> tuple[protocol.Image, ...]:
    return ()
