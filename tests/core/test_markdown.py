"""Stored Markdown as a page shows it: what it may hold, and what a stranger may not put in."""

from html.parser import HTMLParser
from unittest.mock import patch

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from arena.core import effort, markdown, rendered
from arena.core.markdown import render
from arena.core.rendered import Rendered
from tests.core.markdown_cases import MATHEMATICS, TABLES, table

Tag = tuple[str, dict[str, str | None]]


class Tags(HTMLParser):
    """Collects what a browser would make elements of."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Tag] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(text: str) -> list[Tag]:
    parser = Tags()
    parser.feed(render(text))
    parser.close()
    return parser.found


def names(text: str) -> list[str]:
    return [name for name, _ in tags(text)]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# Why", "<h1>Why</h1>"),
        ("It is **blue**, *very* ~~red~~.", "<strong>blue</strong>, <em>very</em> <s>red</s>"),
        ("- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>"),
        ("5. five\n6. six", '<ol start="5">'),
        ("> quoted", "<blockquote>\n<p>quoted</p>"),
        ("```python\na < b\n```", '<code class="language-python">a &lt; b\n</code>'),
        ("two  \nlines", "two<br>\nlines"),
        ("***", "<hr>"),
    ],
)
def test_it_works(text: str, html: str) -> None:
    assert html in render(text)


def test_a_table_keeps_its_alignment_without_a_style() -> None:
    html = render("| a | b | c | d |\n|:--|:-:|--:|---|\n| 1 | 2 | 3 | 4 |")

    assert '<th align="left">a</th>\n<th align="center">b</th>\n<th align="right">c</th>' in html
    assert '<td align="left">1</td>\n<td align="center">2</td>\n<td align="right">3</td>' in html
    assert "<th>d</th>" in html
    assert "style=" not in html


def test_code_that_speaks_of_alignment_stays_as_it_was_written() -> None:
    html = render('```\n<td style="text-align:left">\n```')

    assert '&lt;td style="text-align:left"&gt;' in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg><script>alert(1)</script></svg>",
        "<style>* { display: none }</style>",
        "<iframe src='https://evil.example'></iframe>",
        "<form action='https://evil.example'><input name=key></form>",
        "a <b onclick=alert(1)>b</b>",
        "<!-- --!><script>alert(1)</script> -->",
        "<p style='position:fixed'>",
        "| <script>alert(1)</script> |\n|---|\n| <base href='//evil.example'> |",
    ],
)
def test_html_in_an_answer_is_text(text: str) -> None:
    written = {"p", "div", "table", "thead", "tbody", "tr", "th", "td"}

    assert set(names(text)) <= written
    assert all(attributes in ({}, {"class": "scroll"}) for _, attributes in tags(text))
    assert "&lt;" in render(text)


def test_a_link_opens_elsewhere_and_tells_nothing() -> None:
    ((_, attributes),) = [tag for tag in tags('[x](https://e.example/p "t")') if tag[0] == "a"]

    assert attributes["href"] == "https://e.example/p"
    assert attributes["title"] == "t"
    assert attributes["target"] == "_blank"
    assert set((attributes["rel"] or "").split()) == {"noopener", "noreferrer", "nofollow"}


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "&#106;avascript:alert(1)",
        "javascript&colon;alert(1)",
        "vbscript:x",
        "data:text/html,x",
        "data:image/png;base64,eA==",
        "file:///etc/passwd",
    ],
)
def test_only_addresses_of_the_web_are_linked(address: str) -> None:
    for text in (f"[x]({address})", f"<{address}>", f"[x][r]\n\n[r]: {address}"):
        assert not any("href" in attributes for _, attributes in tags(text)), text


IMAGES = ["![a cat](https://e.example/i.png 't')", "![a cat][r]\n\n[r]: https://e.example/i.png"]


@pytest.mark.parametrize("text", IMAGES)
def test_an_image_is_named_and_not_fetched(text: str) -> None:
    html = render(f"before {text}")

    assert '<p>before <span class="image">Image not loaded: a cat</span></p>' in html
    assert "e.example" not in html


def test_an_image_without_words_is_told_of_too() -> None:
    assert '<span class="image">Image not loaded</span>' in render("![](https://e.example/i.png)")


@pytest.mark.parametrize("text", IMAGES)
def test_a_setting_lets_images_be_fetched_without_telling_from_where(
    text: str, settings: Settings
) -> None:
    settings.ANSWER_IMAGES = True
    ((_, attributes),) = [tag for tag in tags(text) if tag[0] == "img"]

    assert attributes["src"] == "https://e.example/i.png"
    assert attributes["alt"] == "a cat"
    assert attributes["referrerpolicy"] == "no-referrer"
    assert attributes["loading"] == "lazy"
    assert attributes["decoding"] == "async"


@pytest.mark.parametrize("address", ["http://e.example/i.png", "data:image/png;base64,x", "/i.png"])
def test_no_setting_lets_other_images_be_fetched(address: str, settings: Settings) -> None:
    settings.ANSWER_IMAGES = True

    assert "img" not in names(f"![a cat]({address})")


def test_the_words_about_an_image_are_those_of_the_page() -> None:
    said = {"Image not loaded: %(alt)s": "Image non chargée : %(alt)s"}
    with patch("arena.core.markdown._", lambda text: said[text]):
        assert "Image non chargée : un &lt;chat&gt;" in render("![un <chat>](https://e.example/i)")


@pytest.mark.parametrize(("text", "formulas"), MATHEMATICS.items())
def test_mathematics_is_found(text: str, formulas: list[str]) -> None:
    found = Formulas()
    found.feed(render(text))

    assert found.formulas == formulas


class Formulas(HTMLParser):
    """Collects TeX; that in a line of its own begins with a star."""

    def __init__(self) -> None:
        super().__init__()
        self.formulas: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kind = (dict(attrs).get("class") or "").split()
        if "math" in kind:
            self.inside = tag
            self.formulas.append("*" if "display" in kind else "")

    def handle_endtag(self, tag: str) -> None:
        if tag == self.inside:
            self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.formulas[-1] += data


@pytest.mark.parametrize(
    ("info", "language"),
    [
        ("python", "python"),
        ("c++ title=x", "c++"),
        ("js:main.js", "js"),
        ("python{1,3}", "python"),
        ("", None),
        ("{.python}", None),
        ('"><script>', None),
        ("x" * 25, None),
    ],
)
def test_a_block_of_code_says_its_language(info: str, language: str | None) -> None:
    (block, _, code) = tags(f"```{info}\ncode\n```")

    assert block[1].get("data-language") == language
    assert code[1].get("class") == (f"language-{language}" if language else None)


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        ("مرحبا hello", "rtl"),
        ("**1.** `code` $x$ مرحبا", "rtl"),
        ("- שלום\n- hello", "rtl"),
        ("| שם |\n|---|\n| name |", "rtl"),
        ("hello مرحبا", None),
        ("123", None),
    ],
)
def test_a_block_goes_the_way_of_its_first_letter(text: str, direction: str | None) -> None:
    outermost = next(attributes for name, attributes in tags(text) if name != "div")

    assert outermost.get("dir") == direction


WITHOUT_END = [
    *("`" * 100_000, "[" * 100_000, "$" * 100_000, "$a " * 33_000, "\\(" * 50_000),
    *("\\[\\(" * 25_000, "$$a\n" * 25_000, "\\[a\n" * 25_000, "`$" * 50_000, "*_" * 50_000),
    *(">" * 100_000, "- " * 50_000, "![" * 50_000, "|a" * 50_000 + "\n" + "|-" * 50_000),
]


@pytest.mark.parametrize("text", WITHOUT_END, ids=[repr(text[:6]) for text in WITHOUT_END])
def test_texts_without_end_are_rendered(text: str) -> None:
    """Each in some seconds at most; a rule that took the square of the length would take hours."""
    assert render(text)


# -- Work without end ----------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "cells"), TABLES.items(), ids=range(len(TABLES)))
def test_a_table_has_not_far_more_cells_than_were_written(text: str, cells: int) -> None:
    found = names(text)

    assert found.count("th") + found.count("td") == cells
    assert ("pre" in found) == (cells == 0 or "```" in text)


def test_a_table_that_is_too_wide_for_its_rows_is_shown_as_it_was_written() -> None:
    lines = table(64, 64, "|")

    assert render(f"before\n\n{lines}\nafter **it**") == (
        f'<p>before</p>\n<div class="code" dir="ltr"><pre><code>{lines}</code></pre></div>\n'
        "<p>after <strong>it</strong></p>\n"
    )


def test_many_small_tables_of_lone_pipes_do_not_grow_without_end() -> None:
    text = (table(16, 15, "|") + "\n") * 2_000

    assert names(text).count("td") < 100_000


LARGE = {
    "prose": "The sky is **blue** because *short* waves, as `Rayleigh` [found](https://e.example).\n\n",
    "lists": "- one thing\n- another **thing**\n  - nested\n",
    "rows": "| 1 | two | three |\n",
    "code": "```python\ndef f(x):\n    return x[0] < 1  # why\n```\n\n",
    "formulas": "Let $x$ be $y^2$ and\n$$\ne^x + 1\n$$\n\n",
}


@pytest.mark.parametrize("part", LARGE.values(), ids=LARGE)
def test_the_largest_answers_that_models_write_are_rendered_whole(part: str) -> None:
    begin = "| a | b | c |\n|---|---|---|\n" if part.startswith("|") else ""
    whole = begin + part * (200_000 // len(part))

    assert names(whole).count("pre") == whole.count("```python")


HOSTILE = [
    *("[[a](b", "![", "__a__ ", "#\n", "-\n", "- a\n\n", "> - > - > - a\n", "a\n", "*_"),
    ">" * 15 + "a\n" + "b\n" * 90_000,
]


@pytest.mark.parametrize("part", HOSTILE, ids=[repr(part[:8]) for part in HOSTILE])
def test_what_takes_too_much_work_is_shown_as_it_was_written(part: str) -> None:
    hostile = part * (200_000 // len(part))
    html = render(f"# Why\n\nIt is **blue**.\n\n{hostile}")

    assert html.startswith("<h1>Why</h1>\n<p>It is <strong>blue</strong>.</p>\n")
    assert "<pre>" in html
    shown = Text()
    shown.feed(html)
    assert shown.text.rstrip("\n").endswith(hostile[-1000:].rstrip("\n"))


class Text(HTMLParser):
    text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


def test_work_is_counted_for_each_answer_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effort, "MOST_PLACES", 20)
    for _ in range(20):
        assert render("It is **blue**.") == "<p>It is <strong>blue</strong>.</p>\n"
    assert render("- **a** *b* `c`\n" * 20).startswith('<div class="code"')


@given(st.text(st.sampled_from("[]()!`*_|-:>#$\\ \nab1."), max_size=60), st.integers(0, 40))
def test_wherever_work_ends_the_html_is_whole(text: str, most: int) -> None:
    for name in ("MOST_LINES", "MOST_PLACES"):
        with patch(f"arena.core.effort.{name}", most):
            assert render(text) is not None


# -- Kept for a while ----------------------------------------------------------------------------


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Rendered:
    """A memory of the test's own."""
    own = Rendered()
    monkeypatch.setattr(markdown, "kept", own)
    return own


