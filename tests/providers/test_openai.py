"""The OpenAI chat protocol, over a real socket."""

from typing import Any

import pytest
from aiohttp import web

from arena.providers.exceptions import (
    Filtered,
    Gone,
    Overloaded,
    Unauthorised,
    Unreachable,
    Unreadable,
)
from arena.providers.openai import Completion, list_models
from arena.providers.protocol import Draft, Finish, Image, Message
from tests.providers.asking import LIMITS, answer
from tests.upstream import WORDS, chunk, done, event, serving, stream, streaming, whole

COUNTS = {
    "prompt_tokens": 7,
    "completion_tokens": 11,
    "completion_tokens_details": {"reasoning_tokens": 4},
}


async def test_it_works() -> None:
    draft = Draft()
    async with serving() as endpoint:
        finish = await answer("openai", endpoint, draft)

    assert draft.text == "".join(WORDS)
    assert finish == Finish("stop")
    assert (draft.reasoning, draft.requests) == ([], 1)


async def test_what_is_sent() -> None:
    seen: list[Any] = []

    async def remember(request: web.Request) -> web.StreamResponse:
        seen.append((request.path, request.headers, await request.json()))
        return await stream(request, whole("Blue."))

    async with serving(remember) as endpoint:
        await answer(
            "openai",
            endpoint + "/",
            api_key="secret",
            decoding={"temperature": 0.5, "model": "another"},
            messages=(Message("system", "Be brief."), Message("user", "Why?")),
        )

    [(path, headers, body)] = seen
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer secret"
    assert body == {
        "model": "linnet-3",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Why?"},
        ],
        "temperature": 0.5,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_pictures_go_before_the_text_as_data() -> None:
    seen: list[Any] = []

    async def remember(request: web.Request) -> web.StreamResponse:
        seen.append((await request.json())["messages"])
        return await stream(request, whole("Blue."))

    pictures = (Image("image/png", b"\x89PNG"), Image("image/jpeg", b"\xff\xd8"))
    async with serving(remember) as endpoint:
        await answer("openai", endpoint, messages=(Message("user", "Which?", pictures),))
        await answer("openai", endpoint, messages=(Message("user", "", pictures[:1]),))

    [[asked], [wordless]] = seen
    png = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}
    jpeg = {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9g="}}
    assert asked["content"] == [png, jpeg, {"type": "text", "text": "Which?"}]
    assert wordless["content"] == [png]


async def test_usage_is_kept() -> None:
    usage = event({"choices": [], "usage": COUNTS})
    async with serving(streaming(chunk("Blue."), chunk(reason="length"), usage)) as endpoint:
        finish = await answer("openai", endpoint)

    assert finish == Finish("length", 7, 11, 4)


@pytest.mark.parametrize("wrong", [-1, 2**31, True, "7", None])
async def test_counts_that_cannot_be_true_are_not_kept(wrong: object) -> None:
    usage = event({"choices": [], "usage": {"prompt_tokens": wrong, "completion_tokens": 3}})
    async with serving(streaming(chunk("Blue."), usage, done("stop"))) as endpoint:
        finish = await answer("openai", endpoint)

    assert finish == Finish("stop", None, 3)


@pytest.mark.parametrize(
    "pieces",
    [
        [chunk(reasoning_content="Let me "), chunk(reasoning_content="see.")],
        [chunk(reasoning="Let me "), chunk(reasoning="see.")],
        # vLLM says it under both names for a while.
        [chunk(reasoning="Let me see.", reasoning_content="Let me see.")],
        [chunk("<thi"), chunk("nk>Let me "), chunk("see.</th"), chunk("ink>\n\n")],
    ],
    ids=["reasoning_content", "reasoning", "both", "tags"],
)
async def test_reasoning_is_kept_apart(pieces: list[bytes]) -> None:
    draft = Draft()
    async with serving(streaming(*pieces, *whole("It is ", "<think>blue</think>."))) as endpoint:
        await answer("openai", endpoint, draft)

    assert "".join(draft.reasoning) == "Let me see."
    assert draft.text == "It is <think>blue</think>."


async def test_a_text_that_ends_within_a_tag_loses_nothing() -> None:
    draft = Draft()
    async with serving(streaming(*whole("<thi"))) as endpoint:
        await answer("openai", endpoint, draft)

    assert draft.text == "<thi"


async def test_a_refusal_is_an_answer() -> None:
    draft = Draft()
    pieces = [chunk(refusal="I "), chunk(refusal="won't."), done("stop")]
    async with serving(streaming(*pieces)) as endpoint:
        finish = await answer("openai", endpoint, draft)

    assert draft.text == "I won't."
    assert finish.reason == "refusal"


async def test_a_stream_without_a_reason_but_with_its_end_is_whole() -> None:
    async with serving(streaming(chunk("Blue."), b"data: [DONE]\n\n")) as endpoint:
        assert await answer("openai", endpoint) == Finish("stop")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 502, "message": "CANARY"}, Overloaded),
        ({"code": "429"}, Overloaded),
        ({"type": "rate_limit_error"}, Overloaded),
        ({"code": None, "type": "server_error"}, Overloaded),
        ({"code": "model_not_found", "type": "invalid_request_error"}, Gone),
        ({"code": "invalid_api_key"}, Unauthorised),
        ({"code": "content_filter"}, Filtered),
    ],
)
async def test_errors_within_a_stream_have_their_names(error: object, kind: type) -> None:
    async with serving(streaming(event({"error": error}))) as endpoint:
        with pytest.raises(kind, match="error in the stream"):
            await answer("openai", endpoint)


