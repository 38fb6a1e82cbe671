"""What people write: the lifecycle template, strictly parsed. The meaning is the compiler's business."""

import json
import re
from math import isfinite
from typing import Annotated, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError, PydanticKnownError

from models.calendar import Calendar, Day
from models.canonical import Frozen, Slug, parse_duration
from models.diagnostics import errors_of, in_reading_order
from models.errors import TemplateError
from models.evidence import StepKind
from models.inheritance import Parents, inherit, parent_of
from models.inventory import Environment, RiskTier, Text
from models.plan import Duty, Remedy
from models.source.misfits import Schema, name_misfits
from models.source.yaml_source import Source, parse_yaml
from models.verdict import Comparison
from models.waits import Wait

_REPEATS = 1_000
_LONGEST_SPAN = 36_500 * 86_400
_BUSINESS = re.compile(r"[1-9][0-9]{0,2}bd\Z")
_REPEATED = re.compile(r"([1-9][0-9]{0,2}) of ([1-9][0-9]{0,2})\Z")
_BOUND = re.compile(r"(?:>=|<=|>|<|==) +[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?\Z")

_TIMEOUTS = {
    StepKind.REGISTER: 600,
    StepKind.SCAN: 600,
    StepKind.EVALUATE: 600,
    StepKind.PACKAGE: 300,
    StepKind.PROMOTE: 300,
    StepKind.TRIAL: 300,
    StepKind.PIPELINE: 3_600,
}
_TIMEOUT = 300


def _span(value: object) -> object:
    if not isinstance(value, str):
        raise PydanticCustomError("duration", "a duration is a number and a unit, as in '5d'")
    try:
        seconds = parse_duration(value)
    except ValueError:
        raise PydanticCustomError("duration", "this is no duration: write a whole number and s, m, h or d") from None
    if not isinstance(seconds, int) or not 1 <= seconds <= _LONGEST_SPAN:
        raise PydanticCustomError("duration", "a duration is at least 1s and at most 36500d")
    return seconds


def _wait(value: object) -> object:
    return value if isinstance(value, str) and _BUSINESS.match(value) else _span(value)


def _comparison(value: object) -> object:
    if not isinstance(value, str) or not _BOUND.match(value) or not isfinite(float(value.split()[1])):
        raise PydanticCustomError("comparison", "a comparison is an operator and a number, as in '>= 0.8'")
    return value


def _repeated(value: object) -> object:
    """How many failures, and of how many looks; a number alone says that they come in a row."""
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 1:
            raise PydanticKnownError("greater_than_equal", {"ge": 1})
        if value > _REPEATS:
            raise PydanticKnownError("less_than_equal", {"le": _REPEATS})
        return value, value
    found = _REPEATED.match(value) if isinstance(value, str) else None
    if found is None:
        raise PydanticCustomError(
            "repeated", "write how many looks in a row fail, as in 2, or of how many, as in 2 of 3"
        )
    failures, looks = int(found[1]), int(found[2])
    if failures > looks:
        raise PydanticCustomError("repeated", "there cannot be more failures than looks: write the failures first")
    return failures, looks


def _written(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern.replace("\\Z", "$"), "examples": [example]})


Span = Annotated[int, BeforeValidator(_span), _written("^[0-9]+[smhd]$", "5d")]
"""Whole seconds; people must write a unit."""

Patience = Annotated[Wait, BeforeValidator(_wait), _written("^[0-9]+(?:[smhd]|bd)$", "5bd")]
"""How long people are waited for: a span, or business days of the template's calendar."""

Repeated = Annotated[
    tuple[int, int],
    BeforeValidator(_repeated),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": _REPEATS},
                {"type": "string", "pattern": "^[1-9][0-9]{0,2} of [1-9][0-9]{0,2}$", "examples": ["2 of 3"]},
            ]
        }
    ),
]
"""How many failures of how many looks are a breach."""

Bound = Annotated[Comparison, BeforeValidator(_comparison), _written(f"^{_BOUND.pattern}", ">= 0.8")]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Version = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}(\.[0-9]{1,9}){0,2}$")]

