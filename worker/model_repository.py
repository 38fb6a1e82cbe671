"""What one environment serves: which versions are loaded, which is the default, which effects were applied.

The state is one file, replaced atomically, and holds the log of effects: what is served and what was done to
get there cannot disagree, and a process that was killed serves after its restart what it served before.
A request works on one immutable view, so a switch is seen whole or not at all, and who began on the version
before ends on it. That version stays loaded for a while, so that going back to it loads nothing.
"""

import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

from activities.adapters.oci_bundles import OciBundles
from models.canonical import Digest
from models.errors import ConflictError, ModelopsError, UnavailableError, UnknownNameError
from models.inventory import Environment
from models.traffic import Split
from worker.effects import Effect, State
from worker.orders import Division, IndexEntry, LoadReport, Order
from worker.served_model import ServedModel, load_model
from worker.slots import Slot, Slots
from worker.state_file import read_state, write_state

STATE_FILE = "state.json"
WARM = timedelta(days=7)
"""How long the version before the default stays loaded, unless told otherwise."""

_LOG = logging.getLogger("modelops.inference")


class Route(NamedTuple):
    """Who may answer a request: the default, and the challenger, if there is one that can."""

    champion: ServedModel
    challenger: ServedModel | None
    split: Split | None


class _View(NamedTuple):
    """A model that could not be loaded is represented by the reason."""

    state: State
    runnable: Mapping[Digest, ServedModel | str]


