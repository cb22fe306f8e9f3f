"""The methodology page: what it says, its figures, what is drawn now, and the written method."""

import csv
import re
from datetime import timedelta
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from arena.battles.models import Battle, State
from arena.catalog.models import Contestant, Organisation
from arena.integrity.imports import votes_import
from arena.integrity.services import votes_exclude
from arena.leaderboard.models import Snapshot
from arena.leaderboard.selectors import part_get
from arena.leaderboard.services import publish, refit
from arena.reports import formulas
from arena.reports.methodology_figures import figures_of, known_of
from arena.voters.models import Voter
from tests import factories
from tests.leaderboard.stylish import NAMES, stylish

pytestmark = pytest.mark.django_db

PAGE = "/methodology/"


def made_by(maker: str, *names: str) -> None:
    organisation = Organisation.objects.create(slug=maker.lower()[:8], name=maker)
    Contestant.objects.filter(revisions__name__in=names).update(organisation=organisation)


@pytest.fixture
def published(tmp_path: Path) -> Snapshot:
    segment = votes_import(path=stylish(tmp_path)).segment
    assert segment is not None
    votes_exclude(
        votes=[f"{segment.sha256}:{row}" for row in range(30)], rule="hurried", reason="In a blink."
    )
    made_by("Alder <b>Labs</b>", *NAMES[:3])
    made_by("Birch", *NAMES[3:])
    snapshot = publish()
    assert snapshot is not None
    return snapshot


def imported(folder: Path, *rows: str, header: str = "model_a,model_b,winner") -> Snapshot:
    path = folder / "few.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    votes_import(path=path)
    snapshot = publish()
    assert snapshot is not None
    return snapshot


