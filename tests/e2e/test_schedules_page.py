"""What people do to monitors on the Web UI's page of Schedules, done by a real Chromium: the record knows of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from temporalio.testing import WorkflowEnvironment

from models.inventory import Measured
from models.reconciliation import FindingKind
from models.watching import schedule_of
from tests.temporal.house import WITHIN, House
from tests.temporal.shell import run
from tests.temporal.test_monitoring import QUIET, arrive, measured
from tests.temporal.test_schedules import found, looked_after, serve_since
from workflows import options

pytestmark = pytest.mark.browser

REASON = "The feed <b>is</b> moved."
LOOKS = 3


@pytest.fixture
async def watched(
    browser_server: tuple[WorkflowEnvironment, str],
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[House]:
    """A house in production on the server with the Web UI, whose schedules are real."""
    monkeypatch.setattr(options, "RECORD_GRACE", timedelta(seconds=0.2))
    async with looked_after(browser_server[0].client, tmp_path, request.node.name) as house:
        yield house


async def find(page: Page, house: House, monitor: str) -> None:
    """A monitor's schedule, from the list of all of them."""
    name = schedule_of(house.model, monitor)
    async with asyncio.timeout(WITHIN):
        while name not in [one.id async for one in await house.client.list_schedules()]:
            await asyncio.sleep(0.05)
    await page.goto(f"{page.url.partition('/default')[0]}/default/schedules")
    await page.get_by_role("link", name=name).first.click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text(name)


async def choose(page: Page, action: str, submit: str, **dates: datetime) -> None:
    """An entry of the menu of actions, what its dialog asks, and the button that submits it."""
    await page.get_by_role("button", name="Schedule Actions").click()
    await page.get_by_role("menuitem", name=action).click()
    dialog = page.locator("dialog[open]")
    for box, day in dates.items():
        await dialog.get_by_role("textbox", name=box).fill(f"{day:%m/%d/%Y}")
        await page.keyboard.press("Tab")
        await dialog.get_by_role("button", name="Close").click()
    await dialog.get_by_role("radio", name="Buffer All").check()
    await dialog.get_by_role("button", name=submit).click()
    await expect(dialog).to_have_count(0)


async def until_looked(house: House, monitor: str, count: int) -> list[Measured]:
    """What a monitor recorded, once it is as much."""
    async with asyncio.timeout(WITHIN):
        while len(seen := [one for one in measured(house) if one.monitor == monitor]) < count:
            await asyncio.sleep(0.1)
    return seen


async def test_who_pauses_a_monitor_there_is_found(browser_page: Page, watched: House) -> None:
    """The pause with its reason is a finding until somebody resumes it there, as `modelops findings` says."""
    await find(browser_page, watched, "drift")
    await browser_page.get_by_role("button", name="Pause", exact=True).click()
    dialog = browser_page.locator("dialog[open]")
    await dialog.get_by_role("textbox", name="Reason").fill(REASON)
    await dialog.get_by_role("button", name="Pause").click()
    await expect(browser_page.get_by_role("heading", level=1)).to_contain_text("Paused")
    ((kind, text),) = await found(watched)
    assert kind is FindingKind.MONITOR_PAUSED
    assert text.endswith(REASON)
    listed = json.loads((await run(watched, "findings", "--json")).stdout)
    assert text in [one["text"] for one in listed]
    await browser_page.get_by_role("button", name="Unpause", exact=True).click()
    await dialog.get_by_role("textbox", name="Reason").fill(REASON)
    await dialog.get_by_role("button", name="Unpause").click()
    await expect(browser_page.get_by_role("heading", level=1)).to_contain_text("Running")
    assert await found(watched) == []


async def test_looks_that_are_asked_for_there_are_on_record(browser_page: Page, watched: House) -> None:
    """Triggered, a monitor looks now; back-filled from a day to another, each look that was due has its own moment."""
    arrive(watched, "1-quiet", {**QUIET})
    await find(browser_page, watched, "drift")
    await choose(browser_page, "Trigger", "Trigger")
    assert [one.verdict for one in await until_looked(watched, "drift", 1)] == ["pass"]
    await find(browser_page, watched, "upkeep")
    monday = midweek(datetime.now().astimezone())
    since, until = monday - timedelta(weeks=LOOKS + 1), monday - timedelta(weeks=1)
    serve_since(watched, since - timedelta(weeks=1))
    await choose(browser_page, "Backfill", "Schedule", Start=since, End=until)
    windows = [one.window for one in await until_looked(watched, "upkeep", LOOKS)]
    moments = [datetime.strptime(f"{name} +0000", "record at %Y-%m-%d %H:%M UTC %z") for name in windows]
    assert [later - earlier for earlier, later in pairwise(moments)] == [timedelta(weeks=1)] * (LOOKS - 1)
    assert since < moments[0] < moments[-1] < until + timedelta(days=1)


def midweek(day: datetime) -> datetime:
    """The Monday before a day: every week of Temporal begins on a Thursday, and jitter is less than a day."""
    return day - timedelta(days=day.weekday())
