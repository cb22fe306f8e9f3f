"""Answers as the browser shows them: while they are written, stored, hostile, long."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings
from playwright.sync_api import Page, expect

from arena.core.markdown import render
from tests.core.markdown_cases import MATHEMATICS, PLAIN, TABLES

pytestmark = pytest.mark.browser

STATIC = "/static/core"
# A page of the arena, under its policy, with nothing on it but a place for an answer.
PREPARE = """async () => {
  document.head.insertAdjacentHTML("beforeend",
    `<link rel="stylesheet" href="/static/core/css/answer.css">`);
  document.querySelector("main").innerHTML =
    `<h1>Answers</h1><p role="status" id="announcer"></p><div class="answer" id="here"></div>`;
  window.here = document.getElementById("here");
  const load = (name) => import(`/static/core/js/${name}.js`);
  window.parts = {};
  for (const name of ["answer", "enhance", "markdown", "copy"]) {
    Object.assign(window.parts, await load(name));
  }
  window.view = new parts.AnswerView(here);
  window.frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  window.write = async (...deltas) => {
    for (const delta of deltas) {
      view.append(delta);
      await frame();
    }
  };
  // What a parser makes of it, in an order that does not depend on who wrote it.
  window.shape = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    const attributes = [...(node.attributes ?? [])].map(({ name, value }) =>
      `${name}=${name === "rel" ? value.split(" ").sort().join(" ") : value}`);
    return [node.nodeName, attributes.sort(), [...node.childNodes].map(shape)];
  };
  window.shapeOfHtml = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    return shape(template.content);
  };
}"""


@pytest.fixture
def answers(page: Page) -> Page:
    return prepared(page)


def prepared(page: Page) -> Page:
    page.goto("/privacy/")
    page.evaluate(PREPARE)
    return page


def whole(page: Page, text: str) -> None:
    """Show `text` as an answer that has been written."""
    page.evaluate("async (text) => { view.clear(); view.append(text); view.finish(); }", text)


def stored(page: Page, text: str) -> None:
    """Show `text` as a page from the server shows it."""
    page.evaluate("(html) => { here.innerHTML = html; parts.enhance(here); }", render(text))


def differing(page: Page, texts: list[str]) -> list[str]:
    """Those of `texts` that server and browser render differently."""
    return page.evaluate(
        """(pairs) => pairs.filter(([text, html]) =>
             JSON.stringify(shape(parts.renderWhole(text))) !== JSON.stringify(shapeOfHtml(html))
           ).map(([text]) => text)""",
        [(text, render(text)) for text in texts],
    )


# -- Server and browser agree ------------------------------------------------------------------


def test_the_browser_finds_the_same_mathematics(answers: Page) -> None:
    found = answers.evaluate(
        """(texts) => texts.map((text) =>
             [...parts.renderWhole(text).querySelectorAll(".math")].map((math) =>
               (math.classList.contains("display") ? "*" : "") + math.textContent))""",
        list(MATHEMATICS),
    )

    assert dict(zip(MATHEMATICS, found, strict=True)) == MATHEMATICS


def test_server_and_browser_render_alike(answers: Page) -> None:
    assert differing(answers, [*PLAIN, *MATHEMATICS]) == []


def test_server_and_browser_bound_tables_alike(answers: Page) -> None:
    assert differing(answers, list(TABLES)) == []
    cells = answers.evaluate(
        "(texts) => texts.map((t) => parts.renderWhole(t).querySelectorAll('th, td').length)",
        list(TABLES),
    )
    assert cells == list(TABLES.values())


def test_server_and_browser_render_any_text_alike(answers: Page) -> None:
    drawn = random.Random(7)
    pieces = [
        *"$$$\\\\()[]`*_~|>#-+!:<&;\"'\n\n   abz19é设",
        "$$",
        "\\(",
        "\\]",
        "```",
        "](",
        "\n- ",
    ]
    texts = ["".join(drawn.choices(pieces, k=drawn.randint(2, 60))) for _ in range(1500)]

    # A backslash and a space at the end of a line: the two libraries differ in keeping the space.
    assert [text for text in differing(answers, texts) if "\\ \n" not in text] == []


@pytest.fixture
def with_images() -> Iterator[None]:
    policy = {
        "DIRECTIVES": {
            **settings.CONTENT_SECURITY_POLICY["DIRECTIVES"],
            "img-src": ["'self'", "data:", "https:"],
        }
    }
    with override_settings(ANSWER_IMAGES=True, CONTENT_SECURITY_POLICY=policy):
        yield


def test_images_are_shown_alike_where_a_setting_allows_them(with_images: None, page: Page) -> None:
    page.route("https://**/*", lambda route: route.fulfill(body="", content_type="image/png"))
    page.goto("/privacy/")
    page.evaluate(
        """document.head.insertAdjacentHTML("beforeend", '<meta name="answer-images">')"""
    )
    page.evaluate(PREPARE)

    assert differing(page, PLAIN) == []
    whole(page, "![a cat](https://e.example/i.png) ![a dog](http://e.example/i.png)")
    image = page.get_by_role("img", name="a cat")
    expect(image).to_have_attribute("referrerpolicy", "no-referrer")
    expect(image).to_have_attribute("loading", "lazy")
    expect(page.locator("#here .image")).to_have_text("Image not loaded: a dog")


def test_images_are_named_and_not_fetched(answers: Page) -> None:
    asked: list[str] = []
    answers.on("request", lambda request: asked.append(request.url))
    for show in (whole, stored):
        show(answers, "See ![a cat](https://e.example/i.png) and ![](https://e.example/j.png).")
        expect(answers.locator("#here p")).to_have_text(
            "See Image not loaded: a cat and Image not loaded."
        )
    answers.evaluate("frame()")

    assert not any("e.example" in url for url in asked)


# -- Mathematics -------------------------------------------------------------------------------

FORMULAS = (
    "Inline $\\frac{a}{b}$ and \\(\\sqrt[3]{x}\\).\n\n$$\\sum_{i=1}^n \\int_0^1 x_i \\, dx$$\n\n"
    "\\[\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix} \\overbrace{x+y}^{2} \\xrightarrow{abc}\\]"
)


def test_formulas_are_set_under_the_policy(answers: Page) -> None:
    for show in (whole, stored):
        show(answers, FORMULAS)
        expect(answers.locator("#here .math.set .katex-html")).to_have_count(4)
        expect(answers.locator("#here math")).to_have_count(4)
        assert answers.locator("#here .katex-error").count() == 0
    # The page's fixture fails the test for anything that the policy refused.


def test_a_formula_is_set_as_soon_as_it_ends_and_nothing_above_moves(answers: Page) -> None:
    whole(answers, "$x$")
    expect(answers.locator("#here .math.set")).to_have_count(1)
    answers.evaluate("view.clear()")

    answers.evaluate("write('First.\\n\\nSecond: $$', '\\\\frac{a', '}{b}')")
    expect(answers.locator("#here")).to_have_text("First.\nSecond: $$\\frac{a}{b}")
    answers.evaluate("write('$$', ' and so')")

    expect(answers.locator("#here .math.set")).to_have_count(1)
    answers.evaluate("window.kept = here.querySelector('.katex')")
    answers.evaluate("write(' on.', '\\n\\nThird.', ' More')")
    assert answers.evaluate("here.contains(kept)")


def test_an_unfinished_formula_of_several_lines_stays_one_paragraph(answers: Page) -> None:
    answers.evaluate("write('Before.\\n\\n$$\\na\\n', '+ b\\n', '- c')")
    expect(answers.locator("#here ul")).to_have_count(0)
    expect(answers.locator("#here > p")).to_have_count(2)

    answers.evaluate("write('\\n$$', '\\n\\nAfter.')")
    answers.evaluate("view.finish()")
    expect(answers.locator("#here > div.math.set")).to_have_count(1)
    expect(answers.locator("#here > p")).to_have_text(["Before.", "After."])


@pytest.mark.parametrize(
    "tex",
    [
        "{" * 1500 + "x" + "}" * 1500,
        "\\def\\a{" + "x" * 2000 + "}" + "\\a" * 900,
        "\\newcommand{\\a}{xx}\\a",
        "x" * 5000,
        "\\left(" * 500 + "x" + "\\right)" * 500,
    ],
    ids=["braces", "def", "newcommand", "long", "left"],
)
def test_formulas_without_end_stay_their_source(answers: Page, tex: str) -> None:
    whole(answers, f"$${tex}$$\n\n$y$")

    expect(answers.locator("#here .math.set")).to_have_count(1)
    expect(answers.locator("#here .math").first).to_have_text(tex)


def test_formulas_reach_nothing_outside(answers: Page) -> None:
    whole(
        answers,
        "$\\href{javascript:alert(1)}{x}$ $\\includegraphics{https://e.example/i.png}$"
        " $\\htmlId{main}{x}$ $\\htmlStyle{position:fixed}{x}$ $\\url{https://e.example}$"
        " $\\rule{9999em}{9999em}$ $\\undefined$ $\\frac{$",
    )
    expect(answers.locator("#here .katex")).not_to_have_count(0)
    answers.evaluate("frame()")

    assert answers.locator("#here :is(a, img, [id], [title], [onclick])").count() == 0
    box = answers.locator("#here").bounding_box()
    assert box is not None
    assert box["height"] < 1500


# -- Code --------------------------------------------------------------------------------------

PYTHON = "```python\ndef f(x):\n    return x < 1  # why\n```\n\nafter"


def test_code_is_coloured_and_stays_as_written(answers: Page) -> None:
    for show in (whole, stored):
        show(answers, PYTHON)
        expect(answers.locator("#here .hljs-keyword").first).to_have_text("def")
        expect(answers.locator("#here code")).to_have_text(
            "def f(x):\n    return x < 1  # why\n", use_inner_text=False
        )
        label = "getComputedStyle(document.querySelector('#here .code'), '::before').content"
        assert answers.evaluate(label) == '"python"'


def test_code_that_is_being_written_is_left_alone(answers: Page) -> None:
    answers.evaluate("write('Try:\\n\\n```python\\ndef f(x):\\n')")
    expect(answers.locator("#here .caret")).to_have_count(1)
    assert answers.locator("#here .copy").count() == 0

    answers.evaluate("write('```\\n\\nAnd')")
    plain = answers.evaluate("here.querySelector('.code').offsetHeight")
    expect(answers.locator("#here .copy")).to_have_count(1)
    expect(answers.locator("#here .hljs-keyword")).to_have_text("def")
    assert answers.evaluate("here.querySelector('.code').offsetHeight") == plain


def test_code_in_a_list_is_coloured_while_the_list_grows(answers: Page) -> None:
    answers.evaluate("write('1. Try:\\n   ```python\\n   def f(): pass\\n   ```\\n2. Then')")
    expect(answers.locator("#here .hljs-keyword").first).to_have_text("def")
    answers.evaluate("window.kept = here.querySelector('.hljs-keyword')")

    answers.evaluate("write(' go', ' on.\\n3. And')")
    assert answers.evaluate("here.contains(kept)")


@pytest.mark.parametrize("language", ["nosuchlanguage", "__proto__", "constructor"])
def test_code_in_a_language_that_nobody_knows_stays_plain(answers: Page, language: str) -> None:
    whole(answers, f"```{language}\ndef f\n```\n\n{PYTHON}")

    expect(answers.locator("#here .hljs-keyword").first).to_be_attached()
    assert answers.locator("#here code").first.locator("span").count() == 0


def test_a_block_of_code_is_copied(answers: Page) -> None:
    answers.context.grant_permissions(["clipboard-read", "clipboard-write"])
    whole(answers, PYTHON)
    button = answers.locator("#here").get_by_role("button", name="Copy")
    button.focus()
    answers.keyboard.press("Enter")

    expect(answers.locator("#here .copy")).to_have_text("Copied")
    expect(answers.get_by_role("status")).to_have_text("Copied.")
    assert answers.evaluate("navigator.clipboard.readText()") == (
        "def f(x):\n    return x < 1  # why\n"
    )
    expect(answers.locator("#here .copy")).to_have_text("Copy", timeout=5000)


def test_a_whole_answer_is_copied_as_it_was_written(answers: Page) -> None:
    answers.context.grant_permissions(["clipboard-read", "clipboard-write"])
    answers.evaluate(
        """() => {
             const button = parts.copyButton(() => view.source);
             document.querySelector("main").append(button);
             return write("It is **so** ", "</script> $x$\\n\\n", '"quoted"');
           }"""
    )
    answers.get_by_role("button", name="Copy").click()

    expect(answers.get_by_role("status")).to_have_text("Copied.")
    assert answers.evaluate("navigator.clipboard.readText()") == (
        'It is **so** </script> $x$\n\n"quoted"'
    )


def test_without_a_clipboard_nothing_offers_to_copy(page: Page) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    prepared(page)
    whole(page, PYTHON)

    expect(page.locator("#here .copy")).to_be_hidden()


# -- Tables, direction -------------------------------------------------------------------------

WIDE = "|" + "a long heading|" * 20 + "\n|" + "--:|" * 20 + "\n|" + "value|" * 20 + "\n\n"


def test_a_wide_table_scrolls_in_its_own_box_by_keyboard(answers: Page) -> None:
    whole(answers, f"{WIDE}| a |\n|---|\n| b |\n\n```\n{'long ' * 80}\n```")
    wide, narrow = answers.locator("#here .scroll").all()

    expect(wide).to_have_attribute("tabindex", "0")
    expect(wide).to_have_role("group")
    expect(answers.locator("#here pre")).to_have_attribute("tabindex", "0")
    assert narrow.get_attribute("tabindex") is None
    assert answers.evaluate("here.scrollWidth <= here.clientWidth")
    wide.focus()
    answers.keyboard.press("ArrowRight")
    answers.evaluate("frame()")
    assert answers.evaluate(
        """new Promise((done) => {
             const box = here.querySelector(".scroll");
             if (box.scrollLeft > 0) done(true);
             box.addEventListener("scroll", () => done(box.scrollLeft > 0));
           })"""
    )


def test_each_block_takes_its_own_direction(answers: Page) -> None:
    for show in (whole, stored):
        show(answers, "مرحبا بالعالم\n\nHello\n\n- שלום\n- hello\n\n```\nمرحبا\n```")
        directions = answers.evaluate(
            "[...here.children].map((e) => getComputedStyle(e).direction)"
        )
        assert directions == ["rtl", "ltr", "rtl", "ltr"]


def test_what_overrides_direction_stays_inside_the_answer(answers: Page) -> None:
    """The words of the page beside an answer keep their order on the screen."""
    answers.evaluate(
        """(html) => {
             here.outerHTML = `<div>one <span class="answer" id="here">${html}</span>
               <span id="two">two</span> <span id="three">three</span></div>`;
           }""",
        "\u202eevil",
    )
    left = [answers.locator(f"#{name}").bounding_box() for name in ("here", "two", "three")]

    assert [box["x"] for box in left if box] == sorted(box["x"] for box in left if box)


# -- Hostile texts -----------------------------------------------------------------------------

HOSTILE = [
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "<svg><script>window.hacked=1</script></svg><math><mi//xlink:href='data:x,<script>'>",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.hacked=1>",
    "[x](javascript:window.hacked=1) [y](data:text/html,<script>) [z](\x01javascript:x)",
    "<a id=main name=main>",
    '[x](https://e.example/"onclick="window.hacked=1)',
    "![x\"onerror=\"window.hacked=1](https://e.example/'onerror='window.hacked=1)",
    '```x"onclick="window.hacked=1\n</code></pre><script>window.hacked=1</script>\n```',
    "$</span><script>window.hacked=1</script>$ \\(<img src=x onerror=window.hacked=1>\\)",
    "$$\n</div><style>*{display:none}</style>\n$$",
    '| <b style="position:fixed"> |\n|:-:|\n| <base href=//evil> |',
    "[r]: javascript:x\n\n[r] ![r]",
]
WITHOUT_END = {
    "backticks": "`" * 100_000,
    "brackets": "[" * 100_000,
    "dollars": "$" * 100_000,
    "dollars apart": "$a " * 33_000,
    "formulas": "\\(" * 50_000,
    "formulas that begin lines": "$$a\n" * 25_000,
    "stars": "*_" * 50_000,
    "quotations": ">" * 100_000,
    "lists": "- " * 50_000,
    "cells": "|a" * 50_000 + "\n" + "|-" * 50_000,
}


def test_nothing_that_runs_comes_of_hostile_text(answers: Page) -> None:
    drawn = random.Random(11)
    mixed = ["".join(drawn.sample(HOSTILE, 4)) for _ in range(40)]
    for text in [*HOSTILE, *mixed]:
        for show in (whole, stored):
            show(answers, text)
            assert dangers(answers) == [], text
    answers.evaluate("frame()")

    assert answers.evaluate("window.hacked") is None
    assert differing(answers, [*HOSTILE, *mixed]) == []


def dangers(page: Page) -> list[str]:
    """Attributes and elements of the answer that nothing but the renderer's own parts may have."""
    found: list[str] = page.evaluate(
        """() => {
             const elements = [...here.querySelectorAll("*")].filter((element) =>
               !element.closest(".set") && !element.matches(".copy"));
             const attributes = elements.flatMap((element) =>
               [...element.attributes].map(({ name, value }) => `${name}=${value}`));
             return [
               ...elements.filter((element) => element.matches(
                 "script, style, img, svg, math, iframe, form, input, base",
               )).map((element) => element.outerHTML),
               ...attributes.filter((attribute) =>
                 /^(id|name|style|on.*|srcset|src)=/i.test(attribute) ||
                 /^href=(?!https?:|mailto:)/i.test(attribute)),
             ];
           }"""
    )
    return found


