"""What one environment serves: which versions are loaded, which is the default, which effects were applied.

The state is one file, replaced atomically, and holds the log of effects: what is served and what was done to
get there cannot disagree, and a process that was killed serves after its restart what it served before.
A request works on one immutable view, so a switch is seen whole or not at all.
"""

import logging
import os
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

from pydantic import AwareDatetime, Field, ValidationError

from activities.adapters.oci_bundles import OciBundles
from models.canonical import Digest, Frozen, Slug
from models.errors import ConflictError, InvalidInputError, ModelopsError, UnavailableError, UnknownNameError
from models.inventory import Environment
from worker.served_model import ServedModel, load_model

STATE_FILE = "state.json"

_LOG = logging.getLogger("modelops.inference")


class Slot(Frozen):
    """One bundle that is loaded."""

    version: int
    bundle: Digest


class Slots(Frozen):
    """What is loaded of one model, oldest first; without a default the model does not serve."""

    loaded: tuple[Slot, ...] = ()
    default: Digest | None = None
    previous: Digest | None = None

    def find(self, bundle: Digest | None) -> Slot | None:
        """The slot of a bundle."""
        return next((slot for slot in self.loaded if slot.bundle == bundle), None)

    def of_version(self, version: int) -> Slot | None:
        """The slot of a version: that loaded last, if it was packaged again."""
        return next((slot for slot in reversed(self.loaded) if slot.version == version), None)

    def beside(self, slot: Slot) -> "Slots":
        """With one more bundle loaded; the default stays."""
        others = tuple(one for one in self.loaded if one.bundle != slot.bundle)
        return self.model_copy(update={"loaded": (*others, slot)})

    def without(self, bundle: Digest) -> "Slots":
        """With one bundle dropped, unless it is the default or the previous one."""
        if bundle in (self.default, self.previous):
            return self
        return self.model_copy(update={"loaded": tuple(one for one in self.loaded if one.bundle != bundle)})

    def switched(self, bundle: Digest) -> "Slots":
        """With another default; all but it and the one before it are dropped."""
        previous = self.previous if bundle == self.default else self.default
        kept = tuple(one for one in self.loaded if one.bundle in (bundle, previous))
        return Slots(loaded=kept, default=bundle, previous=previous)


class Effect(Frozen):
    """A switch or an unload that was applied, once per key."""

    key: str
    effect: Literal["switch", "unload"]
    model: Slug
    version: int | None
    bundle: Digest | None
    at: AwareDatetime


class State(Frozen):
    """Everything that outlives the process."""

    models: dict[Slug, Slots] = Field(default_factory=dict)
    effects: tuple[Effect, ...] = ()


class IndexEntry(Frozen):
    """One line of the repository's index."""

    name: str
    version: str
    state: Literal["READY", "UNAVAILABLE"]
    reason: str


class LoadReport(Frozen):
    """`applied`: an effect of this key was applied before, so nothing was loaded. `default`: what serves now."""

    applied: bool
    default: Digest | None


class Order(Frozen):
    """A bundle to load or to switch to; `idempotency_key` makes the switch happen once."""

    version: int = Field(ge=1)
    bundle: Digest
    idempotency_key: str = Field(min_length=1, max_length=500)
    environment: Environment | None = None


class _View(NamedTuple):
    """A model that could not be loaded is represented by the reason."""

    state: State
    runnable: Mapping[Digest, ServedModel | str]


