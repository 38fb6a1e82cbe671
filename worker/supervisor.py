"""`modelops up`: starts the embedded default, keeps it running, stops it in order."""

import asyncio
import contextlib
import fcntl
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import httpx2
from pydantic import SecretStr

from activities.adapters.child_process import die_with_parent
from activities.adapters.sql_migration import migrate
from models.errors import InvalidInputError, UnavailableError
from worker.embedded import WITHHELD, Program, waves
from worker.patience import Patience, Work, processor_time
from worker.settings import Settings

READY_WITHIN = 60.0
READY_AT_MOST = 600.0
"""A program that is at work may take longer than usual: on a busy machine everything does."""
_SOON, _ASK_SOON, _ASK_LATER = 5.0, 0.05, 0.5
"""Whoever is asked too often is at work for that alone."""
_BUSY = "; if this machine has much else to do, run `modelops up` again when it has less"
RESTART_AFTER = 0.5
RESTART_AT_MOST = 30.0
STEADY_AFTER = 30.0
STOP_WITHIN = 10.0

Say = Callable[[str], None]
"""Progress in words, for the person at the terminal."""


async def supervise(settings: Settings, say: Say, ready: Callable[[], None]) -> None:
    """Run every program until SIGINT or SIGTERM; one that dies is started again. `ready` is called when all answer."""
    root = settings.root
    with _locked(root):
        settings = _with_token(settings)
        wanted = waves(settings)
        _refuse_taken_ports([program for wave in wanted for program in wave])
        migrate(settings.database)
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        started: list[list[_Child]] = []
        try:
            for wave in wanted:
                say(f"starting {', '.join(program.name for program in wave)} ...")
                started.append([_Child(program, root, say) for program in wave])
                await asyncio.gather(*(child.start(stop) for child in started[-1]))
            if not stop.is_set():
                ready()
            await stop.wait()
        finally:
            for children in reversed(started):
                await asyncio.gather(*(child.stop() for child in children))


class _Child:
    """One supervised program."""

    def __init__(self, program: Program, root: Path, say: Say) -> None:
        self.program = program
        self._say = say
        self._log = root / "logs" / f"{program.name}.log"
        self._pid = root / "run" / f"{program.name}.pid"
        self._process: asyncio.subprocess.Process | None = None
        self._logged = 0
        self._keeper: asyncio.Task[None] | None = None

    async def start(self, stop: asyncio.Event) -> None:
        """Start, wait until it answers, and warn of what it cannot serve.

        UnavailableError with the end of its log if it does not answer.
        """
        await self._spawn()
        async with httpx2.AsyncClient(timeout=2.0, trust_env=False) as http:
            await self._until_ready(http, stop)
            self._keeper = asyncio.create_task(self._keep())
            if self.program.index and not stop.is_set():
                await self._warn(http)

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL."""
        if self._keeper:
            self._keeper.cancel()
        process = self._process
        if process and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_WITHIN)
            except TimeoutError:
                process.kill()
                await process.wait()
        self._pid.unlink(missing_ok=True)

    async def _spawn(self) -> None:
        with self._log.open("ab") as log:
            self._logged = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *self.program.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**_environment(), **self.program.environment},
                preexec_fn=partial(die_with_parent, signal.SIGTERM),
            )
        self._pid.write_text(str(self._process.pid))

    async def _until_ready(self, http: httpx2.AsyncClient, stop: asyncio.Event) -> None:
        patience, answered = Patience(time.monotonic(), READY_WITHIN, READY_AT_MOST), "nothing"
        while not stop.is_set():
            if self._process and self._process.returncode is not None:
                raise self._did_not_start(f"ended with status {self._process.returncode}", "")
            now = time.monotonic()
            if patience.is_due(now):
                how = f"did not answer 200 at {self.program.ready} within {patience.waited(now):.0f} s, but {answered}"
                if patience.is_over(now, self._work()):
                    raise self._did_not_start(how, _BUSY)
                self._say(f"{self.program.name} {how}; it is at work, and is waited for ({self._log})")
            try:
                answered = str((await http.get(self.program.ready)).status_code)
                if answered == "200":
                    return
            except httpx2.TransportError:
                pass
            await asyncio.sleep(_ASK_SOON if patience.waited(now) < _SOON else _ASK_LATER)

    def _work(self) -> Work:
        seconds = processor_time(self._process.pid) if self._process else 0
        return Work(seconds, self._log.stat().st_size - self._logged)

    async def _warn(self, http: httpx2.AsyncClient) -> None:
        """Say which versions an inference server should serve and cannot; the others do not wait for them."""
        with contextlib.suppress(httpx2.HTTPError):
            for entry in (await http.post(self.program.index)).raise_for_status().json():
                if entry["version"] and entry["state"] != "READY":
                    what = f"version {entry['version']} of model '{entry['name']}'"
                    self._say(f"warning: {self.program.name} cannot serve {what}: {entry['reason']}")

    async def _keep(self) -> None:
        pause = RESTART_AFTER
        while self._process:
            began = time.monotonic()
            status = await self._process.wait()
            pause = RESTART_AFTER if time.monotonic() - began > STEADY_AFTER else min(pause * 2, RESTART_AT_MOST)
            self._say(
                f"{self.program.name} ended with status {status}; it is started again in {pause:g} s ({self._log})"
            )
            await asyncio.sleep(pause)
            await self._spawn()

    def _did_not_start(self, how: str, hint: str) -> UnavailableError:
        """With the end of what it has said since it was started: its log is that of all starts."""
        with self._log.open("rb") as log:
            log.seek(self._logged)
            lines = log.read().decode(errors="replace").splitlines()[-3:]
        said = f"the last that it said: {' | '.join(lines)}" if lines else "it has said nothing"
        return UnavailableError(f"{self.program.name} {how}; {said}", f"its log is {self._log}{hint}")


def _with_token(settings: Settings) -> Settings:
    """With a fresh deploy token, unless one is configured; whoever may read the file may deploy."""
    if settings.deploy_token:
        return settings
    token, file = secrets.token_urlsafe(32), settings.root / "run" / "deploy-token"
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(token)
    return settings.model_copy(update={"deploy_token": SecretStr(token)})


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in WITHHELD}


def _refuse_taken_ports(wanted: Sequence[Program]) -> None:
    taken = [(port, program.name, name) for program in wanted for port, name in program.ports.items() if _taken(port)]
    if taken:
        port, program, variable = taken[0]
        raise UnavailableError(
            f"port {port}, which {program} needs, is in use by another program",
            f"stop that program, or choose another port with {variable}",
        )


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


@contextlib.contextmanager
def _locked(root: Path) -> Iterator[None]:
    """The data folder, with the folders in it that must be there; one `modelops up` for each."""
    try:
        for folder in ("logs", "run", "windows"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        file = (root / "run" / "up.lock").open("w")
    except OSError as error:
        raise InvalidInputError(
            f"data cannot be kept in {root}: {error.strerror}", "set MODELOPS_HOME to a folder that you may write to"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InvalidInputError(
                f"another `modelops up` is running on {root}",
                "use that one, or set MODELOPS_HOME to another folder",
            ) from error
        yield
