"""Decision tables answer every row, by their hit policy and nothing else."""

import json
import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.decision_table import Aggregation, Cell, DecisionTable, HitPolicy, Rule, decide, hits, misfits, overlaps
from models.inventory import Column, DataContract

CHECKS: dict[str, Callable[[Any, Any], bool]] = {
    "one_of": lambda value, bound: value in bound,
    "at_least": operator.ge,
    "above": operator.gt,
    "at_most": operator.le,
    "below": operator.lt,
}
NUMBERS = st.integers(-3, 3).map(float)
WORDS = st.sampled_from(["north", "south"])
CELLS = st.fixed_dictionaries({"income": NUMBERS | st.none(), "region": WORDS | st.none()})


@st.composite
def intervals(draw: st.DrawFn) -> dict[str, float]:
    low, high = sorted([draw(NUMBERS), draw(NUMBERS)])
    lower, upper = draw(st.sampled_from(["at_least", "above"])), draw(st.sampled_from(["at_most", "below"]))
    if low == high:
        lower, upper = "at_least", "at_most"
    bounds = {lower: low, upper: high}
    return {name: bounds[name] for name in draw(st.sets(st.sampled_from([lower, upper]), min_size=1))}


MISSING = st.just({"missing": True})
INCOME = intervals() | MISSING | st.lists(NUMBERS, min_size=1, max_size=2).map(lambda values: {"one_of": values})
REGION = MISSING | st.lists(WORDS, min_size=1, max_size=2).map(lambda values: {"one_of": values})
WHEN = st.fixed_dictionaries({}, optional={"income": INCOME, "region": REGION})
RULES = st.lists(
    st.fixed_dictionaries({"when": WHEN, "then": st.integers(0, 10).map(lambda n: n / 10)}), min_size=1, max_size=5
)


def table(rules: list[Any], policy: str = "FIRST", aggregation: str | None = None) -> DecisionTable:
    """A table as somebody writes it."""
    more = {"aggregation": aggregation} if aggregation else {}
    text = {"format": "modelops/decision-table/1", "hit_policy": policy, "rules": rules, "otherwise": 0.25, **more}
    return DecisionTable.model_validate_json(json.dumps(text), strict=True)


def holds(rule: dict[str, Any], row: dict[str, Cell]) -> bool:
    """What a rule says, told in another way."""
    for name, condition in rule["when"].items():
        value = row[name]
        if value is None or "missing" in condition:
            if not (value is None and "missing" in condition):
                return False
            continue
        if not all(CHECKS[word](value, bound) for word, bound in condition.items()):
            return False
    return True


@given(RULES, CELLS)
def test_first_is_the_first_that_holds(rules: list[Any], row: dict[str, Cell]) -> None:
    """FIRST gives the answer of the first rule that holds, and `otherwise` where none does."""
    expected = next((rule["then"] for rule in rules if holds(rule, row)), 0.25)
    assert decide(table(rules), row) == expected
    assert list(hits(table(rules), row)) == [index for index, rule in enumerate(rules) if holds(rule, row)]


@given(RULES, CELLS, st.sampled_from(Aggregation), st.randoms())
def test_collect_knows_no_order(rules: list[Any], row: dict[str, Cell], aggregation: Aggregation, random: Any) -> None:
    """COLLECT gives the same, to the last bit, in whatever order the rules stand."""
    shuffled = random.sample(rules, len(rules))
    answers = [decide(table(one, "COLLECT", aggregation.value), row) for one in (rules, shuffled)]
    assert answers[0] == answers[1]
    found = [rule["then"] for rule in rules if holds(rule, row)]
    if found and aggregation is not Aggregation.SUM:
        assert answers[0] == {"MIN": min(found), "MAX": max(found), "COUNT": len(found)}[aggregation.value]


@given(RULES, CELLS)
def test_a_unique_table_is_hit_once_at_most(rules: list[Any], row: dict[str, Cell]) -> None:
    """A table that is accepted as UNIQUE has no row that hits two rules; one that is not names two of them."""
    written = tuple(table(rules).rules)
    if clash := next(overlaps(written), None):
        with pytest.raises(ValidationError, match=f"rules {clash[0]} and {clash[1]} can both be hit"):
            table(rules, "UNIQUE")
    else:
        unique = table(rules, HitPolicy.UNIQUE.value)
        assert len(list(hits(unique, row))) <= 1
        assert decide(unique, row) == decide(table(rules), row)


@given(RULES, CELLS)
def test_what_no_row_hits_together_may_stand_together(rules: list[Any], row: dict[str, Cell]) -> None:
    """Whenever a row hits two rules, they are found to overlap."""
    found = list(hits(table(rules), row))
    if len(found) > 1:
        assert (found[0] + 1, found[1] + 1) in set(overlaps(table(rules).rules))


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ({}, "needs a bound"),
        ({"at_least": 2, "at_most": 1}, "no number lies between"),
        ({"above": 1, "at_most": 1}, "no number lies between"),
        ({"at_least": 1, "above": 1}, "not both"),
        ({"at_most": 1, "below": 1}, "not both"),
        ({"one_of": []}, "at least 1 item"),
        ({"equals": 1}, "Extra inputs"),
        ({"at_least": "1"}, "valid number"),
    ],
)
def test_what_no_condition_is(condition: dict[str, Any], reason: str) -> None:
    """A condition that says nothing, or nothing that can hold, is refused."""
    with pytest.raises(ValidationError, match=reason):
        table([{"when": {"income": condition}, "then": 1}])


def test_aggregation_belongs_to_collect() -> None:
    """COLLECT without an aggregation is refused, and so is an aggregation without COLLECT."""
    for policy, aggregation in (("COLLECT", None), ("FIRST", "SUM")):
        with pytest.raises(ValidationError, match="COLLECT needs an aggregation"):
            table([{"when": {}, "then": 1}], policy, aggregation)


def test_a_table_fits_its_data_contract() -> None:
    """Columns that are no inputs, and conditions of another type, are named with their rule."""
    contract = DataContract(
        inputs=(Column(name="income"), Column(name="region", type="string")),
        outputs=(Column(name="score"),),
        label="good",
    )
    wrong = [{"age": {"below": 18}}, {"region": {"below": 18}}, {"income": {"one_of": ["a"]}}]
    assert [*misfits(table([{"when": when, "then": 1} for when in wrong]), contract)] == [
        "rule 1 looks at 'age', which is no input of the data contract",
        "rule 2 compares 'region', a string, with something else",
        "rule 3 compares 'income', a number, with something else",
    ]
    good = [{"income": {"missing": True}}, {"region": {"one_of": ["north"]}}]
    assert not [*misfits(table([{"when": when, "then": 1} for when in good]), contract)]
    assert Rule(when={}, then=1.0).note is None
