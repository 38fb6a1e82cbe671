"""Child processes: modules of ours that run within limits, and none that outlives its parent."""

import ctypes
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

REFUSED = 3
"""Exit status of a module of ours: what it was given cannot be used, and its stdout says why."""

NO_MEMORY = 4
"""Exit status of a module of ours: it would need more memory than it may have."""

NOT_ISOLATED = 5
"""Exit status of a module of ours: it could reach a network, and so it read nothing."""

_ROOT = Path(__file__).resolve().parents[2]
# Isolated mode finds no module of ours by itself, so the child is told the one folder where they are.
_BOOT = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); runpy.run_module(sys.argv.pop(1), run_name='__main__')"
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"}
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def run_module(
    module: str, arguments: Sequence[str], timeout: float, given: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run a module of ours with some bytes on stdin and keep its stdout; TimeoutError when its seconds are up."""
    try:
        child = subprocess.run(  # noqa: S603 - our own module under our own interpreter
            _command(module, arguments),
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    if child.returncode == -signal.SIGXCPU:
        raise TimeoutError
    return child


def start_module(module: str, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a module of ours that reads stdin, until that ends, and writes to stdout."""
    return subprocess.Popen(  # noqa: S603 - our own module under our own interpreter
        _command(module, arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_ENVIRONMENT,
    )


def _command(module: str, arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-I", "-B", "-c", _BOOT, str(_ROOT), module, *arguments]


def bound(memory: int, cpu: int) -> None:
    """The limits, for a process that ends with its parent."""
    die_with_parent(signal.SIGKILL)
    limit(memory, cpu)


def limit(memory: int, cpu: int | None) -> None:
    """Limits for the rest of this process, on bytes of address space and, if there is one, on seconds of CPU.

    It cannot write a file, nor leave a core.
    """
    if cpu is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform != "darwin":  # where the kernel refuses to bound the address space
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def isolate() -> None:
    """Take from the rest of this process every file, program and network that it has not opened yet.

    It may open no descriptor any more, which no unprivileged process can undo, and where the kernel lets it, it is
    alone in a network of its own. It ends with status NOT_ISOLATED if it could open a socket all the same.
    """
    if sys.platform == "linux":
        _LIBC.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    try:
        socket.socket().close()
    except OSError:
        return
    sys.exit(NOT_ISOLATED)


def die_with_parent(number: signal.Signals) -> None:
    """Have this process (not its own children) get a signal when the thread that started it is gone; Linux alone."""
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, number)
