"""A lifecycle on a real server to which anybody says anything, and beside it the pure kernel, which is to agree.

The kernel's state is fed from the recorded events. Whatever is sent while nothing goes on has one right answer: the
kernel's own for the same message, to the letter.
"""

import asyncio
from collections.abc import Awaitable, Coroutine
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from hypothesis import HealthCheck, note, settings
from hypothesis import Phase as Part
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from temporalio.client import Client

from activities.identity import IdentityActivities, Inquiry
from client.api import Modelops
from models.admission import refuse
from models.approval import eligible, open_roles
from models.audit import AuditKind
from models.authentication import person_of, read_decision, read_request, read_submission
from models.canonical import digest
from models.errors import ModelopsError, RefusedError
from models.evidence import Electorate
from models.journal import JournalEntry
from models.lifecycle import step
from models.messages import Action, Body, Breach, Choice, Event, HandedIn, Receipt
from models.signing import Envelope
from models.state import Phase, State, snapshot
from models.status import describe, waiting_for
from tests.contract.reader import Reader
from tests.signers import AUDIENCE, signer
from tests.temporal.doubles import GOOD, NAMES
from tests.temporal.house import House, claimed, facts_of, plan_of
from tests.temporal.invariants import check_invariants, look

PLAN = plan_of("credit-high-risk")
UNFAIR = {**GOOD, "adverse_impact": 0.4}
Answer = TypeVar("Answer")
_numbers = count(1)

FEW = settings(
    max_examples=4,
    stateful_step_count=14,
    deadline=None,
    database=None,
    phases=[Part.generate],
    suppress_health_check=list(HealthCheck),
)
MANY = settings(FEW, max_examples=60, stateful_step_count=40)

people = st.sampled_from(NAMES)
roles = st.sampled_from(sorted(PLAN.roles))
choices = st.sampled_from([Choice.APPROVE, Choice.APPROVE, Choice.REJECT])
actions = st.sampled_from([action for action in Action if action is not Action.RETIRE])


class Ground(NamedTuple):
    """Where lives are led: the loop that the server's client belongs to, and a folder."""

    loop: asyncio.AbstractEventLoop
    client: Client
    root: Path


