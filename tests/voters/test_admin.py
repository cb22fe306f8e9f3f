"""Operators see who did how much and keep them out, and never see a key or a whole hash."""

from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_address

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from arena.battles.services import vote_cast
from arena.voters.models import Ban, NetworkKey, Voter
from arena.voters.services import ban_create, ban_lift, network_seen
from arena.voters.watch import watch
from tests import factories

pytestmark = pytest.mark.django_db
VOTERS, BANS = "/admin/voters/voter/", "/admin/voters/ban/"
HOME = ip_address("203.0.113.7")


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


def only(client: Client, *permissions: str) -> Client:
    """Somebody of the staff who may do just that."""
    user = User.objects.create_user("assistant", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def seen(voter: Voter) -> Voter:
    network_seen(voter=voter, address=HOME)
    voter.refresh_from_db()
    return voter


def active(voter: Voter, votes: int, battles: int) -> None:
    for number in range(battles):
        battle = factories.battle(*factories.pair(), voter)
        if number < votes:
            key = f"key-{voter.pk}-{number:06}"
            vote_cast(
                battle_id=battle.pk, attempt=battle.attempt, voter=voter, outcome="tie", key=key
            )


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_it_works(operator: Client, alice: Voter, bob: Voter) -> None:
    active(alice, votes=2, battles=3)
    fields = {"_selected_action": [alice.pk], "action": "ban_voters"}
    asked = operator.post(VOTERS, fields)
    assert asked.status_code == 200
    assert f"voter {alice.pk} · 3 battles, 2 votes" in asked.content.decode()
    assert not Ban.objects.exists()

    said = {"apply": "Ban", "reason": "a script", "days": "7"}
    assert operator.post(VOTERS, fields | said).status_code == 302
    ban = Ban.objects.get()
    assert (ban.voter, ban.reason, str(ban.created_by)) == (alice, "a script", "operator")
    assert ban.expires_at is not None
    assert abs(ban.expires_at - timezone.now() - timedelta(days=7)) < timedelta(minutes=1)
    assert "until 2" in page(operator, VOTERS)
    assert watch().ban_of(alice, None)
    assert not watch().ban_of(bob, None)


def test_the_list_counts_what_everybody_did(operator: Client, alice: Voter, bob: Voter) -> None:
    active(alice, votes=2, battles=3)
    active(bob, votes=0, battles=1)
    rows = {voter.pk: voter for voter in operator.get(VOTERS).context["cl"].result_list}

    assert [(rows[v.pk].battle_count, rows[v.pk].vote_count) for v in (alice, bob)] == [
        (3, 2),
        (1, 0),
    ]


@pytest.mark.parametrize("address", [VOTERS, BANS])
def test_longer_lists_ask_for_no_more(operator: Client, address: str) -> None:
    def queries() -> int:
        user = User.objects.create_user(f"user {User.objects.count()}")
        voter = seen(Voter.objects.create(user=user))
        active(voter, votes=1, battles=1)
        actor = User.objects.create_user(f"moderator {User.objects.count()}")
        ban = ban_create(voter=voter, with_network=True, reason="a script", actor=actor)
        ban_lift(ban=ban, actor=actor)
        ban_create(voter=voter, reason="again", actor=actor)
        with CaptureQueriesContext(connection) as captured:
            page(operator, address)
        return len(captured)

    first = queries()
    assert [queries() for _ in range(3)] == [first] * 3


@pytest.mark.parametrize("order", ["3", "-4"])
def test_the_busiest_can_be_put_first(
    operator: Client, alice: Voter, bob: Voter, order: str
) -> None:
    active(alice, votes=1, battles=2)
    active(bob, votes=0, battles=1)

    # The first column is the tick, so the third is battles and the fourth votes.
    listed = operator.get(f"{VOTERS}?o={order}").context["cl"].result_list
    assert list(listed) == ([bob, alice] if order == "3" else [alice, bob])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (lambda voter: voter.pk, True),
        (lambda voter: "ada", True),
        (lambda voter: voter.network_hash[:8], True),
        (lambda voter: "zzz", False),
        (lambda voter: voter.key, False),
        (lambda voter: "9" * 40, False),
    ],
    ids=["number", "user", "network", "nothing", "key", "huge"],
)
def test_somebody_is_found(
    operator: Client, alice: Voter, query: Callable[[Voter], object], found: bool
) -> None:
    alice.user = User.objects.create_user("ada")
    alice.save()
    listed = page(operator, f"{VOTERS}?q={query(seen(alice))}")

    assert (f"/admin/voters/voter/{alice.pk}/" in listed) is found


