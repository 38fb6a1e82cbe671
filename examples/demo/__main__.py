"""`python -m examples.demo`: set up, tell the story, leave the Web UI open; with `--exit`, end by itself."""

import asyncio
import signal
import sys
import time

from client.api import Modelops
from examples.demo.performance import perform
from examples.demo.premises import Premises
from examples.demo.story import MODEL, Story
from examples.demo.voice import act, command, tell
from worker.settings import PROJECT, Settings

HOME = PROJECT / ".modelops-demo"


async def play(leave: bool) -> None:
    """The whole demo."""
    began = time.monotonic()
    premises = Premises(HOME)
    premises.clear()
    settings = premises.settings()
    act("modelops up: the Temporal dev server with Web UI, three inference servers, a worker, its actuator")
    async with premises.running(), Modelops.connect(settings) as modelops:
        tell(f"Web UI: {settings.temporal_ui}   data: {HOME.name}/")
        story = Story(modelops, premises, MODEL)
        await story.tell_all()
        act(f"Done in {time.monotonic() - began:.0f} s")
        if leave:
            tell("`make demo` without EXIT leaves the Web UI open, with a decision that is yours to make.")
        else:
            await story.one_more()
            look_at(modelops, settings)
            await linger()


def look_at(modelops: Modelops, settings: Settings) -> None:
    """Where to look, exactly."""
    tell(f"The lifecycle:   {modelops.link(MODEL)}")
    tell("                 tab User Metadata: the model card. Tab Timeline: every step as a sentence.")
    tell(f"All lifecycles:  {settings.temporal_ui}/namespaces/default/workflows")
    tell("                 filter: ModelopsPhase = 'deciding'   or   ModelopsWaitsFor = 'risk'")
    tell(f"Yours to decide: {modelops.link(MODEL + '-next')}")
    tell("                 its card says how. As dmitri, for example:")
    here = f"MODELOPS_HOME={settings.home.name} MODELOPS_TEMPORAL_ADDRESS={settings.temporal_address}"
    key = f"MODELOPS_WALLET={settings.home.name}/wallet MODELOPS_PASSPHRASE='only for the demo'"
    command(f"{here} {key} modelops decide {MODEL}-next independent-validation approve --as dmitri --reason 'Sound.'")
    command(f"{here} modelops list")


async def linger() -> None:
    """Until Ctrl-C."""
    act("The Web UI stays open. Ctrl-C ends the demo.")
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


if __name__ == "__main__":
    perform(play("--exit" in sys.argv[1:]), HOME)
