"""Rules about steps that run in somebody else's pipeline: it says whose, and what it may say, which is never ours."""

from collections.abc import Iterator

from models.diagnostics import Diagnostic
from models.evidence import QUANTITIES, StepKind
from models.rules.draft import Draft, Rule
from models.source.yaml_source import Path
from models.template import Step


def _written(draft: Draft) -> Iterator[tuple[Path, Step]]:
    for name, stage in draft.template.stages.items():
        for index, step in enumerate(stage.do):
            yield ("stages", name, "do", index), step


def whole(draft: Draft) -> Iterator[Diagnostic]:
    """MO512."""
    for path, step in _written(draft):
        if step.run is not StepKind.PIPELINE:
            for key in [name for name, said in (("in", step.where), ("readings", step.readings)) if said]:
                message = f"'{step.run}' is our own work: no pipeline does it instead"
                yield draft.report("MO512", (*path, key), message, "write a step 'pipeline' beside it", key=True)
            continue
        if step.where is None:
            yield draft.report("MO512", path, "the step does not say which pipeline it runs", "add 'in: ...'")
        if not step.readings:
            message = "the pipeline gives no readings, so no gate can judge what it found"
            yield draft.report("MO512", path, message, "add 'readings: [...]'")


def own_readings(draft: Draft) -> Iterator[Diagnostic]:
    """MO513."""
    givers: dict[str, str | None] = {}
    read = {name: kpi.metric for name, kpi in draft.template.kpis.items() if kpi.metric}
    for path, step in _written(draft):
        for index, name in enumerate(step.readings):
            place = (*path, "readings", index)
            if name in QUANTITIES:
                message = f"'{name}' is what our own step '{QUANTITIES[name].measured_by}' measures"
                yield draft.report("MO513", place, message, "give what the pipeline measures a name of its own")
            elif name in read:
                message = f"'{name}' is read from the metric '{read[name]}', so no pipeline says it"
                yield draft.report("MO513", place, message, "give what the pipeline measures a name of its own")
            elif (giver := givers.setdefault(name, step.where)) != step.where:
                message = f"'{name}' is given by the pipeline '{giver}' already"
                yield draft.report("MO513", place, message, "give one of them another name")


RULES: tuple[Rule, ...] = (whole, own_readings)
