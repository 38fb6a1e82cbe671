"""The `modelops` command."""

import gc
import io
import os
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command

from client.console import complain
from client.exit_codes import EXIT_CODES, exit_status
from models.errors import ModelopsError
from models.messages import Action

_BUG = 1
_UNCOLLECTED = 100_000
"""Objects made before garbage is looked for: what is loaded stays, and looking through it took an eighth of a start."""


class _Command(NamedTuple):
    """A command: where it is written, and one use of it. `action` of those that are alike but for what they ask."""

    module: str
    function: str
    example: str
    action: Action | None = None


_COMMANDS = {
    "modelops": {
        "up": _Command("system", "up", "MODELOPS_HOME=/data/modelops modelops up"),
        "list": _Command("models", "list_models", "modelops list --json"),
        "start": _Command("lifecycles", "start", "modelops start loan-approval --template credit-high-risk"),
        "status": _Command("lifecycles", "status", "modelops status loan-approval --watch"),
        "history": _Command("lifecycles", "history", "modelops history loan-approval --utc"),
        "report": _Command("reports", "report", "modelops report loan-approval --output loan-approval.html"),
        "portfolio": _Command("portfolio", "portfolio", "modelops portfolio --json"),
        "value": _Command("value", "value", "modelops value loan-approval --json"),
        "trial": _Command("trials", "trial", "modelops trial loan-approval --watch"),
        "inbox": _Command("gates", "inbox", "modelops inbox --as rosa"),
        "delegate": _Command(
            "gates",
            "delegate",
            "modelops delegate --as rosa --to tom.json --role risk --until 2026-12-20T18:00Z --output given.json",
        ),
        "may": _Command("clearances", "may", f"modelops may sha256:{'3f' * 32} --environment PROD"),
        "findings": _Command("findings", "findings", "modelops findings --all"),
        "channels": _Command("channels", "channels", "modelops channels --json"),
        "environments": _Command("environments", "environments", "modelops environments --json"),
        "rebuild": _Command("rebuilding", "rebuild", "modelops rebuild loan-approval"),
        "scan": _Command("scanning", "scan", "modelops scan model.skops --json"),
        "submit": _Command("messages", "submit", "modelops submit loan-approval version.yaml --as sam"),
        "decide": _Command(
            "messages",
            "decide",
            "modelops decide loan-approval independent-validation approve --as rosa --reason 'Stable on all groups.'",
        ),
    },
    "key": {
        "create": _Command("keys", "create", "modelops key create --as rosa"),
        "enroll": _Command("keys", "enroll", "modelops key enroll rosa.enrolment.json"),
        "revoke": _Command("keys", "revoke", "modelops key revoke 3fa9c1 --reason 'Stolen.' --since 2026-11-20T08:00Z"),
        "list": _Command("keys", "list_keys", "modelops key list"),
    },
    "directory": {
        "publish": _Command("directory", "publish", "modelops directory publish --as ada --dry-run"),
        "show": _Command("directory", "show_directory", "modelops directory show --json"),
    },
    "template": {
        "list": _Command("templates", "list_templates", "modelops template list"),
        "show": _Command("templates", "show_template", "modelops template show credit-high-risk --source > mine.yaml"),
        "check": _Command("templates", "check_template", "modelops template check mine.yaml"),
        "compile": _Command("templates", "compile_template", "modelops template compile mine.yaml > plan.json"),
        "prove": _Command("proofs", "prove_template", "modelops template prove credit-high-risk"),
        "graph": _Command(
            "drawings", "draw_template", "modelops template graph mine.yaml --format svg --output mine.svg"
        ),
        "diff": _Command("differences", "diff_templates", "modelops template diff credit-high-risk mine.yaml"),
        "schema": _Command("templates", "schema_of_templates", "modelops template schema > template.json"),
        "explain": _Command("templates", "explain_code", "modelops template explain MO201"),
    },
    "policy": {
        "list": _Command("policies", "list_packs", "modelops policy list --on 2027-12-02"),
        "show": _Command("policies", "show_pack", "modelops policy show us-sr-26-2"),
        "applies": _Command("policies", "applies", "modelops policy applies loan-approval"),
        "schema": _Command("policies", "schema_of_packs", "modelops policy schema > pack.json"),
        "impact": _Command("policies", "show_impact", "modelops policy impact eu-ai-act-high-risk --on 2027-12-02"),
    },
    "model": {
        "assess": _Command("models", "assess", "modelops model assess examples/loan_approval/model.yaml"),
        "register": _Command("models", "register", "modelops model register examples/loan_approval/model.yaml"),
        "show": _Command("models", "show_model", "modelops model show loan-approval"),
    },
    "monitor": {
        "list": _Command("monitors", "list_monitors", "modelops monitor list loan-approval"),
        "show": _Command("monitors", "show_monitors", "modelops monitor show loan-approval drift"),
        "run": _Command("monitors", "run_monitors", "modelops monitor run loan-approval"),
        "pause": _Command(
            "schedules", "pause", 'modelops monitor pause loan-approval drift --as paul --reason "The feed is moved."'
        ),
        "resume": _Command(
            "schedules", "resume", 'modelops monitor resume loan-approval drift --as paul --reason "It is moved."'
        ),
        "backfill": _Command(
            "schedules", "backfill", "modelops monitor backfill loan-approval --from 2026-03-01T00:00Z"
        ),
    },
    "dependencies": {
        "check": _Command("dependencies", "check_lock", "modelops dependencies check requirements.lock"),
    },
    "gate": {"show": _Command("gates", "show_gate", "modelops gate show loan-approval --open evaluation")},
    "bundle": {
        "build": _Command(
            "bundles", "build_bundle", "modelops bundle build version.json --model model.yaml --output bundle"
        ),
        "inspect": _Command("bundles", "inspect_bundle", "modelops bundle inspect bundle"),
        "verify": _Command("bundles", "verify_bundle", "modelops bundle verify bundle --key KEY"),
        "export": _Command("bundles", "export_bundle", "modelops bundle export DIGEST --output bundle"),
        "import": _Command("bundles", "import_bundle", "modelops bundle import bundle"),
        "push": _Command(
            "bundles", "push_bundle", "modelops bundle push registry.example/models/loan-approval loan-approval@2"
        ),
        "pull": _Command("bundles", "pull_bundle", "modelops bundle pull registry.example/models/loan-approval@DIGEST"),
    },
    "audit": {
        "verify": _Command("audit", "verify_audit", "modelops audit verify loan-approval --utc"),
        "export": _Command(
            "audit", "export_audit", "modelops audit export loan-approval --output loan-approval-evidence"
        ),
    },
}
_GROUPS = {
    "audit": ("The audit trail: whether it holds, and evidence to take along.", "modelops audit verify"),
    "bundle": ("Bundles: versions with all that they need, signed.", "modelops bundle inspect bundle"),
    "template": ("Lifecycle templates: look at them, check your own.", "modelops template list"),
    "policy": ("Policy packs: what they demand, and of which models.", "modelops policy list"),
    "monitor": ("Monitors, which watch what serves.", "modelops monitor show loan-approval"),
    "model": ("Models in the inventory.", "modelops model show loan-approval"),
    "key": ("Keys, with which people sign what they decide.", "modelops key create --as rosa"),
    "directory": ("People, roles and keys, as administrators publish them.", "modelops directory show"),
    "dependencies": (
        "Dependencies of versions: what is known against them.",
        "modelops dependencies check requirements.lock",
    ),
    "gate": ("Gates, where versions wait for people.", "modelops gate show loan-approval"),
}
for _action, _why in (
    (Action.RETIRE, "Replaced by another model."),
    (Action.ABANDON, "Trained on the wrong quarter."),
    (Action.RETRAIN, "The market has changed."),
    (Action.RETRY, "The scanner is back."),
    (Action.PAUSE, "Data centre maintenance."),
    (Action.RESUME, "Maintenance is over."),
    (Action.CONFIRM, "I saw the complaints, too."),
    (Action.REVIEW, "A feed was late; the version is sound."),
):
    _example = f"modelops {_action} loan-approval --as rosa --reason '{_why}'"
    _COMMANDS["modelops"][_action] = _Command("messages", "asks", _example, _action)