class ModelRepository:
    """All models of one environment. Changes come one at a time; readers never wait."""

    def __init__(self, environment: Environment, root: Path, bundles: OciBundles, warm: timedelta = WARM) -> None:
        self.environment = environment
        self._warm = warm
        self._file = root / STATE_FILE
        self._bundles = bundles
        self._lock = threading.Lock()
        state = read_state(self._file)
        slots = [(name, slot) for name, model in state.models.items() for slot in model.loaded]
        runnable = {slot.bundle: self._try_load(name, slot) for name, slot in slots}
        self._view = _View(state, MappingProxyType(runnable))

    def served(self, name: str, version: int | None = None) -> ServedModel:
        """The default, or a version that is loaded; UnknownNameError, UnavailableError."""
        view = self._view
        slots = self._slots(view, name)
        slot = slots.find(slots.default) if version is None else slots.of_version(version)
        if slot is None and version is None:
            raise UnavailableError(f"model '{name}' has no default version in {self.environment} yet")
        if slot is None:
            raise UnknownNameError(f"version {version} of model '{name}' is not loaded in {self.environment}")
        found = view.runnable[slot.bundle]
        if isinstance(found, str):
            raise UnavailableError(f"version {slot.version} of model '{name}' could not be loaded: {found}")
        return found

    def route(self, name: str) -> Route:
        """Who may answer a request that names no version; UnknownNameError, UnavailableError."""
        view = self._view
        slots = self._slots(view, name)
        champion = view.runnable.get(slots.default) if slots.default else None
        if not isinstance(champion, ServedModel):
            champion = self.served(name)
        challenger = view.runnable.get(slots.split.bundle) if slots.split else None
        return Route(champion, challenger if isinstance(challenger, ServedModel) else None, slots.split)

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
        """Load a bundle beside what serves, unless the order's effect was applied before.

        What is loaded already is not loaded again. Nobody waits for it: neither requests nor other changes.
        """
        slot = Slot(version=order.version, bundle=order.bundle)
        if report := self._known(name, order):
            return report
        model = self._ready(name, slot) or self._load(name, slot)
        with self._lock:
            slots = self._view.state.models.get(name, Slots())
            if report := self._known(name, order):
                return report
            if self._ready(name, slot) is None:
                self._commit(name, slots.beside(slot), {**self._view.runnable, order.bundle: model})
            return LoadReport(applied=False, default=slots.default)

    def switch(self, name: str, order: Order) -> bool:
        """Make a loaded bundle the default, alone; False if the order's effect was applied before."""
        with self._lock:
            effect = self._effect("switch", name, order.idempotency_key, order.version, order.bundle)
            if self._applied(effect):
                return False
            slots = self._loaded(name, order.version, order.bundle)
            self._commit(name, slots.switched(order.bundle, effect.at), self._view.runnable, effect)
            return True

    def divide(self, name: str, order: Division) -> bool:
        """Have a loaded bundle answer beside the default, or none; False if the order's effect was applied before."""
        with self._lock:
            split = order.split
            version, bundle = (split.version, split.bundle) if split else (None, None)
            effect = self._effect("divide", name, order.idempotency_key, version, bundle, split)
            if self._applied(effect):
                return False
            if split is None:
                slots = self._view.state.models.get(name, Slots())
            else:
                slots = self._loaded(name, split.version, split.bundle)
                self._refuse_division(name, slots, split)
            self._commit(name, slots.divided(split), self._view.runnable, effect)
            return True

    def cool(self) -> None:
        """Drop every version before a default that has been kept warm for its time."""
        due = datetime.now(UTC) - self._warm
        with self._lock:
            for name, slots in self._view.state.models.items():
                if slots.previous and slots.since and slots.since <= due:
                    self._commit(name, slots.cooled(), self._view.runnable)

    def discard(self, name: str, bundle: Digest) -> bool:
        """Drop a bundle that was loaded beside; False if it is not there, or is needed."""
        with self._lock:
            slots = self._view.state.models.get(name, Slots())
            remaining = slots.without(bundle)
            if remaining == slots:
                return False
            self._commit(name, remaining, self._view.runnable)
            return True

    def withdraw(self, name: str, key: str) -> bool:
        """Stop serving a model, also one that never served; False if this effect was applied before."""
        with self._lock:
            effect = self._effect("unload", name, key)
            if self._applied(effect):
                return False
            self._commit(name, Slots(), self._view.runnable, effect)
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
            roles = {slots.previous: "previous", slots.challenger: "challenger", slots.default: "default"}
            entries.append(
                IndexEntry(
                    name=name,
                    version=str(slot.version),
                    state="UNAVAILABLE" if failed else "READY",
                    reason=str(reason) if failed else roles.get(slot.bundle, "beside"),
                )
            )
        return entries

    def _slots(self, view: _View, name: str) -> Slots:
        slots = view.state.models.get(name)
        if slots is None:
            raise UnknownNameError(f"{self.environment} has no model '{name}'")
        if not slots.loaded:
            raise UnknownNameError(f"model '{name}' does not serve in {self.environment} any more: it was withdrawn")
        return slots

    def _known(self, name: str, order: Order) -> LoadReport | None:
        known = self._view.state.applied(order.idempotency_key)
        if known is None:
            return None
        if (known.model, known.bundle) != (name, order.bundle):
            raise _taken(known)
        return LoadReport(applied=True, default=self._view.state.models.get(name, Slots()).default)

    def _ready(self, name: str, slot: Slot) -> ServedModel | None:
        view = self._view
        found = view.runnable.get(slot.bundle)
        there = view.state.models.get(name, Slots()).find(slot.bundle) == slot
        return found if there and isinstance(found, ServedModel) else None

    def _loaded(self, name: str, version: int, bundle: Digest) -> Slots:
        """What is loaded of a model; UnknownNameError or UnavailableError unless this can answer."""
        state, runnable = self._view
        slots = state.models.get(name, Slots())
        slot = slots.find(bundle)
        if slot is None or slot.version != version:
            raise UnknownNameError(f"version {version} of model '{name}' is not loaded from {bundle}")
        if isinstance(reason := runnable[bundle], str):
            raise UnavailableError(f"version {version} of model '{name}' could not be loaded: {reason}")
        return slots

    def _refuse_division(self, name: str, slots: Slots, split: Split) -> None:
        if slots.default is None:
            raise ConflictError(f"model '{name}' has no default version in {self.environment} to divide requests with")
        if slots.default == split.bundle:
            raise ConflictError(f"version {split.version} of model '{name}' is the default: it answers all requests")

    def _applied(self, effect: Effect) -> bool:
        known = self._view.state.applied(effect.key)
        if known and not known.repeats(effect):
            raise _taken(known)
        return known is not None

    def _effect(
        self,
        effect: Literal["switch", "divide", "unload"],
        name: str,
        key: str,
        version: int | None = None,
        bundle: Digest | None = None,
        split: Split | None = None,
    ) -> Effect:
        at = datetime.now(UTC)
        return Effect(key=key, effect=effect, model=name, version=version, bundle=bundle, split=split, at=at)

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
        name: str,
        slots: Slots,
        runnable: Mapping[Digest, ServedModel | str],
        effect: Effect | None = None,
    ) -> None:
        """Write the new state to disk, then show it: nothing is served that a restart would not serve."""
        state = self._view.state
        effects = (*state.effects, effect) if effect else state.effects
        new = State(models={**state.models, name: slots}, effects=effects)
        write_state(self._file, new)
        kept = {slot.bundle for model in new.models.values() for slot in model.loaded}
        self._view = _View(new, MappingProxyType({one: runnable[one] for one in kept}))


def _taken(known: Effect) -> ConflictError:
    return ConflictError(f"the key '{known.key}' belongs to another effect: {known.effect} of model '{known.model}'")
