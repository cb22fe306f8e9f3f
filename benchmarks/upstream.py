"""A server of the OpenAI chat protocol for load.py: cheap, steady, and exact about when.

Every answer is a stream of so many tokens at one rate, as a client of vLLM sees them: a chunk of
some 200 bytes each, sent at once. The moment of every token is kept, so that whoever reads the
text at the other end can say how long each of them was under way. The clock is
time.perf_counter.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from socket import socket
from time import perf_counter
from typing import cast

import httptools

# Tokens as models write English, with the blank before the word: 4.4 bytes on average. A few
# test what lies between: line ends, markup, characters of several bytes, quotes.
PROSE = (
    "the of and to in is that it was for on are as with at be this from or an by not but what"
    " all were when we there can use your which do how if will up other about out many then them"
    " these so some her would make like him into time has look two more write go see no way could"
    " people my than first been call who its now find long down day did get come made may part"
    " over sound take only little work know place year live back give most very after thing our"
    " just name good sentence man think say great where help through much before line right too"
    " mean old any same tell boy follow came want show also around form three small set put end"
    " does another well large must big even such because turn here why ask went men read need"
    " land different home move try kind hand picture again change off play spell air away animal"
)
PIECES = (",", ".", "ing", "ed", "s", "er", "ly", "\n\n", "\n- ", " **", "**", "é", " “", "”", ":")
OTHERS = (' "quoted"', " naïve", " 日本", " 🙂", " café", " C:\\", " <b>")
# So many chunks' worth of moments between two tokens of one stream, each stream in one of them.
PHASES = 16


def vocabulary() -> list[str]:
    """A long text's tokens, of which each answer takes a part."""
    luck = random.Random(4)
    kinds = ([f" {word}" for word in PROSE.split()], list(PIECES), list(OTHERS))
    chosen = luck.choices(kinds, weights=(80, 18, 2), k=50_000)
    return [luck.choice(kind) for kind in chosen]


class Stream:
    """One answer: its tokens, and when each was sent.

    Its first token says its number, by which a reader of the text finds it.
    """

    def __init__(self, number: int, model: str, prompt: str, tokens: list[str]) -> None:
        self.number = number
        self.model = model
        self.prompt = prompt
        self.tokens = tokens
        self.text = "".join(tokens)
        self.sent = array("d")
        self.ended_at = 0.0
        self.was_left = False


def name_of(number: int) -> str:
    return f"s{number}"


def number_in(text: str) -> int:
    """The number of the stream whose text begins like this."""
    return int(text[1 : text.index(" ")])


@contextmanager
def listening() -> Iterator[socket]:
    """A socket on a free port, known before anybody is told of it."""
    with socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen(1024)
        yield bound


class Upstream:
    """All streams, begun or ended, and the one timer that writes them.

    turned, late: when each turn of the timer came, and how many seconds too late; a generator
    that is short of processor time shows here.
    """

    def __init__(self, *, tokens: int, rate: float) -> None:
        self.tokens = tokens
        self.rate = rate
        self.streams: list[Stream] = []
        self.turned = array("d")
        self.late = array("d")
        self._text = vocabulary()
        self._luck = random.Random(5)
        self._phases: list[list[Writing]] = [[] for _ in range(PHASES)]
        self._writing = 0
        self._is_ticking = False
        self._began = 0.0
        self._turn = 0

    def connection(self) -> asyncio.Protocol:
        return Connection(self)

    def begin(self, connection: Connection, model: str, prompt: str) -> Writing:
        number = len(self.streams)
        start = self._luck.randrange(len(self._text) - self.tokens)
        tokens = [name_of(number), " a", *self._text[start : start + self.tokens - 2]]
        stream = Stream(number, model, prompt, tokens)
        self.streams.append(stream)
        phase = self._luck.randrange(PHASES)
        writing = Writing(stream, connection, phase)
        self._phases[phase].append(writing)
        self._writing += 1
        if not self._is_ticking:
            self._is_ticking = True
            self._began, self._turn = perf_counter(), 0
            self._wake()
        return writing

    def leave(self, writing: Writing) -> None:
        self._phases[writing.phase].remove(writing)
        self._writing -= 1

    def _due(self) -> float:
        return self._began + self._turn / (self.rate * PHASES)

    def _wake(self) -> None:
        # uvloop counts whole milliseconds, and what it rounds down to none it calls at once.
        wait = max(ceil((self._due() - perf_counter()) * 1000), 1) / 1000
        asyncio.get_running_loop().call_later(wait, self._write)

    def _write(self) -> None:
        """Everything that is due; after a delay every stream is brought up to its rate again."""
        now = perf_counter()
        self.turned.append(now)
        self.late.append(now - self._due())
        while self._writing and self._due() <= now:
            for writing in list(self._phases[self._turn % PHASES]):
                writing.write_next()
            self._turn += 1
        self._is_ticking = self._writing > 0
        if self._is_ticking:
            self._wake()


