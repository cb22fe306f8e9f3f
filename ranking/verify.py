"""Checks publications against their votes, with nothing but the files: no site, no database.

What is checked, in this order, and the first that does not hold is reported:

1. each snapshot file is canonical JSON whose `sha256` is the digest of the rest, and has the
   form of a publication;
2. several publications follow each other, and agree with the file of heads where one is given;
3. each file of votes has the SHA-256 that names it, the rows stated, and its link in the chain;
4. each exclusion names one vote of these files;
5. the snapshot's spec is one that publications of these votes are fitted with, and the default
   board computed again with it is the published one; or, on request, everything that was
   published, its parts (see ranking.analysis) among it, each a file named by its SHA-256.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.text import Text

from ranking.analysis import LEDGER, Before, parts, sources_of
from ranking.differences import Difference, first_difference
from ranking.display import work_on
from ranking.errors import RankingError, SnapshotError, VerificationError
from ranking.fitting import fit
from ranking.heads import read_heads
from ranking.outputs import as_json, check_writable, write_text
from ranking.publication import CONTROLLED, RAW, Publication, publication, specs
from ranking.sealed import FITTED_COLUMNS, PUBLISHED_COLUMNS, file_digest, read_sealed, why_no_votes
from ranking.snapshots import (
    GENESIS,
    OVERALL,
    SIMULATED,
    SegmentEntry,
    Stated,
    canonical,
    digest_of,
    link_of,
)
from ranking.spec import RankingSpec
from ranking.version import ENGINE
from ranking.votes import Votes

COMPUTED = ("spec", "counts", "boards", "movements", "refused", "pairs")
STATED = (
    *("number", "previous", "category", "engine", "segments", "head", "exclusions"),
    *("families", "catalog", "parts"),
)
KEYS = frozenset({*COMPUTED, *STATED, "simulated_votes"})
LATER = frozenset({"families", "parts", "catalog"})
"""Keys that publications of earlier forms lack."""

_KINDS = (
    *(("segments", list), ("exclusions", dict), ("boards", dict), ("spec", dict)),
    *(("families", dict), ("catalog", dict), ("parts", dict)),
)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_VOTE = re.compile(r"n:[1-9][0-9]{0,18}|[0-9a-f]{64}:(0|[1-9][0-9]{0,11})")
_SHOWN = 60

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """A snapshot that was read: canonical, of the digest it states, and of the right form."""

    path: Path
    digest: str
    document: Mapping[str, Any]

    @property
    def number(self) -> int:
        """1 for the first publication of an arena."""
        number: int = self.document["number"]
        return number

    @property
    def segments(self) -> tuple[SegmentEntry, ...]:
        """The files of votes it rests on, in the chain's order."""
        return tuple(SegmentEntry(**entry) for entry in self.document["segments"])

    @property
    def default(self) -> str:
        """Name of the default board."""
        return CONTROLLED if CONTROLLED in self.document["boards"] else RAW

    def refuse(self, where: str, message: str) -> VerificationError:
        """The error that says what in this file does not hold."""
        return VerificationError(f"{where}: {message}", file=self.path, where=where)


@dataclass(frozen=True, slots=True)
class Verified:
    """A publication that holds: votes are all that its files hold, excluded those taken out.

    parts: those computed again. unchecked: those that need the publication before, not given.
    """

    path: Path
    number: int
    digest: str
    engine: str
    segments: int
    votes: int
    excluded: int
    contestants: int
    parts: int = 0
    unchecked: tuple[str, ...] = ()


