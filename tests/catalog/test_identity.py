"""Which names an answer claims as its own: claims in many languages, and no mere mentions."""

import time
from collections.abc import Callable

import pytest
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from arena.catalog import identity
from arena.catalog.identity import claims_in, identity_claims
from arena.catalog.models import Contestant, Organisation
from arena.catalog.names import names_of
from tests import factories

OWN = (
    *("Grok", "Wren 2", "wren-2-mini", "Wren", "Claude", "Gemini", "通义千问", "Qwen", "Mistral"),
    *("PaLM", "GPT-4", "ChatGPT", "o1", "Command R", "클로드", "DeepSeek-V3", "Claude 3.5 Sonnet"),
    *("Yi", "Phi", "clair de lune", "Élan"),
)
MAKERS = (
    "Aviary",
    "Google",
    "OpenAI",
    "Anthropic",
    "Mistral AI",
    "阿里云",
    "Alibaba Cloud",
    "Meta",
)
NAMES = names_of(OWN, MAKERS)

CLAIMS = [
    # I am, my name is
    ("I am Grok.", ["Grok"]),
    ("i am grok", ["Grok"]),
    ("I'm Wren 2, a large language model made by Aviary.", ["Wren 2", "Aviary"]),
    ("I’m **Wren 2**, at your service", ["Wren 2"]),
    ("My name is Claude and I can help.", ["Claude"]),
    ("My name is: *Claude*", ["Claude"]),
    ("You can call me Wren.", ["Wren"]),
    ("I am actually ChatGPT.", ["ChatGPT"]),
    ("Sure! I can assure you that I am Claude.", ["Claude"]),
    ("No, I'm Claude.", ["Claude"]),
    ("You are talking to Claude.", ["Claude"]),
    ("I am o1.", ["o1"]),
    ("# Hello\n- I am Grok", ["Grok"]),
    ("> Who are you?\n\nI am Claude", ["Claude"]),
    ("Hi! I'm Claude. I'm Claude! I am Grok? I am Claude.", ["Claude", "Grok"]),
    # as §, § here
    ("As Gemini, I can't do that.", ["Gemini"]),
    ("But as Gemini, my answer is no.", ["Gemini"]),
    ("As Claude, an assistant made by Anthropic, I don't know.", ["Claude", "Anthropic"]),
    ("Wren here! How can I help?", ["Wren"]),
    ("Hi there, Wren here.", ["Wren"]),
    ("Of course.\nWren here, ready to help", ["Wren"]),
    ("This is Wren speaking.", ["Wren"]),
    # what it is stands between
    ("I am an AI assistant called Wren.", ["Wren"]),
    ("I'm your AI assistant, Wren.", ["Wren"]),
    ("I'm a helpful and harmless AI model named Claude.", ["Claude"]),
    ("I'm an AI assistant created by Anthropic named Claude.", ["Anthropic", "Claude"]),
    ("I'm a Gemini model", ["Gemini"]),
    ("I'm Google's Gemini", ["Gemini"]),
    ("I am based on GPT-4.", ["GPT-4"]),
    ("I'm powered by GPT-4", ["GPT-4"]),
    # however a name is spelled
    ("I'm gpt4", ["GPT-4"]),
    ("I am GPT 4.", ["GPT-4"]),
    ("I am wren_2_mini", ["wren-2-mini"]),
    ("I am Wren 2 Mini", ["wren-2-mini"]),
    ("I'm Claude 3.5 Sonnet", ["Claude 3.5 Sonnet"]),
    ("i am deepseek v3", ["DeepSeek-V3"]),
    ("I am **Élan**", ["Élan"]),
    # of a version that has no name here, the stem that has one
    ("I'm Claude 3.7", ["Claude"]),
    ("I'm Qwen2.5", ["Qwen"]),
    # who made it
    ("I was trained by the Aviary team.", ["Aviary"]),
    ("I was designed, built and trained by a team of researchers at Google.", ["Google"]),
    ("I have been developed by Meta.", ["Meta"]),
    ("I am a large language model, trained by Google.", ["Google"]),
    ("As an AI language model developed by OpenAI, I cannot", ["OpenAI"]),
    ("I'm an AI from Google", ["Google"]),
    ("I'm OpenAI's language model.", ["OpenAI"]),
    ("I am a language model created by the AI company Anthropic", ["Anthropic"]),
    ("I'm Claude (created by Anthropic)", ["Claude", "Anthropic"]),
    ("I’m Wren 2—a large language model made by Aviary", ["Wren 2", "Aviary"]),
    ("I am ChatGPT, a large language model trained by OpenAI.", ["ChatGPT", "OpenAI"]),
    ("My creators at Anthropic told me.", ["Anthropic"]),
    ("OpenAI created me to help.", ["OpenAI"]),
    ("I am a model built by Mistral AI.", ["Mistral AI"]),
    # French
    ("Je suis Mistral, un assistant.", ["Mistral"]),
    ("Je m'appelle Claude et j'ai été créé par Anthropic.", ["Claude", "Anthropic"]),
    ("Je suis un modèle de langage développé par Google.", ["Google"]),
    ("Je suis une intelligence artificielle nommée Claude.", ["Claude"]),
    ("En tant que Claude, je ne peux pas.", ["Claude"]),
    # German
    ("Ich bin Claude.", ["Claude"]),
    ("Ich heiße Claude.", ["Claude"]),
    ("Ich bin ein Sprachmodell namens Claude.", ["Claude"]),
    (
        "Ich bin Claude, ein Sprachmodell, das von Anthropic entwickelt wurde.",
        ["Claude", "Anthropic"],
    ),
    ("Ich wurde von OpenAI entwickelt.", ["OpenAI"]),
    ("Als Claude kann ich das nicht.", ["Claude"]),
    # Spanish, Portuguese, Italian
    ("Me llamo Claude.", ["Claude"]),
    ("Soy Claude, un asistente de IA creado por Anthropic.", ["Claude", "Anthropic"]),
    ("Fui desarrollado por OpenAI.", ["OpenAI"]),
    ("Como Claude, no puedo hacerlo.", ["Claude"]),
    ("Sou o Claude, criado pela Anthropic.", ["Claude", "Anthropic"]),
    ("Eu sou um modelo de linguagem treinado pelo Google.", ["Google"]),
    ("Mi chiamo Claude.", ["Claude"]),
    ("Sono Gemini, un modello linguistico sviluppato da Google.", ["Gemini", "Google"]),
    # Dutch, Swedish, Polish, Russian, Greek, Turkish
    ("Ik ben Claude, gemaakt door Anthropic.", ["Claude", "Anthropic"]),
    ("Jag heter Claude.", ["Claude"]),
    ("Jestem Claude.", ["Claude"]),
    ("Я — Claude, языковая модель, созданная компанией Anthropic.", ["Claude", "Anthropic"]),
    ("Меня зовут Claude.", ["Claude"]),
    ("Με λένε Claude", ["Claude"]),
    ("Merhaba, ben Claude.", ["Claude"]),
    # Arabic, Hindi, Vietnamese, Indonesian
    ("أنا Claude", ["Claude"]),
    ("मेरा नाम Claude है", ["Claude"]),
    ("Tôi là Gemini.", ["Gemini"]),
    ("Saya adalah Gemini.", ["Gemini"]),
    # Chinese, Japanese, Korean
    ("我是通义千问", ["通义千问"]),
    ("我是通义千问，由阿里云开发的大模型。", ["通义千问", "阿里云"]),
    ("你好！我是Qwen，由阿里云训练。", ["Qwen", "阿里云"]),
    ("我叫「Qwen」。", ["Qwen"]),
    ("我是人工智能助手Claude", ["Claude"]),
    ("我是一个由OpenAI开发的人工智能助手", ["OpenAI"]),
    ("作为Gemini，我不能", ["Gemini"]),
    ("私はClaudeです。", ["Claude"]),
    ("私はOpenAIによって開発された言語モデルです。", ["OpenAI"]),
    ("저는 클로드입니다.", ["클로드"]),
    ("저는 OpenAI에서 개발한 언어 모델입니다.", ["OpenAI"]),
]

