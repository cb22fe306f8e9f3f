"""Pictures that go with prompts: taken in, kept, shown to whom they may be shown, and forgotten.

A file is named by its picture's id alone, in the storage "images". It is there before the row and
gone after it, but where a person is erased: a file that no row names is swept after a day.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage, storages
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from arena.battles.exceptions import (
    ImageGone,
    ImageTooLarge,
    NoImageSent,
    NoSuchImage,
    TooManyImages,
)
from arena.battles.models import Battle, Image
from arena.core.pictures import picture_anew
from arena.core.storage import sweep_making
from arena.providers import protocol
from arena.voters.models import Voter

IMAGES = "images"
UNSENT_FOR = timedelta(days=1)
ENDINGS = {"image/png": ".png", "image/jpeg": ".jpg"}
READS_CONVERSATIONS = "battles.view_turn"


def files() -> Storage:
    return storages[IMAGES]


def name_of(image_id: uuid.UUID) -> str:
    return str(image_id)


# -- Taken in --------------------------------------------------------------------------------


def image_store(*, voter: Voter, file: "File[bytes] | None") -> Image:
    """Keep a picture, made anew, for the voter's next prompt.

    Of those that they never sent the oldest give way, so that nobody fills the disk. Raises
    NoImageSent, ImageTooLarge, BadPicture with what is wrong with it, or TooMany.
    """
    if file is None:
        raise NoImageSent
    if file.size > settings.IMAGE_MAX_BYTES:
        raise ImageTooLarge
    picture = picture_anew(file.read())
    image = Image(
        voter=voter,
        media_type=picture.media_type,
        width=picture.width,
        height=picture.height,
        size=len(picture.data),
    )
    files().save(name_of(image.pk), ContentFile(picture.data))
    image.save(force_insert=True)
    unsent = voter.images.filter(turns=None).order_by("-created_at")
    unsent_drop(images=unsent[settings.IMAGES_UNSENT :])
    return image


def unsent_drop(*, images: QuerySet[Image]) -> int:
    """Forget these pictures, which no turn shows; returns how many."""
    ids = list(images.values_list("pk", flat=True))
    try:
        with transaction.atomic():
            Image.objects.filter(pk__in=ids).delete()
    except IntegrityError:
        # One of them was sent at this very moment. The others go the next time.
        return 0
    files_delete(ids)
    return len(ids)


def files_delete(ids: Iterable[uuid.UUID]) -> None:
    storage = files()
    for name in map(name_of, ids):
        if storage.exists(name):
            storage.delete(name)


# -- Sent ------------------------------------------------------------------------------------


def images_claim(*, voter: Voter, ids: Sequence[uuid.UUID]) -> list[Image]:
    """The voter's own pictures of these ids, in their order, to go with a prompt.

    Raises TooManyImages, or ImageGone where one is not theirs or went with another prompt.
    """
    if len(ids) > settings.IMAGES_PER_PROMPT:
        raise TooManyImages
    found = voter.images.filter(turns=None).in_bulk(ids) if ids else {}
    if len(found) != len(ids):
        raise ImageGone
    return [found[image_id] for image_id in ids]


def images_read(images: Iterable[Image]) -> tuple[protocol.Image, ...]:
    """The pictures as providers are asked about them. Raises ImageGone where one is erased."""
    try:
        return tuple(protocol.Image(image.media_type, image_bytes(image)) for image in images)
    except NoSuchImage as error:
        raise ImageGone from error


def image_bytes(image: Image) -> bytes:
    """Raises NoSuchImage where its file is erased."""
    try:
        with files().open(name_of(image.pk)) as file:
            return bytes(file.read())
    except FileNotFoundError as error:
        raise NoSuchImage from error


# -- Shown -----------------------------------------------------------------------------------


def image_for(*, image_id: uuid.UUID, voter_key: str | None, user: Any) -> Image:
    """The picture, if this visitor may see it: their own, or one of a battle that is shared.

    Staff who may read conversations see all of them. Raises NoSuchImage, whatever the reason.
    """
    image = Image.objects.select_related("voter").filter(pk=image_id).first()
    if image is None:
        raise NoSuchImage
    if image.voter.key == voter_key or may_read_all(user) or is_shared(image):
        return image
    raise NoSuchImage


def may_read_all(user: Any) -> bool:
    return bool(user.is_staff and user.has_perm(READS_CONVERSATIONS))


def is_shared(image: Image) -> bool:
    return Battle.objects.filter(
        turns__images=image, share__isnull=False, vote__isnull=False
    ).exists()


def file_name(image: Image) -> str:
    """What a browser calls it that saves it: it tells nothing of whoever attached it."""
    return f"{image.pk}{ENDINGS[image.media_type]}"


# -- Forgotten -------------------------------------------------------------------------------


def images_erase(*, images: QuerySet[Image]) -> int:
    """Delete these pictures; returns how many.

    The files first, so that whoever is erased is so before it is said. Run again after a crash,
    it ends what was begun.
    """
    ids = list(images.values_list("pk", flat=True).distinct())
    files_delete(ids)
    with transaction.atomic():
        Image.objects.filter(pk__in=ids).delete()
    return len(ids)


def images_of(battles: QuerySet[Battle]) -> QuerySet[Image]:
    return Image.objects.filter(turns__battle__in=battles)


def images_sweep(*, now: datetime) -> int:
    """Forget pictures that were attached a day ago and never sent; returns how many.

    With them go files that no row names: of processes that died between the two.
    """
    before = now - UNSENT_FOR
    dropped = unsent_drop(images=Image.objects.filter(turns=None, created_at__lt=before))
    sweep_making(settings.IMAGES_DIR, before.timestamp())
    storage = files()
    named = {name_of(pk) for pk in Image.objects.values_list("pk", flat=True).iterator()}
    for name in storage.listdir("")[1]:
        if name not in named and storage.get_modified_time(name) < before:
            storage.delete(name)
    return dropped