def html(client: Client, address: str = PAGE, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return response.content.decode()


def said(client: Client, address: str = PAGE, status: int = 200) -> str:
    text = html(client, address, status)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def topics(client: Client) -> list[str]:
    return re.findall(r'<section id="([a-z]+)-section"', html(client))


def test_it_works(client: Client, published: Snapshot) -> None:
    text = said(client)

    assert "30 of 1,500 votes do not count. Length sways votes most." in text
    assert "Excluded: hurried" in text
    assert "one typical difference is worth" in text
    assert "Controlling for style makes forecasts" in text
    assert "These votes do not say which answer was shown first." in text
    assert "of votes are ties" in text
    assert "Of 80 voters the busiest" in text
    assert "circles" in text
    assert "All 6 contestants have a place" in text
    assert "no organisation is shown surely more" in text.lower()


def test_every_section_says_something(client: Client, published: Snapshot) -> None:
    found = re.findall(r"<section id=.*?</section>", html(client), flags=re.DOTALL)

    assert len(found) >= 9
    for section in found:
        words = re.sub(r"<h2.*?</h2>|<[^>]+>", " ", section, flags=re.DOTALL).split()
        assert len(words) > 6, section


def test_figures_hold_the_parts_numbers(client: Client, published: Snapshot) -> None:
    method: Any = part_get(published, "method")
    rows = list(csv.DictReader(StringIO(html(client, f"{PAGE}forecasts.csv"))))
    page = client.get(f"{PAGE}page.json").json()

    bins = method["forecasts"]["reliability"]["controlled"]
    assert [float(row["share"]) for row in rows] == [each["share"] for each in bins]
    assert page["method"] == method
    assert page["counts"]["excluded"] == {"hurried": 30}
    funnel = client.get(f"{PAGE}funnel.json").json()["rows"]
    assert [row["votes"] for row in funnel] == [1500, 30, 1470]


def test_every_figure_draws_in_both_themes(published: Snapshot) -> None:
    drawn = figures_of(known_of(published))

    assert {
        "funnel",
        "exposure",
        "coefficients",
        "forecasts",
        "scores",
        "voters",
        "circles",
    } <= set(drawn)
    for figure in drawn.values():
        for theme in ("light", "dark"):
            chart = figure.draw(theme).to_dict()
            assert figure.title.replace(" ", "") in "".join(chart["title"]["text"]).replace(" ", "")
        assert figure.words
        assert figure.rows


def test_a_figure_is_answered_as_a_picture(client: Client, published: Snapshot) -> None:
    response = client.get(f"{PAGE}coefficients.svg")

    assert response["Content-Type"] == "image/svg+xml"
    assert b"<svg" in response.content


def test_an_unknown_figure_names_those_there_are(client: Client, published: Snapshot) -> None:
    text = said(client, f"{PAGE}nothing.csv", 404)

    assert "no figure 'nothing'" in text
    assert "funnel" in text


def test_names_are_text(client: Client, published: Snapshot) -> None:
    assert "Alder <b>" not in html(client)
    assert "Alder &lt;b&gt;Labs" in html(client)


def test_a_named_publication_stays_named(client: Client, published: Snapshot) -> None:
    text = html(client, f"{PAGE}?snapshot={published.short}")

    assert f"{PAGE}funnel.svg?snapshot={published.short}" in text
    assert "There is no publication 'abcdef'" in said(client, f"{PAGE}?snapshot=abcdef", 404)


def test_few_queries(client: Client, published: Snapshot) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        html(client, f"{PAGE}?unknown=1")

    assert len(queries) <= 15


def test_a_draft_says_what_its_document_does(admin_client: Client, published: Snapshot) -> None:
    votes_exclude(
        votes=[f"{published.content['segments'][0]['sha256']}:99"], rule="late", reason="Late."
    )
    refit()

    text = said(admin_client, f"{PAGE}?snapshot=draft")
    assert "31 of 1,500 votes do not count" in text
    assert "Forecasts" not in text


# -- Little to say ---------------------------------------------------------------------------


def test_nothing_published_yet(client: Client) -> None:
    assert "No votes yet" in said(client)


def test_one_vote(client: Client, tmp_path: Path) -> None:
    imported(tmp_path, "Wren,Kite,model_a")

    text = said(client)
    assert "The one vote counts" not in text
    assert "1 of 1 votes does not count." in text
    assert "Undefeated in 1 battle" in text


def test_only_ties_of_nobody_known(client: Client, tmp_path: Path) -> None:
    imported(tmp_path, *["Wren,Kite,tie", "Kite,Lark,tie", "Lark,Wren,tie"] * 4)

    assert topics(client) == ["votes", "forecasts", "outcomes", "places", "fit"]
    text = said(client)
    assert "All 12 votes count." in text
    assert "100.0% of votes are ties" in text
    assert "Position follows from which contestants meet" in text


# -- Drawn so far ----------------------------------------------------------------------------


def test_what_was_drawn_so_far_comes_with_battles(client: Client, published: Snapshot) -> None:
    assert "drawn-section" not in html(client)
    assert "No battle has been drawn here yet" in said(client, f"{PAGE}drawn/", 404)
    cache.clear()
    wren, kite = factories.known("wren"), factories.known("finch")
    voter = Voter.objects.create(key="k" * 32)
    factories.battle(wren, kite, voter)
    # Who is in a battle that may still be going on must not show in the counts.
    assert "No battle has been drawn here yet" in said(client, f"{PAGE}drawn/", 404)
    Battle.objects.update(created_at=timezone.now() - timedelta(days=2))
    factories.battle(kite, wren, voter, State.VOTED)
    factories.battle(wren, kite, voter)

    assert f'hx-get="{PAGE}drawn/"' in html(client)
    text = said(client, f"{PAGE}drawn/")
    assert "2 battles were drawn here so far; 1 were voted on." in text
    assert "Birch 2 50.0% 1 50%" in text


# -- The written method ----------------------------------------------------------------------


def test_the_written_method_has_every_place_that_the_page_names(
    client: Client, published: Snapshot
) -> None:
    wanted = set(re.findall(r'/methodology/formulas/#([-\w]+)"', html(client)))
    there = re.findall(r'<h[123] id="([-\w]+)"', html(client, "/methodology/formulas/"))

    assert len(wanted) >= 6
    assert wanted <= set(there)
    assert len(there) == len(set(there))
    assert "Bradley-Terry" in formulas.source()
