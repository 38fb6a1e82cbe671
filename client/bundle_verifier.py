"""Verifies an evidence bundle offline, with nothing but Python 3.11: python verify.py [--notary HEX] [FOLDER]

It says in plain words what is wrong, and ends with 0 if nothing is, else with 1. What is trusted is one thing, the
public key of the notary: get it from somebody else than whoever gave you the bundle, and give it with --notary.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Point = tuple[int, int, int, int]

GENESIS = "sha256:" + "0" * 64
SKEW = timedelta(minutes=2)
STATEMENT = "application/vnd.modelops.statement+json"
CHECKPOINT = "application/vnd.modelops.checkpoint+json"

# Ed25519 (RFC 8032): the curve's prime, its group's order, its constant, and a root of -1.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


class Wrong(Exception):
    """Something that does not hold, in plain words."""


def add(one: Point, other: Point) -> Point:
    """The sum of two points, in extended coordinates."""
    a, b = (one[1] - one[0]) * (other[1] - other[0]) % P, (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(factor: int, point: Point) -> Point:
    """A point added to itself so many times."""
    total = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            total = add(total, point)
        point, factor = add(point, point), factor >> 1
    return total


def unpack(data: bytes) -> Point:
    """The point in 32 bytes (RFC 8032, 5.1.3); Wrong if there is none."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        raise Wrong("a key or a signature is no point of the curve")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = unpack((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed(key: str, signature: bytes, message: bytes) -> bool:
    """Whether an Ed25519 key (hexadecimal) signed a message (RFC 8032, 5.1.7)."""
    try:
        public = bytes.fromhex(key)
        if len(public) != 32 or len(signature) != 64:
            return False
        r, s = unpack(signature[:32]), int.from_bytes(signature[32:], "little")
        k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
        left, right = times(s, BASE), add(r, times(k, unpack(public)))
    except (Wrong, ValueError):
        return False
    same = (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0
    return s < L and same


def sha256(data: bytes) -> str:
    """A digest as it is written everywhere."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def canonical(value: object) -> bytes:
    """Canonical JSON (RFC 8785) of a value without fractions."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def moment(text: str) -> datetime:
    """A time with its zone."""
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if at.tzinfo is None:
        raise Wrong(f"the time {text} has no zone")
    return at


def opened(envelope: Json, kind: str, keys: Iterable[str]) -> tuple[Json, str]:
    """What a DSSE envelope holds, signed by one of some keys; and which one."""
    if envelope["payloadType"] != kind:
        raise Wrong(f"the envelope holds {envelope['payloadType']}, not {kind}")
    payload = base64.b64decode(envelope["payload"], validate=True)
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    value = json.loads(payload)
    if canonical(value) != payload:
        raise Wrong("what was signed is not canonical JSON")
    for one in envelope["signatures"]:
        for key in keys:
            if one["keyid"] == sha256(bytes.fromhex(key)) and signed(key, base64.b64decode(one["sig"]), message):
                return value, key
    raise Wrong("no key that counts has signed it")


class Bundle:
    """The folder, and what has been found in it."""

    def __init__(self, folder: Path, notary: str | None) -> None:
        """`notary` is the public key that was given, or None."""
        self.folder, self.notary = folder, notary
        self.problems: list[str] = []
        self.remarks: list[str] = []
        self.manifest: Json = {}
        self.entries: list[Json] = []
        self.hashes: dict[int, str] = {}
        self.last = self.checked = 0

    def check(self) -> None:
        """Everything, each part even if another one fails."""
        for part in (self.files, self.trail, self.plans, self.messages, self.decisions, self.evidence, self.sealed):
            self.attempt(str(part.__doc__).rstrip("."), part)

    def attempt(self, what: str, part: Callable[..., None], *given: Any) -> None:
        """A part, whose failure is a problem."""
        try:
            part(*given)
        except Wrong as wrong:
            self.problems.append(f"{what}: {wrong}")
        except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            self.problems.append(f"{what}: it cannot be read ({type(error).__name__}: {error})")

    def lines(self, name: str) -> Iterator[Json]:
        """The lines of a file, as JSON."""
        with (self.folder / name).open("rb") as file:
            for line in file:
                yield json.loads(line)

    def files(self) -> None:
        """The manifest."""
        text = (self.folder / "manifest.json").read_bytes()
        manifest = json.loads(text)
        if canonical(manifest) != text or manifest["format"] != "modelops/bundle/1":
            raise Wrong("manifest.json is not as it was written")
        self.manifest = manifest
        there = {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if not path.is_dir()}
        for name in sorted(there - set(manifest["files"]) - {"manifest.json"}):
            self.problems.append(f"{name}: the manifest knows nothing of this file")
        for name, digest in manifest["files"].items():
            if name not in there:
                self.problems.append(f"{name}: this file is missing")
            elif sha256((self.folder / name).read_bytes()) != digest:
                self.problems.append(f"{name}: it is not the file that was exported")

    def trail(self) -> None:
        """The audit trail."""
        tie, sealed = GENESIS, {json.loads(base64.b64decode(one["payload"]))["position"] for one in self.checkpoints()}
        for row in self.lines("trail.jsonl"):
            self.last += 1
            leaf = bytes.fromhex(row["leaf"]) if "leaf" in row else self.leaf(row)
            if row["position"] != self.last:
                raise Wrong(f"entry {self.last} is missing, or not in its place")
            if row.get("previous", tie) != tie:
                raise Wrong(f"entry {self.last} does not follow the one before")
            tie = "sha256:" + hashlib.sha256(b"modelops/audit/1\x00" + tie.encode() + leaf).hexdigest()
            if row["hash"] != tie:
                raise Wrong(f"the content of entry {self.last} is not what was recorded")
            if self.last in sealed:
                self.hashes[self.last] = tie
        if {"position": self.last, "hash": tie} != self.manifest["head"]:
            raise Wrong("it does not end where the manifest says")

    def checkpoints(self) -> Iterator[Json]:
        """The envelopes of the checkpoints, oldest first."""
        return self.lines("checkpoints.jsonl")

    def leaf(self, row: Json) -> bytes:
        """The hash of an entry's content; the entry is kept."""
        names = ("at", "body", "kind", "model", "position")
        if row["model"] not in (self.manifest["model"], None):
            raise Wrong(f"entry {row['position']} is of another model")
        body = json.loads(row["body"])
        if row["seq"] != (body["seq"] if row["kind"] == "event" else None):
            raise Wrong(f"entry {row['position']} is numbered as another event")
        self.entries.append({**row, "body": body, "text": row["body"]})
        return hashlib.sha256(b"modelops/leaf/1\x00" + canonical({name: row[name] for name in names})).digest()

    def plans(self) -> None:
        """The plans and the packs."""
        kept = {sha256(entry["text"].encode()): entry["body"] for entry in self.entries if entry["kind"] == "plan"}
        for name in {entry["body"]["plan"] for entry in self.entries if entry["kind"] == "event"}:
            if name not in kept:
                raise Wrong(f"the trail does not keep plan {name}")
            if sha256((self.folder / "plans" / f"{name[7:]}.json").read_bytes()) != name:
                self.problems.append(f"plans/{name[7:]}.json: it is not the plan of that digest")
            self.packs(kept[name])

    def packs(self, plan: Json) -> None:
        """The policy packs that a plan was made under, as far as they are known."""
        for pack in plan.get("packs", ()):
            path = self.folder / "packs" / f"{pack['digest'][7:]}.json"
            if not path.exists():
                self.remarks.append(f"policy pack {pack['pack']} {pack['version']} is not in the bundle")
            elif sha256(path.read_bytes()) != pack["digest"]:
                self.problems.append(f"packs/{path.name}: it is not the policy pack that the plan names")

    def messages(self) -> None:
        """What people signed."""
        gate: Any = None
        artifacts = set[str]()
        for entry in self.entries:
            body = entry["body"]
            if entry["kind"] == "effect":
                artifacts |= {
                    change["submission"]["artifact"]["digest"]
                    for change in body["changes"]
                    if change["change"] == "version_registered"
                }
            if entry["kind"] != "event" or body.get("refusal") is not None:
                continue
            event = body["event"]["body"]
            if event["event"] == "step_succeeded" and event["result"].get("electorate"):
                again = gate is not None and gate["visit"] == event["visit"]
                since = gate["opened"] if again else body["event"]["at"]
                gate = {"visit": event["visit"], "opened": since, "electorate": event["result"]["electorate"]}
            elif event["event"] in ("decided", "requested", "version_submitted"):
                self.attempt(f"entry {entry['position']}", self.message, entry, event, gate, artifacts)

    def message(self, entry: Json, event: Json, gate: Any, artifacts: set[str]) -> None:
        """One message that counted: who signed it, for what, and when."""
        if "envelope" not in event:
            raise Wrong(f"{event['event']} counted, and nobody has signed it")
        if event["event"] == "decided" and gate is None:
            raise Wrong("no gate was open")
        known = gate["electorate"] if event["event"] == "decided" else event["known"]
        statement = self.statement(event["envelope"], known, entry)
        says = statement["says"]
        about = says["about"] if event["event"] == "decided" else says
        if (about["lifecycle"], about["audience"]) != (self.manifest["model"], self.manifest["audience"]):
            raise Wrong("it was signed for another model or another installation")
        if event["event"] == "decided":
            self.decision(entry, event["decision"], statement, gate, artifacts)
        elif event["event"] == "requested":
            asked, told = (says["action"], says["reason"], statement["person"]), event["request"]
            emergency = says.get("emergency", False) != event.get("emergency", False)
            if says["kind"] != "request" or asked != (event["action"], told["reason"], told["person"]) or emergency:
                raise Wrong("what was asked for is not what was signed")
        else:
            start = entry["text"].index('"submission":') + len('"submission":')
            _, end = json.JSONDecoder().raw_decode(entry["text"], start)
            if says["kind"] != "submit" or says["submission"] != sha256(entry["text"][start:end].encode()):
                raise Wrong("another version was signed for")
        self.checked += 1

    def statement(self, envelope: Json, known: Json, entry: Json) -> Json:
        """What a person signed, with a key that the record names as theirs, and when it held."""
        at = moment(entry["body"]["event"]["at"])
        claimed = json.loads(base64.b64decode(envelope["payload"]))
        keys = [*known.get("keys", {}).get(claimed["person"], ()), *self.gateways(known, claimed, entry)]
        if claimed.get("delegation"):
            giver = json.loads(base64.b64decode(claimed["delegation"]["payload"]))["person"]
            granted, _ = opened(claimed["delegation"], STATEMENT, known["keys"].get(giver, ()))
            to, says = granted["says"], claimed["says"]
            if (to["kind"], to["to"], to["role"]) != ("delegate", claimed["person"], says["role"]):
                raise Wrong("what it brings along is no delegation of this role to whoever signed")
            if to["lifecycles"] and self.manifest["model"] not in to["lifecycles"]:
                raise Wrong("the delegation is for other models")
            if not moment(granted["issued_at"]) - SKEW <= at < moment(granted["expires_at"]):
                raise Wrong("the delegation did not hold when it was used")
            keys.append(to["to_public"])
        statement, key = opened(envelope, STATEMENT, keys)
        if statement["key"] != sha256(bytes.fromhex(key)):
            raise Wrong("it names another key than the one that signed it")
        if not moment(statement["issued_at"]) - SKEW <= at < moment(statement["expires_at"]):
            raise Wrong("the signature did not hold when it was used")
        return statement

    def gateways(self, known: Json, claimed: Json, entry: Json) -> Iterable[str]:
        """The keys of gateways, where the gate of a decision takes their word."""
        plans = [one["body"] for one in self.entries if sha256(one["text"].encode()) == entry["body"]["plan"]]
        gates = [stage.get("gate") for plan in plans for stage in plan["stages"]]
        name = claimed["says"].get("about", {}).get("gate")
        trusts = any(gate and gate["id"] == name and gate.get("authentication") == "gateway" for gate in gates)
        return known.get("gateways", ()) if trusts else ()

    def decision(self, entry: Json, decision: Json, statement: Json, gate: Json, artifacts: set[str]) -> None:
        """A decision: it is about this opening of this gate, this plan and this artifact."""
        says, about = statement["says"], statement["says"]["about"]
        names = ("gate", "visit", "artifact", "person", "decision", "reason", "role", "key", "on_behalf_of")
        told = {name: decision.get(name) for name in names}
        told |= {name: decision.get(name, []) for name in ("findings", "closes")}
        meant = {**about, **says, "person": statement["person"], "key": statement["key"]}
        if statement.get("delegation"):
            meant["on_behalf_of"] = json.loads(base64.b64decode(statement["delegation"]["payload"]))["person"]
        for name, value in told.items():
            if meant.get(name) != value:
                raise Wrong(f"the decision's {name} is recorded as {value}; signed was {meant.get(name)}")
        if about["plan"] != entry["body"]["plan"]:
            raise Wrong("it was decided about another plan")
        if about["artifact"] not in artifacts:
            raise Wrong("it was decided about an artifact that was never registered")
        since = moment(gate["opened"]).astimezone(UTC).isoformat(timespec="microseconds")
        opening = {name: about[name] for name in ("lifecycle", "plan", "visit", "audience")}
        if gate["visit"] != about["visit"] or about["nonce"] != sha256(canonical({**opening, "opened": since})):
            raise Wrong("it was decided at another opening of the gate")

    def decisions(self) -> None:
        """The list of decisions."""
        listed = json.loads((self.folder / "decisions.json").read_bytes())
        bodies = [(e["position"], e["body"]["event"]["body"]) for e in self.entries if e["kind"] == "event"]
        sent = {place: body["envelope"] for place, body in bodies if body.get("envelope")}
        if {one["position"]: one["envelope"] for one in listed} != sent:
            raise Wrong("decisions.json lists other messages than the trail has")
        for one in listed:
            claimed = json.loads(base64.b64decode(one["envelope"]["payload"]))
            if one["key"] and sha256(bytes.fromhex(one["key"])) != claimed.get("key"):
                raise Wrong(f"decisions.json gives another key for entry {one['position']}")

    def evidence(self) -> None:
        """The evidence."""
        results = [entry["body"]["result"] for entry in self.entries if entry["kind"] == "effect"]
        changes = [change for entry in self.entries if entry["kind"] == "effect" for change in entry["body"]["changes"]]
        named = {one["digest"] for result in results for one in result.get("evidence", ())}
        named |= {change["archive"] for change in changes if change["change"] == "archived"}
        for digest in sorted(named):
            path = self.folder / "evidence" / digest[7:]
            if not path.exists():
                self.problems.append(f"evidence {digest}: it is not in the bundle")
            elif sha256(path.read_bytes()) != digest:
                self.problems.append(f"evidence/{digest[7:]}: it is not the evidence that was recorded")

    def sealed(self) -> None:
        """The checkpoints."""
        keys = (self.folder / "notary.pub").read_text().split()
        if self.notary:
            keys = [self.notary]
        else:
            self.remarks.append(f"the notary's key came with the bundle; ask somebody else for it: {' '.join(keys)}")
        before, position, number = GENESIS, 0, 0
        for number, envelope in enumerate(self.checkpoints(), 1):
            checkpoint, _ = opened(envelope, CHECKPOINT, keys)
            if (checkpoint["number"], checkpoint["before"]) != (number, before) or checkpoint["position"] <= position:
                raise Wrong(f"checkpoint {number} does not follow the one before")
            if checkpoint["audience"] != self.manifest["audience"]:
                raise Wrong(f"checkpoint {number} is of another installation")
            before, position = sha256(canonical(checkpoint)), checkpoint["position"]
            if self.hashes.get(position) != checkpoint["hash"]:
                raise Wrong(f"the trail up to entry {position} is not the one that was sealed at {checkpoint['at']}")
        if not number and self.notary:
            raise Wrong("there is none: nothing shows that the trail was not made anew")
        self.remarks.append(f"{number} checkpoints; entries after {position} are not vouched for")


def main(words: list[str]) -> int:
    """Say what is wrong; 0 if nothing is."""
    notary = None
    if "--notary" in words:
        place = words.index("--notary")
        if len(words) <= place + 1:
            sys.stderr.write("usage: python verify.py [--notary HEX] [FOLDER]; HEX is missing\n")
            return 2
        notary, words = words[place + 1].lower(), [*words[:place], *words[place + 2 :]]
    bundle = Bundle(Path(words[0]) if words else Path(__file__).resolve().parent, notary)
    bundle.check()
    out = [*(f"note: {remark}" for remark in bundle.remarks), *(f"WRONG: {problem}" for problem in bundle.problems)]
    counts = f"{bundle.last} entries, {len(bundle.entries)} of them in full, {bundle.checked} signed messages"
    out.append(f"{counts}: {'it does not hold' if bundle.problems else 'everything holds'}")
    sys.stdout.write("\n".join(out) + "\n")
    return 1 if bundle.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
