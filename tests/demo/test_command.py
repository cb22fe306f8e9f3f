"""manage.py demo: seeds once, says how to get in, and shows a file's board instead."""

from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client

from arena.battles.models import RecordedAnswer
from arena.catalog.models import Contestant, Revision
from arena.integrity.models import Exclusion
from arena.leaderboard.models import Snapshot

pytestmark = pytest.mark.django_db


def demo(**options: object) -> str:
    out = StringIO()
    call_command("demo", stdout=out, **options)
    return out.getvalue()


def test_it_works(client: Client) -> None:
    said = demo(url="http://localhost:8000/")

    assert Contestant.objects.count() == 40
    assert Revision.objects.count() == 41
    assert RecordedAnswer.objects.count() == 41 * 24
    first, second = Snapshot.objects.order_by("id")
    assert (second.published_at - first.published_at).days == 7
    assert Exclusion.objects.exists()
    for page in ("/", "/leaderboard/", "/admin/login/", "/leaderboard/?board=poetry"):
        assert "imulated demo data" in client.get(page).content.decode(), page
    token = next(line.split()[1] for line in said.splitlines() if line.startswith("Token"))
    header = {"Authorization": f"Token {token}"}
    assert client.get("/api/v1/boards/current/", headers=header).status_code == 200


def test_a_second_run_seeds_nothing_and_says_the_same(client: Client) -> None:
    first = demo()
    again = demo()

    assert Contestant.objects.count() == 40
    assert Snapshot.objects.count() == 2
    assert again.splitlines()[-7:] == first.splitlines()[-7:]


def test_the_sign_in_is_for_this_user_alone() -> None:
    demo()

    assert (settings.VAR_DIR / "credentials").stat().st_mode & 0o077 == 0


def test_the_swap_of_the_experimental_revision_lies_between_the_publications() -> None:
    demo()
    first, second = Snapshot.objects.order_by("id")
    names = [
        {row["contestant"] for row in snapshot.content["boards"]["controlled"]["standings"]}
        for snapshot in (first, second)
    ]

    assert names[1] - names[0] == {"Vireo 2"}
    served = Revision.objects.filter(contestant__name="Vireo 2").latest("number")
    assert (served.name, served.stage) == ("Vireo 2", "released")


def test_a_file_of_votes_is_shown_instead(tmp_path: Path, client: Client) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("model_a,model_b,winner\nwren,kite,tie\nwren,wren,tie\n")
    said = demo(votes=path)

    assert "1 rows were left out" in said
    assert "imulated" not in client.get("/leaderboard/").content.decode()


def test_a_file_that_changed_is_not_counted_twice(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("model_a,model_b,winner\nwren,kite,tie\n")
    demo(votes=path)
    path.write_text("model_a,model_b,winner\nwren,kite,tie\nwren,kite,model_a\n")

    with pytest.raises(CommandError, match="start anew"):
        demo(votes=path)
    assert Snapshot.objects.latest("id").content["boards"]["raw"]["counts"]["read"] == 1
