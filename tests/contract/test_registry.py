"""Bundles in a real registry: what is pushed there has the digest that it has here, and nothing else is pulled."""

import gzip
import json
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from typer.testing import CliRunner, Result

from activities.adapters.oci_bundles import parts_of, read_bundle, verified
from activities.adapters.oci_registry import OciRegistry
from activities.adapters.registry_access import LONGEST, RegistryAccess
from client.cli import app
from models.bundle.manifest import MANIFEST_TYPE
from models.bundle.registry_name import parse_reference
from models.canonical import Digest, digest_bytes
from models.errors import (
    DigestMismatchError,
    InvalidInputError,
    NotPermittedError,
    SignatureError,
    UnavailableError,
    UnknownNameError,
)
from models.formats import FORMATS, Format
from models.inventory import VersionStatus
from tests.contract.registry import PASSWORD, USER, Registry
from tests.contract.serving import Shop, constant, free_port
from tests.packing import signer_in

INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """One for all tests; each pushes a bundle of its own."""
    process = Registry(tmp_path_factory.mktemp("registry") / "of-tests")
    process.start()
    yield process
    process.stop()


def secret() -> str:
    """Of the registry's only user."""
    return f"{USER}:{PASSWORD}"


def push(registry: Registry, shop: Shop, bundle: Digest, tag: str = "") -> None:
    """From the shop's store, into the repository of the loans."""
    with closing(OciRegistry(parse_reference(f"{registry.host}/models/loans{tag}"), secret)) as to:
        to.push(shop.store, parts_of(shop.store, bundle))


def pull(registry: Registry, shop: Shop, name: str, folder: Path) -> Digest:
    """The digest of what verifies in there."""
    with closing(OciRegistry(parse_reference(f"{registry.host}/models/loans{name}"), secret)) as source:
        return verified(source.bundle(folder), source.bundle(folder).digest, [signer_in(shop.folder)])[0].digest


def test_the_digest_is_the_same_there(registry: Registry, shop: Shop, tmp_path: Path) -> None:
    """A bundle's manifest is taken byte for byte, its signature is listed once, and what is there is not sent again."""
    bundle = shop.bundle(1, constant(0.11))
    push(registry, shop, bundle, ":1")
    kept = registry.get(f"models/loans/manifests/{bundle}", MANIFEST_TYPE)
    assert digest_bytes(kept.content) == bundle
    layers = [part.digest for part in parts_of(shop.store, bundle) if part.media_type != MANIFEST_TYPE]
    written = [registry.blob(one).stat().st_mtime_ns for one in layers]
    push(registry, shop, bundle, ":1")
    assert [registry.blob(one).stat().st_mtime_ns for one in layers] == written
    listed = registry.get(f"models/loans/manifests/{bundle.replace(':', '-')}", INDEX).json()["manifests"]
    assert [one["digest"] for one in listed] == list(shop.store.referrers(bundle))
    for number, name in enumerate((":1", f"@{bundle}")):
        (folder := tmp_path / str(number)).mkdir()
        assert pull(registry, shop, name, folder) == bundle


def test_changed_or_missing_parts_are_named(registry: Registry, shop: Shop, tmp_path: Path) -> None:
    """A byte more, another byte, a layer or the bundle gone: which part it is, and nothing verifies."""
    bundle = shop.bundle(1, constant(0.12))
    push(registry, shop, bundle)
    model = next(
        part.digest for part in parts_of(shop.store, bundle) if part.media_type == FORMATS[Format.ONNX].media_type
    )
    place = registry.blob(model)
    data = place.read_bytes()
    for changed, problem in (
        (data[:-1] + bytes([data[-1] ^ 1]), DigestMismatchError),
        (data + b"\0", DigestMismatchError),
        (data[:-1], DigestMismatchError),
        (None, UnknownNameError),
    ):
        if changed is None:
            place.unlink()
        else:
            place.write_bytes(changed)
        (folder := tmp_path / f"{len(changed or b'')}-{problem.__name__}").mkdir(exist_ok=True)
        with pytest.raises(problem, match=model):
            pull(registry, shop, f"@{bundle}", folder)
        assert not (folder / model.removeprefix("sha256:")).exists()
    with pytest.raises(UnknownNameError, match="has no bundle"):
        pull(registry, shop, f"@{digest_bytes(b'nothing')}", tmp_path)


def test_a_signature_that_is_gone_is_missed(registry: Registry, shop: Shop, tmp_path: Path) -> None:
    """What hangs on the bundle travels with it, or nobody has signed it."""
    bundle = shop.bundle(1, constant(0.16))
    push(registry, shop, bundle)
    (signature,) = shop.store.referrers(bundle)
    registry.blob(signature).unlink()
    with pytest.raises(SignatureError, match="signed by nobody"):
        pull(registry, shop, f"@{bundle}", tmp_path)


