"""Who answers what, with real models in this process."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.errors import InvalidInputError, ModelopsError
from models.traffic import Answer, Split, is_challenged
from tests.contract.serving import Shop, constant, failing, request_of
from tests.packing import MODEL, bundles_in
from worker import mirror
from worker.mirror import Copy
from worker.model_repository import Route
from worker.router import LOGGED_ROWS, Router
from worker.served_model import ServedModel, load_model
from worker.traffic_log import TrafficLog

Load = Callable[[int, bytes], ServedModel]


class Kept(TrafficLog):
    """A log that can be looked at."""

    @property
    def answers(self) -> list[Answer]:
        """What was put in."""
        return [answer() for _, answer in self._queue]


@pytest.fixture
def log(tmp_path: Path) -> Kept:
    """One that writes nothing."""
    return Kept(tmp_path)


@pytest.fixture
def load(shop: Shop) -> Load:
    """A version made ready."""
    return lambda version, data: load_model(
        bundles_in(shop.folder, shop.store), shop.bundle(version, data), MODEL, version
    )


@pytest.fixture
def router(log: Kept) -> Router:
    """The router on that log."""
    return Router(log)


def ask(router: Router, route: Route, rows: int = 1, **more: Any) -> tuple[str, Copy | None]:
    """Which version answered, and the copy."""
    reply = router.answer(route, json.dumps({**request_of([[1.0, 2.0, 3.0]] * rows), **more}).encode())
    return json.loads(reply.body)["model_version"], reply.copy


def route(champion: ServedModel, challenger: ServedModel, share: int, mirrored: bool = False) -> Route:
    """Both beside each other."""
    split = Split(version=challenger.version, bundle=challenger.bundle, share=share, mirrored=mirrored)
    return Route(champion, challenger, split)


def test_a_unit_is_answered_by_its_version(router: Router, load: Load) -> None:
    """The parameter `unit` decides, else the id; both as the rule of division has it."""
    divided = route(load(1, constant(0.1)), load(2, constant(0.2)), 40)
    assert divided.split
    for unit in map(str, range(50)):
        expected = "2" if is_challenged(unit, divided.split) else "1"
        assert ask(router, divided, id=unit)[0] == expected
        assert ask(router, divided, id="another", parameters={"unit": unit})[0] == expected


def test_what_has_no_unit_is_one_of_its_own(router: Router, log: Kept, load: Load) -> None:
    """Requests without a unit are divided too, each for itself."""
    divided = route(load(1, constant(0.1)), load(2, constant(0.2)), 50)
    versions = {ask(router, divided, id="")[0] for _ in range(64)}
    assert versions == {"1", "2"}
    assert len({answer.unit for answer in log.answers}) == 64


@pytest.mark.parametrize("unit", ["", "x" * 501, 7])
def test_a_unit_is_a_short_text(router: Router, load: Load, unit: object) -> None:
    """Anything else is refused with its place."""
    with pytest.raises(InvalidInputError, match="unit"):
        ask(router, Route(load(1, constant(0.1)), None, None), parameters={"unit": unit})


def test_a_challenger_that_fails_costs_nobody_an_answer(router: Router, log: Kept, load: Load) -> None:
    """The champion answers, the failure is logged as the challenger's."""
    assert ask(router, route(load(1, constant(0.1)), load(2, failing()), 100), id="a") == ("1", None)
    broken, instead = log.answers
    assert (broken.version, broken.unit, instead.version, instead.instead) == (2, "a", 1, True)
    assert "failed" in broken.error
    assert not instead.error


def test_a_challenger_that_reads_other_columns_costs_nobody_an_answer(
    router: Router, log: Kept, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That it refuses what the champion answers is its failure, too."""
    champion, challenger = load(1, constant(0.1)), load(2, constant(0.2))
    monkeypatch.setattr(ServedModel, "columns", property(lambda model: ("a", "b", "c", "d")[: 2 + model.version % 2]))
    assert ask(router, route(champion, challenger, 100))[0] == "1"
    assert [(answer.version, bool(answer.error)) for answer in log.answers] == [(1, False), (2, True)]


def test_a_wrong_request_is_nobodys_failure(router: Router, log: Kept, load: Load) -> None:
    """If both refuse it, the caller learns why, and nothing is logged."""
    body = json.dumps(request_of([[1.0, 2.0]])).encode()
    with pytest.raises(InvalidInputError, match="income, debt, years"):
        router.answer(route(load(1, constant(0.1)), load(2, constant(0.2)), 100), body)
    assert log.answers == []


def test_a_failing_champion_is_told_and_logged(router: Router, log: Kept, load: Load) -> None:
    """Whoever asks gets the error; the challenger is not asked in its place."""
    with pytest.raises(ModelopsError, match="version 1"):
        ask(router, route(load(1, failing()), load(2, constant(0.2)), 0))
    assert [(answer.version, answer.rows) for answer in log.answers] == [(1, 0)]


def test_copies_are_given_in_the_background(router: Router, log: Kept, load: Load) -> None:
    """Of a mirrored division every answer of the champion makes a copy; what fails on it is seen in the log alone."""
    champion = load(1, constant(0.1))
    for challenger in (load(2, constant(0.8)), load(3, failing())):
        version, copy = ask(router, route(champion, challenger, 0, mirrored=True), id="a")
        assert version == "1"
        assert copy
        router.mirror.add(copy)
    router.mirror.start()
    give_up = time.monotonic() + 10
    while len(log.answers) < 4 and time.monotonic() < give_up:
        time.sleep(0.005)
    router.mirror.stop()
    _, _, copied, failed = log.answers
    assert (copied.version, copied.mirrored, copied.unit, copied.labels) == (2, True, "a", (1,))
    assert (failed.version, failed.mirrored, bool(failed.error)) == (3, True, True)


def test_too_many_copies_are_dropped_and_counted(router: Router, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """A challenger that is too slow misses some; nobody waits for it."""
    monkeypatch.setattr(mirror, "HELD_AT_MOST", 5000)
    model = load(2, constant(0.2))
    for _ in range(10):
        router.mirror.add(Copy(model, "a", b"{}"))
    assert router.mirror.dropped == 6


def test_a_long_request_is_logged_in_part(router: Router, log: Kept, load: Load) -> None:
    """The first rows have their scores in the log, all are counted."""
    ask(router, Route(load(1, constant(0.1)), None, None), rows=LOGGED_ROWS + 1)
    (answer,) = log.answers
    assert (answer.rows, len(answer.scores), len(answer.labels)) == (LOGGED_ROWS + 1, LOGGED_ROWS, LOGGED_ROWS)
