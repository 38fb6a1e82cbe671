"""What the port Inventory promises, on both databases."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import Session

from activities.adapters.sql_inventory import SqlInventory
from activities.ports import Earned, Inventory
from client.catalog import Catalog
from models.audit import AuditKind, EffectRecord
from models.canonical import digest_bytes
from models.errors import (
    ConflictError,
    DigestMismatchError,
    InvalidInputError,
    UnavailableError,
    UnknownNameError,
)
from models.evidence import EffectKey, StepResult
from models.inventory import Change, Deployed, Environment, Measured, ModelRegistered, Notified, VersionRegistered
from models.journal import JournalEntry
from models.plan import Plan
from models.records import NotificationRecord
from models.verdict import Reading
from tests.contract.backdoor import chain_problems, execute, rows
from tests.contract.story import Record, Tell, effects, events, until

KEY = EffectKey(model="loan", visit=7, step="promote")
FOUND = StepResult(summary="it is done")
BUNDLE = digest_bytes(b"bundle")


def test_it_fits_the_port(inventory: SqlInventory) -> None:
    """The SQL inventory is an Inventory (the type checker says so, too)."""
    port: Inventory = inventory
    assert port.trail("loan") == []


def test_an_effect_is_known_by_its_key(inventory: SqlInventory) -> None:
    """Before an effect is committed its key is unknown; afterwards it has the result, whole."""
    result = StepResult(summary="done", bundle=BUNDLE, readings=(Reading(name="auc", value=0.75, count=9),))
    assert inventory.effect(KEY) is None
    assert inventory.commit_effect(KEY, result, ()) == result
    assert inventory.effect(KEY) == result


def test_the_first_effect_of_a_key_wins(inventory: SqlInventory, inventory_url: str) -> None:
    """A second effect under the same key writes nothing and is answered with the first one's result."""
    inventory.commit_effect(KEY, FOUND, [Notified(recipient="rita", subject="Look", body="")])
    before = rows(inventory_url)
    again = inventory.commit_effect(
        KEY, StepResult(summary="another"), [Notified(recipient="sven", subject="No", body="")]
    )
    assert again == FOUND
    assert rows(inventory_url) == before


def test_an_event_is_recorded_once(record: Record, inventory_url: str, tell: Tell) -> None:
    """Recording a whole story a second time changes no row, also not the older events the lifecycle row."""
    story = tell("loan")
    record(story)
    before = rows(inventory_url)
    record(story)
    assert rows(inventory_url) == before


def test_a_different_event_of_the_same_seq_is_refused(record: Record, inventory: SqlInventory, tell: Tell) -> None:
    """A lifecycle that was reset cannot rewrite what it did."""
    story = tell("loan")
    record(story)
    other = events(story)[4].model_copy(update={"refusal": "something else"})
    with pytest.raises(ConflictError, match="Event 5 of 'loan'"):
        inventory.commit_event(other)


def test_events_are_recorded_in_their_order(record: Record, inventory: SqlInventory, tell: Tell) -> None:
    """An event that comes before the one before it is recorded has to come again."""
    story = tell("loan")
    record(until(story, 3))
    with pytest.raises(UnavailableError, match="Event 5 of 'loan' came before the inventory recorded event 4"):
        inventory.commit_event(events(story)[4])


def test_an_event_needs_its_plan(inventory: SqlInventory, tell: Tell) -> None:
    """No lifecycle runs on a plan that the inventory does not keep."""
    with pytest.raises(UnknownNameError, match="no plan sha256:"):
        inventory.commit_event(events(tell("loan"))[0])


def test_a_plan_is_kept_once(
    inventory: SqlInventory, inventory_url: str, plan: Plan, record: Record, tell: Tell
) -> None:
    """Committing a plan again writes nothing; the model that runs on it gets it back as it was, others none."""
    inventory.commit_plan(plan)
    before = rows(inventory_url)
    inventory.commit_plan(plan)
    assert rows(inventory_url) == before
    inventory.commit_plan(plan.model_copy(update={"version": "2"}))
    record(until(tell("loan"), 1))
    assert inventory.governing_plan("loan") == plan
    with pytest.raises(UnknownNameError):
        inventory.governing_plan("churn")


