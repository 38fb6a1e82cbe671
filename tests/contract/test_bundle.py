"""Evidence bundles: what is exported verifies with Python alone, and whoever changes anything in one is found."""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.file_checkpoints import FileCheckpoints
from activities.adapters.file_notary import FileNotary
from activities.adapters.sql_directory import SqlDirectory
from activities.adapters.sql_inventory import SqlInventory
from client.bundle import Sources, export
from client.bundle_verifier import Bundle, Wrong, signed
from client.catalog import Catalog
from client.examination import Seals, open_dossier
from models.audit import AuditEntry, AuditHead, AuditKind, leaf_of, seal
from models.canonical import digest_bytes
from models.errors import ConflictError
from models.messages import Choice
from models.signing import Envelope
from models.signing import seal as sign
from models.statements import PAYLOAD_TYPE, Challenge
from tests.contract.story import Record, Tell, Told
from tests.editions import ADA, edition
from tests.editions import signed as signed_edition
from tests.signers import AUDIENCE, electorate, private_key, signer

SCRIPT = Path(__file__).parents[2] / "client" / "bundle_verifier.py"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
Row = dict[str, Any]


@pytest.fixture
def sealed(record: Record, tell: Tell, inventory: SqlInventory, inventory_url: str, tmp_path: Path) -> Path:
    """A database with two models and a directory in it, sealed twice, their evidence in a store."""
    notary = FileNotary(inventory, FileCheckpoints(tmp_path / "kept"), tmp_path / "notary.key", AUDIENCE)
    record(tell("churn")[:4])
    record(tell("loan")[:20])
    notary.checkpoint()
    with closing(SqlDirectory(inventory_url, (ADA,), AUDIENCE)) as directory:
        directory.publish(signed_edition(edition({"rita": ["risk"]})))
    record(tell("loan"))
    record(tell("churn"))
    notary.checkpoint()
    keep_evidence(tell("loan"), tmp_path / "artifacts")
    return tmp_path


def keep_evidence(story: list[Told], folder: Path) -> None:
    """The reports of a story, whose bytes are their summaries."""
    store = FileArtifactStore(folder, [])
    for told in story:
        for one in getattr(getattr(told, "result", None), "evidence", ()):
            store.put(one.summary.encode())
    store.put(b"archive")


def exported(url: str, root: Path, folder: Path) -> Path:
    """The bundle of `loan`."""
    seals = Seals(
        FileCheckpoints(root / "kept").all(), (root / "notary.pub").read_text().split(), AUDIENCE, datetime.now(UTC)
    )
    with Catalog(url) as catalog:
        store = FileArtifactStore(root / "artifacts", [])
        export(Sources(catalog, open_dossier(catalog.record("loan")), seals, store, (), ()), folder)
    return folder


