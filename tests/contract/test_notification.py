"""Who is told: the holders of groups, people by name, and the owner where nobody else is meant."""

import dataclasses
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities.adapters.sql_inventory import SqlInventory
from activities.adapters.yaml_directory import YamlDirectory
from activities.notification import Notice, NotificationActivities
from client.catalog import Catalog
from models.evidence import EffectKey
from tests.contract.story import Record, Tell

PEOPLE = """\
people:
  rosa: {name: Rosa, email: rosa@example.com, groups: [model-risk]}
  ravi: {name: Ravi, email: ravi@example.com, groups: [model-risk]}
"""


@pytest.mark.parametrize(
    ("groups", "people", "told"),
    [
        (("model-risk",), ("olga",), ["olga", "ravi", "rosa"]),
        ((), ("rosa",), ["rosa"]),
        (("model-risk",), ("rosa",), ["ravi", "rosa"]),
        ((), (), ["olga"]),
    ],
)
def test_people_are_told_once_each(
    tmp_path: Path,
    inventory: SqlInventory,
    inventory_url: str,
    record: Record,
    tell: Tell,
    groups: tuple[str, ...],
    people: tuple[str, ...],
    told: list[str],
) -> None:
    """Whoever is meant twice is told once."""
    record(tell("loan"))
    (tmp_path / "people.yaml").write_text(PEOPLE)
    directory = YamlDirectory(tmp_path / "people.yaml", tmp_path / "keys.json", "test")
    with Catalog(inventory_url) as catalog:
        before = list(catalog.notified("loan"))
        notice = Notice(
            key=EffectKey(model="loan", visit=99, step="notify/waiver:kept"), groups=groups, people=people, subject="x"
        )
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(environment.info, workflow_id="model/loan")
        environment.run(NotificationActivities(inventory, directory).notify_people, notice)
        assert catalog.notified("loan")[len(before) :] == told
