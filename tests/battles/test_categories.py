"""Prompts are put into categories: by what they say, by operators' rules, and by a judge."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import override_settings

from arena.battles.checks import the_judge_can_be_asked
from arena.battles.judging import prompts_judge
from arena.battles.languages import language_of
from arena.battles.models import Battle, CategoryRule, Judgement, Mode, Turn
from arena.battles.rules import (
    MOST_ACTIVE,
    asked_of,
    rule_create,
    rule_holds,
    rule_switch,
    rule_try,
)
from arena.battles.services import texts_erase, vote_cast
from arena.battles.starting import Question, battle_start
from arena.battles.tagging import CRITERIA, own_tags, tags_of
from arena.catalog.models import Kind
from arena.core.exceptions import BadInput, Conflict
from arena.core.models import AuditEntry
from arena.integrity.sealing import votes_seal
from arena.voters.models import Voter
from tests import factories
from tests.core.test_admin import HOSTILE, assert_harmless, at, page, queries, root, staff

ASKED = "Write a poem about the sea in exactly three lines."
COUNTS = "/admin/battles/categoryrule/counts/"


def tagged(text: str) -> set[str]:
    return {tag for tag, has in tags_of(text).items() if has}


def begun(voter: Voter, prompt: str = "", recorded: str = "") -> Battle:
    """A battle as a visitor begins it."""
    question = Question(prompt=prompt, recorded=recorded)
    started = battle_start(battle_id=uuid4(), voter=voter, owner="test", question=question)
    assert started is not None
    return Battle.objects.get(pk=started.battle.pk)


@pytest.fixture
def two_served(db: None) -> None:
    for name in ("Wren", "Kite"):
        factories.revision(name, Kind.OPENAI, endpoint="http://localhost/v1")


# -- By what a prompt says -------------------------------------------------------------------


@pytest.mark.django_db
def test_it_works(two_served: None, alice: Voter) -> None:
    battle = begun(alice, ASKED)

    assert battle.language == "en"
    assert {tag for tag, has in battle.categories.items() if has} == {
        *("creative_writing", "if", "short_prompt")
    }
    assert battle.categories["code"] is False


@pytest.mark.parametrize(
    ("prompt", "tag"),
    [
        ("```\nx\n```\nWhat is this?", "code"),
        ("def area(r):\n    return 3.14 * r * r", "code"),
        ("a = f(b);\nc = g(a);", "code"),
        ("Why is 0.1 + 0.2 !== 0.3 in JavaScript?", "code"),
        ("css定位中relative是什么意思?", "code"),
        ("用Python写一个爬虫", "code"),
        ("Écris un script qui renomme mes fichiers", "code"),
        ("Solve 2x + 3 = 7", "math"),
        ("What is 234 * 567?", "math"),
        ("Prove that the sum of two even integers is even.", "math"),
        ("求函数的导数", "math"),
        ("Quelle est la dérivée de cette fonction ?", "math"),
        ("I have 3 apples and buy 4. I eat one. How many apples do I have?", "math"),
        ("Tell me a short bedtime story", "creative_writing"),
        ("写一首关于雨的诗", "creative_writing"),
        ("Écris-moi un poème sur la pluie", "creative_writing"),
        ("Raconte-moi une petite histoire", "creative_writing"),
        ("Explain gravity in no more than two sentences.", "if"),
        ("List the planets. Do not use bullet points.", "if"),
        ("Answer as valid JSON.", "if"),
        ("请用三个要点总结《哈姆雷特》", "if"),
        ("Résume Hamlet en trois phrases sans utiliser le mot « roi ».", "if"),
        ("Why?", "short_prompt"),
        ("word " * 500, "long_prompt"),
    ],
)
def test_explicit_signs_are_found(prompt: str, tag: str) -> None:
    assert tag in tagged(prompt)


@pytest.mark.parametrize(
    ("prompt", "tag"),
    [
        ("How do I feed a ball python?", "code"),
        ("Dear all, the meeting is at noon; please come.", "code"),
        ("What is 1 + 1 in JavaScript?", "math"),
        ("Is it open 24/7 on 2024-05-01?", "math"),
        ("Prove that you are not a robot.", "math"),
        ("Write a summary of this story.", "creative_writing"),
        ("Raconte-moi l'histoire de France", "creative_writing"),
        ("Write a user story for the login page", "creative_writing"),
        ("I walked for two hours without a break.", "if"),
        ("What do these words mean?", "if"),
    ],
)
def test_what_only_looks_like_it_is_not(prompt: str, tag: str) -> None:
    assert tag not in tagged(prompt)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "1",
            "x =",
            "\t",
            "写",
            "write a ",
            "SELECT ",
            "show that ",
            "how many a ",
            "must ",
            "<a ",
        ),
        *("a" * 199 + "\n", "```\n", "x-1"),
    ],
)
def test_no_prompt_keeps_the_arena_busy(text: str) -> None:
    began = time.process_time()
    tags_of(text * (20_000 // len(text)))
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Why is the sky blue?", "en"),
        ("Pourquoi le ciel est-il bleu ?", "fr"),
        ("为什么天空是蓝色的？", "zh"),
        ("Warum ist der Himmel blau?", "de"),
        ("¿Por qué el cielo es azul?", "es"),
        ("空はなぜ青いのですか？", "ja"),
        ("x^2 - 5x + 6 = 0", ""),
        ("```python\nimport this\n```", ""),
        ("https://example.com/le/ciel/est/bleu", ""),
        ("ok", ""),
        ("???", ""),
    ],
)
def test_languages_are_told_and_what_is_unsure_is_not(text: str, code: str) -> None:
    assert language_of(text) == code


# -- Recorded prompts ------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_the_operator_says_of_a_recorded_prompt_holds(alice: Voter) -> None:
    prompt = factories.prompt(text="Tell me which is larger.")
    prompt.category, prompt.language = "Mathematics", "sw"
    prompt.save()
    factories.on_record(prompt, Wren="A.", Kite="B.")
    battle = begun(alice, recorded=prompt.slug)

    assert (battle.categories["math"], battle.language) == (True, "sw")


def test_a_category_of_the_operators_own_is_a_tag_of_its_own() -> None:
    assert own_tags("Tax law (EU)") == {"prompts.tax_law_eu": True}
    assert own_tags("知识") == {"prompts.知识": True}
    assert own_tags("Coding") == {"code": True}
    assert own_tags(" – ") == own_tags("") == {}


# -- Rules -----------------------------------------------------------------------------------


def holds(text: str, **stated: Any) -> bool:
    return rule_holds(CategoryRule(slug="trial", **stated), asked_of(text, "en"))


def test_words_are_found_as_words() -> None:
    assert holds("The TAX, they say", words="tax\nincome statement")
    assert holds("my income statement", words="tax\nincome statement")
    assert not holds("a taxi, s'il vous plaît", words="tax")
    assert holds("增值税怎么算", words="税")
    assert holds("l'été dernier", words="été") and not holds("étés", words="été")
    assert holds("C++ or C#?", words="c++") and not holds("CC", words="c++")


def test_all_that_a_rule_states_must_hold() -> None:
    rule = CategoryRule(slug="trial", words="tax", language="fr", least_tokens=3)
    assert rule_holds(rule, asked_of("la tax est due", "fr"))
    for text, language in (("la tax est due", "en"), ("tax", "fr"), ("la tva est due", "fr")):
        assert not rule_holds(rule, asked_of(text, language))
    assert holds("Article 12", pattern=r"article \d+") and not holds("12", pattern=r"article \d+")
    assert not holds("tax", words="tax", collection_id=7)


@pytest.mark.django_db
def test_battles_bear_the_tags_of_active_rules(two_served: None, alice: Voter) -> None:
    rule = rule_create(rule=CategoryRule(slug="tax_law", words=" tax \n\nVAT "))
    assert rule.words == "tax\nVAT"
    with_tag, without = begun(alice, "Who pays VAT?"), begun(alice, "Who pays rent?")
    rule_switch(rule=rule, is_active=False)
    later = begun(alice, "Who pays VAT?")

    assert with_tag.categories["rule.tax_law"] is True
    assert without.categories["rule.tax_law"] is False
    assert "rule.tax_law" not in later.categories
    with pytest.raises(Conflict):
        rule_switch(rule=rule, is_active=False)
    assert [entry.action for entry in AuditEntry.objects.order_by("id")] == [
        *("category_rule.create", "category_rule.stop")
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({}, "at least one condition"),
        ({"words": "a", "slug": "math"}, "of that name"),
        ({"words": "a", "slug": "Tax law"}, "Small letters"),
        ({"pattern": "("}, "RE2 does not take it: missing"),
        ({"pattern": r"(a)\1"}, "RE2 does not take it: invalid escape"),
        ({"pattern": "((a{100}){100}){10}"}, "RE2 does not take it"),
        ({"pattern": "a*"}, "holds for every prompt"),
        ({"least_tokens": 5, "most_tokens": 4}, "fewer tokens"),
        ({"words": "\n".join(map(str, range(201)))}, "At most 200"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(stated: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        rule_create(rule=CategoryRule(**{"slug": "trial", **stated}))
    assert not CategoryRule.objects.exists()


@pytest.mark.django_db
def test_only_so_many_are_looked_at() -> None:
    CategoryRule.objects.bulk_create(
        CategoryRule(slug=f"rule_{number}", words="x") for number in range(MOST_ACTIVE)
    )
    with pytest.raises(BadInput, match="End one"):
        rule_create(rule=CategoryRule(slug="trial", words="x"))


def test_the_worst_pattern_that_is_taken_is_slow_for_nobody() -> None:
    rule = CategoryRule(slug="trial", pattern=r"(?:x+x+){8}y|(?:[a-z ]{0,30}z){2}q")
    began = time.process_time()
    assert not rule_holds(rule, asked_of("x" * 20_000, "en"))
    assert time.process_time() - began < 1


@pytest.mark.django_db
def test_a_rule_is_tried_on_the_latest_prompts(two_served: None, alice: Voter) -> None:
    for prompt in ("Who pays VAT?", "Who pays rent?", "VAT in Spain?", "Is VAT fair?"):
        battle = begun(alice, prompt)
        Battle.objects.update(state="complete")
    texts_erase(battles=Battle.objects.filter(pk=battle.pk))
    tried = rule_try(CategoryRule(slug="trial", words="vat"))

    assert tried.looked == 3
    assert [turn.prompt for turn in tried.found] == ["VAT in Spain?", "Who pays VAT?"]


# -- Erasing ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_erased_texts_keep_their_tags(two_served: None, alice: Voter) -> None:
    battle = begun(alice, ASKED)
    texts_erase(battles=Battle.objects.all())
    battle.refresh_from_db()

    assert Turn.objects.get().prompt == ""
    assert battle.categories["creative_writing"] is True and battle.language == "en"


# -- The judge -------------------------------------------------------------------------------

MET = dict.fromkeys(CRITERIA, True) | {"creativity": False}


class Judge:
    """An endpoint that says what it is told to; what it was asked."""

    def __init__(self) -> None:
        self.says: str | int = f"<think>Hm {{}}</think>```json\n{json.dumps(MET)}\n```"
        self.asked: list[dict[str, Any]] = []

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers["Content-Length"])
        self.asked.append(json.loads(request.rfile.read(length)))
        status = self.says if isinstance(self.says, int) else 200
        body = json.dumps({"choices": [{"message": {"content": self.says}}]}).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    @property
    def texts(self) -> list[str]:
        return [json.loads(said["messages"][1]["content"]) for said in self.asked]


@pytest.fixture
def judge(db: None) -> Iterator[Judge]:
    judge = Judge()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            judge.answer(self)

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        where = f"http://127.0.0.1:{server.server_port}/v1"
        with override_settings(JUDGE_URL=where, JUDGE_MODEL="solomon"):
            yield judge
        server.shutdown()
        thread.join()


def voted(voter: Voter, **fields: Any) -> Battle:
    made = factories.battle(*factories.pair(), voter, **fields)
    key = f"key-{made.pk.hex}"
    vote_cast(battle_id=made.pk, attempt=1, voter=voter, outcome="tie", key=key)
    return Battle.objects.get(pk=made.pk)


def judged(battle: Battle) -> dict[str, bool]:
    battle.refresh_from_db()
    return {name: met for name, met in battle.categories.items() if name in CRITERIA}


def test_the_judge_says_which_criteria_are_met(judge: Judge, alice: Voter) -> None:
    battle = voted(alice, categories={"code": False})
    open_battle = factories.battle(*factories.pair(), alice)

    assert prompts_judge(after=0) == 1
    assert judged(battle) == MET and battle.categories["code"] is False
    assert judged(open_battle) == {}
    assert judge.texts == ["Why is the sky blue?"]
    assert judge.asked[0]["model"] == "solomon"
    assert prompts_judge(after=0) == 0 and len(judge.asked) == 1


@pytest.mark.parametrize(
    "says",
    [
        500,
        "Yes.",
        "Why is the sky blue? Let me think.",
        "[true]",
        json.dumps({**MET, "complexity": "yes"}),
        json.dumps({"creativity": 1}),
    ],
)
def test_what_it_does_not_say_stays_unknown(judge: Judge, alice: Voter, says: str | int) -> None:
    judge.says = says
    battle = voted(alice)

    assert prompts_judge(after=0) == 0
    assert judged(battle) == {}
    judgement = Judgement.objects.get()
    assert (judgement.verdict, judgement.attempts) == (None, 1)
    # What it says instead often repeats the prompt, which may have to be erased.
    assert judgement.error and "sky" not in judgement.error


def test_it_is_asked_again_a_minute_later_three_times_at_most(judge: Judge, alice: Voter) -> None:
    judge.says = 503
    battle = voted(alice)
    for _ in range(4):
        prompts_judge(after=0)
        prompts_judge(after=0)
        Judgement.objects.update(tried_at="2026-01-01T00:00:00Z")

    assert len(judge.asked) == 3 and judged(battle) == {}


def test_each_recorded_prompt_is_asked_about_once(judge: Judge, alice: Voter) -> None:
    prompt = factories.prompt()
    first = voted(alice, mode=Mode.RECORDED, recorded_prompt=prompt)
    prompts_judge(after=0)
    second = voted(alice, mode=Mode.RECORDED, recorded_prompt=prompt)

    assert prompts_judge(after=0) == 1
    assert judged(first) == judged(second) == MET and len(judge.asked) == 1


def test_it_is_not_asked_about_what_never_counts_or_is_gone(judge: Judge, alice: Voter) -> None:
    voted(alice, mode=Mode.NAMED)
    erased = voted(alice)
    texts_erase(battles=Battle.objects.filter(pk=erased.pk))
    sealed = voted(alice)

    assert prompts_judge(after=sealed.vote.pk) == 0
    assert judge.asked == []


def test_the_command_judges_votes_not_yet_sealed(judge: Judge, alice: Voter) -> None:
    voted(alice)
    votes_seal()
    battle = voted(alice)
    said = StringIO()
    call_command("judge_prompts", stdout=said)

    assert said.getvalue() == "1 prompts judged.\n"
    assert judged(battle) == MET


def test_a_judge_without_a_model_or_an_address_fails_at_start() -> None:
    assert the_judge_can_be_asked() == []
    for url, model in (("http://localhost/v1", ""), ("localhost", "solomon")):
        with override_settings(JUDGE_URL=url, JUDGE_MODEL=model):
            assert [error.id for error in the_judge_can_be_asked()] == ["battles.E001"]


# -- For operators ---------------------------------------------------------------------------


def numbers(shown: str, name: str) -> list[str]:
    """What the row of that heading says."""
    row = shown.partition(f'<th scope="row">{name}</th>')[2].partition("</tr>")[0]
    return [cell.partition("<")[0] for cell in row.split('<td class="number">')[1:]]


@pytest.mark.django_db
def test_battles_are_counted_by_category(two_served: None, alice: Voter) -> None:
    for prompt in (ASKED, "Write a limerick", "Pourquoi le ciel est-il bleu ?"):
        begun(alice, prompt)
        Battle.objects.update(state="complete")
    voted(alice)
    shown = page(root(), COUNTS)

    assert "4 battles began, 1 of them voted on." in shown
    assert numbers(shown, "creative_writing") == ["2", "0", "66.7 %", "1"]
    assert numbers(shown, "fr") == ["1", "0", "25.0 %"]
    assert numbers(shown, "not sure, or none") == ["2", "1", "50.0 %"]
    assert "No judge is configured" in shown


@pytest.mark.django_db
def test_counting_takes_as_many_queries_for_many(two_served: None, alice: Voter) -> None:
    client = root()
    begun(alice, ASKED)
    before = queries(client, COUNTS)
    for number in range(5):
        Battle.objects.update(state="complete")
        begun(alice, f"Why {number}?")

    assert queries(client, COUNTS) == before


FORM = {"slug": "tax_law", "words": "VAT", "pattern": "", "collection": "", "language": ""}
FORM |= {"least_tokens": "", "most_tokens": ""}


@pytest.mark.django_db
def test_a_rule_is_tried_before_it_is_made(two_served: None, alice: Voter) -> None:
    begun(alice, f"Who pays VAT {HOSTILE}?")
    client = root()
    tried = client.post(at(CategoryRule, "add"), FORM | {"_try": "1"}).content.decode()

    assert "Of the latest 1 battle whose texts are kept it holds for 1 (100.0 %)." in tried
    assert 'value="tax_law"' in tried
    assert_harmless(tried)
    assert not CategoryRule.objects.exists()
    assert client.post(at(CategoryRule, "add"), FORM).status_code == 302
    rule = CategoryRule.objects.get()
    assert (rule.words, rule.created_by) == ("VAT", AuditEntry.objects.get().actor)
    assert "it holds for 1" in page(client, at(CategoryRule, rule.pk, "change"))


@pytest.mark.django_db
def test_faults_of_a_rule_are_told(two_served: None) -> None:
    client = root()
    for button in ("_try", "_save"):
        shown = client.post(at(CategoryRule, "add"), FORM | {"pattern": "(", button: "1"})
        assert "RE2 does not take it" in shown.content.decode()
    assert not CategoryRule.objects.exists()


@pytest.mark.django_db
def test_prompts_are_shown_to_those_who_may_read_them(two_served: None, alice: Voter) -> None:
    begun(alice, "Who pays VAT?")
    clerk = staff("clerk", "battles.add_categoryrule", "battles.view_categoryrule")
    tried = clerk.post(at(CategoryRule, "add"), FORM | {"_try": "1"}).content.decode()

    assert "it holds for 1" in tried and "Who pays VAT?" not in tried
    assert clerk.get(COUNTS).status_code == 200
    assert staff("nobody").get(COUNTS).status_code == 403


@pytest.mark.django_db
def test_rules_are_switched_in_the_list() -> None:
    rule = rule_create(rule=CategoryRule(slug="tax_law", words="VAT"))
    client = root()
    for action, is_active in (("stop", False), ("start", True)):
        client.post(at(CategoryRule), {"action": action, "_selected_action": [rule.pk], "index": 0})
        rule.refresh_from_db()
        assert rule.is_active is is_active
