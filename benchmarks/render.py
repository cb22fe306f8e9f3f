"""What an answer of 200,000 characters takes to become HTML: for the first time, and again.

    python benchmarks/render.py

Processor time of one process, the best of three, in milliseconds; with the size of the HTML.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent.parent))

LENGTH = 200_000
ROUNDS = 3

TABLE = "| model | tokens | mean | note |\n|---|--:|--:|---|\n"
LONE_PIPES = "|a" * 256 + "|\n" + "|-" * 256 + "|\n" + "|\n" * 255 + "\n"
PROSE = (
    "The sky is **blue** because *short* waves scatter more than long ones, as `Rayleigh` found; "
    "see [the page](https://e.example/p).\n\n"
)
# How an answer begins, and what is repeated from there on.
ANSWERS = {
    "prose": ("", PROSE),
    "one paragraph": ("", "The sky is blue because short waves scatter more. "),
    "code": ("", "```python\ndef f(x):\n    return x[0] < 1  # why\n```\n\n"),
    "lists": ("", "- one thing\n- another **thing**\n  - nested\n"),
    "a table": (TABLE, "| **Wren** | 1,204 | 17.5 | `ok` |\n"),
    "formulas": ("", "Let $x$ be $y^2$ and\n$$\ne^x + 1\n$$\n\n"),
    "brackets": ("", "["),
    "images that do not end": ("", "!["),
    "links in links": ("", "[[a](b"),
    "stars": ("", "*_"),
    "emphasis in words": ("", "__a__ "),
    "backticks": ("", "`a``b```c"),
    "headings without words": ("", "#\n"),
    "items without words": ("", "-\n"),
    "items apart": ("", "- a\n\n"),
    "quotations in lists": ("", "> - > - > - a\n"),
    "lines in 15 quotations": (">" * 15 + "a\n", "b\n"),
    "addresses": ("", "<a@b.c>"),
    "small tables": ("", "|a|a|\n|-|-|\n|b|b|\n\n"),
    "tables of lone pipes": ("", LONE_PIPES),
}


def main() -> None:
    with TemporaryDirectory() as folder:
        os.environ.update(DJANGO_SETTINGS_MODULE="arena.config.settings", TILTYARD_VAR=folder)
        measure()


def measure() -> None:
    import django

    django.setup()
    from arena.core.markdown import cleaned, render

    print("| answer | first | again | HTML |\n| --- | --: | --: | --: |")
    for name, (begin, part) in ANSWERS.items():
        text = (begin + part * (LENGTH // len(part)))[:LENGTH]
        size = len(render(text)) / 1000
        first, again = (best(made, text) for made in (cleaned, render))
        print(f"| {name} | {first:.0f} ms | {again:.1f} ms | {size:,.0f} kB |")


def best(made: Callable[[str], str], text: str) -> float:
    return min(taken(made, text) for _ in range(ROUNDS))


def taken(made: Callable[[str], str], text: str) -> float:
    begun = time.process_time()
    made(text)
    return (time.process_time() - begun) * 1000


if __name__ == "__main__":
    main()
