"""Finding names in a text: word by word, whatever signs stand between the words.

A name costs nothing until its first word occurs, so thousands of names are as cheap as one, and
the time is linear in the text, whatever a stranger wrote.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

CJK = r"\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
TOKEN = re.compile(rf"[{CJK}]|\d+|[^\W\d_{CJK}]+")
ASCII_TOKEN = re.compile(r"[a-z]+|[0-9]+")
# Scripts that put no blanks between words: any sign may begin or end one.
UNSPACED = re.compile(rf"[{CJK}\u0e00-\u0eff]")
# Between the words of a name, which everybody writes in another way: "Wren 2.5", "wren-2_5".
JOINTS = frozenset(("", " ", "-", ".", "/", ":", "\xa0"))
SIGNS = str.maketrans(
    dict.fromkeys('*`"“”«»„「」『』《》[]', "")
    | dict.fromkeys("‘’", "'")
    | dict.fromkeys("_§\u3000", " ")
    | dict.fromkeys("—–―", " - ")
    | {"‑": "-", "(": ", ", ")": " ", "（": ", ", "）": " ", "，": ", ", "、": ", ", "：": ":"}
    | {"。": ". ", "！": "! ", "？": "? ", "；": "; "}
)

Words = Sequence[re.Match[str]]


@dataclass(slots=True)
class Node:
    """The words that may follow in a trie, and the name that ends here, if one does.

    is_own: it is a contestant's, and not an organisation's alone.
    """

    following: dict[str, "Node"] = field(default_factory=dict)
    name: str = ""
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """Names by their words. `ascii` and `others` are the words with which one can begin."""

    root: Node
    ascii: frozenset[str]
    others: tuple[str, ...]


class Found(NamedTuple):
    """A name in a text, between `start` and `end`, and the words beside it."""

    name: str
    is_own: bool
    start: int
    end: int
    word_before: str
    word_after: str


def names_of(own: Iterable[str], makers: Iterable[str] = ()) -> Names:
    """Names of contestants, and of who makes them.

    Of names that differ in signs alone, the first one stands for all.
    """
    root = Node()
    for name in own:
        add(root, name, is_own=True)
    for name in makers:
        add(root, name, is_own=False)
    ascii_words = frozenset(filter(str.isascii, root.following))
    return Names(root, ascii_words, tuple(root.following.keys() - ascii_words))


def add(root: Node, name: str, *, is_own: bool) -> None:
    words = TOKEN.findall(plain(name))
    if not says_something(words):
        return
    node = root
    for word in words:
        node = node.following.setdefault(word, Node())
    node.name = node.name or name
    node.is_own = node.is_own or is_own


def says_something(words: list[str]) -> bool:
    """False for a single sign and for bare numbers, which everybody uses for other things."""
    return len("".join(words)) > 1 and not all(map(str.isdigit, words))


def plain(text: str) -> str:
    """In lower case, without quotation marks and emphasis, and with few kinds of signs."""
    return text.lower().translate(SIGNS)


def names_in(prose: str, names: Names) -> Iterator[Found]:
    """Names in a `plain` text from left to right, at each place the longest."""
    words = list((ASCII_TOKEN if prose.isascii() else TOKEN).finditer(prose))
    beginnings, done = names.root.following, 0
    for first, word in enumerate(words):
        if first < done or word[0] not in beginnings:
            continue
        longest = longest_at(prose, words, names.root, first)
        if longest:
            node, last = longest
            before = words[first - 1][0] if first else ""
            after = words[last + 1][0] if last + 1 < len(words) else ""
            yield Found(node.name, node.is_own, word.start(), words[last].end(), before, after)
            done = last + 1


def longest_at(prose: str, words: Words, root: Node, first: int) -> tuple[Node, int] | None:
    """The longest name that begins with the word `first`, and the number of its last word."""
    if not begins(words, first):
        return None
    longest, node = None, root
    for index in range(first, len(words)):
        if index > first and prose[words[index - 1].end() : words[index].start()] not in JOINTS:
            break
        following = node.following.get(words[index][0])
        if following is None:
            break
        node = following
        if node.name and ends(prose, words, index):
            longest = node, index
    return longest


def begins(words: Words, index: int) -> bool:
    """Whether a word begins here: "4o" does not in "14o", nor "gpt" in "3gpt"."""
    joined = index > 0 and words[index - 1].end() == words[index].start()
    return not joined or is_unspaced(words[index]) or is_unspaced(words[index - 1])


def ends(prose: str, words: Words, index: int) -> bool:
    """Whether a word ends here: "qwen" does in "qwen2", but not "o1" in "o1x", nor "2" in "2.5"."""
    if not words[index][0].isdigit() or index + 1 == len(words):
        return True
    end, following = words[index].end(), words[index + 1]
    if following.start() == end:
        return is_unspaced(following)
    return not (following[0].isdigit() and prose[end : following.start()] == ".")


def is_unspaced(word: re.Match[str]) -> bool:
    return UNSPACED.match(word[0]) is not None
