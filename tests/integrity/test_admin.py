"""Operators look at votes, say which do not count, and keep out who cast them."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from arena.battles.models import Answer, Battle, Mode, Turn, Vote
from arena.battles.services import vote_cast
from arena.core.models import AuditEntry
from arena.integrity.imports import votes_import
from arena.integrity.models import Exclusion, Segment
from arena.integrity.sealing import votes_seal
from arena.integrity.services import votes_exclude
from arena.voters.models import Ban, Voter
from tests import factories
from tests.core.test_admin import HOSTILE, act, assert_harmless, at, page, queries, root, staff
from tests.leaderboard.test_refit import cycle

pytestmark = pytest.mark.django_db


def cast(voter: Voter, number: int, outcome: str = "model_a", **fields: Any) -> Vote:
    sides = fields.pop("sides", None) or [
        factories.revision(f"{name} {number} {HOSTILE}") for name in ("Wren", "Kite")
    ]
    battle = factories.battle(*sides, voter, **fields)
    return vote_cast(
        battle_id=battle.pk,
        attempt=battle.attempt,
        voter=voter,
        outcome=outcome,
        key=f"key-of-a-test-{number}",
    )


@pytest.fixture
def votes(alice: Voter, bob: Voter) -> list[Vote]:
    """A plain one, one on an answer that gave itself away, an A/A one, and a named one."""
    plain, claimed, named = cast(alice, 1), cast(bob, 2, "tie"), cast(alice, 4, mode=Mode.NAMED)
    Answer.objects.filter(turn=claimed.turn, side="b").update(identity_claims=["I am Kite"])
    alone = cast(bob, 3, sides=[plain.battle.revision_a] * 2)
    return [plain, claimed, alone, named]


def names(client: Client, query: str = "") -> list[str]:
    """Of the votes that a list shows, in its order."""
    rows = client.get(f"{at(Vote)}?{query}").context["cl"].result_list
    return [f"n:{vote.pk}" for vote in rows]


def named(*votes: Vote) -> list[str]:
    return [f"n:{vote.pk}" for vote in votes]


# -- Votes -----------------------------------------------------------------------------------


def test_it_works(votes: list[Vote]) -> None:
    votes_exclude(votes=named(votes[0]), rule="rigged", reason="a test")
    votes_exclude(votes=named(votes[0]), rule="bots", reason="a test")
    text = page(root(), at(Vote))

    assert "rigged, bots" in text
    assert "identity: B" in text
    assert "A/A" in text
    for vote in votes:
        assert f"/admin/battles/battle/{vote.battle_id}/change/" in text
        assert f"/admin/voters/voter/{vote.voter_id}/change/" in text
    assert_harmless(text)


def test_votes_are_narrowed(votes: list[Vote]) -> None:
    plain, claimed, alone, shown = votes
    votes_exclude(votes=named(plain), rule="rigged", reason="a test")
    client = root()

    for query, found in (
        ("", [alone, shown, claimed, plain]),
        ("flag=identity", [claimed]),
        ("flag=alone", [alone]),
        ("flag=named", [shown]),
        ("flag=any", [alone, shown, claimed]),
        ("counts=no", [plain]),
        ("counts=yes", [claimed]),
        ("counts=rule:rigged", [plain]),
        ("counts=rule:bots", []),
        ("outcome__exact=tie", [claimed]),
        (f"q=n:{plain.pk}", [plain]),
        ("q=Kite 4", [shown]),
        (f"q={claimed.voter_id}", [claimed, alone]),
        ("q=99999999999999999999", []),
    ):
        assert set(names(client, query)) == set(named(*found)), query


def test_a_lifted_exclusion_is_none(votes: list[Vote]) -> None:
    votes_exclude(votes=named(votes[0]), rule="rigged", reason="a test")
    client = root()
    act(client, at(Exclusion), "lift", [Exclusion.objects.get()], reason="A mistake.")

    assert names(client, "counts=no") == []


def test_a_claim_in_an_earlier_turn_counts(votes: list[Vote]) -> None:
    turn = votes[1].turn
    Turn.objects.filter(pk=turn.pk).update(number=2)
    earlier = Turn.objects.create(battle=turn.battle, number=1, prompt="Who are you?")
    claim = Answer.objects.get(turn=turn, side="b")
    Answer.objects.filter(pk=claim.pk).update(identity_claims=[])
    Answer.objects.create(
        turn=earlier, side="b", text="Kite", identity_claims=["I am Kite"], **factories.STYLE
    )
    client = root()

    assert names(client, "flag=identity") == named(votes[1])
    assert "identity: B" in page(client, at(Vote))


def test_only_the_final_answers_claims_count(votes: list[Vote]) -> None:
    turn = votes[1].turn
    Answer.objects.create(turn=turn, side="b", attempt=2, text="better", **factories.STYLE)
    client = root()

    assert names(client, "flag=identity") == []
    assert "identity: " not in page(client, at(Vote))


def test_a_vote_says_why_it_does_not_count(votes: list[Vote]) -> None:
    votes_exclude(votes=named(votes[1]), rule="rigged", reason=f"Bought {HOSTILE}")
    client = root()
    plain, claimed, alone, shown = (page(client, at(Vote, vote.pk, "change")) for vote in votes)

    assert "No exclusion names it" in plain
    assert "The answer of B gives itself away" in claimed and "stands" in claimed
    assert_harmless(claimed)
    assert "same_revision" in alone
    assert "named beforehand" in shown


def test_votes_need_their_permission_and_are_never_changed(votes: list[Vote]) -> None:
    client, vote = root(), votes[0]

    assert staff("nobody").get(at(Vote)).status_code == 403
    assert page(staff("reader", "battles.view_vote"), at(Vote))
    for what in ("change", "delete"):
        assert client.post(at(Vote, vote.pk, what), {"post": "yes"}).status_code == 403
    act(client, at(Vote), "delete_selected", [vote], post="yes")
    assert Vote.objects.filter(pk=vote.pk).exists()


def test_a_longer_list_takes_no_more_queries(alice: Voter) -> None:
    client = root()

    def more(number: int) -> None:
        vote = cast(Voter.objects.create(), number)
        votes_exclude(votes=named(vote), rule="rigging", reason="a test")
        Answer.objects.filter(turn=vote.turn).update(identity_claims=["I am"])

    for number in range(2):
        more(number)
    short = [queries(client, at(model)) for model in (Vote, Exclusion)]
    for number in range(2, 8):
        more(number)

    assert [queries(client, at(model)) for model in (Vote, Exclusion)] == short


# -- Excluding -------------------------------------------------------------------------------


def test_selected_votes_are_excluded_with_rule_and_reason(votes: list[Vote]) -> None:
    client = root()
    asked = act(client, at(Vote), "exclude_votes", votes[:2]).content.decode()
    assert 'name="rule"' in asked and 'name="reason"' in asked
    assert f"n:{votes[0].pk}: Wren 1 " in asked and "A is better" in asked
    assert_harmless(asked)
    assert not Exclusion.objects.exists()

    answer = {"rule": "rigged", "reason": "Bought."}
    done = act(client, at(Vote), "exclude_votes", votes[:2], **answer)
    assert done.status_code == 302
    assert {row.vote for row in Exclusion.objects.all()} == set(named(*votes[:2]))
    assert {(row.rule, row.reason, str(row.actor)) for row in Exclusion.objects.all()} == {
        ("rigged", "Bought.", "root")
    }
    assert AuditEntry.objects.get(action="votes.exclude").detail["reason"] == "Bought."
    assert "Excluded under rigged, from the next refit on: 2 votes." in page(
        client, done["Location"]
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"rule": "Two words", "reason": "x"}, "Write one word of small letters"),
        ({"rule": "rigged", "reason": " "}, "This field is required."),
    ],
)
def test_what_is_missing_is_asked_again(
    votes: list[Vote], answer: dict[str, str], said: str
) -> None:
    page_again = act(root(), at(Vote), "exclude_votes", votes, **answer).content.decode()

    assert said in page_again
    assert not Exclusion.objects.exists()


def test_only_what_was_chosen_is_excluded(votes: list[Vote], alice: Voter) -> None:
    """All of a list are chosen, and a vote comes in before the reason is given."""
    client, address = root(), at(Vote)
    chosen = {"action": "exclude_votes", "select_across": "1", "index": "0"}
    ticked = {"_selected_action": [votes[0].pk]}
    asked = client.post(address, chosen | ticked).content.decode()
    carried = asked.partition('name="chosen" value="')[2].partition('"')[0]
    late = cast(alice, 9)
    answer = {"answered": "1", "chosen": carried, "rule": "rigged", "reason": "All of them."}
    client.post(address, {"action": "exclude_votes"} | ticked | answer)

    assert Exclusion.objects.count() == len(votes)
    assert not Exclusion.objects.filter(vote=f"n:{late.pk}").exists()


def test_too_many_at_once_are_refused(votes: list[Vote], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.core.admin.MOST_AT_ONCE", 2)
    client = root()
    refused = act(client, at(Vote), "exclude_votes", votes)

    assert "At most 2 at a time. Nothing was changed" in page(client, refused["Location"])


def test_forged_choices_are_refused(votes: list[Vote]) -> None:
    forged = {"action": "exclude_votes", "_selected_action": [1], "answered": "1"}
    answer = {"chosen": "1,x", "rule": "rigged", "reason": "x"}

    assert root().post(at(Vote), forged | answer).status_code == 400


def test_excluding_needs_the_permission(votes: list[Vote]) -> None:
    reader = staff("reader", "battles.view_vote", "integrity.view_exclusion")
    act(reader, at(Vote), "exclude_votes", votes, rule="rigged", reason="Mine.")
    act(reader, at(Vote), "ban_voters", votes, reason="Mine.", days="7")
    assert reader.get(at(Exclusion, "add")).status_code == 403
    adder = staff("adder", "battles.view_vote", "integrity.add_exclusion")
    act(adder, at(Vote), "exclude_votes", votes[:1], rule="rigged", reason="Bought.")

    assert Exclusion.objects.count() == 1
    assert not Ban.objects.exists()


def test_the_voters_of_selected_votes_are_banned(votes: list[Vote], bob: Voter) -> None:
    client = root()
    asked = act(client, at(Vote), "ban_voters", votes[1:3]).content.decode()
    assert 'name="days"' in asked
    done = act(client, at(Vote), "ban_voters", votes[1:3], reason="A robot.", days="7")

    assert done.status_code == 302
    ban = Ban.objects.get()
    assert (ban.voter, ban.reason, str(ban.created_by)) == (bob, "A robot.", "root")
    assert ban.expires_at is not None
    assert AuditEntry.objects.get(action="ban.create").detail["reason"] == "A robot."


# -- Exclusions ------------------------------------------------------------------------------


def excluding(client: Client, **fields: str) -> Any:
    given = {"votes": "", "rule": "rigged", "reason": "Bought."}
    return client.post(at(Exclusion, "add"), given | fields)


def test_votes_are_excluded_by_name(votes: list[Vote], tmp_path: Path) -> None:
    segment = votes_import(path=cycle(tmp_path)).segment
    assert segment is not None
    client = root()
    assert 'name="votes"' in page(client, at(Exclusion, "add"))
    lines = f"n:{votes[0].pk}\r\n{segment.sha256}:3\r\n\r\nn:{votes[0].pk}"
    assert excluding(client, votes=lines)["Location"] == at(Exclusion)

    assert {row.vote for row in Exclusion.objects.all()} == {
        f"n:{votes[0].pk}",
        f"{segment.sha256}:3",
    }
    text = page(client, at(Exclusion))
    assert f"/admin/battles/vote/{votes[0].pk}/change/" in text
    assert f"{segment.sha256[:12]}…:3" in text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"votes": "n:999999"}, "There is no vote n:999999. Nothing was excluded."),
        ({"votes": HOSTILE}, "names no vote"),
        ({"votes": " "}, "This field is required."),
        ({"rule": "Two words"}, "Write one word of small letters"),
        ({"reason": ""}, "This field is required."),
        ({"votes": "n:1 " * 10_001}, "At most 10,000 at a time."),
    ],
)
def test_an_exclusion_that_cannot_be(votes: list[Vote], fields: dict[str, str], said: str) -> None:
    text = excluding(root(), **{"votes": f"n:{votes[0].pk}", **fields}).content.decode()

    assert said in text
    assert HOSTILE not in text
    assert not Exclusion.objects.exists()


def test_exclusions_are_lifted_with_a_reason_and_stay(votes: list[Vote]) -> None:
    votes_exclude(votes=named(*votes[:2]), rule="rigged", reason=HOSTILE)
    client, rows = root(), list(Exclusion.objects.all())
    asked = act(client, at(Exclusion), "lift", rows).content.decode()
    assert "Lift exclusions" in asked and "rigged" in asked
    assert act(client, at(Exclusion), "lift", rows, reason="A mistake.").status_code == 302

    assert Exclusion.objects.filter(lifted_by__username="root").count() == 2
    said = AuditEntry.objects.filter(action="votes.exclusion_lift")
    assert {entry.detail["reason"] for entry in said} == {"A mistake."}
    assert_harmless(page(client, at(Exclusion)))


def test_of_several_nothing_is_lifted_where_one_is_lifted_already(votes: list[Vote]) -> None:
    votes_exclude(votes=named(*votes[:2]), rule="rigged", reason="a test")
    client, rows = root(), list(Exclusion.objects.order_by("-pk"))
    act(client, at(Exclusion), "lift", rows[:1], reason="A mistake.")
    text = act(client, at(Exclusion), "lift", rows, reason="All.").content.decode()

    assert "was lifted already" in text
    assert Exclusion.objects.filter(lifted_at=None).count() == 1


def test_exclusions_standing_and_lifted(votes: list[Vote]) -> None:
    votes_exclude(votes=named(*votes), rule="rigged", reason="a test")
    client = root()
    act(client, at(Exclusion), "lift", [Exclusion.objects.first()], reason="A mistake.")

    def count(query: str) -> int:
        return len(client.get(f"{at(Exclusion)}?{query}").context["cl"].result_list)

    assert (count("stands=yes"), count("stands=no"), count("rule=rigged")) == (3, 1, 4)


def test_lifting_needs_the_permission(votes: list[Vote]) -> None:
    votes_exclude(votes=named(votes[0]), rule="rigged", reason="a test")
    reader = staff("reader", "integrity.view_exclusion", "integrity.add_exclusion")
    act(reader, at(Exclusion), "lift", [Exclusion.objects.get()], reason="Mine.")

    assert Exclusion.objects.get().lifted_at is None


def test_an_exclusion_is_never_edited_or_deleted(votes: list[Vote]) -> None:
    votes_exclude(votes=named(votes[0]), rule="rigged", reason="a test")
    client, row = root(), Exclusion.objects.get()

    assert "a test" in page(client, at(Exclusion, row.pk, "change"))
    for what in ("change", "delete"):
        assert client.post(at(Exclusion, row.pk, what), {"post": "yes"}).status_code == 403
    assert Exclusion.objects.get().reason == "a test"


# -- Segments --------------------------------------------------------------------------------


def test_segments_say_what_they_hold(votes: list[Vote], tmp_path: Path) -> None:
    votes_import(path=cycle(tmp_path))
    votes_seal()
    text = page(root(), at(Segment))

    assert "cycle.csv" in text
    assert f"n:1 to n:{max(vote.pk for vote in votes)}" in text
    assert Battle.objects.count() == len(votes)
