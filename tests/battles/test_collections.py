"""Files of answers made elsewhere: stored whole, or not at all with all that is wrong with them."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from arena.battles import collecting
from arena.battles.collecting import Limits, Survey, survey
from arena.battles.collections import (
    answers_survey,
    collection_aim,
    collection_create,
    collection_open,
)
from arena.battles.exceptions import AlreadyCollected, AnswersRefused
from arena.battles.files import answers_keep, folder
from arena.battles.models import Collection, Prompt, RecordedAnswer
from arena.battles.selectors import prompts_recorded
from arena.catalog.models import Contestant, Kind, Revision, Status
from arena.core.exceptions import BadInput, Conflict
from arena.core.models import AuditEntry
from tests import factories

HEADER = "prompt_id,prompt,model,answer,category,language\n"
WHOLE = HEADER + (
    'sky,Why is the sky blue?,Wren,"Because of Rayleigh, and ""scattering"".",science,en\n'
    'sky,Why is the sky blue?,Kite,"Blue light\nis scattered most.",science,en\n'
    "sea,And the sea?,Wren,It absorbs red.,,\n"
    "sea,And the sea?,Kite,It mirrors the sky.,,\n"
)


def surveyed(tmp_path: Path, content: str | bytes, limits: Limits | None = None) -> Survey:
    path = tmp_path / "answers"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return survey(path, limits or Limits(prompt=20_000, answer=200_000))


def faults(found: Survey) -> list[tuple[int, str]]:
    return [(fault.line, fault.message) for fault in found.faults]


def stored(content: str | bytes, name: str = "Trial", **fields: int) -> Collection:
    data = content.encode() if isinstance(content, str) else content
    return collection_create(digest=answers_keep(pieces=[data]), name=name, **fields)


# -- Storing ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_it_works() -> None:
    collection = stored(WHOLE, votes_per_cell=2)

    assert (collection.slug, collection.votes_per_cell, collection.is_open) == ("trial", 2, True)
    sky, sea = collection.prompts.order_by("pk")
    assert (sky.text, sky.category, sky.language) == ("Why is the sky blue?", "science", "en")
    assert sky.slug.endswith("-1-sky") and sea.category == ""
    answers = {str(answer.revision): answer.text for answer in sky.answers.all()}
    assert answers == {
        "Wren": 'Because of Rayleigh, and "scattering".',
        "Kite": "Blue light\nis scattered most.",
    }
    for revision in Revision.objects.filter(name__in=answers):
        assert (revision.kind, revision.contestant.status) == (Kind.RECORDED, Status.ACTIVE)
    entry = AuditEntry.objects.get(action="collection.create")
    assert (entry.subject, entry.detail["cells"]) == ("trial", 2)


@pytest.mark.django_db
def test_prompts_of_a_collection_are_not_offered_to_visitors() -> None:
    stored(WHOLE)
    assert prompts_recorded() == []

    factories.on_record(factories.prompt(), Linnet="One.", Ostrel="Two.")
    assert [prompt.slug for prompt in prompts_recorded()] == ["why-sky"]


@pytest.mark.django_db
def test_the_same_file_again_is_refused_by_name() -> None:
    stored(WHOLE, name="First trial")

    with pytest.raises(AlreadyCollected, match="First trial"):
        stored(WHOLE, name="Second trial")
    assert Collection.objects.count() == 1


@pytest.mark.django_db
def test_a_name_is_given_once_and_addresses_differ() -> None:
    stored(WHOLE, name="Trial")

    with pytest.raises(Conflict, match="named “Trial”"):
        stored(WHOLE + "\n", name="Trial")
    assert stored(WHOLE + "\n", name="Trial!").slug == "trial-2"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "votes"), [("", 3), ("two\nlines", 3), ("x" * 121, 3), ("Trial", 0), ("Trial", 1001)]
)
def test_what_a_collection_cannot_be(name: str, votes: int) -> None:
    with pytest.raises(BadInput):
        stored(WHOLE, name=name, votes_per_cell=votes)
    assert not Collection.objects.exists()


@pytest.mark.django_db
def test_a_file_with_a_fault_leaves_nothing_behind() -> None:
    with pytest.raises(AnswersRefused):
        stored(WHOLE + "sea,And the sea?,Ostrel,,,\n")

    for model in (Collection, Prompt, RecordedAnswer, Contestant, AuditEntry):
        assert not model._default_manager.exists()


@pytest.mark.django_db
def test_the_kept_file_goes_once_it_is_stored() -> None:
    digest = answers_keep(pieces=[WHOLE.encode()])
    assert [path.name for path in folder().iterdir()] == [digest]

    collection_create(digest=digest, name="Trial")
    assert list(folder().iterdir()) == []
    with pytest.raises(AlreadyCollected, match="stored as “Trial”"):
        answers_survey(digest=digest)


@pytest.mark.django_db
@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "f" * 64, "F" * 64 + "\n"])
def test_a_kept_file_is_named_by_its_digest_alone(digest: str) -> None:
    with pytest.raises(AnswersRefused, match="no longer kept"):
        answers_survey(digest=digest)


@override_settings(ANSWERS_MAX_BYTES=1000)
def test_a_larger_file_is_not_kept() -> None:
    with pytest.raises(AnswersRefused, match="1,000 bytes"):
        answers_keep(pieces=[b"x" * 900, b"x" * 900])
    assert list(folder().iterdir()) == []


# -- Who competes ----------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_name_on_record_is_used() -> None:
    wren = factories.revision("Wren")

    collection = stored(WHOLE)
    assert RecordedAnswer.objects.filter(revision=wren, prompt__collection=collection).count() == 2
    assert Contestant.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [Kind.OPENAI, Kind.IMPORTED])
def test_a_name_of_anybody_else_is_not_mixed_with(kind: Kind) -> None:
    """What is served goes on being drawn, and votes on the recorded answers are not its own."""
    served = factories.revision("Wren", kind)
    collection = stored(WHOLE)

    names = set(
        RecordedAnswer.objects.filter(prompt__collection=collection).values_list(
            "revision__name", flat=True
        )
    )
    assert names == {"Wren (recorded Trial)", "Kite"}
    assert list(served.contestant.revisions.all()) == [served]


@pytest.mark.django_db
def test_a_contestant_whose_revisions_bear_other_names_keeps_its_own() -> None:
    Contestant.objects.create(name="Wren", slug="wren", status=Status.ACTIVE)
    stored(WHOLE)

    assert Revision.objects.filter(name="Wren (recorded Trial)", kind=Kind.RECORDED).exists()


@pytest.mark.django_db
def test_a_name_apart_that_would_be_too_long_is_refused() -> None:
    long = "W" * 150
    factories.revision(long, Kind.OPENAI)

    with pytest.raises(BadInput, match="shorter name"):
        stored(WHOLE.replace("Wren", long), name="Trial " * 15)
    assert not Collection.objects.exists()


# -- Opening and closing ---------------------------------------------------------------------


@pytest.mark.django_db
def test_opening_and_closing_is_in_the_log() -> None:
    collection = stored(WHOLE)
    collection_open(collection=collection, is_open=False, reason="enough", actor=None)
    with pytest.raises(Conflict, match="closed already"):
        collection_open(collection=collection, is_open=False, reason="enough", actor=None)
    collection_open(collection=collection, is_open=True, reason="more", actor=None)
    collection_aim(collection=collection, votes_per_cell=7, actor=None)

    collection.refresh_from_db()
    assert (collection.is_open, collection.votes_per_cell) == (True, 7)
    log = AuditEntry.objects.filter(subject="trial").order_by("id")
    assert [entry.action for entry in log] == [
        "collection.create",
        "collection.close",
        "collection.open",
        "collection.change",
    ]
    assert log[3].detail == {"changes": {"votes_per_cell": [3, 7]}}


# -- Forms of a file -------------------------------------------------------------------------


def lines(*rows: dict[str, object]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


SKY, SEA = "Why is the sky blue?", "And the sea?"


def answer(prompt: str, model: str, text: str, **more: object) -> dict[str, object]:
    return {"prompt": prompt, "model": model, "answer": text, **more}


def test_json_lines_say_the_same(tmp_path: Path) -> None:
    found = surveyed(
        tmp_path,
        lines(
            answer(SKY, "Wren", "One.", prompt_id=17, category="science"),
            answer(SKY, "Kite", "Two.\nMore.", prompt_id=17, category="science", language=None),
        )
        + "\n",
    )

    assert faults(found) == []
    (prompt,) = found.prompts.values()
    assert (prompt.prompt_id, prompt.category, prompt.language) == ("17", "science", "")
    assert (found.models, found.cells) == ({"Wren", "Kite"}, 1)


def test_the_form_of_pairs(tmp_path: Path) -> None:
    """An answer that several pairs repeat is one answer, and every two answers make a cell."""
    found = surveyed(
        tmp_path,
        "prompt,model_a,answer_a,model_b,answer_b\n"
        f"{SKY},Wren,One.,Kite,Two.\n"
        f"{SKY},Ostrel,Three.,Wren,One.\n",
    )

    assert faults(found) == []
    assert (found.answers, found.repeated, found.cells) == (3, 1, 3)


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    assert faults(surveyed(tmp_path, b"\xef\xbb\xbf" + WHOLE.encode())) == []
    mark = b"\xef\xbb\xbf"
    found = surveyed(
        tmp_path, mark + lines(answer(SKY, "Wren", "1"), answer(SKY, "Kite", "2")).encode()
    )
    assert faults(found) == []


def test_line_ends_of_other_systems(tmp_path: Path) -> None:
    found = surveyed(tmp_path, WHOLE.replace("\n", "\r\n"))

    assert (faults(found), found.answers) == ([], 4)


def test_who_did_not_answer_is_told_and_is_no_fault(tmp_path: Path) -> None:
    found = surveyed(tmp_path, WHOLE + "sea,And the sea?,Ostrel,Salt.,,\n")

    assert faults(found) == []
    ((prompt, lacking),) = found.lacking()
    assert (prompt.prompt_id, lacking, found.cells) == ("sky", ["Ostrel"], 4)


# -- What is wrong with a file ---------------------------------------------------------------


def test_all_faults_at_once_with_their_lines(tmp_path: Path) -> None:
    found = surveyed(
        tmp_path,
        "prompt_id,prompt,model,answer,winner\n"  # 1: a column nobody knows
        "sky,Why is the sky blue?,Wren,One.,x\n"
        'sky,Why is the sky blue?,Kite,"Two,\nand more",x\n'  # 3 and 4
        "sky,Why is the sky blue?,Wren,Another.,x\n"  # 5: Wren again
        "sky,Why is the sky red?,Ostrel,Three.,x\n"  # 6: another text
        "sky,Why is the sky blue?,Linnet, ,x\n"  # 7: no answer
        "sea,And the sea?,Wren,Salt.,x\n"  # 8: nobody else
        "sea,And the sea?,Wren\n"  # 9: too short
        ",Alone?,,A\x00B,x\n",  # 10: no id, no model, a NUL
    )

    said = faults(found)
    assert [line for line, _ in said] == [1, 5, 6, 7, 8, 9, 10, 10, 10, 10]
    whole = "\n".join(message for _, message in said)
    for words in (
        "Unknown column 'winner'",
        "another answer to this prompt in line 2",
        "another prompt here than in line 2",
        "answer of 'Linnet' is empty",
        "Only one model answers this prompt",
        "3 fields, where the header has 5",
        "such as NUL",
        "A model's name is empty",
        "Give all or none",
    ):
        assert words in whole


def test_the_same_text_twice_is_one_answer(tmp_path: Path) -> None:
    again = WHOLE.splitlines(keepends=True)[-1]
    found = surveyed(tmp_path, WHOLE + again)

    assert (faults(found), found.answers, found.repeated) == ([], 4, 1)


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"", 0, "empty"),
        (b"\n\n", 0, "empty"),
        (HEADER.encode(), 0, "nothing after the header"),
        (b"PK\x03\x04\x14\x00\x06\x00", 0, "spreadsheet (XLSX)"),
        (WHOLE.encode("utf-16"), 0, "UTF-16"),
        (b"\x1f\x8b\x08", 0, "gzip"),
        (b'[{"prompt": 1}]', 0, "one JSON array"),
        (b"prompt;model;answer\n", 1, "other than a comma"),
        (b"prompt,prompt,model,answer\n", 1, "more than once"),
        (b'prompt,model,answer\nWhy?,Wren,"One\n', 2, "unexpected end"),
        (b'prompt,model,answer\nWhy?,Wren,"On"e\n', 2, "doubled"),
        (b"prompt,model,answer\nWhy?,Wren,One\rWhy?,Kite,Two\r", 2, "no CSV"),
        (b'{"prompt": "Why?", "model": "Wren"}\n', 1, "'answer' is missing"),
        (b'{"prompt": ["Why?"], "model": "Wren", "answer": "x"}\n', 1, "'prompt' is no text"),
        (b'{"prompt": "Why?", "prompt": "How?", "model": "a"}\n', 1, "more than once"),
        (b'{"prompt": "Why?"\n', 1, "No JSON"),
        (b'{"a": ' + b"[" * 100_000 + b"\n", 1, "nested"),
        (b'{"a": 1}\n3\n', 2, "No JSON object"),
        (b'{"prompt": "Why?", "model": "a", "answer": "\\ud800"}\n', 1, "not text"),
        (b'{"prompt": "Why?", "model": "a", "answer": "x", "winner": "a"}\n', 1, "'winner'"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, content: bytes, line: int, words: str) -> None:
    found = surveyed(tmp_path, content)

    assert any(at == line and words in said for at, said in faults(found)), faults(found)


def test_text_of_another_encoding_names_its_lines(tmp_path: Path) -> None:
    content = HEADER + f"sky,{SKY},Wren,naïve,,\nsky,{SKY},Kite,plain,,\n"
    found = surveyed(tmp_path, content.encode("cp1252"))

    ((line, message),) = faults(found)
    assert line == 2 and "Not UTF-8: byte 0xef" in message


def test_lines_without_an_end_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "LONGEST_LINE", 1000)
    found = surveyed(tmp_path, HEADER + "sky," + "x" * 5000)

    assert faults(found) == [(2, "The line is longer than 1,000 bytes. Nothing after it was read.")]


def test_texts_and_names_have_a_longest(tmp_path: Path) -> None:
    found = surveyed(
        tmp_path,
        lines(
            answer("Why is it?", "W" * 151, "One."),
            answer("Why is it?", "Kite", "Two and three.", category="c" * 41),
            answer("Why is it?", "Wr\u202een", "One."),
        ),
        Limits(prompt=9, answer=5),
    )

    whole = "\n".join(message for _, message in faults(found))
    for words in (
        "The prompt has 10 characters; 9 is",
        "answer of 'Kite' has 14 characters; 5 is",
        "The model has 151 characters",
        "The category has 41 characters",
        "'Wr\\u202een'",
    ):
        assert words in whole


def test_the_first_hundred_faults_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    found = surveyed(tmp_path, HEADER + "sky,Why?,,x,,\n" * 250)

    assert (len(found.faults), found.fault_count) == (100, 251)


def test_more_than_can_be_judged_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = lines(*(answer(SKY, f"model {number}", "x") for number in range(40)))
    monkeypatch.setattr(collecting, "MOST_CELLS", 700)
    assert "780 pairs" in faults(surveyed(tmp_path, rows))[0][1]

    monkeypatch.setattr(collecting, "MOST_MODELS", 30)
    assert faults(surveyed(tmp_path, rows))[0][0] == 31


# -- The command -----------------------------------------------------------------------------


def command(path: Path, *arguments: str) -> str:
    out = StringIO()
    call_command("import_answers", str(path), *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_the_command_reports_and_stores(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(WHOLE)

    assert "Nothing was written" in command(path, "--name", "Trial", "--dry-run")
    assert not Collection.objects.exists() and list(folder().iterdir()) == []
    said = command(path, "--name", "Trial", "--votes-per-cell", "5")
    assert "2 prompts" in said and "/judge/trial/" in said
    assert Collection.objects.get().votes_per_cell == 5


@pytest.mark.django_db
def test_the_command_lists_faults(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(HEADER + "sky,Why?,Wren,,,\n")

    with pytest.raises(CommandError, match="line 2: The answer of 'Wren' is empty"):
        command(path, "--name", "Trial")
    with pytest.raises(CommandError, match="No such file"):
        command(tmp_path / "none.csv", "--name", "Trial")
