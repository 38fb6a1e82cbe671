"""Workflow tasks that take too long: each comes to its end before what is left of it is taken apart."""

import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
from temporalio.worker import WorkflowInstance
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from workflows import sandbox
from workflows.sandbox import sandboxed


class Slow(WorkflowInstance):
    """Is at work until it is told to stop, and notes whoever comes in meanwhile."""

    def __init__(self) -> None:
        self.at_work, self.stop = threading.Event(), threading.Event()
        self.inside, self.most = 0, 0

    def activate(self, act: Any) -> Any:
        """What was given, in the end."""
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.at_work.set()
        self.stop.wait(10)
        self.inside -= 1
        return act

    def get_serialization_context(self, command_info: Any) -> Any:
        """Nothing."""

    def get_external_store_context(self, command_info: Any) -> Any:
        """Nothing."""

    def get_info(self) -> Any:
        """Something."""
        return "info"

    def get_thread_id(self) -> int:
        """That in which the SDK would interrupt it."""
        return 1


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    """What the SDK's own sandbox makes."""
    made = Slow()
    monkeypatch.setattr(SandboxedWorkflowRunner, "create_instance", lambda *_: made)
    yield made
    made.stop.set()


def built() -> Any:
    """An instance of ours, whatever it is made of."""
    return sandboxed().create_instance(cast(Any, None))


def test_one_activation_waits_for_another(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives up for now while the other is at work, does its own afterwards, and none is interrupted."""
    monkeypatch.setattr(sandbox, "_TURN", 0.01)
    instance = built()
    first = threading.Thread(target=instance.activate, args=("a task",))
    first.start()
    assert slow.at_work.wait(10)
    with pytest.raises(TimeoutError, match="has not come to its end"):
        instance.activate("its eviction")
    assert instance.get_thread_id() is None
    assert instance.get_info() == "info"
    slow.stop.set()
    first.join()
    assert instance.activate("its eviction") == "its eviction"
    assert slow.most == 1


def test_what_fails_leaves_the_turn_to_the_next(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error is told, and what comes after it is done."""
    slow.stop.set()
    instance = built()
    with monkeypatch.context() as broken:
        broken.setattr(slow, "activate", lambda act: 1 // act)
        with pytest.raises(ZeroDivisionError):
            instance.activate(0)
    assert instance.activate("its eviction") == "its eviction"
