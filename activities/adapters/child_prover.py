"""Explores a plan in a bounded child process, so that neither its time nor its memory is the worker's."""

import json
import math
import sys

from activities.adapters.child_process import NO_MEMORY, REFUSED, bound, run_module
from models.errors import NotPermittedError, UnavailableError
from models.plan import Plan, Proof
from models.proof.certificate import prove

TIMEOUT = 600.0
"""Seconds for one plan."""

MEMORY = 4 << 30
"""Bytes of address space for one plan."""

_MADE = "have the compiler make the plan: `modelops template compile`"
_SMALLER = "make the template smaller: fewer stages, gates or roles"


class ChildProver:
    """Makes proofs, and keeps none."""

    def __init__(self, timeout: float = TIMEOUT, memory: int = MEMORY) -> None:
        self._timeout = timeout
        self._memory = memory

    def prove(self, plan: Plan) -> Proof:
        """Explore a plan; NotPermittedError if it breaks a promise, or needs more time or memory than there is."""
        limits = (str(self._memory), str(math.ceil(self._timeout)))
        try:
            child = run_module(__name__, limits, self._timeout, plan.model_dump_json().encode())
        except TimeoutError:
            message = f"the plan of '{plan.template}' was not explored within {self._timeout:g} seconds"
            raise NotPermittedError(message, _SMALLER) from None
        if child.returncode == NO_MEMORY:
            message = f"the plan of '{plan.template}' needs more than {self._memory / (1 << 30):g} GiB to be explored"
            raise NotPermittedError(message, _SMALLER)
        if child.returncode == REFUSED:
            raise NotPermittedError(*json.loads(child.stdout))
        if child.returncode != 0:
            ended = f"the exploration of '{plan.template}' ended abnormally (exit status {child.returncode})"
            killed = child.returncode < 0
            raise UnavailableError(ended, "it is tried again") if killed else NotPermittedError(ended, _MADE)
        return Proof.model_validate_json(child.stdout)


def main(memory: int, cpu: int) -> int:
    """Write the proof of the plan on stdin, or why there is none; the exit status."""
    bound(memory, cpu)
    try:
        sys.stdout.write(prove(Plan.model_validate_json(sys.stdin.buffer.read())).model_dump_json())
    except MemoryError:
        return NO_MEMORY
    except NotPermittedError as error:
        sys.stdout.write(json.dumps([str(error), error.remedy]))
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
