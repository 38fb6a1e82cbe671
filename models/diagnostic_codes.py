"""Every code that a template can earn, with one paragraph each. Codes are contracts: never renumbered, only added.

MO1xx the text, MO2xx shapes and names, MO3xx the graph, MO4xx gates and people, MO5xx steps, MO6xx KPIs and monitors,
MO7xx policy.
"""

from models import policy_codes, work_codes
from models.explanation import Explanation

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
        " Before there is a version it may lead to retirement. A trial without a result may lead to a gate that asks"
        " people: they decide what it did not.",
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
    **work_codes.EXPLANATIONS,
    **policy_codes.EXPLANATIONS,
}
