"""One suite for every target: an inference server of ours, KServe, SageMaker. What serves changes as one promotes."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count

import pytest

from activities.adapters.kserve_service import service_name
from activities.adapters.sagemaker_endpoint import endpoint_name
from activities.ports import Deployer
from models.answers import read_answer
from models.errors import (
    ConflictError,
    InvalidInputError,
    ModelopsError,
    NotPermittedError,
    SmokeTestError,
    UnavailableError,
)
from models.evidence import EffectKey
from models.placement import Placed
from models.reconciliation import Served
from models.traffic import Split
from tests.contract.cloud import Cloud
from tests.contract.cluster import Cluster
from tests.contract.serving import PROD, Server, Shop, free_port, new_key, request_of
from tests.contract.targets import KServeRig, LocalRig, Rig, SageMakerRig, running
from tests.packing import MODEL

TARGETS = ["local", "kserve", "sagemaker"]
ROWS = json.dumps(request_of([[1.0, 2.0, 3.0]] * 2))


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory, shop: Shop) -> Iterator[Server]:
    """One server for all tests; each leaves it empty."""
    process = Server(tmp_path_factory.mktemp("prod"), shop.folder)
    process.start()
    yield process
    process.kill()


@pytest.fixture(scope="module")
def sagemaker() -> Iterator[SageMakerRig]:
    """One cloud for all tests; each begins with an empty one. Its clients take long to make."""
    with running(cloud := Cloud()), pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", cloud.url)
        found = SageMakerRig(cloud)
        yield found
        found.close()


@pytest.fixture
def rig(request: pytest.FixtureRequest, shop: Shop) -> Iterator[Rig]:
    """The target that is the test's parameter."""
    if request.param == "local":
        served = LocalRig(request.getfixturevalue("local"), shop)
        yield served
        served.fuse.set(None)
        served.deployer().withdraw(PROD, MODEL, new_key())
        served.close()
    elif request.param == "kserve":
        with running(cluster := Cluster()):
            yield (clustered := KServeRig(cluster))
            clustered.close()
    else:
        shared: SageMakerRig = request.getfixturevalue("sagemaker")
        shared.cloud.clear()
        yield shared


each = pytest.mark.parametrize("rig", TARGETS, indirect=True)


def scores(rig: Rig, version: int, bundle: str) -> set[float]:
    """What a version answers, wherever it is loaded."""
    answer = read_answer(rig.predictor().predict(PROD, MODEL, Placed(version=version, bundle=bundle), ROWS).body)
    assert answer is not None
    assert len(answer.scores) == 2
    return {round(score, 4) for score in answer.scores}


@each
def test_what_is_deployed_serves(rig: Rig) -> None:
    """Alone, and it answers; the next one takes its place, and the former can be had back under a key of its own."""
    first, second = rig.bundle(1, 0.1), rig.bundle(2, 0.2)
    url = rig.deployer().deploy(PROD, MODEL, 1, first, new_key())
    assert url.startswith("http")
    assert (rig.shares(), scores(rig, 1, first)) == ({first: 100}, {0.1})
    rig.deployer().deploy(PROD, MODEL, 2, second, new_key())
    assert (rig.shares(), scores(rig, 2, second)) == ({second: 100}, {0.2})
    rig.deployer().deploy(PROD, MODEL, 1, first, new_key())
    assert (rig.shares(), scores(rig, 1, first)) == ({first: 100}, {0.1})


@each
def test_a_key_acts_once(rig: Rig) -> None:
    """Repeated at once, after another version took over, or after a withdrawal, it changes nothing more."""
    first, second, key = rig.bundle(1, 0.1), rig.bundle(2, 0.2), new_key()
    for _ in range(2):
        rig.deployer().deploy(PROD, MODEL, 1, first, key)
    done = rig.done()
    rig.deployer().deploy(PROD, MODEL, 1, first, key)
    assert rig.done() == done
    rig.deployer().deploy(PROD, MODEL, 2, second, new_key())
    rig.deployer().deploy(PROD, MODEL, 1, first, key)
    assert rig.shares() == {second: 100}
    rig.deployer().withdraw(PROD, MODEL, gone := new_key())
    rig.deployer().deploy(PROD, MODEL, 1, first, key)
    assert rig.shares() == {}
    rig.deployer().deploy(PROD, MODEL, 1, first, new_key())
    rig.deployer().withdraw(PROD, MODEL, gone)
    assert rig.shares() == {first: 100}