def verdict(script: Path, *words: str | Path) -> tuple[int, str]:
    """What the script says, run without anything of ours to import."""
    done = subprocess.run([sys.executable, "-I", script, *words], cwd="/", capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def contents(folder: Path) -> dict[str, bytes]:
    """Every file."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_bundle_verifies_itself_and_each_flipped_byte_is_noticed(
    sealed: Path, inventory_url: str, tmp_path: Path
) -> None:
    """The script in the bundle runs alone; a byte changed in any file, at its beginning, middle or end, is found."""
    bundle = exported(inventory_url, sealed, tmp_path / "bundle")
    notary = (sealed / "notary.pub").read_text().strip()
    for words in ((), ("--notary", notary)):
        status, said = verdict(bundle / "verify.py", *words)
        assert (status, "everything holds" in said) == (0, True), said
    files = contents(bundle)
    assert {name.partition("/")[0] for name in files} >= {
        "trail.jsonl",
        "plans",
        "evidence",
        "decisions.json",
        "card.md",
    }
    for name, data in files.items():
        for place in {0, len(data) // 2, len(data) - 1}:
            flipped = bytearray(data)
            flipped[place] ^= 1
            (bundle / name).write_bytes(flipped)
            assert problems(bundle), (name, place)
        status, said = verdict(SCRIPT, bundle)
        assert (status, "WRONG" in said) == (1, True), name
        (bundle / name).unlink()
        assert problems(bundle), f"{name} is missing"
        (bundle / name).write_bytes(data)
    (bundle / "more.txt").write_text("")
    assert problems(bundle) == ["more.txt: the manifest knows nothing of this file"]


def problems(folder: Path, notary: str | None = None) -> list[str]:
    """What the script finds, in this process."""
    bundle = Bundle(folder, notary)
    bundle.check()
    return bundle.problems


def test_an_export_is_repeated_and_spares_what_is_not_its_own(sealed: Path, inventory_url: str, tmp_path: Path) -> None:
    """Twice the same bytes; a folder with anything else in it is left as it is."""
    first = contents(exported(inventory_url, sealed, tmp_path / "bundle"))
    assert contents(exported(inventory_url, sealed, tmp_path / "bundle")) == first
    assert [path.name for path in tmp_path.glob(".export-*")] == []
    (tmp_path / "bundle" / "thesis.txt").write_text("years of work")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("years of work")
    for folder in (tmp_path / "bundle", tmp_path / "other", tmp_path / "other" / "thesis.txt"):
        with pytest.raises(ConflictError):
            exported(inventory_url, sealed, folder)
    assert (tmp_path / "bundle" / "thesis.txt").exists()


def rewritten(folder: Path, edit: Callable[[Row], None]) -> None:
    """A bundle whose trail was edited and hashed anew, and whose manifest says that it is so."""
    head, lines = AuditHead(), list[str]()
    for line in (folder / "trail.jsonl").read_text().splitlines():
        row = json.loads(line)
        if "body" in row:
            edit(row)
            at = datetime.fromisoformat(row["at"])
            entry = seal(head, row["model"], AuditKind(row["kind"]), at, row["body"])
            row |= {"previous": entry.previous, "hash": entry.hash}
            head = AuditHead(position=entry.position, hash=entry.hash)
        else:
            content = b"modelops/audit/1\x00" + head.hash.encode() + bytes.fromhex(row["leaf"])
            row["hash"] = "sha256:" + hashlib.sha256(content).hexdigest()
            head = AuditHead(position=row["position"], hash=row["hash"])
        lines.append(json.dumps(row, ensure_ascii=False))
    (folder / "trail.jsonl").write_text("\n".join(lines) + "\n")
    events = [json.loads(row["body"]) for row in map(json.loads, lines) if row.get("kind") == "event"]
    places = [row["position"] for row in map(json.loads, lines) if row.get("kind") == "event"]
    sent = {place: event["event"]["body"].get("envelope") for place, event in zip(places, events, strict=True)}
    listed = [{"position": place, "envelope": one, "key": None} for place, one in sent.items() if one]
    (folder / "decisions.json").write_text(json.dumps(listed))
    remade(folder, head=head.model_dump())


def remade(folder: Path, **about: object) -> None:
    """The manifest, made to fit whatever is there now."""
    manifest = json.loads((folder / "manifest.json").read_bytes()) | about
    manifest["files"] = {name: digest_bytes(data) for name, data in contents(folder).items() if name != "manifest.json"}
    text = json.dumps(manifest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    (folder / "manifest.json").write_text(text)


def reworded(row: Row) -> None:
    """A reason is changed."""
    row["body"] = row["body"].replace("It is sound.", "It is fine.")


def forged(row: Row) -> None:
    """Somebody else's key signs the same decision."""
    with_envelopes(row, lambda one: sign(base64.b64decode(one.payload), PAYLOAD_TYPE, private_key("eve")))


def borrowed() -> Callable[[Row], None]:
    """Every decision brings the envelope of the first one."""
    first = list[Envelope]()

    def take(one: Envelope) -> Envelope:
        first.append(one)
        return first[0]

    return lambda row: with_envelopes(row, take)


def unsigned(row: Row) -> None:
    """The envelopes are taken away."""
    with_envelopes(row, lambda _: None)


def with_envelopes(row: Row, change: Callable[[Envelope], Envelope | None]) -> None:
    """A decision with another envelope."""
    body = json.loads(row["body"])
    event = body.get("event", {}).get("body", {})
    if row["kind"] == "event" and event["event"] == "decided":
        after = change(Envelope.model_validate(event.pop("envelope")))
        if after:
            event["envelope"] = after.model_dump(mode="json")
        row["body"] = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (reworded, "the decision's reason is recorded as It is fine."),
        (forged, "no key that counts has signed it"),
        (borrowed(), "the decision's visit is recorded as"),
        (unsigned, "decided counted, and nobody has signed it"),
    ],
)
def test_a_bundle_made_to_fit_does_not_pass(
    edit: Callable[[Row], None], words: str, sealed: Path, inventory_url: str, tmp_path: Path
) -> None:
    """With every hash made anew, signatures and checkpoints still speak; without checkpoints the signatures do."""
    bundle = exported(inventory_url, sealed, tmp_path / "bundle")
    kept = tmp_path / "as-it-was"
    shutil.copytree(bundle, kept)
    rewritten(bundle, lambda _: None)
    assert problems(bundle) == []
    rewritten(bundle, edit)
    found = problems(bundle)
    assert any(words in problem for problem in found), found
    assert any("is not the one that was sealed at" in problem for problem in found), found
    (bundle / "checkpoints.jsonl").write_bytes(b"")
    remade(bundle)
    assert any(words in problem for problem in problems(bundle))
    notary = (sealed / "notary.pub").read_text().strip()
    assert "there is none" in "".join(problems(bundle, notary))


