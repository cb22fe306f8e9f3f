"""Battles: two answers side by side, and at most one vote."""

import uuid
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from arena.catalog.models import Contestant, Revision
from arena.core.models import Immutable
from arena.voters.models import Voter, new_key


class Worker(models.Model):
    """The lease of one web process: battles it owns are alive while it is renewed."""

    id = models.CharField(primary_key=True, max_length=32)
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return self.id


class Collection(models.Model):
    """Prompts with answers made elsewhere, uploaded to be judged blind.

    Its cells are its prompts' pairs of contestants; each is to get `votes_per_cell` votes of as
    many voters.
    """

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    votes_per_cell = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1)], help_text="By as many different voters."
    )
    is_open = models.BooleanField(default=True, help_text="Whether its answers are judged now.")
    source_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name


class Prompt(models.Model):
    """A prompt whose answers were recorded beforehand."""

    slug = models.SlugField(max_length=80, unique=True)
    # Those of a collection are assigned, and never picked from the list.
    collection = models.ForeignKey(
        Collection, null=True, blank=True, on_delete=models.PROTECT, related_name="prompts"
    )
    text = models.TextField()
    category = models.CharField(max_length=40, blank=True)
    language = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.slug


class RecordedAnswer(models.Model):
    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="answers")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="recorded")
    text = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("prompt", "revision"), name="one_recorded_answer_per_prompt_and_revision"
            )
        ]

    def __str__(self) -> str:
        return f"{self.revision} on {self.prompt}"


class Mode(models.TextChoices):
    ANONYMOUS = "anonymous", "Anonymous"
    NAMED = "named", "Named"
    RECORDED = "recorded", "Recorded"


class Pacing(models.TextChoices):
    EQUAL = "equal", "Equal"
    NATIVE = "native", "Native"


class State(models.TextChoices):
    GENERATING = "generating", "Answers are being written"
    COMPLETE = "complete", "Open for a vote"
    VOTED = "voted", "Voted"
    FAILED = "failed", "A side failed"
    INTERRUPTED = "interrupted", "Its process ended"
    STOPPED = "stopped", "Stopped by its voter"


class Side(models.TextChoices):
    A = "a", "A"
    B = "b", "B"


class Battle(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    voter = models.ForeignKey(Voter, on_delete=models.PROTECT, related_name="battles")
    revision_a = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+")
    revision_b = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+")
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.ANONYMOUS)
    state = models.CharField(max_length=12, choices=State.choices, default=State.GENERATING)
    pacing = models.CharField(max_length=6, choices=Pacing.choices, default=Pacing.EQUAL)
    recorded_prompt = models.ForeignKey(
        Prompt, null=True, blank=True, on_delete=models.PROTECT, related_name="battles"
    )
    categories = models.JSONField(
        default=dict,
        blank=True,
        help_text="Tags and whether the first prompt has them; what is absent is not known.",
    )
    language = models.CharField(max_length=20, blank=True)
    draw_probability = models.FloatField(
        null=True,
        help_text="With which this unordered pair was drawn among the eligible ones; empty where "
        "the visitor chose it.",
    )
    # Every change of state names both, so a process that lost its lease can write nothing.
    owner = models.CharField(max_length=32)
    attempt = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    # By the database's clock: when the latest attempt began.
    taken_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = [
            models.Index(fields=("state", "owner")),
            models.Index(fields=("state", "-created_at")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(draw_probability__gt=0, draw_probability__lte=1),
                name="draw_probability_is_a_probability",
            )
        ]

    def __str__(self) -> str:
        return f"battle {self.pk}"


