"""A Temporal server with its Web UI, and a real Chromium to look at it."""

import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, async_playwright
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from tests.temporal.house import House
from worker.connection import runtime
from worker.embedded import dev_server_options, server_binary
from workflows import attributes

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 15_000
"""How long the browser waits for something to appear, in milliseconds."""


@pytest.fixture(scope="session")
def browser_program() -> str:
    """Where Chromium is; without it the test fails, because a skipped test proves nothing."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail(
            "Chromium is not installed. Install it with `sh deploy/install-debian.sh browser`, "
            'or leave these tests out with `pytest -m "not browser"`.',
            pytrace=False,
        )
    return found


@pytest.fixture(scope="session")
async def browser_server() -> AsyncIterator[tuple[WorkflowEnvironment, str]]:
    """A dev server, and the address of its Web UI."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=server_binary(),
        dev_server_log_level="error",
        dev_server_extra_args=list(dev_server_options()),
        search_attributes=attributes.ALL,
        runtime=runtime(),
        ui=True,
        ui_port=port,
    ) as environment:
        yield environment, f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
async def browser_context(
    browser_program: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[BrowserContext]:
    """A browser that knows nothing yet."""
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("browser"),
            executable_path=browser_program,
            headless=True,
            args=FLAGS,
            viewport={"width": 1500, "height": 1400},
        )
        context.set_default_timeout(PATIENCE)
        yield context
        await context.close()


@pytest.fixture
async def browser_page(
    browser_context: BrowserContext, browser_server: tuple[WorkflowEnvironment, str]
) -> AsyncIterator[Page]:
    """The Web UI's list of workflows."""
    page = await browser_context.new_page()
    await page.goto(f"{browser_server[1]}/namespaces/default/workflows")
    yield page
    await page.close()


@pytest.fixture
async def browser_house(
    browser_server: tuple[WorkflowEnvironment, str], tmp_path: Path, request: Any
) -> AsyncIterator[House]:
    """A worker with quick parts on the server with the Web UI."""
    async with House(browser_server[0].client, tmp_path, request.node.name) as built:
        yield built
