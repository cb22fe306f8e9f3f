"""The proof of work: bound to one voter, used once, over after ten minutes, and never forged."""

import base64
import json
import threading
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from altcha.v2 import Challenge, Payload, solve_challenge
from django.db import connection
from django.db.models import F
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st
from pytest_django import Settings

from arena.core.exceptions import Refused
from arena.voters.challenges import challenge_check, challenge_make, challenges_forget
from arena.voters.exceptions import (
    ChallengeExpired,
    ChallengeFailed,
    ChallengeNeeded,
    ChallengeSpent,
)
from arena.voters.models import SpentChallenge, Voter
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def cheap(settings: Settings) -> None:
    settings.ALTCHA, settings.ALTCHA_COST = True, 2


def solved(challenge: dict[str, Any]) -> Payload:
    asked = Challenge.from_dict(challenge)
    solution = solve_challenge(asked)
    assert solution is not None
    return Payload(asked, solution)


def proof(voter: Voter) -> dict[str, Any]:
    """What the browser of that voter would send, before it is written as base64."""
    return solved(challenge_make(key=voter.key)).to_dict()


def written(content: Any) -> str:
    return base64.b64encode(json.dumps(content).encode()).decode()


def test_it_works(client: Client) -> None:
    client.get("/battle/")
    response = client.get("/challenge/")
    voter = factories.voter_of(client)
    payload = solved(response.json()).to_base64()

    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    challenge_check(voter=voter, payload=payload)
    with pytest.raises(ChallengeSpent, match="used for another battle"):
        challenge_check(voter=voter, payload=payload)


def test_each_is_another_and_all_count(alice: Voter) -> None:
    for _ in range(3):
        challenge_check(voter=alice, payload=written(proof(alice)))
    assert SpentChallenge.objects.count() == 3


def test_who_has_no_cookie_gets_none(client: Client) -> None:
    response = client.get("/challenge/")

    assert response.status_code == 403
    assert "one cookie" in response.json()["message"]


def test_where_it_is_off_there_is_none_and_none_is_needed(
    client: Client, alice: Voter, settings: Settings
) -> None:
    settings.ALTCHA = False
    client.get("/battle/")

    assert client.get("/challenge/").status_code == 404
    challenge_check(voter=alice, payload="")


def test_where_it_is_on_one_is_needed(alice: Voter) -> None:
    with pytest.raises(ChallengeNeeded, match="Reload the page") as refused:
        challenge_check(voter=alice, payload="")
    assert isinstance(refused.value, Refused)


def test_it_is_asked_for_by_get_alone(client: Client) -> None:
    assert client.post("/challenge/").status_code == 405


def test_another_voters_work_counts_for_nothing(alice: Voter, bob: Voter) -> None:
    work = proof(alice)
    with pytest.raises(ChallengeFailed):
        challenge_check(voter=bob, payload=written(work))

    challenge_check(voter=alice, payload=written(work))


def test_the_challenge_does_not_tell_the_cookies_key(alice: Voter) -> None:
    assert alice.key not in json.dumps(challenge_make(key=alice.key))


def test_it_is_over_after_ten_minutes(alice: Voter, monkeypatch: pytest.MonkeyPatch) -> None:
    now, work = time.time(), proof(alice)
    monkeypatch.setattr(time, "time", lambda: now + 11 * 60)
    with pytest.raises(ChallengeExpired, match="too old"):
        challenge_check(voter=alice, payload=written(work))

    monkeypatch.setattr(time, "time", lambda: now + 9 * 60)
    challenge_check(voter=alice, payload=written(work))


CHANGES: dict[str, Any] = {
    "cost": 1,
    "keyPrefix": "",
    "keyLength": 1,
    "algorithm": "SHA-256",
    "expiresAt": 9_999_999_999,
    "nonce": "00" * 16,
    "salt": "00" * 16,
    "data": {"voter": "somebody"},
    "keySignature": "00" * 32,
}


@pytest.mark.parametrize("name", CHANGES)
def test_an_easier_challenge_cannot_be_made_of_it(alice: Voter, name: str) -> None:
    made = challenge_make(key=alice.key)
    made["parameters"][name] = CHANGES[name]
    with pytest.raises(ChallengeFailed):
        challenge_check(voter=alice, payload=written(solved(made).to_dict()))


