"""What KServe serves: read, and nothing changed. Of a service, the revision that is rolled out, not what it should be.

A revision never changes: where its model was taken from is in an annotation that KServe gives it for its storage
initializer (`pkg/constants/constants.go`).
"""

from collections.abc import Callable
from typing import Any

from activities.adapters.kserve_service import GROUP, KIND, MANAGED_BY, MODEL, VERSION, Service
from activities.adapters.kubernetes_api import KubernetesApi
from models.environments import KServe, bundle_at
from models.inventory import Environment
from models.reconciliation import Served, Shelf

_REVISIONS = ("apis/serving.knative.dev/v1", "revisions")
_SOURCE = "internal.serving.kserve.io/storage-initializer-sourceuri"


class KServeIndex:
    """Fits `Environments`, for one of them. `token` tells the token of who may only look, each time."""

    def __init__(self, settings: KServe, token: Callable[[], str]) -> None:
        self._settings = settings
        self._api = KubernetesApi(settings.api, settings.namespace, token, settings.authority)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def serves(self, environment: Environment) -> Shelf:
        """The version of every service of ours that answers; UnavailableError, NotPermittedError."""
        shelf: dict[str, Served] = {}
        for thing in self._api.select(GROUP, KIND, {MANAGED_BY: "modelops"}):
            route = Service(thing).route(latest=False) or Service(thing).route(latest=True)
            revision = self._api.get(*_REVISIONS, route.revision) if route else None
            if revision is not None:
                metadata = thing["metadata"]
                model = metadata["labels"].get(MODEL, metadata["name"])
                shelf[model] = self._served(model, revision["metadata"])
        return shelf

    def _served(self, model: str, revision: dict[str, Any]) -> Served:
        version = str(revision.get("labels", {}).get(VERSION, ""))
        source = str(revision.get("annotations", {}).get(_SOURCE, ""))
        return Served(int(version) if version.isdecimal() else 0, bundle_at(self._settings.bundles, model, source))
