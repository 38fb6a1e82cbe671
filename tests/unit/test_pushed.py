"""What applications send is kept whole or not at all, and what does not fit is named with its place."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidInputError
from models.metrics import Metrics
from models.pushed import BATCH, read_pushed

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
METRICS = Metrics.model_validate(
    {
        "sources": {
            "app": {"kind": "push", "token": {"env": "APP"}, "keep": "30d"},
            "shop": {"kind": "push", "token": {"env": "S"}},
        },
        "metrics": {"margin": {"source": "app", "query": "sum"}, "baskets": {"source": "shop", "query": "mean"}},
    }
)
GOOD: dict[str, object] = {"metric": "margin", "model": "loan", "at": "2026-05-20T08:00:00Z", "value": 1.5, "count": 3}


def read(*values: dict[str, object]) -> list[tuple[float, int]]:
    """Values and counts, as they are kept."""
    found = read_pushed(json.dumps(list(values)).encode(), "app", METRICS, NOW)
    return [(one.value, one.count) for one in found]


def test_one_value_or_a_list_of_them() -> None:
    """An object is a batch of one; what stands twice in it is one; a count left out is one case."""
    (one,) = read_pushed(json.dumps(GOOD).encode(), "app", METRICS, NOW)
    assert (one.value, one.count, one.about) == (1.5, 3, ("margin", "loan", datetime(2026, 5, 20, 8, tzinfo=UTC)))
    later = GOOD | {"at": "2026-05-20T12:00:00+02:00", "value": 2}
    assert read(GOOD, GOOD, later, later | {"at": "2026-05-20T10:00:00Z"}) == [(1.5, 3), (2, 3)]
    bare = {name: value for name, value in GOOD.items() if name != "count"}
    assert read(bare) == [(1.5, 1)]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({"value": "1.5"}, r"\[1\].value"),
        ({"value": True}, r"\[1\].value"),
        ({"value": None}, r"\[1\].value"),
        ({"value": float("nan")}, r"\[1\].value"),
        ({"value": float("inf")}, r"\[1\].value"),
        ({"value": -(10**400)}, r"\[1\].value"),
        ({"count": -1}, r"\[1\].count"),
        ({"count": 1.5}, r"\[1\].count"),
        ({"at": "2026-05-20T08:00:00"}, r"\[1\].at"),
        ({"at": "yesterday"}, r"\[1\].at"),
        ({"model": "Loan Approval"}, r"\[1\].model"),
        ({"note": "hello"}, r"\[1\].note"),
        ({"metric": "sales"}, r"\[1\]: source 'app' has no metric 'sales'"),
        ({"metric": "baskets"}, r"\[1\]: source 'app' has no metric 'baskets'"),
        ({"at": "2026-05-20T12:06:00Z"}, r"\[1\]: 2026-05-20T12:06:00\+00:00 is yet to come"),
        ({"at": "2026-04-20T11:59:00Z"}, r"\[1\]: .* is longer ago than source 'app' keeps values"),
        ({"value": 2}, r"\[1\]: another value of the same moment is in the same batch"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(edit: dict[str, object], said: str) -> None:
    """And nothing of the batch is kept."""
    with pytest.raises(InvalidInputError, match=said):
        read(GOOD, GOOD | edit)


def test_a_whole_number_is_taken_as_it_is_kept() -> None:
    """As binary64: one that is larger than that tells apart is no other value when it is sent again."""
    assert [type(value) for value, _ in read(GOOD | {"value": 2**53 + 1})] == [float]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"[1]", b"null", b"at,value", b"\xff\xfe", b"[" * 5_000])
def test_what_is_no_value_is_said(body: bytes) -> None:
    """Empty, of another shape, no JSON, no text, nested without end."""
    with pytest.raises(InvalidInputError):
        read_pushed(body, "app", METRICS, NOW)


def test_a_batch_has_an_end() -> None:
    """So many and no more."""
    values = [GOOD | {"at": (NOW - timedelta(seconds=number)).isoformat()} for number in range(BATCH + 1)]
    assert len(read(*values[:-1])) == BATCH
    with pytest.raises(InvalidInputError, match="at most 1000"):
        read(*values)


@given(st.binary(max_size=200))
def test_whatever_comes_is_an_error_of_ours(body: bytes) -> None:
    """Never another one."""
    with pytest.raises(InvalidInputError):
        read_pushed(body, "app", METRICS, NOW)