@pytest.mark.parametrize(
    "data",
    [
        "[]",
        "7",
        '{"choices": []} {}',
        '{"choices": 7}',
        '{"choices": [7]}',
        '{"choices": [{"delta": 7}]}',
        '{"choices": [{"delta": {"content": 7}}]}',
        '{"choices": [{"delta": {"content": ["blue"]}}]}',
        '{"choices": [{"delta": {}, "finish_reason": {"a": 1}}]}',
        '{"choices": [{"delta": {"reasoning": [1]}}]}',
        "[" * 200_000,
        '{"usage": {"prompt_tokens": 1' + "0" * 5000 + "}}",
    ],
    ids=lambda data: data[:40],
)
def test_what_is_not_the_protocol_is_unreadable(data: str) -> None:
    with pytest.raises(Unreadable):
        Completion().take(data)


@pytest.mark.parametrize(
    "data",
    [
        "{}",
        '{"choices": []}',
        '{"choices": [{}]}',
        '{"choices": [{"delta": null, "finish_reason": null}], "usage": null, "error": null}',
        '{"choices": [{"delta": {"role": "assistant", "content": null, "refusal": null}}]}',
        '{"choices": [{"delta": {"tool_calls": [{"index": 0}]}}]}',
        '{"choices": [{"delta": {}}], "usage": 7}',
        '{"usage": {"completion_tokens_details": 7}}',
    ],
)
def test_chunks_without_text_say_nothing(data: str) -> None:
    completion = Completion()

    assert list(completion.take(data)) == []
    assert list(completion.take("[DONE]")) == []
    assert list(completion.end()) == [Finish("stop")]


async def test_a_key_that_no_header_may_carry_is_not_accepted() -> None:
    async with serving() as endpoint:
        with pytest.raises(Unauthorised):
            await answer("openai", endpoint, api_key="secret\nX-Other: 1")


async def test_models_are_listed() -> None:
    async with serving() as endpoint:
        listed = await list_models(endpoint, api_key="", limits=LIMITS)

    assert listed == ["linnet-3", "ostrel-prime"]


@pytest.mark.parametrize(
    "address",
    [
        "ftp://127.0.0.1/v1",
        "127.0.0.1/v1",
        "http://127.0.0.1:port/v1",
        "http://127.0.0.1:99999/v1",
        "http://a..b/v1",
        f"http://{'a' * 70}.test/v1",
        "http://é\x00.test/v1",
        "",
    ],
)
async def test_what_is_no_address_is_unreachable(address: str) -> None:
    with pytest.raises(Unreachable):
        await answer("openai", address)