MENTIONS = [
    # words, and other people's names
    *("A palm tree.", "I am fond of a palm tree.", "I like Claude Monet.", "I am grokking it."),
    *("Gemini is a constellation.", "As Gemini rises, I look up.", "My name is Claudette."),
    *("I am Yippee.", "I am 4.", "Im Mistral weht der Wind.", "I'm anti-Grok.", "我喜欢通义千问"),
    # mentions
    *(
        "Claude is a model by Anthropic.",
        "GPT-4 was made by OpenAI.",
        "I compared Claude and Qwen.",
    ),
    *("I use a model developed by OpenAI.", "It was trained by Google.", "Here is Claude."),
    *("Anthropic created Claude to help.", "I was told by Google.", "I was made for Google."),
    *("Such as Claude, I think.", "As well as Gemini, I like Grok.", "I'm Claude's biggest fan."),
    *("I am a fan of Claude.", "I am familiar with the model trained by Google."),
    *("I'm a fan of the language model developed by Google.", "Google made me realise it."),
    *("I am a researcher using models made by Google.", "Meta is a company. I am happy."),
    *(
        "Put Wren here.",
        "With Wren here, we sing.",
        "This is Claude, my friend.",
        "I am Claude-like.",
    ),
    *("Hi Claude, how are you?", "I am GPT-4.1x.", "The tower was built by Google."),
    # denied, supposed, or somebody else's
    *("I am not Claude.", "I'm an AI assistant, not Claude.", "I was not made by OpenAI."),
    *("If I am Claude, then what?", "You asked whether I'm ChatGPT.", "You said that I am Claude."),
    *(
        "When you are talking to Claude, be kind.",
        "No soy Claude.",
        "Não sou o Gemini.",
        "我不是Claude",
    ),
    *("Ich bin nicht Claude.", "Je ne suis pas Claude.", "Я не Claude", "私はClaudeが好きです"),
    # neither code nor quotations are the answer's own words
    *("```\nI am Grok\n```", "~~~ text\nI am Grok", "> I am Grok", "  >> I am Grok\n> I am Claude"),
]


