"""Sealing: votes become a file that never changes, none lost and none doubled."""

import hashlib
import os
import threading
import time
from datetime import timedelta
from io import StringIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from arena.battles.models import (
    Answer,
    Battle,
    CategoryRule,
    Judgement,
    Mode,
    Pacing,
    State,
    Turn,
    Vote,
)
from arena.battles.rules import rule_create
from arena.battles.services import vote_cast
from arena.battles.tagging import CRITERIA
from arena.core.models import AuditEntry
from arena.integrity import files
from arena.integrity.chain import chain_verify, segment_add
from arena.integrity.exceptions import ChainBroken, SegmentMissing
from arena.integrity.models import Origin, Segment
from arena.integrity.sealing import orphans_sweep, votes_seal
from arena.integrity.selectors import votes_read, votes_state
from arena.integrity.services import votes_exclude
from arena.integrity.streams import VoteFilter, votes_stream
from arena.voters.models import Voter
from ranking.tables import COLUMNS
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def battle(alice: Voter) -> Battle:
    return factories.battle(factories.revision("heron"), factories.revision("swift"), alice)


def another(battle: Battle, **fields: object) -> Battle:
    return factories.battle(battle.revision_a, battle.revision_b, battle.voter, **fields)


def cast(battle: Battle, outcome: str = "model_b") -> Vote:
    key = f"key-{battle.pk.hex}"
    return vote_cast(
        battle_id=battle.pk, attempt=battle.attempt, voter=battle.voter, outcome=outcome, key=key
    )


def sealed() -> Segment:
    segment = votes_seal()
    assert segment is not None
    return segment


def rows_of(segment: Segment) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = pq.read_table(files.local(segment.sha256)).to_pylist()
    return rows


def texts_of(segment: Segment) -> list[dict[str, object]]:
    with files.storages[files.TEXTS].open(files.name_of(segment.sha256)) as file:
        rows: list[dict[str, object]] = pq.read_table(file).to_pylist()
    return rows


def test_it_works(battle: Battle, alice: Voter) -> None:
    vote = cast(battle)
    segment = sealed()

    assert (segment.origin, segment.rows) == (Origin.NATIVE, 1)
    assert files.sha256_of(files.local(segment.sha256)) == segment.sha256
    [row] = rows_of(segment)
    assert row["id"] == f"n:{vote.pk}"
    assert (row["model_a"], row["model_b"], row["winner"]) == ("heron", "swift", "model_b")
    assert row["voter"] == alice.pseudonym
    assert row["revision_a"] == battle.revision_a.identity
    assert row["timestamp"] == vote.created_at
    assert (row["tokens_a"], row["draw_probability"], row["pacing"]) == (40.0, 1.0, "equal")
    assert (row["evaluation_order"], row["flags"], row["excluded"]) == (1, None, None)
    assert AuditEntry.objects.get(action="segment.add").subject == segment.sha256


def test_a_recorded_prompt_has_one_name_that_says_nothing(battle: Battle) -> None:
    prompts = [factories.prompt("why-sky"), factories.prompt("why-sea")]
    for recorded in (prompts[0], prompts[0], prompts[1]):
        cast(another(battle, mode=Mode.RECORDED, recorded_prompt=recorded))
    cast(battle)
    segment = sealed()
    first, again, other, typed = [row["prompt_id"] for row in rows_of(segment)]

    assert first == again != other
    assert typed is None
    assert b"why-sky" not in files.local(segment.sha256).read_bytes()


def test_neither_texts_nor_the_voter_are_in_the_votes(battle: Battle, alice: Voter) -> None:
    cast(battle)
    content = files.local(sealed().sha256).read_bytes()

    for secret in (alice.key, battle.pk.hex, str(battle.pk), "Why is the sky blue?", "answer a"):
        assert secret.encode() not in content


def test_texts_lie_beside_the_votes_and_their_digests_among_them(battle: Battle) -> None:
    cast(battle)
    segment = sealed()

    [row], [text] = rows_of(segment), texts_of(segment)
    assert text["id"] == row["id"]
    assert text["conversation_b"] == [
        {"role": "user", "content": "Why is the sky blue?"},
        {"role": "assistant", "content": "answer b"},
    ]
    digest = hashlib.sha256(f"{text['salt']}answer b".encode()).hexdigest()
    assert row["answer_sha256_b"] == digest


def test_a_conversation_holds_all_turns_up_to_the_vote(battle: Battle) -> None:
    second = Turn.objects.create(battle=battle, number=2, prompt="And at night?")
    for side in "ab":
        Answer.objects.create(turn=second, side=side, text=f"black {side}", **factories.STYLE)
    cast(another(battle))
    cast(battle)
    segment = sealed()

    assert [row["evaluation_order"] for row in rows_of(segment)] == [1, 2]
    talk = [message["content"] for message in texts_of(segment)[1]["conversation_a"]]
    assert talk == ["Why is the sky blue?", "answer a", "And at night?", "black a"]


