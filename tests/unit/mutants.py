"""Seeded bugs: each is one change of a source text, and says what it breaks. The proofs must notice them all."""

from typing import NamedTuple


class Mutant(NamedTuple):
    """In `file`, `old` becomes `new`."""

    file: str
    old: str
    new: str
    breaks: str


KERNEL = (
    Mutant(
        "lifecycle",
        "    if refusal := refuse(plan, state, event):",
        "    if (refusal := refuse(plan, state, event)) and event.body.event != 'started':",
        "a second start begins anew",
    ),
    Mutant(
        "lifecycle",
        "        while after.state.in_flight is None and self._may_take(after.state):",
        "        while False:",
        "turns that wait are not taken",
    ),
    Mutant(
        "state",
        "        in_flight=None,\n        held=None,\n        failure=None,\n        checks=(),",
        "        held=None,\n        failure=None,\n        checks=(),",
        "a step of the last stage stays in flight",
    ),
    Mutant(
        "lifecycle",
        "            return Step(change(end(state), phase=Phase.ENDED))",
        "            return Step(change(state, phase=Phase.ENDED))",
        "the end leaves a champion",
    ),
    Mutant(
        "lifecycle",
        "        if state.doubtful and (state.champion is None or self.plan.production in state.serving):",
        "        if state.doubtful:",
        "a suspended champion is deployed again by itself",
    ),
    Mutant(
        "lifecycle",
        "        if self.plan.steady and self.plan.production in state.serving:",
        "        if self.plan.steady:",
        "a champion that does not serve counts as one that does",
    ),
    Mutant(
        "lifecycle",
        "        if state.paused:\n            return Step(change(state, held=order",
        "        if state.paused and not order.version:\n            return Step(change(state, held=order",
        "steps begin while paused",
    ),
    Mutant(
        "lifecycle",
        "            if verdict is Verdict.PASS and stage.gate.asks_people:",
        "            if verdict is not Verdict.FAIL and stage.gate.asks_people:",
        "people are asked about an inconclusive version",
    ),
    Mutant(
        "lifecycle",
        "            return self._route(state, verdict)\n        if stage.routes:",
        "            return self._route(state, Verdict.PASS)\n        if stage.routes:",
        "a gate's checks do not count",
    ),
    Mutant(
        "lifecycle",
        "        if self._may_take(state):\n            return self._take(state)\n        match order.kind:",
        "        match order.kind:",
        "the next step begins after a turn was asked",
    ),
    Mutant(
        "lifecycle",
        "                return self._settle(state)",
        "                return self._rest(change(state, doubtful=True))",
        "a restoration begins anew for ever",
    ),
    Mutant(
        "lifecycle",
        "                return self._route(state, result.verdict, result.summary)",
        "                return self._route(state, Verdict.PASS, result.summary)",
        "a failed step passes",
    ),
    Mutant(
        "lifecycle",
        "        return Step(change(state, phase=Phase.STUCK, failure=failure))\n\n    # --- gates",
        "        return Step(change(state, phase=Phase.WORKING, failure=failure))\n\n    # --- gates",
        "a failed step is waited for",
    ),
    Mutant(
        "lifecycle",
        "        state = change(state, held=order, in_flight=None, doubtful=state.doubtful or changes)",
        "        state = change(state, held=order, doubtful=state.doubtful or changes)",
        "a failed step stays in flight",
    ),
    Mutant(
        "lifecycle",
        "decisions=(*visit.decisions, made), decided=",
        "decisions=(made,), decided=",
        "only the last decision is kept",
    ),
    Mutant(
        "lifecycle",
        "is Verdict.FAIL and version:\n            return self._reject(state, target)",
        "is Verdict.FAIL and version and target is None:\n            return self._reject(state, None)",
        "a failed version goes on",
    ),
    Mutant(
        "lifecycle",
        "stage.steady and self.plan.production not in state.serving:\n            return self._rest(state)",
        "stage.steady:\n            return self._enter(end(state), stage.name)",
        "a smoke test that fails forgets the champion",
    ),
    Mutant(
        "lifecycle",
        "        both = Intent(turn=max(known.turn, intent.turn), submission=intent.submission or known.submission)",
        "        both = Intent(turn=max(known.turn, intent.turn), submission=intent.submission)",
        "a version that waits is forgotten",
    ),
    Mutant(
        "lifecycle",
        "        both = Intent(turn=max(known.turn, intent.turn)",
        "        both = Intent(turn=intent.turn",
        "a weaker turn replaces a stronger one",
    ),
    Mutant(
        "lifecycle",
        "        state = change(drop(state, VersionStatus.WITHDRAWN), intent=left)",
        "        state = change(state, intent=left)",
        "a turn leaves the version under way",
    ),
    Mutant(
        "lifecycle",
        "            case Remedy.ESCALATE:\n                taken = Step(state)",
        "            case Remedy.ESCALATE:\n                taken = self._turn(state, Intent(turn=Turn.SUSPEND))",
        "to tell people suspends",
    ),
    Mutant(
        "lifecycle",
        "            return self._run(change(state, phase=Phase.WORKING), state.held)",
        "            return Step(change(state, phase=Phase.WORKING))",
        "a retry begins nothing",
    ),
    Mutant(
        "orders",
        "        version=subject.number if subject else None,",
        "        version=1,",
        "orders are about another version",
    ),
    Mutant(
        "orders",
        "        artifact=subject.artifact if subject else None,",
        "        artifact=state.champion.artifact if state.champion else None,",
        "the champion's bytes are deployed as the candidate's",
    ),
    Mutant(
        "succession",
        "            state = change(state, serving=state.serving | {environment: version})\n            return _crown",
        "            return _crown",
        "a champion is crowned that does not serve",
    ),
    Mutant(
        "succession",
        "            return _crown(change(state, doubtful=False)) if environment == production else state",
        "            return change(state, doubtful=False)",
        "what serves in production is not the champion",
    ),
    Mutant(
        "succession",
        "        statuses |= {old.number: VersionStatus.PREVIOUS}",
        "        statuses |= {old.number: VersionStatus.CHAMPION}",
        "two champions",
    ),
    Mutant(
        "succession",
        "    if version is None or gate in version.gates:\n        return state",
        "    if version is None or version.gates:\n        return state",
        "a second gate is not credited",
    ),
    Mutant(
        "succession",
        "    return change(state, champion=old, previous=None, statuses=statuses)",
        "    return change(state, champion=old, previous=None)",
        "a rollback leaves the old statuses",
    ),
    Mutant(
        "approval",
        "        if any(person in (earlier.person, earlier.counts_for) for earlier in visit.decisions):",
        "        if False:",
        "one person decides twice",
    ),
    Mutant(
        "approval",
        "    if duty := duty_of(plan, state, version, person):",
        "    if False:",
        "a developer approves their own version",
    ),
    Mutant(
        "separation",
        "        Duty.TRAINER: (version.trained_by,) if version.trained_by else (),",
        "        Duty.TRAINER: (),",
        "who trained a version approves it",
    ),
    Mutant(
        "separation",
        "        Duty.EDITOR: plan.editors,",
        "        Duty.EDITOR: (),",
        "who wrote the template approves under it",
    ),
    Mutant(
        "approval",
        "    return why[0] if why and all(why) else None",
        "    return None",
        "somebody decides in the place of the owner",
    ),
    Mutant("approval", "    if not held:", "    if False:", "strangers decide"),
    Mutant(
        "approval", "    if decision.visit != state.visit:", "    if False:", "a decision of an earlier visit counts"
    ),
    Mutant(
        "approval",
        "    if decision.artifact != version.artifact:",
        "    if False:",
        "a decision about other bytes counts",
    ),
    Mutant(
        "approval",
        "        return Verdict.FAIL\n    return None",
        "        return None\n    return None",
        "a rejection does not count",
    ),
    Mutant(
        "approval",
        "    return None if open_roles(gate, visit) else Verdict.PASS",
        "    return Verdict.PASS",
        "one approval is enough",
    ),
    Mutant(
        "approval",
        "count - given.count(role) for role, count",
        "count - len(given) for role, count",
        "an approval counts for every role",
    ),
    Mutant(
        "findings",
        "    if left := [finding for finding in known if finding.id not in decision.closes]:",
        "    if left := list[Finding]():",
        "an approval passes over what its role has found",
    ),
    Mutant(
        "findings",
        "    if strange := [one for one in decision.closes if one not in {finding.id for finding in known}]:",
        "    if strange := list[str]():",
        "a role closes what another one has found",
    ),
    Mutant(
        "findings",
        "    return change(state, findings=(*state.findings, *raised), found=state.found + len(raised))",
        "    return state",
        "what a rejection finds is forgotten",
    ),
    Mutant(
        "findings",
        "if one.id not in closed)) if closed else state",
        "if one.id in closed)) if closed else state",
        "what is closed stays open, and the rest is gone",
    ),
    Mutant(
        "standing",
        "        decisions=tuple(made for made in visit.decisions if made not in gone),",
        "        decisions=visit.decisions,",
        "an approval that has lapsed counts",
    ),
    Mutant(
        "standing",
        "    if made.counts_for not in (*electorate.people.get(role, ()), *electorate.away.get(role, ())):",
        "    if not role:",
        "an approval counts for a role that its giver has lost",
    ),
    Mutant(
        "lifecycle",
        "        return Step(state, told)\n",
        "        return Step(state)\n",
        "nobody is told who is asked again",
    ),
    Mutant(
        "admission",
        "    if order is None or (order.visit, order.step) != (body.visit, body.step):",
        "    if order is None:",
        "a stale answer counts",
    ),
    Mutant(
        "admission",
        '        return "the lifecycle has ended"',
        "        return None",
        "something happens after the end",
    ),
    Mutant(
        "admission",
        '    if state.stage in plan.closing:\n        return "the model is being retired already"',
        '    if False:\n        return ""',
        "retirement is turned back",
    ),
    Mutant(
        "admission",
        "    if turn is Turn.ABANDON and not state.can_be_abandoned:",
        "    if turn is Turn.ABANDON:",
        "nobody can give a version up",
    ),
    Mutant(
        "admission",
        "        case Action.RETRY if state.phase not in (Phase.STUCK, Phase.DECIDING):",
        "        case Action.RETRY if state.phase is not Phase.DECIDING:",
        "nobody can retry",
    ),
    Mutant(
        "admission",
        "    if body.visit != state.visit or body.timer not in",
        "    if body.timer not in",
        "a timer of an earlier visit fires",
    ),
    Mutant(
        "remediation",
        "    if remedy is not Remedy.ESCALATE and _braked(state, monitor, at):",
        "    if False:",
        "brakes do not hold",
    ),
    Mutant(
        "remediation",
        "    if remedy is Remedy.RETRAIN and state.phase is not Phase.STEADY:",
        "    if False:",
        "retraining begins amid another version's way",
    ),
    Mutant(
        "lifecycle",
        "        if bar := waivers.lapsed(self.plan, state, order, self.at) or emergency.",
        "        if bar := emergency.",
        "a version goes where a waiver has ended",
    ),
    Mutant(
        "lifecycle",
        ", self.at) or emergency.unreviewed(self.plan, state, order):",
        ", self.at):",
        "a version goes into production before an emergency is reviewed",
    ),
    Mutant(
        "lifecycle",
        "            return self._break_glass(taken, asked) if asked.emergency else taken",
        "            return taken",
        "an emergency leaves no review",
    ),
    Mutant(
        "state",
        "        gate=None,\n    )\n\n\ndef spend",
        "        gate=None,\n        glass=None,\n    )\n\n\ndef spend",
        "the next stage forgets an emergency",
    ),
    Mutant(
        "admission",
        " or emergency.refuse(state, body)\n",
        "\n",
        "anything is an emergency",
    ),
    Mutant(
        "emergency",
        "    if person in glass.people:",
        "    if False:",
        "who acted in an emergency reviews it themselves",
    ),
    Mutant(
        "emergency",
        "    if asked.emergency and asked.action not in _DEEDS:",
        "    if False:",
        "a version is given up in an emergency",
    ),
    Mutant(
        "emergency",
        "glass=Glass(emergencies=(*others, done)",
        "glass=Glass(emergencies=(done,)",
        "a second emergency hides who acted in the first",
    ),
    Mutant(
        "emergency",
        "or order.environment != plan.production:",
        "or order.environment == plan.production:",
        "an emergency keeps versions from everywhere but production",
    ),
    Mutant(
        "emergency",
        "if glass is None or glass.confirmed or glass.overdue else",
        "if glass is None or glass.confirmed else",
        "an escalation is sent for ever",
    ),
    Mutant(
        "waivers",
        "lapsed=(*state.lapsed, name), reminded=kept)",
        "reminded=kept)",
        "the end of a waiver is forgotten",
    ),
    Mutant(
        "waivers",
        "    if control.before is None:\n        return plan.production",
        "    if control.before is None:\n        return None",
        "a control about what serves guards nothing",
    ),
    Mutant(
        "waivers",
        "        if place and place in (order.environment, order.stage) and",
        "        if place == order.stage and",
        "a control before an environment guards nothing",
    ),
    Mutant(
        "waivers",
        "if timer not in state.reminded}",
        "if timer}",
        "a reminder is sent for ever",
    ),
)

