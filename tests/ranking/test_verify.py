"""Verification: what was published holds, and whatever was altered is found and named."""

import base64
import hashlib
import json
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ranking import RankingSpec, Votes, fit
from ranking.cli import main
from ranking.errors import SnapshotError, VerificationError
from ranking.heads import head_line
from ranking.sealed import file_digest, read_sealed
from ranking.snapshots import GENESIS, SegmentEntry, digest_of, link_of
from ranking.verify import verify
from tests.ranking.archives import (
    document_of,
    numbers_of,
    part_written,
    published,
    sealed,
    vote_table,
    written,
)


@pytest.fixture
def entries(tmp_path: Path) -> list[SegmentEntry]:
    return sealed(tmp_path, [(vote_table(1), "native"), (vote_table(2), "import")])


@pytest.fixture
def exclusions(entries: list[SegmentEntry]) -> dict[str, list[str]]:
    return {"rigging": [f"{entries[1].sha256}:{row}" for row in (0, 299)], "robot": ["n:301"]}


@pytest.fixture
def snapshot(tmp_path: Path, entries: list[SegmentEntry], exclusions: dict[str, Any]) -> Path:
    return published(tmp_path, entries, exclusions=exclusions)


def refused(snapshot: Path, **options: Any) -> VerificationError:
    with pytest.raises(VerificationError) as caught:
        verify([snapshot], snapshot.parent, **options)
    return caught.value


def altered(snapshot: Path, alter: Callable[[dict[str, Any]], Any]) -> Path:
    """The snapshot after `alter`, with its digest computed anew."""
    document = document_of(snapshot)
    alter(document)
    return written(snapshot.parent, document)


def test_it_works(snapshot: Path) -> None:
    (verified,) = verify([snapshot], snapshot.parent)

    assert (verified.number, verified.segments) == (1, 2)
    assert (verified.votes, verified.excluded, verified.contestants) == (600, 3, 6)
    assert document_of(snapshot)["counts"]["excluded"] == {"rigging": 2, "robot": 1}