def test_who_is_not_let_in_is_told(registry: Registry, shop: Shop) -> None:
    """No secret, another one, nobody there; the secret is in no message."""
    bundle = shop.bundle(1, constant(0.13))
    place = parse_reference(f"{registry.host}/models/loans")
    for given, said in ((None, "MODELOPS_REGISTRIES"), (lambda: f"{USER}:not-it", "refused with 401")):
        with closing(OciRegistry(place, given)) as to, pytest.raises(NotPermittedError) as refused:
            to.push(shop.store, parts_of(shop.store, bundle))
        assert said in f"{refused.value} {refused.value.remedy}"
        assert "not-it" not in str(refused.value)
    away = parse_reference(f"127.0.0.1:{free_port()}/models/loans")
    with closing(OciRegistry(away, secret)) as to, pytest.raises(UnavailableError, match="does not answer"):
        to.push(shop.store, parts_of(shop.store, bundle))


def test_a_registry_may_ask_for_a_token(shop: Shop, tmp_path: Path) -> None:
    """It says where tokens are and for what; the user's secret goes there alone, the token to the registry."""
    bundle = shop.bundle(1, constant(0.14))
    seen: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *given: object) -> None:
            """Nothing."""

        def do_GET(self) -> None:
            authorization = self.headers.get("authorization", "")
            seen.append((self.path, authorization.partition(" ")[0]))
            if self.path.startswith("/token"):
                self._answer(200, json.dumps({"token": "of-a-moment"}).encode())
            elif authorization != "Bearer of-a-moment":
                self._answer(401, b"{}")
            else:
                self._answer(200, shop.store.path(bundle).read_bytes())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            realm = f'Bearer realm="http://127.0.0.1:{port}/token",service="s",scope="repository:loans:pull"'
            self.send_header("www-authenticate", realm)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = HTTPServer(("127.0.0.1", 0), Handler)
    port = server.server_port
    threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True).start()
    try:
        with closing(OciRegistry(parse_reference(f"127.0.0.1:{port}/loans:1"), secret)) as source:
            assert source.bundle(tmp_path).digest == bundle
    finally:
        server.shutdown()
        server.server_close()
    assert seen == [
        ("/v2/loans/manifests/1", ""),
        ("/token?service=s&scope=repository%3Aloans%3Apull", "Basic"),
        ("/v2/loans/manifests/1", "Bearer"),
    ]


class Hostile(BaseHTTPRequestHandler):
    """Answers as `answers` says, by method and path, and notes who came with which authorization."""

    answers: ClassVar[dict[str, tuple[int, dict[str, str], bytes]]] = {}
    seen: ClassVar[list[tuple[str, str]]] = []

    def log_message(self, format: str, *given: object) -> None:
        """Nothing."""

    def _answer(self) -> None:
        place = f"{self.command} {self.path.partition('?')[0]}"
        self.seen.append((place, self.headers.get("authorization", "")))
        self.rfile.read(int(self.headers.get("content-length", 0)))
        status, headers, body = self.answers.get(place, (404, {}, b""))
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_HEAD = _answer


@pytest.fixture
def hostile() -> Iterator[tuple[type[Hostile], int]]:
    """A server that is up to no good, and its port."""
    kind = type("Once", (Hostile,), {"seen": [], "answers": {}})
    server = HTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True).start()
    yield kind, server.server_port
    server.shutdown()
    server.server_close()


def test_whom_a_registry_sends_us_to_gets_no_secret(hostile: tuple[type[Hostile], int], shop: Shop) -> None:
    """Not even if they ask for it, and say where tokens are to be had."""
    elsewhere, port = hostile
    bundle = shop.bundle(1, constant(0.16))
    realm = f'Bearer realm="http://localhost:{port}/token"'
    elsewhere.answers["PUT /upload"] = (401, {"www-authenticate": realm}, b"{}")
    elsewhere.answers["POST /v2/loans/blobs/uploads/"] = (202, {"location": f"http://localhost:{port}/upload"}, b"")
    to = OciRegistry(parse_reference(f"127.0.0.1:{port}/loans"), secret)
    with closing(to), pytest.raises(NotPermittedError, match="refused with 401"):
        to.push(shop.store, parts_of(shop.store, bundle))
    assert elsewhere.seen[-1] == ("PUT /upload", "")
    assert {given for _, given in elsewhere.seen} == {""}


