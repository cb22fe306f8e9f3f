"""Operators look at battles and answers, steer the drawing, and see how endpoints do."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from arena.battles.models import (
    Answer,
    Battle,
    Boost,
    PairExclusion,
    PairWeights,
    Prompt,
    State,
    Turn,
)
from arena.battles.services import texts_erase, vote_cast, weights_push
from arena.catalog.circuits import revision_failed
from arena.catalog.models import Circuit, Contestant, Kind, Revision
from arena.core.models import AuditEntry
from arena.voters.models import Voter
from tests import factories
from tests.core.test_admin import HOSTILE, act, assert_harmless, at, page, queries, root, staff

pytestmark = pytest.mark.django_db
EXPOSURE = "/admin/battles/battle/exposure/"
VIEWING = ("battles.view_battle", "battles.view_answer")


def served(name: str) -> Revision:
    return factories.revision(name, Kind.OPENAI, endpoint="http://localhost/v1")


@pytest.fixture
def battle(alice: Voter) -> Battle:
    """A battle of two with hostile names and answers, whose first attempt failed on one side."""
    made = factories.battle(
        served(f"Wren {HOSTILE}"), served("Kite"), alice, state=State.COMPLETE, attempt=2
    )
    turn = Turn.objects.get(battle=made)
    turn.answers.update(
        text=f"answer {HOSTILE}",
        reasoning=f"thought {HOSTILE}",
        identity_claims=["I am Wren"],
        completion_tokens=1234,
        first_token_seconds=0.25,
        attempt=2,
    )
    Answer.objects.create(
        turn=turn, side="b", attempt=1, error_kind="Overloaded", error_detail=f"503 {HOSTILE}"
    )
    Turn.objects.update(prompt=f"Why {HOSTILE}?")
    return made


# -- Battles ---------------------------------------------------------------------------------


def test_it_works(battle: Battle) -> None:
    client = root()
    listing = page(client, at(Battle))
    detail = page(client, at(Battle, battle.pk, "change"))

    for revision in (battle.revision_a, battle.revision_b):
        assert f"/admin/catalog/revision/{revision.pk}/change/" in listing
    assert ">open<" in listing and "100 %" in listing
    assert "Attempt 1" in detail and "Attempt 2" in detail
    for said in ("Overloaded", "503 &lt;script", "I am Wren", "1,234", "0.25 s", "thought &lt;"):
        assert said in detail
    assert_harmless(listing)
    assert_harmless(detail)


def test_a_vote_is_a_link(battle: Battle, alice: Voter) -> None:
    client = root()
    assert "/admin/battles/vote/" not in fields_of(client, battle)
    vote = vote_cast(
        battle_id=battle.pk, attempt=battle.attempt, voter=alice, outcome="tie", key="key-of-a-test"
    )

    assert f"/admin/battles/vote/{vote.pk}/change/" in fields_of(client, battle)
    assert f"/admin/voters/voter/{alice.pk}/change/" in fields_of(client, battle)


def fields_of(client: Client, battle: Battle) -> str:
    """The page of a battle without the side bar."""
    return page(client, at(Battle, battle.pk, "change")).partition('id="content-main"')[2]


def test_texts_need_a_permission_of_their_own(battle: Battle) -> None:
    answer = Answer.objects.latest("pk")
    Answer.objects.update(text="the answer", reasoning="the thought")
    Turn.objects.update(prompt="the prompt")
    reader = staff("reader", *VIEWING)
    editor = staff("editor", *VIEWING, "battles.view_turn")
    addresses = (at(Battle, battle.pk, "change"), at(Answer, answer.pk, "change"))

    for address in addresses:
        for text in ("the prompt", "the answer", "the thought"):
            assert text not in page(reader, address)
    assert "battles.view_turn" in page(reader, addresses[0])
    for text in ("the prompt", "the answer", "the thought"):
        assert text in page(editor, addresses[0])


def test_erased_texts_are_said_to_be_erased(battle: Battle) -> None:
    texts_erase(battles=Battle.objects.all())

    assert "were erased" in page(root(), at(Battle, battle.pk, "change"))


def test_battles_need_their_permission(battle: Battle) -> None:
    nobody = staff("nobody")

    for address in (at(Battle), at(Battle, battle.pk, "change"), at(Answer), EXPOSURE):
        assert nobody.get(address).status_code == 403
    assert page(staff("reader", *VIEWING), EXPOSURE)


def found(client: Client, query: str, model: Any = Battle) -> int:
    """How many rows a list shows."""
    return page(client, f"{at(model)}?{query}").count('class="action-select"') or len(
        client.get(f"{at(model)}?{query}").context["cl"].result_list
    )


def test_battles_are_narrowed(battle: Battle, alice: Voter) -> None:
    other = factories.battle(battle.revision_b, battle.revision_b, alice, state=State.FAILED)
    Answer.objects.create(turn=other.turns.get(), side="a", error_kind="internal: KeyError")
    client = root()

    for query, number in (
        ("", 2),
        ("state__exact=failed", 1),
        ("error=any", 2),
        ("error=Overloaded", 1),
        ("error=internal", 1),
        ("error=Gone", 0),
        ("met=itself", 1),
        ("met=two", 1),
        ("q=wren", 1),
        ("q=Kite", 2),
        (f"q={str(other.pk)[:13]}", 1),
        ("q=%27", 1),
        ("created_at__gte=2000-01-01 00:00:00%2B00:00", 2),
    ):
        assert found(client, query) == number, query
    assert found(client, "error=Overloaded", Answer) == 1


def test_a_longer_list_takes_no_more_queries(alice: Voter) -> None:
    client = root()

    def more(number: int) -> None:
        battle = factories.battle(served(f"Wren {number}"), served(f"Kite {number}"), alice)
        vote_cast(
            battle_id=battle.pk,
            attempt=battle.attempt,
            voter=alice,
            outcome="tie",
            key=f"key-of-a-test-{number}",
        )
        weights_push(gains={}, unseen=1.0, votes=number)
        wren, kite = battle.revision_a.contestant, battle.revision_b.contestant
        Boost.objects.create(contestant=wren, factor=2.0, reason="new")
        PairExclusion.objects.create(first=wren, second=kite, reason="the same weights")
        revision_failed(revision_id=battle.revision_a_id, kind="TimedOut", detail="")
        factories.prompt(f"prompt-{number}")

    lists = [at(m) for m in (Battle, Answer, Prompt, PairWeights, Boost, PairExclusion, Circuit)]
    for number in range(2):
        more(number)
    short = [queries(client, address) for address in lists]
    for number in range(2, 8):
        more(number)

    assert [queries(client, address) for address in lists] == short


def test_more_turns_take_no_more_queries(battle: Battle) -> None:
    client = root()
    address = at(Battle, battle.pk, "change")
    short = queries(client, address)
    for number in range(2, 6):
        turn = Turn.objects.create(battle=battle, number=number, prompt="And then?")
        Answer.objects.create(turn=turn, side="a", text="so", **factories.STYLE)

    assert queries(client, address) == short


# -- Prompts ---------------------------------------------------------------------------------


def test_recorded_prompts_are_changed_by_hand_and_the_log_says_so(alice: Voter) -> None:
    client, fields = root(), {"slug": "sky", "text": f"Why {HOSTILE}?", "category": "knowledge"}
    client.post(at(Prompt, "add"), fields)
    prompt = Prompt.objects.get()
    client.post(at(Prompt, prompt.pk, "change"), fields | {"category": "physics"})
    factories.on_record(prompt, Wren="Because.")

    assert_harmless(page(client, at(Prompt, prompt.pk, "change")))
    assert '<td class="field-answered">1</td>' in page(client, at(Prompt))
    act(client, at(Prompt), "delete_selected", [prompt], post="yes")
    assert not Prompt.objects.exists()
    said = AuditEntry.objects.filter(action__startswith="prompt.").order_by("pk")
    assert [entry.action for entry in said] == ["prompt.create", "prompt.change", "prompt.delete"]
    assert said[1].detail == {"fields": ["category"]}


# -- Sampling --------------------------------------------------------------------------------


def adding(client: Client, model: Any, **fields: Any) -> Any:
    return client.post(at(model, "add"), {"ends_at_0": "", "ends_at_1": "", **fields})


def test_a_boost_is_added_with_its_reason_and_ended(battle: Battle) -> None:
    client = root()
    wren = battle.revision_a.contestant
    assert adding(client, Boost, contestant=wren.pk, factor=2, reason="New.").status_code == 302
    boost = Boost.objects.get()
    assert (boost.factor, str(boost.actor)) == (2.0, "root")
    assert AuditEntry.objects.get(action="boost.create").detail["reason"] == "New."

    asked = act(client, at(Boost), "end_now", [boost]).content.decode()
    assert "End boosts" in asked and 'name="reason"' in asked
    assert_harmless(asked)
    assert act(client, at(Boost), "end_now", [boost], reason="Votes enough.").status_code == 302
    boost.refresh_from_db()
    assert boost.ends_at is not None
    assert AuditEntry.objects.get(action="boost.end").detail["reason"] == "Votes enough."
    again = act(client, at(Boost), "end_now", [boost], reason="Again.").content.decode()
    assert "has ended already" in again


def test_two_are_kept_apart(battle: Battle) -> None:
    client = root()
    wren, kite = battle.revision_a.contestant, battle.revision_b.contestant
    refused = adding(client, PairExclusion, first=wren.pk, second=wren.pk, reason="Odd.")
    assert "Name two contestants" in refused.content.decode()
    added = adding(client, PairExclusion, first=wren.pk, second=kite.pk, reason="The same weights.")

    assert added.status_code == 302
    assert PairExclusion.objects.get().reason == "The same weights."


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"reason": " "}, "This field is required."),
        ({"factor": 1000}, "less than or equal to 100"),
        ({"ends_at_0": "2000-01-01", "ends_at_1": "00:00"}, "still to come"),
    ],
)
def test_a_boost_that_cannot_be(battle: Battle, fields: dict[str, Any], said: str) -> None:
    wren = battle.revision_a.contestant
    given = {"contestant": wren.pk, "factor": 2, "reason": "New.", **fields}

    assert said in adding(root(), Boost, **given).content.decode()
    assert not Boost.objects.exists()


def test_rules_are_never_edited_or_deleted(battle: Battle) -> None:
    client = root()
    rule = Boost.objects.create(contestant=Contestant.objects.first(), factor=2.0, reason="New.")

    assert "when it is ended" in page(client, at(Boost, rule.pk, "change"))
    for what in ("change", "delete"):
        assert client.post(at(Boost, rule.pk, what), {"post": "yes"}).status_code == 403
    act(client, at(Boost), "delete_selected", [rule], post="yes")
    assert Boost.objects.get().factor == 2.0


def test_ending_needs_the_permission(battle: Battle) -> None:
    rule = Boost.objects.create(contestant=Contestant.objects.first(), factor=2.0, reason="New.")
    reader = staff("reader", "battles.view_boost")
    act(reader, at(Boost), "end_now", [rule], reason="Mine.")

    assert Boost.objects.get().ends_at is None
    assert reader.get(at(Boost, "add")).status_code == 403


def test_rules_in_force_and_ended(battle: Battle) -> None:
    client, wren = root(), Contestant.objects.first()
    Boost.objects.create(contestant=wren, factor=2.0, reason="New.")
    Boost.objects.create(contestant=wren, factor=3.0, reason="Old.", ends_at=timezone.now())
    tomorrow = timezone.now() + timedelta(days=1)
    Boost.objects.create(contestant=wren, factor=4.0, reason="Now.", ends_at=tomorrow)

    assert found(client, "stands=yes", Boost) == 2
    assert found(client, "stands=no", Boost) == 1


def test_weights_show_the_pairs_that_they_favour(battle: Battle) -> None:
    client, lark = root(), served("Lark")
    pair = (battle.revision_a_id, battle.revision_b_id)
    weights_push(gains={pair: 0.01, (pair[0], lark.pk): 0.5}, unseen=0.2, votes=1234)
    listing = page(client, at(PairWeights))
    detail = page(client, at(PairWeights, PairWeights.objects.get().pk, "change"))

    assert "1,234" in listing and ">2<" in listing
    assert "Drawn most often" in detail and "Drawn least often" in detail
    most = detail.partition("Drawn most often")[2].partition("<tr>")[2].partition("<tr>")[2]
    assert "Lark" in most.partition("</tr>")[0]
    assert_harmless(detail)


def test_weights_without_anybody_to_draw() -> None:
    weights_push(gains={}, unseen=0.2, votes=0)
    detail = page(root(), at(PairWeights, PairWeights.objects.get().pk, "change"))

    assert "these weights decide nothing" in detail


# -- Exposure --------------------------------------------------------------------------------


def test_exposure_in_words(battle: Battle, alice: Voter) -> None:
    Battle.objects.bulk_create(
        Battle(
            **{"revision_a": battle.revision_a, "revision_b": battle.revision_b, "voter": alice},
            **{"draw_probability": 1.0, "owner": "test", "state": State.FAILED},
        )
        for _ in range(120)
    )
    text = page(root(), EXPOSURE)

    assert "121 battles of two different contestants were drawn since" in text
    assert "Measured against an even drawing" in text
    assert "× 1.00" in text
    assert "No A/A votes yet" in text
    assert_harmless(text)


def test_exposure_of_all_time_and_of_a_day_to_come(battle: Battle) -> None:
    client = root()

    assert "1 battle of two different contestants was drawn so far" in page(
        client, f"{EXPOSURE}?since="
    )
    assert "No battle has been drawn since" in page(client, f"{EXPOSURE}?since=2999-01-01")
    assert "Enter a valid date" in page(client, f"{EXPOSURE}?since=<script>")


def test_exposure_of_an_empty_arena() -> None:
    text = page(root(), EXPOSURE)

    assert "No battle has been drawn" in text
    assert "Nobody can be drawn" in text


def test_a_lean_to_a_side_is_said(alice: Voter) -> None:
    wren = served("Wren")
    for number in range(12):
        alone = factories.battle(wren, wren, alice)
        vote_cast(
            battle_id=alone.pk,
            attempt=alone.attempt,
            voter=alice,
            outcome="model_a",
            key=f"key-number-{number}",
        )
    text = page(root(), EXPOSURE)

    assert "12 votes on 12 battles of a contestant against itself" in text
    assert "people lean to the left" in text


# -- Endpoints -------------------------------------------------------------------------------


def test_an_endpoints_figures_stand_beside_its_breaker(battle: Battle) -> None:
    revision_failed(revision_id=battle.revision_b_id, kind="Overloaded", detail=HOSTILE)
    client, circuit = root(), Circuit.objects.get(revision=battle.revision_b)
    detail = page(client, at(Circuit, circuit.pk, "change"))
    listing = page(client, at(Circuit))

    for text in (listing, detail):
        assert "50.0 %: Overloaded 1" in text
        assert "0.25 s, p95 0.25 s" in text
        assert_harmless(text)
