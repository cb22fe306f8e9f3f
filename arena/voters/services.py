"""The voter's identity: issued by a page, read by everything else. Networks, and bans."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from arena.core.exceptions import BadInput, Conflict, Refused
from arena.core.services import audit
from arena.voters.models import Ban, NetworkKey, Voter, new_key
from arena.voters.networks import Address, network_hash
from arena.voters.selectors import COOKIE_SALT, bans_ended, bans_standing, voter_by_key
from arena.voters.watch import watch, watch_forget

# A network that did not change is written down again after so long.
SEEN_AGAIN = timedelta(minutes=10)
# How long a process may at most go on hashing with a key that another has replaced.
KEY_SLACK = timedelta(days=1)


def cookie_issue(*, request: HttpRequest, response: HttpResponseBase) -> None:
    """Give the visitor a voter key unless they carry one that this arena signed.

    Only pages set the cookie; sockets never do, so a socket without it gets no battle.
    """
    if voter_key(request.COOKIES) is None:
        cookie_set(response=response, key=new_key())


def cookie_set(*, response: HttpResponseBase, key: str) -> None:
    response.set_cookie(
        settings.VOTER_COOKIE,
        signing.dumps(key, salt=COOKIE_SALT),
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


def voter_key_needed(cookies: Mapping[str, str]) -> str:
    """The key in the cookie. Raises Refused where the browser keeps no cookie."""
    key = voter_key(cookies)
    if key is None:
        raise Refused(
            _(
                "Voting needs one cookie, which keeps your votes apart from everybody else's. "
                "Allow cookies for this site and reload the page."
            )
        )
    return key


def voter_from(cookies: Mapping[str, str]) -> Voter:
    """The voter behind a request or socket; the row is made at their first battle.

    Raises Refused where the browser keeps no cookie.
    """
    return Voter.objects.get_or_create(key=voter_key_needed(cookies))[0]


def voter_known(cookies: Mapping[str, str]) -> Voter:
    """The voter behind a request that is about a battle of theirs; makes no row.

    Raises Refused where the browser keeps no cookie, or its holder never began a battle.
    """
    voter = voter_by_key(voter_key_needed(cookies))
    if voter is None:
        raise Refused(_("This is another person's battle. Start one of your own."))
    return voter


def voter_sign_in(*, cookies: Mapping[str, str], user: Any) -> Voter:
    """The voter of a browser in which `user` has just signed in, under a new key.

    Whoever knew the cookie of before, perhaps because they had put it there, knows nothing of
    worth from now on. Where that cookie is another user's, this one gets a voter of their own:
    the conditional update decides, also between two windows that sign in at once.
    """
    key = new_key()
    anybodys = Voter.objects.filter(Q(user=None) | Q(user=user), key=voter_key(cookies) or "")
    if anybodys.update(key=key, user=user):
        return Voter.objects.get(key=key)
    return Voter.objects.create(key=key, user=user)


@transaction.atomic
def voter_forget(*, voter: Voter) -> None:
    """Sever the person from the row: no cookie, user, network or pseudonym leads to it again.

    The row stays, under numbers that nobody was ever given, because its votes do. Bans of theirs
    stay with it and keep nobody out any more: one that still knew the network would lead from
    there to the votes.
    """
    Voter.objects.filter(pk=voter.pk).update(
        key=new_key(),
        pseudonym=new_key(),
        user=None,
        network_hash="",
        network_key="",
        network_at=None,
        consent="",
        consented_at=None,
    )
    Ban.objects.filter(voter=voter).update(network_hash="", network_key=None)
    transaction.on_commit(watch_forget)


# -- Networks --------------------------------------------------------------------------------


def network_seen(*, voter: Voter, address: Address | None) -> None:
    """Write down which network the voter comes from, as a keyed hash.

    It writes where the network changed or ten minutes have passed, and asks for nothing else.
    """
    if address is None:
        return
    key = watch().key
    hashed = network_hash(address, key.secret)
    if voter.network_hash == hashed and is_recent(voter.network_at):
        return
    # Not by its id alone: the voter may have been forgotten since the row was read.
    Voter.objects.filter(pk=voter.pk, key=voter.key).update(
        network_hash=hashed, network_key=key.pk, network_at=Now()
    )


def is_recent(seen_at: datetime | None) -> bool:
    return seen_at is not None and timezone.now() - seen_at < SEEN_AGAIN


@transaction.atomic
def networks_forget(*, before: datetime) -> int:
    """Erase network hashes last seen before then; returns how many.

    With them go those of bans that have ended, and the keys that nothing needs any more.
    """
    old = Q(network_at__lt=before) | Q(network_at=None, created_at__lt=before)
    count = (
        Voter.objects.filter(old)
        .exclude(network_hash="")
        .update(network_hash="", network_key="", network_at=None)
    )
    bans_ended().exclude(network_key=None).update(network_hash="", network_key=None)
    keys_forget()
    if count:
        audit(action="networks.purge", subject=f"before {before:%Y-%m-%d}", voters=count)
    return count


def keys_forget() -> None:
    """Delete the secrets that made no hash which is still there, save those still in use."""
    replaced = Now() - timedelta(days=settings.NETWORK_KEY_DAYS) - KEY_SLACK
    needed = Exists(Voter.objects.filter(network_key=OuterRef("pk"))) | Exists(
        Ban.objects.filter(network_key=OuterRef("pk"))
    )
    NetworkKey.objects.filter(~needed, created_at__lt=replaced).delete()


# -- Bans ------------------------------------------------------------------------------------


@transaction.atomic
def ban_create(
    *,
    reason: str,
    actor: Any,
    voter: Voter | None = None,
    with_network: bool = False,
    address: Address | None = None,
    expires_at: datetime | None = None,
) -> Ban:
    """Keep somebody out of battles and votes, until it expires or is lifted.

    voter: whom; a user, if they signed in, and thereby all their voters.
    with_network: also everybody from the network in which that voter was last seen, if that is
    on record.
    address: instead, everybody from this address's network; the address is not stored.
    Raises BadInput.
    """
    if voter is None and address is None:
        raise BadInput("Name a voter or an address: this ban keeps nobody out.")
    reason = reason_given(reason, expires_at)
    hashed, key = network_banned(voter if with_network else None, address)
    ban = Ban.objects.create(
        voter=voter,
        network_hash=hashed,
        network_key=key,
        reason=reason,
        expires_at=expires_at,
        created_by=actor,
    )
    audit(
        action="ban.create",
        subject=f"{ban}: {voter or 'a network'}",
        actor=actor,
        reason=reason,
        network=bool(hashed),
        expires_at=expires_at.isoformat() if expires_at else None,
    )
    transaction.on_commit(watch_forget)
    return ban


def reason_given(reason: str, expires_at: datetime | None) -> str:
    """Raises BadInput where there is none, or no time in which it would hold."""
    if not reason.strip():
        raise BadInput("Give a reason: the person who is kept out reads it.")
    if expires_at is not None and expires_at <= timezone.now():
        raise BadInput("The ban would have expired before it began. Give a later time, or none.")
    return reason.strip()


def network_banned(voter: Voter | None, address: Address | None) -> tuple[str, NetworkKey | None]:
    """The hash and the key by which a ban knows its network; empty and None without one."""
    if address is not None:
        key = watch().key
        return network_hash(address, key.secret), key
    if voter is None:
        return "", None
    found = NetworkKey.objects.filter(pk=voter.network_key).first()
    return (voter.network_hash, found) if found else ("", None)


@transaction.atomic
def ban_lift(*, ban: Ban, actor: Any) -> None:
    """End a ban now. Raises Conflict where it has ended already."""
    if not bans_standing().filter(pk=ban.pk).update(lifted_at=Now(), lifted_by=actor):
        raise Conflict("This ban has ended already: there is nothing to lift.")
    audit(action="ban.lift", subject=str(ban), actor=actor)
    transaction.on_commit(watch_forget)