Runnable = Literal[
    StepKind.CLASSIFY,
    StepKind.REGISTER,
    StepKind.SCAN,
    StepKind.EVALUATE,
    StepKind.PACKAGE,
    StepKind.PROMOTE,
    StepKind.TRIAL,
    StepKind.PIPELINE,
    StepKind.MONITOR,
    StepKind.STOP_MONITORS,
    StepKind.STOP_SERVING,
    StepKind.ASSESS_CONSUMERS,
    StepKind.NOTIFY_CONSUMERS,
    StepKind.UNDEPLOY,
    StepKind.ARCHIVE,
]
"""The steps that people may ask for."""


def _unreserved(text: str) -> str:
    own = (StepKind.ASK, StepKind.TRAIN, StepKind.RESTORE, StepKind.TIGHTEN)
    if text in own or text.startswith((f"{StepKind.ASK}-", f"{StepKind.TIGHTEN}-")):
        raise PydanticCustomError("reserved", "this id belongs to the kernel's own steps")
    return text


def _listed(value: object) -> object:
    """Below the short form of a step, what is strict sees a list where JSON has one."""
    return tuple(value) if isinstance(value, list) else value


class Step(Frozen):
    """One unit of work, or just its kind. `timeout` is for one attempt.

    A `pipeline` step says `in` which pipeline it runs, and which `readings` it may give.
    """

    run: Runnable
    where: Slug | None = Field(default=None, alias="in")
    readings: Annotated[tuple[Slug, ...], BeforeValidator(_listed)] = Field(default=(), max_length=32)
    id: Annotated[Slug, AfterValidator(_unreserved)] = Field(default_factory=lambda data: data["run"].value)
    timeout: Span = Field(default_factory=lambda data: _TIMEOUTS.get(data["run"], _TIMEOUT))

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"run": value} if isinstance(value, str) else value


class Reminder(Frozen):
    """Whom to tell when nobody has decided `after` a time."""

    after: Patience
    to: Slug


class Gate(Frozen):
    """Checks, people, or both. The keys about waiting have no default: a gate that asks people writes them.

    `satisfies` claims controls of policy packs: the compiler holds the gate to their shape. `authentication` says whose
    word is taken for who decides; left out, it is each person's own signature. `approvals_lapse` is how long an
    approval counts that has not led through the gate; left out, without end.
    """

    id: Slug | None = None
    satisfies: tuple[Slug, ...] = Field(default=(), max_length=32)
    question: Text | None = None
    checks: tuple[Slug, ...] = Field(default=(), max_length=64)
    approvals: dict[Slug, Annotated[int, Field(ge=1, le=99)]] = Field(default_factory=dict, max_length=16)
    sla: Patience | None = None
    remind: tuple[Patience, ...] = Field(default=(), max_length=16)
    escalate: tuple[Reminder, ...] = Field(default=(), max_length=16)
    on_timeout: Literal["hold", "reject"] | None = None
    authentication: Literal["signature", "gateway"] | None = None
    approvals_lapse: Patience | None = None


class Margin(Frozen):
    """How a challenger has to compare with the champion by one measure, in that measure's unit."""

    not_worse_by: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    better_by: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


class Trial(Frozen):
    """How a challenger is tried beside the champion, on the same requests; see `TrialPlan`."""

    shadow: Span | None = None
    shares: tuple[Annotated[int, Field(ge=1, le=99)], ...] = Field(min_length=1, max_length=16)
    hold: Span
    every: Span
    longest: Span
    at_least: Annotated[int, Field(ge=30, le=1_000_000_000)]
    error_rate: Annotated[float, Field(ge=0.0001, le=0.2)]
    measures: dict[Slug, Margin] = Field(min_length=1, max_length=16)
    checks: tuple[Slug, ...] = Field(default=(), max_length=16)


class Then(Frozen):
    """Where each verdict leads; a stage's name alone is where PASS leads."""

    passed: Slug = Field(alias="pass")
    failed: Slug | None = Field(default=None, alias="fail")
    inconclusive: Slug | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"pass": value} if isinstance(value, str) else value


class Stage(Frozen):
    """A state of the lifecycle."""

    environment: Environment | None = None
    do: tuple[Step, ...] = Field(default=(), max_length=32)
    trial: Trial | None = None
    gate: Gate | None = None
    then: Then | None = None
    steady: bool = False
    terminal: bool = False


class Indicator(Frozen):
    """When a KPI passes and when it fails, and how many observations that takes.

    `metric` is what a monitor reads it from, by the installation's name for it, if no step measures it.
    """

    passes: Bound = Field(alias="pass")
    fails: Bound = Field(alias="fail")
    at_least: Count = 1
    metric: Slug | None = None