def test_a_plan_that_was_edited_is_not_handed_out(
    inventory: SqlInventory, inventory_url: str, record: Record, tell: Tell
) -> None:
    """A plan whose content no longer has its digest is an error."""
    record(until(tell("loan"), 1))
    execute(inventory_url, "UPDATE plan SET content = replace(content, 'Is it fit for use?', 'Shall we?')")
    with pytest.raises(DigestMismatchError):
        inventory.governing_plan("loan")


def test_registered_facts_come_back(record: Record, inventory: SqlInventory, tell: Tell) -> None:
    """The facts of models and versions are kept whole; of what was never registered there are none."""
    story = tell("loan")
    record(story)
    changes = [change for effect in effects(story) for change in effect.changes]
    assert [inventory.model("loan")] == [c.facts for c in changes if isinstance(c, ModelRegistered)]
    submissions = [c.submission for c in changes if isinstance(c, VersionRegistered)]
    assert [inventory.submission("loan", number) for number in (1, 2, 3)] == submissions
    with pytest.raises(UnknownNameError):
        inventory.model("churn")
    with pytest.raises(UnknownNameError):
        inventory.submission("loan", 4)


def test_a_candidate_has_no_facts_until_it_is_registered(record: Record, inventory: SqlInventory, tell: Tell) -> None:
    """Between a submission and its registration the version is known, its facts are not."""
    record(until(tell("loan"), 3))
    assert inventory.earned("loan", 1) == Earned(None, None, frozenset())
    with pytest.raises(UnknownNameError, match="has not been registered yet"):
        inventory.submission("loan", 1)


def test_where_a_version_has_served(record: Record, inventory: SqlInventory, tell: Tell) -> None:
    """Every environment with the bundle that was deployed there is remembered, whatever serves now."""
    story = tell("loan")
    record(story)
    for number in (1, 2, 3):
        deployed = [c for e in effects(story) for c in e.changes if isinstance(c, Deployed) and c.version == number]
        assert inventory.earned("loan", number).served == {(c.environment, c.bundle) for c in deployed}
    assert inventory.deployments("loan") == {}
    assert (Environment.PROD, inventory.earned("loan", 1).bundle) in inventory.earned("loan", 1).served


def test_entries_are_tied_to_their_neighbours(record: Record, inventory: SqlInventory, tell: Tell) -> None:
    """With every entry of a model comes what the entries beside it say, those of other models and the head included."""
    record(tell("churn"))
    record(tell("loan"))
    for model in ("churn", "loan"):
        ties = inventory.ties(model)
        assert [tied.entry for tied in ties] == inventory.trail(model)
        assert [(tied.before, tied.after) for tied in ties] == [(tied.entry.previous, tied.entry.hash) for tied in ties]


@pytest.mark.parametrize(
    ("statement", "end"),
    [
        ("DELETE FROM audit WHERE position = 4", "after"),
        ("UPDATE audit SET previous = 'other' WHERE position = 4", "after"),
        ("DELETE FROM audit WHERE position = 2", "before"),
        ("UPDATE audit SET hash = 'other' WHERE position = 2", "before"),
    ],
)
def test_a_neighbour_that_was_changed_or_is_gone_is_seen(
    record: Record, inventory: SqlInventory, inventory_url: str, tell: Tell, statement: str, end: str
) -> None:
    """Entry 3 is untouched, and one of its neighbours does not vouch for it any more."""
    record(tell("loan"))
    execute(inventory_url, statement)
    (third,) = (tied for tied in inventory.ties("loan") if tied.entry.position == 3)
    vouched = {"before": third.before == third.entry.previous, "after": third.after == third.entry.hash}
    assert vouched == {"before": end != "before", "after": end != "after"}


def test_the_head_ties_the_last_entry(record: Record, inventory: SqlInventory, inventory_url: str, tell: Tell) -> None:
    """A head that points elsewhere vouches for nothing."""
    record(tell("loan"))
    execute(inventory_url, "UPDATE audit_head SET hash = 'other'")
    assert inventory.ties("loan")[-1].after == "other"


def test_where_a_lifecycle_is(record: Record, inventory: SqlInventory, tell: Tell) -> None:
    """Stage and visit are those of the last recorded event; a lifecycle that never began is nowhere."""
    story = tell("loan")
    record(story)
    last = events(story)[-1].snapshot
    assert inventory.visit("loan") == (last.stage, last.visit)
    with pytest.raises(UnknownNameError):
        inventory.visit("churn")