def test_neither_key_nor_whole_hash_is_shown(operator: Client, alice: Voter) -> None:
    ban = ban_create(voter=seen(alice), with_network=True, reason="a script", actor=None)
    key = NetworkKey.objects.get()
    addresses = [VOTERS, f"{VOTERS}{alice.pk}/change/", BANS, f"{BANS}{ban.pk}/change/"]
    shown = "".join(page(operator, address) for address in addresses)

    assert alice.network_hash[:8] in shown
    for secret in (alice.key, alice.pseudonym, alice.network_hash[:20], key.secret, key.pk):
        assert secret not in shown


def test_the_ban_that_keeps_somebody_out_longest_is_shown(
    operator: Client, alice: Voter, bob: Voter
) -> None:
    """Their own, that of their user's other voter, or that of the network they share."""
    user = User.objects.create_user("ada")
    Voter.objects.filter(pk=alice.pk).update(user=user)
    other = Voter.objects.create(user=user)
    neighbour, stranger = seen(Voter.objects.create()), Voter.objects.create()
    day = ban_create(
        voter=alice, reason="a day", expires_at=timezone.now() + timedelta(days=1), actor=None
    )
    lasting = ban_create(voter=seen(bob), with_network=True, reason="for good", actor=None)
    rows = {voter.pk: voter for voter in operator.get(VOTERS).context["cl"].result_list}

    shown = {each: rows[each.pk].ban for each in (alice, other, bob, neighbour, stranger)}
    assert list(shown.values()) == [day.pk, day.pk, lasting.pk, lasting.pk, None]
    again = ban_create(voter=alice, reason="for good", actor=None)
    assert f'{again.pk}/change/">until it is lifted' in page(operator, VOTERS)


def test_a_voter_cannot_be_edited(operator: Client, alice: Voter) -> None:
    assert operator.get(f"{VOTERS}add/").status_code == 403
    assert operator.post(f"{VOTERS}{alice.pk}/change/", {"user": ""}).status_code == 403
    assert operator.post(f"{VOTERS}{alice.pk}/delete/").status_code == 403


# -- Banning from the list -------------------------------------------------------------------


def banning(voters: list[Voter], **said: str) -> dict[str, object]:
    fields = {"apply": "Ban", "reason": "a script", "days": "0"}
    ticked = {"_selected_action": [voter.pk for voter in voters], "action": "ban_voters"}
    return fields | ticked | said


def test_several_are_banned_with_their_networks(operator: Client, alice: Voter, bob: Voter) -> None:
    seen(alice)
    response = operator.post(VOTERS, banning([alice, bob], with_network="on"), follow=True)

    assert "Banned: 2 voters, 1 of their networks." in response.content.decode()
    assert {ban.voter for ban in Ban.objects.filter(expires_at=None)} == {alice, bob}
    assert watch().ban_of(Voter.objects.create(), HOME)


@pytest.mark.parametrize("said", [{"reason": " "}, {"days": "8"}, {"days": ""}, {"days": "-1"}])
def test_a_form_that_is_not_right_asks_again(
    operator: Client, alice: Voter, said: dict[str, str]
) -> None:
    response = operator.post(VOTERS, banning([alice], **said))

    assert response.status_code == 200
    assert "errorlist" in response.content.decode()
    assert not Ban.objects.exists()


def test_a_crowd_is_not_banned_by_one_click(operator: Client) -> None:
    crowd = Voter.objects.bulk_create(Voter() for _ in range(201))
    response = operator.post(VOTERS, banning(crowd), follow=True)

    assert "at most 200 voters at a time. Nobody was banned." in response.content.decode()
    assert not Ban.objects.exists()


