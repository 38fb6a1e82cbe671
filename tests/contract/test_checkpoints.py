"""Where checkpoints are kept, and the notary that writes them, on real files, a real git and both databases."""

import stat
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.adapters.file_checkpoints import FileCheckpoints
from activities.adapters.file_notary import FileNotary
from activities.adapters.git_checkpoints import GitCheckpoints
from activities.adapters.sql_inventory import SqlInventory
from activities.ports import Checkpoints
from models.audit import AuditHead
from models.checkpoint import Checkpoint, following, read_checkpoints, sign
from models.errors import ConflictError, DigestMismatchError, InvalidInputError, UnavailableError
from models.plan import Plan
from models.signing import Envelope
from tests.contract.backdoor import execute
from tests.contract.story import Record, Tell
from worker.keeping import checkpoints_of, notary_keys
from worker.settings import Settings

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
KEPT: dict[str, Callable[[Path], Checkpoints]] = {
    "file": lambda folder: FileCheckpoints(folder / "kept"),
    "git": lambda folder: GitCheckpoints(folder / "kept.git"),
}


def chain(length: int) -> list[Envelope]:
    """Checkpoints that follow each other."""
    made, before = list[Envelope](), None
    for number in range(1, length + 1):
        before = following(before, "bank", AuditHead(position=number, hash=f"sha256:{number:064x}"), NOON)
        made.append(sign(before, KEY))
    return made


@pytest.fixture(params=list(KEPT))
def open_checkpoints(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Checkpoints]:
    """Opens them once more, in another process as it were."""
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
    for name in KEPT:
        with pytest.raises(UnavailableError) as error:
            KEPT[name](tmp_path).append(chain(1)[0])
        assert "MODELOPS_CHECKPOINTS" in error.value.remedy


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


def test_the_setting_chooses_where_they_are_kept(tmp_path: Path) -> None:
    """A folder under the home, another folder, or a git repository; the key beside the data unless it is elsewhere."""
    chosen = Settings(home=tmp_path / "home", checkpoints=None)
    checkpoints_of(chosen).append(chain(1)[0])
    assert (tmp_path / "home" / "checkpoints" / "checkpoints.jsonl").exists()
    assert (chosen.notary, notary_keys(chosen)) == (tmp_path / "home" / "notary.key", ())
    checkpoints_of(Settings(home=tmp_path / "home", checkpoints=f"git:{tmp_path / 'kept.git'}")).append(chain(1)[0])
    assert len(GitCheckpoints(tmp_path / "kept.git").all()) == 1
    checkpoints_of(Settings(home=tmp_path / "home", checkpoints=str(tmp_path / "kept"))).append(chain(1)[0])
    assert len(FileCheckpoints(tmp_path / "kept").all()) == 1
