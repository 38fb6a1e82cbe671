"""What production was told while a challenger was tried, held against the record."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from models.audit import EffectRecord
from models.inventory import Divided, Environment
from tests.temporal.doubles import Division
from tests.temporal.house import House


def check_trial(house: House, given: Sequence[int | None], served: Sequence[int | None]) -> None:
    """Production was told each thing once, or again under its key alone, and each is on record, once.

    `given` are the shares (-1: copies, None: no challenger any more), `served` the versions that it was to serve.
    """
    tried = [one for one in house.deployer.divisions() if one.key.step.startswith("trial")]
    keys = list(dict.fromkeys(str(one.key) for one in tried))
    assert [_share(next(one for one in tried if str(one.key) == key)) for key in keys] == list(given)
    assert [str(one.key) for one, after in pairwise(tried) if one != after] == keys[:-1]
    recorded = [str(effect.key) for effect in effects(house)]
    assert {key: recorded.count(key) for key in keys} == dict.fromkeys(keys, 1)
    divided = [change for effect in effects(house) for change in effect.changes if isinstance(change, Divided)]
    assert [one.share for one in divided] == [max(0, share or 0) for share in given[1:]]
    told = [one.version for one in house.deployer.effects() if one.environment is Environment.PROD]
    assert told == list(served)


def effects(house: House) -> Iterator[EffectRecord]:
    """Every effect of the model that is on record, in order."""
    for entry in house.parts.inventory.trail(house.model):
        if entry.kind == "effect":
            yield EffectRecord.model_validate_json(entry.body)


def _share(one: Division) -> int | None:
    return None if one.split is None else -1 if one.split.mirrored else one.split.share
