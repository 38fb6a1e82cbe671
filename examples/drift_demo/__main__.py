"""`python -m examples.drift_demo`: a year of flights, then a quiet one; opens the report, or with `--exit` names it."""

import sys
import time
import webbrowser

from client.api import Modelops
from examples.demo.performance import perform
from examples.demo.premises import EXAMPLES, Premises
from examples.demo.voice import act, tell
from examples.drift_demo.year import MODEL, Year
from worker.settings import PROJECT

HOME = PROJECT / ".modelops-drift"


async def play(leave: bool) -> None:
    """The whole demo."""
    began = time.monotonic()
    premises = Premises(HOME, EXAMPLES / "flight_delay")
    premises.clear()
    settings = premises.settings()
    act("modelops up: the Temporal dev server, inference servers, a worker, its actuator")
    async with premises.running(), Modelops.connect(settings) as modelops:
        report = await Year(modelops, premises, MODEL).tell_all()
    act(f"Done in {time.monotonic() - began:.0f} s")
    tell(f"The report: {report}")
    if not leave and not webbrowser.open(report.as_uri()):
        tell("No browser could be opened; open the file in yours.")


if __name__ == "__main__":
    perform(play("--exit" in sys.argv[1:]), HOME)
