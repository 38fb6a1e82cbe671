"""What people signed, as it is on record: each message with the key that it names."""

from collections.abc import Iterator, Sequence

from client.examination import Dossier
from models.evidence import Electorate
from models.signing import Envelope, PublicKey, key_id
from models.statements import Delegating, read_statement


def signed_messages(dossier: Dossier) -> Iterator[dict[str, object]]:
    """Every signed message of the trail, with the public key that it names, if the record knows it."""
    for replayed in dossier.rerun.events:
        body = replayed.recorded.event.body if replayed.recorded else None
        envelope = getattr(body, "envelope", None)
        if envelope is None:
            continue
        gate = replayed.before.gate
        known = (getattr(body, "known", None), gate.electorate if gate else None)
        keys = [key for one in known if one for key in _keys(one)]
        yield {
            "position": replayed.position,
            "envelope": envelope.model_dump(mode="json"),
            "key": _key_of(envelope, keys),
        }


def _keys(known: Electorate) -> Iterator[PublicKey]:
    yield from known.gateways
    for keys in known.keys.values():
        yield from keys


def _key_of(envelope: Envelope, keys: Sequence[PublicKey]) -> PublicKey | None:
    try:
        statement = read_statement(envelope)
        delegation = read_statement(statement.delegation) if statement.delegation else None
    except ValueError:
        return None
    granted = (delegation.says.to_public,) if delegation and isinstance(delegation.says, Delegating) else ()
    return next((key for key in (*keys, *granted) if key_id(key) == statement.key), None)
