"""How a model is spelt as an InferenceService of KServe (serving.kserve.io/v1beta1), and how its status is read.

Source: KServe documentation, "Canary Rollout" and the control plane API reference.
"""

import hashlib
import re
from typing import Any, NamedTuple

from models.canonical import Slug
from models.environments import Capacity, KServe, bundle_uri
from models.errors import SmokeTestError
from models.placement import Placed

GROUP, KIND = "apis/serving.kserve.io/v1beta1", "inferenceservices"
MANAGED_BY, MODEL = "app.kubernetes.io/managed-by", "modelops/model"
VERSION, BUNDLE = "modelops/version", "modelops/bundle"
_LONGEST = 40
"""Letters of a name: Knative makes a host of it, with the namespace and the revision, of at most 63."""


class Route(NamedTuple):
    """A revision that is answered by: whether it is the latest, its percentage, the URL of its own, its name."""

    latest: bool
    percent: int
    url: str | None
    revision: str


def service_name(model: Slug) -> str:
    """The model's name as a DNS label, another one for every model."""
    name = re.sub("[^a-z0-9]+", "-", model)
    if name == model and len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 9].rstrip('-')}-{hashlib.sha256(model.encode()).hexdigest()[:8]}"


def inference_service(
    settings: KServe, capacity: Capacity, model: Slug, placed: Placed, share: int | None
) -> dict[str, Any]:
    """The object; `share` is the percentage of the latest revision, None to roll it out.

    All of it is part of a revision, annotations too: nothing stands in it that is not about the version.
    """
    predictor: dict[str, Any] = {
        "minReplicas": capacity.least,
        "maxReplicas": capacity.most,
        "model": {
            "modelFormat": {"name": "onnx"},
            "protocolVersion": "v2",
            "runtime": settings.runtime,
            "storageUri": bundle_uri(settings.bundles, model, placed.bundle),
        },
    }
    if share is not None:
        predictor["canaryTrafficPercent"] = share
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": service_name(model),
            "namespace": settings.namespace,
            "labels": {MANAGED_BY: "modelops", MODEL: model, VERSION: str(placed.version)},
            "annotations": {"serving.kserve.io/enable-tag-routing": "true", BUNDLE: placed.bundle},
        },
        "spec": {"predictor": predictor},
    }


class Service:
    """An InferenceService as the cluster tells it."""

    def __init__(self, thing: dict[str, Any]) -> None:
        self._thing = thing
        self._status: dict[str, Any] = thing.get("status", {})
        self._predictor: dict[str, Any] = self._status.get("components", {}).get("predictor", {})

    @property
    def storage(self) -> str:
        """Where the latest version is to be found."""
        return str(self._thing["spec"]["predictor"]["model"]["storageUri"])

    @property
    def share(self) -> int | None:
        """The percentage that the latest version is to have; None if it is rolled out."""
        found: int | None = self._thing["spec"]["predictor"].get("canaryTrafficPercent")
        return found

    @property
    def url(self) -> str:
        """Where it answers; nothing as long as it does not."""
        return str(self._status.get("url", ""))

    @property
    def routes(self) -> tuple[Route, ...]:
        """Who answers now."""
        return tuple(
            Route(
                bool(one.get("latestRevision")), int(one.get("percent", 0)), one.get("url"), one.get("revisionName", "")
            )
            for one in self._predictor.get("traffic", ())
        )

    def route(self, latest: bool) -> Route | None:
        """The way to the latest revision, or to the one before."""
        return next((one for one in self.routes if one.latest is latest), None)

    @property
    def latest(self) -> str:
        """The name of the revision that was made last."""
        return str(self._predictor.get("latestCreatedRevision", ""))

    @property
    def serving(self) -> str:
        """The name of the revision that is rolled out."""
        return str(self._predictor.get("latestRolledoutRevision", ""))

    def is_ready(self, before: str) -> bool:
        """Whether a revision made after `before` is loaded, and given its share; SmokeTestError if it cannot be.

        `observedGeneration` does not tell: it counts the changes of a child (kserve/kserve issue 6081).
        """
        if self.latest in ("", before):
            return False
        self._demand_loadable()
        if not all(self._condition(one) == "True" for one in ("Ready", "LatestDeploymentReady")):
            return False
        found, wanted = self.route(latest=True), 100 if self.share is None else self.share
        ready = self._predictor.get("latestReadyRevision") == self.latest
        return ready and found is not None and found.percent == wanted

    def _demand_loadable(self) -> None:
        """Only what KServe calls final, and of this revision: a condition is `False` also while an image is fetched."""
        state: dict[str, Any] = self._status.get("modelStatus", {})
        if state.get("transitionStatus") in ("BlockedByFailedLoad", "InvalidSpec"):
            failure = state.get("lastFailureInfo", {})
            if failure.get("modelRevisionName", self.latest) != self.latest:
                return
            said = failure.get("message") or failure.get("reason") or self._reason()
            raise SmokeTestError(f"{self._thing['metadata']['name']} cannot be loaded: {said}")

    def _condition(self, kind: str) -> str:
        found = (one for one in self._status.get("conditions", ()) if one["type"] == kind)
        return next((str(one["status"]) for one in found), "Unknown")

    def _reason(self) -> str:
        told = (one.get("message") for one in self._status.get("conditions", ()) if one["status"] == "False")
        return next((str(one) for one in told if one), "the cluster does not say why")