@each
def test_a_key_of_another_effect_is_a_conflict(rig: Rig) -> None:
    """One key cannot stand for two effects."""
    first, second, key = rig.bundle(1, 0.1), rig.bundle(2, 0.2), new_key()
    rig.deployer().deploy(PROD, MODEL, 1, first, key)
    with pytest.raises(ConflictError, match="another effect"):
        rig.deployer().deploy(PROD, MODEL, 2, second, key)
    with pytest.raises(ConflictError, match="another effect"):
        rig.deployer().withdraw(PROD, MODEL, key)
    assert rig.shares() == {first: 100}


@each
def test_what_does_not_start_never_serves(rig: Rig) -> None:
    """With nothing before it, nothing serves; else what served before still does, and the next one can be deployed."""
    first, broken, third = rig.bundle(1, 0.1), rig.bundle(2, None), rig.bundle(3, 0.3)
    with pytest.raises(SmokeTestError):
        rig.deployer().deploy(PROD, MODEL, 2, broken, new_key())
    assert rig.shares() == {}
    rig.deployer().deploy(PROD, MODEL, 1, first, new_key())
    with pytest.raises(SmokeTestError):
        rig.deployer().deploy(PROD, MODEL, 2, broken, new_key())
    assert (rig.shares(), scores(rig, 1, first)) == ({first: 100}, {0.1})
    rig.deployer().deploy(PROD, MODEL, 3, third, new_key())
    assert rig.shares() == {third: 100}


@each
def test_withdrawing_is_no_error_where_nothing_serves(rig: Rig) -> None:
    """Neither before anything was deployed, nor twice."""
    rig.deployer().withdraw(PROD, MODEL, new_key())
    rig.deployer().deploy(PROD, MODEL, 1, rig.bundle(1, 0.1), new_key())
    for _ in range(2):
        rig.deployer().withdraw(PROD, MODEL, new_key())
    assert rig.shares() == {}


@each
def test_a_challenger_has_its_share(rig: Rig) -> None:
    """It is raised step by step, ended, tried again; both answer meanwhile, also at 0."""
    first, second = rig.bundle(1, 0.1), rig.bundle(2, 0.2)
    with pytest.raises(ConflictError):
        rig.deployer().divide(PROD, MODEL, Split(version=2, bundle=second, share=5), new_key())
    rig.deployer().deploy(PROD, MODEL, 1, first, new_key())
    for share in (0, 20, 50):
        rig.deployer().divide(PROD, MODEL, Split(version=2, bundle=second, share=share), new_key())
        wanted = {first: 100 - share, second: share} if share else {first: 100}
        assert rig.shares() == wanted
        assert (scores(rig, 1, first), scores(rig, 2, second)) == ({0.1}, {0.2})
    rig.deployer().divide(PROD, MODEL, None, new_key())
    assert (rig.shares(), scores(rig, 1, first)) == ({first: 100}, {0.1})
    rig.deployer().divide(PROD, MODEL, Split(version=2, bundle=second, share=10), new_key())
    assert rig.shares() == {first: 90, second: 10}


@each
def test_whoever_deploys_or_withdraws_ends_a_split(rig: Rig) -> None:
    """The challenger is elected, or another version is deployed, or none any more: nothing is left of the split."""
    first, second, third = rig.bundle(1, 0.1), rig.bundle(2, 0.2), rig.bundle(3, 0.3)
    rig.deployer().deploy(PROD, MODEL, 1, first, new_key())
    rig.deployer().divide(PROD, MODEL, Split(version=2, bundle=second, share=30), new_key())
    rig.deployer().deploy(PROD, MODEL, 2, second, new_key())
    assert rig.shares() == {second: 100}
    with pytest.raises(ConflictError):
        rig.deployer().divide(PROD, MODEL, Split(version=2, bundle=second, share=30), new_key())
    rig.deployer().divide(PROD, MODEL, Split(version=1, bundle=first, share=30), new_key())
    rig.deployer().deploy(PROD, MODEL, 3, third, new_key())
    assert rig.shares() == {third: 100}
    rig.deployer().divide(PROD, MODEL, Split(version=1, bundle=first, share=30), new_key())
    rig.deployer().withdraw(PROD, MODEL, new_key())
    assert rig.shares() == {}
    rig.deployer().divide(PROD, MODEL, None, new_key())
    assert rig.shares() == {}