def test_a_claim_in_an_earlier_turn_is_sealed_with_the_vote(battle: Battle) -> None:
    Answer.objects.filter(turn__battle=battle, side="a").update(identity_claims=["I am Heron"])
    second = Turn.objects.create(battle=battle, number=2, prompt="And at night?")
    for side in "ab":
        Answer.objects.create(turn=second, side=side, text=f"black {side}", **factories.STYLE)
    cast(battle)

    assert [row["flags"] for row in rows_of(sealed())] == ["identity_a"]


def test_of_several_attempts_the_last_is_sealed(battle: Battle) -> None:
    turn = battle.turns.get()
    retried = factories.STYLE | {"tokens": 7}
    Answer.objects.create(turn=turn, side="a", attempt=2, text="better", **retried)
    cast(battle)
    segment = sealed()

    assert [row["tokens_a"] for row in rows_of(segment)] == [7.0]
    assert texts_of(segment)[0]["conversation_a"][1]["content"] == "better"


def test_flags_and_structural_rules_are_sealed(battle: Battle) -> None:
    Answer.objects.filter(turn__battle=battle, side="b").update(identity_claims=["I am Swift"])
    same = factories.battle(battle.revision_a, battle.revision_a, battle.voter)
    for one in (battle, same, another(battle, mode=Mode.NAMED)):
        cast(one)
    rows = rows_of(sealed())

    assert [row["flags"] for row in rows] == ["identity_b", None, None]
    assert [row["excluded"] for row in rows] == [None, "same_revision", "named"]


def test_categories_are_sealed_under_the_fields_names(battle: Battle) -> None:
    tags = {"code": True, "if": False, "math": True, "prompts.knowledge": True}
    tagged = another(battle, categories=tags, language="fr", recorded_prompt=factories.prompt())
    for one in (battle, tagged):
        cast(one)
    old, new = rows_of(sealed())

    assert (new["is_code"], new["language"]) == (True, "fr")
    assert new["category_tag.math_v0.1.math"] is True
    assert new["category_tag.if_v0.1.if"] is False
    assert new["category_tag.prompts.knowledge"] is True
    assert new["category_tag.creative_writing_v0.1.creative_writing"] is None
    assert new["category_tag.multi_turn"] is False
    # Of a battle that was not looked at nothing is known, which is not that it has no tag.
    assert (old["is_code"], old["language"], old["category_tag.math_v0.1.math"]) == (None,) * 3
    assert not [name for name in new if "criteria" in name]


def test_a_vote_on_a_later_turn_is_of_several(battle: Battle) -> None:
    second = Turn.objects.create(battle=battle, number=2, prompt="And at night?")
    for side in "ab":
        Answer.objects.create(turn=second, side=side, text=f"black {side}", **factories.STYLE)
    cast(battle)

    assert [row["category_tag.multi_turn"] for row in rows_of(sealed())] == [True]


def test_verdicts_and_rules_are_sealed_where_there_are_any(battle: Battle) -> None:
    rule_create(rule=CategoryRule(slug="tax_law", words="VAT"))
    met = dict.fromkeys(CRITERIA, True)
    judged = another(battle, categories={**met, "rule.tax_law": True})
    Judgement.objects.create(battle=judged, verdict=met, model="solomon")
    for one in (judged, battle):
        cast(one)
    rows = rows_of(sealed())
    rule_create(rule=CategoryRule(slug="later", words="VAT"))
    cast(another(battle))
    [row] = rows_of(sealed())

    for column in ("category_tag.rule.tax_law", "category_tag.criteria_v0.1.complexity"):
        assert [row[column] for row in rows] == [True, None]
    assert "category_tag.rule.later" in row and "category_tag.rule.later" not in rows[0]


def test_the_tail_has_the_categories_that_its_segment_will_have(battle: Battle) -> None:
    cast(another(battle, categories={"code": False, "math": True}))
    tags = ["is_code", "category_tag.math_v0.1.math", "category_tag.short_prompt"]
    before = votes_read().table.select(tags).to_pylist()
    streamed = votes_stream(VoteFilter(category="math_v0.1.math"))
    assert [table.num_rows for table in streamed.tables()] == [1]
    sealed()

    assert votes_read().table.select(tags).to_pylist() == before
    assert list(before[0].values()) == [False, True, None]


def test_timings_are_sealed_where_a_voter_could_feel_them(battle: Battle) -> None:
    Answer.objects.update(first_token_seconds=0.25)
    native = another(battle, pacing=Pacing.NATIVE)
    recorded = another(battle, pacing=Pacing.NATIVE, mode=Mode.RECORDED)
    Answer.objects.update(first_token_seconds=0.25)
    for one in (battle, native, recorded):
        cast(one)

    assert [row["first_token_a"] for row in rows_of(sealed())] == [None, 0.25, None]


def test_sealing_again_adds_nothing(battle: Battle) -> None:
    cast(battle)
    said = StringIO()
    call_command("seal", stdout=said)
    call_command("seal", stdout=said)

    first, second = said.getvalue().splitlines()
    assert first.startswith("1 votes sealed as ")
    assert second == "Every vote is sealed; nothing was added."
    assert Segment.objects.count() == 1