def verify(
    snapshots: Sequence[Path],
    votes: Path,
    *,
    every_number: bool = False,
    parts: Path | None = None,
    heads: Path | None = None,
    key: Path | None = None,
    tell: Tell = lambda doing: None,
) -> tuple[Verified, ...]:
    """Check publications against the folder that holds their files of votes.

    every_number: compute everything that was published again, not the default board alone. The
    ledger from the publication before is computed again where that is given too.
    parts: the folder that holds the files of parts, None: that of the votes.
    heads: a file of statements on publications; key: the public key that signed them. tell is
    called with a word on what is being done.

    A file of a part among `snapshots` is passed over, so that all JSON of a folder can be given.

    Raises VerificationError for the first thing that does not hold, and SnapshotError where a
    file is missing or the publications given are not consecutive.
    """
    aside = [path for path in snapshots if _is_part(path)]
    read = read_row([read_snapshot(path) for path in snapshots if path not in aside])
    _check_named(read, aside)
    if heads is not None:
        _check_heads(read, heads, key)
    files = _VoteFiles(votes, tell)
    found = _PartFiles(votes if parts is None else parts) if every_number else None
    return tuple(
        _verified(snapshot, before, files, found, tell)
        for before, snapshot in zip([None, *read], read, strict=False)
    )


# -- Snapshot files --------------------------------------------------------------------------


def _is_part(path: Path) -> bool:
    """Whether its name is the SHA-256 of its text; a snapshot's is that of its document."""
    try:
        return file_digest(path) == path.stem
    except OSError:
        return False


def _check_named(snapshots: Sequence[SnapshotFile], aside: Sequence[Path]) -> None:
    """Raise SnapshotError for a file that is a part of none of the publications."""
    named = {digest for each in snapshots for digest in each.document["parts"].values()}
    for path in aside:
        if path.stem not in named:
            raise SnapshotError(f"{path}: is no publication, and no part of one that is given.")


def read_snapshot(path: Path) -> SnapshotFile:
    """Read a snapshot's file. Raises as `verify` does."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise SnapshotError(f"{path}: cannot be read ({error.strerror or error}).") from error
    try:
        document = json.loads(text)
        as_is = canonical(document).encode() == text
        # JSON can spell half a surrogate pair, which no text of a publication holds.
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        as_is = False
    if not as_is or not isinstance(document, dict):
        raise VerificationError("is not the canonical JSON that was published.", file=path)
    stated, digest = document.pop("sha256", None), digest_of(document)
    if stated != digest:
        raise VerificationError(
            f"its content has the SHA-256 {digest}; it states {_shown(stated)}.",
            file=path,
            where="sha256",
            published=stated,
            recomputed=digest,
        )
    snapshot = SnapshotFile(path, digest, document)
    if (left := KEYS - set(document)) and left <= LATER and set(document) <= KEYS:
        raise snapshot.refuse(
            min(left),
            "is not there: the publication is of an earlier form. Check it with the version of "
            "Tiltyard that made it.",
        )
    for where, holds in _form(document):
        if not holds:
            raise snapshot.refuse(where, "is not what a publication has there.")
    return snapshot


def _form(document: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Every place of a document that later checks rely on, and whether it is well formed."""
    for key in sorted(KEYS ^ set(document)):
        yield key, False
    yield "number", _is_whole(document["number"], least=1)
    for key in ("previous", "head"):
        yield key, _is_digest(document[key])
    yield "category", document["category"] == OVERALL
    yield "engine", isinstance(document["engine"], str)
    for key, kind in _KINDS:
        yield key, isinstance(document[key], kind)
    yield "segments", bool(document["segments"])
    for index, entry in enumerate(document["segments"]):
        yield f"segments[{index}]", _is_entry(entry)
    digests = {entry["sha256"] for entry in document["segments"]}
    yield "segments", len(digests) == len(document["segments"])
    for rule, names in document["exclusions"].items():
        known = isinstance(names, list) and names == sorted(set(map(str, names))) and bool(names)
        yield f"exclusions.{rule}", known and all(_VOTE.fullmatch(name) for name in names)
    named = [name for names in document["exclusions"].values() for name in names]
    yield "exclusions", len(named) == len(set(named))
    yield "families", all(isinstance(name, str) for name in document["families"].values())
    yield "catalog", all(_is_stated(stated) for stated in document["catalog"].values())
    yield "parts", all(_is_digest(digest) for digest in document["parts"].values())
    yield "boards", RAW in document["boards"] and {RAW, CONTROLLED} >= set(document["boards"])


