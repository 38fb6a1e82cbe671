"""The child process: bound itself, have one model answer the rows on stdin, write one number per row to stdout.

Arguments: the model, the number of inputs, then the limits on memory (bytes of address space) and CPU (seconds).
Rows and answers are float32 in this machine's byte order.
"""

import sys
from pathlib import Path

import numpy as np

from activities.adapters.child_process import NO_MEMORY, REFUSED, bound
from activities.adapters.onnx_scoring.session import Scorer
from models.errors import InvalidInputError


def main(model: str, columns: int, memory: int, cpu: int) -> int:
    """Write the answers, or the reason why there are none; the exit status."""
    bound(memory, cpu)
    try:
        rows = np.frombuffer(sys.stdin.buffer.read(), dtype=np.float32).reshape(-1, columns)
        sys.stdout.buffer.write(Scorer(Path(model), columns).score(rows).tobytes())
    except MemoryError:
        return NO_MEMORY
    except InvalidInputError as error:
        sys.stdout.write(str(error))
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:5])))
