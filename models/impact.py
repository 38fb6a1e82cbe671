"""What a policy would say of a plan that was compiled before it: whether it still would be, and what is missing."""

from models.compiler import compile_with_warnings
from models.diagnostics import Diagnostic
from models.errors import TemplateError
from models.plan import Plan
from models.policy import Policy
from models.writing import write_template


def impact(plan: Plan, policy: Policy) -> tuple[Diagnostic, ...]:
    """Everything that a plan lacks of what a policy demands, as the compiler says it of its template."""
    try:
        said = compile_with_warnings(write_template(plan), plan.template, policy).warnings
    except TemplateError as error:
        said = error.diagnostics
    return tuple(found for found in said if found.regulation)
