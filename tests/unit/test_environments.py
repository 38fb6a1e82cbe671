"""What environments are is one file, strictly read; without it they are three inference servers on this machine."""

import json
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from typer.testing import CliRunner

from client.cli import app
from models.environments import (
    Credentials,
    Environments,
    KServe,
    Local,
    SageMaker,
    bundle_at,
    bundle_uri,
    load_environments,
    usual_environments,
)
from models.errors import InvalidInputError, NotPermittedError
from models.evidence import StepOrder
from models.inventory import Environment, RiskTier
from models.plan import MeasurePlan, StagePlan, TrialPlan
from tests.contract.story import small_plan
from worker.embedded import waves
from worker.environments import demand_sight, environments_of, where_seen
from worker.inference import read_options
from worker.keeping import store_of
from worker.settings import Settings, read_secret
from worker.targets import targets_of

TRIAL = TrialPlan(
    shares=(10,),
    hold=60,
    every=60,
    longest=3_600,
    at_least=100,
    error_rate=0.05,
    measures=(MeasurePlan(name="errors", goal="not_worse", margin=0.02),),
)
GOOD = """\
environments:
  DEV:
    target: {kind: local, url: 'http://127.0.0.1:8501'}
  TEST:
    target:
      kind: kserve
      api: https://10.0.0.1:6443
      namespace: models-test
      bundles: s3://bundles/models
      runtime: modelops
      credentials: {env: CLUSTER_TOKEN}
    minimum: {approvals: 1}
    validation: {latency_ms: 50, golden: true, agreement: 0.9}
    capacity: {least: 1, most: 4}
  PROD:
    target:
      kind: sagemaker
      region: eu-central-1
      role: arn:aws:iam::123456789012:role/modelops
      image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/inference:1
      instance: ml.m5.large
      bundles: s3://bundles/models
      ready_within: 20m
    capacity: {least: 2}
"""


def loaded(text: str) -> Environments:
    """The environments of a text."""
    return load_environments(text.encode(), "environments.yaml")


def test_each_environment_has_a_target_of_its_own() -> None:
    """What is left out is as usual: the budget, one copy, and in PROD two people at high and critical tiers."""
    found = loaded(GOOD)
    kinds = [type(found[name].target) for name in Environment]
    assert kinds == [Local, KServe, SageMaker]
    assert (found[Environment.TEST].validation.latency_ms, found[Environment.DEV].validation.latency_ms) == (50, 1_000)
    assert (found[Environment.PROD].capacity.least, found[Environment.PROD].capacity.most) == (2, 2)
    assert set(found.minimum) == {Environment.TEST, Environment.PROD}
    assert set(found.minimum[Environment.TEST].tiers) == set(RiskTier)
    usual = found.minimum[Environment.PROD]
    assert (usual.approvals, set(usual.tiers)) == (2, {RiskTier.HIGH, RiskTier.CRITICAL})


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("kind: local", "kind: lambda", "environments.DEV.target: "),
        ("url: 'http", "url: 'ftp", "environments.DEV.target.local.url: "),
        ("http://127", "http://ana:secret@127", "environments.DEV.target.local.url: "),
        ("{env: CLUSTER_TOKEN}", "{env: CLUSTER_TOKEN, file: /token}", "in one way"),
        ("{env: CLUSTER_TOKEN}", "a-secret", "environments.TEST.target.kserve.credentials: "),
        ("least: 1, most: 4", "least: 4, most: 1", "at most 1 is less than at least 4"),
        ("{approvals: 1}", "{approvals: 0}", "environments.TEST.minimum.approvals: "),
        ("least: 2", "least: 2, most: 3", "fixed number of instances"),
        ("8501'}", "8501'}\n    capacity: {least: 2}", "is one process"),
        ("agreement: 0.9", "agreement: 90", "environments.TEST.validation.agreement: "),
        ("  DEV:\n    target: {kind: local, url: 'http://127.0.0.1:8501'}\n", "", "nothing is said of DEV"),
        ("approvals: 1", "approvals: 1, approvals: 0", "is here already"),
        ("ready_within", "ready_in", "environments.PROD.target.sagemaker.ready_in: "),
    ],
)
def test_a_mistake_is_named_with_its_place(good: str, bad: str, said: str) -> None:
    """Nothing is guessed: what is written wrong governs no environment."""
    assert good in GOOD
    with pytest.raises(InvalidInputError) as refused:
        loaded(GOOD.replace(good, bad))
    assert said in str(refused.value)
    assert "environments.yaml" in str(refused.value)
    assert "ana:secret" not in str(refused.value)


