"""An arena with two publications and votes of every kind, and tokens of who may what."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from arena.api.services import token_create
from arena.integrity.imports import votes_import
from arena.leaderboard.models import Snapshot
from arena.leaderboard.services import publish
from arena.voters.models import Voter
from tests.leaderboard.test_refit import cast
from tests.server import serving


def allowed(name: str, *permissions: str, **fields: bool) -> User:
    """A user with these permissions and no others."""
    user = User.objects.create_user(name, **fields)
    for permission in permissions:
        app, codename = permission.split(".")
        found = Permission.objects.get(content_type__app_label=app, codename=codename)
        user.user_permissions.add(found)
    return user


def token_of(user: User) -> str:
    return token_create(user=user, expires_in=timedelta(days=1))


def bearing(token: str) -> Client:
    return Client(headers={"Authorization": f"Token {token}"})


def styled(folder: Path) -> Path:
    """Three contestants with style of their own, so that there is a controlled board."""
    rows = []
    for i in range(240):
        a, b, winner = PAIRINGS[i % len(PAIRINGS)]
        tokens, day = f"{100 + i * 7 % 160},{90 + i * 11 % 140}", f"2026-0{1 + i % 6}-0{1 + i % 9}"
        rows.append(f"{a},{b},{winner},v{i % 30},{tokens},{day}")
    header = "model_a,model_b,winner,voter,tokens_a,tokens_b,timestamp"
    path = folder / "styled.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


PAIRINGS = [
    ("wren", "kite", "model_a"),
    ("kite", "lark", "model_a"),
    ("lark", "wren", "model_a"),
    ("wren", "lark", "model_a"),
    ("kite", "wren", "tie"),
    ("lark", "kite", "both_bad"),
    ("lark", "kite", "model_a"),
]


@pytest.fixture
def published(tmp_path: Path, db: None) -> tuple[Snapshot, Snapshot]:
    """Two publications: of imported votes, and of one more that was cast here."""
    votes_import(path=styled(tmp_path))
    first = publish()
    cast(Voter.objects.create())
    second = publish()
    assert first is not None and second is not None
    return first, second


@pytest.fixture
def root(db: None) -> Client:
    """Whoever may everything."""
    return bearing(token_of(User.objects.create_superuser("root")))


@pytest.fixture
def may(db: None) -> Callable[..., Client]:
    """A client whose user has just these permissions."""
    return lambda *permissions, **fields: bearing(
        token_of(allowed("somebody", *permissions, **fields))
    )


@pytest.fixture
def site(transactional_db: None) -> Iterator[str]:
    with serving() as address:
        yield address