class ModelRepository:
    """All models of one environment. Changes come one at a time; readers never wait."""

    def __init__(self, environment: Environment, root: Path, bundles: OciBundles) -> None:
        self.environment = environment
        self._file = root / STATE_FILE
        self._bundles = bundles
        self._lock = threading.Lock()
        state = _read(self._file)
        slots = [(name, slot) for name, model in state.models.items() for slot in model.loaded]
        runnable = {slot.bundle: self._try_load(name, slot) for name, slot in slots}
        self._view = _View(state, MappingProxyType(runnable))

    def served(self, name: str, version: int | None = None) -> ServedModel:
        """The default, or a version that is loaded; UnknownNameError, UnavailableError."""
        view = self._view
        slots = view.state.models.get(name)
        if slots is None:
            raise UnknownNameError(f"{self.environment} has no model '{name}'")
        if not slots.loaded:
            raise UnknownNameError(f"model '{name}' does not serve in {self.environment} any more: it was withdrawn")
        slot = slots.find(slots.default) if version is None else slots.of_version(version)
        if slot is None and version is None:
            raise UnavailableError(f"model '{name}' has no default version in {self.environment} yet")
        if slot is None:
            raise UnknownNameError(f"version {version} of model '{name}' is not loaded in {self.environment}")
        found = view.runnable[slot.bundle]
        if isinstance(found, str):
            raise UnavailableError(f"version {slot.version} of model '{name}' could not be loaded: {found}")
        return found

    def versions(self, name: str) -> list[int]:
        """The versions of a model that are loaded."""
        slots = self._view.state.models.get(name, Slots())
        return sorted({slot.version for slot in slots.loaded})

    def effects(self) -> tuple[Effect, ...]:
        """The switches and unloads that were applied, oldest first."""
        return self._view.state.effects

    def ready(self) -> bool:
        """Whether every version that should be loaded is."""
        return not any(isinstance(one, str) for one in self._view.runnable.values())

    def index(self) -> list[IndexEntry]:
        """Every version that is loaded, and every model that was withdrawn."""
        return [entry for name in sorted(self._view.state.models) for entry in self._entries(name)]

    def load(self, name: str, order: Order) -> LoadReport:
        """Load a bundle beside what serves, unless the order's effect was applied before."""
        with self._lock:
            state, runnable = self._view
            slots = state.models.get(name, Slots())
            if self._applied(name, "switch", order.idempotency_key, order.bundle):
                return LoadReport(applied=True, default=slots.default)
            slot = Slot(version=order.version, bundle=order.bundle)
            model = runnable.get(order.bundle)
            if slots.find(order.bundle) != slot or not isinstance(model, ServedModel):
                model = self._load(name, slot)
            self._commit(state, name, slots.beside(slot), {**runnable, order.bundle: model})
            return LoadReport(applied=False, default=slots.default)

    def switch(self, name: str, order: Order) -> bool:
        """Make a loaded bundle the default; False if the order's effect was applied before."""
        with self._lock:
            if self._applied(name, "switch", order.idempotency_key, order.bundle):
                return False
            state, runnable = self._view
            slots = state.models.get(name, Slots())
            slot = slots.find(order.bundle)
            if slot is None or slot.version != order.version:
                raise UnknownNameError(f"version {order.version} of model '{name}' is not loaded from {order.bundle}")
            if isinstance(reason := runnable[order.bundle], str):
                raise UnavailableError(f"version {order.version} of model '{name}' could not be loaded: {reason}")
            effect = self._effect("switch", name, order.idempotency_key, slot)
            self._commit(state, name, slots.switched(order.bundle), runnable, effect)
            return True

    def discard(self, name: str, bundle: Digest) -> bool:
        """Drop a bundle that was loaded beside; False if it is not there, the default or the previous one."""
        with self._lock:
            state, runnable = self._view
            slots = state.models.get(name, Slots())
            remaining = slots.without(bundle)
            if remaining == slots:
                return False
            self._commit(state, name, remaining, runnable)
            return True

    def withdraw(self, name: str, key: str) -> bool:
        """Stop serving a model, also one that never served; False if this effect was applied before."""
        with self._lock:
            if self._applied(name, "unload", key, None):
                return False
            state, runnable = self._view
            self._commit(state, name, Slots(), runnable, self._effect("unload", name, key, None))
            return True

    def _entries(self, name: str) -> list[IndexEntry]:
        state, runnable = self._view
        slots = state.models.get(name, Slots())
        if not slots.loaded:
            return [IndexEntry(name=name, version="", state="UNAVAILABLE", reason="withdrawn")]
        entries = []
        for slot in slots.loaded:
            reason = runnable[slot.bundle]
            failed = isinstance(reason, str)
            role = {slots.default: "default", slots.previous: "previous"}.get(slot.bundle, "beside")
            entries.append(
                IndexEntry(
                    name=name,
                    version=str(slot.version),
                    state="UNAVAILABLE" if failed else "READY",
                    reason=str(reason) if failed else role,
                )
            )
        return entries

    def _applied(self, name: str, effect: str, key: str, bundle: Digest | None) -> bool:
        known = next((one for one in self._view.state.effects if one.key == key), None)
        if known is None:
            return False
        if (known.effect, known.model) != (effect, name) or known.bundle != bundle:
            raise ConflictError(f"the key '{key}' belongs to another effect: {known.effect} of model '{known.model}'")
        return True

    def _effect(self, effect: Literal["switch", "unload"], name: str, key: str, slot: Slot | None) -> Effect:
        version, bundle = (slot.version, slot.bundle) if slot else (None, None)
        return Effect(key=key, effect=effect, model=name, version=version, bundle=bundle, at=datetime.now(UTC))

    def _load(self, name: str, slot: Slot) -> ServedModel:
        return load_model(self._bundles, slot.bundle, name, slot.version)

    def _try_load(self, name: str, slot: Slot) -> ServedModel | str:
        try:
            return self._load(name, slot)
        except ModelopsError as error:
            _LOG.warning("version %d of model '%s' cannot be served: %s", slot.version, name, error)
            return str(error)

    def _commit(
        self,
        state: State,
        name: str,
        slots: Slots,
        runnable: Mapping[Digest, ServedModel | str],
        effect: Effect | None = None,
    ) -> None:
        """Write the new state to disk, then show it: nothing is served that a restart would not serve."""
        effects = (*state.effects, effect) if effect else state.effects
        new = State(models={**state.models, name: slots}, effects=effects)
        _write(self._file, new.model_dump_json(indent=1).encode())
        kept = {slot.bundle for model in new.models.values() for slot in model.loaded}
        self._view = _View(new, MappingProxyType({one: runnable[one] for one in kept}))


def _read(file: Path) -> State:
    try:
        return State.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return State()
    except ValidationError as error:
        remedy = "restore it from a backup, or move it away and deploy again"
        raise InvalidInputError(f"{file} is not the state of an inference server", remedy) from error


def _write(file: Path, data: bytes) -> None:
    temporary = file.with_suffix(".tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise UnavailableError(f"the state cannot be written to {file}: {error.strerror}") from error
