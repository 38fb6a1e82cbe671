"""`modelops up` starts an inference server that dies again, and it divides requests as before."""

import asyncio
import contextlib
import json
import os
import signal
import time
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr

from activities.adapters.oip_deployer import OipDeployer
from models.environments import usual_environments
from models.inventory import Environment
from models.traffic import Split, is_challenged
from tests.contract.serving import PROD, TOKEN, Shop, constant, free_port, new_key, request_of
from tests.packing import MODEL
from worker import supervisor
from worker.embedded import waves
from worker.settings import Settings


async def test_a_division_survives_the_death_of_its_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed without warning, the server comes back by itself with champion, challenger and share."""
    ports = [free_port() for _ in Environment]
    url = f"http://127.0.0.1:{ports[-1]}"
    (tmp_path / "environments.yaml").write_text(usual_environments(ports).model_dump_json(exclude_none=True))
    settings = Settings(home=tmp_path, deploy_token=SecretStr(TOKEN), bundle_key=tmp_path / "artifacts" / "bundle.key")
    (alone,) = (program for wave in waves(settings) for program in wave if program.name == f"inference-{PROD}")
    monkeypatch.setattr(supervisor, "waves", lambda _: ((alone,),))
    monkeypatch.setattr(supervisor, "migrate", lambda _: None)
    monkeypatch.setattr(supervisor, "RESTART_AFTER", 0.02)
    ready = asyncio.Event()
    supervised = asyncio.create_task(supervisor.supervise(settings, lambda _: None, ready.set))
    try:
        await asyncio.wait_for(ready.wait(), 60)
        split = await asyncio.to_thread(_divide, url, Shop(settings.store))
        os.kill(int((tmp_path / "run" / f"{alone.name}.pid").read_text()), signal.SIGKILL)
        units = [f"customer-{number}" for number in range(30)]
        answered = {unit: await asyncio.to_thread(_version, url, unit) for unit in units}
        assert answered == {unit: 2 if is_challenged(unit, split) else 1 for unit in units}
    finally:
        supervised.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await supervised
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().remove_signal_handler(number)


def _divide(url: str, shop: Shop) -> Split:
    deployer = OipDeployer({PROD: url}, TOKEN, timeout=30)
    bundles = {version: shop.bundle(version, constant(version / 10)) for version in (1, 2)}
    split = Split(version=2, bundle=bundles[2], share=50)
    deployer.deploy(PROD, MODEL, 1, bundles[1], new_key())
    deployer.divide(PROD, MODEL, split, new_key())
    deployer.close()
    return split


def _version(url: str, unit: str) -> int:
    """Who answers a unit, as soon as anybody does."""
    body = json.dumps({**request_of([[1, 2, 3]]), "id": unit}).encode()
    for _ in range(300):
        try:
            answer = httpx2.post(f"{url}/v2/models/{MODEL}/infer", content=body, timeout=30).raise_for_status()
        except httpx2.TransportError:
            time.sleep(0.1)
        else:
            return int(answer.json()["model_version"])
    raise AssertionError("nobody answers")
