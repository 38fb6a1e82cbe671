"""The codes about policy: MO7xx."""

from models.explanation import Explanation

EXPLANATIONS = {
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
        "A policy pack demands that what serves is watched in more than one way: technical, such as drift;"
        " business, such as live_selection_rate; process, such as days_in_service. One KPI of each will do.",
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
