"""Where checkpoints are kept, and the notary that writes them: real files, a real git, S3 over HTTP, both databases."""

import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from activities.adapters.file_checkpoints import FileCheckpoints
from activities.adapters.file_notary import FileNotary
from activities.adapters.git_checkpoints import GitCheckpoints
from activities.adapters.s3_checkpoints import S3Checkpoints
from activities.adapters.sql_inventory import SqlInventory
from activities.ports import Checkpoints
from client.cli import app
from models.audit import AuditHead, Tampering
from models.checkpoint import Checkpoint, following, read_checkpoints, sign
from models.errors import ConflictError, DigestMismatchError, InvalidInputError, UnavailableError
from models.plan import Plan
from models.signing import Envelope, public_of
from tests.contract.backdoor import execute
from tests.contract.object_store import BUCKET, ObjectStore
from tests.contract.story import Record, Tell
from worker.keeping import checkpoints_of, notary_keys
from worker.settings import Settings

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
KEPT: dict[str, Callable[[Path], Checkpoints]] = {
    "file": lambda folder: FileCheckpoints(folder / "kept"),
    "git": lambda folder: GitCheckpoints(folder / "kept.git"),
    "s3": lambda folder: S3Checkpoints(BUCKET, folder.name),
}


def chain(length: int) -> list[Envelope]:
    """Checkpoints that follow each other."""
    made, before = list[Envelope](), None
    for number in range(1, length + 1):
        before = following(before, "bank", AuditHead(position=number, hash=f"sha256:{number:064x}"), NOON)
        made.append(sign(before, KEY))
    return made


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    """An object store that boto3 finds by itself."""
    running = ObjectStore()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in running.environment.items():
            patch.setenv(name, value)
        running.start()
        yield running
    running.stop()


@pytest.fixture(params=list(KEPT))
def open_checkpoints(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Checkpoints]:
    """Opens them once more, in another process as it were."""
    if request.param == "s3":
        request.getfixturevalue("store")
    return lambda: KEPT[request.param](tmp_path)


def test_what_is_appended_is_there_in_order(open_checkpoints: Callable[[], Checkpoints]) -> None:
    """Nothing at first; then each, by whomever it was written."""
    assert (open_checkpoints().last(), list(open_checkpoints().all())) == (None, [])
    written = chain(3)
    for envelope in written:
        open_checkpoints().append(envelope)
        assert Envelope.model_validate_json(open_checkpoints().last() or b"") == envelope
    assert [Envelope.model_validate_json(text) for text in open_checkpoints().all()] == written


def test_of_several_at_once_one_is_kept(open_checkpoints: Callable[[], Checkpoints]) -> None:
    """Each number once: the others are told to look again. One that leaves a gap is refused."""
    first, _, third = chain(3)
    open_checkpoints().append(first)
    with pytest.raises(ConflictError):
        open_checkpoints().append(third)
    second = chain(2)[1]

    def attempt(_: int) -> bool:
        try:
            open_checkpoints().append(second)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(4))) == [False, False, False, True]
    assert len(open_checkpoints().all()) == 2


def test_the_file_is_its_owners_alone_and_survives_a_torn_line(tmp_path: Path) -> None:
    """Nobody else may read it; what a crash left of a line is no checkpoint, and the next one takes its place."""
    kept, written = FileCheckpoints(tmp_path / "kept"), chain(2)
    kept.append(written[0])
    place = tmp_path / "kept" / "checkpoints.jsonl"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    whole = place.read_bytes()
    place.write_bytes(whole + b'{"payload":')
    assert len(kept.all()) == 1
    kept.append(written[1])
    assert place.read_bytes().startswith(whole)
    assert len(kept.all()) == 2


def test_each_checkpoint_is_a_commit(tmp_path: Path) -> None:
    """Real git clones, logs and checks what was written."""
    kept = GitCheckpoints(tmp_path / "kept.git")
    for envelope in chain(3):
        kept.append(envelope)
    subprocess.run(["git", "-C", tmp_path / "kept.git", "fsck", "--strict"], check=True, capture_output=True)
    log = subprocess.run(
        ["git", "-C", tmp_path / "kept.git", "log", "--format=%s", "checkpoints"], check=True, capture_output=True
    )
    assert log.stdout.decode().split("\n")[:3] == ["Checkpoint 3", "Checkpoint 2", "Checkpoint 1"]


