"""GitHub asks for a deployment: a webhook is believed when it is signed, and answered at its own host alone."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx2
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from activities.adapters.github_app import GithubApp
from activities.adapters.github_reviews import GithubReviews
from models.canonical import digest_bytes
from models.inventory import Environment
from tests.contract.held import Held, example, operations
from tests.contract.listening import listening
from tests.contract.test_clearances import Office, office, told
from worker.clearance_app import ClearanceApp
from worker.github_gate import GithubGate

__all__ = ["office", "told"]

SECRET = "the-webhook-secret"
RUN = "/repos/acme/loans/actions/runs/4711"
HOOK = "/v1/github/deployment-protection-rule"


class Github:
    """What GitHub's REST API does for an App, by its published contract; it keeps the reviews."""

    def __init__(self, public: rsa.RSAPublicKey) -> None:
        self.public = public
        self.title = ""
        self.reviews: list[Mapping[str, str]] = []
        self.app = Starlette(
            routes=[
                Route("/app/installations/7/access_tokens", self.token, methods=["POST"]),
                Route(RUN, self.run),
                Route(f"{RUN}/deployment_protection_rule", self.review, methods=["POST"]),
            ]
        )

    async def token(self, request: Request) -> Response:
        """An installation token, for whoever proves to be the App."""
        signed, _, signature = request.headers["authorization"].removeprefix("Bearer ").rpartition(".")
        self.public.verify(_decoded(signature), signed.encode(), PKCS1v15(), hashes.SHA256())
        claims = json.loads(_decoded(signed.partition(".")[2]))
        assert claims["iss"] == "1234"
        assert 0 < claims["exp"] - claims["iat"] <= 600
        return JSONResponse({"token": "ghs_installation", "expires_at": "2030-01-01T00:00:00Z"}, 201)

    async def run(self, request: Request) -> Response:
        """A run of a workflow."""
        _authorized(request)
        return JSONResponse(
            example("github", "workflow-run") | {"id": 4711, "display_title": self.title, "status": "waiting"}
        )

    async def review(self, request: Request) -> Response:
        """The answer to a protection rule."""
        _authorized(request)
        body = await request.json()
        assert set(body) == {"environment_name", "state", "comment"}
        self.reviews.append(body)
        return Response(status_code=204)


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _authorized(request: Request) -> None:
    assert request.headers["authorization"] == "Bearer ghs_installation"
    assert request.headers["x-github-api-version"] == "2022-11-28"


class Desk:
    """An installation that GitHub asks."""

    def __init__(self, office: Office, github: Github, api: str, key: Path) -> None:
        self.office = office
        self.github = github
        self.api = api
        self.client = GithubApp(api, "1234", key)
        gate = GithubGate(
            GithubReviews(self.client), office.clearances, lambda: SECRET, {"production": Environment.PROD}
        )
        self.app = ClearanceApp(office.clearances, gate).build()

    def payload(self, **other: object) -> dict[str, object]:
        """What GitHub sends."""
        return {
            "action": "requested",
            "environment": "production",
            "event": "workflow_dispatch",
            "deployment_callback_url": f"{self.api}{RUN}/deployment_protection_rule",
            "repository": example("github", "installation-token")["repositories"][0] | {"full_name": "acme/loans"},
            "installation": {"id": 7, "node_id": "MDIzOkludGVncmF0aW9u"},
            **other,
        }

    async def send(self, payload: object, secret: str = SECRET) -> int:
        """A webhook arrives, and what it starts is done."""
        body = json.dumps(payload).encode()
        signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        transport = httpx2.ASGITransport(app=self.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://modelops") as client:
            answered = await client.post(HOOK, content=body, headers={"x-hub-signature-256": signature})
        return answered.status_code


@pytest.fixture(scope="module")
def private() -> rsa.RSAPrivateKey:
    """The App's key."""
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def desk(office: Office, private: rsa.RSAPrivateKey, tmp_path: Path) -> Iterator[Desk]:
    """Both sides."""
    key, github = tmp_path / "app.pem", Github(private.public_key())
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    held = Held(github.app, ("github",), "/blob/")
    with listening(held) as api:
        desk = Desk(office, github, api, key)
        yield desk
        desk.client.close()
    held.well()


async def test_what_may_enter_is_approved_and_what_may_not_is_rejected(desk: Desk) -> None:
    """By the one digest in the run's name; the comment says why. An unknown digest is rejected."""
    for title, state, said in (
        (f"Deploy {desk.office.artifact}", "approved", "version 1 of 'loans' may enter PROD"),
        (f"Deploy {digest_bytes(b'never seen')}", "rejected", "is on record"),
        ("Deploy the newest", "rejected", "the run's name has 0 digests"),
        (f"{desk.office.artifact} {digest_bytes(b'')}", "rejected", "the run's name has 2 digests"),
    ):
        desk.github.title = title
        assert await desk.send(desk.payload()) == 202
        review = desk.github.reviews.pop()
        assert (review["state"], review["environment_name"]) == (state, "production")
        assert said in review["comment"]
    assert await desk.send(desk.payload(environment="elsewhere")) == 202
    assert desk.github.reviews.pop()["state"] == "rejected"


async def test_what_is_sent_here_is_what_github_publishes(desk: Desk) -> None:
    """The webhook that these tests send; what is asked of GitHub, and what it answers, is compared in each of them."""
    (webhook,) = [one for one in operations("github")["post"] if one.name.endswith("protection-rule-requested")]
    assert webhook.request("", json.dumps(desk.payload()).encode()) == []
    assert webhook.request("", json.dumps(desk.payload(action="created", urgent=True)).encode()) != []


async def test_what_github_has_not_signed_is_not_heard(desk: Desk) -> None:
    """Another secret: 401, and nothing happens."""
    desk.github.title = f"Deploy {desk.office.artifact}"
    assert await desk.send(desk.payload(), "another secret") == 401
    assert desk.github.reviews == []


@pytest.mark.parametrize(
    "callback",
    [
        "http://169.254.169.254/latest/meta-data",
        "{api}.evil.example/repos/acme/loans/actions/runs/4711/deployment_protection_rule",
        "{api}/repos/acme/other/actions/runs/4711/deployment_protection_rule",
        "{api}/repos/acme/loans/actions/runs/4711/deployment_protection_rule?x=1",
        "{api}/repos/acme/loans/actions/runs/../../4711/deployment_protection_rule",
    ],
)
async def test_no_answer_goes_anywhere_else(desk: Desk, callback: str) -> None:
    """An address that is not that of the repository's run at the configured host is refused, signed or not."""
    payload = desk.payload(deployment_callback_url=callback.format(api=desk.api))
    assert await desk.send(payload) == 401
    assert desk.github.reviews == []


async def test_what_asks_nothing_is_taken_and_what_is_nothing_is_refused(desk: Desk) -> None:
    """Another action is none of ours; a payload without what we need is told so."""
    assert await desk.send(desk.payload(action="created")) == 202
    assert await desk.send({"zen": "Keep it logically awesome."}) == 400
    assert desk.github.reviews == []


async def test_what_cannot_be_answered_is_rejected(desk: Desk, tmp_path: Path) -> None:
    """The directory is unreadable just now: no."""
    desk.github.title = f"Deploy {desk.office.artifact}"
    (tmp_path / "directory.yaml").write_text("people: [")
    assert await desk.send(desk.payload()) == 202
    review = desk.github.reviews.pop()
    assert (review["state"], "could not answer" in review["comment"]) == ("rejected", True)
