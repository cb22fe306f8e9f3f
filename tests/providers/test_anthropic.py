"""The Anthropic Messages protocol, over a real socket."""

from typing import Any

import pytest
from aiohttp import web

from arena.providers.anthropic import StreamedMessage, list_models
from arena.providers.exceptions import Gone, Overloaded, Rejected, TooLong, Unauthorised, Unreadable
from arena.providers.protocol import Draft, Finish, Image, Message
from tests.providers.asking import LIMITS, answer
from tests.upstream import ANTHROPIC, WORDS, event, serving, stream, streaming

PROMPT = {
    "input_tokens": 5,
    "cache_creation_input_tokens": 1,
    "cache_read_input_tokens": 2,
    "output_tokens": 1,
}
START = event({"type": "message_start", "message": {"usage": PROMPT}}, "message_start")


def block(kind: str, **members: str) -> bytes:
    body = {"type": "content_block_start", "index": 0, "content_block": {"type": kind, **members}}
    return event(body, "content_block_start")


async def test_it_works() -> None:
    draft = Draft()
    pieces = [
        START,
        block("text", text=""),
        event({"type": "ping"}, "ping"),
        *ANTHROPIC.whole(*WORDS),
    ]
    async with serving(streaming(*pieces)) as endpoint:
        finish = await answer("anthropic", endpoint, draft)

    assert draft.text == "".join(WORDS)
    assert finish == Finish("stop", 8, 7)


async def test_what_is_sent() -> None:
    seen: list[Any] = []

    async def remember(request: web.Request) -> web.StreamResponse:
        seen.append((request.path, request.headers, await request.json()))
        return await stream(request, ANTHROPIC.whole("Blue."))

    async with serving(remember) as endpoint:
        await answer(
            "anthropic",
            endpoint + "/",
            api_key="secret",
            decoding={"temperature": 0.5},
            messages=(Message("system", "Be brief."), Message("user", "Why?")),
        )
        await answer("anthropic", endpoint, decoding={"max_tokens": 100})

    (path, headers, body), (_, keyless, further) = seen
    assert path == "/v1/messages"
    assert headers["x-api-key"] == "secret"
    assert headers["anthropic-version"] == keyless["anthropic-version"] == "2023-06-01"
    assert "x-api-key" not in keyless
    assert "authorization" not in headers
    assert body == {
        "model": "linnet-3",
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "Why?"}],
        "temperature": 0.5,
        "max_tokens": 4096,
        "stream": True,
    }
    assert further["max_tokens"] == 100
    assert "system" not in further


async def test_pictures_go_before_the_text_as_data() -> None:
    seen: list[Any] = []

    async def remember(request: web.Request) -> web.StreamResponse:
        seen.append((await request.json())["messages"])
        return await stream(request, ANTHROPIC.whole("Blue."))

    pictures = (Image("image/png", b"\x89PNG"),)
    async with serving(remember) as endpoint:
        await answer("anthropic", endpoint, messages=(Message("user", "Which?", pictures),))
        await answer("anthropic", endpoint, messages=(Message("user", "", pictures),))

    [[asked], [wordless]] = seen
    source = {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}
    picture = {"type": "image", "source": source}
    assert asked["content"] == [picture, {"type": "text", "text": "Which?"}]
    assert wordless["content"] == [picture]


async def test_reasoning_is_kept_apart() -> None:
    draft = Draft()
    signature = {"type": "content_block_delta", "delta": {"type": "signature_delta"}}
    pieces = [
        START,
        block("thinking", thinking="Let "),
        ANTHROPIC.thought("me see."),
        event(signature),
        block("redacted_thinking", data="CANARY"),
        block("text", text="It "),
        *ANTHROPIC.whole("is ", "<think>blue</think>."),
    ]
    async with serving(streaming(*pieces)) as endpoint:
        await answer("anthropic", endpoint, draft)

    assert "".join(draft.reasoning) == "Let me see."
    assert draft.text == "It is <think>blue</think>."


@pytest.mark.parametrize(
    ("reason", "said"),
    [("max_tokens", "length"), ("stop_sequence", "stop"), ("pause_turn", "pause_turn")],
)
async def test_reasons_are_said_in_one_language(reason: str, said: str) -> None:
    pieces = [ANTHROPIC.text("Blue."), ANTHROPIC.ending(reason)]
    async with serving(streaming(*pieces)) as endpoint:
        finish = await answer("anthropic", endpoint)

    assert finish == Finish(said, None, 7)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("overloaded_error", Overloaded),
        ("api_error", Overloaded),
        ("rate_limit_error", Overloaded),
        ("not_found_error", Gone),
        ("authentication_error", Unauthorised),
        ("permission_error", Unauthorised),
        ("invalid_request_error", Rejected),
    ],
)
async def test_errors_within_a_stream_have_their_names(name: str, kind: type) -> None:
    error = event({"type": "error", "error": {"type": name, "message": "CANARY"}}, "error")
    async with serving(streaming(START, error)) as endpoint:
        with pytest.raises(kind, match="CANARY") as raised:
            await answer("anthropic", endpoint)

    assert type(raised.value) is kind


@pytest.mark.parametrize(
    "data",
    [
        "[]",
        '{"type": "message_delta", "delta": 7}',
        '{"type": "message_delta", "delta": {"stop_reason": 7}}',
        '{"type": "content_block_delta", "delta": {"type": "text_delta", "text": 7}}',
        '{"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": [1]}}',
    ],
)
def test_what_is_not_the_protocol_is_unreadable(data: str) -> None:
    with pytest.raises(Unreadable):
        StreamedMessage().take(data)


@pytest.mark.parametrize(
    "data",
    [
        "{}",
        '{"type": ["ping"]}',
        '{"type": "message_start", "message": 7}',
        '{"type": "message_start", "message": {"usage": 7}}',
        '{"type": "content_block_delta", "delta": 7}',
        '{"type": "content_block_delta", "delta": {"type": "text_delta"}}',
        '{"type": "something_new", "delta": {"text": "CANARY"}}',
    ],
)
def test_events_without_text_say_nothing(data: str) -> None:
    message = StreamedMessage()

    assert list(message.take(data)) == []
    assert list(message.take('{"type": "message_stop"}')) == []
    assert list(message.end()) == [Finish("stop")]


async def test_models_are_listed_page_by_page() -> None:
    async with serving() as endpoint:
        listed = await list_models(endpoint, api_key="", limits=LIMITS)

    assert listed == ["linnet-3", "ostrel-prime"]


async def test_a_list_without_end_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    async def more(call: object) -> object:
        return {"data": [{"id": "linnet-3"}], "has_more": True, "last_id": "linnet-3"}

    monkeypatch.setattr("arena.providers.anthropic.document", more)
    with pytest.raises(TooLong):
        await list_models("http://localhost/v1", api_key="", limits=LIMITS)


@pytest.mark.parametrize("page", [[], {}, {"data": 7}, {"data": [{}]}, {"data": [7]}])
async def test_another_list_is_unreadable(page: object, monkeypatch: pytest.MonkeyPatch) -> None:
    async def other(call: object) -> object:
        return page

    monkeypatch.setattr("arena.providers.anthropic.document", other)
    with pytest.raises(Unreadable):
        await list_models("http://localhost/v1", api_key="", limits=LIMITS)
