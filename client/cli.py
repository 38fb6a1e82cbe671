"""The `modelops` command."""

import io
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import typer
from typer.core import TyperGroup

from client.commands import (
    audit,
    differences,
    directory,
    drawings,
    findings,
    gates,
    keys,
    lifecycles,
    messages,
    models,
    policies,
    proofs,
    rebuilding,
    system,
    templates,
)
from client.console import EXIT_CODES, complain, exit_status
from models.errors import ModelopsError
from models.messages import Action

_BUG = 1


class _Translating(TyperGroup):
    """Ends with the exit status of our error instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ModelopsError as error:
            complain(error)
            raise typer.Exit(exit_status(error)) from error


app = typer.Typer(
    name="modelops",
    cls=_Translating,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Takes every model from registration to retirement, by the lifecycle template that governs it.",
    epilog=f"{EXIT_CODES}\n\nExample: modelops up",
)
_audit = typer.Typer(no_args_is_help=True, help="The audit trail: whether it holds, and evidence to take along.")
_template = typer.Typer(no_args_is_help=True, help="Lifecycle templates: look at them, check your own.")
_policy = typer.Typer(no_args_is_help=True, help="Policy packs: what they demand, and of which models.")
_key = typer.Typer(no_args_is_help=True, help="Keys, with which people sign what they decide.")
_directory = typer.Typer(no_args_is_help=True, help="People, roles and keys, as administrators publish them.")
_gate = typer.Typer(no_args_is_help=True, help="Gates, where versions wait for people.")
_model = typer.Typer(no_args_is_help=True, help="Models in the inventory.")


def _add(to: typer.Typer, name: str, command: Callable[..., None], example: str) -> None:
    to.command(name, epilog=f"Example: {example}")(command)


_add(app, "up", system.up, "MODELOPS_HOME=/data/modelops modelops up")
app.add_typer(_audit, name="audit", epilog="Example: modelops audit verify")
app.add_typer(_template, name="template", epilog="Example: modelops template list")
app.add_typer(_policy, name="policy", epilog="Example: modelops policy list")
app.add_typer(_model, name="model", epilog="Example: modelops model show loan-approval")
app.add_typer(_key, name="key", epilog="Example: modelops key create --as rosa")
_add(_key, "create", keys.create, "modelops key create --as rosa")
_add(_key, "enroll", keys.enroll, "modelops key enroll rosa.enrolment.json")
_add(
    _key,
    "revoke",
    keys.revoke,
    "modelops key revoke 3fa9c1 --reason 'Stolen.' --since 2026-11-20T08:00:00",
)
_add(_key, "list", keys.list_keys, "modelops key list")
app.add_typer(_directory, name="directory", epilog="Example: modelops directory show")
_add(_directory, "publish", directory.publish, "modelops directory publish --as ada --dry-run")
_add(_directory, "show", directory.show_directory, "modelops directory show --json")
_add(_template, "list", templates.list_templates, "modelops template list")
_add(_template, "show", templates.show_template, "modelops template show credit-high-risk --source > mine.yaml")
_add(_template, "check", templates.check_template, "modelops template check mine.yaml")
_add(_template, "compile", templates.compile_template, "modelops template compile mine.yaml > plan.json")
_add(_template, "prove", proofs.prove_template, "modelops template prove credit-high-risk")
_add(_template, "graph", drawings.draw_template, "modelops template graph mine.yaml --format svg --output mine.svg")
_add(_template, "diff", differences.diff_templates, "modelops template diff credit-high-risk mine.yaml")
_add(_template, "schema", templates.schema_of_templates, "modelops template schema > template.json")
_add(_template, "explain", templates.explain_code, "modelops template explain MO201")
_add(_policy, "list", policies.list_packs, "modelops policy list --on 2027-12-02")
_add(_policy, "show", policies.show_pack, "modelops policy show us-sr-26-2")
_add(_policy, "applies", policies.applies, "modelops policy applies loan-approval")
_add(_policy, "schema", policies.schema_of_packs, "modelops policy schema > pack.json")
_add(_policy, "impact", policies.show_impact, "modelops policy impact eu-ai-act-high-risk --on 2027-12-02")
_add(_model, "assess", models.assess, "modelops model assess examples/loan_approval/model.yaml")
_add(_model, "register", models.register, "modelops model register examples/loan_approval/model.yaml")
_add(_model, "show", models.show_model, "modelops model show loan-approval")
_add(app, "list", models.list_models, "modelops list --json")
_add(app, "start", lifecycles.start, "modelops start loan-approval --template credit-high-risk")
_add(app, "status", lifecycles.status, "modelops status loan-approval --watch")
_add(app, "history", lifecycles.history, "modelops history loan-approval --utc")
_add(_audit, "verify", audit.verify_audit, "modelops audit verify loan-approval --utc")
_add(_audit, "export", audit.export_audit, "modelops audit export loan-approval --output loan-approval-evidence")
_add(app, "monitor", lifecycles.monitor, "modelops monitor loan-approval")
app.add_typer(_gate, name="gate", epilog="Example: modelops gate show loan-approval")
_add(_gate, "show", gates.show_gate, "modelops gate show loan-approval --open evaluation")
_add(app, "inbox", gates.inbox, "modelops inbox --as rosa")
_add(
    app,
    "delegate",
    gates.delegate,
    "modelops delegate --as rosa --to tom.enrolment.json --role risk --until 2026-12-20 --output tom-for-rosa.json",
)
_add(app, "findings", findings.findings, "modelops findings --all")
_add(app, "rebuild", rebuilding.rebuild, "modelops rebuild loan-approval")
_add(app, "submit", messages.submit, "modelops submit loan-approval version.yaml --as sam")
_add(
    app,
    "decide",
    messages.decide,
    "modelops decide loan-approval independent-validation approve --as rosa --reason 'Stable on all groups.'",
)
for _action, _why in (
    (Action.RETIRE, "Replaced by another model."),
    (Action.ABANDON, "Trained on the wrong quarter."),
    (Action.RETRY, "The scanner is back."),
    (Action.PAUSE, "Data centre maintenance."),
    (Action.RESUME, "Maintenance is over."),
    (Action.CONFIRM, "I saw the complaints, too."),
    (Action.REVIEW, "A feed was late; the version is sound."),
):
    _add(app, _action, messages.asks(_action), f"modelops {_action} loan-approval --as rosa --reason '{_why}'")
for _action, _why in (
    (Action.SUSPEND, "Complaints from two branches."),
    (Action.ROLLBACK, "The new version is slower."),
):
    _example = f"modelops {_action} loan-approval --emergency --as rosa --reason '{_why}'"
    _add(app, _action, messages.turns_back(_action), _example)


def main() -> None:
    """Run one command and end the process, without the teardown in which the Temporal SDK may abort it."""
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
