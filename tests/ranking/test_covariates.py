"""Counting the style of an answer, on honest and on hostile text."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking import SpecError
from ranking.covariates import (
    StyleMetrics,
    count_tokens,
    expand_controls,
    pair_difference,
    style_metrics,
)
from ranking.records import answers

ANSWER = """# Title

Some **bold** and __also bold__ text 🎉.

- one
* two
  + nested
1. first
2) second

```python
# not a header
- not an item **nor bold** 🎉
```

### Sub 👩‍👩‍👧 🇩🇪 3️⃣
"""


def test_an_answer() -> None:
    metrics = style_metrics(ANSWER)

    assert (metrics.headers, metrics.lists, metrics.bold) == (2, 5, 2)
    assert (metrics.code, metrics.emoji) == (1, 4)
    assert metrics.tokens == count_tokens(ANSWER)


@pytest.mark.parametrize(
    ("text", "field", "number"),
    [
        ("", "tokens", 0),
        ("#tag", "headers", 0),
        ("####### seven", "headers", 0),
        ("-no item", "lists", 0),
        ("2024 was a year", "lists", 0),
        ("** not bold **\n**open", "bold", 1),
        ("**a** b **c**", "bold", 2),
        ("2 ** 3 and 4 ** 5", "bold", 1),
        ("~~~\ncode\n~~~", "code", 1),
        ("```\nunclosed\n# inside", "code", 1),
        ("```\nunclosed\n# inside", "headers", 0),
        ("````\n```\n# inside\n````\n# after", "headers", 1),
        ("```a``` inline", "code", 0),
        ("  ```js\nx\n  ```", "code", 1),
        ("👍🏽👍", "emoji", 2),
        ("1 2 3 # *", "emoji", 0),
        ("hello world", "tokens", 2),
        ("internationalisation", "tokens", 3),
        ("1234567", "tokens", 3),
        ("你好世界", "tokens", 4),
        ("привет", "tokens", 2),
    ],
)
def test_small_cases(text: str, field: str, number: int) -> None:
    assert getattr(style_metrics(text), field) == number


def test_metrics_of_messages_add_up() -> None:
    assert StyleMetrics(1, 2, 3, 4, 5, 6) + StyleMetrics(1, 1, 1, 1, 1, 1) == StyleMetrics(
        2, 3, 4, 5, 6, 7
    )


HOSTILE = [
    "*",
    "#",
    "`",
    "_",
    "- ",
    "\n",
    " ",
    "**a",
    "```\n",
    "# ",
    "1.",
    "🎉\u200d",
    "👍🏽",
    "1️⃣",
    "~~~x\n",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_megabyte_of_anything_is_counted(piece: str) -> None:
    """A quadratic scan of any of these would take minutes, and the suite with it."""
    text = piece * (1_000_000 // len(piece))

    assert style_metrics(text).tokens <= len(text)


@given(st.text())
def test_any_text_has_metrics(text: str) -> None:
    metrics = style_metrics(text)

    assert all(getattr(metrics, name) >= 0 for name in StyleMetrics.__slots__)


def test_groups_expand_in_a_fixed_order() -> None:
    assert expand_controls(["markdown", "length", "bold"]) == ("length", "headers", "lists", "bold")
    assert expand_controls(["latency"]) == ("first_token", "duration")
    assert len(expand_controls(["style"])) == 6
    with pytest.raises(SpecError, match="unknown control 'colour'"):
        expand_controls(["colour"])


def test_the_pair_difference_is_exactly_antisymmetric() -> None:
    a, b = np.random.default_rng(0).lognormal(3, 1, (2, 100_000))
    a[:3], b[:2] = 0.0, 0.0
    forward = pair_difference(a, b)

    assert (forward == -pair_difference(b, a)).all()
    assert forward[:3].tolist() == [0.0, 0.0, -1.0]
    np.testing.assert_allclose(forward[3:], (a[3:] - b[3:]) / (a[3:] + b[3:]), rtol=1e-12)


@pytest.fixture(scope="module")
def published(real_votes: Path) -> list[tuple[list[str], dict[str, int]]]:
    """Answers of the arena's published sample with the counts it gives."""
    lines = (real_votes / "arena_140k_native_100.jsonl").read_text(encoding="utf-8").splitlines()
    found = []
    for record in map(json.loads, lines):
        given = record["conv_metadata"]
        for side in "ab":
            counts = {
                "tokens": given[f"sum_assistant_{side}_tokens"],
                "headers": sum(given[f"header_count_{side}"].values()),
                "lists": sum(given[f"list_count_{side}"].values()),
                "bold": sum(given[f"bold_count_{side}"].values()),
            }
            found.append((answers(record[f"conversation_{side}"]) or [], counts))
    return found


def test_counts_agree_with_the_published_ones(
    published: list[tuple[list[str], dict[str, int]]],
) -> None:
    agree = dict.fromkeys(["headers", "lists", "bold"], 0)
    for texts, counts in published:
        metrics = [style_metrics(text) for text in texts]
        for name in agree:
            agree[name] += sum(getattr(m, name) for m in metrics) == counts[name]

    assert len(published) == 200
    assert agree["headers"] == 200
    assert agree["bold"] == 200
    assert agree["lists"] == 196


def test_tokens_track_the_published_ones(
    published: list[tuple[list[str], dict[str, int]]],
) -> None:
    ours = np.array([sum(map(count_tokens, texts)) for texts, _ in published])
    theirs = np.array([counts["tokens"] for _, counts in published])

    assert np.corrcoef(np.log(ours), np.log(theirs))[0, 1] > 0.985
    assert 0.85 < np.median(ours / theirs) < 1.05
