"""A child process that bounds itself, and then becomes another Python program.

Arguments: limits on memory (bytes of address space) and CPU (seconds), then the module that it becomes and its own.
"""

import os
import sys

from activities.adapters.child_process import bound


def main(memory: int, cpu: int, *program: str) -> None:
    """Become the program; the limits stay."""
    bound(memory, cpu)
    os.execv(sys.executable, [sys.executable, "-I", "-B", "-m", *program])  # noqa: S606 - no shell, our own interpreter


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
