"""Bugs of the compiler and its rules: the corpus of bad and good templates must notice each."""

from tests.unit.mutants import Mutant

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
        "    StepKind.PIPELINE: (StepKind.REGISTER, StepKind.SCAN),",
        "    StepKind.PIPELINE: (StepKind.REGISTER,),",
        "somebody else opens a file that nobody has scanned",
    ),
    Mutant(
        "rules.pipelines",
        "            if name in QUANTITIES:",
        "            if False:",
        "a pipeline says what our own steps measure",
    ),
    Mutant(
        "rules.pipelines",
        "!= step.where:",
        "== '':",
        "two pipelines say the same, and the last word counts",
    ),
    Mutant(
        "rules.pipelines",
        '(("in", step.where), ("readings", step.readings)) if said]:',
        '(("in", step.where), ("readings", step.readings)) if not said and said]:',
        "a pipeline scans in our place",
    ),
    Mutant(
        "rules.steps",
        "        readings = draft.measured_before.get(name, frozenset()) | stage.measures",
        "        readings = frozenset().union(*(one.measures for one in draft.stages.values()))",
        "a check of what a later stage measures",
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
    Mutant(
        "rules.trials",
        "        if StepKind.TRIAL not in kinds_of(draft.stages[name]):",
        "        if False:",
        "a stage says how a challenger is tried, and tries none",
    ),
    Mutant(
        "rules.trials", "        if tried and stage.trial is None:", "        if False:", "a trial without its terms"
    ),
    Mutant(
        "rules.trials",
        "(stage.steady or stage.environment not in production)",
        "(stage.environment not in production)",
        "a champion is tried beside itself",
    ),
    Mutant(
        "rules.trials",
        "(stage.steady or stage.environment not in production)",
        "stage.steady",
        "a challenger is tried where no champion serves",
    ),
    Mutant("rules.trials", "        if len(tried) > 1:", "        if False:", "a stage tries twice"),
    Mutant(
        "rules.trials", "            if name not in MEASURES:", "            if False:", "nobody knows what is compared"
    ),
    Mutant(
        "rules.trials",
        "(margin.not_worse_by is None) == (margin.better_by is None)",
        "margin.not_worse_by is margin.better_by",
        "a measure has two margins",
    ),
    Mutant(
        "rules.trials",
        "(margin.not_worse_by is None) == (margin.better_by is None)",
        "margin.not_worse_by and margin.better_by",
        "a measure has no margin",
    ),
    Mutant(
        "rules.trials",
        " and kpi not in READINGS[StepKind.TRIAL]:",
        " and kpi is None:",
        "what ends a trial is not measured in it",
    ),
    Mutant(
        "rules.trials",
        "        if sorted(set(trial.shares)) != list(trial.shares):",
        "        if False:",
        "a challenger's share shrinks",
    ),
    Mutant(
        "rules.trials",
        "        if trial.longest <= held:",
        "        if trial.longest < held:",
        "a trial ends before its last share was held",
    ),
    Mutant(
        "rules.trials", " + (trial.shadow or 0)", "", "a trial ends before its last share was held, after its copies"
    ),
    Mutant("rules.trials", "        if trial.every > trial.hold:", "        if False:", "a share passes unseen"),
    Mutant(
        "rules.graph",
        "    return kinds_of(stage) == {StepKind.TRIAL} and stage.gate is None",
        "    return stage.gate is None",
        "people decide what another step could not find out",
    ),
)
