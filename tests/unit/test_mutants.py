"""A checker that never fails proves nothing: bugs are put into the kernel, and each has to be noticed."""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.unit.clearance_mutants import CLEARANCE
from tests.unit.kernel_mutants import KERNEL, TRIALS, WATCH
from tests.unit.mutants import Mutant
from tests.unit.mutated import PROJECT, survey
from tests.unit.rule_mutants import RULES

ALL = (*KERNEL, *TRIALS, *WATCH, *RULES, *CLEARANCE)
SHARES = 6
"""In how many tests the bugs are tried; all but the first share are long."""


def missed(mutants: Sequence[Mutant], judge: str) -> list[str]:
    """The mutants that a judge does not notice; without a bug it notices nothing."""
    unchanged = mutants[0]._replace(new=mutants[0].old)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh:
        sane, *said = fresh.submit(survey, [unchanged, *mutants], judge).result()
    assert sane == ""
    return [f"{one.file}: {one.breaks}" for one, how in zip(mutants, said, strict=True) if not how]


@pytest.mark.parametrize("share", [0, *(pytest.param(one, marks=pytest.mark.long) for one in range(1, SHARES))])
def test_the_proofs_notice_every_bug_of_the_kernel(share: int) -> None:
    """No test of ours is asked: the exploration alone finds each, and tells a story."""
    assert missed(KERNEL[share::SHARES], "tests.unit.judges:proofs") == []


@pytest.mark.long
def test_the_proofs_notice_every_bug_about_trials() -> None:
    """A plan with a trial in it is explored, as small as can be."""
    assert missed(TRIALS, "tests.unit.judges:trials") == []


@pytest.mark.long
def test_the_tests_notice_every_bug_about_breaches() -> None:
    """As many of the last looks as the plan says, the newest among them."""
    assert missed(WATCH, "tests.unit.judges:watch") == []


@pytest.mark.parametrize("share", [0, *(pytest.param(one, marks=pytest.mark.long) for one in range(1, SHARES))])
def test_the_corpus_notices_every_bug_of_the_compiler(share: int) -> None:
    """Each bad template fails for its own reason, so a rule that is lax anywhere is found."""
    assert missed(RULES[share::SHARES], "tests.unit.judges:corpus") == []


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_tests_notice_every_bug_of_the_clearance() -> None:
    """What the actuator asks for itself, each question left out once."""
    assert missed(CLEARANCE, "tests.unit.judges:clearances") == []


def test_there_are_enough_of_them() -> None:
    """Forty places at least, each once."""
    assert len({(one.file, one.old) for one in KERNEL}) >= 40
    assert len({(one.file, one.old) for one in RULES}) >= 20


def test_each_is_still_a_bug_to_put_in() -> None:
    """A mutant whose text is not there any more, or not once, would be noticed for that alone."""
    texts = {one.file: (PROJECT / "models" / f"{one.file.replace('.', '/')}.py").read_text() for one in ALL}
    assert [one.breaks for one in ALL if texts[one.file].count(one.old) != 1] == []
