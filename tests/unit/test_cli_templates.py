"""`modelops template ...` on built-in and on one's own templates."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from client.cli import app
from models.canonical import canonical, digest
from models.diagnostic_codes import EXPLANATIONS
from models.plan import Plan

BUILT_IN = Path(__file__).parents[2] / "workflows" / "templates"
NAMES = sorted(path.stem for path in BUILT_IN.glob("*.yaml"))


def run(*words: str | Path) -> Result:
    """A `modelops template` command."""
    return CliRunner().invoke(app, ["template", *map(str, words)])


def broken(folder: Path) -> Path:
    """A template with two mistakes."""
    text = (BUILT_IN / "low-risk.yaml").read_text()
    path = folder / "broken.yaml"
    path.write_text(text.replace("enters:", "entries:", 1).replace("tiers: [low]", "tiers: [lowest]"))
    return path


def test_list() -> None:
    """Every template that comes with the product is listed, for people and as JSON."""
    listed = json.loads(run("list", "--json").stdout)
    assert [one["name"] for one in listed] == NAMES
    assert all(one["stages"] and one["tiers"] for one in listed)
    assert all(name in run("list").stdout for name in NAMES)


def test_show() -> None:
    """A template is shown with its stages, gates, roles and monitors."""
    shown = run("show", "credit-high-risk").stdout
    for word in ("independent-validation", "model-risk", "adverse_impact", "retired", "drift", "retrain"):
        assert word in shown


def test_show_as_json_is_the_plan() -> None:
    """The JSON of a template is its plan."""
    plan = Plan.model_validate_json(run("show", "credit-high-risk", "--json").stdout)
    assert plan.template == "credit-high-risk"


def test_source_round_trip(tmp_path: Path) -> None:
    """The source that is shown compiles to the same plan as the template itself."""
    own = tmp_path / "own.yaml"
    own.write_text(run("show", "low-risk", "--source").stdout)
    assert run("compile", own).stdout == run("compile", "low-risk").stdout


def test_a_template_that_names_packs(tmp_path: Path) -> None:
    """It is shown, drawn and extended like any other; its own file says which packs it is held to."""
    house, child = tmp_path / "house.yaml", tmp_path / "child.yaml"
    text = (BUILT_IN / "credit-high-risk.yaml").read_text()
    house.write_text(text.replace("\nroles:", "\npolicies: [us-sr-26-2]\nroles:", 1))
    child.write_text("extends: house\nlifecycle: child\nversion: 1\nretention: 4000d\n")
    for command in ("show", "graph", "check"):
        for file in (house, child):
            found = run(command, file)
            assert found.exit_code == 0, found.output
    assert "policy pack" not in run("diff", house, child).output


def test_a_new_waiver_is_told(tmp_path: Path) -> None:
    """A template that takes a pack up and waives some of it says so in its difference."""
    before, after = tmp_path / "before.yaml", tmp_path / "after.yaml"
    before.write_text((BUILT_IN / "credit-high-risk.yaml").read_text())
    waiver = "waivers: {tested: {owner: risk, reason: It is being built., until: 2999-01-01}}\n"
    text = before.read_text().replace("\nroles:", f"\npolicies: [us-sr-26-2]\n{waiver}roles:", 1)
    after.write_text(text.replace("\n                  tested, ", "\n                  ", 1))
    found = run("diff", before, after)
    assert "policy pack 'us-sr-26-2' 1 now holds" in found.output
    assert "is waived until 2999-01-01" in found.output


def test_compile() -> None:
    """The compiled plan is canonical JSON, alone on stdout; its digest is on stderr."""
    found = run("compile", "low-risk")
    plan = Plan.model_validate_json(found.stdout)
    assert found.stdout == canonical(plan).decode() + "\n"
    assert digest(plan) in found.stderr


def test_check_good() -> None:
    """A good template passes, and nothing is said on stdout."""
    found = run("check", BUILT_IN / "credit-high-risk.yaml")
    assert (found.exit_code, found.stdout) == (0, "")
    assert "good" in found.stderr


def test_check_tells_everything(tmp_path: Path) -> None:
    """All mistakes are told at once, each as file:line:column: code: message, and the exit status is 4."""
    path = broken(tmp_path)
    found = run("check", path)
    lines = path.read_text().splitlines()
    tiers = next(number for number, line in enumerate(lines, 1) if line.startswith("tiers:"))
    assert found.exit_code == 4
    assert f"{path}:{tiers}:" in found.stdout
    assert "MO207: 'lowest' is not one of: low, medium, high, critical" in found.stdout
    assert "MO201: the template has no key 'entries'" in found.stdout
    assert f"{len(found.stdout.splitlines())} errors" in found.stderr


def test_check_as_json(tmp_path: Path) -> None:
    """The JSON of a failed check holds every diagnostic with its place."""
    found = run("check", broken(tmp_path), "--json")
    report = json.loads(found.stdout)
    assert found.exit_code == 4
    assert report["ok"] is False
    assert {"MO201", "MO207"} <= {one["code"] for one in report["diagnostics"]}
    assert all(one["line"] >= 1 and one["column"] >= 1 for one in report["diagnostics"])


def test_compile_refuses(tmp_path: Path) -> None:
    """A template with mistakes compiles to nothing: stdout stays empty, the exit status is 4."""
    found = run("compile", broken(tmp_path))
    assert (found.exit_code, found.stdout) == (4, "")
    assert "MO207" in found.stderr


def test_unknown_name() -> None:
    """A name that is no template is not found, and the nearest one is offered."""
    found = run("show", "credit-hihg-risk")
    assert found.exit_code == 6
    assert "did you mean 'credit-high-risk'?" in found.stderr


def test_unreadable_file(tmp_path: Path) -> None:
    """A file that is not there is invalid input, named."""
    found = run("check", tmp_path / "none.yaml")
    assert found.exit_code == 4
    assert "none.yaml cannot be read: No such file" in found.stderr


def test_explain() -> None:
    """A code is explained whatever its case; of an unknown one it is said how to list those that there are."""
    assert "MO201: unknown key" in run("explain", "mo201").stdout
    found = run("explain", "T999")
    assert found.exit_code == 6
    assert "`modelops template explain` lists them all" in found.stderr
    assert "MO201" not in found.stderr


def test_explain_lists() -> None:
    """Without a code, every code is listed with its title."""
    lines = run("explain").stdout.splitlines()
    assert "MO201: unknown key" in lines
    assert len(lines) == len(EXPLANATIONS)