def _is_stated(stated: object) -> bool:
    known = {field.name for field in fields(Stated)}
    return (
        isinstance(stated, dict)
        and known.issuperset(stated)
        and all(isinstance(value, str) for value in stated.values())
    )


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and set(entry) == {"sha256", "link", "rows", "origin"}
        and _is_digest(entry["sha256"])
        and _is_digest(entry["link"])
        and _is_whole(entry["rows"], least=0)
        and isinstance(entry["origin"], str)
    )


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _is_whole(value: object, *, least: int) -> bool:
    return type(value) is int and value >= least


def read_row(snapshots: Sequence[SnapshotFile]) -> list[SnapshotFile]:
    """The publications by number, each following the one before. Raises as `verify` does."""
    known: dict[int, SnapshotFile] = {}
    for snapshot in snapshots:
        first = known.setdefault(snapshot.number, snapshot)
        if first.digest != snapshot.digest:
            message = f"{first.path} is another publication of the number {snapshot.number}."
            raise snapshot.refuse("number", message)
    row = [known[number] for number in sorted(known)]
    for snapshot in row:
        if (snapshot.number == 1) != (snapshot.document["previous"] == GENESIS):
            raise snapshot.refuse("previous", "only the first publication has none before it.")
    for before, after in pairwise(row):
        _check_follows(before, after)
    return row


def _check_follows(before: SnapshotFile, after: SnapshotFile) -> None:
    if after.number != before.number + 1:
        raise SnapshotError(
            f"Publications {before.number} and {after.number} are given without those between "
            "them, so it cannot be seen whether one leads to the other. Give all, or one."
        )
    if after.document["previous"] != before.digest:
        raise after.refuse("previous", f"names another publication than {before.path}.")
    if after.segments[: len(before.segments)] != before.segments:
        raise after.refuse("segments", f"do not begin with those of {before.path}.")


def _check_heads(snapshots: Sequence[SnapshotFile], path: Path, key: Path | None) -> None:
    heads = read_heads(path, key)
    for snapshot in snapshots:
        head = heads.get(snapshot.number)
        if head is None:
            message = f"holds no statement on publication {snapshot.number}."
            raise VerificationError(message, file=path)
        is_now = {"snapshot": snapshot.digest} | {
            name: snapshot.document[name] for name in ("previous", "head")
        }
        for name, value in is_now.items():
            if head[name] != value:
                raise VerificationError(
                    f"publication {snapshot.number} had the {name} {head[name]} when it was "
                    f"made; {snapshot.path} has {value}.",
                    file=snapshot.path,
                    where=name if name in snapshot.document else "sha256",
                    published=value,
                    recomputed=head[name],
                )


# -- Files of votes --------------------------------------------------------------------------


