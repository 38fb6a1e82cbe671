"""What an exploration that held is worth later: a proof of one plan, for one compiler and one kernel."""

from models.canonical import digest
from models.errors import NotPermittedError
from models.plan import COMPILER, KERNEL, Plan, Proof
from models.proof.exploration import AT_MOST, Exploration, explore


def prove(plan: Plan, at_most: int = AT_MOST) -> Proof:
    """Explore a plan; NotPermittedError, with the shortest story, unless every promise holds in every state."""
    return certify(plan, explore(plan, at_most))


def certify(plan: Plan, explored: Exploration) -> Proof:
    """The proof that an exploration is; NotPermittedError if it is none."""
    if explored.outcome == "proved":
        return Proof(
            plan=digest(plan),
            compiler=COMPILER,
            kernel=KERNEL,
            states=explored.states,
            transitions=explored.transitions,
            depth=explored.depth,
        )
    example = explored.counter_example
    if example is None:
        message = f"the plan of '{plan.template}' has more than {explored.states} states: a part of them is no proof"
        raise NotPermittedError(message, "allow more with `--at-most`, or make the template smaller")
    story = "\n".join(f"  {number}. {line}" for number, line in enumerate(example.story, 1))
    raise NotPermittedError(f"the plan of '{plan.template}' breaks a promise: {example.broken}\n{story}")
