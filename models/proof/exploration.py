"""Exhaustive exploration: the real kernel is run through everything that can happen to a plan, breadth first.

Explicit-state model checking (Clarke, Grumberg and Peled, "Model Checking", 1999) of `models.lifecycle.step` itself.
Breadth first, so that a counter-example is one of the shortest.
"""

from array import array
from collections.abc import Callable, Hashable
from typing import Literal

from models.admission import refuse
from models.canonical import Frozen
from models.emergency import UNREVIEWED
from models.lifecycle import step
from models.plan import Plan
from models.proof.invariants import broken_by_state, broken_by_step
from models.proof.moves import BEGIN, Move, Moves
from models.proof.symmetry import MODEL, OWNER, Symmetry
from models.state import AS_JSON, Phase, State, change

AT_MOST = 200_000
"""States that are explored unless somebody allows more; a plan with more is not proved."""

_RESTING = frozenset({Phase.AWAITING_VERSION, Phase.DECIDING, Phase.STUCK, Phase.STEADY, Phase.ENDED})


class CounterExample(Frozen):
    """A promise that a plan breaks, and one of the shortest ways there."""

    broken: str
    story: tuple[str, ...]


class Exploration(Frozen):
    """What was seen. It is a proof only if the outcome is `proved`; `depth` is the longest shortest way to a state."""

    outcome: Literal["proved", "broken", "incomplete"]
    states: int
    transitions: int
    depth: int
    counter_example: CounterExample | None = None


class _Broken(Exception):
    """A promise does not hold: `number` is the last state before, `last` what happened then."""

    def __init__(self, broken: str, number: int, last: str = "") -> None:
        super().__init__(broken)
        self.broken, self.number, self.last = broken, number, last


def explore(plan: Plan, at_most: int = AT_MOST) -> Exploration:
    """Everything that can happen to a lifecycle on a plan; stops at the first broken promise."""
    explorer = Explorer(plan)
    try:
        complete = explorer.run(at_most)
        if complete:
            explorer.demand_ways()
    except _Broken as found:
        example = CounterExample(broken=found.broken, story=explorer.story(found.number, found.last))
        return explorer.report("broken", example)
    return explorer.report("proved" if complete else "incomplete")


class Explorer:
    """Every state that was met, how it was met first, and what leads to it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._states: list[State] = []
        self._known: dict[Hashable, int] = {}
        self._parents, self._depths = array("l"), array("l")
        self._words: list[str] = []
        self._from, self._to = array("l"), array("l")
        self._moves = Moves(plan)
        self._symmetry = Symmetry(plan)
        self._shapes: set[Hashable] = set()

    def run(self, at_most: int) -> bool:
        """Meet every state; False if there are more than `at_most`."""
        self._follow(BEGIN, State(model=MODEL, owner=OWNER), -1)
        number = 0
        while number < len(self._states):
            if len(self._states) > at_most:
                return False
            state = self._states[number]
            self._follow(BEGIN, state, number)
            for move, at in self._moves.stale(state):
                if refuse(self._plan, at, move.event) is None:
                    raise _Broken("something stale was taken", number, move.words)
            for move, at in self._moves.possible(state):
                self._follow(move, at, number)
            number += 1
        return True

    def knows(self, state: State) -> bool:
        """Whether a state was met, or one that behaves alike."""
        return self._symmetry.fingerprint(state) in self._known

    def _follow(self, move: Move, state: State, parent: int) -> None:
        answer = step(self._plan, state, move.event)
        if broken := broken_by_step(self._plan, state, move.event, answer):
            raise _Broken(broken, parent, move.words)
        if answer.refusal is None:
            self._meet(answer.state, parent, move.words)
        if state.glass and answer.state.failure and answer.state.failure.type == UNREVIEWED:
            self._follow(move, change(state, glass=None), parent)

    def _meet(self, state: State, parent: int, words: str) -> None:
        mark = self._symmetry.fingerprint(state)
        number = self._known.setdefault(mark, len(self._states))
        if parent >= 0:
            self._from.append(parent)
            self._to.append(number)
        if number < len(self._states):
            return
        state = self._symmetry.rename(state)
        self._states.append(state)
        self._parents.append(parent)
        self._words.append(words)
        self._depths.append(self._depths[parent] + 1 if parent >= 0 else 0)
        if broken := broken_by_state(self._plan, state) or self._broken_by_a_crash(state):
            raise _Broken(broken, number)

    def _broken_by_a_crash(self, state: State) -> str | None:
        """A state is the same after it was written down and read again; asked once for each shape of state."""
        values = vars(state).values()
        shape = (state.phase, *map(type, values), *map(bool, values))
        if shape in self._shapes:
            return None
        self._shapes.add(shape)
        same = AS_JSON.validate_json(AS_JSON.dump_json(state)) == state
        return None if same else "the state is another one after it was written down and read again"

    def demand_ways(self) -> None:
        """Wherever it is, a lifecycle can come to rest, and to its end; a version can come to production at all."""
        if not any(state.phase is Phase.STEADY for state in self._states):
            raise _Broken("no version ever comes to production", 0)
        self._demand_a_way(lambda state: state.phase in _RESTING, "nothing that it waits for can come about")
        self._demand_a_way(lambda state: state.phase is Phase.ENDED, "retirement cannot be reached any more")

    def _demand_a_way(self, is_goal: Callable[[State], bool], broken: str) -> None:
        """From every state, one that is a goal can be reached."""
        before: list[list[int]] = [[] for _ in self._states]
        for start, end in zip(self._from, self._to, strict=True):
            before[end].append(start)
        ahead = [number for number, state in enumerate(self._states) if is_goal(state)]
        reached = bytearray(len(self._states))
        for number in ahead:
            reached[number] = 1
        while ahead:
            for start in before[ahead.pop()]:
                if not reached[start]:
                    reached[start] = 1
                    ahead.append(start)
        if (lost := reached.find(0)) >= 0:
            raise _Broken(broken, lost)

    def story(self, number: int, last: str) -> tuple[str, ...]:
        """How a state was met first, told from the beginning."""
        lines = [last] if last else []
        while number >= 0:
            state = self._states[number]
            lines.append(f"{self._words[number]}: {state.stage}, {state.phase.replace('_', ' ')}")
            number = self._parents[number]
        return tuple(reversed(lines))

    def report(
        self, outcome: Literal["proved", "broken", "incomplete"], example: CounterExample | None = None
    ) -> Exploration:
        """What was seen so far."""
        return Exploration(
            outcome=outcome,
            states=len(self._states),
            transitions=len(self._to),
            depth=max(self._depths, default=0),
            counter_example=example,
        )
