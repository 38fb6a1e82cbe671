"""`python -m worker.clearance`: answers pipelines whether a digest may enter an environment, and takes pushed values.

It reads the record and signs with the key of the notary; it has no deploy token, and changes nothing but the
values that applications send. It listens on this machine alone: who else may ask is for whatever stands before it to
say.
"""

import socket
import sys
from functools import partial
from urllib.parse import urlsplit

import uvicorn

from activities.adapters.file_notary import FileNotary
from activities.adapters.github_app import GithubApp
from activities.adapters.github_reviews import GithubReviews
from activities.adapters.sql_inventory import SqlInventory
from activities.clearance import Clearances
from models.environments import Credentials
from models.errors import UnavailableError
from worker.clearance_app import ClearanceApp
from worker.directories import directory_of
from worker.environments import environments_of
from worker.github_gate import GithubGate
from worker.keeping import checkpoints_of
from worker.process import run
from worker.push_desk import desk_of
from worker.settings import Settings, read_secret


def choose_clearances(settings: Settings) -> Clearances:
    """The real parts, as configured; the key is made if there is none."""
    inventory = SqlInventory(settings.database)
    notary = FileNotary(inventory, checkpoints_of(settings), settings.notary, settings.audience)
    notary.introduce()
    directory = directory_of(settings, settings.database)
    return Clearances(inventory, directory, environments_of(settings).minimum, notary, settings.audience)


def choose_github(settings: Settings, clearances: Clearances) -> GithubGate | None:
    """The App that answers GitHub, if one is configured."""
    chosen = settings.github
    if chosen is None:
        return None
    reviews = GithubReviews(GithubApp(chosen.api, chosen.app, chosen.key))
    return GithubGate(reviews, clearances, partial(read_secret, Credentials(env=chosen.secret)), chosen.environments)


async def serve(settings: Settings) -> None:
    """Answer until SIGINT or SIGTERM."""
    clearances = choose_clearances(settings)
    others = desk_of(settings).routes()
    app = ClearanceApp(clearances, choose_github(settings, clearances), others).build()
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=5)
    with _listen(urlsplit(settings.clearance).port or 80) as listener:
        await uvicorn.Server(config).serve(sockets=[listener])


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise UnavailableError(
            f"port {port} for clearances cannot be opened: {error.strerror}",
            "stop what uses it, or set MODELOPS_CLEARANCE",
        ) from error


if __name__ == "__main__":
    sys.exit(run(serve))
