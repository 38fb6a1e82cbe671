"""A year of flights, month by month. Every figure that is told was measured a moment before."""

import calendar
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
from sklearn.metrics import roc_auc_score

from client.catalog import Catalog
from client.documents import read_submission
from client.story import tell as tell_entries
from client.views import Looked
from examples.demo.premises import run_program
from examples.demo.scene import ENDED, Scene
from examples.demo.voice import act, bad, command, good, tell
from examples.flight_delay import data
from models.inventory import Environment
from models.plan import Plan
from models.state import Phase
from models.verdict import Verdict

MODEL = "flight-delay"
CONTROL = "flight-delay-control"
MONITORS = ("stability", "performance")
QUIET_MONTHS = 12
QUIET_ROWS = 27_000
OPERATOR = "ana"


class Year(Scene):
    """One telling."""

    async def tell_all(self) -> Path:
        """From the first flights to the report: where it is."""
        await self.first_version()
        breach = await self.until_breach()
        await self.challenger(breach)
        await self.rest_of_the_year(breach + 1)
        await self.quiet_year()
        return await self.report()

    async def first_version(self) -> None:
        """Trained on the first months, and put to work twice: once in the year as it was, once in one without drift."""
        act("A model of late flights, trained on January to March 2013, serves in PROD")
        await self.enrol(OPERATOR)
        surroundings = str(self.premises.example.parent / "loan_approval" / "surroundings.py")
        programs = ("--programs", str(self.premises.example))
        commit = await run_program(surroundings, "--output", str(self.premises.home), *programs)
        await self.program("data.py", "--output", str(self.data), "--commit", commit)
        await self.train("request")
        for facts in (
            self.facts(),
            self.facts().model_copy(update={"id": CONTROL, "title": "The same, without drift"}),
        ):
            plan, proof = await self.govern(facts)
            command(f"modelops start {facts.id} --template examples/flight_delay/lifecycle.yaml")
            await self.submit("request", OPERATOR, facts.id)
        for model in (MODEL, CONTROL):
            await self.until(lambda s: s.phase is Phase.STEADY and s.serving.get(Environment.PROD) == 1, model)
        good(f"every promise of its lifecycle was proved in {proof.states} states; nobody is asked, its risk is low")
        good(f"measured on flights that it has not seen: {self.found_by('evaluate')}")
        tell(f"watched: {'; '.join(_bounds(plan, name) for name in ('drift', 'drift_score', 'live_auc'))}")

    async def until_breach(self) -> int:
        """The months one after the other, until one is a breach: which."""
        act("The months arrive. Both kinds of monitor look at each: do flights look as before, is it still right?")
        for place, month in enumerate(data.MONTHS, 1):
            found = await self.month(month, place)
            _claim(found["stability"].verdict is Verdict.PASS, f"PSI passes in {calendar.month_name[month]}")
            if found["performance"].verdict is Verdict.FAIL:
                bad("PSI alone would have missed it. The monitor of performance has not, and starts retraining")
                return month
        raise AssertionError("no month was a breach")

    async def challenger(self, breach: int) -> None:
        """The retrained version is tried on the same traffic, and elected."""
        act("Version 2, trained with that month as well, has to do as well as version 1 on the same flights")
        async with self.customers("request", f"{breach + 1:02}") as customers:
            await self.until(lambda s: s.stage == "challenge" or s.statuses.get(2) in ENDED)
            tell("it answers copies of what customers ask about, then half of it; every second somebody looks")
            status = await self.until(lambda s: s.statuses.get(2) in ENDED or _serves(s.serving, 2, s.phase))
            _claim(status.serving.get(Environment.PROD) == 2, f"version 2 is elected, not {status.statuses.get(2)}")
        answered = ", ".join(f"{count} by version {one}" for one, count in sorted(customers.versions().items()))
        good(f"all {len(customers.answers)} questions of customers were answered: {answered}")
        good(f"elected: {self.found_by('trial')}")

    async def rest_of_the_year(self, first: int) -> None:
        """The new champion is judged as the old one was, and compared with it."""
        act("The months after it are judged with the new champion")
        gains, breaches = list[float](), 0
        for place, month in enumerate(range(first, 13), first - data.MONTHS[0] + 1):
            performance = (await self.month(month, place))["performance"]
            before, now = self.under_the_first(month), _reading(performance, "live_auc")
            gains.append(now - before)
            tell(f"{'':<13}version 1 would have had {before:.3f}: {now - before:+.3f}")
            breaches += performance.verdict is Verdict.FAIL
        _claim(gains[0] > 0, "the month after the retraining is ranked better than version 1 would have")
        status = await self.until(lambda s: _serves(s.serving, 2, s.phase))
        _claim(len(status.statuses) == 2, "there is no third version: brakes hold")
        with Catalog(self.settings.database) as catalog:
            lines = [line.text for line in tell_entries(catalog.record(MODEL).history)]
        told = sum("remedy: escalate" in line for line in lines)
        _claim(told == breaches, f"people were told of {breaches} breaches, not of {told}")
        good(f"{breaches} more months failed. Its brakes allow one retraining in half a year: risk was told instead")

    async def month(self, month: int, place: int) -> Mapping[str, Looked]:
        """A month arrives, and both monitors judge it: what each found at its look of that number."""
        await self.window(f"{month:02}")
        found = {monitor: await self.look(monitor, place) for monitor in MONITORS}
        stability, performance = found["stability"], found["performance"]
        said = (
            f"{calendar.month_name[month]:<10} PSI of the score {_reading(stability, 'drift_score'):.4f}, "
            f"of the worst input {_reading(stability, 'drift'):.3f}: {stability.verdict}   "
            f"AUC {_reading(performance, 'live_auc'):.3f}: {performance.verdict}"
        )
        (bad if Verdict.FAIL in (stability.verdict, performance.verdict) else good)(said)
        return found

    def under_the_first(self, month: int) -> float:
        """The AUC that the first version would have had."""
        submission = read_submission(self.data / "request" / "result.json", OPERATOR)
        rows = pd.read_csv(self.data / f"{month:02}.csv").dropna(subset=[data.LABEL])
        model = submission.artifact.uri.removeprefix("file://")
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        answers = session.run(["probabilities"], {"input": rows[list(data.INPUTS)].to_numpy(dtype=np.float32)})[0]
        return float(roc_auc_score(rows[data.LABEL], answers[:, 1]))

    async def quiet_year(self) -> None:
        """The control: months drawn from the flights of January to March that nothing was fitted on."""
        act(f"The control: the same version, watched in the same way, in {QUIET_MONTHS} months without drift")
        generator, unseen = np.random.default_rng(data.SEED), pd.read_csv(self.data / "holdout.csv")
        found: dict[str, list[Looked]] = {monitor: [] for monitor in MONITORS}
        for place in range(1, QUIET_MONTHS + 1):
            drawn = unseen.iloc[data.draw(len(unseen), QUIET_ROWS, generator)]
            await self.arrive(f"{place:02}", drawn.to_csv(index=False).encode(), CONTROL)
            for monitor, looks in found.items():
                looks.append(await self.look(monitor, place, CONTROL))
        for monitor, name in (("performance", "live_auc"), ("stability", "drift_score"), ("stability", "drift")):
            values = [_reading(one, name) for one in found[monitor]]
            tell(f"{name.replace('_', ' ')}: {min(values):.4f} to {max(values):.4f}")
        failed = [one for looks in found.values() for one in looks if one.verdict is Verdict.FAIL]
        _claim(not failed, f"no false alarm: {failed}")
        with Catalog(self.settings.database) as catalog:
            lines = [line.text for line in tell_entries(catalog.record(CONTROL).history)]
        _claim(not [line for line in lines if "breach" in line], "no breach was reported")
        status = await self.modelops.status(CONTROL)
        _claim(_serves(status.serving, 1, status.phase), "its first version serves")
        good(f"{2 * QUIET_MONTHS} looks, no failure, no breach, no alarm; version 1 still serves")

    async def report(self) -> Path:
        """One page for whoever answers for the model."""
        act("What a risk committee reads")
        page = self.premises.home / "report.html"
        command(f"modelops report {MODEL} --output {self.short(str(page))}")
        await run_program("-m", "client.cli", "report", MODEL, "--output", str(page))
        return page


def _serves(serving: Mapping[Environment, int], version: int, phase: Phase) -> bool:
    return serving.get(Environment.PROD) == version and phase is Phase.STEADY


def _reading(look: Looked, name: str) -> float:
    return next(one.value for one in look.readings if one.name == name)


def _bounds(plan: Plan, name: str) -> str:
    kpi = plan.kpi(name)
    return f"{name} passes {kpi.passes}, fails {kpi.fails}"


def _claim(holds: bool, what: str) -> None:
    """What the demo tells has to be so."""
    if not holds:
        raise AssertionError(f"not so: {what}")
