"""A real Temporal server from the wheel, and a house of quick parts around a real worker."""

import logging
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from tests.temporal.house import House
from tests.temporal.invariants import check_invariants, governing
from worker.connection import runtime
from worker.embedded import dev_server_options, server_binary
from workflows import attributes


@pytest.fixture(scope="session", autouse=True)
def logged() -> Iterator[None]:
    """What activities say goes to the log that each house keeps of itself."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    before = logging.getLogger().level
    logging.getLogger().setLevel(logging.INFO)
    yield
    logging.getLogger().setLevel(before)
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def http_port() -> int:
    """Where the server's HTTP API answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
async def server(http_port: int) -> AsyncIterator[WorkflowEnvironment]:
    """One dev server for all tests here; each test has its own task queue and models."""
    async with await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=server_binary(),
        dev_server_log_level="error",
        dev_server_extra_args=[*dev_server_options(), "--http-port", str(http_port)],
        search_attributes=attributes.ALL,
        runtime=runtime(),
    ) as environment:
        yield environment


@pytest.fixture
async def temporal(server: WorkflowEnvironment) -> Client:
    """A client of the server."""
    return server.client


@pytest.fixture
async def house(temporal: Client, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """A worker with quick parts, on a task queue of its own; every invariant holds at the end."""
    async with House(temporal, tmp_path, request.node.name) as built:
        yield built
        await _held_to(built, request)


async def _held_to(house: House, request: pytest.FixtureRequest) -> None:
    """Unless a test says why not, what must hold does: of its lifecycle, if it began one."""
    plan = governing(house)
    if plan and not request.node.get_closest_marker("leaves_broken"):
        await check_invariants(house, plan)
