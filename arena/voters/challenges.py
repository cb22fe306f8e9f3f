"""A proof of work before a battle: ALTCHA, made and checked here, bound to one voter, used once.

It costs a person's browser a second and a script that begins battles by the thousand hours.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from altcha.v2 import Payload, create_challenge, verify_solution
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from arena.voters.exceptions import (
    ChallengeExpired,
    ChallengeFailed,
    ChallengeNeeded,
    ChallengeSpent,
)
from arena.voters.models import SpentChallenge, Voter

# Browsers compute it natively; each try costs settings.ALTCHA_COST rounds, and one in 256 fits.
ALGORITHM = "PBKDF2/SHA-256"
PREFIX = "00"
LIFE = timedelta(minutes=10)
# One is used up for as long after its end as web processes' clocks may at most disagree.
CLOCKS_DISAGREE = timedelta(hours=1)
MOST_CHARACTERS = 4096


def challenge_make(*, key: str) -> dict[str, Any]:
    """A challenge for the voter of that key, as JSON for the browser. Nothing is stored."""
    return create_challenge(
        ALGORITHM,
        settings.ALTCHA_COST,
        key_prefix=PREFIX,
        expires_at=int(time.time() + LIFE.total_seconds()),
        data=whose(key),
        hmac_secret=secret(),
    ).to_dict()


def challenge_check(*, voter: Voter, payload: str) -> None:
    """Use up the proof that the voter's browser sent; anything will do where ALTCHA is off.

    Raises ChallengeNeeded, ChallengeExpired, ChallengeFailed or ChallengeSpent.
    """
    if not settings.ALTCHA:
        return
    if not payload:
        raise ChallengeNeeded
    proof = proof_read(payload)
    proof_verify(proof, voter)
    spend(proof)


def proof_read(payload: str) -> Payload:
    """Raises ChallengeFailed where it has not the form of a proof."""
    if len(payload) > MOST_CHARACTERS:
        raise ChallengeFailed
    try:
        proof = Payload.from_base64(payload)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ChallengeFailed from error
    given = proof.challenge.parameters
    # 5000.0 is signed as 5000 is, and the library would hand it on to hashlib.
    if not all(type(each) is int for each in (given.cost, given.key_length, given.expires_at)):
        raise ChallengeFailed
    return proof


def proof_verify(proof: Payload, voter: Voter) -> None:
    """Whose it is comes first, because verifying costs as much as one of the browser's tries."""
    if proof.challenge.parameters.data != whose(voter.key):
        raise ChallengeFailed
    result = verify_solution(proof, secret())
    if result.expired:
        raise ChallengeExpired
    if not result.verified:
        raise ChallengeFailed


def spend(proof: Payload) -> None:
    """The signature names the challenge: it is unique, and nobody else can make one."""
    digest = proof.challenge.signature or ""
    expires_at = datetime.fromtimestamp(proof.challenge.parameters.expires_at or 0, UTC)
    try:
        with transaction.atomic():
            SpentChallenge.objects.create(digest=digest, expires_at=expires_at)
    except IntegrityError as error:
        raise ChallengeSpent from error


def challenges_forget() -> int:
    """Delete what is remembered of challenges that nobody can use any more; returns how many."""
    return SpentChallenge.objects.filter(expires_at__lt=Now() - CLOCKS_DISAGREE).delete()[0]


def whose(key: str) -> dict[str, str]:
    """The voter within a challenge: the page's scripts see it, and may not see the key."""
    named = salted_hmac("arena.voters.challenge.voter", key, algorithm="sha256")
    return {"voter": named.hexdigest()}


def secret() -> str:
    return salted_hmac("arena.voters.challenge", "", algorithm="sha256").hexdigest()