@pytest.mark.parametrize("text", WITHOUT_END.values(), ids=WITHOUT_END)
def test_texts_without_end_are_rendered(answers: Page, text: str) -> None:
    answers.set_default_timeout(20_000)
    answers.evaluate("(text) => { parts.renderWhole(text); }", text)


# -- What it costs -----------------------------------------------------------------------------


def test_a_plain_answer_loads_neither_formulas_nor_colours(answers: Page) -> None:
    asked: list[str] = []
    answers.on("request", lambda request: asked.append(request.url))
    whole(answers, "Plain **words**, `code`, and $5.\n\n```\nno language\n```\n\n| a |\n|---|")
    answers.evaluate("frame()")
    assert asked == []

    whole(answers, PYTHON + " $x$")
    expect(answers.locator("#here .katex")).to_be_attached()
    expect(answers.locator("#here .hljs-keyword").first).to_be_attached()
    assert any("katex.js" in url for url in asked)
    assert any("vendor/highlight.js" in url for url in asked)


def test_a_selection_outlives_what_is_written_after_it(answers: Page) -> None:
    answers.evaluate("write('Some *words*', ' that')")
    answers.evaluate("getSelection().selectAllChildren(here.querySelector('em'))")
    answers.evaluate("write(' go on.', '\\n\\nMore.')")

    assert answers.evaluate("String(getSelection())") == "words"


