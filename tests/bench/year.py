"""A virtual year of a watched model on the kernel: looks every hour, faults, remedies, people who take their time.

A look that finds nothing is no event of the lifecycle: a schedule judges it elsewhere. So it is counted, and only looks
that fail are judged and reported as they would be. Whatever is due within an hour happens in it, in this order: timers,
the work of the steps, people, the look.
"""

from datetime import datetime, timedelta
from random import Random

from models.deadlines import pending
from models.evidence import StepKind
from models.inventory import Environment
from models.lifecycle import Step
from models.messages import Action, Breach, Breached, RunStep, TimerFired
from models.monitoring import is_breach
from models.plan import Plan
from models.state import AS_JSON, Phase
from tests.unit.kernel_world import World
from tests.unit.test_lifecycle_properties import check

YEAR, HOUR = timedelta(days=365), timedelta(hours=1)
FAULT_EVERY, FAULT_LASTS = 120 * 24, 20 * 24
"""Hours between faults and of a fault that nothing mends, in the mean."""
TRAINING = 6
DECIDES, RETRIES, SUBMITS, FAILS = 1 / 12, 1 / 6, 1 / 48, 1 / 200
"""How probable it is within an hour that one person decides, retries, submits; and of a step, that it fails."""
MENDS = 0.7
"""How often another champion is free of the fault of the one before."""


class Year:
    """One model. `looks`, `failing`, `breaches` are counts; `trained` and `suspended` say when, by monitor."""

    def __init__(self, plan: Plan, seed: int) -> None:
        self.plan = plan
        self.world = World(plan)
        self.looks = self.failing = self.breaches = self.told = self.largest = 0
        self.trained = dict[str, list[datetime]]()
        self.suspended = 0
        self._random = Random(seed)
        self._watch = plan.monitors[seed % len(plan.monitors)] if seed % 3 == 0 else plan.monitors[0]
        self._verdicts: list[str] = []
        self._training = 0

    def live(self) -> "Year":
        """To the end of the year; every promise of the kernel is checked after every event."""
        world, random = self.world, self._random
        world.to_production()
        end, begins = world.now + YEAR, self._hours(FAULT_EVERY)
        ends, champion = 0, self._champion
        while world.now < end:
            if not (ends or self._busy()):
                quiet = min(begins, max(1, (end - world.now) // HOUR))
                world.now, self.looks = world.now + quiet * HOUR, self.looks + quiet * self._checks
                begins -= quiet
                if begins <= 0:
                    ends, begins = self._hours(FAULT_LASTS), self._hours(FAULT_EVERY)
                continue
            world.now += HOUR
            self._timers()
            self._work()
            self._people()
            if self._champion != champion:
                champion, self._verdicts = self._champion, []
                ends = 0 if random.random() < MENDS else ends
            self._look(ends > 0)
            ends = max(0, ends - 1)
        return self

    @property
    def _champion(self) -> int | None:
        return self.world.state.champion.number if self.world.state.champion else None

    @property
    def _checks(self) -> int:
        return len(self.plan.monitors)

    def _hours(self, mean: int) -> int:
        return 1 + int(self._random.expovariate(1 / mean))

    def _busy(self) -> bool:
        return self.world.state.phase is not Phase.STEADY

    def _say(self, body: TimerFired | Breached) -> Step:
        before = self.world.state
        return self._checked(before, self.world.say(body, timedelta(0)))

    def _checked(self, before: object, last: Step) -> Step:
        check(self.world, before, last)  # type: ignore[arg-type]
        self.largest = max(self.largest, len(self.world.state.remedies))
        return last

    def _timers(self) -> None:
        for _ in range(20):
            due = [one for one in pending(self.plan, self.world.state) if one.due <= self.world.now]
            if not due:
                return
            self._say(TimerFired(visit=self.world.state.visit, timer=due[0].timer))

    def _work(self) -> None:
        """Steps take no hour, but for training."""
        world = self.world
        while order := world.state.in_flight:
            if order.kind is StepKind.TRAIN:
                self._training += 1
                if self._training < TRAINING:
                    return
                self._training = 0
            before, now = world.state, world.now
            last = world.fail() if self._random.random() < FAILS else world.answer()
            world.now = now
            self._checked(before, last)

    def _people(self) -> None:
        world, chance = self.world, self._random.random()
        before, now = world.state, world.now
        match before.phase:
            case Phase.DECIDING if before.gate and chance < DECIDES:
                world.approve_one()
            case Phase.STUCK if chance < RETRIES:
                world.ask(Action.RETRY)
            case Phase.AWAITING_VERSION if chance < SUBMITS:
                world.submit()
            case _:
                return
        world.now = now
        self._work()

    def _look(self, faulty: bool) -> None:
        """Every monitor looks; the one that watches what is at fault fails, if something serves."""
        world = self.world
        if Environment.PROD not in world.state.serving:
            return
        self.looks += self._checks
        self._verdicts = [*self._verdicts[-50:], "fail" if faulty else "pass"]
        if not faulty:
            return
        self.failing += 1
        if not is_breach(self._watch, self._verdicts):
            return
        self.breaches += 1
        found = Breach(monitor=self._watch.id, window=f"{world.now:%Y-%m-%dT%H}", reasons=("drift 0.4",))
        last = self._say(Breached(breach=found))
        self.told += last.refusal is None
        begun = [command.order.kind for command in last.commands if isinstance(command, RunStep)]
        if StepKind.TRAIN in begun:
            self.trained.setdefault(self._watch.id, []).append(world.now)
        self.suspended += StepKind.STOP_SERVING in begun
        self._work()

    @property
    def bytes(self) -> int:
        """Of the state as it travels into the next run."""
        return len(AS_JSON.dump_json(self.world.state))
