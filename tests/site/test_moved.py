"""What moved, in a browser: the ledger's views, and one that is worked out while somebody waits."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from arena.core import jobs
from arena.core.jobs import job_run_next
from arena.core.models import Job, JobState
from arena.demo.services import seed
from arena.integrity.imports import votes_import
from arena.leaderboard import services
from arena.leaderboard.models import Snapshot
from arena.leaderboard.services import publish
from arena.voters.models import Voter
from ranking import analysis
from tests.leaderboard.test_refit import cast, cycle
from tests.site.test_accessibility import faults

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def ledgers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Publications with no other parts than their ledgers, which is quicker."""
    monkeypatch.setattr(services, "parts", analysis.ledger_parts)


def far_apart(folder: Path) -> str:
    """The address of what moved between the first and the last of three publications."""
    votes_import(path=cycle(folder))
    publish()
    for _ in range(2):
        cast(Voter.objects.create(), "model_b")
        publish()
    last, _, first = Snapshot.objects.all()
    return f"/moved/?from={first.short}&to={last.short}"


def fits(page: Page) -> bool:
    """Whether nothing makes the page wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_chart_table_families_and_revisions(page: Page) -> None:
    seed()
    page.goto("/")
    page.get_by_role("link", name="What moved").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Vireo 2 family")
    vireo = page.get_by_role("row", name=re.compile("^Vireo 2 family"))
    expect(vireo).to_contain_text("replaced by the released one")
    expect(vireo.get_by_role("img")).to_have_attribute("aria-label", "V −1, S −1; together −2")

    page.get_by_role("link", name="a revision").click()
    expect(page.get_by_role("row", name="Vireo 2", exact=False).last).to_be_attached()
    quiet = page.get_by_text("moved only by who came and went")
    newcomer = page.get_by_text("It did nothing differently. Vireo 2 entered above it.").first
    expect(newcomer).to_be_hidden()
    quiet.focus()
    page.keyboard.press("Enter")
    expect(newcomer).to_be_visible()

    page.get_by_role("link", name="table").click()
    expect(page.get_by_role("columnheader", name="Roster")).to_be_visible()
    page.get_by_role("link", name="a family").click()
    expect(page.get_by_role("columnheader", name="Revision swap")).to_be_visible()

    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for address in ("/moved/", "/moved/?rows=revisions", "/moved/?as=table", "/moved/log/"):
            page.goto(address)
            assert faults(page) == [], (address, scheme)
            for width in (390, 320):
                page.set_viewport_size({"width": width, "height": 800})
                assert fits(page), (address, width)
            page.set_viewport_size({"width": 1360, "height": 900})


def test_a_ledger_is_worked_out_while_the_reader_waits(page: Page, tmp_path: Path) -> None:
    address = far_apart(tmp_path)
    page.goto(address)
    assert faults(page) == []
    page.get_by_role("button", name="Work it out").click()
    expect(page.get_by_text("Waiting for its turn.")).to_be_visible()
    assert faults(page) == []

    job = jobs.claim()
    assert job is not None
    jobs.Task(job).tell("1 of at most 2 boards fitted", 0.5)
    expect(page.get_by_text("1 of at most 2 boards fitted")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "0.500")

    Job.objects.update(state=JobState.QUEUED)
    job_run_next()
    expect(page.get_by_role("table").first).to_be_visible(timeout=10_000)
    expect(page.get_by_text("One thing differs between them: new votes.")).to_be_visible()


def test_one_that_fails_stops_asking(page: Page, tmp_path: Path) -> None:
    page.goto(far_apart(tmp_path))
    page.get_by_role("button", name="Work it out").click()
    Job.objects.update(state=JobState.FAILED, error="It did not converge.")

    expect(page.get_by_role("alert")).to_contain_text("It did not converge.")
    page.reload()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_without_scripts_a_link_looks_again(browser: Browser, site: str, tmp_path: Path) -> None:
    context = browser.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    page.goto(far_apart(tmp_path))
    page.get_by_role("button", name="Work it out").click()
    expect(page.get_by_text("Waiting for its turn.")).to_be_visible()

    job_run_next()
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("One thing differs between them: new votes.")).to_be_visible()

    first = Snapshot.objects.last()
    assert first is not None
    page.get_by_label("To").select_option(first.short)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("same publication")
    context.close()
