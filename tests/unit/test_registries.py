"""An alias that is not where we had it point is a finding, and nothing else is."""

from hypothesis import given
from hypothesis import strategies as st

from models.reconciliation import FindingKind, turn
from models.registries import Pointing, moved, silent

NUMBERS = st.none() | st.integers(1, 9).map(str)


@given(NUMBERS, NUMBERS)
def test_a_finding_where_they_differ(seen: str | None, ours: str | None) -> None:
    """One, with both versions, of the model; none where they agree."""
    found = list(moved(Pointing("loans", "loan-approval", seen, ours)))
    assert bool(found) == (seen != ours)
    for one in found:
        assert (one.kind, one.model, one.about) == (FindingKind.ALIAS_MOVED, "loan-approval", "registry:loans")
        assert all(f"version {number}" in one.text for number in (seen, ours) if number)


def test_what_is_not_seen_is_not_resolved() -> None:
    """While the registry is silent, nobody saw that the alias was moved back."""
    known = frozenset(moved(Pointing("loans", "loan-approval", "1", "2")))
    turned = turn(known, frozenset({silent("loans", "loan-approval")}))
    assert (turned.still, turned.resolved) == (known, frozenset())
    assert turn(known, frozenset()).resolved == known
