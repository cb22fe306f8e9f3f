"""Equal pacing: whatever two servers do, both sides are shown alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.battles.models import Side
from arena.battles.pacing import FASTEST, READING, SLOWEST, EqualPacer, NativePacer, Received

TICK = 0.05
words = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30), max_size=30
)


def run(pacer: NativePacer, a: list[str], b: list[str], every: tuple[int, int] = (1, 1)) -> list:  # type: ignore[type-arg]
    """Frames as (now, text of a, text of b) when a piece of a side comes every so many ticks."""
    frames, tick = [], 0
    while True:
        received = {
            side: Received("".join(pieces[: tick // step]), tick // step >= len(pieces))
            for side, pieces, step in ((Side.A, a, every[0]), (Side.B, b, every[1]))
        }
        if all(got.whole for got in received.values()) and not all(
            got.text for got in received.values()
        ):
            return frames
        shown = pacer.advance(received, tick * TICK)
        frames.append((tick * TICK, shown[Side.A], shown[Side.B]))
        if pacer.is_done(received):
            return frames
        tick += 1
        assert tick < 100_000


@given(a=words, b=words, every=st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_everything_is_shown_once_and_in_order(
    a: list[str], b: list[str], every: tuple[int, int]
) -> None:
    frames = run(EqualPacer(), a, b, every)

    if "".join(a) and "".join(b):
        assert "".join(frame[1] for frame in frames) == "".join(a)
        assert "".join(frame[2] for frame in frames) == "".join(b)


@pytest.mark.parametrize("every", [(1, 1), (1, 12), (12, 1)])
def test_a_fast_side_is_not_ahead_of_a_slow_one(every: tuple[int, int]) -> None:
    text = ["word "] * 120
    ahead = longest = 0
    for _, a, b in run(EqualPacer(), text, text, every):
        ahead += len(a) - len(b)
        longest = max(longest, abs(ahead))

    # They differ by less than a word, since both are cut at words.
    assert longest <= len("word ")


def test_nothing_is_shown_before_both_have_begun() -> None:
    pacer = EqualPacer()
    early = pacer.advance(
        {Side.A: Received("Much text. " * 50, True), Side.B: Received("", False)}, 1.0
    )

    assert early == {Side.A: "", Side.B: ""}


def test_what_was_held_back_is_there_once_nothing_more_comes() -> None:
    pacer = EqualPacer()
    received = {Side.A: Received("Much text.", True), Side.B: Received("", False)}
    pacer.advance(received, 1.0)

    assert pacer.rest(received) == {Side.A: "Much text.", Side.B: ""}
    assert pacer.rest(received) == {Side.A: "", Side.B: ""}


def test_a_stall_of_one_side_holds_both() -> None:
    pacer = EqualPacer()
    received = {Side.A: Received("word " * 400, True), Side.B: Received("word " * 10, False)}
    shown = 0
    for tick in range(200):
        shown += len(pacer.advance(received, tick * TICK)[Side.A])

    assert shown <= len("word " * 10)


def test_the_longer_side_does_not_hurry_when_it_is_alone() -> None:
    frames = run(EqualPacer(), ["short "] * 60, ["word "] * 400, every=(2, 2))
    ends = [now for now, a, _ in frames if a]
    alone = [(now, len(b)) for now, _, b in frames if now > ends[-1]]
    common = sum(len(b) for now, _, b in frames if now <= ends[-1]) / (ends[-1] - frames[0][0])

    assert sum(size for _, size in alone) / (alone[-1][0] - ends[-1]) <= common * 1.1


def test_a_few_words_beside_a_long_answer_do_not_slow_it_to_a_crawl() -> None:
    frames = run(EqualPacer(), ["Paris."], ["word " * 20] * 20)

    assert frames[-1][0] <= 2000 / READING + 3


def test_the_rate_stays_within_its_bounds() -> None:
    frames = run(EqualPacer(), ["word "] * 1000, ["word "] * 1000)
    seconds = frames[-1][0]

    assert 5000 / FASTEST <= seconds <= 5000 / SLOWEST


def test_native_pacing_shows_what_has_arrived() -> None:
    frames = run(NativePacer(), ["one ", "two "], ["three "], every=(2, 1))

    assert [(a, b) for _, a, b in frames if a or b] == [("", "three "), ("one ", ""), ("two ", "")]
