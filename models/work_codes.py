"""The codes about steps, KPIs and monitors: MO5xx and MO6xx."""

from models.explanation import Explanation

EXPLANATIONS = {
    "MO501": Explanation(
        "step without a version",
        "The step works on a version, and in this stage there may be none: before versions enter, in suspension, in"
        " retirement.",
    ),
    "MO502": Explanation(
        "misplaced step",
        "`register` belongs where new versions enter, `monitor` into the steady stage after `promote`,"
        " `stop_serving` and `stop_monitors` into suspension or retirement, `undeploy` and `archive` into retirement;"
        " a stage promotes once; in the steady stage, what works on a candidate comes before `promote`,"
        " which makes it the champion.",
    ),
    "MO503": Explanation("promotion to nowhere", "A stage with a `promote` step says to which `environment`."),
    "MO504": Explanation(
        "step before what it needs",
        "On some path the step comes before another that it rests on, for that version: everything needs `register`;"
        " `evaluate`, `package` and `pipeline` need `scan`, as a file is not opened before it was found clean;"
        " `promote` needs `register`, `scan` and `package`.",
    ),
    "MO505": Explanation(
        "check without a reading",
        "On some path no earlier step measures the KPI, so the check would be inconclusive. `scan` measures threats,"
        " vulnerabilities, licence_issues, source_issues, secrets; `evaluate` measures auc, calibration_error and"
        " adverse_impact; a `pipeline` step gives what it says; a monitor's KPIs are not known before production.",
    ),
    "MO506": Explanation(
        "retired but not down",
        "Every way through retirement takes the model down with `undeploy` before the end, and ends its monitors with"
        " `stop_monitors`.",
    ),
    "MO507": Explanation(
        "risk tier not looked at",
        "`tiers` says which models the lifecycle may govern, and only `classify` looks: it must have been done on"
        " every path to an environment.",
    ),
    "MO508": Explanation(
        "promotion to production too early",
        "Only the steady stage promotes to its environment; a version that is promoted there earlier would be the"
        " champion before its last gate.",
    ),
    "MO509": Explanation(
        "misplaced trial",
        "`trial`, in `do`, tries a challenger beside the champion, once, in a stage before the steady one and in its"
        " environment; the stage's key `trial` says how.",
    ),
    "MO510": Explanation(
        "compared by nothing",
        "A challenger is compared by accuracy, brier, value, adverse_impact, errors or latency_ms, by each with one"
        " margin: `not_worse_by`, or `better_by`. What ends a trial at once are KPIs that it measures: trial_errors,"
        " trial_latency, trial_adverse_impact.",
    ),
    "MO511": Explanation(
        "trial without an end",
        "The shares of a challenger grow; each is held for a time, in which it is looked at once at least, and the"
        " whole lasts longer than that: what is left is for finding out.",
    ),
    "MO512": Explanation(
        "a pipeline that does not say enough",
        "A `pipeline` step says `in` which pipeline it runs (a name of MODELOPS_CI) and which `readings` it gives, for"
        " gates to judge. No other step is done by a pipeline: what one says of a version is evidence beside our own,"
        " and never in its place.",
    ),
    "MO513": Explanation(
        "a reading that is not the pipeline's to give",
        "What our own steps measure, or a KPI reads from a `metric`, nobody else says: a pipeline gives its readings"
        " under names of their own. And each comes from one pipeline, so that it is known whose word it is.",
    ),
    "MO601": Explanation(
        "passes and fails at once",
        "Some value satisfies both `pass` and `fail` of a KPI. They must leave no overlap; a gap between them is"
        " inconclusive.",
    ),
    "MO602": Explanation(
        "monitors and `monitor` do not match",
        "The `monitor` step of the steady stage starts what is under `monitors`: each is useless without the other.",
    ),
    "MO603": Explanation(
        "monitor of what it cannot see",
        "A monitor measures what production and the record show, and nothing else: what scans, evaluations and trials"
        " measure is checked at gates.",
    ),
    "MO604": Explanation(
        "nowhere to suspend to",
        "A monitor or its brakes say `suspend`, and `enters` names no suspension stage.",
    ),
    "MO605": Explanation(
        "no brakes",
        "Whatever acts by itself says how often it may, and what happens instead: cooldown, at_most, per, otherwise.",
    ),
    "MO606": Explanation("unused KPI", "No gate and no monitor checks the KPI.", warning=True),
    "MO607": Explanation(
        "a KPI that cannot fail",
        "No value that can be read satisfies `fail`, or more observations are asked for than there can be: whoever"
        " watches it watches nothing. A rate is between 0 and 1, a drift below 20, days in service below 36500.",
    ),
    "MO608": Explanation(
        "KPI that is measured and read",
        "A KPI with a `metric` is read from a source of the installation, and one with the name of something that steps"
        " or monitors measure would have two values.",
    ),
    "MO610": Explanation(
        "tightened wrongly",
        "`then: tighten` has a monitor look every `tightened` instead of `every`, for the `cooldown` of its brakes; a"
        " breach in that time starts `otherwise`. It has to look more often than before, and at least once.",
    ),
}