class Image(models.Model):
    """A picture of a voter's, made anew from what they sent; its file bears its id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    voter = models.ForeignKey(Voter, on_delete=models.PROTECT, related_name="images")
    media_type = models.CharField(max_length=20)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size = models.PositiveIntegerField(help_text="In bytes.")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return f"image {self.pk}"


class Turn(models.Model):
    battle = models.ForeignKey(Battle, on_delete=models.CASCADE, related_name="turns")
    number = models.PositiveSmallIntegerField()
    prompt = models.TextField(blank=True)
    images = models.ManyToManyField(Image, blank=True, related_name="turns")
    # The battle's attempt with which it began: attempts are counted by turn.
    first_attempt = models.PositiveIntegerField(default=1)
    # Before an answer's text in its digest, so that nobody without the text file can tell by
    # trying which text it was. Empty once the turn's texts are erased.
    salt = models.CharField(max_length=32, blank=True, default=new_key, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("battle", "number")
        constraints = [
            models.UniqueConstraint(fields=("battle", "number"), name="turn_number_once_per_battle")
        ]

    def __str__(self) -> str:
        return f"turn {self.number} of {self.battle_id}"


class Answer(models.Model):
    """What one side wrote in one turn: true timings in seconds, style as counted."""

    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="answers")
    side = models.CharField(max_length=1, choices=Side.choices)
    attempt = models.PositiveIntegerField(default=1)
    text = models.TextField(blank=True)
    reasoning = models.TextField(blank=True, help_text="Thought before the answer; never shown.")
    finish_reason = models.CharField(max_length=40, blank=True)
    first_token_seconds = models.FloatField(null=True, blank=True)
    duration_seconds = models.FloatField(null=True, blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True, blank=True)
    completion_tokens = models.PositiveIntegerField(null=True, blank=True)
    reasoning_tokens = models.PositiveIntegerField(null=True, blank=True)
    requests = models.PositiveSmallIntegerField(
        default=1, help_text="How often it was asked for before its first token."
    )
    tokens = models.PositiveIntegerField(null=True, blank=True)
    headers = models.PositiveIntegerField(null=True, blank=True)
    lists = models.PositiveIntegerField(null=True, blank=True)
    bold = models.PositiveIntegerField(null=True, blank=True)
    code = models.PositiveIntegerField(null=True, blank=True)
    emoji = models.PositiveIntegerField(null=True, blank=True)
    identity_claims = models.JSONField(default=list, blank=True)
    error_kind = models.CharField(max_length=40, blank=True)
    error_detail = models.TextField(blank=True, help_text="For operators; voters never see it.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("turn", "side", "attempt"), name="one_answer_per_side_and_attempt"
            )
        ]

    def __str__(self) -> str:
        return f"answer {self.side} of turn {self.turn_id}"


class Outcome(models.TextChoices):
    MODEL_A = "model_a", _("A is better")
    MODEL_B = "model_b", _("B is better")
    TIE = "tie", _("Tie")
    BOTH_BAD = "both_bad", _("Both are bad")


class Vote(Immutable):
    """Never updated, never deleted; an exclusion says why one does not count."""

    battle = models.OneToOneField(Battle, on_delete=models.PROTECT, related_name="vote")
    voter = models.ForeignKey(Voter, on_delete=models.PROTECT, related_name="votes")
    turn = models.ForeignKey(Turn, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    idempotency_key = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=("voter", "idempotency_key"), name="one_vote_per_voter_and_key"
            ),
            models.CheckConstraint(
                condition=models.Q(outcome__in=Outcome.values), name="outcome_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"vote {self.pk}"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("A vote is never deleted; exclude it, with the reason.")


class Reason(models.TextChoices):
    ACCURATE = "accurate", _("More accurate")
    CLEAR = "clear", _("Clearer")
    ON_TASK = "on_task", _("Followed the request")
    LENGTH = "length", _("Better length")
    SAFE = "safe", _("Safer")
    OTHER = "other", _("Other")


class Reasons(models.Model):
    """Why somebody voted so. Said after the names were shown, so it is no part of the vote."""

    vote = models.OneToOneField(Vote, on_delete=models.CASCADE, related_name="reasons")
    given = models.JSONField(default=list, help_text="Those that apply, of Reason.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "reasons"

    def __str__(self) -> str:
        return f"reasons of {self.vote}"


class Share(models.Model):
    """Its voter's word that anybody with the link may see this battle; ended by deleting it."""

    battle = models.OneToOneField(
        Battle, primary_key=True, on_delete=models.CASCADE, related_name="share"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"share of {self.battle_id}"


class CategoryRule(models.Model):
    """An operator's category: battles begun while it is active bear the tag `rule.<slug>`.

    All that it states must hold. Its conditions never change, so that the category means one
    thing in all sealed votes; another meaning is another rule.
    """

    slug = models.CharField(
        max_length=40,
        unique=True,
        validators=[
            RegexValidator(
                r"^[a-z][a-z0-9_]*\Z",
                "Small letters, digits and underlines, beginning with a letter.",
            )
        ],
        help_text="The category's name on pages and in votes, such as tax_law.",
        verbose_name="name",
    )
    words = models.TextField(
        blank=True,
        max_length=2_000,
        help_text="One word or phrase a line, of which the prompt holds one. Case does not matter.",
    )
    pattern = models.CharField(
        max_length=200,
        blank=True,
        help_text="A regular expression of RE2, which the prompt holds. Case does not matter.",
    )
    collection = models.ForeignKey(
        Collection,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The prompt is one of this collection.",
    )
    language = models.CharField(
        max_length=20, blank=True, help_text="The prompt is in this language, by its code: fr."
    )
    least_tokens = models.PositiveIntegerField(
        null=True, blank=True, help_text="The prompt has so many tokens or more."
    )
    most_tokens = models.PositiveIntegerField(
        null=True, blank=True, help_text="The prompt has so many tokens or fewer."
    )
    is_active = models.BooleanField(
        default=True, help_text="Whether prompts are looked at for it from now on."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("slug",)
        verbose_name = "rule of a category"
        verbose_name_plural = "rules of categories"

    def __str__(self) -> str:
        return self.slug


class Judgement(models.Model):
    """What the operator's judge said of a battle's first prompt, or why it said nothing yet."""

    battle = models.OneToOneField(
        Battle, primary_key=True, on_delete=models.CASCADE, related_name="judgement"
    )
    verdict = models.JSONField(null=True, help_text="Each criterion, and whether it is met.")
    model = models.CharField(max_length=200)
    attempts = models.PositiveSmallIntegerField(default=1)
    error = models.CharField(max_length=200, blank=True)
    tried_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"judgement of {self.battle_id}"


class PairWeights(models.Model):
    """What one more vote on each pair would tell, as a refit saw it; the latest one counts.

    gains: [[revision, revision, gain], …] for pairs with votes; every other pair has `unseen`.
    """

    gains = models.JSONField(default=list)
    unseen = models.FloatField()
    votes = models.PositiveBigIntegerField(help_text="Votes that they rest on.")
    pushed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = verbose_name_plural = "sampling weights"

    def __str__(self) -> str:
        return f"sampling weights {self.pk}"


class SamplingRule(models.Model):
    """An operator's hand in the drawing: said openly, with its reason, for some time."""

    reason = models.TextField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    ends_at = models.DateTimeField(null=True, blank=True, help_text="Empty: until it is ended.")

    class Meta:
        abstract = True
        ordering = ("-id",)


class Boost(SamplingRule):
    """Pairs with this contestant are drawn `factor` times as often as their weight says."""

    contestant = models.ForeignKey(Contestant, on_delete=models.PROTECT, related_name="boosts")
    factor = models.FloatField(validators=[MinValueValidator(0.01), MaxValueValidator(100.0)])

    def __str__(self) -> str:
        return f"{self.contestant} × {self.factor:g}"


class PairExclusion(SamplingRule):
    """These two contestants are not drawn against each other."""

    first = models.ForeignKey(Contestant, on_delete=models.PROTECT, related_name="+")
    second = models.ForeignKey(Contestant, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.first} never meets {self.second}"

    def clean(self) -> None:
        if self.first_id == self.second_id:
            raise ValidationError("Name two contestants: nobody is kept apart from themselves.")
