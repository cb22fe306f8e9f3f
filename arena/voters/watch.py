"""What is asked about everybody who comes in, kept at hand for two seconds at a time.

Hundreds of votes a second ask who is banned and under which key networks are recorded, and the
answers change a few times a week.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from arena.voters.models import NetworkKey, Voter
from arena.voters.networks import Address, network_hash
from arena.voters.selectors import bans_standing

FRESH_SECONDS = 2.0


@dataclass(frozen=True)
class Standing:
    """What a banned person is told."""

    reason: str
    expires_at: datetime | None


@dataclass(frozen=True)
class Watch:
    """The standing bans by whom they keep out, and the key of these days.

    Hashes of networks were made with the key of their own day, so an address is hashed with each
    key (`secrets`) that a ban still needs.
    """

    key: NetworkKey
    voters: Mapping[int, Standing]
    users: Mapping[int, Standing]
    networks: Mapping[str, Standing]
    secrets: frozenset[str]

    def ban_of(self, voter: Voter, address: Address | None) -> Standing | None:
        """The ban that keeps them out. One of a voter who signed in goes for the user as well."""
        return (
            self.voters.get(voter.pk)
            or self.users.get(voter.user_id or 0)
            or self.ban_of_network(address)
        )

    def ban_of_network(self, address: Address | None) -> Standing | None:
        if address is None:
            return None
        hashes = (network_hash(address, secret) for secret in self.secrets)
        return next((self.networks[each] for each in hashes if each in self.networks), None)


_reading = threading.Lock()
_held: tuple[float, Watch] | None = None


def watch() -> Watch:
    """The watch as it was at most two seconds ago.

    Within a transaction it is read anew and not kept: what is seen there may be rolled back.
    """
    if connection.in_atomic_block:
        return watch_read()
    return fresh() or watch_renew()


def fresh() -> Watch | None:
    held = _held
    if held is None or time.monotonic() - held[0] > FRESH_SECONDS:
        return None
    return held[1]


def watch_renew() -> Watch:
    """Read it again; whoever comes meanwhile waits for the answer instead of asking too."""
    global _held
    with _reading:
        if (renewed := fresh()) is None:
            began = time.monotonic()
            renewed = watch_read()
            _held = (began, renewed)
        return renewed


def watch_forget() -> None:
    """Have the next one who comes ask again."""
    global _held
    _held = None


def watch_read() -> Watch:
    voters, users, networks, secrets = {}, {}, {}, set()
    # Of several bans the one that lasts longest is told, so it comes last.
    rows = bans_standing().order_by(F("expires_at").asc(nulls_last=True))
    for voter, user, hashed, secret, reason, expires_at in rows.values_list(
        "voter", "voter__user", "network_hash", "network_key__secret", "reason", "expires_at"
    ):
        standing = Standing(reason, expires_at)
        if voter:
            voters[voter] = standing
        if user:
            users[user] = standing
        if hashed:
            networks[hashed] = standing
            secrets.add(secret)
    return Watch(network_key_current(), voters, users, networks, frozenset(secrets))


def network_key_current() -> NetworkKey:
    """The key of these days; a new one once the last is NETWORK_KEY_DAYS old.

    Two processes that find none at once make one each, and go on with the newer one at their
    next look. Hashes made meanwhile stay good: each names its key.
    """
    young = NetworkKey.objects.filter(
        created_at__gt=Now() - timedelta(days=settings.NETWORK_KEY_DAYS)
    )
    return young.order_by("created_at", "pk").last() or NetworkKey.objects.create()