def test_a_registry_leads_nowhere_in_the_clear(hostile: tuple[type[Hostile], int]) -> None:
    """Not to this machine either, unless it is the registry's own."""
    access = RegistryAccess("registry.example", "loans", secret, 1.0)
    with closing(access), pytest.raises(NotPermittedError, match=r"leads in the clear to http://127\.0\.0\.1"):
        access._authorize(f'Bearer realm="http://127.0.0.1:{hostile[1]}/token"')
    assert hostile[0].seen == []


@pytest.mark.parametrize("squeezed", [False, True])
def test_a_manifest_without_end_is_not_read(hostile: tuple[type[Hostile], int], tmp_path: Path, squeezed: bool) -> None:
    """However short it is on the way."""
    body, headers = b" " * (LONGEST + 1), dict[str, str]()
    if squeezed:
        body, headers = gzip.compress(body), {"content-encoding": "gzip"}
    hostile[0].answers["GET /v2/loans/manifests/1"] = (200, headers, body)
    source = OciRegistry(parse_reference(f"127.0.0.1:{hostile[1]}/loans:1"), None)
    with closing(source), pytest.raises(UnavailableError, match=f"more than {LONGEST} bytes"):
        source.bundle(tmp_path)


def test_what_nobody_signed_is_not_fetched(registry: Registry, shop: Shop, tmp_path: Path) -> None:
    """A disk is filled by those alone whose key counts."""
    bundle = shop.bundle(1, constant(0.17))
    push(registry, shop, bundle)
    with closing(OciRegistry(parse_reference(f"{registry.host}/models/loans@{bundle}"), secret)) as source:
        with pytest.raises(SignatureError, match="by nobody whose key counts"):
            verified(source.bundle(tmp_path), bundle, [])
        config, *layers = [part.digest for part in parts_of(shop.store, bundle) if part.media_type != MANIFEST_TYPE]
        assert (tmp_path / config.removeprefix("sha256:")).exists()
        files = read_bundle(shop.store, bundle).files.values()
        assert {digest_bytes(one.read_bytes()) for one in files} <= set(layers)
        assert not any((tmp_path / digest_bytes(one.read_bytes()).removeprefix("sha256:")).exists() for one in files)


def run(*words: str) -> Result:
    """A command of the group."""
    return CliRunner().invoke(app, ["bundle", *words])


def test_one_installation_pushes_and_another_pulls(
    registry: Registry, shop: Shop, migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By reference to a secret; the other one takes it only once it counts the key, and takes nothing before."""
    bundle = shop.bundle(4, constant(0.15))
    place = f"{registry.host}/models/shared"
    monkeypatch.setenv("REGISTRY_SECRET", secret())
    monkeypatch.setenv("MODELOPS_REGISTRIES", json.dumps({registry.host: {"env": "REGISTRY_SECRET"}}))
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    (here / "artifacts").symlink_to(shop.folder)
    monkeypatch.setenv("MODELOPS_HOME", str(here))
    shutil.copy(migrated_sqlite, here / "inventory.db")
    with closing(sqlite3.connect(here / "inventory.db")) as inventory, inventory:
        for number, held in ((4, bundle), (10, None)):
            row = ("loan-approval", number, VersionStatus.CANDIDATE, held, "[]")
            inventory.execute("INSERT INTO version (model, number, status, bundle, gates) VALUES (?, ?, ?, ?, ?)", row)
    for named in ("loan-approval", "loan-approval@4", bundle):
        assert json.loads(run("push", place, named, "--json").stdout)["digest"] == bundle
    assert "version 10 of 'loan-approval' has no bundle" in run("push", place, "loan-approval@10").stderr
    assert "a bundle has its own" in run("push", f"{place}@{bundle}", bundle).stderr
    monkeypatch.setenv("MODELOPS_HOME", str(there))
    refused = run("pull", f"{place}@{bundle}")
    assert (refused.exit_code, "whose key counts" in refused.stderr) == (4, True)
    assert not (there / "artifacts").exists()
    (there / "bundle.pub").write_text(signer_in(shop.folder) + "\n")
    told = json.loads(run("pull", f"{place}@{bundle}", "--json").stdout)
    assert (told["digest"], told["version"], told["signer"]) == (bundle, 4, signer_in(shop.folder))
    assert run("verify", bundle).exit_code == 0
    assert "does not say which bundle" in run("pull", place).stderr


@pytest.mark.parametrize("text", ["loans", "https://registry.example/loans", "registry.example/Loans", "r.example/a:"])
def test_what_is_no_reference(text: str) -> None:
    """It is said how one is written."""
    with pytest.raises(InvalidInputError, match="is no place in a registry"):
        parse_reference(text)