class _VoteFiles:
    """The folder of vote files; each is read through once, however many snapshots name it."""

    def __init__(self, folder: Path, tell: Tell) -> None:
        self._folder = folder
        self._tell = tell
        self._rows: dict[str, int] = {}

    def find(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.parquet"

    def check(self, snapshot: SnapshotFile) -> None:
        """The chain of the snapshot's segments, each file and its rows."""
        link = GENESIS
        for index, entry in enumerate(snapshot.segments):
            where = f"segments[{index}]"
            self._tell(f"checking file {index + 1} of {len(snapshot.segments)}")
            rows = self._checked_rows(entry.sha256)
            if rows != entry.rows:
                path = self.find(entry.sha256).name
                raise snapshot.refuse(f"{where}.rows", f"is {entry.rows}; {path} has {rows}.")
            link = link_of(link, entry.sha256)
            if link != entry.link:
                raise snapshot.refuse(f"{where}.link", f"is {entry.link}; the chain gives {link}.")
        if link != snapshot.document["head"]:
            raise snapshot.refuse("head", f"is not the last link of the segments, {link}.")

    def _checked_rows(self, sha256: str) -> int:
        if sha256 not in self._rows:
            self._rows[sha256] = self._read_through(sha256)
        return self._rows[sha256]

    def _read_through(self, sha256: str) -> int:
        path = self.find(sha256)
        try:
            found = file_digest(path)
        except FileNotFoundError as error:
            message = f"{path}: is not there. Download every file that the publication lists."
            raise SnapshotError(message) from error
        except OSError as error:
            raise SnapshotError(f"{path}: cannot be read ({error.strerror or error}).") from error
        if found != sha256:
            raise VerificationError(
                f"its content has the SHA-256 {found}, not the one that names it.",
                file=path,
                published=sha256,
                recomputed=found,
            )
        try:
            with pq.ParquetFile(path) as file:
                rows: int = file.metadata.num_rows
                why = why_no_votes(file.schema_arrow)
        except (OSError, pa.ArrowException) as error:
            raise VerificationError(f"is no file of votes ({error}).", file=path) from error
        if why:
            raise VerificationError(f"is no file of votes ({why}).", file=path)
        return rows


# -- Numbers ---------------------------------------------------------------------------------


def _verified(
    snapshot: SnapshotFile,
    before: SnapshotFile | None,
    files: _VoteFiles,
    part_files: _PartFiles | None,
    tell: Tell,
) -> Verified:
    """Check one publication; everything in it where its files of parts are given."""
    files.check(snapshot)
    spec = _spec(snapshot)
    if part_files is not None:
        part_files.check(snapshot)
    table = _table(snapshot, files, part_files is not None, tell)
    tell("computing the boards again" if part_files else "computing the default board again")
    published, recomputed = _recomputed(snapshot, table, spec, part_files is not None)
    recomputed["simulated_votes"] = sum(
        entry.rows for entry in snapshot.segments if entry.origin == SIMULATED
    )
    _compare(snapshot, recomputed)
    checked: set[str] = set()
    if part_files is not None and published is not None:
        made = _parts(snapshot, before, files, table, published, tell)
        checked = {_compare_part(snapshot, part_files, name, content) for name, content in made}
    return Verified(
        path=snapshot.path,
        number=snapshot.number,
        digest=snapshot.digest,
        engine=snapshot.document["engine"],
        segments=len(snapshot.segments),
        votes=table.num_rows,
        excluded=sum(len(names) for names in snapshot.document["exclusions"].values()),
        contestants=len(snapshot.document["boards"][snapshot.default]["standings"]),
        parts=len(checked),
        unchecked=() if part_files is None else _left_over(snapshot, before, checked),
    )


def _table(snapshot: SnapshotFile, files: _VoteFiles, everything: bool, tell: Tell) -> pa.Table:
    """The votes of a snapshot, with all that the parts need where they are asked for."""
    tell("reading the votes")
    sealed = read_sealed(
        snapshot.segments,
        snapshot.document["exclusions"],
        files.find,
        PUBLISHED_COLUMNS if everything else FITTED_COLUMNS,
        categories=everything,
    )
    if sealed.unknown:
        message = f"{sealed.unknown[0]} is no vote of the segments listed."
        raise snapshot.refuse("exclusions", message)
    return sealed.table


def _spec(snapshot: SnapshotFile) -> RankingSpec:
    try:
        return RankingSpec.from_dict(snapshot.document["spec"])
    except (RankingError, TypeError, OverflowError) as error:
        raise snapshot.refuse("spec", f"is none: {error}") from error


def _recomputed(
    snapshot: SnapshotFile, table: pa.Table, spec: RankingSpec, every_number: bool
) -> tuple[Publication | None, dict[str, Any]]:
    """What the snapshot's document should hold, as JSON gives it back; and whence, if all of it."""
    published = None
    try:
        votes = Votes.from_arrow(table)
        if every_number:
            published = publication(votes)
            result = published.to_dict()
        else:
            board = fit(votes, _measured_anew(snapshot, votes, spec)).to_dict()
            named = {snapshot.default: board}
            result = {"spec": board["spec"], "counts": board["counts"], "boards": named}
    except VerificationError:
        raise
    except RankingError as error:
        raise snapshot.refuse("spec", f"these votes cannot be fitted with it: {error}") from error
    except UnicodeDecodeError as error:
        raise snapshot.refuse("segments", f"their votes hold what is no text: {error}") from error
    return published, _plain(result)


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON gives it back."""
    plain: dict[str, Any] = json.loads(canonical(value))
    return plain


def _measured_anew(snapshot: SnapshotFile, votes: Votes, spec: RankingSpec) -> RankingSpec:
    """The spec without the scales that its board states: those are to be computed as well.

    Whoever may choose the spec may choose the board: only those that `publication` would have
    used are checked further.
    """
    anew = replace(spec, scales=None)
    if anew in specs(votes) and bool(spec.controls) == (snapshot.default == CONTROLLED):
        return anew
    message = "is none that a publication of these votes is fitted with."
    raise snapshot.refuse("spec", message + _of_engine(snapshot.document["engine"]))


def _compare(snapshot: SnapshotFile, recomputed: Mapping[str, Any]) -> None:
    published = {key: snapshot.document[key] for key in recomputed}
    if "movements" not in recomputed:
        published["boards"] = {snapshot.default: published["boards"][snapshot.default]}
    difference = first_difference(published, recomputed)
    if difference is not None:
        raise _differs(snapshot, snapshot.path, difference)


def _differs(snapshot: SnapshotFile, path: Path, difference: Difference) -> VerificationError:
    return VerificationError(
        _sentence(difference, snapshot.document["engine"]),
        file=path,
        where=difference.where,
        published=difference.published,
        recomputed=difference.recomputed,
    )


def _sentence(difference: Difference, engine: str) -> str:
    whom = f" of {difference.contestant!r}" if difference.contestant is not None else ""
    sentence = (
        f"{difference.where}{whom} is {_shown(difference.published)} as published and "
        f"{_shown(difference.recomputed)} as recomputed."
    )
    return sentence + _of_engine(engine)


def _of_engine(engine: str) -> str:
    if engine == ENGINE:
        return ""
    return f" It was published by {engine}, and this is {ENGINE}: check with that one."


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 2 * _SHOWN else f"{text[:_SHOWN]}…"


# -- Parts -----------------------------------------------------------------------------------


class _PartFiles:
    """The folder that holds the files of parts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.json"

    def check(self, snapshot: SnapshotFile) -> None:
        """The file of every part that the snapshot names."""
        for name in snapshot.document["parts"]:
            self.read(snapshot, name)

    def read(self, snapshot: SnapshotFile, name: str) -> dict[str, Any]:
        """A part as it was published."""
        sha256 = snapshot.document["parts"][name]
        path = self.find(sha256)
        try:
            text = path.read_bytes()
        except FileNotFoundError as error:
            message = (
                f"{path}: is not there; it is the part {name}. Download every file that the "
                "publication lists."
            )
            raise SnapshotError(message) from error
        except OSError as error:
            raise SnapshotError(f"{path}: cannot be read ({error.strerror or error}).") from error
        found = hashlib.sha256(text).hexdigest()
        if found != sha256:
            raise VerificationError(
                f"its content has the SHA-256 {found}, not the one that names it.",
                file=path,
                where=f"parts.{name}",
                published=sha256,
                recomputed=found,
            )
        try:
            content = json.loads(text)
            as_is = canonical(content).encode() == text
        except (ValueError, RecursionError):
            content, as_is = None, False
        if not as_is or not isinstance(content, dict):
            raise VerificationError("is no part of a publication.", file=path)
        return content


def _parts(
    snapshot: SnapshotFile,
    before: SnapshotFile | None,
    files: _VoteFiles,
    table: pa.Table,
    published: Publication,
    tell: Tell,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The parts that the snapshot should name, one after the other."""
    stated = {name: Stated(**said) for name, said in snapshot.document["catalog"].items()}
    sources = sources_of(table, snapshot.document["families"] or None, stated)
    earlier = None if before is None else _before(before, files, tell)
    try:
        yield from parts(
            sources, published, earlier, lambda name: tell(f"computing the {name} again")
        )
    except RankingError as error:
        raise snapshot.refuse("parts", f"these votes do not give them: {error}") from error


def _before(snapshot: SnapshotFile, files: _VoteFiles, tell: Tell) -> Before:
    board = snapshot.document["boards"][snapshot.default]
    spec = RankingSpec.from_dict(board["spec"])
    votes = Votes.from_arrow(_table(snapshot, files, False, tell))
    return Before(votes, spec, snapshot.document["families"] or None)


def _compare_part(
    snapshot: SnapshotFile, files: _PartFiles, name: str, content: Mapping[str, Any]
) -> str:
    """The name of a part that is as published."""
    if name not in snapshot.document["parts"]:
        raise snapshot.refuse("parts", f"lack {name}, which these votes give.")
    published = files.read(snapshot, name)
    difference = first_difference(published, _plain(content))
    if difference is not None:
        path = files.find(snapshot.document["parts"][name])
        where = f"parts.{name}.{difference.where}"
        raise _differs(snapshot, path, replace(difference, where=where))
    return name


def _left_over(
    snapshot: SnapshotFile, before: SnapshotFile | None, checked: set[str]
) -> tuple[str, ...]:
    """Parts of the ledger that nothing was given for. Raises for any other that is left over."""
    left = sorted(set(snapshot.document["parts"]) - checked)
    for name in left:
        if before is not None or snapshot.number == 1 or not name.startswith(f"{LEDGER}/"):
            raise snapshot.refuse("parts", f"hold {name}, which these votes do not give.")
    return tuple(left)


# -- Command line ----------------------------------------------------------------------------

HOLDS, DOES_NOT_HOLD = 0, 1


def run_verify(parsed: argparse.Namespace, output: Console, errors: Console) -> int:
    """Check publications and say what held; 0, or 1 after the first thing that did not."""
    if parsed.key is not None and parsed.head is None:
        raise SnapshotError("--key checks the signatures of --head FILE, which is not given.")
    if parsed.parts is not None and not parsed.all:
        raise SnapshotError("--parts says where the parts are that --all computes again.")
    if parsed.json is not None:
        if parsed.json.resolve() in {path.resolve() for path in parsed.snapshots}:
            raise SnapshotError(f"{parsed.json}: is to be checked, and --json would write over it.")
        check_writable(parsed.json)
    verified: tuple[Verified, ...] = ()
    difference: VerificationError | None = None
    try:
        with work_on(errors) as work:
            verified = verify(
                parsed.snapshots,
                parsed.votes,
                every_number=parsed.all,
                parts=parsed.parts,
                heads=parsed.head,
                key=parsed.key,
                tell=work.tell,
            )
    except VerificationError as error:
        difference = error
    to_stdout = _write_report(parsed, verified, difference)
    if difference is not None:
        errors.print(Text(f"does not verify: {_printable(str(difference))}"))
        return DOES_NOT_HOLD
    if not to_stdout:
        _show(output, verified, parsed)
    return HOLDS


def _printable(text: str) -> str:
    """Without what would move the cursor: the text quotes a file that may have been forged."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


def _write_report(
    parsed: argparse.Namespace,
    verified: Sequence[Verified],
    difference: VerificationError | None,
) -> bool:
    """The JSON that was asked for; whether it went to standard output."""
    if parsed.json is None:
        return False
    report = {
        "verified": difference is None,
        "recomputed": "everything" if parsed.all else "default board",
        "engine": ENGINE,
        "publications": [asdict(each) | {"path": str(each.path)} for each in verified],
        "difference": None
        if difference is None
        else {
            "message": str(difference),
            "file": difference.file,
            "where": difference.where,
            "published": difference.published,
            "recomputed": difference.recomputed,
        },
    }
    if str(parsed.json) == "-":
        sys.stdout.write(as_json(report))
        return True
    write_text(parsed.json, as_json(report))
    return False


def _show(output: Console, verified: Sequence[Verified], parsed: argparse.Namespace) -> None:
    what = "every published number" if parsed.all else "the default board"
    for each in verified:
        files = "1 file" if each.segments == 1 else f"{each.segments:,} files"
        output.print(
            f"Publication {each.number}, {each.digest[:12]}: {each.votes:,} votes in {files}, "
            f"{each.excluded:,} excluded by name; {what} of {each.contestants:,} contestants"
            + (f" and {each.parts:,} parts." if parsed.all else ".")
        )
        if each.unchecked:
            output.print(
                f"  Not checked: {', '.join(each.unchecked)}. Give publication "
                f"{each.number - 1} as well."
            )
    if parsed.head is not None:
        signed = ", signed by the key," if parsed.key is not None else ""
        output.print(f"The statements of {parsed.head.name}{signed} agree.")
    output.print("verified")
