"""Rules about trials: a challenger is tried where the champion serves, before it takes over, in a way that can end."""

from collections.abc import Iterator

from models.canonical import spell_duration
from models.diagnostics import Diagnostic
from models.evidence import READINGS, StepKind
from models.observations import MEASURES
from models.proof.graph import kinds_of
from models.rules.draft import Draft, Rule
from models.source.yaml_source import Path
from models.template import Trial


def _trials(draft: Draft) -> Iterator[tuple[Path, str, Trial]]:
    for name, stage in draft.template.stages.items():
        if stage.trial:
            yield ("stages", name, "trial"), name, stage.trial


def said_and_done(draft: Draft) -> Iterator[Diagnostic]:
    """MO509."""
    production = {stage.environment for stage in draft.stages.values() if stage.steady}
    for path, name, _ in _trials(draft):
        if StepKind.TRIAL not in kinds_of(draft.stages[name]):
            message = f"'{name}' says how a challenger is tried, and tries none"
            yield draft.report("MO509", path, message, "add 'trial' to 'do'", key=True)
    for name, stage in draft.stages.items():
        tried = [index for index, step in enumerate(stage.steps) if step.kind is StepKind.TRIAL]
        place: Path = ("stages", name, "do", tried[0]) if tried else ("stages", name)
        if tried and stage.trial is None:
            yield draft.report("MO509", place, f"'{name}' does not say how the challenger is tried", "add 'trial: ...'")
        if tried and (stage.steady or stage.environment not in production):
            message = f"a challenger is tried where the champion serves, and '{name}' is elsewhere"
            yield draft.report("MO509", place, message, "do it in a stage of its own with 'environment: PROD'")
        if len(tried) > 1:
            yield draft.report("MO509", ("stages", name, "do", tried[1]), f"'{name}' tries it already", "keep one")


def comparable(draft: Draft) -> Iterator[Diagnostic]:
    """MO510."""
    for path, _, trial in _trials(draft):
        for name, margin in trial.measures.items():
            place: Path = (*path, "measures", name)
            if name not in MEASURES:
                yield draft.unknown("MO510", place, "measure", name, list(MEASURES))
            if (margin.not_worse_by is None) == (margin.better_by is None):
                message = f"'{name}' is compared by one margin"
                yield draft.report("MO510", place, message, "write 'not_worse_by' or 'better_by'", key=True)
        for index, kpi in enumerate(trial.checks):
            if kpi in draft.template.kpis and kpi not in READINGS[StepKind.TRIAL]:
                known = ", ".join(sorted(READINGS[StepKind.TRIAL]))
                message = f"'{kpi}' is not measured while a challenger is tried"
                yield draft.report("MO510", (*path, "checks", index), message, f"what is: {known}")


def ends_in_time(draft: Draft) -> Iterator[Diagnostic]:
    """MO511."""
    for path, _, trial in _trials(draft):
        if sorted(set(trial.shares)) != list(trial.shares):
            message = "the shares of a challenger grow from one to the next"
            yield draft.report("MO511", (*path, "shares"), message, "put them in order")
        held = trial.hold * len(trial.shares) + (trial.shadow or 0)
        if trial.longest <= held:
            message = f"the trial ends after {spell_duration(trial.longest)}, and its shares are held for as long"
            mend = f"write 'longest' of more than {spell_duration(held)}"
            yield draft.report("MO511", (*path, "longest"), message, mend)
        if trial.every > trial.hold:
            message = f"the challenger is looked at every {spell_duration(trial.every)} only, a share is held for less"
            yield draft.report("MO511", (*path, "every"), message, "look more often: at each look a trial may end")


RULES: tuple[Rule, ...] = (said_and_done, comparable, ends_in_time)
