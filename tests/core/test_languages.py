"""Pages speak their reader's language, whole; what programs read is the same in every one."""

import json
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from django.conf import settings as arena_settings
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from arena.core.exceptions import TooMany
from arena.core.language import language_of, speaking
from arena.integrity.imports import votes_import
from arena.leaderboard.services import publish
from arena.voters.exceptions import SignInNeeded
from arena.voters.limits import limit_hit
from tests.leaderboard.test_refit import cycle
from tools.messages import problems, wrong_with

FRENCH = {"Accept-Language": "fr-CH, fr;q=0.9, en;q=0.8"}
CHINESE = {"Accept-Language": "zh-CN, zh;q=0.9"}
COOKIE = arena_settings.LANGUAGE_COOKIE_NAME


def language(page: str) -> str:
    (found,) = re.findall(r'<html lang="([^"]+)"', page)
    return found


# -- Translations ----------------------------------------------------------------------------


def test_every_text_is_translated_and_compiled() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    ("source", "said", "language", "what"),
    [
        ("Try again.", "", "fr", "is not translated."),
        ("%(n)s votes", "%(m)s votes", "fr", "has other"),
        ("The <b>board</b>", "Le classement", "fr", "has other"),
        (("{n} vote", "{n} votes"), ("{n} vote", "", ""), "fr", "is not translated."),
        ("Which?", "Laquelle ?", "fr", "U+202F"),
        ("It's the board", "C'est le classement", "fr", "’"),
        ("Stop, now", "停止,现在", "zh_Hans", "full-width"),
        ("Show it", 'Le "montrer"', "fr", "would end an attribute"),
    ],
)
def test_what_is_wrong_with_a_translation_is_said(
    source: str | tuple[str, str], said: str | tuple[str, ...], language: str, what: str
) -> None:
    (found,) = wrong_with(Message(source, said), language)

    assert what in found


@pytest.mark.parametrize(
    ("source", "said", "language"),
    [
        ("%(n)s%% at 12:30?", "%(n)s\u202f%% à 12:30\u202f?", "fr"),
        ("“Board”: <b>{n}</b>", "«\u202fClassement\u202f»\u202f: <b>{n}</b>", "fr"),
        ("Stop, now", "停止，现在 12:30", "zh_Hans"),
        (("One vote", "{n} votes"), ("Un vote", "{n} votes", "{n} votes"), "fr"),
    ],
)
def test_what_is_right_is_let_pass(
    source: str | tuple[str, str], said: str | tuple[str, ...], language: str
) -> None:
    assert list(wrong_with(Message(source, said), language)) == []


# -- Which language --------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("fr-CH, fr;q=0.9", "fr"),
        ("zh-CN, zh;q=0.9, en;q=0.8", "zh-hans"),
        ("de, fr;q=0.5", "fr"),
        ("de", "en"),
        ("", "en"),
        ("\x00, *;q=nonsense", "en"),
    ],
)
def test_the_browser_is_believed(client: Client, asked: str, given: str) -> None:
    response = client.get("/privacy/", headers={"Accept-Language": asked})

    assert language(response.content.decode()) == given
    assert response["Content-Language"] == given
    assert {"Accept-Language", "Cookie"} <= set(response["Vary"].split(", "))


@pytest.mark.django_db
def test_a_choice_goes_before_what_the_browser_asks_for(client: Client) -> None:
    response = client.post("/language/", {"language": "fr", "next": "/archive/?page=1"})

    assert response["Location"] == "/archive/?page=1"
    assert response.cookies[COOKIE]["samesite"] == "Lax"
    page = client.get("/archive/", headers=CHINESE).content.decode()
    assert language(page) == "fr"
    assert "Rien n’a encore été publié." in page


@pytest.mark.django_db
def test_a_form_of_another_site_chooses_nothing(client: Client) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    response = client.post("/language/", {"language": "fr"}, headers=headers)

    assert response.status_code == 403
    assert COOKIE not in response.cookies


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "javascript:a()"])
def test_choosing_leads_to_no_other_site(client: Client, address: str) -> None:
    assert client.post("/language/", {"language": "fr", "next": address})["Location"] == "/"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["de", "xx", "../../etc", ""])
