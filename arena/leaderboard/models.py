"""Publications: what the board said, when, and from which votes."""

import json
from datetime import datetime
from functools import cached_property
from typing import Any

import zstandard
from django.db import models

from arena.catalog.models import Revision
from arena.core.models import Immutable
from arena.core.shelf import Shelf

# Reading a text of a million characters takes longer than all else that a page does. What is read
# takes some five times the room of its text.
TEXTS = Shelf(most=8_000_000)


class BoardName(models.TextChoices):
    CONTROLLED = "controlled", "Style controlled"
    RAW = "raw", "Raw"


class Fitted(models.Model):
    """One fit, whole. `document` is what `digest` is the SHA-256 of."""

    is_draft = False

    digest = models.CharField(max_length=64, unique=True)
    # Text and not JSON: a database that normalises numbers would change the bytes.
    document = models.TextField()
    engine = models.CharField(max_length=40)
    category = models.SlugField(max_length=80, default="overall")
    counted = models.PositiveBigIntegerField()
    # What it was fitted on; a refit compares these to know whether anything is new.
    votes_state = models.CharField(max_length=64, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.short

    @property
    def short(self) -> str:
        """How pages name it."""
        return self.digest[:12]

    @property
    def made_at(self) -> datetime:
        """When it was published; a draft, when it was fitted."""
        return self.created_at

    @cached_property
    def content(self) -> dict[str, Any]:
        """The document, read. It is the same for all who ask: not to be changed."""
        content: dict[str, Any] = TEXTS.get(self.digest, lambda: self.document, json.loads)
        return content


class Snapshot(Immutable, Fitted):
    """A publication. Neither its document nor its place in the row ever changes."""

    # 1 for the first.
    number = models.PositiveBigIntegerField(unique=True)
    # The snapshot before, so that the row of publications can neither fork nor lose one.
    previous = models.CharField(max_length=64, unique=True)
    # The link of the last segment it rests on.
    head = models.CharField(max_length=64)
    published_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ("-number",)

    @property
    def made_at(self) -> datetime:
        return self.published_at


class Part(Immutable):
    """One more thing that a publication says, whose digest its document names.

    See `ranking.analysis` for their names and what each holds.
    """

    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="parts")
    # A word and a contestant's name.
    name = models.CharField(max_length=260)
    digest = models.CharField(max_length=64, db_index=True)
    # The canonical text, packed: a publication has dozens, each of thousands of numbers.
    packed = models.BinaryField()

    class Meta:
        ordering = ("snapshot", "name")
        constraints = [
            models.UniqueConstraint(fields=("snapshot", "name"), name="one_part_of_each_name")
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.snapshot}"

    @property
    def text(self) -> str:
        return zstandard.decompress(bytes(self.packed)).decode()


class Draft(Fitted):
    """What a publication would say now. Staff see it; only the newest is kept."""

    is_draft = True

    @property
    def short(self) -> str:
        return "draft"


class HeadPost(models.Model):
    """How far the statement on a publication has gone to where the arena cannot rewrite it."""

    snapshot = models.OneToOneField(Snapshot, on_delete=models.PROTECT, related_name="head_post")
    # When it was appended to HEAD_FILE, and taken by HEAD_WEBHOOK.
    filed_at = models.DateTimeField(null=True, blank=True)
    posted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("snapshot__number",)

    def __str__(self) -> str:
        return f"head of {self.snapshot}"


class Standing(models.Model):
    """One revision's place on one board of a snapshot: the document's numbers, queryable."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="standings")
    board = models.CharField(max_length=12, choices=BoardName.choices)
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="standings")
    # Null where the votes place it nowhere; `reason` then says why.
    rank = models.PositiveIntegerField(null=True)
    rank_lower = models.PositiveIntegerField(null=True)
    rank_upper = models.PositiveIntegerField(null=True)
    rating = models.FloatField(null=True)
    se = models.FloatField(null=True)
    rating_lower = models.FloatField(null=True)
    rating_upper = models.FloatField(null=True)
    votes = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ("snapshot", "board", "rank")
        constraints = [
            models.UniqueConstraint(
                fields=("snapshot", "board", "revision"), name="one_standing_per_board_and_revision"
            ),
            models.CheckConstraint(
                condition=models.Q(rank__isnull=False) ^ ~models.Q(reason=""),
                name="placed_or_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.revision} on {self.board}"
