"""The door to battles and votes: who is kept out, in which words, and what it costs."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from arena.core.exceptions import BadInput, Conflict, TooMany
from arena.core.models import AuditEntry
from arena.voters import watch as watching
from arena.voters.door import Action, voter_admit
from arena.voters.exceptions import Banned
from arena.voters.models import Ban, NetworkKey, Voter
from arena.voters.networks import Address
from arena.voters.services import ban_create, ban_lift, network_seen, voter_forget, voter_sign_in

pytestmark = pytest.mark.django_db
HOME, WORK = ip_address("203.0.113.7"), ip_address("2001:db8:1:2::7")


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_user("operator")


def seen(voter: Voter, address: Address = HOME) -> Voter:
    network_seen(voter=voter, address=address)
    voter.refresh_from_db()
    return voter


def admit(voter: Voter, address: Address | None = HOME, action: Action = Action.BATTLE) -> None:
    voter_admit(voter=voter, address=address, action=action)


def is_kept_out(voter: Voter, address: Address | None = HOME) -> bool:
    try:
        admit(voter, address)
    except Banned:
        return True
    return False


def test_it_works(alice: Voter) -> None:
    for action in Action:
        admit(alice, action=action)

    alice.refresh_from_db()
    assert alice.network_hash
    assert alice.network_key == NetworkKey.objects.get().pk


# -- Bans ------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", Action)
def test_a_banned_voter_reads_why_how_long_and_whom_to_ask(
    alice: Voter, bob: Voter, operator: User, action: Action, settings: Settings
) -> None:
    settings.OPERATOR_CONTACT = "abuse@arena.example"
    until = datetime(2999, 3, 4, 15, 6, tzinfo=UTC)
    ban_create(voter=alice, reason="You voted by script.", expires_at=until, actor=operator)

    with pytest.raises(Banned) as refused:
        admit(alice, action=action)
    assert refused.value.status == 403
    for words in ("voted by script. If", "4 March 2999, 15:06 UTC", "ask abuse@arena.example"):
        assert words in refused.value.message
    admit(bob, action=action)


def test_a_ban_without_end_says_so(alice: Voter) -> None:
    ban_create(voter=alice, reason="rigging", actor=None)

    with pytest.raises(Banned, match=r"until this is lifted.*ask whoever runs this arena"):
        admit(alice)


def test_the_longest_of_several_bans_is_told(alice: Voter) -> None:
    now = timezone.now()
    for reason, days in (("short", 1), ("long", 9), ("middle", 5)):
        ban_create(voter=alice, reason=reason, expires_at=now + timedelta(days=days), actor=None)

    with pytest.raises(Banned, match="long"):
        admit(alice)


def test_a_ban_ends_by_itself_or_is_lifted(alice: Voter, bob: Voter, operator: User) -> None:
    soon = timezone.now() + timedelta(hours=1)
    ban_create(voter=alice, reason="a day off", expires_at=soon, actor=operator)
    lasting = ban_create(voter=bob, reason="for good", actor=operator)
    assert is_kept_out(alice)
    assert is_kept_out(bob)

    Ban.objects.filter(voter=alice).update(expires_at=F("expires_at") - timedelta(hours=2))
    ban_lift(ban=lasting, actor=operator)
    assert not is_kept_out(alice)
    assert not is_kept_out(bob)
    lasting.refresh_from_db()
    assert lasting.lifted_by == operator


def test_a_ban_is_lifted_once(alice: Voter, operator: User) -> None:
    ban = ban_create(voter=alice, reason="rigging", actor=operator)
    ban_lift(ban=ban, actor=operator)

    with pytest.raises(Conflict, match="nothing to lift"):
        ban_lift(ban=ban, actor=None)
    ban.refresh_from_db()
    assert ban.lifted_by == operator


def test_what_is_done_about_bans_is_in_the_log(alice: Voter, operator: User) -> None:
    ban = ban_create(voter=alice, reason="rigging", actor=operator)
    ban_lift(ban=ban, actor=operator)

    entries = AuditEntry.objects.order_by("id")
    assert [entry.action for entry in entries] == ["ban.create", "ban.lift"]
    assert {entry.actor for entry in entries} == {operator}
    assert entries[0].detail["reason"] == "rigging"


def test_a_ban_with_the_network_keeps_out_who_comes_with_a_new_cookie(
    alice: Voter, bob: Voter
) -> None:
    ban_create(voter=seen(alice), with_network=True, reason="a script", actor=None)

    assert is_kept_out(bob, HOME)
    assert not is_kept_out(bob, WORK)
    assert is_kept_out(alice, WORK)


def test_it_does_so_for_all_of_an_ipv6_network(alice: Voter, bob: Voter) -> None:
    ban_create(voter=seen(alice, WORK), with_network=True, reason="a script", actor=None)

    assert is_kept_out(bob, ip_address("2001:db8:1:2:dead:beef::1"))
    assert not is_kept_out(bob, ip_address("2001:db8:1:3::7"))


def test_it_still_does_after_the_key_has_changed(alice: Voter, bob: Voter) -> None:
    ban_create(voter=seen(alice), with_network=True, reason="a script", actor=None)
    for days in (8, 16):
        NetworkKey.objects.update(created_at=F("created_at") - timedelta(days=days))
        seen(bob, WORK)

    assert NetworkKey.objects.count() == 3
    assert is_kept_out(bob, HOME)
    assert not is_kept_out(bob, WORK)


def test_an_address_is_banned_without_a_voter(bob: Voter) -> None:
    ban = ban_create(address=HOME, reason="a flood", actor=None)

    assert is_kept_out(bob, HOME)
    assert not is_kept_out(bob, WORK)
    assert str(HOME) not in str(vars(ban))
    assert str(HOME) not in str(list(AuditEntry.objects.values_list("subject", "detail")))


def test_a_voter_of_no_known_network_is_banned_alone(alice: Voter, bob: Voter) -> None:
    ban = ban_create(voter=alice, with_network=True, reason="a script", actor=None)

    assert ban.network_hash == ""
    assert is_kept_out(alice)
    assert not is_kept_out(bob)
    assert not is_kept_out(bob, None)


def test_a_ban_follows_a_user_to_other_browsers(alice: Voter, bob: Voter) -> None:
    user, other = (User.objects.create_user(name) for name in ("mallory", "trent"))
    Voter.objects.filter(pk=alice.pk).update(user=user)
    Voter.objects.filter(pk=bob.pk).update(user=other)
    ban_create(voter=alice, reason="rigging", actor=None)

    assert is_kept_out(voter_sign_in(cookies={}, user=user), WORK)
    assert not is_kept_out(Voter.objects.get(pk=bob.pk), WORK)
    assert not is_kept_out(Voter.objects.create(), WORK)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"reason": "  "}, "Give a reason"),
        ({"voter": None}, "Name a voter or an address"),
        ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "expired before it began"),
    ],
)
def test_a_ban_that_makes_no_sense_is_none(
    alice: Voter, fields: dict[str, object], said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        ban_create(**({"voter": alice, "reason": "rigging", "actor": None} | fields))  # type: ignore[arg-type]
    assert not Ban.objects.exists()


def test_who_is_forgotten_leaves_no_way_from_the_network_to_the_votes(
    alice: Voter, bob: Voter
) -> None:
    ban_create(voter=seen(alice), with_network=True, reason="a script", actor=None)
    voter_forget(voter=alice)

    assert not is_kept_out(bob, HOME)
    ban = Ban.objects.get()
    assert (ban.voter, ban.network_hash, ban.network_key) == (alice, "", None)


# -- Limits ----------------------------------------------------------------------------------


def passed(voters: list[Voter], address: Address | None, action: Action, times: int = 1) -> int:
    number = 0
    for voter in voters * times:
        try:
            admit(voter, address, action)
        except TooMany:
            continue
        number += 1
    return number


def test_a_voter_begins_only_so_many_battles(alice: Voter, bob: Voter, settings: Settings) -> None:
    settings.VOTER_RATE = (3, 3600)
    assert passed([alice], HOME, Action.BATTLE, 5) == 3
    with pytest.raises(TooMany, match=r"one person may here: 3 per hour\. The next .* in \d+ "):
        admit(alice, WORK)

    assert passed([bob], HOME, Action.BATTLE, 5) == 3
    assert passed([alice], HOME, Action.VOTE, 5) == 5


def test_a_network_begins_only_so_many_battles(settings: Settings) -> None:
    settings.NETWORK_RATE = (3, 3600)
    crowd = [Voter.objects.create() for _ in range(5)]
    assert passed(crowd, HOME, Action.BATTLE) == 3
    with pytest.raises(TooMany, match="by all who share it: 3 per hour"):
        admit(crowd[0])

    assert passed(crowd, WORK, Action.BATTLE) == 3
    assert passed(crowd, None, Action.BATTLE) == 3


def test_who_goes_on_beyond_their_own_limit_uses_up_nobody_elses(
    alice: Voter, bob: Voter, settings: Settings
) -> None:
    settings.VOTER_RATE, settings.NETWORK_RATE = (2, 3600), (4, 3600)
    assert passed([alice], HOME, Action.BATTLE, 50) == 2

    assert passed([bob], HOME, Action.BATTLE, 50) == 2


def test_who_finds_the_network_full_is_not_counted_themselves(
    alice: Voter, bob: Voter, settings: Settings
) -> None:
    settings.VOTER_RATE, settings.NETWORK_RATE = (2, 3600), (2, 3600)
    assert passed([alice], HOME, Action.BATTLE, 2) == 2
    assert passed([bob], HOME, Action.BATTLE, 5) == 0

    assert passed([bob], WORK, Action.BATTLE, 5) == 2


def test_a_network_casts_only_so_many_votes(alice: Voter, bob: Voter, settings: Settings) -> None:
    settings.NETWORK_VOTE_RATE = (3, 60)
    assert passed([alice, bob], HOME, Action.VOTE, 3) == 3
    with pytest.raises(TooMany, match=r"3 per minute\. This one was not counted; cast it again in"):
        admit(alice, action=Action.VOTE)

    assert passed([alice], HOME, Action.BATTLE, 5) == 5


def test_who_is_banned_is_told_that_and_counted_no_more(alice: Voter, settings: Settings) -> None:
    settings.VOTER_RATE = (1, 3600)
    ban = ban_create(voter=alice, reason="rigging", actor=None)
    for _ in range(3):
        assert is_kept_out(alice)
    ban_lift(ban=ban, actor=None)

    admit(alice)


# -- What it costs ---------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_it_asks_the_database_nothing_most_of_the_time(alice: Voter, settings: Settings) -> None:
    settings.VOTER_RATE = settings.NETWORK_RATE = settings.NETWORK_VOTE_RATE = (10_000, 3600)
    ban_create(voter=Voter.objects.create(), reason="somebody else", actor=None)
    ban_create(address=WORK, reason="somewhere else", actor=None)
    admit(alice)
    alice.refresh_from_db()

    with CaptureQueriesContext(connection) as queries:
        for _ in range(20):
            admit(alice)
            admit(alice, action=Action.VOTE)
    assert len(queries) == 0


@pytest.mark.django_db(transaction=True)
def test_the_first_of_two_seconds_asks_twice_and_writes_once(alice: Voter) -> None:
    NetworkKey.objects.create()

    with CaptureQueriesContext(connection) as queries:
        admit(alice)
    assert [query["sql"].split()[0] for query in queries] == ["SELECT", "SELECT", "UPDATE"]


@pytest.mark.django_db(transaction=True)
def test_a_ban_holds_at_once_here_and_within_two_seconds_elsewhere(
    alice: Voter, bob: Voter, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not is_kept_out(alice)
    ban_create(voter=alice, reason="rigging", actor=None)
    assert is_kept_out(alice)

    # Another process makes its rows without our knowing.
    Ban.objects.create(voter=bob, reason="rigging")
    assert not is_kept_out(bob)
    later = time.monotonic() + watching.FRESH_SECONDS + 0.01
    monkeypatch.setattr(watching.time, "monotonic", lambda: later)
    assert watching.FRESH_SECONDS <= 2
    assert is_kept_out(bob)


@pytest.mark.django_db(transaction=True)
def test_a_ban_that_is_taken_back_was_never_there(alice: Voter) -> None:
    with pytest.raises(ZeroDivisionError):
        banned_and_failed(alice, lambda: 1 / 0)

    assert not is_kept_out(alice)


def banned_and_failed(voter: Voter, fail: Callable[[], object]) -> None:
    from django.db import transaction

    with transaction.atomic():
        ban_create(voter=voter, reason="rigging", actor=None)
        assert is_kept_out(voter)
        fail()
