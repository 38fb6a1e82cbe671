"""`modelops template ...`: look at lifecycle templates and check one's own."""

import json
from typing import Annotated

import typer

from client.commands.parameters import For, Json, On, Template
from client.commands.policies import policy_for
from client.console import say, show, show_json
from client.library import built_in, find_template
from client.render import plan as draw_plan
from client.render import table
from models.canonical import Digest, Frozen, canonical, digest
from models.diagnostic_codes import EXPLANATIONS
from models.diagnostics import Diagnostic, Severity, errors_of, explain
from models.editor_schema import template_schema
from models.errors import TemplateError, UnknownNameError
from models.inventory import RiskTier
from models.plan import COMPILER
from models.sarif import sarif

INVALID = 4


class Offered(Frozen):
    """A template that comes with the product."""

    name: str
    version: str
    title: str
    tiers: tuple[RiskTier, ...]
    stages: tuple[str, ...]


class Report(Frozen):
    """What a check of a template found."""

    file: str
    ok: bool
    plan: Digest | None
    diagnostics: tuple[Diagnostic, ...]


def list_templates(as_json: Json = False) -> None:
    """List the templates that come with the product."""
    plans = {name: text.compiled().plan for name, text in built_in().items()}
    offered = [
        Offered(
            name=name,
            version=plan.version,
            title=plan.title,
            tiers=plan.tiers,
            stages=tuple(stage.name for stage in plan.stages),
        )
        for name, plan in plans.items()
    ]
    if as_json:
        show_json(offered)
        return
    rows = [(one.name, one.version, one.title, ", ".join(one.tiers), " > ".join(one.stages)) for one in offered]
    show(table(("Template", "Version", "Title", "Tiers", "Stages"), rows))


def show_template(
    template: Template,
    source: Annotated[
        bool, typer.Option("--source", help="Write the template itself, to begin one's own with.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show a template: its stages, gates, roles, KPIs and monitors."""
    found = find_template(template)
    if source:
        typer.echo(found.text, nl=False)
    elif as_json:
        show_json(found.compiled().plan)
    else:
        show(draw_plan(found.compiled().plan))


def check_template(
    template: Template,
    model: For = None,
    on: On = None,
    as_json: Json = False,
    as_sarif: Annotated[bool, typer.Option("--sarif", help="Write SARIF 2.1.0 to stdout, for code review.")] = False,
) -> None:
    """Say everything that is wrong with a template, each with its line and column, and what policy it breaks.

    The packs are those that hold for every model, those that the template names, and with `--for` a model's own.
    The exit status is 4 if it must not govern anything; warnings leave it at 0.
    """
    found = find_template(template)
    try:
        compiled = found.compiled(policy_for(model, on))
    except TemplateError as error:
        report = Report(file=found.file, ok=False, plan=None, diagnostics=error.diagnostics)
    else:
        plan = digest(compiled.plan)
        report = Report(file=found.file, ok=True, plan=plan, diagnostics=compiled.warnings)
    if as_sarif:
        typer.echo(json.dumps(sarif(report.diagnostics, COMPILER), indent=2))
    elif as_json:
        show_json(report)
    else:
        for diagnostic in report.diagnostics:
            typer.echo(_line(diagnostic))
        say(_verdict(report))
    if not report.ok:
        raise typer.Exit(INVALID)


def compile_template(template: Template, model: For = None, on: On = None) -> None:
    """Compile a template to its plan: canonical JSON on stdout, the plan's digest on stderr."""
    compiled = find_template(template).compiled(policy_for(model, on))
    typer.echo(canonical(compiled.plan))
    for warning in compiled.warnings:
        say(_line(warning))
    say(f"plan {digest(compiled.plan)}")


def schema_of_templates() -> None:
    """Write the JSON Schema of templates, for editors that complete and check YAML as it is typed.

    In a template, `# yaml-language-server: $schema=template.json` as the first line names the file.
    """
    typer.echo(json.dumps(template_schema(), indent=2))


def explain_code(
    code: Annotated[str | None, typer.Argument(metavar="CODE", help="A code such as MO201.")] = None,
) -> None:
    """Explain a diagnostic's code; without one, list them all."""
    if code is None:
        for name, explanation in EXPLANATIONS.items():
            typer.echo(f"{name}: {explanation.title}")
        return
    known = code.upper()
    if known not in EXPLANATIONS:
        raise UnknownNameError(f"there is no code '{code}'", "`modelops template explain` lists them all")
    found = explain(known)
    typer.echo(f"{known}: {found.title}\n{found.text}")


def _line(found: Diagnostic) -> str:
    where = f" ({found.path})" if found.path else ""
    then = f"; {found.suggestion}" if found.suggestion else ""
    asked = f" [{found.regulation}]" if found.regulation else ""
    mild = "warning " if found.severity is Severity.WARNING else ""
    return f"{found.file}:{found.line}:{found.column}: {mild}{found.code}: {found.message}{asked}{then}{where}"


def _verdict(report: Report) -> str:
    if report.ok:
        warnings = f", {len(report.diagnostics)} warnings" if report.diagnostics else ""
        return f"{report.file}: good{warnings}; plan {report.plan}"
    errors = len(errors_of(report.diagnostics))
    return f"{report.file}: {errors} error{'s' if errors > 1 else ''}; `modelops template explain CODE` says more"