def test_the_leaf_of_an_entry_of_another_model_tells_nothing_of_it(
    sealed: Path, inventory_url: str, tmp_path: Path
) -> None:
    """Of other models, and of who is in the directory, the bundle has hashes alone."""
    bundle = exported(inventory_url, sealed, tmp_path / "bundle")
    rows = [json.loads(line) for line in (bundle / "trail.jsonl").read_text().splitlines()]
    assert {row.get("model", "hashed") for row in rows} == {"loan", None, "hashed"}
    assert "churn" not in (bundle / "trail.jsonl").read_text()
    with Catalog(inventory_url) as catalog:
        entries: list[AuditEntry] = list(catalog.trail())
    others = [entry for entry in entries if entry.model == "churn" or entry.kind == AuditKind.DIRECTORY]
    assert [row["leaf"] for row in rows if "leaf" in row] == [leaf_of(entry).hex() for entry in others]


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80), st.integers(0, 511))
def test_signatures_are_judged_as_by_another_implementation(seed: bytes, message: bytes, bit: int) -> None:
    """The script's Ed25519 takes what OpenSSL signs, and nothing with a bit changed in it."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key, signature = private.public_key().public_bytes_raw().hex(), bytearray(private.sign(message))
    assert signed(key, bytes(signature), message)
    assert not signed(key, bytes(signature), message + b"x")
    signature[bit // 8] ^= 1 << bit % 8
    assert not signed(key, bytes(signature), message)
    order = 2**252 + 27742317777372353535851937790883648493
    signature[bit // 8] ^= 1 << bit % 8
    malleable = signature[:32] + (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    assert not signed(key, bytes(malleable), message)


def delegated(role: str, until: timedelta, lifecycles: tuple[str, ...] = (), giver: str = "rita") -> Row:
    """A decision by dora for rita's role, and what came of the script's look at it."""
    about = Challenge(
        audience=AUDIENCE,
        lifecycle="loan",
        plan=digest_bytes(b"plan"),
        gate="validation",
        visit=3,
        nonce=digest_bytes(b"nonce"),
        artifact=digest_bytes(b"artifact"),
        evidence=digest_bytes(b"evidence"),
    )
    granted = signer("rita", lambda: NOON, giver).delegate(
        AUDIENCE, "dora", signer("dora").public, role, NOON + until, lifecycles
    )
    sent = signer("dora", lambda: NOON).decide(about, Choice.APPROVE, "risk", "It is sound.", delegation=granted)
    bundle = Bundle(Path(), None)
    bundle.manifest = {"model": "loan"}
    known = electorate({"risk": ("rita",)}).model_dump(mode="json")
    entry = {"body": {"event": {"at": (NOON + timedelta(hours=1)).isoformat()}, "plan": "x"}}
    return bundle.statement(sent.model_dump(mode="json"), known, entry)


def test_a_delegated_decision() -> None:
    """Somebody decides with the key that a delegation names: for its role, its models, as long as it holds."""
    assert delegated("risk", timedelta(days=1), ("loan",))["person"] == "dora"
    deeds: dict[str, Row] = {
        "no delegation of this role": {"role": "legal"},
        "for other models": {"lifecycles": ("churn",)},
        "did not hold when it was used": {"until": timedelta(minutes=1)},
        "no key that counts": {"giver": "eve"},
    }
    for words, other in deeds.items():
        usual: Row = {"role": "risk", "until": timedelta(days=1)}
        with pytest.raises(Wrong, match=words):
            delegated(**usual | other)
