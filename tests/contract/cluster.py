"""A Kubernetes API with KServe in it, over HTTP: objects, server-side apply, watches; revisions, traffic and status.

What it does is what the documentation of Kubernetes ("API Concepts", "Server-Side Apply") and the controller of KServe
(`inference_service_status.go`, `ksvc_reconciler.go`, serverless) say. It does it a moment later, as a cluster does.
"""

import json
import random
import threading
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer

from tests.contract.fuse import Fuse
from tests.contract.kubernetes import Handler, Thing

DELAY = 0.004
"""Seconds until the controller has seen a change, and again until a pod is up."""


@dataclass
class Revision:
    """One state of a service that was made into pods."""

    name: str
    template: Thing
    ready: bool | None = None

    @property
    def storage(self) -> str:
        """Where its model was taken from."""
        return str(self.template["predictor"]["model"]["storageUri"])


@dataclass
class Rollout:
    """What the controller knows of a service."""

    revisions: list[Revision] = field(default_factory=list)
    rolled_out: str = ""
    previous: str = ""


class Cluster:
    """One namespace. `models` tells of each bundle which score its model gives; None: it cannot be loaded."""

    def __init__(self) -> None:
        self.models: dict[str, float | None] = {}
        self.fuse = Fuse()
        self.forbidden = False
        self.made: list[str] = []
        self.things: dict[tuple[str, str], Thing] = {}
        self.rollouts: dict[str, Rollout] = {}
        self.changed = threading.Condition()
        self._version = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"cluster": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(0.02), daemon=True)

    def start(self) -> None:
        """Answer."""
        self._thread.start()

    def stop(self) -> None:
        """Be gone."""
        self._server.shutdown()
        self._server.server_close()

    def keep(self, kind: str, name: str, thing: Thing) -> Thing:
        """Store an object under a new resource version, and tell everybody who watches."""
        with self.changed:
            self._version += 1
            thing["metadata"]["resourceVersion"] = str(self._version)
            self.things[kind, name] = thing
            self.changed.notify_all()
        if kind == "inferenceservices":
            return json.loads(json.dumps(thing))  # type: ignore[no-any-return]
        return thing

    def apply(self, name: str, given: Thing) -> Thing:
        """One manager alone applies here: what it says is the whole of it."""
        with self.changed:
            known = self.things.get(("inferenceservices", name))
            same = known is not None and known["spec"] == given["spec"]
            generation = known["metadata"]["generation"] + (not same) if known else 1
            thing = {**given, "metadata": {**given["metadata"], "generation": generation}}
            if known:
                thing["status"] = known["status"]
            thing.setdefault("status", {})
            kept = self.keep("inferenceservices", name, thing)
        threading.Timer(DELAY, self._reconcile, (name,)).start()
        return kept

    def delete(self, kind: str, name: str) -> bool:
        """Whether there was such an object."""
        with self.changed:
            if kind == "inferenceservices":
                self.rollouts.pop(name, None)
            self.changed.notify_all()
            return self.things.pop((kind, name), None) is not None

    def traffic(self, name: str) -> dict[str, int]:
        """The bundles that answer, and the percentage of each."""
        thing = self.things.get(("inferenceservices", name))
        if thing is None:
            return {}
        found: dict[str, int] = {}
        for route in thing["status"]["components"]["predictor"]["traffic"]:
            bundle = self._digest(self.revision(route["revisionName"]))
            found[bundle] = found.get(bundle, 0) + route["percent"]
        return {bundle: percent for bundle, percent in found.items() if percent}

    def revision(self, name: str) -> Revision:
        """A revision by its name; KeyError."""
        known = {one.name: one for rollout in self.rollouts.values() for one in rollout.revisions}
        return known[name]

    def score(self, revision: Revision) -> float | None:
        """What its model answers."""
        return self.models[self._digest(revision)]

    def infer(self, where: str, name: str, request: Thing) -> Thing:
        """The answer of a revision, or of a service."""
        revision = self.revision(name) if where == "revisions" else self.chosen(name)
        return answer_of(self.score(revision), request)

    def chosen(self, service: str) -> Revision:
        """The revision that is given one request."""
        routes = self.things["inferenceservices", service]["status"]["components"]["predictor"]["traffic"]
        (route,) = random.choices(routes, weights=[one["percent"] for one in routes])
        return self.revision(route["revisionName"])

    def _digest(self, revision: Revision) -> str:
        return "sha256:" + revision.storage.removesuffix(".tar.gz")[-64:]

    def _reconcile(self, name: str) -> None:
        """The controller has seen a change."""
        with self.changed:
            thing = self.things.get(("inferenceservices", name))
            if thing is None:
                return
            rollout = self.rollouts.setdefault(name, Rollout())
            predictor = {
                key: value for key, value in thing["spec"]["predictor"].items() if key != "canaryTrafficPercent"
            }
            labels, annotations = thing["metadata"]["labels"], thing["metadata"]["annotations"]
            template = {"predictor": predictor, "labels": labels, "annotations": annotations}
            if not rollout.revisions or rollout.revisions[-1].template != template:
                revision = Revision(f"{name}-predictor-{len(rollout.revisions) + 1:05}", template)
                rollout.revisions.append(revision)
                source = {"internal.serving.kserve.io/storage-initializer-sourceuri": revision.storage}
                metadata = {"name": revision.name, "labels": labels, "annotations": {**annotations, **source}}
                self.keep("revisions", revision.name, {"metadata": metadata})
                self.made.append(self._digest(revision))
                threading.Timer(DELAY, self._started, (name, revision)).start()
            self._tell(name, thing, rollout)

    def _started(self, name: str, revision: Revision) -> None:
        with self.changed:
            thing, rollout = self.things.get(("inferenceservices", name)), self.rollouts.get(name)
            if thing and rollout:
                revision.ready = self.score(revision) is not None
                self._tell(name, thing, rollout)

    def _tell(self, name: str, thing: Thing, rollout: Rollout) -> None:
        latest = rollout.revisions[-1]
        ready = [one.name for one in rollout.revisions if one.ready]
        share = thing["spec"]["predictor"].get("canaryTrafficPercent")
        traffic = self._routes(share, ready[-1], rollout.rolled_out) if ready else []
        self._roll(rollout, traffic, latest.name)
        if traffic and share is not None and rollout.rolled_out:
            traffic = self._routes(share, ready[-1], rollout.rolled_out)
        said = {True: "True", False: "False", None: "Unknown"}[latest.ready]
        failed = {"message": "onnx: invalid model", "reason": "ModelLoadFailed", "modelRevisionName": latest.name}
        status = {
            "url": f"{self.url}/services/{name}",
            # as KServe does: the counter of a child
            "observedGeneration": len(rollout.revisions) + 7,
            "conditions": [{"type": kind, "status": said} for kind in ("Ready", "LatestDeploymentReady")],
            "components": {
                "predictor": {
                    "latestCreatedRevision": latest.name,
                    "latestReadyRevision": ready[-1] if ready else "",
                    "latestRolledoutRevision": rollout.rolled_out,
                    "previousRolledoutRevision": rollout.previous,
                    "traffic": traffic,
                }
            },
            "modelStatus": {
                "transitionStatus": {True: "UpToDate", False: "BlockedByFailedLoad", None: "InProgress"}[latest.ready],
                **({"lastFailureInfo": failed} if latest.ready is False else {}),
            },
        }
        self.keep("inferenceservices", name, {**thing, "status": status})

    def _routes(self, share: int | None, ready: str, rolled_out: str) -> list[Thing]:
        first = {"latestRevision": True, "revisionName": ready, "tag": "latest", "url": f"{self.url}/revisions/{ready}"}
        if share is None or not rolled_out:
            return [{**first, "percent": 100}]
        rest = {"latestRevision": False, "revisionName": rolled_out, "tag": "prev", "percent": 100 - share}
        return [
            {**first, "percent": share},
            *([{**rest, "url": f"{self.url}/revisions/{rolled_out}"}] if share < 100 else []),
        ]

    def _roll(self, rollout: Rollout, traffic: list[Thing], created: str) -> None:
        """Which revision counts as rolled out, as KServe keeps track of it."""
        shares: dict[str, int] = {}
        for route in traffic:
            shares[route["revisionName"]] = shares.get(route["revisionName"], 0) + route["percent"]
        for route in traffic:
            if not route["latestRevision"]:
                continue
            name, percent = route["revisionName"], route["percent"]
            if rollout.rolled_out != name and percent == 100:
                rollout.previous, rollout.rolled_out = rollout.rolled_out, name
            elif rollout.rolled_out == name == created and percent < 100 and shares[name] == 100 and rollout.previous:
                rollout.rolled_out = rollout.previous


def answer_of(score: float | None, request: Thing) -> Thing:
    """What a model that gives everybody the same score answers."""
    rows = request["inputs"][0]["shape"][0]
    outputs = [
        {"name": "score", "datatype": "FP32", "shape": [rows], "data": [score] * rows},
        {"name": "label", "datatype": "INT64", "shape": [rows], "data": [int((score or 0) >= 0.5)] * rows},
    ]
    return {"model_name": "any", "outputs": outputs}