def test_each_seal_goes_on_where_the_last_one_ended(battle: Battle) -> None:
    votes = [cast(battle), cast(another(battle))]
    first = sealed()
    votes += [cast(another(battle))]
    second = sealed()

    assert (first.rows, second.rows, second.predecessor) == (2, 1, first.link)
    assert (second.after_vote, second.last_vote) == (votes[1].pk, votes[2].pk)
    assert chain_verify() == 2


def test_the_same_votes_give_the_same_file(battle: Battle) -> None:
    cast(battle)
    cast(another(battle), "tie")
    first = sealed()
    Segment.objects.all()._raw_delete("default")  # as if it had died before the row

    assert sealed().sha256 == first.sha256


def test_reading_is_the_same_before_and_after(battle: Battle) -> None:
    vote = {"model_a": ["heron"], "model_b": ["swift"], "winner": ["tie"]}
    table = pa.table({name: pa.array(value, COLUMNS[name]) for name, value in vote.items()})
    segment_add(table=table, origin=Origin.IMPORT, source_name="votes.csv")
    excluded, _ = cast(battle), cast(another(battle))
    votes_exclude(votes=[f"n:{excluded.pk}"], rule="rigging", reason="a test")
    columns = [name for name in votes_read().table.column_names if "sha256" not in name]
    before = votes_read().table.select(columns).to_pylist()
    sealed()

    assert votes_read().table.select(columns).to_pylist() == before
    assert votes_read().state == votes_state()
    assert [row["excluded"] for row in before] == [None, "rigging", None]


def test_sealed_votes_can_be_excluded_by_id_and_by_row(battle: Battle) -> None:
    votes = [cast(battle), cast(another(battle)), cast(another(battle))]
    segment = sealed()
    votes_exclude(votes=[f"n:{votes[2].pk}"], rule="rigging", reason="a test")
    votes_exclude(votes=[f"{segment.sha256}:0"], rule="bots", reason="a test")

    for columns in (None, ["winner", "excluded"]):
        assert votes_read(columns).table["excluded"].to_pylist() == ["bots", None, "rigging"]


def test_an_arena_without_votes_has_nothing_to_seal() -> None:
    assert votes_seal() is None
    assert votes_read().table.num_rows == 0


def test_an_altered_segment_is_noticed(battle: Battle) -> None:
    cast(battle)
    path = files.local(sealed().sha256)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    with pytest.raises(ChainBroken, match=path.name):
        chain_verify()
    path.unlink()
    with pytest.raises(SegmentMissing, match=path.name):
        chain_verify()


def test_what_dead_processes_left_is_swept_after_a_day(battle: Battle) -> None:
    cast(battle)
    segment = sealed()
    folder = files.local(segment.sha256).parent
    orphan, making, young = (folder / f"{'0' * 64}.parquet", folder / ".making-x", folder / "new")
    old = (timezone.now() - timedelta(days=2)).timestamp()
    for path in (orphan, making, young):
        path.write_bytes(b"left")
    for path in (orphan, making, files.local(segment.sha256)):
        os.utime(path, (old, old))

    assert orphans_sweep() == 2
    assert sorted(folder.iterdir()) == sorted([files.local(segment.sha256), young])


@pytest.mark.django_db(transaction=True)
def test_votes_cast_while_seals_run_are_neither_lost_nor_doubled(alice: Voter) -> None:
    """Eight writers vote while two sealers seal again and again."""
    wren, kite = factories.revision("Wren"), factories.revision("Kite")
    battles = [factories.battle(wren, kite, alice) for _ in range(96)]
    unexpected: list[BaseException] = []
    begun, done = threading.Event(), threading.Event()

    def write(number: int) -> None:
        for count, battle in enumerate(battles[number::8]):
            if count == 6:  # so that both go on side by side on a slow machine, too
                begun.wait(timeout=5)
            cast(battle)

    def seal() -> None:
        while not done.is_set():
            if votes_seal():
                begun.set()
            time.sleep(0.01)

    def guarded(work: object, *arguments: object) -> None:
        try:
            work(*arguments)  # type: ignore[operator]
        except BaseException as error:
            unexpected.append(error)
        finally:
            connections.close_all()

    sealers = [threading.Thread(target=guarded, args=(seal,)) for _ in range(2)]
    writers = [threading.Thread(target=guarded, args=(write, n)) for n in range(8)]
    for thread in [*sealers, *writers]:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in sealers:
        thread.join()
    votes_seal()

    assert unexpected == []
    names = [row["id"] for segment in Segment.objects.order_by("id") for row in rows_of(segment)]
    assert names == [f"n:{pk}" for pk in Vote.objects.order_by("pk").values_list("pk", flat=True)]
    assert len(names) == len(battles)
    assert chain_verify() == Segment.objects.count() > 1
    assert not Battle.objects.exclude(state=State.VOTED).exists()
