"""Reading a file of prompts and answers made elsewhere: all that is wrong with it, at once.

A file is read twice and never held: `survey` says whether all of it can be used and keeps digests
of what it read, then `rows_of` yields what is to be stored.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from arena.core.text import is_storable

SINGLE = ("prompt", "model", "answer")
PAIR = ("prompt", "model_a", "answer_a", "model_b", "answer_b")
OPTIONAL = ("prompt_id", "category", "language")
# As the database takes them.
LONGEST = {"prompt_id": 80, "category": 40, "language": 20, "model": 150}

FAULTS_SHOWN = 100
MOST_ANSWERS = 200_000
MOST_MODELS = 500
MOST_CELLS = 250_000
LONGEST_LINE = 1 << 24
# The limit is the process's. It is raised once and not around each reading, because another
# thread may be reading meanwhile; how long a text may be is said by `Limits`.
csv.field_size_limit(max(csv.field_size_limit(), LONGEST_LINE))

BOM = b"\xef\xbb\xbf"
NO_TEXT = {
    b"PK\x03\x04": "a spreadsheet (XLSX) or another packed file",
    b"\xd0\xcf\x11\xe0": "a spreadsheet (XLS)",
    b"\x1f\x8b": "a file packed with gzip",
    b"\x28\xb5\x2f\xfd": "a file packed with zstd",
    b"PAR1": "a Parquet file",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}


@dataclass(frozen=True)
class Limits:
    """The longest texts, in characters."""

    prompt: int
    answer: int


class Fault(NamedTuple):
    """line: from 1, or 0 where it is the file's as a whole."""

    line: int
    message: str


class Row(NamedTuple):
    """What a line says: a prompt, and by model what was answered.

    key: what tells prompts apart, their id or else a digest of their text.
    """

    line: int
    key: str
    prompt_id: str
    prompt: str
    category: str
    language: str
    answers: tuple[tuple[str, str], ...]


@dataclass
class PromptSeen:
    """A prompt in the file, with the line and the digest of each model's answer."""

    line: int
    prompt_id: str
    digest: bytes
    category: str
    language: str
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    @property
    def cells(self) -> int:
        return len(self.answers) * (len(self.answers) - 1) // 2

    @property
    def name(self) -> str:
        return self.prompt_id or f"the prompt in line {self.line:,}"


@dataclass
class Survey:
    """What a file holds, and everything that keeps it from being stored.

    faults: the first of them by line; fault_count: how many there are. repeated: answers that
    the file says more than once.
    """

    prompts: dict[str, PromptSeen] = field(default_factory=dict)
    models: set[str] = field(default_factory=set)
    answers: int = 0
    repeated: int = 0
    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0

    def fault(self, line: int, message: str) -> None:
        self.fault_count += 1
        if len(self.faults) < FAULTS_SHOWN:
            self.faults.append(Fault(line, message))

    @property
    def cells(self) -> int:
        """Pairs of answers to one prompt."""
        return sum(prompt.cells for prompt in self.prompts.values())

    def lacking(self) -> Iterator[tuple[PromptSeen, list[str]]]:
        """Prompts that not every model answered, and who did not."""
        for prompt in self.prompts.values():
            if len(prompt.answers) < len(self.models):
                yield prompt, sorted(self.models - prompt.answers.keys())


