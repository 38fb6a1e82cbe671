"""The main job, act by act. Every figure that is told was measured a moment before."""

import asyncio
import signal
import time

import httpx2

from client.catalog import Catalog
from client.documents import read_submission
from client.render import models as models_table
from client.verification import verify
from examples.demo.customers import Customers
from examples.demo.scene import ENDED, Scene
from examples.demo.voice import act, bad, command, console, good, tell
from models.errors import RefusedError
from models.inventory import Environment
from models.messages import Action
from models.state import Phase

MODEL = "loan-approval"
PEOPLE = ("ana", "dmitri", "rosa", "lena", "paul")


class Story(Scene):
    """One telling."""

    async def tell_all(self) -> None:
        """From registration to retirement."""
        await self.keys()
        await self.registration()
        await self.unfair_version()
        await self.fair_version()
        await self.killed_actuator()
        await self.prediction()
        await self.drift()
        async with self.customers("mitigated", "holdout") as customers:
            await self.challenger(customers)
            await self.rolled_back(customers)
        good(f"all {len(customers.answers)} questions of customers were answered, through trial, election and rollback")
        await self.retirement()
        self.record()

    async def keys(self) -> None:
        """Everybody makes a key; an administrator enrols it."""
        act("People who decide sign with keys of their own: made and kept by them, enrolled by an administrator")
        for person in PEOPLE:
            await self.enrol(person)
        command("modelops key create --as rosa --output rosa.json; modelops key enroll rosa.json")
        good(f"enrolled: {', '.join(PEOPLE)}; a private key never leaves its owner's machine, and is encrypted there")

    async def registration(self) -> None:
        """The model enters the inventory, and its lifecycle begins."""
        act("A model is registered, and a lifecycle governs it from its first day")
        command("modelops model register examples/loan_approval/model.yaml")
        facts = self.facts()
        plan, proof = await self.govern(facts)
        with Catalog(self.settings.database) as catalog:
            if rating := catalog.rating(MODEL):
                good(f"tier {rating.tier}, by the answers in its facts: {'; '.join(rating.reasons)}")
            for regulation in catalog.regulations(MODEL):
                tell(f"applies: {regulation}")
        command(f"modelops start {MODEL} --template examples/loan_approval/lifecycle.yaml")
        good(f"it compiles under {len(plan.packs)} policy packs: {len(plan.controls)} controls, and what meets each")
        good(f"proved before it governs anything: every promise holds in all {proof.states} states that it can come to")
        status = await self.until(lambda s: s.phase is Phase.AWAITING_VERSION)
        good(
            f"template {status.template} {status.template_version} compiled; stage '{status.stage}' waits for a version"
        )
        tell(f"Web UI: {self.modelops.link(MODEL)}  (tab User Metadata shows the model card)")

    async def unfair_version(self) -> None:
        """A plain model fails the four-fifths rule."""
        act("Ana trains a plain model on real mortgage decisions; the fairness check fails, honestly")
        commit = await self.program("surroundings.py", "--output", str(self.premises.home))
        tell(f"her code is commit {commit[:12]} of a repository; what is known of her dependencies is in a mirror")
        await self.program("data.py", "--output", str(self.data), "--commit", commit)
        await self.train("plain")
        await self.submit("plain", "ana")
        status = await self.until(lambda s: s.statuses.get(1) in ENDED)
        bad(f"version 1 is {status.statuses[1]}: {status.passages[-1].reason}")

    async def fair_version(self) -> None:
        """A mitigated model passes on merit, and people decide."""
        act("A mitigated second version passes on merit; people decide at two gates")
        await self.train("mitigated")
        await self.submit("mitigated", "ana")
        status = await self.gate_open("validation", 2)
        readings = {reading.name: reading.value for reading in (status.version.readings if status.version else ())}
        counted = {reading.name: reading.count for reading in (status.version.readings if status.version else ())}
        good(
            f"no threat in the artifact, no known vulnerability in {counted['vulnerabilities']} dependencies, "
            f"no secret in {counted['secrets']} files of her commit"
        )
        good(f"AUC {readings['auc']:.3f}, smallest selection ratio {readings['adverse_impact']:.3f} (at least .80)")
        good(
            f"{counted['parity_difference']} golden predictions: the exported model answers at most "
            f"{readings['parity_difference']:.1e} from the one that was trained (at most 1e-3)"
        )
        try:
            await self.decide("independent-validation", "ana", "It is my best work.")
        except RefusedError as error:
            bad(f"ana is refused: {error}")
        await self.decide("independent-validation", "dmitri", "The method is sound, and documented.")
        await self.decide("independent-validation", "rosa", "Stable across the splits that I tried.")
        await self.gate_open("staging", 2)
        good("version 2 serves in DEV and TEST")

    async def killed_actuator(self) -> None:
        """The actuator dies in the middle of the promotion to PROD."""
        act("The last approval starts the promotion to PROD; the actuator is killed in the middle of it")
        await self.decide("release", "lena", "The notice to customers is in place.")
        self.premises.kill("inference-PROD", signal.SIGSTOP)
        tell("PROD does not answer for a moment, so that there is a middle")
        await self.decide("release", "paul", "We want it.")
        await self.until(lambda s: s.stage == "production" and s.step == "promote")
        await asyncio.sleep(0.5)
        killed = self.premises.kill("actuator", signal.SIGKILL)
        bad(f"kill -9 {killed} (the actuator, while its call to PROD is under way)")
        self.premises.kill("inference-PROD", signal.SIGCONT)
        tell("the engine notices the missing heartbeat, a new actuator takes the step up again under the same key ...")
        await self.until(lambda s: s.phase is Phase.STEADY)
        switches = [effect for effect in await self.get("/effects") if effect["effect"] == "switch"]
        if len(switches) != 1:
            raise AssertionError(f"PROD was switched {len(switches)} times: {switches}")
        good(f"version 2 is champion; PROD was switched once, by key {switches[0]['key']}")

    async def prediction(self) -> None:
        """Production answers."""
        act("PROD answers a prediction over HTTP (Open Inference Protocol v2)")
        sample = await self.get(f"/v2/models/{MODEL}/versions/2/sample")
        command(f"curl -s {self.production}/v2/models/{MODEL}/infer -d @sample-request.json")
        answer = await self.post(f"/v2/models/{MODEL}/infer", sample)
        scores = next(output["data"] for output in answer["outputs"] if output["name"] == "score")
        good(f"version {answer['model_version']} scores five applications: {', '.join(f'{s:.3f}' for s in scores)}")

    async def drift(self) -> None:
        """A quiet window, then one that has drifted."""
        act("Production is watched by a schedule: a quiet window passes, a drifted one does not")
        await self.window("quiet")
        good(f"quiet window: {await self.measured('drift', 1)}; value: {await self.measured('value', 1)}")
        tell("the next window holds the applicants with high obligations, the self-employed, houses of several units")
        await self.window("drifted")
        status = await self.until(lambda s: s.stage != "production")
        bad(f"drifted window: {await self.measured('drift', 2)}")
        tell(f"is it still worth having? {await self.measured('value', 2)}")
        tell(f"the breach starts retraining by itself; the champion still serves: {status.serving[Environment.PROD]}")

    async def challenger(self, customers: Customers) -> None:
        """The retrained version earns every gate, is tried on live traffic, and is elected."""
        act("The challenger earns every gate again, and is tried on live traffic beside the champion")
        await self.gate_open("validation", 3)
        good("version 3 was trained with the new window and passed the development gate")
        await self.decide("independent-validation", "dmitri", "Retrained on the new applicants.")
        await self.decide("independent-validation", "rosa", "No group lost.")
        await self.gate_open("staging", 3)
        await self.decide("release", "lena", "Nothing new to tell customers.")
        await self.decide("release", "paul", "Go.")
        await self.until(lambda s: s.stage == "challenge")
        tell("it answers copies of what customers ask, then 10 % of them, then half; every second somebody looks")
        status = await self.until(lambda s: s.phase is Phase.STEADY and s.serving.get(Environment.PROD) == 3)
        answered = ", ".join(f"{count} by version {version}" for version, count in sorted(customers.versions().items()))
        good(f"answers so far: {answered}")
        good(f"elected: {self.found_by('trial')}")
        good(f"version 3 is champion; version {status.previous} stays loaded: modelops rollback {MODEL}")

    async def rolled_back(self, customers: Customers) -> None:
        """One command, while customers ask."""
        act("Somebody has doubts: the former champion is back by one command, while customers ask")
        command(f"modelops rollback {MODEL} --as paul --reason 'Complaints about version 3.'")
        began = time.monotonic()
        await self.modelops.request(MODEL, Action.ROLLBACK, self.signers["paul"], "Complaints about version 3.")
        await self.until(lambda s: s.phase is Phase.STEADY and s.serving.get(Environment.PROD) == 2)
        await asyncio.sleep(0.5)
        last = max(one.at for one in customers.answers if one.version == "3")
        good(f"{last - began:.1f} s after the command, version 3 gave its last answer")

    async def retirement(self) -> None:
        """Consumers are told, nothing serves, everything is archived."""
        act("The model is retired")
        command(f"modelops retire {MODEL} --as paul --reason 'Replaced by the new product.'")
        await self.modelops.request(MODEL, Action.RETIRE, self.signers["paul"], "Replaced by the new product.")
        await self.until(lambda s: s.phase is Phase.ENDED)
        async with httpx2.AsyncClient(base_url=self.production, trust_env=False) as http:
            answer = await http.get(f"/v2/models/{MODEL}/ready")
        with Catalog(self.settings.database) as catalog:
            told, consumers = catalog.notified(MODEL), catalog.facts(MODEL).consumers
        names = [consumer.name for consumer in consumers if consumer.contact in told]
        good(f"notified: {', '.join(names)}; records archived; PROD answers {answer.status_code}")

    def record(self) -> None:
        """Inventory and audit trail."""
        act("What is left is the record")
        with Catalog(self.settings.database) as catalog:
            console.print(models_table(catalog.models()))
            found = verify(catalog, catalog.record(MODEL))
            if not found.holds:
                raise AssertionError(f"the audit trail does not verify: {found.problems + found.rows + found.replay}")
            good(f"audit trail: {found.entries} entries, the hash chain verifies, and replaying them through the")
            tell("kernel gives the state that the inventory has")
        command(f"modelops history {MODEL}")

    async def one_more(self) -> None:
        """Leave a lifecycle at a gate, for the reader to decide in the Web UI."""
        facts = self.facts().model_copy(update={"id": f"{MODEL}-next", "title": "Yours to decide"})
        await self.govern(facts)
        submission = read_submission(self.data / "mitigated" / "result.json", "ana")
        await self.modelops.submit(facts.id, submission, self.signers["ana"])
        await self.until(lambda s: s.phase is Phase.DECIDING, facts.id)