for _action, _why in (
    (Action.SUSPEND, "Complaints from two branches."),
    (Action.ROLLBACK, "The new version is slower."),
):
    _example = f"modelops {_action} loan-approval --emergency --as rosa --reason '{_why}'"
    _COMMANDS["modelops"][_action] = _Command("messages", "turns_back", _example, _action)


class _Loaded(MutableMapping[str, Any]):
    """The commands of a group, each imported when it is run or described: none needs what all of them need."""

    def __init__(self, group: str, groups: MutableMapping[str, Any]) -> None:
        self._group = group
        self._groups = groups

    def __getitem__(self, name: str) -> Any:
        return self._groups[name] if name in self._groups else _load(self._group, name)

    def __setitem__(self, name: str, group: Any) -> None:
        self._groups[name] = group

    def __delitem__(self, name: str) -> None:
        del self._groups[name]

    def __iter__(self) -> Iterator[str]:
        yield from (*_COMMANDS[self._group], *self._groups)

    def __len__(self) -> int:
        return len(_COMMANDS[self._group]) + len(self._groups)


@cache
def _load(group: str, name: str) -> Any:
    """The command of a name; KeyError."""
    found = _COMMANDS[group][name]
    function = getattr(import_module(f"client.commands.{found.module}"), found.function)
    single = typer.Typer(add_completion=False)
    single.command(name, epilog=f"Example: {found.example}")(function(found.action) if found.action else function)
    return get_command(single)


class _Group(TyperGroup):
    """Commands that are imported when they are needed; our errors end with an exit status instead of a traceback."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = _Loaded(self.name or "modelops", self.commands)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ModelopsError as error:
            complain(error)
            raise typer.Exit(exit_status(error)) from error


app = typer.Typer(
    name="modelops",
    cls=_Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Takes every model from registration to retirement, by the lifecycle template that governs it.",
    epilog=f"{EXIT_CODES}\n\nExample: modelops up",
)
for _name, (_help, _example) in _GROUPS.items():
    _group = typer.Typer(cls=_Group, no_args_is_help=True, help=_help)
    app.add_typer(_group, name=_name, epilog=f"Example: {_example}")


def main() -> None:
    """Run one command and end the process, without the teardown in which the Temporal SDK may abort it."""
    gc.set_threshold(_UNCOLLECTED)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    status = _run()
    with suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def _run() -> int:
    try:
        app(prog_name="modelops")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except Exception:
        traceback.print_exc()
        sys.stderr.write("This is a bug of modelops: please report it with the lines above.\n")
        return _BUG
    return 0


if __name__ == "__main__":
    main()
