"""A real registry of its own: CNCF Distribution, on a free port, with one user."""

import shutil
import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path

import bcrypt
import httpx2
import pytest

from models.canonical import Digest
from tests.contract.serving import free_port

USER, PASSWORD = "modelops", "the-password-of-the-registry"
PROGRAM = "docker-registry"
_WITHIN = 20.0


def program() -> str:
    """Where the registry's program is; without it the test fails, because a skipped test proves nothing."""
    beside = Path(sys.executable).parent / PROGRAM
    found = shutil.which(PROGRAM) or (str(beside) if beside.exists() else None)
    if found is None:
        pytest.fail(
            f"{PROGRAM} is not installed. Fetch it with `make registry` (on Debian), or put it on the PATH.",
            pytrace=False,
        )
    return found


class Registry:
    """Its process, and the files in which it keeps everything."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.host = f"127.0.0.1:{free_port()}"
        self._files = folder / "data"
        password = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        (folder / "htpasswd").write_text(f"{USER}:{password}\n")
        (folder / "config.yml").write_text(
            f"{{version: '0.1', log: {{level: error}}, storage: {{filesystem: {{rootdirectory: '{self._files}'}},"
            f" delete: {{enabled: true}}}}, http: {{addr: '{self.host}', secret: tests}},"
            f" auth: {{htpasswd: {{realm: tests, path: '{folder}/htpasswd'}}}}}}"
        )
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [program(), "serve", str(folder / "config.yml")], stdout=log, stderr=log, cwd=folder
            )
        self._log = folder / "log"

    def start(self) -> None:
        """Wait until it answers."""
        until = time.monotonic() + _WITHIN
        while time.monotonic() < until and self._process.poll() is None:
            try:
                httpx2.get(f"http://{self.host}/v2/", trust_env=False)
                return
            except httpx2.TransportError:
                time.sleep(0.02)
        raise RuntimeError(f"the registry does not answer: {self._log.read_text()[-500:]}")

    def stop(self) -> None:
        """Be gone."""
        self._process.terminate()
        self._process.wait()

    def get(self, path: str, accept: str) -> httpx2.Response:
        """What it answers to its user."""
        basic = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        headers = {"accept": accept, "authorization": f"Basic {basic}"}
        return httpx2.get(f"http://{self.host}/v2/{path}", headers=headers, trust_env=False)

    def blob(self, digest: Digest) -> Path:
        """The file in which it keeps some bytes."""
        name = digest.removeprefix("sha256:")
        return self._files / "docker" / "registry" / "v2" / "blobs" / "sha256" / name[:2] / name / "data"
