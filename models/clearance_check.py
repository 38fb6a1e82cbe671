"""Whether an answer is the installation's, to this question, and still counts: for whoever acts on one or keeps it."""

from collections.abc import Sequence
from datetime import datetime

from models.checkpoint import SKEW
from models.clearance_statement import PAYLOAD_TYPE, Clearance, Question
from models.errors import InvalidInputError, NotPermittedError
from models.signing import Envelope, PublicKey, payload_of, signer_of


def read_clearance(envelope: Envelope) -> Clearance:
    """The answer in an envelope, whoever signed it; InvalidInputError if it is none."""
    try:
        return Clearance.model_validate_json(payload_of(envelope, PAYLOAD_TYPE))
    except ValueError as error:
        raise InvalidInputError(f"this is no clearance: {error}", "`modelops may DIGEST --json` writes one") from error


def check_clearance(
    envelope: Envelope, keys: Sequence[PublicKey], audience: str, asked: Question, at: datetime
) -> Clearance:
    """The answer in an envelope, if an installation has given it to this question, and it still counts.

    InvalidInputError if it is none, NotPermittedError if it is somebody else's, another one's, or too old.
    """
    clearance = read_clearance(envelope)
    if signer_of(envelope, keys) is None:
        raise NotPermittedError("no known key of the installation has signed this clearance", "give its key with --key")
    said = (clearance.audience, clearance.subject, clearance.environment, clearance.nonce)
    for name, given, wanted in zip(
        ("installation", "digest", "environment", "nonce"),
        said,
        (audience, asked.subject, asked.environment, asked.nonce),
        strict=True,
    ):
        if given != wanted and (name, wanted) != ("nonce", None):
            raise NotPermittedError(f"this clearance is for {name} {given}, not {wanted}", "ask again")
    if not clearance.issued_at - SKEW <= at < clearance.expires_at:
        raise NotPermittedError(f"this clearance ended at {clearance.expires_at:%Y-%m-%d %H:%M:%S} UTC", "ask again")
    return clearance