RULES = (
    Mutant(
        "proof.graph",
        "            facts = known[name] | gain(stages[name]) if verdict is Verdict.PASS else known[name]",
        "            facts = known[name] | gain(stages[name])",
        "an inconclusive version has passed the gate",
    ),
    Mutant(
        "proof.graph",
        "            agreed = known[target] & facts if target in known else facts",
        "            agreed = known[target] | facts if target in known else facts",
        "one way with a gate is enough",
    ),
    Mutant(
        "proof.graph",
        "            dominating[stage.environment] = dominating.get(stage.environment, before) & before",
        "            dominating[stage.environment] = before",
        "the last way into an environment counts alone",
    ),
    Mutant(
        "proof.graph",
        "            closed = verdict is Verdict.PASS and stage.name in avoided",
        "            closed = stage.name in avoided",
        "no way round by an inconclusive verdict is seen",
    ),
    Mutant(
        "rules.policy",
        "        asked = gate.approvals.get(role, 0)\n        if asked < count:",
        "        asked = gate.approvals.get(role, 0)\n        if asked < count - 1:",
        "a gate without a lawyer has the shape of a legal review",
    ),
    Mutant(
        "rules.policy",
        "        if kpi not in gate.checks:",
        "        if kpi not in draft.template.kpis:",
        "a KPI that no gate checks has the shape",
    ),
    Mutant(
        "rules.policy",
        "        elif bound and written and not written.passes.within(bound):",
        "        elif bound and written and False:",
        "a looser bound has the shape",
    ),
    Mutant(
        "rules.policy",
        "        if kind not in done:",
        "        if False:",
        "evidence is not asked for",
    ),
    Mutant(
        "rules.policy",
        "if duty not in draft.template.separation_of_duties]:",
        "if duty not in control.separation]:",
        "whoever made a version may approve it",
    ),
    Mutant(
        "rules.policy",
        "        if missing := [kind for kind in demand.control.steps if kind not in done]:",
        "        if missing := [kind for kind in demand.control.steps if not done]:",
        "a step that is demanded may be left out",
    ),
    Mutant(
        "rules.policy",
        "        elif control.every and often > control.every:",
        "        elif False:",
        "however rarely something is watched, it is",
    ),
    Mutant(
        "rules.policy",
        "(template.retention or 0) < control.retention",
        "template.retention is None",
        "records are kept too short",
    ),
    Mutant("rules.policy", "template.review.every > control.review", "False", "a review too rare is one"),
    Mutant("rules.policy", "        if waiver.until <= draft.policy.on:", "        if False:", "a waiver never ends"),
    Mutant(
        "rules.gates",
        "            if after == sla or not never_later(after, sla):",
        "            if not never_later(after, sla):",
        "a reminder with the deadline is one",
    ),
    Mutant(
        "rules.gates",
        '        if grave and gate.authentication == "gateway":',
        '        if RiskTier.CRITICAL in grave[:1] and gate.authentication == "gateway":',
        "a gateway decides about models of high risk",
    ),
    Mutant(
        "rules.gates",
        "            if isinstance(wait, str):",
        "            if wait == gate.sla and isinstance(wait, str):",
        "an escalation in business days needs no calendar",
    ),
    Mutant(
        "waits",
        "(comparable and at_least(one) <= at_least(other))",
        "at_least(one) <= at_least(other)",
        "business days are as long as days",
    ),
    Mutant(
        "rules.policy",
        '    if shape.signed and not (gate.approvals and gate.authentication != "gateway"):',
        '    if shape.signed and gate.authentication == "gateway":',
        "a gate that asks nobody has people sign",
    ),
    Mutant("rules.gates", "        if not gate.checks:", "        if False:", "a gate that lets everything pass"),
    Mutant(
        "rules.graph",
        "            if target in past and name not in draft.closing:",
        "            if False:",
        "a lifecycle ends without retirement",
    ),
    Mutant(
        "rules.graph",
        "            if target == routes.passed:",
        "            if False:",
        "failing leads where passing leads",
    ),
    Mutant(
        "rules.graph",
        "        if name not in pass_chain(draft.stages, unknown):",
        "        if False:",
        "inconclusive leads past the gate",
    ),
    Mutant(
        "rules.steps",
        "        if StepKind.CLASSIFY not in done:",
        "        if False:",
        "a model of any tier comes to production",
    ),
    Mutant(
        "rules.steps",
        "            if begun in kinds and ended not in done[name]:",
        "            if False:",
        "retirement leaves a version serving",
    ),
    Mutant(
        "rules.monitors",
        "        if monitor.then is not Remedy.ESCALATE and monitor.brakes is None:",
        "        if False:",
        "retraining without brakes",
    ),
    Mutant(
        "policy",
        "        return self.since <= day and (self.until is None or day < self.until)",
        "        return self.since < day and (self.until is None or day < self.until)",
        "a pack holds a day too late",
    ),
    Mutant(
        "scope",
        "            if wanted and not common:\n                return None",
        "            if wanted and not common and name != 'tier':\n                return None",
        "a pack applies to every tier",
    ),
)
"""Seeded bugs of the compiler, its graph proofs and its policy rules."""

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
    Mutant("clearance", "        yield from _unserved(order, effects)\n", "", "what never served is put back"),
    Mutant(
        "clearance", "        yield from hearing.doubts\n    else:", "    else:", "whoever asked to go back is believed"
    ),
    Mutant("clearance", "        yield from hearing.claims\n", "", "what a step is said to have found is believed"),
    Mutant("clearance", "        if hearing.smuggled:\n", "        if False:\n", "nobody has to answer for a version"),
    Mutant(
        "clearance", "        yield from _unapproved(order, plan, hearing.sittings)\n", "", "gates need not be passed"
    ),
    Mutant(
        "clearance",
        "        yield from _too_few(order, plan, known.minimum, facts, hearing.sittings)\n",
        "",
        "the environment asks for nothing",
    ),
    Mutant(
        "clearance", "        if facts.risk_tier not in plan.tiers:", "        if False:", "a plan governs any tier"
    ),
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
