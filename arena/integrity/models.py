"""Votes at rest, and why some do not count."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from arena.core.models import Immutable

GENESIS = "0" * 64


class Origin(models.TextChoices):
    IMPORT = "import", _("Imported file")
    NATIVE = "native", _("Votes cast here")
    SIMULATED = "simulated", _("Simulated")


class Segment(Immutable):
    """One immutable Parquet file of votes, named by its SHA-256, in an unforkable chain.

    The chain stands here and not in the files: link = SHA256(predecessor's link ‖ sha256).
    """

    sha256 = models.CharField(max_length=64, unique=True)
    predecessor = models.CharField(max_length=64, unique=True, help_text="The link before.")
    link = models.CharField(max_length=64, unique=True)
    rows = models.PositiveBigIntegerField()
    origin = models.CharField(max_length=10, choices=Origin.choices)
    source_name = models.CharField(max_length=255, blank=True)
    source_sha256 = models.CharField(max_length=64, null=True, blank=True, unique=True)
    source_schema = models.CharField(max_length=20, blank=True)
    rejected = models.PositiveBigIntegerField(default=0)
    # Native votes in (after_vote, last_vote] are in this segment.
    after_vote = models.PositiveBigIntegerField(null=True, blank=True)
    last_vote = models.PositiveBigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.sha256[:12]


class Exclusion(models.Model):
    """Why a vote does not count. Lifting one keeps the row and says who lifted it."""

    vote = models.CharField(max_length=90, help_text="n:<id> for native, <sha256>:<row> imported.")
    rule = models.CharField(max_length=40)
    reason = models.TextField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=("vote", "rule"),
                condition=models.Q(lifted_at__isnull=True),
                name="one_standing_exclusion_per_vote_and_rule",
            )
        ]

    def __str__(self) -> str:
        return f"{self.vote}: {self.rule}"
