"""What people do in the Temporal Web UI, done by a real Chromium."""

import asyncio
import json
from urllib.parse import quote

import pytest
from playwright.async_api import FrameLocator, Page, expect

from models.monitoring import monitor_orders
from models.state import Phase
from tests.temporal.house import House, plan_of

pytestmark = pytest.mark.browser

HOSTILE = "<script>alert(1)</script> [a](http://b.c) `c` | *d* _e_ ``` # &lt; é😀"


async def half_approved(house: House) -> None:
    """A version waits at the validation gate; one approval is given, one is missing."""
    await house.start(plan_of("credit-high-risk"))
    await house.submit()
    await house.until_phase(Phase.DECIDING, "validation")
    await house.update("decide", await house.decision("dmitri", reason=HOSTILE))


async def find(page: Page, house: House) -> None:
    """The lifecycle is found by its search attribute, and opened."""
    query = f'ModelopsModel="{house.model}" AND ExecutionStatus="Running"'
    async with asyncio.timeout(10):
        while not [found async for found in house.client.list_workflows(query)]:
            await asyncio.sleep(0.05)
    await page.goto(f"{page.url.partition('?')[0]}?query={quote(query)}")
    await page.get_by_role("link", name=f"model/{house.model}", exact=True).click()


async def card(page: Page) -> FrameLocator:
    """The card, in the tab where it is shown."""
    await page.get_by_text("User Metadata", exact=True).click()
    frames = page.locator("iframe[title=output]")
    await expect(frames.last.content_frame.locator("blockquote")).to_be_visible()
    return frames.last.content_frame


async def send(page: Page, name: str, text: str) -> None:
    """More Actions, Send an Update, its name, the JSON, Submit."""
    dialog = page.locator("dialog[open]")
    if not await dialog.count():
        await page.get_by_role("button", name="More Actions").click()
        await page.get_by_role("menuitem", name="Send an Update").click()
        await dialog.get_by_test_id("update-select-button").click()
        await dialog.get_by_role("option", name=name).click()
    await dialog.get_by_role("textbox", name="Data").click()
    await page.keyboard.press("ControlOrMeta+A")
    await page.keyboard.insert_text(text)
    await dialog.get_by_role("button", name="Submit").click()


async def test_timeline_and_card_tell_the_story(browser_page: Page, browser_house: House) -> None:
    """Found by its model's name, a lifecycle says what it did, what it waits for, until when, and who may act."""
    await half_approved(browser_house)
    await find(browser_page, browser_house)
    activity = f"evaluate_version • evaluate version 1 of {browser_house.model} (validation)"
    await expect(browser_page.get_by_text(activity, exact=True).first).to_be_visible()
    await expect(browser_page.get_by_text("reminder of the gate in stage validation at").first).to_be_visible()
    shown = await card(browser_page)
    gate = (await browser_house.status()).gate
    assert gate is not None
    assert gate.due is not None
    await expect(shown.locator("blockquote")).to_contain_text("Waiting for 1 approval of risk")
    await expect(shown.locator("blockquote")).to_contain_text(f"until {gate.due:%Y-%m-%d %H:%M} UTC")
    await expect(shown.locator("table").first).to_contain_text(f"dmitri: {HOSTILE}")
    await expect(shown.locator("table").first).to_contain_text("rosa")
    await expect(shown.locator("svg")).to_be_visible()
    assert await shown.locator("meter").count() == 7
    assert await shown.locator("script").count() == 0
    links = [await link.get_attribute("href") for link in await shown.locator("a").all()]
    assert links[0] == f"/namespaces/default/workflows?query=ModelopsModel%3D%22{browser_house.model}%22"
    assert all(link and link.startswith("/namespaces/default/") for link in links)


async def test_a_decision_is_made_in_the_web_ui(browser_page: Page, browser_house: House) -> None:
    """What `modelops decide --print` signs is pasted: who may not is refused with the reason, the validator decides."""
    await half_approved(browser_house)
    await find(browser_page, browser_house)
    shown = await (await card(browser_page)).locator("pre").inner_text()
    assert shown.startswith(f"modelops decide {browser_house.model} independent-validation approve --as YOU")
    for person, said in (("ana", "ana is the developer of version 1"), ("rosa", "")):
        signed = await browser_house.decision(person)
        await send(browser_page, "decide", signed.model_dump_json(indent=2))
        if said:
            await expect(browser_page.locator("dialog[open]")).to_contain_text(said)
    status = await browser_house.until_phase(Phase.DECIDING, "staging")
    assert status.version is not None
    assert "independent-validation" in status.version.gates
    await browser_page.reload()
    await expect((await card(browser_page)).locator("blockquote")).to_contain_text("the lifecycle goes on")


async def test_the_last_readings_are_a_click_away(browser_page: Page, browser_house: House) -> None:
    """From the card of what serves to the looks of its monitors, and to the meters of one that found drift."""
    plan = plan_of("credit-high-risk")
    await browser_house.start(plan)
    await browser_house.to_production()
    window = {"drift": 0.15, "live_auc": 0.8, "live_adverse_impact": 0.9}
    (browser_house.root / f"{browser_house.model}-1.json").write_text(json.dumps(window))
    order, check = monitor_orders(browser_house.model, plan)[0], f"monitor/{browser_house.model}/drift-2026-01-05"
    await browser_house.client.execute_workflow("MonitorCheck", order, id=check, task_queue=browser_house.queue)
    await find(browser_page, browser_house)
    link = (await card(browser_page)).get_by_role("link", name="The last readings of all monitors")
    href = await link.get_attribute("href")
    await browser_page.goto(f"{browser_page.url.partition('/namespaces')[0]}{href}")
    await browser_page.get_by_role("link", name=check, exact=True).click()
    shown = await card(browser_page)
    await expect(shown.locator("h2")).to_contain_text("monitor drift")
    await expect(shown.locator("table")).to_contain_text("0.15")
    assert await shown.locator("meter").count() == len(window)