def test_a_language_that_is_not_spoken_changes_nothing(client: Client, name: str) -> None:
    client.post("/language/", {"language": name})

    assert language(client.get("/privacy/").content.decode()) == "en"


@pytest.mark.django_db
def test_a_reader_is_given_no_cookie_for_reading(client: Client) -> None:
    assert not client.get("/archive/").cookies


@pytest.mark.django_db
def test_a_private_arena_lets_choose_before_signing_in(client: Client, settings: Settings) -> None:
    settings.PRIVATE = True
    client.post("/language/", {"language": "zh-hans"})

    assert language(client.get("/sign-in/").content.decode()) == "zh-hans"


@pytest.mark.django_db
def test_operators_and_programs_read_english(client: Client) -> None:
    for address in ("/api/v1/", "/admin/login/"):
        assert client.get(address, headers=FRENCH)["Content-Language"] == "en"
    problem = client.get("/api/v1/boards/poetry/", headers=FRENCH).json()
    assert problem == client.get("/api/v1/boards/poetry/").json()


@pytest.mark.django_db
def test_errors_are_in_the_language_of_the_page(client: Client) -> None:
    missing = client.get("/nothing-here/", headers=FRENCH).content.decode()
    refused = client.get("/leaderboard/?snapshot=ffffffff", headers=CHINESE).content.decode()

    assert "Il n’y a rien à cette adresse." in missing
    assert "没有名为“ffffffff”的发布" in refused


# -- Sockets ---------------------------------------------------------------------------------


def scope(**headers: str) -> dict[str, object]:
    """A socket's, with these headers."""
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"headers": pairs}


@pytest.mark.parametrize(
    ("headers", "spoken"),
    [
        ({}, "en"),
        ({"accept_language": "fr"}, "fr"),
        ({"cookie": f"{COOKIE}=zh-hans", "accept_language": "fr"}, "zh-hans"),
        ({"cookie": f"{COOKIE}=klingon", "accept_language": "fr"}, "fr"),
    ],
)
def test_a_socket_speaks_as_its_page_does(headers: dict[str, str], spoken: str) -> None:
    assert language_of(scope(**headers)) == spoken


def test_a_refusal_over_a_socket_is_in_its_language() -> None:
    with speaking(scope(accept_language="fr")):
        message = SignInNeeded().message

    assert message.startswith("Cette arène est privée.")
    assert SignInNeeded().message.startswith("This arena is private.")


@pytest.mark.parametrize(("asked", "told"), [("en", "30,000 per hour"), ("fr", "30\u202f000 par")])
def test_a_limit_is_told_in_the_language_of_whoever_meets_it(asked: str, told: str) -> None:
    with translation.override(asked), pytest.raises(TooMany) as refused:
        for _ in range(30_001):
            limit_hit((30_000, 3600), "%(rate)s, %(wait)s", f"who-{asked}")

    assert told in refused.value.message


# -- Sentences --------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_board_speaks_in_sentences(client: Client, tmp_path: Path) -> None:
    votes_import(path=cycle(tmp_path))
    publish()

    assert (
        "wren mène 3 participants, avec "
        in client.get("/leaderboard/", headers=FRENCH).content.decode()
    )
    assert (
        "wren 在 3 个参赛模型中领先"
        in client.get("/leaderboard/", headers=CHINESE).content.decode()
    )


# -- Scripts ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_scripts_find_their_texts_in_the_page(client: Client) -> None:
    page = client.get("/archive/", headers=FRENCH).content.decode()
    (block,) = re.findall(r'<script id="texts" type="application/json">(.*?)</script>', page)
    texts = json.loads(block)

    assert texts["Copied"] == "Copié"
    assert texts["{count} found"][0] == "{count} trouvé"
    assert 'id="texts"' not in client.get("/archive/").content.decode()
