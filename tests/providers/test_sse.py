"""Server-sent events, read as the standard says, held against httpx-sse."""

from collections.abc import Sequence
from itertools import pairwise

import httpx
import httpx_sse
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.providers.exceptions import TooLong, Unreadable
from arena.providers.sse import EventReader

LIKELY = (
    *("data: ", "data:", "data", "event: x", "id: 1", ": comment", "retry: 5", "dat"),
    *("\n", "\r", "\r\n", "\n\n", "\r\n\r\n", "\r\r", " ", "a", "é", "🙂", "\u2028"),
)


def streams() -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(LIKELY) | st.text(max_size=2), max_size=30).map("".join)


def torn(whole: bytes, cuts: Sequence[int]) -> list[bytes]:
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    return [whole[a:b] for a, b in pairwise(places)]


def read(*pieces: bytes, most: int = 1000) -> list[str]:
    reader = EventReader(most)
    return [data for piece in pieces for data in reader.feed(piece)]


def as_httpx_sse_reads(whole: bytes) -> list[str]:
    headers = {"Content-Type": "text/event-stream"}
    source = httpx_sse.EventSource(httpx.Response(200, headers=headers, content=whole))
    return [event.data for event in source.iter_sse()]


def test_it_works() -> None:
    assert read(b"event: x\ndata: one\n\n: ping\n\ndata: two\ndata: lines\n\ndata: torn") == [
        "one",
        "two\nlines",
    ]


@given(streams(), st.lists(st.integers(0, 100), max_size=20))
def test_the_data_is_that_of_httpx_sse(text: str, cuts: list[int]) -> None:
    whole = text.lstrip("\ufeff").encode()
    theirs = as_httpx_sse_reads(whole)

    # httpx-sse reports events that have a name or an id and no data; the standard drops them.
    assert [*filter(None, read(*torn(whole, cuts)))] == [*filter(None, theirs)]


@given(streams())
def test_single_bytes_give_the_same(text: str) -> None:
    whole = text.encode()

    assert read(*(bytes([byte]) for byte in whole)) == read(whole)


@pytest.mark.parametrize(
    ("stream", "data"),
    [
        (b"\xef\xbb\xbfdata: one\n\n", ["one"]),
        (b"data: \xef\xbb\xbfone\n\n", ["\ufeffone"]),
        (b"data:one\n\n", ["one"]),
        (b"data:  one\n\n", [" one"]),
        (b"data\n\n", [""]),
        (b"data:\ndata:\n\n", ["\n"]),
        (b"data: one\r\rdata: two\r\n\r\n", ["one", "two"]),
        (b"event: x\n\n", []),
        (b" data: one\n\nDATA: two\n\ndatas: three\n\n", []),
        (b"data: one\n", []),
        ("data: a\u2028b\u0085c\x0bd\n\n".encode(), ["a\u2028b\u0085c\x0bd"]),
    ],
)
def test_the_standard(stream: bytes, data: list[str]) -> None:
    assert read(stream) == read(*(bytes([byte]) for byte in stream)) == data


def test_an_event_is_given_out_with_its_last_line_end() -> None:
    reader = EventReader(1000)

    assert reader.feed(b"data: one\r\n\r") == ["one"]
    assert reader.feed(b"\ndata: two\r\n\r\n") == ["two"]


@pytest.mark.parametrize("wrong", [b"\xff", b"\xc3(", b"\xed\xa0\x80"])
def test_what_is_not_utf8_is_unreadable(wrong: bytes) -> None:
    with pytest.raises(Unreadable):
        read(b"data: ", wrong, b"\n\n")


@pytest.mark.parametrize("piece", [b"x", b"data: x\n"], ids=["one line", "many lines"])
def test_an_event_without_end_is_too_long(piece: bytes) -> None:
    with pytest.raises(TooLong):
        read(*[piece] * 1001)


def test_a_stream_may_be_longer_than_an_event() -> None:
    assert len(read(*[b": ping\n\n", b"data: one\ndata: two\n\n"] * 300)) == 300
