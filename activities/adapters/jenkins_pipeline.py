"""A job of Jenkins, with the parameters MODELOPS_RUN and MODELOPS_REQUEST; it archives `result.json`.

https://www.jenkins.io/doc/book/using/remote-access-api/
"""

import base64
from collections.abc import Callable

from pydantic import BaseModel, Field

from activities.adapters.ci_http import CiHttp
from activities.adapters.ci_runs import RESULT, Fate, Run

_QUEUED = "queue-"
_PARAMETERS = "actions[parameters[name,value]]"
_BUILD = f"number,building,result,url,{_PARAMETERS}"


class _Parameter(BaseModel):
    name: str = ""
    value: str | bool | float | None = None


class _Action(BaseModel):
    parameters: tuple[_Parameter, ...] = ()


class _Asked(BaseModel):
    actions: tuple[_Action, ...] = ()

    def is_named(self, name: str) -> bool:
        given = [one for action in self.actions for one in action.parameters]
        return any((one.name, one.value) == ("MODELOPS_RUN", name) for one in given)


class _Build(_Asked):
    number: int
    building: bool
    result: str | None = None
    url: str = ""

    def told(self) -> Run:
        over = Fate.SUCCEEDED if self.result == "SUCCESS" else Fate.FAILED
        running = self.building or self.result is None
        return Run(str(self.number), Fate.RUNNING if running else over, self.url)


class _Builds(BaseModel):
    builds: tuple[_Build, ...] = ()


class _Executable(BaseModel):
    number: int


class _Item(_Asked):
    id: int
    cancelled: bool = False
    executable: _Executable | None = None


class _Queue(BaseModel):
    items: tuple[_Item, ...] = Field(default=())


class JenkinsPipeline:
    """Fits `Pipeline`. `job` is its path, as in `team/train`; `user` and the API token tell who asks."""

    def __init__(self, url: str, job: str, user: str, token: Callable[[], str]) -> None:
        def who() -> dict[str, str]:
            return {"authorization": "Basic " + base64.b64encode(f"{user}:{token()}".encode()).decode()}

        self._http = CiHttp(url, who)
        self._job = "".join(f"/job/{part}" for part in job.split("/"))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def find(self, name: str) -> Run | None:
        """The newest build of that name, or the place in the queue where it waits."""
        found = self._http.read(_Builds, "GET", f"{self._job}/api/json", params={"tree": f"builds[{_BUILD}]{{0,100}}"})
        for build in found.builds:
            if build.is_named(name):
                return build.told()
        queue = self._http.read(_Queue, "GET", "/queue/api/json", params={"tree": f"items[id,{_PARAMETERS}]"})
        return next((self._queued(item.id) for item in queue.items if item.is_named(name)), None)

    def dispatch(self, name: str, request: str) -> Run | None:
        """Queue a build; Jenkins answers where it waits."""
        form = {"MODELOPS_RUN": name, "MODELOPS_REQUEST": request}
        answered = self._http.send("POST", f"{self._job}/buildWithParameters", form=form)
        number = (answered.place or "").rstrip("/").rpartition("/")[2]
        return self._queued(int(number)) if number.isdigit() else None

    def look(self, run: Run) -> Run:
        """The build as it is now, or where it waits."""
        if not run.id.startswith(_QUEUED):
            return self._http.read(_Build, "GET", f"{self._job}/{run.id}/api/json", params={"tree": _BUILD}).told()
        item = self._http.read(_Item, "GET", f"/queue/item/{run.id.removeprefix(_QUEUED)}/api/json")
        if item.executable:
            return self.look(run._replace(id=str(item.executable.number)))
        return run._replace(fate=Fate.FAILED) if item.cancelled else run

    def cancel(self, run: Run) -> None:
        """Stop the build, or take it out of the queue."""
        now = self.look(run)
        if now.fate is not Fate.RUNNING:
            return
        if now.id.startswith(_QUEUED):
            self._http.send("POST", "/queue/cancelItem", params={"id": now.id.removeprefix(_QUEUED)})
        else:
            self._http.send("POST", f"{self._job}/{now.id}/stop")

    def collect(self, run: Run) -> bytes:
        """The archived `result.json`: what it names is pinned by digest, and compared when it is fetched."""
        return self._http.send("GET", f"{self._job}/{run.id}/artifact/{RESULT}").content

    def _queued(self, number: int) -> Run:
        return Run(f"{_QUEUED}{number}", Fate.RUNNING, f"{self._http.url}/queue/item/{number}/")