def test_any_flipped_bit_is_found_in_the_file_it_is_in(
    tmp_path: Path, snapshot: Path, entries: list[SegmentEntry]
) -> None:
    draw = random.Random(1)
    files = [snapshot, *(tmp_path / f"{entry.sha256}.parquet" for entry in entries)]
    for path in files:
        whole = path.read_bytes()
        for bit in draw.sample(range(8 * len(whole)), 60):
            flipped = bytearray(whole)
            flipped[bit // 8] ^= 1 << bit % 8
            path.write_bytes(flipped)
            assert refused(snapshot).file == str(path), bit
        path.write_bytes(whole)
    verify([snapshot], tmp_path)


def test_an_altered_rating_is_found_though_all_hashes_match(snapshot: Path) -> None:
    def lift(document: dict[str, Any]) -> None:
        document["boards"]["controlled"]["standings"][3]["rating"] += 0.01

    error = refused(altered(snapshot, lift))
    row = document_of(snapshot)["boards"]["controlled"]["standings"][3]

    assert error.where == "boards.controlled.standings[3].rating"
    assert error.published == row["rating"] + 0.01
    assert error.recomputed == pytest.approx(row["rating"], abs=1e-9)
    assert repr(row["contestant"]) in str(error)


def test_another_last_digit_is_no_other_result(snapshot: Path) -> None:
    """On another processor a scale's last digit differs, and with it the digest of the spec."""

    def rounded(document: dict[str, Any]) -> None:
        for spec in (document["spec"], *(b["spec"] for b in document["boards"].values())):
            spec["scales"] = {name: s * (1.0 + 1e-15) for name, s in spec["scales"].items()}
        for board in document["boards"].values():
            board["spec_digest"] = digest_of(board["spec"])

    verify([altered(snapshot, rounded)], snapshot.parent)

    def forged(document: dict[str, Any]) -> None:
        document["boards"]["controlled"]["spec_digest"] = "f" * 64

    where = refused(altered(snapshot, forged)).where
    assert where == "boards.controlled.spec_digest"


def test_every_number_is_every_number(snapshot: Path) -> None:
    """Whatever number of the document is changed, computing all of them finds that one."""
    document = document_of(snapshot)
    places = list(numbers_of({key: document[key] for key in ("boards", "movements", "spec")}))
    for place in random.Random(2).sample(places, 25):

        def change(document: Any, place: tuple[Any, ...] = place) -> None:
            for key in place[:-1]:
                document = document[key]
            document[place[-1]] += 1e-3

        where = "".join(f"[{k}]" if isinstance(k, int) else f".{k}" for k in place).lstrip(".")
        if where.startswith("spec"):
            where = refused(altered(snapshot, change), every_number=True).where or ""
            assert where.split(".")[0] in {"boards", "spec"}
        else:
            assert refused(altered(snapshot, change), every_number=True).where == where


@pytest.mark.parametrize(
    ("key", "value", "where"),
    [
        ("pairs", {"contestants": [], "rows": []}, "pairs.contestants.length"),
        ("refused", ["a reason"], "refused.length"),
        ("simulated_votes", 5, "simulated_votes"),
        ("head", "f" * 64, "head"),
        ("number", 2, "previous"),
        ("engine", 7, "engine"),
        ("segments", [], "segments"),
        ("boards", {}, "boards"),
        ("spec", {"likelihood": "poetry"}, "spec"),
        ("extra", 1, "extra"),
    ],
)
def test_what_else_may_be_altered(snapshot: Path, key: str, value: Any, where: str) -> None:
    changed = altered(snapshot, lambda document: document.update({key: value}))

    assert refused(changed, every_number=True).where == where


def test_an_exclusion_left_out_or_made_up_is_found(
    snapshot: Path, entries: list[SegmentEntry]
) -> None:
    for names in ([], ["n:5"], [f"{entries[0].sha256}:300"], [f"{'0' * 64}:1"], ["n:301", "n:301"]):
        changed = altered(snapshot, lambda d, names=names: d["exclusions"].update(robot=names))
        assert refused(changed).file == str(changed), names


def test_ids_of_an_imported_file_are_not_those_of_this_arena(tmp_path: Path) -> None:
    entries = sealed(tmp_path, [(vote_table(1), "import"), (vote_table(2), "native")])

    error = refused(published(tmp_path, entries, exclusions={"robot": ["n:301"]}))
    assert error.where == "exclusions"


@pytest.mark.parametrize(
    "spec",
    [{"prior_strengths": 5.0}, {"scale": 800.0}, {"controls": ["length"]}, {"scales": "doubled"}],
)
def test_a_board_of_another_model_is_none_though_it_is_what_that_model_gives(
    snapshot: Path, entries: list[SegmentEntry], exclusions: dict[str, Any], spec: dict[str, Any]
) -> None:
    """Whoever may choose the model may choose the board."""
    made = RankingSpec.from_dict(document_of(snapshot)["spec"])
    if spec.get("scales") == "doubled":
        spec = {"scales": {name: 2 * value for name, value in made.to_dict()["scales"].items()}}
    other = replace(made, **{"scales": None, **spec})
    folder = snapshot.parent
    table = read_sealed(entries, exclusions, lambda sha256: folder / f"{sha256}.parquet").table
    board = fit(Votes.from_arrow(table), other).to_dict()
    forged = altered(
        snapshot,
        lambda d: d.update(
            spec=board["spec"], counts=board["counts"], boards=d["boards"] | {"controlled": board}
        ),
    )

    where = refused(forged).where
    assert where is not None
    assert where.startswith("boards.controlled.coefficients" if "scales" in spec else "spec")


@pytest.mark.parametrize(
    ("alter", "where"),
    [
        (lambda d: d["boards"]["controlled"].update(endorsed="nothing"), "boards.controlled.end"),
        (lambda d: d["spec"].update(center=10**40), "spec"),
        (lambda d: d.update(category="coding"), "category"),
        (lambda d: d.update(engine="\ud800"), ""),
        (lambda d: d.update(exclusions={"\ud800": ["n:301"]}), ""),
    ],
    ids=["added", "beyond a double", "category", "half a sign", "half a rule"],
)
def test_what_no_publication_says(snapshot: Path, alter: Any, where: str) -> None:
    assert (refused(altered(snapshot, alter)).where or "").startswith(where)


def test_one_of_an_earlier_form_is_no_altered_one(snapshot: Path) -> None:
    earlier = altered(snapshot, lambda document: document.pop("catalog"))

    with pytest.raises(VerificationError, match="of an earlier form"):
        verify([earlier], snapshot.parent)


def test_a_file_counts_once(tmp_path: Path, entries: list[SegmentEntry]) -> None:
    """All is consistent here: links, rows, boards. But a chain has each file once."""
    again = replace(entries[1], link=link_of(entries[1].link, entries[1].sha256))

    error = refused(published(tmp_path, [*entries, again]))
    assert error.where == "segments"


def test_a_link_or_a_count_of_rows_that_does_not_fit(
    snapshot: Path, entries: list[SegmentEntry]
) -> None:
    for key, value in (("rows", 301), ("link", link_of(GENESIS, GENESIS))):
        changed = altered(snapshot, lambda d, k=key, v=value: d["segments"][1].update({k: v}))
        assert refused(changed).where == f"segments[1].{key}"


def test_another_order_of_the_files_is_another_chain(snapshot: Path) -> None:
    assert refused(altered(snapshot, lambda d: d["segments"].reverse())).where == "segments[0].link"


def test_names_that_lead_out_of_the_folder_are_refused(snapshot: Path) -> None:
    changed = altered(snapshot, lambda d: d["segments"][0].update(sha256="../" * 20 + "etc"))

    assert refused(changed).where == "segments[0]"


def test_a_missing_file_is_no_verdict(snapshot: Path, entries: list[SegmentEntry]) -> None:
    (snapshot.parent / f"{entries[0].sha256}.parquet").unlink()

    with pytest.raises(SnapshotError, match="is not there"):
        verify([snapshot], snapshot.parent)
    with pytest.raises(SnapshotError, match="cannot be read"):
        verify([snapshot.with_name("gone.json")], snapshot.parent)


def test_a_file_that_holds_no_votes(tmp_path: Path) -> None:
    entries = sealed(tmp_path, [(vote_table(1), "native")])
    path = published(tmp_path, entries)
    sha256 = hashlib.sha256(b"not Parquet").hexdigest()
    (tmp_path / f"{sha256}.parquet").write_bytes(b"not Parquet")
    document = document_of(path)
    document["segments"][0] |= {"sha256": sha256, "link": link_of(GENESIS, sha256)}

    assert refused(written(tmp_path, document)).file.endswith(f"{sha256}.parquet")


@pytest.mark.parametrize(
    ("alter", "why"),
    [
        (lambda table: table.drop_columns(["winner"]), "no column winner"),
        (lambda table: table.append_column("winner", table["winner"]), "two columns winner"),
        (
            lambda table: table.append_column("excluded", pa.array([[1]] * len(table))),
            "excluded is list",
        ),
        (lambda table: table.set_column(0, "id", pa.array(range(len(table)))), "id is int64"),
    ],
    ids=["missing", "twice", "list", "numbers"],
)
def test_a_file_of_other_columns_is_no_file_of_votes(tmp_path: Path, alter: Any, why: str) -> None:
    entries = sealed(tmp_path, [(vote_table(1), "native")])
    document = document_of(published(tmp_path, entries, exclusions={"robot": ["n:301"]}))
    table = alter(pq.read_table(tmp_path / f"{entries[0].sha256}.parquet"))
    pq.write_table(table, tmp_path / "made.parquet")
    sha256 = file_digest(tmp_path / "made.parquet")
    (tmp_path / "made.parquet").rename(tmp_path / f"{sha256}.parquet")
    link = link_of(GENESIS, sha256)
    document["segments"][0] |= {"sha256": sha256, "link": link}
    document["head"] = link

    error = refused(written(tmp_path, document))
    assert error.file.endswith(f"{sha256}.parquet")
    assert why in str(error)


# -- Several publications ----------------------------------------------------------------------


@pytest.fixture
def row(tmp_path: Path) -> list[Path]:
    """Three publications, each on one more file of votes."""
    entries = sealed(tmp_path, [(vote_table(seed), "native") for seed in (1, 2, 3)])
    made: list[Path] = []
    for number in (1, 2, 3):
        previous = made[-1] if made else None
        made.append(published(tmp_path, entries[:number], previous=previous))
    return made


def test_publications_lead_from_one_to_the_next(tmp_path: Path, row: list[Path]) -> None:
    assert [each.number for each in verify(row[::-1], tmp_path)] == [1, 2, 3]
    assert [each.votes for each in verify([row[1], row[1], row[2]], tmp_path)] == [600, 900]
    with pytest.raises(SnapshotError, match="1 and 3"):
        verify([row[0], row[2]], tmp_path)


def test_a_publication_rewritten_between_others_is_found(tmp_path: Path, row: list[Path]) -> None:
    rewritten = altered(row[1], lambda document: document.update(engine="elsewhere"))

    with pytest.raises(VerificationError, match="another publication than") as caught:
        verify([row[0], rewritten, row[2]], tmp_path)
    assert caught.value.file == str(row[2])
    with pytest.raises(VerificationError, match="another publication of the number 2"):
        verify([*row, rewritten], tmp_path)


# -- Parts -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two publications with their parts, the second on one more file of votes, with a tag."""
    folder = tmp_path_factory.mktemp("whole")
    tagged = vote_table(2)
    inside = pa.array([k % 2 == 0 for k in range(tagged.num_rows)])
    tables = [vote_table(1), tagged.append_column("category_tag.topic.rhyme", inside)]
    entries = sealed(folder, [(table, "native") for table in tables])
    families = {"family": "model 0"} | {f"model {k}": f"model {k}" for k in range(1, 6)}
    first = published(folder, entries[:1], families=families, whole=True)
    families |= {"family": "model 1", "model 1": "model 0"}
    taken_out = {"robot": ["n:301"]}
    second = published(
        folder, entries, previous=first, exclusions=taken_out, families=families, whole=True
    )
    return [first, second]


@pytest.fixture
def whole(tmp_path: Path, kept: list[Path]) -> list[Path]:
    """The same in a folder of the test's own."""
    shutil.copytree(kept[0].parent, tmp_path, dirs_exist_ok=True)
    return [tmp_path / path.name for path in kept]


def part_of(snapshot: Path, name: str) -> Path:
    return snapshot.parent / f"{document_of(snapshot)['parts'][name]}.json"


def test_every_part_is_computed_again(tmp_path: Path, whole: list[Path]) -> None:
    first, second = verify(whole, tmp_path, every_number=True)

    named = document_of(whole[1])["parts"]
    assert {"ledger/families", "ledger/revisions", "category/rhyme/raw", "path"} < set(named)
    assert {"contestant/model 1", "field"} < set(named)
    assert (first.parts, second.parts) == (len(document_of(whole[0])["parts"]), len(named))
    assert first.unchecked == second.unchecked == ()


def test_all_json_of_a_folder_may_be_given(tmp_path: Path, whole: list[Path]) -> None:
    everything = sorted(tmp_path.glob("*.json"))
    assert len(everything) > len(whole)

    assert [each.path for each in verify(everything, tmp_path)] == whole
    stray = tmp_path / f"{part_written(tmp_path, {'poetry': 1})}.json"
    with pytest.raises(SnapshotError, match="no part of one that is given"):
        verify([*everything, stray], tmp_path)


def test_a_ledger_needs_the_publication_before(
    tmp_path: Path, whole: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(whole[1]), "--votes", str(tmp_path), "--all"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Not checked: ledger/families, ledger/revisions. Give publication 1 as well." in said


def test_an_altered_part_is_found_though_all_hashes_match(whole: list[Path]) -> None:
    name = "board/length"
    part = json.loads(part_of(whole[0], name).read_text())
    part["standings"][2]["rating"] += 0.01
    digest = part_written(whole[0].parent, part)
    changed = altered(whole[0], lambda document: document["parts"].update({name: digest}))

    error = refused(changed, every_number=True)
    assert error.file == str(whole[0].parent / f"{digest}.json")
    assert error.where == f"parts.{name}.standings[2].rating"
    verify([changed], changed.parent)


def test_another_text_in_the_place_of_a_part_is_found(whole: list[Path]) -> None:
    path = part_of(whole[0], "sure")
    path.write_text(path.read_text() + " ")

    error = refused(whole[0], every_number=True)
    assert (error.file, error.where) == (str(path), "parts.sure")


@pytest.mark.parametrize("text", ["[]", '{"rating": NaN}', '{"b": 1, "a": 2}', "poetry"])
def test_what_is_no_part_is_told(whole: list[Path], text: str) -> None:
    digest = hashlib.sha256(text.encode()).hexdigest()
    (whole[0].parent / f"{digest}.json").write_text(text)
    changed = altered(whole[0], lambda document: document["parts"].update(sure=digest))

    error = refused(changed, every_number=True)
    assert error.file is not None
    assert digest in error.file
    assert "is no part" in str(error)


def test_a_part_may_neither_be_left_out_nor_be_invented(whole: list[Path]) -> None:
    less = altered(whole[0], lambda document: document["parts"].pop("path"))
    digest = part_written(whole[0].parent, {"error": "nobody asked"})
    more = altered(whole[0], lambda document: document["parts"].update(poetry=digest))

    assert "lack path" in str(refused(less, every_number=True))
    assert "hold poetry" in str(refused(more, every_number=True))


def test_parts_may_lie_elsewhere_and_a_missing_one_is_to_be_downloaded(
    tmp_path: Path, whole: list[Path]
) -> None:
    elsewhere = tmp_path / "parts"
    elsewhere.mkdir()
    for digest in document_of(whole[0])["parts"].values():
        (tmp_path / f"{digest}.json").rename(elsewhere / f"{digest}.json")

    verify([whole[0]], tmp_path, every_number=True, parts=elsewhere)
    with pytest.raises(SnapshotError, match="Download every file"):
        verify([whole[0]], tmp_path, every_number=True)


# -- Heads -------------------------------------------------------------------------------------


def keys(folder: Path) -> tuple[bytes, Path]:
    """A private key as PEM, and the file of its public key."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (folder / "public.pem").write_bytes(public)
    return private, folder / "public.pem"


def heads_of(row: list[Path], private: bytes | None = None) -> str:
    lines = []
    for path in row:
        document = document_of(path)
        statement = {"snapshot": digest_of(document), "published_at": "2026-11-21T00:00:00+00:00"}
        statement |= {name: document[name] for name in ("number", "previous", "head")}
        lines.append(head_line(statement, private))
    return "".join(f"{line}\n" for line in lines)


def test_heads_agree_with_the_publications(tmp_path: Path, row: list[Path]) -> None:
    private, public = keys(tmp_path)
    heads = tmp_path / "heads.jsonl"
    heads.write_text(heads_of(row, private) + heads_of(row[2:], private))

    assert len(verify(row, tmp_path, heads=heads, key=public)) == 3
    assert len(verify(row[1:], tmp_path, heads=heads)) == 2


def test_a_history_rewritten_whole_is_noticed(tmp_path: Path, row: list[Path]) -> None:
    """Every hash fits, and only the line kept elsewhere knows better."""
    heads = tmp_path / "heads.jsonl"
    heads.write_text(heads_of(row))
    entries = sealed(tmp_path, [(vote_table(4), "native")])
    other = published(tmp_path, entries)
    verify([other], tmp_path)

    error = refused(other, heads=heads)
    assert error.file == str(other)
    assert "when it was made" in str(error)


@pytest.mark.parametrize("line", ["poetry", "[1]", '{"number": 1}', "{}"])
def test_lines_that_are_no_statements(tmp_path: Path, row: list[Path], line: str) -> None:
    heads = tmp_path / "heads.jsonl"
    heads.write_text(heads_of(row) + line + "\n")

    assert refused(row[0], heads=heads).where == "line 4"


def test_signatures_of_nobody_or_somebody_else(tmp_path: Path, row: list[Path]) -> None:
    private, public = keys(tmp_path)
    heads = tmp_path / "heads.jsonl"
    for text in (heads_of(row), heads_of(row[:1], private) + heads_of(row[1:], keys(tmp_path)[0])):
        heads.write_text(text)
        assert "is not signed by this key" in str(refused(row[0], heads=heads, key=public))

    signed = json.loads(heads_of(row[:1], private))
    signed["signature"] = base64.b64encode(b"x" * 64).decode()
    heads.write_text(json.dumps(signed) + "\n")
    assert refused(row[0], heads=heads, key=public).where == "line 1"


def test_heads_that_cannot_be_judged(tmp_path: Path, row: list[Path]) -> None:
    heads = tmp_path / "heads.jsonl"
    heads.write_text(heads_of(row[:2]))

    assert "no statement on publication 3" in str(refused(row[2], heads=heads))
    with pytest.raises(SnapshotError, match="public key"):
        verify(row, tmp_path, heads=heads, key=heads)
    with pytest.raises(SnapshotError, match="cannot be read"):
        verify(row, tmp_path, heads=tmp_path / "none")


# -- Command line ------------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main(["verify", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_command_says_what_holds(whole: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, *whole, "--votes", whole[0].parent, "--all")
    parts = len(document_of(whole[1])["parts"])

    assert code == 0
    assert "600 votes in 2 files, 1 excluded by name; every published number of 6" in out
    assert f"contestants and {parts} parts." in out
    assert out.endswith("verified\n")


def test_the_report_does_not_replace_what_is_checked(
    snapshot: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = snapshot.read_bytes()
    code, _, err = run(capsys, snapshot, "--votes", snapshot.parent, "--json", snapshot)

    assert code == 2
    assert "--json would write over it" in err
    assert snapshot.read_bytes() == before


def test_the_command_says_what_does_not(
    tmp_path: Path, snapshot: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = altered(snapshot, lambda d: d["counts"].update(counted=1))
    code, _, err = run(capsys, changed, "--votes", tmp_path, "--json", tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())

    assert code == 1
    assert err.startswith(f"does not verify: {changed}: counts.counted is 1 as published and")
    assert report["verified"] is False
    assert report["difference"] | {"message": ""} == {
        "message": "",
        "file": str(changed),
        "where": "counts.counted",
        "published": 1,
        "recomputed": 597,
    }


def test_a_forged_file_does_not_write_on_the_terminal(
    tmp_path: Path, snapshot: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = altered(snapshot, lambda d: d.update({"\x1b[2J\nverified\n": 1}))
    code, _, err = run(capsys, changed, "--votes", tmp_path)

    assert code == 1
    assert "\x1b" not in err
    assert "verified" not in err.splitlines()


def test_what_cannot_be_checked_is_neither(
    tmp_path: Path, snapshot: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, snapshot, "--votes", tmp_path / "nowhere")
    assert code == 2
    assert "is not there" in err

    code, _, err = run(capsys, snapshot, "--votes", tmp_path, "--key", snapshot)
    assert code == 2
    assert "--head" in err
    with pytest.raises(SystemExit) as stopped:
        run(capsys, snapshot)
    assert stopped.value.code == 2
