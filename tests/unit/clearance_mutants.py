"""Bugs of what the actuator asks for itself: its tests must notice each."""

from tests.unit.mutants import Mutant

CLEARANCE = (
    Mutant("clearance", "    if sealed != entry:\n", "    if sealed is None:\n", "an edited entry is taken"),
    Mutant(
        "clearance",
        "    if (tied.before, tied.after) != (entry.previous, entry.hash):",
        "    if tied.before != entry.previous:",
        "what follows an entry is not looked at",
    ),
    Mutant(
        "clearance",
        "    yield from hearing.problems\n    yield from _unordered(order, hearing.state)\n    if",
        "    yield from _unordered(order, hearing.state)\n    if",
        "the kernel may disagree with the record",
    ),
    Mutant(
        "clearance",
        "    yield from hearing.problems\n    yield from _unordered(order, hearing.state)\n    if",
        "    yield from hearing.problems\n    if",
        "an order need not be due",
    ),
    Mutant("clearance", "        yield from _unserved(order, hearing.effects)\n", "", "what never served is put back"),
    Mutant(
        "clearance", "        yield from hearing.doubts\n    else:", "    else:", "whoever asked to go back is believed"
    ),
    Mutant("clearance", "    yield from hearing.claims\n", "", "what a step is said to have found is believed"),
    Mutant("clearance", "    if hearing.smuggled:\n", "    if False:\n", "nobody has to answer for a version"),
    Mutant("clearance", "    yield from _unapproved(order, plan, hearing.sittings)\n", "", "gates need not be passed"),
    Mutant(
        "clearance",
        "    yield from _too_few(order, plan, hearing.known.minimum, facts, hearing.sittings)\n",
        "",
        "the environment asks for nothing",
    ),
    Mutant("clearance", "    if facts.risk_tier not in plan.tiers:", "    if False:", "a plan governs any tier"),
    Mutant("clearance", "gateways=() if self._grave else", "gateways=", "a gateway vouches at every tier"),
    Mutant(
        "clearance",
        '            yield "nothing is signed"\n            return\n        if body.decision.key',
        "            return\n        if body.decision.key",
        "a decision need not be signed",
    ),
    Mutant("clearance", "            yield void\n", "            pass\n", "a void key counts"),
    Mutant(
        "clearance",
        "        elif told.decision != body.decision:",
        "        elif False:",
        "something else may be recorded than was signed",
    ),
    Mutant(
        "clearance",
        "        elif refusal := refuse_decision(self._plan, ours, told.decision, told.objection):",
        "        elif refusal := told.objection:",
        "whoever may not decide is counted",
    ),
    Mutant("clearance", "did.isdisjoint(involved)", "True", "those who built it are counted"),
    Mutant(
        "clearance",
        "            count, did = count + 1, did | involved",
        "            count += 1",
        "one person is counted twice",
    ),
    Mutant(
        "clearance",
        '            yield f"version {order.version} was rejected at',
        '            "" f"version {order.version} was rejected at',
        "a rejection is passed over",
    ),
    Mutant(
        "clearance",
        "    yield from _unordered(order, hearing.state)\n    yield from hearing.doubts",
        "    yield from hearing.doubts",
        "an order to withdraw need not be due",
    ),
    Mutant(
        "clearance",
        "    yield from _unordered(order, hearing.state)\n    yield from hearing.doubts",
        "    yield from _unordered(order, hearing.state)",
        "anybody takes a model out of service",
    ),
    Mutant("entitlement", "            *filter(None, map(loose, record)),\n", "", "an edited record lets in"),
    Mutant("entitlement", "            *unearned(order, plan, hearing),\n", "", "nobody need have approved"),
    Mutant("entitlement", "        if recorded != asked:", "        if False:", "a row may name other bytes"),
    Mutant("entitlement", "    if state.stage in plan.closing:", "    if False:", "what is being retired may enter"),
    Mutant("entitlement", "    if state.paused:", "    if False:", "a pause is passed over"),
    Mutant("warrants", "place < position and ", "", "what is measured afterwards bears a breach out"),
    Mutant(
        "warrants",
        "        ends = range(first, len(seen) + 1)",
        "        ends = range(1, len(seen) + 1)",
        "any breach bears out another",
    ),
    Mutant("keys", "        if not known.holds(at):", "        if False:", "a revoked key is not void"),
    Mutant(
        "keys", "known.kind is Keyholder.PERSON and known.person != person", "False", "anybody's key is everybody's"
    ),
    Mutant(
        "warrants",
        "            self._turned(replayed, why)\n",
        "            self._turned(replayed, '')\n",
        "every request is believed",
    ),
    Mutant(
        "warrants",
        "            self._turned(replayed, self._unmeasured(body, replayed.position))",
        "            self._turned(replayed, '')",
        "every breach is believed",
    ),
    Mutant(
        "warrants",
        "            and answers_for(replayed.before, statement.person, self._electorate)\n",
        "",
        "whoever retries stands for a turn",
    ),
    Mutant("warrants", '"" if stands else self.doubt or why', "why", "whoever gives up clears a doubt"),
    Mutant(
        "warrants",
        "if recorded is None or replayed.refusal:",
        "if recorded is None or recorded.refusal:",
        "a refusal that is only told is believed",
    ),
    Mutant(
        "warrants",
        "        if statement and digest(statement) in self._counted:",
        "        if False:",
        "a statement counts twice",
    ),
    Mutant("warrants", "self._reign < place", "0 < place", "a breach of an earlier champion bears one out"),
    Mutant(
        "warrants", " and replayed.before.phase is Phase.STUCK:", ":", "whoever retries at a gate stands for a turn"
    ),
    Mutant(
        "warrants",
        "        if done is None or done.result != said:\n",
        "        if done is None:\n",
        "what a step is said to have done is believed",
    ),
    Mutant(
        "warrants",
        "        if _waits(replayed.state):\n            self._waiting = why\n        else:\n",
        "        if True:\n",
        "a turn that waits is taken for the one that was taken",
    ),
    Mutant(
        "warrants",
        "    return min(max(told, replayed.at - LAG), replayed.at + SKEW)",
        "    return told",
        "an event is dated as one likes",
    ),
)
