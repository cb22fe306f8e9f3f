"""Who competes: organisations, contestants and the immutable revisions that are served."""

import hashlib
import json
import re
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import models

from arena.core.models import Immutable

# What the arena itself keeps in its environment is no key of an endpoint.
KEY_VARIABLE = r"^(?!SECRET_KEY$|AWS_)[A-Z][A-Z0-9_]*_(KEY|TOKEN)$"


def check_endpoint(value: str) -> None:
    try:
        parts = urlsplit(value)
        written = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        written = False
    if not written:
        raise ValidationError("Write the address with http:// or https://, up to and with /v1.")
    if "@" in parts.netloc or "?" in value or "#" in value:
        # Whatever stands there may be a secret, so it is not repeated.
        raise ValidationError(
            "It must not hold a key or password, nor anything after ? or #. Put the key into an "
            "environment variable, and give the variable's name as key_env."
        )


def check_key_variable(value: str) -> None:
    if not re.fullmatch(KEY_VARIABLE, value):
        raise ValidationError(
            "Give the name of an environment variable that ends in _KEY or _TOKEN, and never the "
            "key itself."
        )


class Licence(models.TextChoices):
    OPEN = "open", "Open"
    PROPRIETARY = "proprietary", "Closed"
    UNKNOWN = "", "Not stated"


class Status(models.TextChoices):
    DRAFT = "draft", "Draft: being set up"
    ACTIVE = "active", "Active: drawn for battles"
    PAUSED = "paused", "Paused: not drawn for now"
    RETIRED = "retired", "Retired: no longer served, keeps its row"
    ARCHIVED = "archived", "Archived: known from imported votes only"


class Stage(models.TextChoices):
    EXPERIMENTAL = "experimental", "Experimental"
    PREVIEW = "preview", "Preview"
    RELEASED = "released", "Released"
    UNKNOWN = "", "Not stated"


class Kind(models.TextChoices):
    OPENAI = "openai", "OpenAI-compatible server"
    ANTHROPIC = "anthropic", "Anthropic Messages"
    RECORDED = "recorded", "Recorded answers"
    IMPORTED = "imported", "None: votes were imported"


# Kinds that answer any prompt, by asking an endpoint.
SERVED = (Kind.OPENAI, Kind.ANTHROPIC)


class Organisation(models.Model):
    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120, unique=True)
    url = models.URLField(blank=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Contestant(models.Model):
    slug = models.SlugField(max_length=220, unique=True)
    name = models.CharField(max_length=200, unique=True)
    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="contestants"
    )
    licence = models.CharField(max_length=12, choices=Licence.choices, blank=True)
    parameters = models.CharField(max_length=40, blank=True, help_text="As published, e.g. 70B.")
    context_tokens = models.PositiveIntegerField(null=True, blank=True)
    price_in = models.DecimalField(
        "price in, $ per million tokens", max_digits=9, decimal_places=3, null=True, blank=True
    )
    price_out = models.DecimalField(
        "price out, $ per million tokens", max_digits=9, decimal_places=3, null=True, blank=True
    )
    released_on = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    aliases = models.JSONField(
        default=list, blank=True, help_text="Other names by which an answer would give it away."
    )
    accepts_images = models.BooleanField(
        default=False, help_text="Whether it may be asked about pictures."
    )
    simulated = models.BooleanField(
        default=False, help_text="Invented for a demonstration; every page says so."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        # An emptied form field of JSON comes as None, which the column refuses.
        self.aliases = [] if self.aliases is None else self.aliases
        if not isinstance(self.aliases, list) or not all(isinstance(a, str) for a in self.aliases):
            raise ValidationError({"aliases": 'Write a list of names, e.g. ["Wren"].'})


class Revision(Immutable):
    """What is served, exactly. Editing any of it makes a new revision of the contestant."""

    contestant = models.ForeignKey(Contestant, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    name = models.CharField(
        max_length=200, unique=True, help_text="Its name on boards and in vote files."
    )
    stage = models.CharField(max_length=12, choices=Stage.choices, blank=True)
    family = models.SlugField(max_length=220)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    # No URLField: it refuses hosts without a dot, which is how containers name each other.
    endpoint = models.CharField(blank=True, max_length=500, validators=[check_endpoint])
    key_env = models.CharField(
        "key variable",
        max_length=80,
        blank=True,
        validators=[check_key_variable],
        help_text="Environment variable that holds the endpoint's key. The key is never stored.",
    )
    remote_model = models.CharField(max_length=200, blank=True)
    system_prompt = models.TextField(blank=True)
    decoding = models.JSONField(default=dict, blank=True)
    identity = models.CharField(max_length=64, editable=False, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("contestant", "number")
        constraints = [
            models.UniqueConstraint(
                fields=("contestant", "number"), name="revision_number_once_per_contestant"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.decoding = {} if self.decoding is None else self.decoding
        if not isinstance(self.decoding, dict):
            raise ValidationError({"decoding": 'Write an object, e.g. {"temperature": 0.7}.'})

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            self.identity = self.served_identity()
        super().save(*args, **kwargs)

    def served_identity(self) -> str:
        """SHA-256 of everything that decides what a voter gets from this revision."""
        served = {
            "kind": self.kind,
            "endpoint": self.endpoint,
            "remote_model": self.remote_model,
            "system_prompt": self.system_prompt,
            "decoding": self.decoding,
        }
        return hashlib.sha256(json.dumps(served, sort_keys=True).encode()).hexdigest()


class Circuit(models.Model):
    """Whether a revision that is served may be drawn: too many failures in a row pause it.

    `trips` counts pauses since it last answered; each is twice as long as the one before.
    """

    revision = models.OneToOneField(Revision, on_delete=models.CASCADE, related_name="circuit")
    failures = models.PositiveIntegerField(default=0, help_text="In a row, up to now.")
    trips = models.PositiveIntegerField(default=0)
    paused_until = models.DateTimeField(null=True, blank=True, db_index=True)
    last_error = models.CharField(max_length=40, blank=True)
    last_detail = models.TextField(blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    # What `check_endpoints` saw last; null before its first look.
    reachable = models.BooleanField(null=True)
    check_seconds = models.FloatField(null=True, blank=True)
    check_error = models.TextField(blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "endpoint's health"
        verbose_name_plural = "endpoints' health"

    def __str__(self) -> str:
        return f"health of {self.revision}"
