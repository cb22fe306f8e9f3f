"""Which names of the catalog an answer claims as its own."""

import re
import time
from collections.abc import Iterable, Iterator
from itertools import islice

from arena.catalog import phrases
from arena.catalog.models import Contestant, Organisation, Revision
from arena.catalog.names import (
    ASCII_TOKEN,
    TOKEN,
    UNSPACED,
    Found,
    Names,
    names_in,
    names_of,
    plain,
)
from ranking.covariates import split_code

KEEP_SECONDS = 30.0
# Characters around a name in which the sentence is looked for that it stands in.
BEFORE, AFTER = 140, 80
# Whoever writes names beside the words of a claim more often than that wants to cost time.
MOST_LOOKS = 500

_known: tuple[float, Names] = (float("-inf"), names_of(()))


def identity_claims(text: str) -> list[str]:
    """Names of the catalog that the answer `text` claims as its own, as they are spelled there.

    Those are names and aliases of contestants and names of revisions in "I am …", "my name is …",
    "as …, I …" and the like, and any name, organisations' too, in "I was made by …". Fenced code
    and quoted lines claim nothing. The catalog is read every 30 s at most; call it where the
    database may be asked.
    """
    return claims_in(text, known_names())


def names_forget() -> None:
    """Read the catalog again at the next answer."""
    global _known
    _known = (float("-inf"), names_of(()))


def known_names() -> Names:
    global _known
    read_at, names = _known
    if time.monotonic() - read_at > KEEP_SECONDS:
        names = names_of(own_names(), Organisation.objects.values_list("name", flat=True))
        _known = (time.monotonic(), names)
    return names


def own_names() -> Iterator[str]:
    for name, aliases in Contestant.objects.values_list("name", "aliases"):
        yield name
        yield from aliases
    yield from Revision.objects.values_list("name", flat=True)


# -- The answer ------------------------------------------------------------------------------


def claims_in(text: str, names: Names) -> list[str]:
    """Names that `text` claims, in the order in which it does, each once."""
    if is_quiet(text.lower(), names):
        return []
    prose = plain(own_words(text))
    claimed: dict[str, None] = {}
    for found in islice(filter(is_likely, names_in(prose, names)), MOST_LOOKS):
        if found.name not in claimed and is_claimed(prose, found):
            claimed[found.name] = None
    return list(claimed)


def is_quiet(lowered: str, names: Names) -> bool:
    """Whether no claim can be in the text. Most texts are, and cost no more than this."""
    words = ASCII_TOKEN.findall(lowered)
    if not names.ascii.isdisjoint(words):
        return is_silent(lowered, words)
    return lowered.isascii() or not any(word in lowered for word in names.others)


def is_silent(text: str, words: Iterable[str]) -> bool:
    """Whether nobody speaks of themselves in it; of text that is not plain ASCII nobody knows."""
    return text.isascii() and phrases.SPEAKERS.isdisjoint(words)


def own_words(text: str) -> str:
    """The text without fenced code and without lines that quote somebody."""
    prose, _ = split_code(text)
    if ">" not in prose:
        return prose
    return "\n".join(line for line in prose.splitlines() if not line.lstrip().startswith(">"))


def is_claimed(prose: str, found: Found) -> bool:
    sentence = sentence_around(prose, found)
    if is_silent(sentence.replace("§", ""), ASCII_TOKEN.findall(sentence)):
        return False
    if found.is_own and not SOMEBODY_ELSE.search(sentence):
        return is_introduced(sentence) or says(NAMES_ITSELF, sentence)
    return says(NAMES_ITS_MAKER, sentence)


# -- The sentence around a name --------------------------------------------------------------


def last_words(*several: Iterable[str]) -> frozenset[str]:
    return frozenset(TOKEN.findall(phrase)[-1] for some in several for phrase in some)


def any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(patterns)})")


def endings(several: Iterable[str]) -> tuple[str, ...]:
    """As ends of a sentence that begins with a blank, so that each begins at a word."""
    return tuple(some if UNSPACED.match(some) else f" {some}" for some in several)


SENTENCE_END = re.compile(r"[.!?;…](?=\s)|\n|\|")
INTRODUCTIONS = endings(sorted(phrases.INTRODUCTIONS, key=len, reverse=True))
DOUBTS = endings(phrases.DOUBTS)
WORDS_BEFORE = last_words(
    *(phrases.INTRODUCTIONS, phrases.NOUNS, phrases.CALLED, phrases.BASED_ON, phrases.SURELY),
    *(phrases.TEAM, phrases.BY, phrases.OTHERS_BEFORE),
)
WORDS_AFTER = frozenset(("here", "s", "team", "researchers", "engineers", "has", "have"))
WORDS_AFTER |= frozenset(phrases.MADE)
NAMES_ITS_MAKER = any_of(phrases.MADE_ME)
NAMES_ITSELF = any_of((*phrases.DESCRIBED, *phrases.SPEAKING_AS, *phrases.MADE_ME))
SOMEBODY_ELSE = re.compile(r"§(?:'s\b|-(?:like|style|esque|based|inspired)\b)")


def is_likely(found: Found) -> bool:
    """Whether the words beside the name may belong to a claim; they seldom do.

    Of scripts other than the English one any word may.
    """
    before, after = found.word_before, found.word_after
    if before in WORDS_BEFORE or after in WORDS_AFTER:
        return True
    return not (before.isascii() and after.isascii())


def sentence_around(prose: str, found: Found) -> str:
    """The sentence with single blanks, and § in the place of the name."""
    before = SENTENCE_END.split(prose[max(0, found.start - BEFORE) : found.start])[-1]
    after = prose[found.end : found.end + AFTER]
    ending = SENTENCE_END.search(after)
    return " ".join(f"{before}§{after[: ending.end()] if ending else after}".split())


def is_introduced(sentence: str) -> bool:
    before = f" {sentence[: sentence.index('§')]}".rstrip(" :")
    if not before.endswith(INTRODUCTIONS):
        return False
    introduction = next(some for some in INTRODUCTIONS if before.endswith(some))
    return not is_doubted(before.removesuffix(introduction))


def is_doubted(before: str) -> bool:
    """Whether what follows is somebody's opinion, or denied: "if …", "you said that …"."""
    return f" {before.strip()}".removesuffix(" that").endswith(DOUBTS)


def says(claim: re.Pattern[str], sentence: str) -> bool:
    found = claim.search(sentence)
    return found is not None and not is_doubted(sentence[: found.start()])