@each
def test_a_challenger_that_does_not_start_leaves_everything_as_it_was(rig: Rig) -> None:
    """Beside a champion alone, and in the place of another challenger."""
    first, second, broken = rig.bundle(1, 0.1), rig.bundle(2, 0.2), rig.bundle(3, None)
    rig.deployer().deploy(PROD, MODEL, 1, first, new_key())
    with pytest.raises(SmokeTestError):
        rig.deployer().divide(PROD, MODEL, Split(version=3, bundle=broken, share=20), new_key())
    assert (rig.shares(), scores(rig, 1, first)) == ({first: 100}, {0.1})
    rig.deployer().divide(PROD, MODEL, Split(version=2, bundle=second, share=20), new_key())
    assert rig.shares() == {first: 80, second: 20}


@each
def test_what_serves_is_seen(rig: Rig) -> None:
    """The champion, also beside a challenger; what somebody changes by hand; nothing any more, once it is withdrawn."""
    first, second = rig.bundle(1, 0.1), rig.bundle(2, 0.2)
    assert rig.index().serves(PROD) == {}
    rig.deployer().deploy(PROD, MODEL, 1, first, new_key())
    assert rig.index().serves(PROD) == {MODEL: Served(1, first)}
    rig.deployer().divide(PROD, MODEL, Split(version=2, bundle=second, share=60), new_key())
    assert rig.index().serves(PROD) == {MODEL: Served(1, first)}
    rig.deployer().divide(PROD, MODEL, None, new_key())
    rig.by_hand(2, second)
    assert rig.index().serves(PROD) == {MODEL: Served(2, second)}
    rig.deployer().withdraw(PROD, MODEL, new_key())
    assert rig.index().serves(PROD) == {}


_numbers = count(1)


def story(rig: Rig, fuse: int | None) -> tuple[list[str], object, int]:
    """A deployment, and what comes next; the actuator dies after so many calls of each step, and comes again.

    What was changed, who answered after each step, and the most calls that one step took.
    """
    first, second = rig.bundle(1, 0.1), rig.bundle(2, 0.2)
    run, after, longest = next(_numbers), list[object](), 0
    split = Split(version=2, bundle=second, share=40)
    steps: list[Callable[[Deployer, EffectKey], object]] = [
        lambda deployer, key: deployer.deploy(PROD, MODEL, 1, first, key),
        lambda deployer, key: deployer.divide(PROD, MODEL, split, key),
        lambda deployer, key: deployer.deploy(PROD, MODEL, 2, second, key),
        lambda deployer, key: deployer.withdraw(PROD, MODEL, key),
    ]
    for number, step in enumerate(steps):
        key = EffectKey(model=MODEL, visit=run, step=f"story-{number}")
        if fuse:
            rig.fuse.set(fuse)
            with suppress(ModelopsError):
                step(rig.deployer(), key)
        rig.fuse.set(None)
        step(rig.deployer(), key)
        longest = max(longest, rig.fuse.burnt)
        after.append(rig.shares())
    return rig.done(), after, longest


@pytest.mark.parametrize(
    "rig",
    [pytest.param("local", marks=pytest.mark.long), "kserve", pytest.param("sagemaker", marks=pytest.mark.long)],
    indirect=True,
)
def test_a_crash_between_any_two_calls_changes_nothing(rig: Rig) -> None:
    """Dead after its first call, its second ...: under the same key the next one ends where it would have ended."""
    done, after, longest = story(rig, None)
    assert longest > 1
    for fuse in range(1, longest):
        before = len(rig.done())
        again, states, _ = story(rig, fuse)
        assert states == after, fuse
        assert again[before:] == done, fuse


