"""What an inference server keeps loaded: whoever answers, or may have to, stays."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.traffic import Split
from worker.effects import Effect, State
from worker.slots import Slot, Slots

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
BUNDLES = [f"sha256:{digit * 64}" for digit in "1234"]
ONE, TWO, THREE, _ = BUNDLES


def serving(*bundles: str) -> Slots:
    """The bundles loaded and switched to, one after the other."""
    slots = Slots()
    for bundle in bundles:
        slots = slots.beside(slot(bundle)).switched(bundle, NOW)
    return slots


def slot(bundle: str) -> Slot:
    """A bundle as a version of its own."""
    return Slot(version=BUNDLES.index(bundle) + 1, bundle=bundle)


def split(bundle: str, share: int = 20) -> Split:
    """A challenger for a share."""
    return Split(version=slot(bundle).version, bundle=bundle, share=share)


def loaded(slots: Slots) -> list[str]:
    """The bundles that are loaded."""
    return [one.bundle for one in slots.loaded]


def test_a_switch_ends_the_division_and_keeps_the_former_champion() -> None:
    """The challenger that is elected answers alone; the former champion stays, for the way back."""
    divided = serving(ONE).beside(slot(TWO)).divided(split(TWO))
    elected = divided.switched(TWO, NOW)
    assert (elected.default, elected.previous, elected.split, elected.since) == (TWO, ONE, None, NOW)
    assert loaded(elected) == [ONE, TWO]
    back = elected.switched(ONE, NOW)
    assert (back.default, back.previous, loaded(back)) == (ONE, TWO, [ONE, TWO])


def test_the_end_of_a_division_drops_the_challenger() -> None:
    """Nobody answers with it any more, unless it is the one to go back to."""
    divided = serving(ONE).beside(slot(TWO)).divided(split(TWO))
    assert loaded(divided.divided(split(TWO, 50))) == [ONE, TWO]
    assert loaded(divided.divided(None)) == [ONE]
    assert loaded(divided.beside(slot(THREE)).divided(split(THREE))) == [ONE, THREE]
    again = serving(TWO, ONE).divided(split(TWO))
    assert loaded(again.divided(None)) == [TWO, ONE]


def test_the_previous_version_cools_unless_it_is_tried_again() -> None:
    """After its time the version before is dropped; as a challenger it is needed."""
    assert loaded(serving(ONE, TWO).cooled()) == [TWO]
    tried = serving(ONE, TWO).divided(split(ONE)).cooled()
    assert (loaded(tried), tried.previous) == ([ONE, TWO], None)
    assert Slots().cooled() == Slots()


def test_a_key_stands_for_one_effect_whenever_it_comes() -> None:
    """The same effect later is a repetition; another share is another effect."""
    effect = Effect(key="k", effect="divide", model="loans", version=2, bundle=TWO, split=split(TWO), at=NOW)
    assert effect.repeats(effect.model_copy(update={"at": datetime(2027, 1, 1, tzinfo=UTC)}))
    assert not effect.repeats(effect.model_copy(update={"split": split(TWO, 50)}))
    assert State(effects=(effect,)).applied("k") == effect
    assert State(effects=(effect,)).applied("l") is None


STEPS = st.lists(st.tuples(st.sampled_from(["switch", "divide", "end", "drop", "cool"]), st.sampled_from(BUNDLES)))


@given(STEPS)
def test_whatever_is_done_who_answers_is_loaded(steps: list[tuple[str, str]]) -> None:
    """Default, previous version and challenger are loaded at any time, each bundle once; the challenger is another."""
    slots = serving(ONE)
    for step, bundle in steps:
        slots = _after(slots.beside(slot(bundle)), step, bundle)
        needed = {one for one in (slots.default, slots.previous, slots.challenger) if one}
        assert needed <= set(loaded(slots))
        assert len(set(loaded(slots))) == len(loaded(slots))
        assert slots.challenger != slots.default


def _after(slots: Slots, step: str, bundle: str) -> Slots:
    if step == "divide":
        return slots if bundle == slots.default else slots.divided(split(bundle))
    if step == "switch":
        return slots.switched(bundle, NOW)
    return {"end": slots.divided(None), "drop": slots.without(bundle), "cool": slots.cooled()}[step]


@pytest.mark.parametrize("needed", [ONE, TWO, THREE])
def test_what_is_needed_cannot_be_dropped(needed: str) -> None:
    """Neither the default, nor the one before, nor the challenger."""
    slots = serving(ONE, TWO).beside(slot(THREE)).divided(split(THREE))
    assert slots.without(needed) == slots
