"""Tokens of the admin API."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from knox.models import AuthToken

from arena.core.services import audit


@transaction.atomic
def token_create(*, user: Any, expires_in: timedelta) -> str:
    """A token for `user`, shown this once: the database keeps only its hash."""
    _, token = AuthToken.objects.create(user=user, expiry=expires_in)
    audit(action="token.create", subject=user.get_username(), days=expires_in.days)
    return str(token)