LONG = "It is **blue**. " * 100


def test_a_long_answer_is_made_once(kept: Rendered, monkeypatch: pytest.MonkeyPatch) -> None:
    first = render(LONG)
    monkeypatch.setattr(markdown, "cleaned", None)

    assert render(LONG) == first
    assert "<strong>blue</strong>" in first


def test_what_is_kept_is_of_one_language_and_one_setting(
    kept: Rendered, settings: Settings
) -> None:
    text = LONG + "![a cat](https://e.example/i.png)"
    assert "Image not loaded: a cat" in render(text)
    with translation.override("fr"):
        assert "Image not loaded" not in render(text)
    settings.ANSWER_IMAGES = True
    assert "<img" in render(text)
    settings.ANSWER_IMAGES = False
    assert "Image not loaded: a cat" in render(text)


def test_it_takes_only_so_much_memory(kept: Rendered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendered, "MOST_BYTES", 2_000)
    for number in range(200):
        render(f"{number} {LONG}")

    assert 0 < sum(len(packed) for _, packed in kept.entries.values()) <= 2_000
    assert kept.bytes == sum(len(packed) for _, packed in kept.entries.values())


def test_nothing_is_kept_for_long(kept: Rendered, monkeypatch: pytest.MonkeyPatch) -> None:
    """Erased texts leave the memory too, although nobody asks for them or for others."""
    monkeypatch.setattr(rendered, "KEPT_SECONDS", 0.05)
    render(LONG)
    assert kept.timer is not None
    kept.timer.join()

    assert not kept.entries
    assert kept.bytes == 0


@pytest.mark.parametrize("line", ["---", "===", "-", "="])
def test_a_line_under_a_paragraph_makes_no_heading_of_it(line: str) -> None:
    text = f"The sky is blue\n{line}"

    assert "The sky is blue" in render(text)
    assert not {"h1", "h2"} & set(names(text))


@given(st.text(st.sampled_from("<>[]()!\"'`*_|-:&;#=/\\ \njavscriptimgonerror"), max_size=80))
def test_nothing_that_runs_comes_of_any_text(text: str) -> None:
    for name, attributes in tags(text):
        assert name not in {"script", "img", "style", "iframe", "svg", "form", "input"}
        assert not any(attribute.startswith("on") for attribute in attributes)
        assert not (attributes.get("href") or "").lower().lstrip().startswith("javascript")