def test_without_a_file_they_are_the_embedded_ones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file in the home counts; one that was named has to be there."""
    monkeypatch.setenv("MODELOPS_HOME", str(tmp_path))
    servers = {name: local.url for name, local in environments_of(Settings()).locals()}
    assert servers == {
        name: f"http://127.0.0.1:{port}" for name, port in zip(Environment, range(8501, 8504), strict=True)
    }
    (tmp_path / "environments.yaml").write_text(GOOD)
    assert [name for name, _ in environments_of(Settings()).locals()] == [Environment.DEV]
    monkeypatch.setenv("MODELOPS_ENVIRONMENTS", str(tmp_path / "nowhere.yaml"))
    with pytest.raises(InvalidInputError, match=r"nowhere\.yaml is not there"):
        environments_of(Settings())


def test_only_what_is_here_is_started_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`modelops up` starts inference servers for the local environments, and the actuator reaches all of them."""
    monkeypatch.setenv("MODELOPS_HOME", str(tmp_path))
    monkeypatch.setenv("MODELOPS_DEPLOY_TOKEN", "x" * 40)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (tmp_path / "environments.yaml").write_text(GOOD)
    settings = Settings()
    names = [program.name for wave in waves(settings) for program in wave]
    assert [name for name in names if name.startswith("inference")] == ["inference-DEV"]
    targets = targets_of(settings, environments_of(settings), store_of(settings))
    kinds = [type(targets.of(name).deployer).__name__ for name in Environment]
    assert kinds == ["OipDeployer", "KServeDeployer", "SageMakerDeployer"]
    targets.close()


def test_a_secret_is_read_when_it_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """From a variable or a file, as it is then; what is not there is named, and nothing of what is."""
    monkeypatch.setenv("CLUSTER_TOKEN", "hush-1\n")
    (tmp_path / "token").write_text("hush-2\n")
    from_file = Credentials(file=str(tmp_path / "token"))
    assert (read_secret(Credentials(env="CLUSTER_TOKEN")), read_secret(from_file)) == ("hush-1", "hush-2")
    monkeypatch.setenv("EMPTY_TOKEN", " \n")
    (tmp_path / "token").write_bytes(b"\xffhush-3")
    for reference in (
        from_file,
        Credentials(env="EMPTY_TOKEN"),
        Credentials(env="NOWHERE"),
        Credentials(file=str(tmp_path / "none")),
    ):
        with pytest.raises(InvalidInputError) as refused:
            read_secret(reference)
        assert str(reference) in str(refused.value)
        assert "hush" not in str(refused.value)


def test_bundles_are_found_by_digest() -> None:
    """One archive for each; what lies elsewhere, or is named otherwise, is a bundle that nobody has."""
    digest, folder = "sha256:" + "0f" * 32, "s3://bundles/models"
    uri = bundle_uri(f"{folder}/", "loans", digest)
    assert uri == f"s3://bundles/models/loans/sha256-{'0f' * 32}.tar.gz"
    assert bundle_at(folder, "loans", uri) == digest
    others = [
        bundle_at(*where) for where in (("s3://other", "loans", uri), (folder, "rates", uri), (folder, "loans", ""))
    ]
    assert digest not in others


def test_the_command_shows_them_without_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where, which people, which budget; of a secret, where it is."""
    monkeypatch.setenv("MODELOPS_HOME", str(tmp_path))
    monkeypatch.setenv("CLUSTER_TOKEN", "hush")
    (tmp_path / "environments.yaml").write_text(GOOD)
    shown = CliRunner().invoke(app, ["environments"], env={"COLUMNS": "400", "NO_COLOR": "1"})
    assert shown.exit_code == 0, shown.output
    assert "variable CLUSTER_TOKEN" in shown.stdout
    assert "2 people: critical, high" in shown.stdout
    told = CliRunner().invoke(app, ["environments", "--json"]).stdout
    assert json.loads(told)["environments"]["PROD"]["target"]["instance"] == "ml.m5.large"
    assert "hush" not in shown.stdout + told


def test_a_trial_needs_somebody_who_tells_the_answers() -> None:
    """It is refused where the plan is started, and where the actuator would begin it; elsewhere nothing changes."""
    stage = StagePlan(name="trial", environment=Environment.PROD, trial=TRIAL)
    plan = small_plan().model_copy(update={"stages": (stage,)})
    demand_sight(usual_environments(), plan)
    with pytest.raises(NotPermittedError, match="stage 'trial' tries challengers: the target of PROD, sagemaker"):
        demand_sight(loaded(GOOD), plan)
    order = cast(StepOrder, None)
    for environment, seen in ((Environment.DEV, True), (Environment.TEST, False), (Environment.PROD, False)):
        found = (environment, 2, "sha256:" + "0" * 64)
        cleared = where_seen(lambda _, found=found: found, loaded(GOOD))  # type: ignore[misc]
        if seen:
            assert cleared(order) == found
        else:
            with pytest.raises(NotPermittedError, match="does not tell what versions answer"):
                cleared(order)


def test_how_long_things_are_kept_is_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`modelops up` tells its inference servers, which take it; of what is left out they are told nothing."""
    monkeypatch.setenv("MODELOPS_HOME", str(tmp_path))
    url = "url: 'http://127.0.0.1:8501'"
    (tmp_path / "environments.yaml").write_text(GOOD.replace(url, f"{url}, warm: 12h, keep_traffic: 30d"))
    programs = [program for wave in waves(Settings()) for program in wave]
    command = next(one.command for one in programs if one.name == "inference-DEV")
    told = read_options(command[3:])
    assert (told.warm, told.keep_traffic) == (timedelta(hours=12), timedelta(days=30))
    with pytest.raises(InvalidInputError, match="warm"):
        loaded(GOOD.replace(url, f"{url}, warm: 1s"))
    (tmp_path / "environments.yaml").write_text(GOOD)
    assert not {"--warm", "--keep-traffic"} & set(waves(Settings())[1][0].command)