def test_a_place_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    """Where there is a file instead of a folder, the error says which setting to look at."""
    (tmp_path / "kept").write_text("")
    (tmp_path / "kept.git").write_text("")
    for name in ("file", "git"):
        with pytest.raises(UnavailableError) as error:
            KEPT[name](tmp_path).append(chain(1)[0])
        assert "MODELOPS_CHECKPOINTS" in error.value.remedy


def test_each_checkpoint_is_an_object(store: ObjectStore, tmp_path: Path) -> None:
    """Its name is its number. What else lies there is no checkpoint, and nothing stands where the names are bare."""
    kept, folder = S3Checkpoints(BUCKET, f"/{tmp_path.name}/audit/"), f"{tmp_path.name}/audit/"
    store.fill([folder, f"{folder}readme.txt", f"{folder}0000000000000007.json.bak", f"{tmp_path.name}/audits/x"])
    for envelope in chain(2):
        kept.append(envelope)
    found = store.client.list_objects_v2(Bucket=BUCKET, Prefix=f"{folder}0")["Contents"]
    names = [f"{folder}{name}.json" for name in ("0000000000000001", "0000000000000002")]
    assert [one["Key"] for one in found] == [*names, f"{folder}0000000000000007.json.bak"]
    assert len(kept.all()) == 2
    assert S3Checkpoints(BUCKET, "").last() is None


def test_the_bucket_itself_says_who_was_first(store: ObjectStore, tmp_path: Path) -> None:
    """A notary that looked before another one wrote is told so when it writes."""
    first, second = chain(2)
    rivals = [S3Checkpoints(BUCKET, tmp_path.name) for _ in range(2)]
    rivals[0].append(first)
    store.before_write = lambda: rivals[1].append(second)
    with pytest.raises(ConflictError, match="came second"):
        rivals[0].append(second)
    assert len(rivals[0].all()) == 2


def test_more_objects_than_are_listed_at_once(store: ObjectStore, tmp_path: Path) -> None:
    """A list has a thousand names; the last one is on the second."""
    kept, written = S3Checkpoints(BUCKET, tmp_path.name), chain(1_001)
    store.fill(f"{tmp_path.name}/{number:016}.json" for number in range(1, 1_001))
    kept.append(written[1_000])
    assert Envelope.model_validate_json(kept.last() or b"") == written[1_000]
    with pytest.raises(ConflictError, match="does not follow"):
        kept.append(written[1_000])


def test_what_was_written_over_a_checkpoint_is_found(store: ObjectStore) -> None:
    """Where objects are locked, the first version counts; a deletion marker hides nothing, and frees no number."""
    store.lock("locked")
    kept, written = S3Checkpoints("locked", ""), chain(4)
    for envelope in written[:3]:
        kept.append(envelope)
    whole, names = kept.all(), [f"{number:016}.json" for number in (1, 2, 3)]
    for name in names:
        store.client.delete_object(Bucket="locked", Key=name)
    assert kept.all() == whole
    with pytest.raises(ConflictError):
        kept.append(written[0])
    for version in store.client.list_object_versions(Bucket="locked")["Versions"]:
        with pytest.raises(store.client.exceptions.ClientError, match="AccessDenied"):
            store.client.delete_object(Bucket="locked", Key=version["Key"], VersionId=version["VersionId"])
    other = following(None, "bank", AuditHead(position=1, hash=f"sha256:{9:064x}"), NOON)
    store.client.put_object(Bucket="locked", Key=names[0], Body=sign(other, KEY).model_dump_json().encode())
    store.client.put_object(Bucket="locked", Key=names[2], Body=b"nothing")
    assert kept.last() == whole[2]
    kept.append(written[3])
    found = read_checkpoints(kept.all(), [public_of(KEY)], "bank", datetime.now(UTC))
    assert [one.head.position for one in found.checkpoints] == [1, 1, 2, 3, 4]
    assert {(one.number, one.kind) for one in found.problems} >= {(1, Tampering.REORDERED), (5, Tampering.CHANGED)}


