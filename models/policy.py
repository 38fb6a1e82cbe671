"""Policy packs: what must be true of every lifecycle that they apply to. They name controls, never stages of ours.

A control has a shape. What its regulation asks is not satisfied by a gate of that name, but by one that asks the
people, looks at the figures and stands where the control says.
"""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from models.calendar import Day
from models.canonical import Frozen, Slug, digest
from models.diagnostics import Diagnostic, did_you_mean, errors_of, in_reading_order, quote
from models.errors import TemplateError
from models.evidence import READINGS, Dimension, StepKind
from models.inventory import Environment, ModelFacts, Rating, Text
from models.plan import Duty
from models.scope import EVERY_MODEL, Scope
from models.source.misfits import Schema, name_misfits
from models.source.yaml_source import Path, Source, parse_yaml
from models.template import Bound, Runnable, Span, Version
from models.tiering import Answer, Question, Questionnaire, Tiering, defects, rate


class Severity(StrEnum):
    """What it means that a control is not satisfied: refused; refused unless waived; told."""

    HARD = "hard"
    SOFT = "soft"
    ADVISORY = "advisory"


class Confidence(StrEnum):
    """How sure the pack's author is of the source; what is not sure binds nobody hard."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Effective(Frozen):
    """From which day a pack holds, and the first day on which it does so no more."""

    since: Day = Field(alias="from")
    until: Day | None = None

    def on(self, day: date) -> bool:
        """Whether a pack holds on a day."""
        return self.since <= day and (self.until is None or day < self.until)


def _unbounded(checks: object) -> object:
    """A list of checks stands for checks without a bound."""
    if isinstance(checks, list) and all(isinstance(one, str) for one in checks):
        return dict.fromkeys(checks)
    return checks


class Shape(Frozen):
    """What a gate must ask to satisfy a control: people of each role, KPIs at least so strict, evidence of steps.

    `signed`: whoever decides signs it.
    """

    approvals: dict[Slug, Annotated[int, Field(ge=1, le=99)]] = Field(default_factory=dict, max_length=16)
    checks: Annotated[dict[Slug, Bound | None], BeforeValidator(_unbounded)] = Field(
        default_factory=dict, max_length=64
    )
    evidence: tuple[Runnable, ...] = Field(default=(), max_length=16)
    signed: bool = Field(default=False, exclude_if=lambda signed: not signed)

    @property
    def empty(self) -> bool:
        """Whether nothing is asked."""
        return not (self.approvals or self.checks or self.evidence or self.signed)


END = "END"
"""The end of a lifecycle, as a place that steps of retirement stand before."""

_WHERE = (*Environment, END)


def _place(text: str) -> str:
    if text in _WHERE or re.fullmatch(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*", text):
        return text
    raise PydanticCustomError("place", "a place is DEV, TEST, PROD, END or the name of a stage")


class Allowance(Frozen):
    """How long a waiver may last at most from the day on which a template is compiled, and how often be renewed."""

    at_most: Span
    renewals: Annotated[int, Field(ge=0, le=99)] = 0


class Control(Frozen):
    """One thing that a regulation asks, with all that must hold for it to be satisfied.

    `applies` narrows the pack's own scope. `before` is an environment, END or a stage; `gate` and `steps` must stand
    before it on every path. `monitors` are KPIs watched in production, `dimensions` those of which at least one KPI
    is, `every` at least so often; `retention` and `review` are the shortest and the longest time that do;
    `separation` are duties that bar people from approving. `waivable: false` makes a soft control one that nobody may
    do without, however long it takes to satisfy it.
    """

    title: Text
    reference: Text
    confidence: Confidence
    severity: Severity
    applies: Scope = EVERY_MODEL
    before: Annotated[str, AfterValidator(_place)] | None = None
    gate: Shape | None = None
    steps: tuple[Runnable, ...] = Field(default=(), max_length=16)
    monitors: tuple[Slug, ...] = Field(default=(), max_length=32)
    dimensions: tuple[Dimension, ...] = Field(default=(), exclude_if=lambda dimensions: not dimensions)
    every: Span | None = None
    retention: Span | None = None
    review: Span | None = None
    separation: tuple[Duty, ...] = ()
    waivable: bool = Field(default=True, exclude_if=lambda waivable: waivable)

    @property
    def demands(self) -> bool:
        """Whether a lifecycle could fail to satisfy it."""
        gate = self.gate is not None and not self.gate.empty
        watched = self.monitors or self.dimensions
        return gate or bool(self.steps or watched or self.retention or self.review or self.separation)


class Pack(Frozen):
    """A versioned, date-effective set of controls; `waivers` bounds every waiver of one of them."""

    pack: Slug
    version: Version
    title: Text
    authority: Text
    effective: Effective
    applies: Scope = EVERY_MODEL
    tiering: Tiering | None = Field(default=None, exclude_if=lambda tiering: tiering is None)
    waivers: Allowance | None = Field(default=None, exclude_if=lambda allowance: allowance is None)
    controls: dict[Slug, Control] = Field(min_length=1, max_length=256)

    @property
    def name(self) -> str:
        """As people refer to it."""
        return f"{self.pack}@{self.version}"

    def about(self, facts: ModelFacts | None) -> dict[Slug, Control]:
        """The controls that apply to a model, if the pack does."""
        return {name: control for name, control in self.controls.items() if control.applies.reason(facts)}


NAMED = "the template names it"
"""Why a pack applies to a model that is not in its scope."""


class Applied(NamedTuple):
    """A pack that a lifecycle must satisfy, and why."""

    pack: Pack
    reason: str


class Policy(NamedTuple):
    """Every pack that is known, the day that counts, and the model that is to be governed, if one is known."""

    packs: tuple[Pack, ...]
    on: date
    facts: ModelFacts | None = None

    def applied(self, named: Iterable[Slug] = ()) -> tuple[Applied, ...]:
        """The packs that hold on the day: those that the template names, and those whose scope the model is in."""
        names = set(named)
        found = []
        for pack in sorted(self.packs, key=_in_order):
            reason = pack.applies.reason(self.facts) or (NAMED if pack.pack in names else None)
            if reason and pack.effective.on(self.on):
                found.append(Applied(pack, reason))
        return tuple(found)

    def questionnaires(self) -> tuple[Questionnaire, ...]:
        """Those of the packs that apply to the model, by which its risk tier is found."""
        asking = [(one.pack, one.pack.tiering) for one in self.applied()]
        return tuple(Questionnaire(pack.name, digest(pack), tiering) for pack, tiering in asking if tiering)

    def rating(self) -> Rating | None:
        """The model's tier, and why; None without a model, or without an assessment of it."""
        assessment = self.facts.assessment if self.facts else None
        return rate(self.questionnaires(), assessment) if assessment else None

    def asked(self) -> tuple[tuple[Pack, Slug, Control], ...]:
        """The controls that apply to the model, each with its pack and its name."""
        return tuple(
            (one.pack, name, control) for one in self.applied() for name, control in one.pack.about(self.facts).items()
        )

    def control(self, name: Slug) -> Iterator[tuple[Pack, Control]]:
        """Every control of a name, in any pack that is known."""
        for pack in sorted(self.packs, key=_in_order):
            if name in pack.controls:
                yield pack, pack.controls[name]

    def to_come(self) -> tuple[Applied, ...]:
        """The packs whose scope the model is in, and that hold only later."""
        scoped = [(pack, pack.applies.reason(self.facts)) for pack in sorted(self.packs, key=_in_order)]
        later = [Applied(pack, why) for pack, why in scoped if why and pack.effective.since > self.on]
        return tuple(sorted(later, key=lambda one: one.pack.effective.since))


