"""Who forges a request cannot hide that the key is nobody's."""

from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.authentication import read_request
from models.canonical import replace
from models.messages import Action
from models.statements import Requesting
from tests.unit.signed_record import AUDIENCE, MODEL
from tests.unit.test_testimony import against, told


def test_something_that_the_owner_signed_does_not_vouch_for_a_request() -> None:
    """A request cannot be made in somebody's place: a delegation that it brings along is looked at by nobody."""
    scribe = told()
    forger = scribe.signer("olga", Ed25519PrivateKey.generate())
    genuine = scribe.signers["olga"].request(AUDIENCE, MODEL, Action.RETRY, "It has to be.")
    says = Requesting(audience=AUDIENCE, lifecycle=MODEL, action=Action.RESUME, reason="It has to be.")
    envelope = forger.sign(says, timedelta(hours=1), genuine)
    known = replace(scribe.electorate, keys={"olga": (forger.public,)})
    scribe.say(read_request(scribe.state, envelope, known, scribe.now + timedelta(minutes=1)))
    assert scribe.state.paused is False
    (said,) = against(scribe)
    assert said.endswith("of olga was never enrolled")