class Life(RuleBasedStateMachine):
    """One model's life, led from another thread than the loop's."""

    def __init__(self, ground: Ground) -> None:
        super().__init__()
        number, self.ground = next(_numbers), ground
        root = ground.root / f"life-{number}"
        root.mkdir()
        self.house = House(ground.client, root, f"{ground.root.name}-{number}")
        self.modelops = Modelops(ground.client, queue=self.house.queue)
        self.model = State(model=self.house.model, owner="olga")
        self.sent: list[Envelope] = []

    def wait(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Have the loop do something."""
        return asyncio.run_coroutine_threadsafe(work, self.ground.loop).result()

    @initialize()
    def begin(self) -> None:
        """The model is registered, its lifecycle begins."""
        self.wait(self._begin())
        self.follow()

    async def _begin(self) -> None:
        await self.house.open()
        facts = facts_of(self.house.model, PLAN.tiers[0])
        await self.modelops.register(facts)
        await self.modelops.start(facts, PLAN, claimed(PLAN))

    # --- what is said

    @precondition(lambda self: self.model.phase is Phase.AWAITING_VERSION or self.model.phase is Phase.STEADY)
    @rule(readings=st.sampled_from([GOOD, GOOD, UNFAIR]))
    def submit(self, readings: dict[str, float]) -> None:
        """A version is handed in where one is waited for."""
        self.hand_in(self.house.handed_in(self.house.version(readings)))

    @rule(person=people, key=people)
    def submit_oddly(self, person: str, key: str) -> None:
        """Anybody hands in a version of Ana's, with some key, at any time."""
        by = signer(person, key=key)
        self.hand_in(by.submit(AUDIENCE, self.house.model, self.house.version()))

    def hand_in(self, given: HandedIn) -> None:
        """A version, and what is right to answer."""
        known = self.known(given.envelope)
        body = read_submission(self.model, given, known, datetime.now(UTC))
        self.say(body, self.modelops.send(self.house.model, "submit_version", given))

    @precondition(lambda self: self.model.phase is Phase.DECIDING)
    @rule(choice=choices)
    def decide(self, choice: Choice) -> None:
        """Somebody who is asked decides."""
        gate = self.model.gate_plan(PLAN)
        assert gate
        assert self.model.gate
        owed = [(role, one) for role in open_roles(gate, self.model.gate) for one in eligible(PLAN, self.model, role)]
        for role, person in owed[:1]:
            self.sign(person, person, role, choice, None)

    @precondition(lambda self: self.model.phase is Phase.DECIDING)
    @rule(person=people, key=people, role=roles, choice=choices)
    def decide_oddly(self, person: str, key: str, role: str, choice: Choice) -> None:
        """Anybody decides for any role, with some key."""
        self.sign(person, key, role, choice, None)

    @precondition(lambda self: self.model.phase is Phase.DECIDING)
    @rule(person=people, giver=people, role=roles)
    def decide_for_another(self, person: str, giver: str, role: str) -> None:
        """Anybody decides in anybody's place."""
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        given = signer(giver).delegate(AUDIENCE, person, signer(person).public, role, tomorrow)
        self.sign(person, person, role, Choice.APPROVE, given)

    def sign(self, person: str, key: str, role: str, choice: Choice, delegation: Envelope | None) -> None:
        """A decision at the open gate."""
        gate = self.model.gate_plan(PLAN)
        assert gate
        by, asked = signer(person, key=key), (self.house.model, gate.id, choice)
        self.decided(
            self.wait(self.modelops.sign_decision(*asked, by, "looked at it", role=role, delegation=delegation))
        )

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        """What was signed before is sent once more."""
        self.decided(data.draw(st.sampled_from(self.sent)))

    def decided(self, envelope: Envelope) -> None:
        """A decision, and what is right to answer."""
        self.sent.append(envelope)
        body = read_decision(PLAN, digest(PLAN), self.model, envelope, datetime.now(UTC))
        receipt = self.say(body, self.modelops.send(self.house.model, "decide", envelope))
        if receipt:
            self.house.remember(envelope, receipt)

    @rule(person=people, key=people, action=actions, emergency=st.booleans())
    def request_oddly(self, person: str, key: str, action: Action, emergency: bool) -> None:
        """Anybody asks for anything, with some key."""
        self.request(person, key, action, emergency)

    @precondition(lambda self: self.model.paused)
    @rule()
    def resume(self) -> None:
        """The owner has it go on."""
        self.request("olga", "olga", Action.RESUME, False)

    @precondition(lambda self: self.model.phase is Phase.STUCK)
    @rule()
    def retry(self) -> None:
        """The owner has it tried again."""
        self.request("olga", "olga", Action.RETRY, False)

    @precondition(lambda self: self.model.submitted > 1)
    @rule()
    def retire(self) -> None:
        """The owner retires the model."""
        self.request("olga", "olga", Action.RETIRE, False)

    def request(self, person: str, key: str, action: Action, emergency: bool) -> None:
        """A request, and what is right to answer."""
        said = (AUDIENCE, self.house.model, action, "for the test")
        envelope = signer(person, key=key).request(*said, emergency and action in (Action.SUSPEND, Action.ROLLBACK))
        body = read_request(self.model, envelope, self.known(envelope), datetime.now(UTC))
        self.say(body, self.modelops.send(self.house.model, "request", envelope))

    @precondition(lambda self: self.model.phase is not Phase.ENDED)
    @rule(monitor=st.sampled_from(["drift", "value", "nothing"]), window=st.sampled_from(["monday", "tuesday"]))
    def breach(self, monitor: str, window: str) -> None:
        """A monitor reports a breach, and is not answered."""
        found = Breach(monitor=monitor, window=window, reasons=("it drifted",))
        self.wait(self.house.handle.signal("report_breach", found))
        self.wait(self.house.until(lambda status: status.seq > self.model.seq))
        self.follow()

    # --- what happens besides

    @rule(refuses=st.booleans())
    def fail_the_environments(self, refuses: bool) -> None:
        """From now on nothing can be deployed, or everything can."""
        self.house.deployer.refuses = refuses

    @rule()
    def restart(self) -> None:
        """Worker and actuator end, and start again."""
        self.wait(self.house.close())
        self.wait(self.house.open())

    # --- what is right

    def known(self, envelope: Envelope) -> Electorate:
        """What the directory says of whoever signed."""
        person = person_of(envelope)
        assert person
        return IdentityActivities(self.house.parts.directory).identify(Inquiry(person=person, roles=PLAN.roles))

    def say(self, body: Body, sending: Awaitable[Receipt]) -> Receipt | None:
        """Send something: the answer is the kernel's."""
        event = Event(at=datetime.now(UTC), body=body)
        right, after = refuse(PLAN, self.model, event), step(PLAN, self.model, event).state
        note(f"{body.event}: {right or 'admitted'}")
        answer = self.wait(_answer(sending))
        if self.model.phase is Phase.ENDED:
            assert not isinstance(answer, Receipt)
            return None
        if right is None:
            assert answer == Receipt(seq=after.seq, waiting_for=waiting_for(PLAN, after))
        else:
            assert answer == right
        self.follow()
        return answer if isinstance(answer, Receipt) else None

    def follow(self) -> None:
        """Once nothing goes on, the kernel hears what was recorded; then both are in one state."""
        seen = self.wait(look(self.house))
        assert seen.left == ()
        with closing(Reader(self.house.database)) as reader:
            entries = [entry for entry in reader.history(self.house.model) if entry.kind == AuditKind.EVENT]
        for recorded in (JournalEntry.model_validate_json(entry.body) for entry in entries[self.model.seq :]):
            answer = step(PLAN, self.model, recorded.event)
            assert (answer.refusal, snapshot(answer.state)) == (recorded.refusal, recorded.snapshot)
            self.model = answer.state
        assert seen.status == describe(PLAN, digest(PLAN), self.model)

    def teardown(self) -> None:
        """Every invariant holds, whatever was said."""
        try:
            if self.model.seq:
                self.wait(check_invariants(self.house, PLAN))
        finally:
            self.wait(self.house.__aexit__(None, None, None))


async def lead(client: Client, root: Path, how: settings) -> None:
    """Some lives, one after the other."""
    ground = Ground(asyncio.get_running_loop(), client, root)
    begin: Any = partial(Life, ground)
    await asyncio.to_thread(run_state_machine_as_test, begin, settings=how)


async def _answer(sending: Awaitable[Receipt]) -> Receipt | str:
    try:
        return await sending
    except RefusedError as error:
        return str(error)
    except ModelopsError as error:
        return f"{type(error).__name__}: {error}"