class Limits(Frozen):
    """The brakes of an automatic action."""

    cooldown: Span
    at_most: Count
    per: Span
    otherwise: Literal[Remedy.SUSPEND, Remedy.ESCALATE]


class Monitor(Frozen):
    """What is measured by the clock, and what a breach starts.

    `breach_after: 2` takes two failures in a row, `2 of 3` two of the last three looks, of which the newest fails.
    `tightened` is how often it looks for the cooldown of its brakes once a breach has tightened it.
    """

    checks: tuple[Slug, ...] = Field(min_length=1, max_length=64)
    every: Span
    breach_after: Repeated = (1, 1)
    then: Remedy
    brakes: Limits | None = None
    to: Slug | None = None
    tightened: Span | None = None


class Review(Frozen):
    """How often somebody looks anew at a champion that serves, and which role is told that it is time."""

    every: Span
    to: Slug


class Waiver(Frozen):
    """A control that a template does without for a while: who answers for that, why, and which day is the last.

    Whoever moves the last day on renews it, and counts that in `renewals`.
    """

    owner: Slug
    reason: Text
    until: Day
    renewals: Annotated[int, Field(ge=0, le=99)] = 0


class Enters(Frozen):
    """Where new versions, retirement and suspension enter."""

    new_version: Slug
    retirement: Slug
    suspension: Slug | None = None


class Template(Frozen):
    """A lifecycle as people write it. The order of the stages matters: the first is the entry.

    `editors` are the people who wrote it, by their ids in the directory.
    """

    lifecycle: Slug
    version: Version
    title: Text
    tiers: tuple[RiskTier, ...] = Field(min_length=1)
    policies: tuple[Slug, ...] = Field(default=(), max_length=32)
    waivers: dict[Slug, Waiver] = Field(default_factory=dict, max_length=32)
    retention: Span | None = None
    review: Review | None = None
    roles: dict[Slug, Slug] = Field(default_factory=dict, max_length=64)
    separation_of_duties: tuple[Duty, ...] = tuple(Duty)
    editors: tuple[Slug, ...] = Field(default=(), max_length=64)
    calendar: Calendar | None = None
    kpis: dict[Slug, Indicator] = Field(default_factory=dict, max_length=128)
    enters: Enters
    stages: dict[Slug, Stage] = Field(min_length=1, max_length=512)
    monitors: dict[Slug, Monitor] = Field(default_factory=dict, max_length=32)


_SCHEMA: Schema = {
    (): Template,
    ("enters",): Enters,
    ("waivers", "*"): Waiver,
    ("review",): Review,
    ("calendar",): Calendar,
    ("kpis", "*"): Indicator,
    ("stages", "*"): Stage,
    ("stages", "*", "do", "*"): Step,
    ("stages", "*", "trial"): Trial,
    ("stages", "*", "trial", "measures", "*"): Margin,
    ("stages", "*", "gate"): Gate,
    ("stages", "*", "gate", "escalate", "*"): Reminder,
    ("stages", "*", "then"): Then,
    ("monitors", "*"): Monitor,
    ("monitors", "*", "brakes"): Limits,
}


class Loaded(NamedTuple):
    """A template with the text that it was read from, and the name of the template that it extends."""

    template: Template
    source: Source
    parent: str | None


def load(text: str | bytes, file: str, parents: Parents | None = None) -> Loaded:
    """Parse a template, with what it extends, and keep the places; TemplateError with every diagnostic of its form."""
    written = parse_yaml(text, file)
    source = inherit(written, parents or {})
    found = list(source.diagnostics)
    if source.complete:
        try:
            template = Template.model_validate_json(_as_json(source), strict=True)
        except ValidationError as error:
            found += name_misfits(error, source, _SCHEMA)
        else:
            if not errors_of(found):
                return Loaded(template, source, parent_of(written))
    raise TemplateError(file, in_reading_order(found))


def load_template(text: str | bytes, file: str) -> Template:
    """Parse a template; TemplateError with every diagnostic of text and shape at once."""
    return load(text, file).template


def _as_json(source: Source) -> str:
    """The tree as JSON, so that strict validation still takes words for choices; a version stays as it was written."""
    tree = source.tree
    if isinstance(tree, dict) and isinstance(tree.get("version"), int | float):
        tree = tree | {"version": source.written["version",]}
    return json.dumps(tree)
