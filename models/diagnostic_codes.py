"""Every code that a template can earn, with one paragraph each. Codes are contracts: never renumbered, only added.

MO1xx the text, MO2xx shapes and names, MO3xx the graph, MO4xx gates and people, MO5xx steps, MO6xx KPIs and monitors,
MO7xx policy.
"""

from typing import NamedTuple


class Explanation(NamedTuple):
    """A code in plain words. A warning does not keep a template from compiling."""

    title: str
    text: str
    warning: bool = False


EXPLANATIONS = {
    "MO101": Explanation(
        "unreadable characters",
        "A template is UTF-8 text. Bytes that are not UTF-8, control characters and half characters are refused,"
        " because two readers could take them for two different things.",
    ),
    "MO102": Explanation(
        "too large",
        "A template is at most 256 KiB. A larger one is not a template, or an attempt to exhaust whoever reads it.",
    ),
    "MO103": Explanation(
        "nested too deeply",
        "Nothing in the language is nested more than a few levels; 32 are read. Deeper nesting only serves to exhaust"
        " a reader.",
    ),
    "MO104": Explanation(
        "not YAML",
        "The text breaks YAML's grammar: an indentation, a bracket, a quote or a colon. Nothing after the place can"
        " be read, so more may appear once it is mended.",
    ),
    "MO105": Explanation(
        "more than one document",
        "A file holds one template. A second document after `---` would be skipped silently by many readers.",
    ),
    "MO106": Explanation("empty", "The text holds nothing, or only comments. A template maps keys to values."),
    "MO107": Explanation(
        "anchor or alias",
        "`&name` and `*name` let a few bytes stand for megabytes, and hide from a reader what a place says."
        " Write it out where it applies.",
    ),
    "MO108": Explanation(
        "tag or directive",
        "`!tag`, `!!type` and `%DIRECTIVE` change what the text beside them means. The types of the language are"
        " fixed, so none of them is needed.",
    ),
    "MO109": Explanation(
        "merge key",
        "`<<` copies keys from elsewhere, and which copy wins depends on the reader. Write the keys out.",
    ),
    "MO110": Explanation(
        "key written twice",
        "Most readers let the last one win in silence: `approvals: 2` and, below, `approvals: 0`. Keep one.",
    ),
    "MO111": Explanation(
        "key that is not text",
        "A key is a name. Numbers, true, false, null and collections are not names.",
    ),
    "MO112": Explanation(
        "number out of bounds",
        "A whole number of more than 18 digits, or one too large for floating point, would not survive being written"
        " down and read again.",
    ),
    "MO201": Explanation(
        "unknown key",
        "The language does not have this key here. It would have no effect, and whoever wrote it expects one.",
    ),
    "MO202": Explanation("missing key", "A key that has no default is not there."),
    "MO203": Explanation("wrong type or form", "The place wants another type of value, or one of another form."),
    "MO204": Explanation(
        "not a name",
        "Names are lower-case letters and digits, with single hyphens or underscores between, beginning with a letter"
        " and at most 63 long: safe in an identifier, a path and a URL.",
    ),
    "MO205": Explanation(
        "not a duration",
        "A duration is a whole number with s, m, h or d: `90s`, `30m`, `12h`, `5d`. At least 1s, at most 36500d; a"
        " gate knows `1bd` to `999bd`, business days, too. A number alone does not say of what.",
    ),
    "MO206": Explanation(
        "not a comparison",
        "A KPI's `pass` and `fail` are an operator (>=, <=, >, <, ==), a space and a plain decimal number: `>= 0.8`.",
    ),
    "MO207": Explanation("not one of the choices", "The place has a fixed set of words, and this is none of them."),
    "MO208": Explanation("too few, too many, out of range", "A number or a list is outside the bounds of its place."),
    "MO209": Explanation(
        "said twice",
        "The same entry twice in a list; or two steps of a stage, or two gates, with the same id. Ids name effects"
        " and passed gates, so two things with one id would count as one.",
    ),
    "MO210": Explanation(
        "reserved id",
        "`ask`, `train`, `restore` and ids that begin with `ask-` belong to the kernel's own steps; a step of that id"
        " would be taken for one of them and not be performed.",
    ),
    "MO211": Explanation("unknown stage", "A route or an entry names a stage that the template does not have."),
    "MO212": Explanation("unknown role", "A gate, an escalation or a monitor names a role missing under `roles`."),
    "MO213": Explanation("unknown KPI", "A check names a KPI that is missing under `kpis`."),
    "MO301": Explanation("unreachable stage", "No route and no entry leads to the stage: it would never be entered."),
    "MO302": Explanation(
        "no terminal stage",
        "No stage says `terminal: true`, so the lifecycle of a retired model would never end.",
    ),
    "MO303": Explanation(
        "terminal stage that does something",
        "A terminal stage is the end: it has no steps, gate, routes or environment and is not steady.",
    ),
    "MO304": Explanation(
        "end without retirement",
        "A route leads from elsewhere to the end, or into the middle of retirement. The lifecycle would end while"
        " versions may still serve and consumers know nothing.",
    ),
    "MO305": Explanation(
        "no way to retirement",
        "A stage that leads nowhere and is neither steady, nor terminal, nor the suspension stage; or a stage of"
        " retirement from which no terminal stage can be reached.",
    ),
    "MO306": Explanation(
        "passing goes in a circle",
        "Whoever follows the pass routes comes back to the same stage, so a version that always passes would be worked"
        " on for ever.",
    ),
    "MO307": Explanation(
        "passing does not arrive",
        "Passing everything must lead from the first stage to where versions enter, from there to the steady stage,"
        " and from retirement to a terminal stage; and a version on its way to the steady stage passes through neither"
        " suspension nor retirement.",
    ),
    "MO308": Explanation(
        "entries in each other's way",
        "New versions, retirement and suspension enter at different stages, and none of them is the steady stage."
        " Retirement never leads back to the first stage, to a stage that versions pass, or to suspension.",
    ),
    "MO309": Explanation(
        "a verdict leads where passing leads",
        "FAIL or INCONCLUSIVE leads to the same stage as PASS, so the gate or the step decides nothing.",
    ),
    "MO310": Explanation(
        "inconclusive leads past its stage",
        "Not knowing is not passing: from where INCONCLUSIVE leads, passing must come back through the same stage."
        " Before there is a version it may lead to retirement.",
    ),
    "MO311": Explanation(
        "fail leads where a version is needed",
        "A version that fails is gone. FAIL may lead to where new versions enter, to retirement, or to a suspension"
        " stage that needs no version and asks nobody; out of suspension it leads to retirement only.",
    ),
    "MO312": Explanation(
        "failing goes in a circle",
        "Where there is no version, a FAIL route that leads back to its own stage would repeat the same steps for ever"
        " without anybody being asked.",
    ),
    "MO313": Explanation(
        "suspension that does not hold",
        "The suspension stage stops the champion from serving in production, and leads back to the steady stage only"
        " through a gate that asks people, or to retirement; to no other stage.",
    ),
    "MO321": Explanation("not exactly one steady stage", "Production is one stage with `steady: true`."),
    "MO322": Explanation(
        "steady stage that does not serve",
        "The steady stage has the environment PROD and exactly one `promote` step: that step makes the champion. Under"
        " another name, nothing that packs demand before PROD would hold for what serves.",
    ),
    "MO323": Explanation(
        "steady stage with a gate or routes",
        "The steady stage is left by events only. A gate or a route there would never be looked at: put the gate into"
        " the stage before.",
    ),
    "MO401": Explanation("gate that decides nothing", "A gate has checks, or asks people, or both."),
    "MO402": Explanation("people are asked nothing", "A gate that asks people says what it asks: `question`."),
    "MO403": Explanation("no SLA", "A gate that asks people says by when they must have decided: `sla`."),
    "MO404": Explanation(
        "silence is not settled",
        "A gate that asks people says what happens when nobody decides in time: `on_timeout: hold` or"
        " `on_timeout: reject`. There is no default, and nothing that approves: silence is never consent.",
    ),
    "MO405": Explanation("nobody to escalate to", "A gate that asks people says whom to tell when nobody decides."),
    "MO406": Explanation(
        "too late to matter",
        "A reminder at or after the SLA reminds of nothing; an escalation after the SLA of a gate that then rejects is"
        " never sent. Five business days are never shorter than five days, and may be much longer.",
    ),
    "MO407": Explanation("gate without all routes", "A gate routes all three verdicts: pass, fail, inconclusive."),
    "MO408": Explanation(
        "nothing to decide on",
        "People decide on a version. In the stages before any version, and in those of retirement, there may be none,"
        " and nobody could answer.",
    ),
    "MO409": Explanation(
        "a question to nobody",
        "`question`, `sla`, `remind`, `escalate`, `on_timeout`, `authentication` and `approvals_lapse` belong to a gate"
        " that asks people, and this one has no `approvals`. Either they were forgotten or the rest is left over.",
    ),
    "MO410": Explanation("unused role", "No gate, escalation or monitor names the role.", warning=True),
    "MO411": Explanation(
        "a gateway's word where a signature is due",
        "Where models of tier high or critical are governed, each person signs what they decide (`authentication:"
        " signature`, as at a gate that says nothing). A gateway that has let somebody in can vouch for them in other"
        " tiers only: whoever held it would be everybody.",
    ),
    "MO412": Explanation(
        "business days without a calendar",
        "`5bd` counts the days on which people work; `calendar` says which: a zone, days of the week, holidays.",
    ),
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
        " `evaluate` and `package` need `scan`, as a file is not opened before it was found clean; `promote` needs"
        " `register`, `scan` and `package`.",
    ),
    "MO505": Explanation(
        "check without a reading",
        "On some path no earlier step measures the KPI, so the check would be inconclusive. `scan` measures threats,"
        " vulnerabilities, licence_issues, source_issues, secrets; `evaluate` measures auc, calibration_error and"
        " adverse_impact; a monitor's KPIs are not known before production.",
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
        "A monitor measures drift, live_auc, live_adverse_impact, live_selection_rate and days_in_service, and nothing"
        " else.",
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
    "MO701": Explanation(
        "a claim without its shape",
        "A gate says that it satisfies a control, and does not ask what the control asks: so many people of a role, a"
        " KPI at least so strict, the evidence of a step. A name alone satisfies nothing; one group is not two roles.",
    ),
    "MO702": Explanation(
        "a control that no gate satisfies",
        "A policy pack that applies demands a control before an environment or a stage, and no gate claims it with"
        " `satisfies`.",
    ),
    "MO703": Explanation(
        "a way round a control",
        "A gate satisfies the control, and there is a path on which a version does not pass it: by a first release, by"
        " retraining or by an inconclusive verdict. The path is named.",
    ),
    "MO704": Explanation(
        "unknown control",
        "A gate claims a control that no known policy pack has, so nobody can hold it to a shape.",
    ),
    "MO705": Explanation("unknown policy pack", "The template names a policy pack that nobody has."),
    "MO706": Explanation(
        "a step that a control demands is missing",
        "A policy pack demands that a step is done before an environment or a stage, and there is a path without it.",
    ),
    "MO707": Explanation(
        "not watched as a control demands",
        "A policy pack demands that a KPI is watched in production, so often or more often.",
    ),
    "MO708": Explanation(
        "records kept too short",
        "A policy pack demands that records are kept longer than the template's `retention`.",
    ),
    "MO709": Explanation(
        "reviewed too rarely",
        "A policy pack demands that a champion is looked at anew more often than the template's `review` says.",
    ),
    "MO710": Explanation(
        "a waiver that is none",
        "Only a soft control can be waived, by a person who answers for it, with a reason, until a day to come.",
    ),
    "MO711": Explanation(
        "a pack that does not hold",
        "The template names a policy pack that is not in force on the day that counts. It demands nothing yet, or no"
        " more.",
        warning=True,
    ),
    "MO712": Explanation(
        "duties that must be separate",
        "A policy pack demands that people who had a hand in a version cannot approve it.",
    ),
    "MO713": Explanation(
        "a dimension that nobody watches",
        "A policy pack demands that what serves is watched in more than one way: technical (drift, live_auc,"
        " live_adverse_impact), business (live_selection_rate), process (days_in_service). One KPI of each will do.",
    ),
    "MO714": Explanation(
        "a model of another tier",
        "The template does not govern models of this risk tier (`tiers`), so the model's lifecycle could not be started"
        " on it.",
    ),
    "MO715": Explanation(
        "a waiver of what is never waived",
        "The policy pack says that nobody may do without this control for a while (`waivable: false`), soft as it is.",
    ),
    "MO716": Explanation(
        "a waiver that lasts too long",
        "The policy pack bounds how long a waiver may last (`waivers: {at_most: 90d}`), counted from the day on which"
        " the template is compiled.",
    ),
    "MO717": Explanation(
        "a waiver renewed too often",
        "The policy pack bounds how often a waiver may be renewed (`waivers: {renewals: 1}`). What is still missing"
        " after that has to be there.",
    ),
    "MO721": Explanation("unknown parent", "The template extends one that nobody has, or that cannot be read."),
    "MO722": Explanation(
        "looser than its parent",
        "A template that extends another one may add to it and tighten it, and take nothing away: fewer approvals, a"
        " wider bound, a longer wait, a way round a gate. Who relies on the parent relies on all of it.",
    ),
    "MO723": Explanation(
        "extends without end",
        "Templates extend one another in a circle, or more than eight deep: nobody could tell what holds.",
    ),
    "MO751": Explanation("a pack that ends before it begins", "The day `until` is not after the day `from`."),
    "MO752": Explanation("a control that asks nothing", "Every lifecycle would satisfy it, so it says nothing."),
    "MO753": Explanation(
        "hard without certainty",
        "A control whose author is not sure of the source (`confidence: low`) cannot stop anybody: make it soft or"
        " advisory.",
    ),
    "MO754": Explanation(
        "a control without a place",
        "A control that asks for a gate or for steps says before which environment or stage they must stand, and only"
        " such a control does. Before the END stand steps alone: nobody is asked in retirement.",
    ),
    "MO755": Explanation("`every` without monitors", "How often is about what is watched, and nothing is."),
    "MO756": Explanation(
        "a reading that nothing measures",
        "A control asks a gate to check, or a monitor to watch, what no step measures there: no lifecycle could satisfy"
        " it.",
    ),
    "MO757": Explanation(
        "a scale that does not rise",
        "A questionnaire's scale says from how many points each tier begins: low from 0, each further tier from more"
        " than the one below.",
    ),
    "MO758": Explanation(
        "a tier that no answers give",
        "The scale of a questionnaire names a tier that the sum of all points cannot come to, and that no answer gives"
        " by itself (`at_least`).",
    ),
    "MO759": Explanation(
        "a questionnaire for some tiers",
        "A pack that finds a model's tier cannot depend on it: neither its scope nor what contradicts an answer says"
        " anything about tiers.",
    ),
    "MO760": Explanation(
        "`waivable` about what cannot be waived",
        "Whether a control can be waived is a question about soft ones: hard ones never are, advice needs no waiver.",
    ),
}
