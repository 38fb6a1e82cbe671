"""Fixtures that tests of more than one kind ask for, and what all of them are run under."""

import gc
import os

import pytest
from hypothesis import settings

pytest_plugins = ["tests.postgresql"]

# How wide somebody's terminal is (or none, where tests run side by side) changes no test.
os.environ.pop("COLUMNS", None)

# The servers in Go that are started here live for minutes: they have memory enough to look for garbage seldom.
os.environ.setdefault("GOGC", "400")

settings.register_profile("modelops", deadline=None)
settings.load_profile("modelops")

# A tenth of the processors' time would go into looking for garbage among all that is loaded and collected here.
gc.set_threshold(50_000, 20, 100)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is loaded by now stays: nobody looks through it again."""
    gc.freeze()
