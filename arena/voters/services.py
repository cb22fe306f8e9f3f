"""The voter's identity: issued by a page, read by everything else."""

from collections.abc import Mapping

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from arena.core.exceptions import Refused
from arena.voters.models import Voter, new_key

SALT = "arena.voters"


def cookie_issue(*, request: HttpRequest, response: HttpResponseBase) -> None:
    """Give the visitor a voter key unless they carry one that this arena signed.

    Only pages set the cookie; sockets never do, so a socket without it gets no battle.
    """
    if voter_key(request.COOKIES) is not None:
        return
    response.set_cookie(
        settings.VOTER_COOKIE,
        signing.dumps(new_key(), salt=SALT),
        max_age=settings.VOTER_COOKIE_AGE,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def voter_key(cookies: Mapping[str, str]) -> str | None:
    """The key in the cookie, or None where there is none that this arena issued."""
    try:
        value = signing.loads(
            cookies.get(settings.VOTER_COOKIE, ""), salt=SALT, max_age=settings.VOTER_COOKIE_AGE
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