@pytest.mark.parametrize("data", [None, [], {}, {"voter": None}, {"voter": "\ud800"}, "x"])
def test_work_for_nobody_counts_for_nothing(alice: Voter, data: Any) -> None:
    work = proof(alice)
    work["challenge"]["parameters"]["data"] = data

    with pytest.raises(ChallengeFailed):
        challenge_check(voter=alice, payload=written(work))


@pytest.mark.parametrize("name", ["cost", "keyLength", "expiresAt"])
def test_a_number_written_otherwise_is_refused(alice: Voter, name: str) -> None:
    """5000.0 is signed as 5000 is, and hashlib would fail with it."""
    work = proof(alice)
    given = work["challenge"]["parameters"]
    given[name] = float(given[name])

    with pytest.raises(ChallengeFailed):
        challenge_check(voter=alice, payload=written(work))


@pytest.mark.parametrize("counter", [-1, 0.5, True, None, "1", 2**32, 10**30])
def test_a_wrong_answer_is_refused_and_can_be_mended(alice: Voter, counter: Any) -> None:
    work = proof(alice)
    wrong = work | {"solution": work["solution"] | {"counter": counter}}
    with pytest.raises(ChallengeFailed):
        challenge_check(voter=alice, payload=written(wrong))

    challenge_check(voter=alice, payload=written(work))


def test_a_copy_that_is_written_otherwise_is_the_same(alice: Voter) -> None:
    work = proof(alice)
    challenge_check(voter=alice, payload=written(work))
    other = {"more": 1, "solution": work["solution"] | {"time": 5}, "challenge": work["challenge"]}

    with pytest.raises(ChallengeSpent):
        challenge_check(voter=alice, payload=written(other))


deep = "[" * 900 + "]" * 900
HOSTILE = [
    *("x", "====", "\ud800", "\x00", "é", "a" * 5_000_000, written(None), written([])),
    *(written({"challenge": {}, "solution": {}}), written({"challenge": [], "solution": []})),
    written({"challenge": {"parameters": []}, "solution": {"counter": 1, "derivedKey": ""}}),
    base64.b64encode(b"\xff\xfe").decode(),
    base64.b64encode(deep.encode()).decode(),
    base64.b64encode(b'{"challenge": {"parameters": {"cost": ' + b"9" * 3000 + b"}}}").decode(),
    base64.b64encode(b'{"challenge": NaN, "solution": Infinity}').decode(),
]


@pytest.mark.parametrize("payload", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_proof_is_refused(alice: Voter, payload: str) -> None:
    with pytest.raises(ChallengeFailed):
        challenge_check(voter=alice, payload=payload)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)


@how(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    where=st.sampled_from(["algorithm", "nonce", "salt", "cost", "keyLength", "keyPrefix"])
    | st.sampled_from(["expiresAt", "data", "signature", "counter", "derivedKey"]),
    value=anything,
)
def test_whatever_stands_in_it_the_answer_is_yes_or_no(
    alice: Voter, where: str, value: Any
) -> None:
    work = proof(alice)
    for part in (work["challenge"], work["challenge"]["parameters"], work["solution"]):
        if where in part:
            part[where] = value
    with suppress(Refused):
        challenge_check(voter=alice, payload=written(work))


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_uses_it(alice: Voter) -> None:
    payload, passed = written(proof(alice)), []
    begin = threading.Barrier(8)

    def attempt() -> None:
        begin.wait()
        try:
            challenge_check(voter=alice, payload=payload)
            passed.append(1)
        except ChallengeSpent:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 1


def test_what_is_over_is_forgotten_and_what_is_not_stays(alice: Voter) -> None:
    """An hour later: the processes' clocks may differ, the database's decides."""
    for _ in range(2):
        challenge_check(voter=alice, payload=written(proof(alice)))
    assert challenges_forget() == 0
    first = SpentChallenge.objects.order_by("digest")[:1].get()
    for age, gone in ((timedelta(minutes=50), 0), (timedelta(minutes=30), 1)):
        SpentChallenge.objects.filter(pk=first.pk).update(expires_at=F("expires_at") - age)
        assert challenges_forget() == gone

    assert SpentChallenge.objects.get().expires_at > timezone.now()
