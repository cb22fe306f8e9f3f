"""Operators bring answers: a report first, then storing it, and how far its judging is."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from arena.battles.collections import collection_create
from arena.battles.files import answers_keep, folder
from arena.battles.models import Collection, Prompt
from arena.core.models import AuditEntry
from arena.voters.models import Voter
from tests.battles.test_assignment import begin
from tests.battles.test_collections import HEADER, WHOLE
from tests.core.test_admin import HOSTILE, act, assert_harmless, at, page, root, staff

pytestmark = pytest.mark.django_db
ADD = at(Collection, "add")
FILE = b"prompt,model,answer\nWhy?,Wren,One.\nWhy?,Kite,Two.\nHow?,Wren,1\nHow?,Linnet,2\n"


def upload(client: Client, content: bytes, name: str = "Trial", **fields: Any) -> str:
    """The page that comes of choosing a file."""
    file = SimpleUploadedFile("answers.csv", content)
    response = client.post(ADD, {"name": name, "votes_per_cell": 3, "file": file, **fields})
    assert response.status_code == 200
    return response.content.decode()


def store(client: Client, **fields: Any) -> Any:
    (kept,) = folder().iterdir()
    said = {"name": "Trial", "votes_per_cell": 3, "digest": kept.name, **fields}
    return client.post(ADD, said, follow=True)


def collection() -> Collection:
    return collection_create(digest=answers_keep(pieces=[WHOLE.encode()]), name="Trial")


# -- From a file to a collection -------------------------------------------------------------


def test_it_works() -> None:
    client = root()
    assert "Read the file and report" in page(client, ADD)

    report = upload(client, FILE)
    assert "2 prompts with 4 answers of 3 models: 2 pairs of answers to judge" in report
    assert "New contestants: Kite, Linnet, Wren." in report
    assert "2 prompts of 2 lack an answer" in report
    assert "the prompt in line 4" in report and "Store it as “Trial”" in report
    assert not Collection.objects.exists()

    stored = store(client).content.decode()
    made = Collection.objects.get()
    assert (made.name, str(made.created_by)) == ("Trial", "root")
    assert "/judge/trial/" in stored and "0 of 2 pairs of answers" in stored
    assert AuditEntry.objects.get(action="collection.create").actor == made.created_by


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty."),
        (HEADER.encode(), "nothing after the header"),
        (b"PK\x03\x04rest of a spreadsheet", "spreadsheet (XLSX)"),
        (WHOLE.replace("Rayleigh", "R\xe4yleigh").encode("cp1252"), "Not UTF-8"),
        (WHOLE.replace("Rayleigh", "Ray\0leigh").encode(), "such as NUL"),
        (FILE + b"Why?,Wren,Another.\n", "another answer to this prompt in line 2"),
        (FILE + b"Who?,Wren,Another.\n", "Only one model answers"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_offered(content: bytes, words: str) -> None:
    report = upload(root(), content)

    assert words in report and "so nothing can be stored" in report
    assert "Store it as" not in report and not Collection.objects.exists()


def test_names_out_of_a_file_are_text() -> None:
    answers = f'prompt,model,answer\n"Why?","{HOSTILE}",One\n"Why?",Kite,Two\n'.encode()

    report = upload(root(), answers, name=f"Trial {HOSTILE}")
    assert "Store it as" in report
    assert_harmless(report)
    faulty = upload(
        root_again(), answers.replace(b"Kite", b"").replace(b"answer", HOSTILE.encode())
    )
    assert_harmless(faulty)


def root_again() -> Client:
    return staff("another", "battles.add_collection")


def test_a_file_that_is_stored_is_named() -> None:
    collection_create(digest=answers_keep(pieces=[FILE]), name="Before")

    assert "This file is stored as “Before”" in upload(root(), FILE)


def test_what_is_stored_was_kept() -> None:
    """A digest that names nothing kept, and a name that was given meanwhile."""
    client = root()
    upload(client, FILE)
    wrong = store(client, digest="../" * 20).content.decode()
    assert "no longer kept" in wrong
    collection_create(digest=answers_keep(pieces=[WHOLE.encode()]), name="Trial")

    again = store(client).content.decode()
    assert "There is a collection named “Trial”" in again
    assert Collection.objects.count() == 1


def test_adding_needs_its_permission() -> None:
    reader = staff("reader", "battles.view_collection")

    assert reader.get(ADD).status_code == 403
    assert reader.post(ADD, {"digest": "x"}).status_code == 403
    assert staff("adder", "battles.add_collection").get(ADD).status_code == 200


# -- How it is judged ------------------------------------------------------------------------


def test_progress_is_shown(alice: Voter, bob: Voter) -> None:
    made = collection()
    for voter in (alice, alice, bob):
        begin(voter, made, outcome="tie")
    shown = page(staff("reader", "battles.view_collection"), at(Collection, made.pk, "change"))

    assert "0 of 2 pairs of answers have all the votes they are to get. Votes in: 3 of 6." in shown
    assert "votes of 2 voters, as concentrated as those of 1.8" in shown
    assert "the busiest cast 66.7 %" in shown
    assert "Of 1 pair with two votes or more, all votes say the same on 1 (100.0 %)" in shown
    assert "1.5 (1–2)" in shown
    assert f"voter {alice.pk}" in shown and "-1-sky" in shown


def test_a_collection_is_closed_and_opened_with_a_reason() -> None:
    made, client = collection(), root()
    act(client, at(Collection), "close_now", [made], reason="enough for now")
    made.refresh_from_db()
    assert not made.is_open

    act(client, at(Collection), "open_now", [made], reason="more are wanted")
    made.refresh_from_db()
    assert made.is_open
    entry = AuditEntry.objects.get(action="collection.close")
    assert (entry.subject, entry.detail) == ("trial", {"reason": "enough for now"})


def test_how_many_votes_are_wanted_can_be_changed() -> None:
    made, client = collection(), root()
    address = at(Collection, made.pk, "change")

    assert (
        "less than or equal to 1000"
        in client.post(address, {"votes_per_cell": 1001}).content.decode()
    )
    client.post(address, {"votes_per_cell": 5})
    made.refresh_from_db()
    assert made.votes_per_cell == 5
    assert AuditEntry.objects.filter(action="collection.change").count() == 1


def test_what_was_judged_stays_as_it_is() -> None:
    """Neither the collection nor one of its prompts is changed by hand or deleted."""
    made, client = collection(), root()
    prompt = made.prompts.first()
    assert prompt is not None

    assert client.post(at(Collection, made.pk, "delete")).status_code == 403
    assert client.post(at(Prompt, prompt.pk, "delete")).status_code == 403
    assert client.post(at(Prompt, prompt.pk, "change"), {"text": "x"}).status_code == 403
    act(client, at(Prompt), "delete_selected", [prompt], post="yes")
    assert Prompt.objects.count() == 2
    assert "Why is the sky blue?" in page(client, at(Prompt, prompt.pk, "change"))