@each
def test_a_target_that_does_not_answer_is_unavailable(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Worth another try, and it says what to look at."""
    if isinstance(rig, SageMakerRig):
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(UnavailableError) as failed:
        rig.lost().deploy(PROD, MODEL, 1, rig.bundle(1, 0.1), new_key())
    assert failed.value.remedy
    with pytest.raises(UnavailableError):
        rig.lost().withdraw(PROD, MODEL, new_key())


@each
def test_who_has_not_the_credentials_changes_nothing(rig: Rig) -> None:
    """Not worth another try, and no word of the secret."""
    bundle = rig.bundle(1, 0.1)
    rig.deployer().deploy(PROD, MODEL, 1, bundle, new_key())
    done = rig.done()
    with pytest.raises(NotPermittedError) as refused:
        rig.stranger().deploy(PROD, MODEL, 2, rig.bundle(2, 0.2), new_key())
    with pytest.raises(NotPermittedError):
        rig.stranger().withdraw(PROD, MODEL, new_key())
    assert "another-token" not in str(refused.value)
    assert (rig.done(), rig.shares()) == (done, {bundle: 100})


@pytest.mark.parametrize("rig", ["sagemaker"], indirect=True)
def test_sagemaker_gives_copies_or_a_share(rig: SageMakerRig) -> None:
    """Copies go to a shadow variant, which answers nobody; both at once it cannot give."""
    first, second = rig.bundle(1, 0.1), rig.bundle(2, 0.2)
    rig.deployer().deploy(PROD, MODEL, 1, first, new_key())
    rig.deployer().divide(PROD, MODEL, Split(version=2, bundle=second, mirrored=True), new_key())
    assert (rig.shares(), rig.cloud.mirrored(rig.endpoint)) == ({first: 100}, [second])
    with pytest.raises(InvalidInputError, match="not both"):
        rig.deployer().divide(PROD, MODEL, Split(version=2, bundle=second, share=5, mirrored=True), new_key())
    rig.deployer().divide(PROD, MODEL, None, new_key())
    assert rig.cloud.mirrored(rig.endpoint) == []


@pytest.mark.parametrize("rig", ["kserve"], indirect=True)
def test_kserve_gives_no_copies(rig: KServeRig) -> None:
    """It is said, and nothing is changed."""
    first, second = rig.bundle(1, 0.1), rig.bundle(2, 0.2)
    rig.deployer().deploy(PROD, MODEL, 1, first, new_key())
    with pytest.raises(InvalidInputError, match="no copies"):
        rig.deployer().divide(PROD, MODEL, Split(version=2, bundle=second, mirrored=True), new_key())
    assert rig.done() == [first]


@pytest.mark.parametrize("rig", ["kserve"], indirect=True)
def test_what_somebody_else_changed_is_noticed(rig: KServeRig) -> None:
    """A record that says nothing any more is a conflict; so is a cluster that forbids, and it is told."""
    rig.deployer().deploy(PROD, MODEL, 1, rig.bundle(1, 0.1), new_key())
    record = next(thing for (kind, _), thing in rig.cluster.things.items() if kind == "configmaps")
    record["data"]["placement.json"] = "{"
    with pytest.raises(ConflictError, match="somebody has changed it"):
        rig.deployer().withdraw(PROD, MODEL, new_key())
    rig.cluster.forbidden = True
    with pytest.raises(NotPermittedError, match="forbidden"):
        rig.deployer().withdraw(PROD, MODEL, new_key())


def test_names_are_short_and_another_for_every_model() -> None:
    """As Kubernetes and SageMaker take them: `a_b` and `a-b` are two models."""
    models = ["loans", "a-b", "a_b", "x" * 63, "x" * 62 + "y", "a_b-c", "a-b_c"]
    for names, most in (
        ([service_name(model) for model in models], 40),
        ([endpoint_name(PROD, model) for model in models], 63),
    ):
        assert len(set(names)) == len(models)
        assert all(re.fullmatch("[a-z]([a-z0-9]|-(?!-))*[a-z0-9]", name) and len(name) <= most for name in names), names