@pytest.mark.parametrize(
    ("bucket", "environment", "words"),
    [
        ("not-there", {}, "NoSuchBucket"),
        (BUCKET, {"AWS_ACCESS_KEY_ID": ""}, "Unable to locate credentials"),
        (BUCKET, {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}, "Could not connect"),
        (BUCKET, {"AWS_ENDPOINT_URL_S3": "nowhere"}, "Invalid endpoint"),
        (BUCKET, {"AWS_PROFILE": "nobody"}, "nobody"),
    ],
)
@pytest.mark.usefixtures("store")
def test_a_store_that_does_not_serve_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, bucket: str, environment: dict[str, str], words: str
) -> None:
    """No bucket, no credentials, nobody at the address: told within seconds, with the setting and the bucket."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    begun = time.monotonic()
    with pytest.raises(UnavailableError, match=words) as error:
        S3Checkpoints(bucket, "x").append(chain(1)[0])
    assert time.monotonic() - begun < 10
    assert "MODELOPS_CHECKPOINTS" in error.value.remedy
    assert f"'{bucket}'" in error.value.remedy


@pytest.fixture
def notary(inventory: SqlInventory, tmp_path: Path) -> FileNotary:
    """A notary that has not sealed anything yet."""
    return FileNotary(inventory, FileCheckpoints(tmp_path / "kept"), tmp_path / "notary.key", "bank")


def sealed(folder: Path) -> tuple[Checkpoint, ...]:
    """What the notary has sealed, which its public key must bear out."""
    keys = (folder / "notary.pub").read_text().split()
    found = read_checkpoints(FileCheckpoints(folder / "kept").all(), keys, "bank", datetime.now(UTC))
    assert found.problems == ()
    return found.checkpoints


def test_the_notary_seals_the_head_whenever_it_has_moved(
    notary: FileNotary, record: Record, tell: Tell, inventory: SqlInventory, tmp_path: Path
) -> None:
    """Nothing while there is nothing, each head once, in a chain; the private key is its owner's alone."""
    assert notary.checkpoint() is None
    assert not (tmp_path / "notary.key").exists()
    record(tell("loan")[:6])
    assert notary.checkpoint() is not None
    assert notary.checkpoint() is None
    record(tell("loan"))
    assert notary.checkpoint() is not None
    first, second = sealed(tmp_path)
    assert (first.position, second.head) == (7, inventory.head())
    assert stat.S_IMODE((tmp_path / "notary.key").stat().st_mode) == 0o600


def test_notaries_at_once_make_one_chain(inventory: SqlInventory, tmp_path: Path, plan: Plan) -> None:
    """Workers that seal at the same time share one key and one chain."""

    def work(number: int) -> None:
        notary = FileNotary(inventory, FileCheckpoints(tmp_path / "kept"), tmp_path / "notary.key", "bank")
        inventory.commit_plan(plan.model_copy(update={"version": str(number)}))
        notary.checkpoint()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(8)))
    assert sealed(tmp_path)[-1].head == inventory.head()


@pytest.mark.parametrize(
    "deed",
    [
        ("DELETE FROM audit WHERE position > 3", "UPDATE audit_head SET position = 3"),
        ("UPDATE audit SET hash = 'sha256:00' WHERE position = 7",),
    ],
)
def test_a_trail_that_is_not_what_was_sealed_is_not_sealed_again(
    deed: tuple[str, ...], notary: FileNotary, record: Record, tell: Tell, inventory_url: str
) -> None:
    """Whoever cut or changed it gets no signature on it."""
    record(tell("loan")[:6])
    notary.checkpoint()
    execute(inventory_url, *deed)
    with pytest.raises(DigestMismatchError, match="nothing is sealed any more"):
        notary.checkpoint()


