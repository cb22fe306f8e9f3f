"""Finding the voter that a person asks to be forgotten as, and the bans that stand."""

from django.conf import settings
from django.core import signing
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest

from arena.core.exceptions import BadInput, Unknown
from arena.core.prepared import Prepared
from arena.voters.models import Ban, Voter

COOKIE_SALT = "arena.voters"
CODE_SALT = "arena.voters.erasure"


_DOOR = ("id", "key", "user_id", "consent")
_by_key = Prepared(
    Voter._meta.get_field("key"), lambda key: Voter.objects.filter(key=key).values_list(*_DOOR)
)


def voter_by_key(key: str) -> Voter | None:
    """The voter of that key as the door needs them; every vote asks. Other fields load later."""
    rows = _by_key.rows(key)
    return Voter.from_db(DEFAULT_DB_ALIAS, _DOOR, rows[0]) if rows else None


def voters_by_cookie(value: str) -> list[Voter]:
    """The voter of a cookie's value, or of the code that the privacy page shows its holder.

    Raises BadInput where this arena did not sign it, Unknown where it never started a battle.
    """
    key = key_signed(value.strip(), COOKIE_SALT) or key_signed(value.strip(), CODE_SALT)
    if key is None:
        raise BadInput(
            "This arena signed no such cookie or code. Copy all of it; one that was signed with "
            "another SECRET_KEY leads to nobody."
        )
    return found(list(Voter.objects.filter(key=key)), "The holder of this cookie")


def voters_by_user(name: str) -> list[Voter]:
    """Every voter that signed in under that name. Raises Unknown."""
    return found(list(Voter.objects.filter(user__username=name)), f"A user named {name!r}")


def voters_by_id(voter_id: int) -> list[Voter]:
    """Raises Unknown."""
    return found(list(Voter.objects.filter(pk=voter_id)), f"Voter {voter_id}")


def found(voters: list[Voter], who: str) -> list[Voter]:
    if not voters:
        raise Unknown(f"{who} is not known here as a voter: there is nothing to erase.")
    return voters


def key_signed(value: str, salt: str) -> str | None:
    """The voter's key in a signed value of any age."""
    try:
        key = signing.loads(value, salt=salt)
    except signing.BadSignature:
        return None
    return key if isinstance(key, str) else None


def erasure_code(request: HttpRequest) -> str | None:
    """What the holder of a voter cookie may show to be erased by; None where nothing is kept.

    It is not the cookie: nobody can vote with it.
    """
    key = key_signed(request.COOKIES.get(settings.VOTER_COOKIE, ""), COOKIE_SALT)
    if key is None or not Voter.objects.filter(key=key).exists():
        return None
    return signing.dumps(key, salt=CODE_SALT)


# -- Bans ------------------------------------------------------------------------------------


def is_standing() -> Q:
    """Neither lifted nor expired, by the database's clock: several web processes have one each."""
    return Q(lifted_at=None) & (Q(expires_at=None) | Q(expires_at__gt=Now()))


def bans_standing() -> QuerySet[Ban]:
    return Ban.objects.filter(is_standing())


def bans_ended() -> QuerySet[Ban]:
    return Ban.objects.exclude(is_standing())
