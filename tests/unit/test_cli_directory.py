"""`modelops directory`: administrators publish what their files say; everybody sees what is published."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from activities.adapters.sql_migration import migrate
from client.cli import app
from models.keys import Keyring
from models.signing import key_id
from tests.contract.backdoor import execute, rows
from tests.editions import ADA, BEA
from tests.signers import PASSPHRASE, fill, signer
from worker.settings import Settings

WIDE = {"COLUMNS": "400", "TERM": "dumb"}
PEOPLE = """\
people:
  ana: {name: Ana, email: ana@example.com, groups: [credit-data-science]}
  rosa: {name: Rosa, email: rosa@example.com, groups: [model-risk]}
"""


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An inventory with nothing in it."""
    home = tmp_path_factory.mktemp("home")
    migrate(Settings(home=home).database)
    return home / "inventory.db"


@pytest.fixture(autouse=True)
def home(migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """People, Rosa's enrolled key, and a wallet with everybody's."""
    shutil.copy(migrated, tmp_path)
    (tmp_path / "directory.yaml").write_text(PEOPLE)
    fill(tmp_path / "wallet", "ada", "bea", "ana")
    for name, value in {
        "HOME": str(tmp_path),
        "WALLET": str(tmp_path / "wallet"),
        "PASSPHRASE": PASSPHRASE,
        "DIRECTORY": "database",
        "ADMINISTRATORS": json.dumps([ADA, BEA]),
    }.items():
        monkeypatch.setenv(f"MODELOPS_{name}", value)
    monkeypatch.chdir(tmp_path)
    enrol("rosa", tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    """A command."""
    return CliRunner().invoke(app, list(words), env=WIDE)


def done(*words: str) -> str:
    """What a command that succeeds says."""
    found = run(*words)
    assert found.exit_code == 0, found.output
    return found.output


def enrol(person: str, home: Path) -> str:
    """An administrator enrols a person's key; what is said."""
    (home / f"{person}.json").write_text(signer(person).possess().model_dump_json())
    return done("key", "enroll", f"{person}.json")


def test_from_files_to_the_database(home: Path) -> None:
    """Published, once; then what is changed in the files counts when it is published, and is told."""
    assert run("directory", "show").exit_code == 6
    first = done("directory", "publish", "--as", "ada")
    assert "Published edition 1 of the directory: 2 people, 1 keys, 0 of them revoked." in first
    assert "Edition 1 of the directory says all of this already." in done("directory", "publish", "--as", "bea")
    assert "rosa" in done("key", "list")
    said = enrol("ana", home)
    assert "It counts after `modelops directory publish`" in said
    assert "ana" not in done("key", "list")
    gone = done("key", "revoke", key_id(signer("rosa").public)[7:20], "--reason", "stolen")
    assert "It counts after `modelops directory publish`" in gone
    (home / "directory.yaml").write_text(PEOPLE.replace("[model-risk]", "[model-risk, legal]"))
    changes = ["rosa joins legal", "of ana is enrolled", "of rosa is revoked as of"]
    planned = done("directory", "publish", "--as", "bea", "--dry-run")
    assert "This would be edition 2 of the directory: 2 people, 2 keys, 1 of them revoked." in planned
    assert all(change in planned for change in changes)
    assert len(rows(Settings().database)["directory"]) == 1
    second = done("directory", "publish", "--as", "bea")
    shown = done("directory", "show")
    assert all(change in second and change in shown for change in changes)
    assert "This is edition 2 of the directory" in shown
    assert "bea signed it at" in shown
    assert key_id(BEA) in shown
    assert "ana" in done("key", "list")
    told = json.loads(done("directory", "show", "--json"))
    assert (told["number"], told["by"], told["key"], len(told["changes"])) == (2, "bea", key_id(BEA), 3)
    assert told["people"]["people"]["rosa"]["groups"] == ["model-risk", "legal"]
    assert Keyring.model_validate(told["keys"]) == Keyring.model_validate_json((home / "keys.json").read_text())


def test_a_file_may_be_called_database_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a path is set, it is published from there, and that others may read it is said."""
    (home / "directory.yaml").rename(home / "database")
    assert "directory.yaml cannot be read" in run("directory", "publish", "--as", "ada").output
    monkeypatch.setenv("MODELOPS_DIRECTORY", "./database")
    said = done("directory", "publish", "--as", "ada")
    assert "It counts for every process with MODELOPS_DIRECTORY=database." in said
    assert "counts after" not in enrol("ana", home)
    assert "ana" in done("key", "list")


def test_who_may_not_publish(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has no administrator's key is told what to do; and without administrators nobody is believed."""
    before = rows(Settings().database)
    refused = run("directory", "publish", "--as", "ana")
    assert (refused.exit_code, f'"{signer("ana").public}"' in refused.output) == (3, True)
    assert run("directory", "publish", "--as", "eve").exit_code == 6
    monkeypatch.delenv("MODELOPS_ADMINISTRATORS")
    for words in (("directory", "publish", "--as", "ada"), ("directory", "show"), ("key", "list")):
        found = run(*words)
        assert (found.exit_code, "MODELOPS_ADMINISTRATORS" in found.output) == (4, True), words
    assert rows(Settings().database) == before
    assert "if it is an administrator's: " in done("key", "create", "--as", "tom")


def test_a_working_copy_that_is_behind(home: Path) -> None:
    """A registry without a key that was published, or in which a revoked one counts again, is not published."""
    stale = (home / "keys.json").read_text()
    done("key", "revoke", key_id(signer("rosa").public)[7:20], "--reason", "stolen")
    enrol("ana", home)
    done("directory", "publish", "--as", "ada")
    (home / "keys.json").write_text(stale)
    for words in ((), ("--dry-run",)):
        refused = run("directory", "publish", "--as", "bea", *words)
        assert refused.exit_code == 3
        assert "of rosa was revoked as of" in refused.output
        assert "of ana is missing: what was enrolled stays" in refused.output
        assert "modelops directory show --json" in refused.output


def test_what_somebody_else_put_there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edition that no administrator has signed is not shown; `audit verify` names it, and the status is 7."""
    done("directory", "publish", "--as", "ada")
    assert "The record holds." in done("audit", "verify", "--offline")
    monkeypatch.setenv("MODELOPS_ADMINISTRATORS", json.dumps([BEA]))
    for words in (("directory", "show"), ("key", "list"), ("template", "prove", "low-risk")):
        found = run(*words)
        assert (found.exit_code, "no administrator has signed the directory" in found.output) == (4, True), words
    found = run("audit", "verify", "--offline")
    assert (found.exit_code, "directory row 1: no administrator has signed" in found.output) == (7, True)
    (home / "directory.yaml").write_text(PEOPLE.replace("rosa", "rita"))
    assert "Published edition 2" in done("directory", "publish", "--as", "bea")
    assert "The record holds." in done("audit", "verify", "--offline")
    execute(Settings().database, "DELETE FROM directory WHERE number = 2")
    found = run("audit", "verify", "--offline")
    assert (found.exit_code, "REMOVED  directory row 2: this row is missing" in found.output) == (7, True)
    assert "is not what was published" in run("directory", "show").output


def test_the_edition_before_was_changed(home: Path) -> None:
    """What is signed still is; what it changed cannot be told."""
    done("directory", "publish", "--as", "ada")
    (home / "directory.yaml").write_text(PEOPLE.replace("rosa", "rita"))
    done("directory", "publish", "--as", "ada")
    execute(Settings().database, "UPDATE directory SET envelope = (SELECT envelope FROM directory WHERE number = 2)")
    assert "it does not follow the one before" in done("directory", "show")


def test_quorums_are_of_the_published_people(home: Path) -> None:
    """A proof asks whoever is published who can decide."""
    done("directory", "publish", "--as", "ada")
    (home / "directory.yaml").unlink()
    proved = run("template", "prove", "credit-high-risk", "--at-most", "1", "--json")
    missed = {role for one in json.loads(proved.stdout)["shortages"] for role in one["roles"]}
    assert ("legal" in missed, "risk" in missed) == (True, False)


def test_an_inventory_that_is_not_there(home: Path) -> None:
    """It is said, and none is made."""
    (home / "inventory.db").unlink()
    assert run("directory", "show").exit_code == 5
    assert not (home / "inventory.db").exists()
