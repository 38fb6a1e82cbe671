"""Fixtures that tests of more than one kind ask for, and what all of them are run under."""

import os

from hypothesis import settings

pytest_plugins = ["tests.postgresql"]

# How wide somebody's terminal is (or none, where tests run side by side) changes no test.
os.environ.pop("COLUMNS", None)

settings.register_profile("modelops", deadline=None)
settings.load_profile("modelops")
