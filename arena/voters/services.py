"""The voter's identity: issued by a page, read by everything else."""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase

from arena.core.exceptions import Refused
from arena.core.services import audit
from arena.voters.models import Voter, new_key
from arena.voters.selectors import COOKIE_SALT


def cookie_issue(*, request: HttpRequest, response: HttpResponseBase) -> None:
    """Give the visitor a voter key unless they carry one that this arena signed.

    Only pages set the cookie; sockets never do, so a socket without it gets no battle.
    """
    if voter_key(request.COOKIES) is not None:
        return
    response.set_cookie(
        settings.VOTER_COOKIE,
        signing.dumps(new_key(), salt=COOKIE_SALT),
        max_age=settings.VOTER_COOKIE_AGE,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def voter_key(cookies: Mapping[str, str]) -> str | None:
    """The key in the cookie, or None where there is none that this arena issued."""
    try:
        value = signing.loads(
            cookies.get(settings.VOTER_COOKIE, ""),
            salt=COOKIE_SALT,
            max_age=settings.VOTER_COOKIE_AGE,
        )
    except signing.BadSignature:
        return None
    return value if isinstance(value, str) else None


def voter_from(cookies: Mapping[str, str]) -> Voter:
    """The voter behind a request or socket; the row is made at their first battle.

    Raises Refused where the browser keeps no cookie.
    """
    key = voter_key(cookies)
    if key is None:
        raise Refused(
            "Voting needs one cookie, which keeps your votes apart from everybody else's. "
            "Allow cookies for this site and reload the page."
        )
    return Voter.objects.get_or_create(key=key)[0]


def voter_forget(*, voter: Voter) -> None:
    """Sever the person from the row: no cookie, user, network or pseudonym leads to it again.

    The row stays, under numbers that nobody was ever given, because its votes do.
    """
    Voter.objects.filter(pk=voter.pk).update(
        key=new_key(),
        pseudonym=new_key(),
        user=None,
        network_hash="",
        network_key="",
        network_at=None,
    )


@transaction.atomic
def networks_forget(*, before: datetime) -> int:
    """Erase network hashes last seen before then; returns how many."""
    old = Q(network_at__lt=before) | Q(network_at=None, created_at__lt=before)
    count = (
        Voter.objects.filter(old)
        .exclude(network_hash="")
        .update(network_hash="", network_key="", network_at=None)
    )
    if count:
        audit(action="networks.purge", subject=f"before {before:%Y-%m-%d}", voters=count)
    return count
