"""What a change of a trial means, and that a plan with one is written down as it was read."""

import pytest

from models.changes.change import Direction
from models.compiler import compile_template
from models.difference import difference
from models.writing import write_template
from tests.unit.template_mistakes import CREDIT
from tests.unit.trying import TRYING

PLAN = compile_template(TRYING, "t")
TIGHTER, LOOSER, NEUTRAL = Direction.TIGHTER, Direction.LOOSER, Direction.NEUTRAL
TRIAL = "the trial in 'challenge'"
THAN = "instead of not worse by 0.05"

ONE_EDIT = [
    ("shadow: 1s", "shadow: 2s", TIGHTER, f"{TRIAL} only answers copies for 2s instead of 1s"),
    ("hold: 1s", "hold: 5s", TIGHTER, f"{TRIAL} holds each share for 5s instead of 1s"),
    ("shares: [10, 50]", "shares: [10]", NEUTRAL, f"{TRIAL} gives shares of '10 %' instead of '10 %, 50 %'"),
    ("longest: 1h", "longest: 2h", NEUTRAL, f"{TRIAL} asks people after '2h' instead of '1h'"),
    ("at_least: 100\n", "at_least: 50\n", LOOSER, f"{TRIAL} needs 50 instead of 100 outcomes"),
    ("0.05\n", "0.1\n", LOOSER, f"{TRIAL} is wrong in 10.0000% of cases at most instead of 5.0000%"),
    ("not_worse_by: 0.05", "not_worse_by: 0.1", LOOSER, f"{TRIAL} wants 'accuracy' not worse by 0.1 {THAN}"),
    ("not_worse_by: 0.05", "better_by: 0.05", TIGHTER, f"{TRIAL} wants 'accuracy' better by 0.05 {THAN}"),
    ("0.05}}", "0.05}, brier: {not_worse_by: 0.1}}", TIGHTER, f"{TRIAL} compares 'brier' as well"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "direction", "sentence"), ONE_EDIT, ids=[edit[1].strip() for edit in ONE_EDIT])
def test_one_edit_is_one_change(old: str, new: str, direction: Direction, sentence: str) -> None:
    assert TRYING.count(old) == 1
    after = compile_template(TRYING.replace(old, new), "t")
    assert [(one.direction, one.sentence) for one in difference(PLAN, after)] == [(direction, sentence)]
    back = [(one.direction, one.subject) for one in difference(after, PLAN)]
    assert back == [(direction.mirrored, TRIAL)]


def test_a_trial_that_comes_or_goes() -> None:
    without = compile_template(CREDIT, "t")
    new = [one for one in difference(without, PLAN) if one.subject == TRIAL]
    assert [(one.direction, one.sentence) for one in new] == [
        (TIGHTER, f"{TRIAL} is new: a challenger is compared by accuracy")
    ]
    assert [one.direction for one in difference(PLAN, without) if one.subject == TRIAL] == [LOOSER]


def test_a_plan_with_a_trial_is_written_as_it_was_read() -> None:
    assert difference(PLAN, compile_template(write_template(PLAN), "t")) == ()
