"""Fixtures that tests of more than one kind ask for, and what all of them are run under."""

from hypothesis import settings

pytest_plugins = ["tests.postgresql"]

settings.register_profile("modelops", deadline=None)
settings.load_profile("modelops")
