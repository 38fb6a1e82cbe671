"""Deployment to KServe, serverless: an InferenceService for each model, a revision for each version.

A version is loaded beside what serves, at 0 % of requests; when it is ready it is rolled out. What was done is kept in
a ConfigMap beside the service: a service's own annotations are part of its revisions.
"""

from collections.abc import Callable
from contextlib import suppress

from pydantic import ValidationError

from activities.adapters.kserve_service import GROUP, KIND, MANAGED_BY, Service, inference_service, service_name
from activities.adapters.kubernetes_api import KubernetesApi
from models.canonical import Digest, Slug, replace
from models.environments import Capacity, KServe, bundle_uri
from models.errors import ConflictError, InvalidInputError, SmokeTestError, UnavailableError
from models.evidence import EffectKey
from models.inventory import Environment
from models.placement import WITHDRAWING, Placed, Placement, beside, deploying, dividing
from models.traffic import Split

_CORE, _RECORDS, _ENTRY = "api/v1", "configmaps", "placement.json"


class KServeDeployer:
    """Fits `Deployer`, for one environment. `token` tells the bearer token each time that it is needed.

    NotPermittedError if the cluster refuses it, UnavailableError if the cluster does not answer or a version is not
    ready in time, ConflictError if somebody else changed the record meanwhile.
    """

    def __init__(self, settings: KServe, capacity: Capacity, token: Callable[[], str]) -> None:
        self._settings = settings
        self._capacity = capacity
        self._api = KubernetesApi(settings.api, settings.namespace, token, settings.authority)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def deploy(self, environment: Environment, model: Slug, version: int, bundle: Digest, key: EffectKey) -> str:
        """Load beside what serves, then roll out; the URL that answers predictions.

        SmokeTestError: the version cannot be loaded, and what served before still serves.
        """
        record, placed = _Record(self._api, model), Placed(version=version, bundle=bundle)
        effect = deploying(version, bundle)
        if not record.placement.has(key, effect):
            if record.placement.champion:
                self._load_beside(record, placed)
            self._divide(record, placed, None)
            record.write(record.placement.after(key, effect, placed))
        return f"{self._address(model)}/v2/models/{service_name(model)}/infer"

    def divide(self, environment: Environment, model: Slug, split: Split | None, key: EffectKey) -> None:
        """Give a challenger its share, or take it away; ConflictError if there is no champion.

        InvalidInputError if it is to be mirrored: KServe gives no copies of requests.
        """
        record, effect = _Record(self._api, model), dividing(split)
        if split and split.mirrored:
            raise InvalidInputError(
                f"KServe gives version {split.version} of '{model}' no copies of the champion's requests",
                "try it at a share, or in an environment whose target is local or sagemaker",
            )
        if record.placement.has(key, effect):
            return
        champion = beside(record.placement, split, f"'{model}' in {environment}")
        if champion is None:
            return
        if split is None:
            self._divide(record, champion, 0)
        else:
            challenger = Placed(version=split.version, bundle=split.bundle)
            self._load_beside(record, challenger)
            self._divide(record, challenger, split.share)
        record.write(record.placement.after(key, effect, champion, split))

    def withdraw(self, environment: Environment, model: Slug, key: EffectKey) -> None:
        """Delete the service; no error if there is none."""
        record = _Record(self._api, model)
        if not record.placement.has(key, WITHDRAWING):
            self._api.delete(GROUP, KIND, service_name(model))
            record.write(record.placement.after(key, WITHDRAWING, None))

    def _load_beside(self, record: "_Record", placed: Placed) -> None:
        """Unless it is rolled out already; what cannot be loaded is taken away again."""
        found, champion = self._service(record.model), record.placement.champion
        known = found is not None and found.storage == bundle_uri(self._settings.bundles, record.model, placed.bundle)
        if found is None or champion is None or (known and found.share is None):
            return
        try:
            self._divide(record, placed, found.share if known else 0)
        except SmokeTestError:
            with suppress(SmokeTestError, UnavailableError):
                self._divide(record, champion, 0)
            raise

    def _divide(self, record: "_Record", placed: Placed, share: int | None) -> None:
        """Have a version be the latest, at a share or (None) rolled out, and wait until it is."""
        found, model = self._service(record.model), record.model
        storage = bundle_uri(self._settings.bundles, model, placed.bundle)
        if found is None or found.storage != storage:
            record.begin(found.latest if found else "")
        if found is None or (found.storage, found.share) != (storage, share):
            self._api.apply(GROUP, KIND, inference_service(self._settings, self._capacity, model, placed, share))
        try:
            self._until_ready(model, record.placement.before)
        except SmokeTestError:
            if record.placement.champion is None:
                self._api.delete(GROUP, KIND, service_name(model))
            raise

    def _until_ready(self, model: Slug, before: str) -> None:
        within = self._settings.ready_within
        self._api.watch_until(
            GROUP, KIND, service_name(model), lambda thing: bool(thing and Service(thing).is_ready(before)), within
        )

    def _service(self, model: Slug) -> Service | None:
        found = self._api.get(GROUP, KIND, service_name(model))
        return Service(found) if found else None

    def _address(self, model: Slug) -> str:
        found = self._service(model)
        return found.url.rstrip("/") if found else ""


class _Record:
    """The placement of a model, in its ConfigMap."""

    def __init__(self, api: KubernetesApi, model: Slug) -> None:
        self._api = api
        self.model = model
        self._name = f"modelops-{service_name(model)}"
        self._metadata: dict[str, object] = {"name": self._name, "labels": {MANAGED_BY: "modelops"}}
        self.placement = Placement()
        if found := api.get(_CORE, _RECORDS, self._name):
            self._read(found["metadata"]["resourceVersion"], str(found.get("data", {}).get(_ENTRY, "")))

    def write(self, placement: Placement) -> None:
        """Record something; ConflictError if somebody else has meanwhile."""
        data = {_ENTRY: placement.model_dump_json(exclude_defaults=True)}
        thing = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": self._metadata, "data": data}
        written = self._api.write(_CORE, _RECORDS, thing)
        self._metadata = {**self._metadata, "resourceVersion": written["metadata"]["resourceVersion"]}
        self.placement = placement

    def begin(self, before: str) -> None:
        """Record which revision is the latest before another one is made, unless that is known."""
        if before != self.placement.before:
            self.write(replace(self.placement, before=before))

    def _read(self, revision: str, text: str) -> None:
        try:
            self.placement = Placement.model_validate_json(text)
        except ValidationError as error:
            raise ConflictError(
                f"configmaps/{self._name} does not tell what was deployed: somebody has changed it",
                "restore it, or delete it together with the service and promote the version again",
            ) from error
        self._metadata = {**self._metadata, "resourceVersion": revision}
