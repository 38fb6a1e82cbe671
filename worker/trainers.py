"""Trainers by name: programs on this machine, and pipelines of CI systems."""

from collections.abc import Mapping
from pathlib import Path

from activities.ports import Trainer
from models.evidence import EffectKey
from models.inventory import Submission


class NamedTrainers:
    """Fits `Trainer`: those of CI systems by their names, every other name is left to a last one."""

    def __init__(self, named: Mapping[str, Trainer], last: Trainer) -> None:
        self._named = named
        self._last = last

    def train(self, trainer: str, previous: Submission, window: Path | None, key: EffectKey) -> Submission:
        """Whatever the trainer of that name makes."""
        return self._named.get(trainer, self._last).train(trainer, previous, window, key)