def test_who_may_only_look_bans_nobody(client: Client, alice: Voter) -> None:
    assistant = only(client, "view_voter", "view_ban")
    ban = ban_create(voter=alice, reason="a script", actor=None)
    assistant.post(VOTERS, banning([alice]))
    assistant.post(BANS, {"_selected_action": [ban.pk], "action": "lift_bans"})

    assert "ban_voters" not in page(assistant, VOTERS)
    assert Ban.objects.get().lifted_at is None
    assert assistant.get(f"{BANS}add/").status_code == 403


# -- Bans ------------------------------------------------------------------------------------


def added(client: Client, **fields: object) -> str:
    """What the form for a ban answers: where it goes on, or its page with the errors."""
    dates = {"expires_at_0": "", "expires_at_1": ""}
    response = client.post(f"{BANS}add/", {"voter": "", "reason": "a script", **dates, **fields})
    return response.content.decode() or response["Location"]


def test_a_ban_is_added_by_hand(operator: Client, alice: Voter) -> None:
    end = {"expires_at_0": "2999-03-04", "expires_at_1": "15:06:00"}
    assert added(operator, voter=alice.pk, **end) == BANS
    ban = Ban.objects.get()

    assert (ban.voter, str(ban.created_by)) == (alice, "operator")
    assert f"{ban.expires_at:%Y-%m-%d %H:%M}" == "2999-03-04 15:06"
    assert "a script" in page(operator, f"{BANS}{ban.pk}/change/")


def test_an_address_is_banned_by_hand_and_not_kept(operator: Client) -> None:
    assert added(operator, address=str(HOME)) == BANS

    assert watch().ban_of(Voter.objects.create(), HOME)
    assert str(HOME) not in page(operator, f"{BANS}{Ban.objects.get().pk}/change/")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "keeps nobody out"),
        ({"voter": 99_999_999}, "valid choice"),
        ({"address": "203.0.113"}, "valid IPv4 or IPv6"),
        ({"address": str(HOME), "reason": ""}, "required"),
        (
            {"address": str(HOME), "expires_at_0": "2020-01-01", "expires_at_1": "00:00:00"},
            "still to come",
        ),
    ],
)
def test_what_makes_no_ban_is_said(operator: Client, fields: dict[str, object], said: str) -> None:
    assert said in added(operator, **fields)
    assert not Ban.objects.exists()


def test_the_list_tells_what_stands_what_is_over_and_what_was_lifted(
    operator: Client, alice: Voter
) -> None:
    made = {
        state: ban_create(
            voter=alice, reason=state, expires_at=timezone.now() + timedelta(days=1), actor=None
        )
        for state in ("standing", "expired", "lifted")
    }
    expired = Ban.objects.filter(pk=made["expired"].pk)
    expired.update(expires_at=F("expires_at") - timedelta(days=2))
    ban_lift(ban=made["lifted"], actor=None)

    for state, ban in made.items():
        listed = operator.get(f"{BANS}?state={state}").context["cl"].result_list
        assert [(each.pk, each.state) for each in listed] == [(ban.pk, state)]


def test_bans_are_lifted_from_the_list(operator: Client, alice: Voter, bob: Voter) -> None:
    bans = [ban_create(voter=voter, reason="a script", actor=None) for voter in (alice, bob)]
    ban_lift(ban=bans[1], actor=None)
    fields = {"_selected_action": [ban.pk for ban in bans], "action": "lift_bans"}
    answer = operator.post(BANS, fields, follow=True).content.decode()

    assert "Lifted: 1 bans." in answer
    assert f"Ban {bans[1].pk}: This ban has ended already" in answer
    assert str(Ban.objects.get(pk=bans[0].pk).lifted_by) == "operator"
    assert not watch().voters


def test_a_ban_is_never_edited_or_deleted(operator: Client, alice: Voter) -> None:
    ban = ban_create(voter=alice, reason="a script", actor=None)

    assert operator.post(f"{BANS}{ban.pk}/change/", {"reason": "else"}).status_code == 403
    assert operator.post(f"{BANS}{ban.pk}/delete/").status_code == 403
