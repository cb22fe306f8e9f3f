"""Whoever follows the links finds no dead one, no error and no section without anything in it."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from arena.demo.services import seed
from tests.reports.crawling import Crawl

STARTS = ("/leaderboard/", "/moved/", "/how-sure/", "/methodology/", "/archive/")
pytestmark = pytest.mark.django_db


def pages_visited(crawl: Crawl) -> set[str]:
    return {kind.split()[0] for kind in crawl.visited}


def test_the_demo(client: Client) -> None:
    seed()
    crawl = Crawl(client, most=1).run(*STARTS)

    assert crawl.faults == []
    assert pages_visited(crawl) >= {
        *("reports:contestants", "reports:contestant", "reports:pairs", "reports:pair"),
        *("reports:families", "reports:family", "reports:categories", "reports:organisations"),
        *("reports:organisation", "reports:prices", "reports:history", "reports:methodology"),
    }


@pytest.mark.parametrize("name", ["llmfao.csv", "arena_140k_votes.parquet"])
def test_real_votes(real_votes: Path, client: Client, name: str) -> None:
    call_command("import_votes", str(real_votes / name), skip_bad=True)
    call_command("publish")
    crawl = Crawl(client, most=1).run(*STARTS)

    assert crawl.faults == []
    assert pages_visited(crawl) >= {"reports:contestant", "reports:pair", "reports:methodology"}
