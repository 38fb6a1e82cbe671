"""The template's types: what has the wrong shape is named, placed, and told how to be mended."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.diagnostics import Diagnostic
from models.errors import TemplateError
from models.evidence import StepKind
from models.template import load_template

CREDIT = (Path(__file__).parents[2] / "workflows" / "templates" / "credit-high-risk.yaml").read_text()


def refusals(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(TemplateError) as caught:
        load_template(text, "t.yaml")
    return caught.value.diagnostics


def edited(old: str, new: str) -> str:
    assert CREDIT.count(old) == 1, old
    return CREDIT.replace(old, new)


def test_short_forms_mean_the_long_ones() -> None:
    """A step's kind alone, and a stage's name alone as `then`, are short for their mappings."""
    template = load_template(CREDIT, "t.yaml")
    retiring = template.stages["retiring"]
    assert retiring.then is not None
    assert (retiring.then.passed, retiring.then.failed) == ("retired", None)
    step = template.stages["intake"].do[0]
    assert (step.run, step.id, step.timeout) == (StepKind.CLASSIFY, "classify", 300)


def test_a_step_can_say_more() -> None:
    """A step written out may have its own id and timeout."""
    template = load_template(edited("do: [evaluate]", "do: [{run: evaluate, id: again, timeout: 90s}]"), "t.yaml")
    step = template.stages["validation"].do[0]
    assert (step.id, step.timeout) == ("again", 90)


@pytest.mark.parametrize("version", ["1.0.0", "'1.0.0'", "1.10", "2", "1.0"])
def test_a_version_stays_as_it_was_written(version: str) -> None:
    """A version is text whether quoted or not: 1.10 does not become 1.1."""
    assert load_template(edited("version: 1.0.0", f"version: {version}"), "t").version == version.strip("'")


def test_the_order_of_stages_is_kept() -> None:
    """Stages come in the order they were written in: the first is the entry."""
    assert list(load_template(CREDIT, "t").stages)[:3] == ["intake", "development", "validation"]


@pytest.mark.parametrize(
    ("old", "new", "suggestion"),
    [
        ("title:", "titel:", "did you mean 'title'?"),
        ("      question: Is", "      qestion: Is", "did you mean 'question'?"),
        ("then: retrain", "then: retrian", "did you mean 'retrain'?"),
        ("do: [stop_serving,", "do: [stop_servin,", "did you mean 'stop_serving'?"),
        ("[owner, developer, submitter,", "[owner, develper, submitter,", "did you mean 'developer'?"),
        ("brakes: {cooldown: 7d", "brakes: {cooldwn: 7d", "did you mean 'cooldown'?"),
        ("title: Credit decisions, high risk", "title: 12", 'write it in quotes: "12"'),
    ],
)
def test_a_way_out_is_suggested(old: str, new: str, suggestion: str) -> None:
    """A misspelt key or word is answered with the nearest one that is known."""
    assert suggestion in [found.suggestion for found in refusals(edited(old, new))]


def test_types_are_strict() -> None:
    """A number in quotes is not a number, yes is not true, and a number without unit is not a duration."""
    text = CREDIT.replace("steady: true", "steady: yes").replace("breach_after: 1", 'breach_after: "1"')
    text = text.replace("every: 1d", "every: 86400").replace("at_most: 3", "at_most: 3.0")
    assert [(found.path, found.code) for found in refusals(text)] == [
        ("stages.production.steady", "MO203"),
        ("monitors.drift.every", "MO205"),
        ("monitors.drift.breach_after", "MO203"),
        ("monitors.drift.brakes.at_most", "MO203"),
    ]


def test_the_kernels_own_steps_cannot_be_written() -> None:
    """A template cannot ask for train, ask or restore."""
    for kind in ("train", "ask", "restore"):
        assert [found.code for found in refusals(edited("do: [classify]", f"do: [{kind}]"))] == ["MO207"]


def test_text_and_shape_are_judged_together() -> None:
    """What the YAML reader refuses does not hide what has the wrong shape, and is not judged twice."""
    text = CREDIT.replace("every: 1d", "every: *a").replace("breach_after: 1", "breach_after: 0")
    assert [found.code for found in refusals(text)] == ["MO107", "MO208"]


def test_comparisons_with_traps_are_refused() -> None:
    """A bound is a plain decimal number: no underscores, no infinity, no not-a-number, no chain."""
    for bound in (">= nan", "< inf", "< 9e999", ">= 1_000", "0.7 <= x", ">=", "=> 1", "0.75"):
        text = CREDIT.replace('pass: ">= 0.75"', f'pass: "{bound}"')
        assert [found.code for found in refusals(text)] == ["MO206"], bound


def test_people_can_read_it() -> None:
    """The error's text names the file, counts the problems, and shows place, code, reason and way out."""
    with pytest.raises(TemplateError) as caught:
        load_template(edited("sla: 10d", "sla: 10"), "credit.yaml")
    lines = str(caught.value).splitlines()
    line = edited("sla: 10d", "sla: 10").splitlines().index("      sla: 10") + 1
    assert lines[0] == "credit.yaml: 1 problem"
    reason = "error MO205: '10': a duration is a number and a unit, as in '5d' (stages.validation.gate.sla)"
    assert lines[1] == f"credit.yaml:{line}:12: {reason}"


def test_a_hundred_problems_are_enough() -> None:
    """A text with thousands of unknown keys is answered, and the answer stays readable."""
    found = refusals(CREDIT + "".join(f"x{n}: 1\n" for n in range(5_000)))
    assert len(found) == 100


@pytest.mark.parametrize("text", ["[]", "a", "1", "true", "- a\n- b\n", "{}"])
def test_other_yaml_is_no_template(text: str) -> None:
    """A list, a word or a number is answered with diagnostics like anything else."""
    assert {found.code for found in refusals(text)} <= {"MO202", "MO203"}


WORDS = sorted({word for line in CREDIT.splitlines() for word in line.replace(":", " : ").split()})


@given(st.one_of(st.text(), st.lists(st.sampled_from([*WORDS, "\n", "\n  ", "[", "]", "&a", "~", "1"])).map(" ".join)))
def test_junk_raises_nothing_else(text: str) -> None:
    """Random text never raises anything but TemplateError."""
    with pytest.raises(TemplateError) as caught:
        load_template(text, "t.yaml")
    assert caught.value.diagnostics
