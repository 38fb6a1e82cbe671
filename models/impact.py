"""What a policy would say of a plan that was compiled before it: whether it still would be, and what is missing."""

from models.canonical import Slug
from models.compiler import compile_with_warnings
from models.diagnostics import Diagnostic, errors_of
from models.errors import TemplateError
from models.plan import Plan
from models.policy import NAMED, NO_POLICY, Policy
from models.writing import write_template


def named_packs(plan: Plan) -> tuple[Slug, ...]:
    """The packs that the template of a plan named, whatever the model."""
    return tuple(one.pack for one in plan.packs if one.reason == NAMED)


def impact(plan: Plan, policy: Policy) -> tuple[Diagnostic, ...]:
    """Everything that a plan lacks of what a policy demands, and whatever else keeps it from compiling today.

    Both are said as the compiler says them of its template.
    """
    known = {pack.pack for pack in policy.packs}
    text = write_template(plan, [name for name in named_packs(plan) if name in known])
    lacks = [found for found in _said(text, plan.template, policy) if found.regulation]
    return (*errors_of(_said(write_template(plan), plan.template, NO_POLICY)), *lacks)


def _said(text: str, name: str, policy: Policy) -> tuple[Diagnostic, ...]:
    try:
        return compile_with_warnings(text, name, policy).warnings
    except TemplateError as error:
        return error.diagnostics
