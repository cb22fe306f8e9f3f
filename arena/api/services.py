"""Tokens of the admin API."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from knox.models import AuthToken
from knox.settings import CONSTANTS

from arena.api.selectors import tokens
from arena.core.exceptions import Unknown
from arena.core.services import audit


@transaction.atomic
def token_create(*, user: Any, expires_in: timedelta) -> str:
    """A token for `user`, shown this once: the database keeps only its hash."""
    _, token = AuthToken.objects.create(user=user, expiry=expires_in)
    audit(action="token.create", subject=user.get_username(), days=expires_in.days)
    return str(token)


@transaction.atomic
def tokens_revoke(*, user: str, key: str = "") -> int:
    """End a user's tokens, all or those that begin with `key`; returns how many.

    Raises Unknown where there is none.
    """
    found = tokens(user).filter(token_key__startswith=key[: CONSTANTS.TOKEN_KEY_LENGTH])
    count = found.count()
    if not count:
        raise Unknown(f"'{user}' has no such token. `manage.py list_api_tokens` shows all.")
    found.delete()
    audit(action="token.revoke", subject=user, tokens=count)
    return count