def regulations(policy: Policy) -> tuple[str, ...]:
    """The packs that apply to a model, and those that will, each with the reason: for people and for the inventory."""
    now = [f"{one.pack.title} ({one.pack.name}): {one.reason}" for one in policy.applied()]
    later = [
        f"from {one.pack.effective.since}: {one.pack.title} ({one.pack.name}): {one.reason}" for one in policy.to_come()
    ]
    return (*now, *later)


def _in_order(pack: Pack) -> tuple[str, date, tuple[int, ...]]:
    return pack.pack, pack.effective.since, tuple(map(int, pack.version.split(".")))


NO_POLICY = Policy(packs=(), on=date.min)
"""Nothing is demanded."""

_SCHEMA: Schema = {
    (): Pack,
    ("effective",): Effective,
    ("applies",): Scope,
    ("waivers",): Allowance,
    ("controls", "*"): Control,
    ("controls", "*", "applies"): Scope,
    ("controls", "*", "gate"): Shape,
    ("tiering",): Tiering,
    ("tiering", "questions", "*"): Question,
    ("tiering", "questions", "*", "answers", "*"): Answer,
    ("tiering", "questions", "*", "answers", "*", "contradicts"): Scope,
}


def load_pack(text: str | bytes, file: str) -> Pack:
    """Parse a pack; TemplateError with everything that is wrong with it at once."""
    source = parse_yaml(text, file)
    found = list(source.diagnostics)
    if source.complete:
        try:
            pack = Pack.model_validate_json(_as_json(source), strict=True)
        except ValidationError as error:
            found += name_misfits(error, source, _SCHEMA)
        else:
            found += _defects(pack, source)
            if not errors_of(found):
                return pack
    raise TemplateError(file, in_reading_order(found))


