"""Stored Markdown as a page shows it: what it may hold, and what a stranger may not put in."""

from html.parser import HTMLParser
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from arena.core.markdown import render
from tests.core.markdown_cases import MATHEMATICS

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
