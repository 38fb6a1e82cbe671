"""Values that applications send over HTTP: each source with its token, whole or not at all, and read like a file."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import httpx2
import pytest

from activities.adapters.sql_inventory import SqlInventory
from activities.adapters.sql_pushes import SqlPushes
from models.errors import ConflictError, InvalidInputError, UnavailableError
from models.metrics import Metric, Metrics, Period
from models.pushed import LARGEST, Pushed
from tests.contract.backdoor import rows
from tests.contract.story import Record, Tell, until
from worker.clearance_app import ClearanceApp
from worker.push_desk import Drawer, PushDesk

TOKEN = "a token that nobody guesses"
NOW = datetime.now(UTC).replace(microsecond=0)
METRICS = Metrics.model_validate(
    {
        "sources": {"app": {"kind": "push", "token": {"env": "APP"}, "keep": "30d"}},
        "metrics": {"margin": {"source": "app", "query": "sum"}},
    }
)


@pytest.fixture
def pushes(inventory: SqlInventory, inventory_url: str, record: Record, tell: Tell) -> Iterator[SqlPushes]:
    """Where the values of a source are kept; one model is registered."""
    record(until(tell("loan"), 2))
    opened = SqlPushes("app", inventory_url, keep=30 * 86_400)
    yield opened
    opened.close()


def pushed(value: float, hours: float = 1, count: int = 3, model: str = "loan") -> Pushed:
    """A value of so many hours ago."""
    return Pushed(metric="margin", model=model, at=NOW - timedelta(hours=hours), value=value, count=count)


def said(one: Pushed) -> dict[str, object]:
    """As it is sent."""
    return one.model_dump(mode="json")


async def post(desk: PushDesk, body: object = None, source: str = "app", **given: object) -> httpx2.Response:
    """What the address of a source answers."""
    given.setdefault("headers", {"Authorization": f"Bearer {TOKEN}"})
    sent = {"json": body} if body is not None else {}
    return await ask(desk, "POST", f"/v1/metrics/{source}", **sent, **given)


async def ask(desk: PushDesk, method: str, path: str, **given: object) -> httpx2.Response:
    """What an address answers."""
    app = ClearanceApp(None, others=desk.routes()).build()  # type: ignore[arg-type]  # nobody asks for a clearance
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://modelops") as client:
        return await client.request(method, path, **given)  # type: ignore[arg-type]  # as httpx2 has them


@pytest.fixture
def desk(pushes: SqlPushes) -> PushDesk:
    """The desk of that source."""
    return PushDesk(METRICS, {"app": Drawer(pushes, lambda: TOKEN)})


async def test_the_same_again_is_taken_and_another_value_is_not(desk: PushDesk, inventory_url: str) -> None:
    """Idempotent by source, metric, model and moment; a batch with one contradiction leaves nothing behind."""
    first = await post(desk, said(pushed(10)))
    assert (first.status_code, first.json()) == (200, {"taken": 1, "new": 1})
    again = await post(desk, [said(pushed(10)), said(pushed(20, hours=2))])
    assert again.json() == {"taken": 2, "new": 1}
    other = await post(desk, [said(pushed(5, hours=3)), said(pushed(11))])
    assert other.status_code == 409
    assert "has another value at" in other.json()["error"]
    assert "10, which rests on 3, and not 11" in other.json()["error"]
    assert len(rows(inventory_url)["pushed_value"]) == 2


@pytest.mark.parametrize(
    "authorization", [None, "Bearer another token, as long", TOKEN, f"Basic {TOKEN}", "Bearer", "Bearer \u00e9"]
)
async def test_who_has_not_the_token_leaves_nothing(
    authorization: str | None, desk: PushDesk, inventory_url: str
) -> None:
    """Whoever it is hears no more than that, and of a source that is not there the same."""
    headers = {"Authorization": authorization.encode("latin-1")} if authorization else {}
    for source in ("app", "other"):
        answered = await post(desk, said(pushed(10)), source, headers=headers)
        assert (answered.status_code, answered.headers["www-authenticate"]) == (401, "Bearer")
        assert answered.json()["error"] == f"'{source}' takes values from whoever has its token: this is not it"
        assert "Authorization: Bearer TOKEN" in answered.json()["remedy"]
    assert rows(inventory_url)["pushed_value"] == []


GOOD = said(pushed(10))
AHEAD = (NOW + timedelta(hours=1)).isoformat()


@pytest.mark.parametrize(
    ("body", "status", "what", "remedy"),
    [
        (b"margin=1", 400, "the body: Invalid JSON", 'send {"metric"'),
        (b"", 400, "the body: Invalid JSON", 'send {"metric"'),
        (b"[" + b" " * LARGEST + b"]", 413, f"at most {LARGEST} bytes", "in parts"),
        (b"{}", 422, "metric: Field required", 'send {"metric"'),
        ([GOOD, GOOD | {"value": "much"}], 422, "[1].value: ", 'send {"metric"'),
        (GOOD | {"at": "2026-05-20T08:00:00"}, 422, "at: Input should have timezone info", "T08:00:00Z"),
        (GOOD | {"at": AHEAD}, 422, "the value: ", "with its time zone; here it is"),
        ([GOOD, GOOD | {"at": AHEAD}], 422, "[1]: ", "with its time zone; here it is"),
        (GOOD | {"at": "2020-01-01T00:00:00Z"}, 422, "longer ago than source 'app' keeps", "send none of before"),
        (GOOD | {"metric": "sales"}, 422, "source 'app' has no metric 'sales'", "it has margin"),
        (GOOD | {"model": "nobody"}, 422, "no model 'nobody' is registered", "register it"),
        ([GOOD, GOOD | {"value": 11}], 422, "[1]: another value of the same moment", "one value for each moment"),
    ],
)
async def test_what_does_not_fit_is_said_with_its_place(
    body: object, status: int, what: str, remedy: str, desk: PushDesk, inventory_url: str
) -> None:
    """What, where, and what to do, each with its status; nothing is kept."""
    answered = await (post(desk, content=body) if isinstance(body, bytes) else post(desk, body))
    assert answered.status_code == status, answered.text
    said = answered.json()
    assert (what in said["error"], remedy in said["remedy"]) == (True, True), said
    assert rows(inventory_url)["pushed_value"] == []


class Broken:
    """A place that has a defect."""

    def keep(self, values: Sequence[Pushed]) -> int:
        """Fail as nobody has foreseen."""
        raise ZeroDivisionError

    read = keep


async def test_what_goes_to_a_wrong_address_is_told_so(desk: PushDesk) -> None:
    """By another method, to an address that there is not, and where we are wrong: as JSON, too."""
    for method, path, status, what, remedy in (
        ("GET", "/v1/metrics/app", 405, "GET /v1/metrics/app", "send POST"),
        ("POST", "/v1/metrics", 404, "POST /v1/metrics: nothing is here", "correct the address"),
    ):
        answered = await ask(desk, method, path)
        assert answered.status_code == status
        assert (what in answered.json()["error"], answered.json()["remedy"]) == (True, remedy)
    broken = PushDesk(METRICS, {"app": Drawer(Broken(), lambda: TOKEN)})
    answered = await post(broken, GOOD)
    assert (answered.status_code, "a bug of modelops" in answered.json()["error"]) == (500, True)


async def test_a_token_that_is_not_there_is_our_fault(pushes: SqlPushes) -> None:
    """503, and no way in: neither without a token nor with a short one, which would be guessed."""

    def missing() -> str:
        raise InvalidInputError("the credentials in variable APP cannot be read")

    for token in (missing, lambda: "short"):
        answered = await post(PushDesk(METRICS, {"app": Drawer(pushes, token)}), said(pushed(10)))
        assert (answered.status_code, "token" in answered.json()["error"]) == (503, True)


def test_two_who_send_the_same_at_once_are_both_right(pushes: SqlPushes, inventory_url: str) -> None:
    """On both databases, side by side: each value is there once; of two different values one is refused."""
    gate = Barrier(4)

    def send(value: float) -> str:
        gate.wait()
        try:
            return f"new {pushes.keep([pushed(value, hours=5), pushed(7, hours=6)])}"
        except ConflictError:
            return "refused"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(send, [10.0] * 4)) == ["new 0", "new 0", "new 0", "new 2"]
        assert set(pool.map(send, [10.0, 11.0, 11.0, 10.0])) == {"new 0", "refused"}
    assert len(rows(inventory_url)["pushed_value"]) == 2


def test_what_is_too_old_is_cleared_by_the_next_one(pushes: SqlPushes, inventory_url: str) -> None:
    """Of its own source alone: what is older than a source keeps values goes when something new arrives."""
    other = SqlPushes("other", inventory_url, keep=10**9)
    other.keep([pushed(1, hours=24 * 40)])
    pushes.keep([pushed(1, hours=24 * 40), pushed(2, hours=24 * 29)])
    assert len(rows(inventory_url)["pushed_value"]) == 3
    pushes.keep([pushed(3)])
    kept = [(row[0], row[4]) for row in rows(inventory_url)["pushed_value"]]
    assert sorted(kept) == [("app", 2.0), ("app", 3.0), ("other", 1.0)]
    other.close()


@pytest.mark.parametrize(("way", "value"), [("sum", 12), ("mean", 6), ("last", 8)])
def test_it_is_read_like_a_file(way: str, value: float, pushes: SqlPushes) -> None:
    """From the first moment of a period on, without its last: of one metric, model and source."""
    pushes.keep([pushed(1, hours=9), pushed(4, hours=8, count=1), pushed(8, hours=5), pushed(16, hours=4)])
    period = Period(NOW - timedelta(hours=8), NOW - timedelta(hours=4))
    found = pushes.read("margin", Metric(source="app", query=way), "loan", 1, period)
    assert (found.value, found.count) == (value, 4)
    with pytest.raises(InvalidInputError, match="has no value from"):
        pushes.read("sales", Metric(source="app", query=way), "loan", 1, period)
    with pytest.raises(InvalidInputError, match="asks for 'median'"):
        pushes.read("margin", Metric(source="app", query="median"), "loan", 1, period)


def test_a_database_that_is_down_may_come_back() -> None:
    """As with every source: it is named, its password is not."""
    gone = SqlPushes("app", "postgresql+psycopg://olga:hunter2@127.0.0.1:1/inventory", keep=60)
    period = Period(NOW - timedelta(hours=8), NOW)
    with pytest.raises(UnavailableError, match="does not answer") as down:
        gone.read("margin", Metric(source="app", query="sum"), "loan", 1, period)
    assert "hunter2" not in f"{down.value} {down.value.remedy}"