def test_nothing_follows_a_checkpoint_that_cannot_be_read(
    notary: FileNotary, record: Record, tell: Tell, tmp_path: Path
) -> None:
    """Whoever put something in the place of the last one gets no chain on it."""
    record(tell("loan")[:6])
    notary.checkpoint()
    (tmp_path / "kept" / "checkpoints.jsonl").write_text("{}\n")
    with pytest.raises(DigestMismatchError, match="the last checkpoint cannot be read"):
        notary.checkpoint()


def test_a_key_that_others_may_read_is_not_used(notary: FileNotary, record: Record, tell: Tell, tmp_path: Path) -> None:
    """A key file that is open to others, or holds no key, is refused with the setting's name or the cure."""
    record(tell("loan")[:6])
    (tmp_path / "notary.key").write_text("x")
    for mode, words in ((0o644, "others may read"), (0o600, "no unencrypted private key")):
        (tmp_path / "notary.key").chmod(mode)
        with pytest.raises(InvalidInputError, match=words):
            notary.checkpoint()


@pytest.mark.usefixtures("store")
def test_the_setting_chooses_where_they_are_kept(tmp_path: Path) -> None:
    """A folder under the home, another folder, a git repository or a bucket; the key beside the data."""
    chosen = Settings(home=tmp_path / "home", checkpoints=None)
    checkpoints_of(chosen).append(chain(1)[0])
    assert (tmp_path / "home" / "checkpoints" / "checkpoints.jsonl").exists()
    assert (chosen.notary, notary_keys(chosen)) == (tmp_path / "home" / "notary.key", ())
    checkpoints_of(Settings(home=tmp_path / "home", checkpoints=f"git:{tmp_path / 'kept.git'}")).append(chain(1)[0])
    assert len(GitCheckpoints(tmp_path / "kept.git").all()) == 1
    checkpoints_of(Settings(home=tmp_path / "home", checkpoints=str(tmp_path / "kept"))).append(chain(1)[0])
    assert len(FileCheckpoints(tmp_path / "kept").all()) == 1
    checkpoints_of(Settings(home=tmp_path, checkpoints=f"s3://{BUCKET}/{tmp_path.name}")).append(chain(1)[0])
    assert len(S3Checkpoints(BUCKET, tmp_path.name).all()) == 1


def test_a_bucket_without_boto3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The extra that brings it is named."""
    monkeypatch.delitem(sys.modules, "activities.adapters.s3_checkpoints")
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(InvalidInputError, match="s3://kept needs boto3, which is not installed") as error:
        checkpoints_of(Settings(home=tmp_path, checkpoints="s3://kept/audit"))
    assert "modelops[aws]" in error.value.remedy


def test_the_record_is_verified_by_what_is_kept_in_a_bucket(
    inventory: SqlInventory,
    inventory_url: str,
    record: Record,
    tell: Tell,
    store: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """`audit verify` reads them there, `audit export` takes them along; what lies over one is named."""
    place = f"s3://{BUCKET}/{tmp_path.name}"
    for name, value in {"HOME": str(tmp_path), "DATABASE_URL": inventory_url, "CHECKPOINTS": place}.items():
        monkeypatch.setenv(f"MODELOPS_{name}", value)
    chosen = Settings()
    notary = FileNotary(inventory, checkpoints_of(chosen), chosen.notary, chosen.audience)
    for length in (6, None):
        record(tell("loan")[:length])
        notary.checkpoint()

    def audit(*words: str) -> Result:
        return CliRunner().invoke(app, ["audit", *words, "--offline"])

    assert "2 checkpoints" in audit("verify").stdout
    assert audit("export", "loan", "--output", str(tmp_path / "bundle")).exit_code == 0
    assert len((tmp_path / "bundle" / "checkpoints.jsonl").read_text().splitlines()) == 2
    store.client.put_object(Bucket=BUCKET, Key=f"{tmp_path.name}/0000000000000001.json", Body=b"{}")
    assert "checkpoint 1: it cannot be read" in (changed := audit("verify")).stdout
    monkeypatch.setenv("MODELOPS_CHECKPOINTS", "s3://not-there")
    assert (changed.exit_code, audit("verify").exit_code) == (7, 5)
