"""Signed statements: Ed25519 (RFC 8032) over what DSSE 1.0 makes of a payload and its type.

The envelope is that of https://github.com/secure-systems-lab/dsse, whose names of fields it therefore has.
"""

import base64
import binascii
from collections.abc import Iterable
from typing import Annotated

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field, StringConstraints

from models.canonical import Digest, Frozen, digest_bytes

PublicKey = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""An Ed25519 public key: 32 bytes as lower-case hexadecimal digits."""

_PAYLOAD_LIMIT = 64_000
_DOCUMENT_LIMIT = 8_000_000
_BASE64 = r"^[A-Za-z0-9+/]*={0,2}$"


class Signature(Frozen):
    """Whose key signed (a hint, as DSSE says), and the signature in base64."""

    keyid: Annotated[str, StringConstraints(max_length=200)]
    sig: Annotated[str, StringConstraints(max_length=200, pattern=_BASE64)]


class Envelope(Frozen):
    """A payload in base64, its type, and signatures of both."""

    payload: Annotated[str, StringConstraints(max_length=_PAYLOAD_LIMIT, pattern=_BASE64)]
    payloadType: Annotated[str, StringConstraints(max_length=200)]
    signatures: tuple[Signature, ...] = Field(min_length=1, max_length=4)


class Document(Frozen):
    """An envelope of something that is kept, and sent in no message: it may be long."""

    payload: Annotated[str, StringConstraints(max_length=_DOCUMENT_LIMIT, pattern=_BASE64)]
    payloadType: Annotated[str, StringConstraints(max_length=200)]
    signatures: tuple[Signature, ...] = Field(min_length=1, max_length=4)


def key_id(public: PublicKey) -> Digest:
    """The name of a key: SHA-256 of its 32 bytes."""
    return digest_bytes(bytes.fromhex(public))


def public_of(private: Ed25519PrivateKey) -> PublicKey:
    """The public half of a key."""
    return private.public_key().public_bytes_raw().hex()


def seal(payload: bytes, kind: str, private: Ed25519PrivateKey) -> Envelope:
    """A payload of some type, signed by one key."""
    signed = _sign(payload, kind, private)
    return Envelope(payload=base64.b64encode(payload).decode(), payloadType=kind, signatures=(signed,))


def seal_document(payload: bytes, kind: str, private: Ed25519PrivateKey) -> Document:
    """The same of a long payload; ValueError if it is longer than any is."""
    signed = _sign(payload, kind, private)
    return Document(payload=base64.b64encode(payload).decode(), payloadType=kind, signatures=(signed,))


def payload_of(envelope: Envelope | Document, kind: str) -> bytes:
    """What an envelope holds, whoever signed it; ValueError if it is of another type or no base64."""
    if envelope.payloadType != kind:
        raise ValueError(f"the envelope holds '{envelope.payloadType}', not '{kind}'")
    try:
        return base64.b64decode(envelope.payload, validate=True)
    except binascii.Error as error:
        raise ValueError(f"the payload is not base64: {error}") from error


def signer_of(envelope: Envelope | Document, keys: Iterable[PublicKey]) -> PublicKey | None:
    """The first of some keys that signed the envelope; None if no one did."""
    try:
        message = _pre_authentication(envelope.payloadType, base64.b64decode(envelope.payload, validate=True))
        signatures = [base64.b64decode(signature.sig, validate=True) for signature in envelope.signatures]
    except binascii.Error:
        return None
    return next((key for key in keys if any(_verifies(key, one, message) for one in signatures)), None)


def _sign(payload: bytes, kind: str, private: Ed25519PrivateKey) -> Signature:
    signature = private.sign(_pre_authentication(kind, payload))
    return Signature(keyid=key_id(public_of(private)), sig=base64.b64encode(signature).decode())


def _verifies(key: PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _pre_authentication(kind: str, payload: bytes) -> bytes:
    """DSSE's PAE: type and payload, each behind its length, so that neither can pass for a part of the other."""
    name = kind.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)