def test_registered_facts_never_change(record: Record, inventory: SqlInventory, tell: Tell) -> None:
    """Registering a model or a version again is fine with the same facts and a conflict with others."""
    record(tell("loan"))
    facts, submission = inventory.model("loan"), inventory.submission("loan", 1)
    same: list[Change] = [
        ModelRegistered(facts=facts, regulations=()),
        VersionRegistered(version=1, submission=submission),
    ]
    inventory.commit_effect(KEY, FOUND, same)
    others: list[Change] = [
        ModelRegistered(facts=facts.model_copy(update={"owner": "eve"}), regulations=()),
        VersionRegistered(version=1, submission=submission.model_copy(update={"developer": "eve"})),
    ]
    for index, change in enumerate(others):
        with pytest.raises(ConflictError, match="already, with other facts"):
            inventory.commit_effect(KEY.model_copy(update={"visit": 50 + index}), FOUND, [change])


def test_regulations_are_those_found_last(
    record: Record, inventory: SqlInventory, inventory_url: str, tell: Tell
) -> None:
    """A model that is classified again has the regulations that apply now, and no others."""
    record(tell("loan"))
    again = ModelRegistered(facts=inventory.model("loan"), regulations=("SR 11-7", "SR 26-2"))
    inventory.commit_effect(KEY, FOUND, [again])
    with Catalog(inventory_url) as catalog:
        assert catalog.regulations("loan") == ["SR 11-7", "SR 26-2"]


def test_gates_are_those_of_the_recorded_events(record: Record, inventory: SqlInventory, tell: Tell) -> None:
    """A version has the gates that its events say it passed, also after it left."""
    record(tell("loan"))
    assert inventory.earned("loan", 1).gates == {"development", "validation"}
    assert inventory.earned("loan", 2).gates == frozenset()
    assert inventory.earned("loan", 1).artifact == inventory.submission("loan", 1).artifact.digest
    with pytest.raises(UnknownNameError):
        inventory.earned("loan", 9)


def test_deployments_are_what_serves_now(record: Record, inventory: SqlInventory, tell: Tell) -> None:
    """A deployment replaces the one before it in its environment, and a withdrawal ends it."""
    story = tell("loan")
    record(until(story, 24))
    assert {place: serving.version for place, serving in inventory.deployments("loan").items()} == {
        Environment.DEV: 3,
        Environment.PROD: 3,
    }
    record(until(story, 26))
    assert set(inventory.deployments("loan")) == {Environment.DEV}
    record(story)
    assert inventory.deployments("loan") == {}


def test_what_was_never_registered_cannot_be_deployed(inventory: SqlInventory, inventory_url: str) -> None:
    """A deployment of an unknown version is refused, and nothing of the effect is written."""
    before = rows(inventory_url)
    change = Deployed(environment=Environment.PROD, version=1, bundle=BUNDLE, endpoint="http://serving")
    with pytest.raises(UnknownNameError, match="no version 1 of 'loan'"):
        inventory.commit_effect(KEY, FOUND, [change])
    assert rows(inventory_url) == before


def _measure(inventory: SqlInventory, visit: int, window: str, reason: str = "drifted") -> None:
    change = Measured(monitor="drift", window=window, verdict="fail", reasons=(reason,))
    inventory.commit_effect(EffectKey(model="loan", visit=visit, step=f"drift-{window}"), FOUND, [change])


def test_verdicts_are_forgotten_when_the_champion_changes(record: Record, inventory: SqlInventory, tell: Tell) -> None:
    """Measurements count from the champion's last change on, even when an earlier champion returns."""
    story = tell("loan")
    record(until(story, 11))
    _measure(inventory, 5, "monday")
    _measure(inventory, 5, "tuesday")
    assert inventory.verdicts("loan", "drift") == [("monday", "fail"), ("tuesday", "fail")]
    assert inventory.verdicts("loan", "bias") == []
    record(until(story, 24))
    assert inventory.verdicts("loan", "drift") == []
    _measure(inventory, 10, "tuesday")
    assert inventory.verdicts("loan", "drift") == [("tuesday", "fail")]
    record(until(story, 28))
    assert inventory.verdicts("loan", "drift") == []


