"""Markdown and the mathematics in it: what the server and the browser must both make of it."""

# Text to the TeX found in it, in order; that in a line of its own begins with a star.
MATHEMATICS = {
    "Let $x$ be $y^2$.": ["x", "y^2"],
    "$$e^{i\\pi} = -1$$": ["*e^{i\\pi} = -1"],
    "$$\ne^{i\\pi}\n= -1\n$$": ["*e^{i\\pi}\n= -1"],
    "Euler:\n$$\nx\n$$\nas is known": ["*x"],
    "so $$x$$ and $$y$$": ["*x", "*y"],
    "\\(a_1\\) and \\(f(x)\\)": ["a_1", "f(x)"],
    "\\[\na \\\\[2pt]\nb\n\\]": ["*a \\\\[2pt]\nb"],
    "that is \\[a\\] or so": ["*a"],
    "- a\n  $$\n  x\n  $$\n- b \\(c\\)": ["*x", "c"],
    "> $$\n> x\n> $$": ["*x"],
    "$$\na\n+ b\n- c\n$$": ["*a\n+ b\n- c"],
    "| a | b |\n|---|---|\n| $x$ | \\(y\\) |": ["x", "y"],
    "**$x$** and *a $y$ b*": ["x", "y"],
    "设$x$为整数": ["x"],
    "the $n$th and $k$-th, $(x)$.": ["n", "k", "(x)"],
    "$a < b & c$": ["a < b & c"],
    "$\\$5$": ["\\$5"],
    "$a\nb$": ["a\nb"],
    "$*a*_b_$": ["*a*_b_"],
    "$5 and $10": [],
    "$5, $10 and $15": [],
    "$5-$10, ($20)": [],
    "5$ or 6$": [],
    "US$ 5 and A$ 6": [],
    "**$20**–**$25**": [],
    "\\$x\\$ and \\\\(x\\\\)": [],
    "`$x$` and `\\(x\\)`": [],
    "costs $5 and `$x`": [],
    "```\n$$\nx\n$$\n```": [],
    "    $$\n    x\n    $$": [],
    "$ x $": [],
    "$x": [],
    "$$x": [],
    "$$\nx": [],
    "$$\n\nx\n$$": [],
    "\\(x": [],
    "\\[x": [],
    "$$$x$$$": [],
    "$$ $$ and \\( \\)": [],
    "\\[not a link\\](https://e.example)": [],
    "x $": [],
}

PLAIN = [
    "# Why\n\nIt is **blue**, *very* ~~red~~ `x < y`.",
    "- one\n- two\n  1. three\n\n     more\n- four",
    "5. five\n6. six",
    "> quoted\n> > twice\n\nplain",
    "```python\na < b\n```\n\n~~~\nno language\n~~~\n\n    indented",
    '```c++ title="x"\n```\n\n```{.js}\n```\n\n```js:main.js\n```\n\n```"><img>\n```',
    "two  \nlines\\\nand\nthree",
    "a\n***\nb\n---\nc",
    "| a | b | c | d |\n|:--|:-:|--:|---|\n| 1 | 2 | **3** | 4 |\n| `|` | <b> | | |",
    '[x](https://e.example/p "t") [y](javascript:alert(1)) <https://e.example> <a@b.example>',
    "[x][r] and [r]\n\n[r]: https://e.example 'title'",
    "![a *cat* & \"dog\"](https://e.example/i.png 't') ![](http://e.example/i.png) ![a][r]",
    "![x $y$ `z`](data:image/png;base64,eA==) [![b](https://e.example/b.png)](https://e.example)",
    "- [ ] to do\n- [x] done",
    "<script>alert(1)</script> <b onclick=x>b</b> &amp; &copy; &#0; &unknown;",
    "\u202eevil\u202c مرحبا **بالعالم**\n\n- שלום\n- hello",
    "a\u0000b \ufffd \u2028 \u00a0 end",
    "***a** b* __c__ _d_e_ ~~f~ ~~g~~",
    "Title\n===\nOther\n---\n\n####### seven",
]


def table(columns: int, rows: int, row: str) -> str:
    return "|a" * columns + "|\n" + "|-" * columns + "|\n" + f"{row}\n" * rows


# Tables to how many cells they have; none where they are shown as text.
TABLES = {
    table(3, 2, "|"): 9,
    table(16, 15, "|"): 256,
    table(256, 1, "|"): 512,
    table(256, 256, "|"): 0,
    table(30, 300, "|b"): 0,
    table(30, 300, "|b" * 30): 9030,
    table(2, 2000, "|b|c|"): 4002,
    "> " + table(64, 64, "|").replace("\n", "\n> "): 0,
    "- " + table(64, 64, "|").replace("\n", "\n  "): 0,
    # What follows without a blank line is none of its rows.
    table(8, 1, "|b") + "> quoted\n" * 300: 16,
    table(8, 1, "|b") + "```\n" + "code\n" * 300 + "```": 16,
    table(8, 1, "|b") + "\n" + "text\n" * 300: 16,
}