@pytest.mark.parametrize(("text", "names"), CLAIMS)
def test_claims(text: str, names: list[str]) -> None:
    assert claims_in(text, NAMES) == names


@pytest.mark.parametrize("text", MENTIONS)
def test_mentions_are_no_claims(text: str) -> None:
    assert claims_in(text, NAMES) == []


@pytest.mark.parametrize(("text", "names"), CLAIMS)
def test_claims_within_a_longer_answer(text: str, names: list[str]) -> None:
    around = "The sky is blue; Claude Monet painted it.\n\n{}\n\nGemini is a constellation."

    assert claims_in(around.format(text), NAMES) == names


# -- Which names count -----------------------------------------------------------------------


def test_a_stem_is_claimed_where_it_is_an_alias_and_never_invented() -> None:
    assert claims_in("I am Wren.", names_of(["wren-2-mini"])) == []
    assert claims_in("I am Wren.", names_of(["wren-2-mini", "Wren"])) == ["Wren"]


def test_the_longest_name_counts() -> None:
    assert claims_in("I am Wren 2 Mini.", names_of(["Wren", "Wren 2", "Wren 2 Mini"])) == [
        "Wren 2 Mini"
    ]


def test_a_number_that_goes_on_is_another_number() -> None:
    names = names_of(["GPT-4", "GPT"])

    assert claims_in("I am GPT-4.1.", names) == ["GPT"]
    assert claims_in("I am GPT-4. 1 more thing.", names) == ["GPT-4"]
    assert claims_in("I am GPT-4o.", names) == ["GPT"]


def test_an_organisation_is_no_name_of_ones_own() -> None:
    names = names_of(["Wren"], ["Aviary"])

    assert claims_in("I am Aviary.", names) == []
    assert claims_in("I was made by Aviary and Wren is my name.", names) == ["Aviary"]


@pytest.mark.parametrize("name", ["", " ", "!", "a", "7", "3.5", "天"])
def test_names_that_say_nothing_are_never_claimed(name: str) -> None:
    assert claims_in(f"I am {name}.", names_of([name])) == []


def test_no_names_no_claims() -> None:
    assert claims_in("I am Grok.", names_of([])) == []


# -- The catalog's names ---------------------------------------------------------------------


@pytest.fixture
def catalog(db: None) -> Contestant:
    contestant = factories.revision("wren-2-mini-2026-01").contestant
    contestant.name, contestant.aliases = "Wren 2 Mini", ["Wren", "Jenny"]
    contestant.organisation = Organisation.objects.create(name="Aviary", slug="aviary")
    contestant.save()
    return contestant


def test_names_aliases_revisions_and_organisations_count(catalog: Contestant) -> None:
    for name in ("Wren 2 Mini", "Wren", "Jenny", "wren-2-mini-2026-01"):
        assert identity_claims(f"I am {name}.") == [name]
    assert identity_claims("I was made by Aviary.") == ["Aviary"]
    assert identity_claims("I am Kite.") == []


