"""What is kept of a trial between its looks: the same figures as of the whole, wherever it was cut."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.adapters.sqlite_cases import writing
from models.errors import UnavailableError
from models.observations import Estimate
from models.tally import Outcome, Side, Tally
from models.traffic import Position
from tests.unit.test_tally import ANSWERS, OUTCOMES, side, tally, told

SUBJECT = "1 2 2026-01-05T12:00:00+00:00"


def kept(file: Path, parts: list[Tally], files: dict[str, dict[str, Outcome]], subject: str = SUBJECT) -> Side:
    """Both versions' sides after each part was counted in a look of its own; both said the same."""
    for part in parts:
        with writing(file, subject) as cases:
            cases.count({1: part, 2: part})
    with writing(file, subject) as cases:
        for name in list(files)[cases.learned(list(files)) :]:
            cases.learn(name, [files[name]])
        assert cases.counts(1) == cases.counts(2)
        return Side(cases.counts(1), cases.sums(1))


def figures(one: Estimate | None) -> tuple[float, ...] | None:
    """To be compared but for the last digits."""
    return (one.value, one.variance, one.count) if one else None


@given(st.lists(ANSWERS), st.integers(0, 4))
def test_the_figures_are_those_of_the_whole(parts: list[list[tuple[str, float, str]]], cut: int) -> None:
    """Answers and outcomes come in parts; a unit that answers again, or learns again, counts by the last one."""
    earlier = {unit: Outcome(label=0.0, value=9.0) for unit in list(OUTCOMES)[:cut]}
    whole = side(tally(*(told(*one) for part in parts for one in part)), OUTCOMES)
    with TemporaryDirectory() as folder:
        found = kept(
            Path(folder) / "kept.db",
            [tally(*(told(*one) for one in part)) for part in parts],
            {"1.csv": earlier, "2.csv": OUTCOMES},
        )
    assert found.counts == whole.counts
    sums, expected = found.sums, whole.sums
    assert (sums.right, sums.judged, sums.groups) == (expected.right, expected.judged, expected.groups)
    assert figures(sums.value.estimate()) == pytest.approx(figures(expected.value.estimate()))
    assert figures(sums.brier.estimate()) == pytest.approx(figures(expected.brier.estimate()), abs=1e-12)


def test_outcomes_that_change_are_read_anew(tmp_path: Path) -> None:
    """A file that was read is not read again; if it has changed, what it said before is forgotten."""
    part = tally(told("a", 0.9, "said"), told("b", 0.9, "said"))
    first = {"1.csv @1": {"a": Outcome(label=1.0), "b": Outcome(label=1.0)}}
    assert kept(tmp_path / "kept.db", [part], first).sums.judged == 2
    with writing(tmp_path / "kept.db", SUBJECT) as cases:
        assert cases.learned(["1.csv @1", "2.csv @1"]) == 1
    assert kept(tmp_path / "kept.db", [], {"1.csv @2": {"a": Outcome(label=1.0)}}).sums.judged == 1


def test_another_trial_begins_with_nothing(tmp_path: Path) -> None:
    """What was counted of one share, or one challenger, is not counted for the next."""
    file = tmp_path / "kept.db"
    kept(file, [tally(told("a", 0.9, "said"))], {"1.csv": OUTCOMES})
    other = kept(file, [], {}, "1 3 2026-01-06T12:00:00+00:00")
    assert (other.counts.requests, other.sums.judged) == (0, 0)


def test_a_look_that_fails_has_counted_nothing(tmp_path: Path) -> None:
    """The next one begins where the last one that was whole has ended."""
    file, part = tmp_path / "kept.db", tally(told("a", 0.9, "said"))
    with writing(file, SUBJECT) as cases:
        cases.count({1: part})
        cases.read_up_to(Position(days={"2026-01-05": 100}))

    def fails() -> None:
        with writing(file, SUBJECT) as cases:
            cases.count({1: part})
            cases.read_up_to(Position(days={"2026-01-05": 200}))
            raise ConnectionError

    with pytest.raises(ConnectionError):
        fails()
    with writing(file, SUBJECT) as cases:
        assert cases.counts(1).requests == 1
        assert cases.position == Position(days={"2026-01-05": 100})


def test_a_broken_file_is_made_anew(tmp_path: Path) -> None:
    """It holds nothing that is not elsewhere, so the next attempt goes on without it."""
    file = tmp_path / "kept.db"
    file.write_bytes(b"this is no database" * 1_000)
    with pytest.raises(UnavailableError, match="cannot be read"):
        kept(file, [], {})
    assert kept(file, [tally(told("a", 0.9, "said"))], {}).counts.requests == 1


def test_nobody_else_reads_who_was_answered(tmp_path: Path) -> None:
    """The file is its owner's, and does not name units."""
    file = tmp_path / "observed" / "kept.db"
    kept(file, [tally(told("customer-4711", 0.9, "said"))], {"1.csv": {"customer-4711": Outcome(label=1.0)}})
    assert file.stat().st_mode & 0o077 == file.parent.stat().st_mode & 0o077 == 0
    assert b"customer-4711" not in file.read_bytes()
