"""Statements on publications: filed and posted once each, in order, whatever fails between."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import CommandError, call_command

from arena.integrity.imports import votes_import
from arena.leaderboard.heads import HeadNotHandedOn, heads_post
from arena.leaderboard.models import Snapshot
from arena.leaderboard.services import publish
from ranking.heads import read_heads
from tests.leaderboard.test_refit import cycle

pytestmark = pytest.mark.django_db
PEM = serialization.Encoding.PEM


class Receiver(HTTPServer):
    """Takes what is posted, or answers with the status it was told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.taken: list[tuple[str, bytes]] = []
        self.status = 204


class Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver = self.server
        assert isinstance(receiver, Receiver)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if receiver.status < 300:
            receiver.taken.append((self.headers["Idempotency-Key"], body))
        self.send_response(receiver.status)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Says nothing on the test's output."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def heads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """HEAD_FILE, signed with a key whose public half lies beside it."""
    key = Ed25519PrivateKey.generate()
    plain = serialization.NoEncryption()
    (tmp_path / "head.pem").write_bytes(
        key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    (tmp_path / "public.pem").write_bytes(
        key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    monkeypatch.setattr(settings, "HEAD_FILE", str(tmp_path / "heads.jsonl"))
    monkeypatch.setattr(settings, "HEAD_KEY_FILE", str(tmp_path / "head.pem"))
    return tmp_path / "heads.jsonl"


def published(folder: Path, times: int) -> Snapshot:
    votes_import(path=cycle(folder, times, f"{times}.csv"))
    snapshot = publish()
    assert snapshot is not None
    return snapshot


def test_it_works(tmp_path: Path, heads: Path, django_capture_on_commit_callbacks: object) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        first = published(tmp_path, 12)
    second = published(tmp_path, 13)
    assert heads_post() == 1
    assert heads_post() == 0

    stated = read_heads(heads, tmp_path / "public.pem")
    assert [stated[1]["snapshot"], stated[2]["snapshot"]] == [first.digest, second.digest]
    assert stated[2]["previous"] == first.digest
    assert stated[2]["head"] == second.head


def test_a_line_is_filed_once_though_the_row_was_lost(tmp_path: Path, heads: Path) -> None:
    """Killed between the line and the row that says so, or in the middle of the line."""
    snapshot = published(tmp_path, 12)
    heads_post()
    whole = heads.read_bytes()

    for left in (whole, whole[:40], b""):
        heads.write_bytes(left)
        type(snapshot.head_post).objects.update(filed_at=None)
        heads_post()
        assert heads.read_bytes() == whole


def test_a_foreign_end_of_the_file_is_not_overwritten(tmp_path: Path, heads: Path) -> None:
    heads.write_text("somebody else's")
    published(tmp_path, 12)

    with pytest.raises(HeadNotHandedOn, match="did not write"):
        heads_post()
    assert heads.read_text() == "somebody else's"


def test_the_webhook_gets_each_in_order_and_again_after_a_failure(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = f"http://127.0.0.1:{receiver.server_port}/heads"
    monkeypatch.setattr(settings, "HEAD_WEBHOOK", where)
    receiver.status = 503
    first = published(tmp_path, 12)
    with pytest.raises(CommandError, match="503"):
        call_command("post_head")
    second = published(tmp_path, 13)
    receiver.status = 204
    call_command("post_head")
    call_command("post_head")

    assert [key for key, _ in receiver.taken] == [first.digest, second.digest]
    assert json.loads(receiver.taken[0][1])["number"] == 1


def test_a_dead_webhook_does_not_keep_the_file_waiting(
    tmp_path: Path, heads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "HEAD_WEBHOOK", "http://127.0.0.1:9/")
    published(tmp_path, 12)

    with pytest.raises(HeadNotHandedOn):
        heads_post()
    assert len(read_heads(heads)) == 1


def test_nowhere_to_go_is_said() -> None:
    with pytest.raises(CommandError, match="HEAD_FILE"):
        call_command("post_head")


def test_settings_that_cannot_work_are_refused_at_start(
    tmp_path: Path, heads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> set[str | None]:
        return {check.id for check in run_checks()}

    assert not found() & {"leaderboard.E001", "leaderboard.E002", "leaderboard.E003"}
    (tmp_path / "head.pem").write_text("no key")
    assert "leaderboard.E001" in found()
    monkeypatch.setattr(settings, "HEAD_FILE", str(tmp_path / "none" / "heads.jsonl"))
    assert "leaderboard.E002" in found()
    monkeypatch.setattr(settings, "HEAD_WEBHOOK", "arena.example/heads")
    assert "leaderboard.E003" in found()
