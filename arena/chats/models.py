"""Direct chats: one contestant, asked by name. No vote, and nothing here enters a board."""

import uuid

from django.db import models
from django.db.models.functions import Now

from arena.catalog.models import Contestant, Revision
from arena.voters.models import Voter


class State(models.TextChoices):
    GENERATING = "generating", "The answer is being written"
    COMPLETE = "complete", "Answered"
    FAILED = "failed", "The contestant failed"
    INTERRUPTED = "interrupted", "Its process ended"
    STOPPED = "stopped", "Stopped by its visitor"


class Chat(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    voter = models.ForeignKey(Voter, on_delete=models.PROTECT, related_name="chats")
    contestant = models.ForeignKey(Contestant, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = [models.Index(fields=("voter", "-created_at"))]

    def __str__(self) -> str:
        return f"chat {self.pk}"


class ChatTurn(models.Model):
    """A prompt and the state of its answer; each attempt at one has at most one ChatAnswer."""

    chat = models.ForeignKey(Chat, on_delete=models.CASCADE, related_name="turns")
    number = models.PositiveSmallIntegerField()
    prompt = models.TextField()
    revision = models.ForeignKey(
        Revision, on_delete=models.PROTECT, related_name="+", help_text="Asked in its last attempt."
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.GENERATING)
    # Every change of state names both, so a process that lost its lease can write nothing.
    owner = models.CharField(max_length=32)
    attempt = models.PositiveIntegerField(default=1)
    # How a socket elsewhere tells the owner, which looks every second.
    is_stopping = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    # By the database's clock: when the latest attempt began.
    taken_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("chat", "number")
        indexes = [models.Index(fields=("state", "owner"))]
        constraints = [
            models.UniqueConstraint(
                fields=("chat", "number"), name="chat_turn_number_once_per_chat"
            )
        ]

    def __str__(self) -> str:
        return f"turn {self.number} of chat {self.chat_id}"


class ChatAnswer(models.Model):
    """What came of one attempt: true timings in seconds."""

    turn = models.ForeignKey(ChatTurn, on_delete=models.CASCADE, related_name="answers")
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
    error_kind = models.CharField(max_length=40, blank=True)
    error_detail = models.TextField(blank=True, help_text="For operators; visitors never see it.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("turn", "attempt"), name="one_chat_answer_per_turn_and_attempt"
            )
        ]

    def __str__(self) -> str:
        return f"answer of {self.turn}, attempt {self.attempt}"
