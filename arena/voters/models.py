"""Who votes: a random number in a signed cookie, and nothing else about the person.

Sealed votes carry a second number, the pseudonym. This row is the only link between the two, so
that giving it new numbers severs the person from their votes for good.
"""

import secrets

from django.conf import settings
from django.db import models


def new_key() -> str:
    """128 random bits as 32 hexadecimal digits."""
    return secrets.token_hex(16)


class Voter(models.Model):
    key = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    pseudonym = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # A keyed hash of the network, for abuse only; the address itself is never stored.
    network_hash = models.CharField(max_length=64, blank=True, db_index=True)
    network_key = models.CharField(max_length=16, blank=True)
    network_at = models.DateTimeField(null=True, blank=True, help_text="When it was last seen.")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"voter {self.pk}"