class Unreadable(Exception):
    """From this line on nothing of the file can be made out."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(line, message)


def survey(path: Path, limits: Limits) -> Survey:
    """Read the file and say what it holds and what is wrong with it."""
    found = Survey()
    try:
        for row in rows_of(path, found):
            take(found, row, limits)
        check_whole(found)
    except Unreadable as end:
        found.fault(*end.fault)
    found.faults.sort()
    return found


def rows_of(path: Path, found: Survey) -> Iterator[Row]:
    """The rows of the file; what is wrong with its form goes to `found`. Raises Unreadable."""
    with path.open("rb") as file:
        is_json = begins_as_json(file)
        lines = lines_of(file, found)
        cells = json_rows(lines, found) if is_json else csv_rows(lines, found)
        for line, values in cells:
            yield row_from(line, values)


def begins_as_json(file: BinaryIO) -> bool:
    """Whether it is JSON Lines and not CSV; leaves the file after its byte order mark."""
    head = file.read(4096)
    for mark, what in NO_TEXT.items():
        if head.startswith(mark):
            raise Unreadable(0, f"This is {what}. Save it as plain CSV or JSON Lines in UTF-8.")
    text = head.removeprefix(BOM).lstrip()
    if text.startswith(b"["):
        raise Unreadable(0, "This is one JSON array. Write JSON Lines: one object a line.")
    file.seek(len(BOM) if head.startswith(BOM) else 0)
    return text.startswith(b"{")


def lines_of(file: BinaryIO, found: Survey) -> Iterator[tuple[int, str]]:
    number = 0
    while raw := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE:
            raise Unreadable(
                number,
                f"The line is longer than {LONGEST_LINE:,} bytes. Nothing after it was read.",
            )
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            found.fault(
                number,
                f"Not UTF-8: byte {raw[error.start]:#04x} at place {error.start + 1}. Save the "
                "file as UTF-8.",
            )
            text = raw.decode(errors="replace")
        yield number, text


# -- CSV -------------------------------------------------------------------------------------


def csv_rows(
    lines: Iterable[tuple[int, str]], found: Survey
) -> Iterator[tuple[int, dict[str, str]]]:
    records = csv_records(lines)
    line, header = next(records, (0, []))
    if not header:
        raise Unreadable(0, "The file is empty.")
    check_header(line, header, found)
    for line, record in records:
        if len(record) != len(header):
            found.fault(line, f"{len(record)} fields, where the header has {len(header)}.")
            continue
        yield line, dict(zip(header, record, strict=True))


def csv_records(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    """Records with the line in which each begins; blank lines are none."""
    reader = csv.reader((text for _, text in lines), strict=True)
    while True:
        begins = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Unreadable(
                begins,
                f"The record that begins here is no CSV: {error}. A text with a comma, a quote or "
                "a line end stands in quotes, and quotes in it are doubled. Nothing after it was "
                "read.",
            ) from error
        if record:
            yield begins, record


def check_header(line: int, header: list[str], found: Survey) -> None:
    """Raises Unreadable where no row could be understood."""
    wanted = form_of(header)
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise Unreadable(line, f"The header names {listed(twice)} more than once.")
    for name in header:
        if name not in wanted and name not in OPTIONAL:
            found.fault(line, unknown(name, wanted))
    if missing := [name for name in wanted if name not in header]:
        raise Unreadable(
            line,
            f"The header lacks {listed(missing)}. A file has the columns {listed(SINGLE)}, or "
            f"{listed(PAIR)}; a separator other than a comma is not understood.",
        )


def form_of(names: Iterable[str]) -> tuple[str, ...]:
    """The columns that a file with these has to have."""
    return SINGLE if set(PAIR[1:]).isdisjoint(names) else PAIR


def unknown(name: str, wanted: Iterable[str]) -> str:
    return f"Unknown column {shown(name)}. Known here: {listed((*wanted, *OPTIONAL))}."


def shown(text: str) -> str:
    """Something out of a file as a message may repeat it."""
    return ascii(text[:60]) if not text.isprintable() else f"'{text[:60]}'"


def listed(names: Iterable[str]) -> str:
    return ", ".join(map(shown, names))


# -- JSON Lines ------------------------------------------------------------------------------


def json_rows(
    lines: Iterable[tuple[int, str]], found: Survey
) -> Iterator[tuple[int, dict[str, str]]]:
    wanted: tuple[str, ...] = ()
    told: set[str] = set()
    for line, text in lines:
        if not text.strip():
            continue
        try:
            values = json_object(text)
            wanted = wanted or form_of(values)
            for name in values.keys() - {*wanted, *OPTIONAL} - told:
                told.add(name)
                found.fault(line, unknown(name, wanted))
            row = {name: json_text(name, values) for name in (*wanted, *OPTIONAL)}
        except ValueError as error:
            found.fault(line, str(error))
            continue
        yield line, row


def json_object(text: str) -> dict[str, Any]:
    """Raises ValueError, in words for the operator."""
    try:
        values = json.loads(text, object_pairs_hook=once_each)
    except RecursionError as error:
        raise ValueError("The object is nested too deeply.") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"No JSON: {error.msg} at place {error.colno}.") from error
    if not isinstance(values, dict):
        raise ValueError("No JSON object. Write one object a line.")
    return values


def once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("The object names something more than once.")
    return values


def json_text(name: str, values: dict[str, Any]) -> str:
    """The text of that name; numbers are taken as ids, and null for what may be left out."""
    value = values.get(name)
    if value is None and name in OPTIONAL:
        return ""
    if isinstance(value, str):
        return value
    if name == "prompt_id" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError(
        f"{shown(name)} is no text." if name in values else f"{shown(name)} is missing."
    )


# -- Rows ------------------------------------------------------------------------------------


def row_from(line: int, values: dict[str, str]) -> Row:
    prompt, prompt_id = values["prompt"], values.get("prompt_id", "").strip()
    answers: tuple[tuple[str, str], ...]
    if "model" in values:
        answers = ((values["model"].strip(), values["answer"]),)
    else:
        answers = tuple(
            (values[f"model_{side}"].strip(), values[f"answer_{side}"]) for side in "ab"
        )
    return Row(
        line=line,
        key=f"id {prompt_id}" if prompt_id else f"text {digest_of(prompt).hex()}",
        prompt_id=prompt_id,
        prompt=prompt,
        category=values.get("category", "").strip(),
        language=values.get("language", "").strip(),
        answers=answers,
    )


def digest_of(text: str) -> bytes:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()


def take(found: Survey, row: Row, limits: Limits) -> None:
    """Add what the row says to what was found, with all that is wrong with it."""
    for message in faults_of(row, limits):
        found.fault(row.line, message)
    prompt = prompt_of(found, row)
    for model, answer in row.answers:
        found.models.add(model)
        take_answer(found, prompt, row.line, model, digest_of(answer))
    for count, most, what in (
        (found.answers, MOST_ANSWERS, "answers"),
        (len(found.models), MOST_MODELS, "models"),
    ):
        if count > most:
            raise Unreadable(
                row.line, f"More than {most:,} {what}. Split the file; nothing after it was read."
            )


def faults_of(row: Row, limits: Limits) -> Iterator[str]:
    texts = [("prompt", row.prompt, limits.prompt)]
    names = [(name, getattr(row, name), LONGEST[name]) for name in OPTIONAL]
    for model, answer in row.answers:
        if not model:
            yield "A model's name is empty."
        texts.append((f"answer of {shown(model)}", answer, limits.answer))
        names.append(("model", model, LONGEST["model"]))
    for what, text, most in texts:
        yield from faults_of_text(what, text, most)
    for what, name, most in names:
        if len(name) > most:
            yield f"The {what} has {len(name):,} characters; {most} is the limit."
        elif not name.isprintable():
            yield f"The {what} {shown(name)} holds characters that cannot be shown."


def faults_of_text(what: str, text: str, most: int) -> Iterator[str]:
    if not text.strip():
        yield f"The {what} is empty."
    elif len(text) > most:
        yield f"The {what} has {len(text):,} characters; {most:,} is the limit."
    elif not is_storable(text):
        yield f"The {what} holds characters that are not text, such as NUL."


def prompt_of(found: Survey, row: Row) -> PromptSeen:
    digest = digest_of(row.prompt)
    prompt = found.prompts.get(row.key)
    if prompt is None:
        prompt = PromptSeen(row.line, row.prompt_id, digest, row.category, row.language)
        found.prompts[row.key] = prompt
        return prompt
    if prompt.digest != digest:
        found.fault(
            row.line,
            f"{shown(row.prompt_id)} is another prompt here than in line {prompt.line:,}. "
            "One id, one text.",
        )
    for name in ("category", "language"):
        if getattr(prompt, name) != getattr(row, name):
            found.fault(row.line, f"The prompt's {name} is another in line {prompt.line:,}.")
    return prompt


def take_answer(found: Survey, prompt: PromptSeen, line: int, model: str, digest: bytes) -> None:
    known = prompt.answers.get(model)
    if known is None:
        prompt.answers[model] = line, digest
        found.answers += 1
    elif known[1] == digest:
        found.repeated += 1
    else:
        found.fault(
            line,
            f"{shown(model)} has another answer to this prompt in line {known[0]:,}. A model has "
            "one answer a prompt.",
        )


def check_whole(found: Survey) -> None:
    """What only the whole file shows."""
    if not found.prompts and not found.fault_count:
        raise Unreadable(0, "The file holds no answers: there is nothing after the header.")
    with_id = sum(bool(prompt.prompt_id) for prompt in found.prompts.values())
    for prompt in found.prompts.values():
        if not prompt.prompt_id and with_id:
            found.fault(prompt.line, "No prompt_id, where other lines give one. Give all or none.")
        if len(prompt.answers) < 2:
            found.fault(
                prompt.line,
                "Only one model answers this prompt, so nobody could be compared: "
                f"{listed(prompt.answers)}.",
            )
    if found.cells > MOST_CELLS:
        found.fault(
            0,
            f"{found.cells:,} pairs of answers would have to be judged; {MOST_CELLS:,} is the "
            "limit. Split the file.",
        )