class Writing:
    """What is under way: a stream and the connection that it is written to."""

    def __init__(self, stream: Stream, connection: Connection, phase: int) -> None:
        self.stream = stream
        self.connection = connection
        self.phase = phase
        self._chunks = Chunks(stream)
        self._tokens = self._chunks.tokens()
        connection.write(HEAD + self._chunks.first())

    def write_next(self) -> None:
        at = len(self.stream.sent)
        if at == len(self._tokens):
            self.stream.ended_at = perf_counter()
            self.connection.end(self._chunks.last())
            return
        chunk = self._chunks.around(self._tokens[at])
        self.stream.sent.append(perf_counter())
        self.connection.write(chunk)

    def leave(self) -> None:
        """The other side went away."""
        self.stream.was_left = not self.stream.ended_at


HEAD = (
    b"HTTP/1.1 200 OK\r\nserver: uvicorn\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


class Chunks:
    """The pieces of a stream's HTTP body, as vLLM writes them."""

    def __init__(self, stream: Stream) -> None:
        identity = random.Random(stream.number).getrandbits(128)
        self._opening = (
            f'data: {{"id":"chatcmpl-{identity:032x}","object":"chat.completion.chunk",'
            f'"created":1764201600,"model":{json.dumps(stream.model)},"choices":['
        ).encode()
        self._before = self._opening + b'{"index":0,"delta":{"content":"'
        self._after = b'"},"logprobs":null,"finish_reason":null}]}\n\n\r\n'
        self._size = len(self._before) + len(self._after) - 2
        self._stream = stream

    def tokens(self) -> list[bytes]:
        return [json.dumps(t, ensure_ascii=False)[1:-1].encode() for t in self._stream.tokens]

    def around(self, token: bytes) -> bytes:
        return b"%x\r\n%b%b%b" % (self._size + len(token), self._before, token, self._after)

    def first(self) -> bytes:
        return self._event(
            b'{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,'
            b'"finish_reason":null}]}'
        )

    def last(self) -> bytes:
        count = len(self._stream.tokens)
        usage = f'],"usage":{{"prompt_tokens":20,"total_tokens":{20 + count},'
        return (
            self._event(
                b'{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":"stop",'
                b'"stop_reason":null}]}'
            )
            + self._event(f'{usage}"completion_tokens":{count}}}}}'.encode())
            + chunk(b"data: [DONE]\n\n")
            + b"0\r\n\r\n"
        )

    def _event(self, rest: bytes) -> bytes:
        return chunk(self._opening + rest + b"\n\n")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive: one completion after the other."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []
        self._url = b""
        self._writing: Writing | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._file = transport.get_extra_info("socket").fileno()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def eof_received(self) -> None:
        self._let_go()

    def connection_lost(self, error: Exception | None) -> None:
        self._let_go()

    def _let_go(self) -> None:
        if self._writing is not None:
            self._upstream.leave(self._writing)
            self._writing.leave()
            self._writing = None

    # -- What the parser calls ---------------------------------------------------------------

    def on_url(self, url: bytes) -> None:
        self._url, self._body = url, []

    def on_body(self, data: bytes) -> None:
        self._body.append(data)

    def on_message_complete(self) -> None:
        if self._url.endswith(b"/chat/completions"):
            asked = json.loads(b"".join(self._body))
            prompt = asked["messages"][-1]["content"]
            self._writing = self._upstream.begin(self, asked["model"], prompt)
        else:
            self.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")

    # -- What streams call -------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Write now: the event loop would only do so at the end of its turn, after the others."""
        written = 0
        if not self._transport.get_write_buffer_size():
            try:
                written = os.write(self._file, data)
            except BlockingIOError:
                written = 0
            except OSError:
                self._let_go()
                return
        if written < len(data):
            self._transport.write(data[written:])

    def end(self, data: bytes) -> None:
        self.write(data)
        self._let_go()