def test_answers_ask_the_database_once_in_a_while(
    catalog: Contestant,
    django_assert_num_queries: Callable[[int], CaptureQueriesContext],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with django_assert_num_queries(3):
        identity_claims("I am Wren.")
    Contestant.objects.filter(pk=catalog.pk).update(aliases=["Kite"])
    with django_assert_num_queries(0):
        assert identity_claims("I am Wren.") == ["Wren"]
    later = time.monotonic() + identity.KEEP_SECONDS + 1
    monkeypatch.setattr(identity.time, "monotonic", lambda: later)
    with django_assert_num_queries(3):
        assert identity_claims("I am Kite.") == ["Kite"]


# -- Whatever a stranger's model writes ------------------------------------------------------

PIECES = st.sampled_from(
    [
        *("I am ", "i'm ", "as ", "my name is ", "I was made by the ", "我是", "私は", "Я ", "by "),
        *(
            "Wren",
            "wren-2",
            "Wren 2 Mini",
            "通义千问",
            "Aviary",
            "’s ",
            "- ",
            ", ",
            ". ",
            "\n",
            "> ",
        ),
        *("```\n", "*", "_", "§", "(", ")", " model ", "called ", "not ", "I", " ", "\u3000", "1"),
    ]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=60).map("".join))
def test_any_text_has_claims_or_none(text: str) -> None:
    claims = claims_in(text, NAMES)

    assert set(claims) <= {*OWN, *MAKERS}
    assert len(set(claims)) == len(claims)


@given(st.text(max_size=40), st.sampled_from([name for name in OWN if name.isascii()]))
def test_a_claim_is_found_after_any_paragraph(before: str, name: str) -> None:
    quiet = before.replace("`", "").replace("~", "")

    assert name in claims_in(f"{quiet}\n\nI am {name}.", NAMES)


@given(st.text(max_size=40), st.sampled_from(OWN))
def test_within_code_or_quotations_nothing_is_claimed(inner: str, name: str) -> None:
    quiet = inner.replace("`", "")

    assert claims_in(f"```\n{quiet}\nI am {name}.\n```", NAMES) == []
    assert claims_in(f"> I am {name}.", NAMES) == []


@given(st.text(max_size=30))
def test_any_name_can_be_in_a_catalog(name: str) -> None:
    assert claims_in(f"I am {name}.", names_of([name])) in ([], [name])


HOSTILE = {
    "a name again and again": "wren ",
    "almost a claim": "I am a model made by the Wren's ",
    "many beginnings": "as, " * 40 + "Wren ",
    "beginnings and parts": "i'm a - " * 20 + "model b b b b b b b called not Wren's ",
    "descriptions": "i am as i am as model " * 6 + "by Wren's ",
    "verbs": "i was trained, trained and trained, " * 6 + "by the team of the wren's ",
    "Russian": "я сделал " * 15 + "wren ",
    "French": "je suis je suis je suis et par la le " * 4 + "wren",
    "Chinese": "我是由我是由我是" * 5 + "通义千问",
    "Japanese": "私は私は私は" * 6 + "wrenに",
    "a name that goes on": "gpt-4-",
    "letters and digits": "a1",
    "fences": "```\n",
    "backticks": "`",
    "quotations": "> wren\n",
    "arrows": ">",
    "blanks": "i am" + " " * 500,
    "stops": ". ",
    "marks": "a\u0301\u0323",
    "capitals that grow": "İ",
    "one word": "wren" + "x" * 999,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_answers_take_no_longer_than_their_length_says(what: str) -> None:
    """As long as an answer may be. Most take a fifth of the limit on a machine at rest."""
    piece = HOSTILE[what]
    text = (piece * (200_000 // len(piece) + 1))[:199_990] + "\n\nI am o1."
    began = time.process_time()
    claims_in(text, NAMES)

    assert time.process_time() - began < 2.0


def test_an_answer_without_claims_takes_a_fraction_of_a_millisecond() -> None:
    prose = "The sky is blue because short waves are scattered more, and I like it that way. " * 20
    many = names_of([f"{name}-{number}" for name in OWN for number in range(100)], MAKERS)

    def seconds() -> float:
        began = time.process_time()
        for _ in range(50):
            claims_in(prose[:1500], many)
        return (time.process_time() - began) / 50

    assert min(seconds() for _ in range(10)) < 0.0003
