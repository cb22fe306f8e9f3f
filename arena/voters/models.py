"""Who votes: a random number in a signed cookie, and nothing else about the person.

Sealed votes carry a second number, the pseudonym. This row is the only link between the two, so
that giving it new numbers severs the person from their votes for good.
"""

import secrets

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


def new_key() -> str:
    """128 random bits as 32 hexadecimal digits."""
    return secrets.token_hex(16)


def new_name() -> str:
    """64 random bits as 16 hexadecimal digits."""
    return secrets.token_hex(8)


def new_secret() -> str:
    """256 random bits as 64 hexadecimal digits."""
    return secrets.token_hex(32)


class NetworkKey(models.Model):
    """The secret under which networks are hashed for some days.

    There are few enough networks to try them all. Once the secret is deleted nobody can, and
    the hashes made with it lead to no network any more.
    """

    id = models.CharField(primary_key=True, max_length=16, default=new_name)
    secret = models.CharField(max_length=64, default=new_secret, editable=False)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"network key {self.pk}"


class Voter(models.Model):
    key = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    pseudonym = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # A keyed hash of the network, for abuse only; the address itself is never stored.
    network_hash = models.CharField(max_length=64, blank=True, db_index=True)
    # Names the NetworkKey. It is no foreign key: a process may still hash with a key that was
    # deleted a moment ago, and recording who is here must not fail for that.
    network_key = models.CharField(max_length=16, blank=True)
    network_at = models.DateTimeField(null=True, blank=True, help_text="When it was last seen.")
    # Names the terms, as they stood, to which they said yes; see voters/consent.py.
    consent = models.CharField(max_length=16, blank=True)
    consented_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"voter {self.pk}"


class Ban(models.Model):
    """An operator's word that a voter, or a network, takes no part for some time.

    It stands until it is lifted or expires. Rows are never deleted: who was kept out, by whom
    and why must stay answerable.
    """

    voter = models.ForeignKey(
        Voter, null=True, blank=True, on_delete=models.PROTECT, related_name="bans"
    )
    # Protected, so that a standing ban keeps the key without which nobody would match it.
    network_key = models.ForeignKey(
        NetworkKey, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    network_hash = models.CharField(max_length=64, blank=True)
    reason = models.TextField(help_text="The person it keeps out reads it.")
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="In UTC. Empty: until it is lifted."
    )
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"ban {self.pk}"


class SpentChallenge(models.Model):
    """A proof of work that has been used: whoever inserts its digest first has used it."""

    digest = models.CharField(primary_key=True, max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"challenge {self.digest[:8]}"