def test_links_that_are_defined_below_are_there_in_the_end(answers: Page) -> None:
    answers.evaluate(
        "write('See [the page][p] and $x$.\\n\\n', 'Words.\\n\\n', '[p]: https://e.example')"
    )
    answers.evaluate("view.finish()")

    expect(answers.get_by_role("link", name="the page")).to_have_attribute(
        "href", "https://e.example"
    )
    expect(answers.locator("#here .math.set")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_answer_has_no_serious_fault(answers: Page, scheme: str) -> None:
    answers.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    whole(answers, f"{FORMULAS}\n\n{PYTHON}\n\n{WIDE}\n\n![a](https://e.example/i.png)\n\n{CODE}")
    expect(answers.locator("#here .katex-html")).to_have_count(4)
    expect(answers.locator("#here .hljs-addition")).to_be_attached()

    found = Axe().run(answers, context="#here", options={"resultTypes": ["violations"]})
    assert [
        (fault["id"], node["html"][:160])
        for fault in found.response["violations"]
        for node in fault["nodes"]
    ] == []


CODE = """```html
<!-- why --><a href="x" class=y>z &amp; w</a>
```

```css
#a .b > c:hover { color: red; margin: 2px !important }
```

```js
const f = async (x) => `a ${x} b` + 1.5 + /re/g; class A extends B {}
```

```sql
SELECT count(*) FROM votes WHERE outcome = 'tie'; -- all
```

```diff
- old
+ new
```

```bash
echo "$HOME" | grep -v x
```
"""


# -- As it is deployed -------------------------------------------------------------------------


def test_files_that_are_loaded_late_are_named_by_their_content(tmp_path: Path) -> None:
    hashed = {"BACKEND": "arena.core.storage.ModuleManifestStorage"}
    with override_settings(
        STATIC_ROOT=tmp_path, STORAGES=settings.STORAGES | {"staticfiles": hashed}
    ):
        call_command("collectstatic", verbosity=0, interactive=False)

    manifest: dict[str, Any] = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    module = (tmp_path / manifest["core/js/math.js"]).read_text()
    sheet = (tmp_path / manifest["core/vendor/katex/katex.css"]).read_text()
    for name in ("katex.css", "katex.js"):
        assert Path(manifest[f"core/vendor/katex/{name}"]).name in module
    assert Path(manifest["core/vendor/katex/fonts/KaTeX_Main-Regular.woff2"]).name in sheet