def test_a_window_is_measured_once(inventory: SqlInventory) -> None:
    """The same finding about the same window counts once; another finding is a conflict."""
    _measure(inventory, 1, "monday")
    _measure(inventory, 2, "monday")
    assert inventory.verdicts("loan", "drift") == [("monday", "fail")]
    with pytest.raises(ConflictError, match="found something else in window 'monday'"):
        _measure(inventory, 3, "monday", "a different reason")


def test_the_trail_of_a_model_is_its_own(
    record: Record, inventory: SqlInventory, tell: Tell, inventory_url: str
) -> None:
    """Each state change and each effect has exactly one entry, in order; other models' are left out."""
    story = tell("loan")
    record(until(tell("churn"), 3))
    record(story)
    trail = inventory.trail("loan")
    assert {entry.model for entry in trail} == {"loan"}
    recorded = [
        (JournalEntry if entry.kind == AuditKind.EVENT else EffectRecord).model_validate_json(entry.body)
        for entry in trail
    ]
    assert recorded == story
    assert chain_problems(inventory_url) == []


def test_the_database_itself_refuses_a_second_champion(record: Record, tell: Tell, inventory_url: str) -> None:
    """A second current deployment in an environment breaks a partial unique index; an ended one does not."""
    record(until(tell("loan"), 11))
    copy = (
        "INSERT INTO deployment (model, environment, version, bundle, endpoint, since, until) "
        "SELECT model, environment, version, bundle, endpoint, since, {until} FROM deployment "
        "WHERE environment = 'PROD'"
    )
    execute(inventory_url, copy.format(until="since"))
    with pytest.raises(IntegrityError):
        execute(inventory_url, copy.format(until="NULL"))


def test_times_are_aware_and_utc(inventory_url: str) -> None:
    """A time of any zone comes back as the same moment in UTC; one without a zone is refused."""
    moment = datetime(2026, 3, 2, 12, 30, 0, 123456, tzinfo=timezone(timedelta(hours=9)))
    inventory = SqlInventory(inventory_url, clock=lambda: moment)
    inventory.commit_effect(KEY, FOUND, ())
    (entry,) = inventory.trail("loan")
    inventory.close()
    assert entry.at == moment
    assert entry.at.tzinfo == UTC
    assert chain_problems(inventory_url) == []
    engine = create_engine(inventory_url)
    naive = NotificationRecord(key="k", model="loan", recipient="r", subject="s", body="", at=datetime(2026, 3, 2))  # noqa: DTZ001 - it is to be refused
    with Session(engine) as session:
        session.add(naive)
        with pytest.raises(StatementError, match="timezone"):
            session.flush()
    engine.dispose()


def test_a_number_that_json_lacks_is_refused(inventory: SqlInventory) -> None:
    """A number that the record could not tell exactly is the caller's error, and trying again would not help."""
    result = StepResult(summary="done", readings=(Reading(name="auc", value=0.5, count=2**53),))
    with pytest.raises(InvalidInputError, match="cannot be recorded"):
        inventory.commit_effect(KEY, result, ())


def test_a_database_without_tables_says_what_to_do(empty_url: str) -> None:
    """An inventory that was never migrated is the operator's to put right."""
    inventory = SqlInventory(empty_url)
    with pytest.raises(InvalidInputError, match="lacks tables") as caught:
        inventory.effect(KEY)
    inventory.close()
    assert "modelops up" in caught.value.remedy


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://olga:hunter2@127.0.0.1:1/modelops",
        "postgresql://olga@127.0.0.1:1/modelops?password=hunter2",
        "sqlite:////no/such/folder/hunter2/../modelops.db",
    ],
)
def test_a_database_that_does_not_answer_is_unavailable(url: str) -> None:
    """Trying again may help; the error names the database and never the password."""
    inventory = SqlInventory(url)
    with pytest.raises(UnavailableError, match="does not answer") as caught:
        inventory.commit_effect(KEY, FOUND, ())
    inventory.close()
    assert "modelops" in caught.value.remedy
    if "olga" in url:
        assert "hunter2" not in f"{caught.value} {caught.value.remedy} {caught.value.__cause__}"


@pytest.mark.parametrize("url", ["mysql://root@db/modelops", "sqlite://", "sqlite:///:memory:", "nonsense", ""])
def test_only_databases_that_keep_their_promises_are_opened(url: str) -> None:
    """An address of anything but a SQLite file or PostgreSQL is refused at once."""
    with pytest.raises(InvalidInputError, match="not one of a SQLite file or a PostgreSQL database"):
        SqlInventory(url)
