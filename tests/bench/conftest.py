"""A dev server of the benches' own, as fast as the embedded one, and no log lines between the figures."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from worker.connection import runtime
from worker.embedded import dev_server_options, server_binary
from workflows import attributes


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Benches import rivals and much to measure: for seconds, that only who asks for benches waits."""
    return True if collection_path.match("test_*_bench.py") and "not bench" in config.option.markexpr else None


@pytest.fixture(scope="session", autouse=True)
def quiet() -> Iterator[None]:
    """Both sides log the same; neither is shown."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield
    structlog.reset_defaults()


@pytest.fixture
async def temporal() -> AsyncIterator[Client]:
    """A client of a fresh server: what one bench leaves behind slows no other."""
    async with await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=server_binary(),
        dev_server_log_level="error",
        dev_server_extra_args=list(dev_server_options()),
        search_attributes=attributes.ALL,
        runtime=runtime(),
    ) as environment:
        yield environment.client