def _as_json(source: Source) -> str:
    tree = source.tree
    if isinstance(tree, dict) and isinstance(tree.get("version"), int | float):
        tree = tree | {"version": source.written["version",]}
    return json.dumps(tree)


def _defects(pack: Pack, source: Source) -> Iterator[Diagnostic]:
    """MO751 to MO760."""
    if pack.tiering:
        yield from defects(pack.tiering, pack.applies, source)
    until = pack.effective.until
    if until is not None and until <= pack.effective.since:
        yield source.report("MO751", ("effective", "until"), "the pack ends before it begins")
    for name, control in pack.controls.items():
        path: Path = ("controls", name)
        if not control.demands:
            yield source.report("MO752", path, f"'{name}' asks nothing", "say what it asks: gate, steps ...", key=True)
        if control.severity is Severity.HARD and control.confidence is Confidence.LOW:
            message = f"'{name}' is hard, and its author is not sure of it"
            yield source.report("MO753", (*path, "severity"), message, "write 'severity: advisory'")
        if (*path, "waivable") in source.keys and control.severity is not Severity.SOFT:
            message = f"'{name}' is {control.severity}: only a soft control can be waived at all"
            yield source.report("MO760", (*path, "waivable"), message, "drop 'waivable'", key=True)
        if control.every and not (control.monitors or control.dimensions):
            message = f"'every' of '{name}' is about monitors, and it asks for none"
            yield source.report("MO755", (*path, "every"), message, "add 'monitors' or 'dimensions'", key=True)
        yield from _misplaced(name, control, source)
        yield from _unmeasured(name, control, source)


def _misplaced(name: Slug, control: Control, source: Source) -> Iterator[Diagnostic]:
    """MO754."""
    path: Path = ("controls", name)
    if (control.gate or control.steps) and control.before is None:
        yield source.report("MO754", path, f"'{name}' does not say before what", "add 'before: PROD'", key=True)
    if control.before and control.demands and not (control.gate or control.steps):
        message = f"'{name}' says before what, and neither a gate nor steps that must stand there"
        yield source.report("MO754", (*path, "before"), message, "add 'gate' or 'steps', or drop 'before'", key=True)
    if control.before == END and control.gate:
        message = f"'{name}' asks for a gate before the end, and nobody is asked in retirement"
        yield source.report("MO754", (*path, "gate"), message, "ask for 'steps'", key=True)


def _unmeasured(name: Slug, control: Control, source: Source) -> Iterator[Diagnostic]:
    """MO756."""
    live = READINGS[StepKind.MONITOR]
    early = frozenset().union(*READINGS.values()) - live
    for index, kpi in enumerate(control.gate.checks if control.gate else ()):
        if kpi not in early:
            checks: Path = ("controls", name, "gate", "checks")
            path = (*checks, kpi) if (*checks, kpi) in source.keys else (*checks, index)
            message = f"no step before production measures {quote(kpi)}"
            yield source.report("MO756", path, message, did_you_mean(kpi, early), key=True)
    for index, kpi in enumerate(control.monitors):
        if kpi not in live:
            path = ("controls", name, "monitors", index)
            yield source.report("MO756", path, f"no monitor measures {quote(kpi)}", did_you_mean(kpi, live))
