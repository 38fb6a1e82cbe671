"""Small templates with everything in them that a kernel can get wrong."""

from datetime import date

from models.compiler import compile_template
from models.plan import Plan
from models.policy import Policy, load_pack

SMALL = """
lifecycle: small
version: 1.0.0
title: Two gates, and a suspension that people end
tiers: [medium]
roles: {risk: model-risk, legal: legal-ai}
editors: [edith]
kpis: {threats: {pass: "== 0", fail: "> 0"}, drift: {pass: "<= 0.1", fail: "> 0.25"}}
enters: {new_version: development, retirement: retiring, suspension: suspended}
stages:
  intake: {do: [classify], then: {pass: development, fail: retiring, inconclusive: retiring}}
  development: {do: [register, scan, package], gate: {checks: [threats]},
                then: {pass: staging, fail: development, inconclusive: development}}
  staging:
    environment: TEST
    do: [scan, promote]
    gate: {id: release, question: "Is it fit?", checks: [threats], approvals: {risk: 1, legal: 1}, sla: 5d,
           remind: [1d], escalate: [{after: 5d, to: risk}], on_timeout: hold, approvals_lapse: 3d}
    then: {pass: production, fail: development, inconclusive: staging}
  production: {environment: PROD, do: [promote, monitor], steady: true}
  suspended:
    do: [stop_serving, stop_monitors]
    gate: {id: reinstatement, question: "May it serve again?", approvals: {risk: 2}, sla: 5d,
           escalate: [{after: 5d, to: risk}], on_timeout: hold}
    then: {pass: production, fail: retiring, inconclusive: suspended}
  retiring: {do: [stop_monitors, undeploy, archive], then: retired}
  retired: {terminal: true}
monitors:
  drift: {checks: [drift], every: 1d, then: suspend,
          brakes: {cooldown: 1d, at_most: 3, per: 30d, otherwise: escalate}, to: risk}
"""
REMEDIES = (
    SMALL[: SMALL.index("monitors:")]
    + """monitors:
  drift: {checks: [drift], every: 1d, breach_after: 2 of 3, then: retrain,
          brakes: {cooldown: 7d, at_most: 2, per: 30d, otherwise: suspend}, to: risk}
  worse: {checks: [drift], every: 1h, then: rollback,
          brakes: {cooldown: 1d, at_most: 3, per: 30d, otherwise: escalate}, to: risk}
  near: {checks: [drift], every: 1d, then: tighten, tightened: 2h,
         brakes: {cooldown: 2d, at_most: 3, per: 30d, otherwise: suspend}, to: risk}
  odd: {checks: [drift], every: 1h, then: investigate,
        brakes: {cooldown: 1d, at_most: 3, per: 30d, otherwise: escalate}}
"""
)
"""A monitor for each remedy that is no last resort."""
TRIED = """
lifecycle: trying
version: 1.0.0
title: A challenger is tried, and people decide what the figures leave open
tiers: [low]
roles: {risk: model-risk}
kpis: {threats: {pass: "== 0", fail: "> 0"}, trial_errors: {pass: "<= 0.01", fail: "> 0.05"}}
enters: {new_version: development, retirement: retiring}
stages:
  intake: {do: [classify], then: {pass: development, fail: retiring, inconclusive: retiring}}
  development: {do: [register, scan, package], gate: {satisfies: [clean-artifact], checks: [threats]},
                then: {pass: challenge, fail: development, inconclusive: development}}
  challenge:
    environment: PROD
    do: [trial]
    trial: {shares: [10, 50], hold: 1d, every: 1h, longest: 7d, at_least: 100, error_rate: 0.05,
            measures: {errors: {not_worse_by: 0.01}}, checks: [trial_errors]}
    then: {pass: production, fail: development, inconclusive: election}
  election:
    gate: {id: election, question: "Shall it take over?", approvals: {risk: 1}, sla: 5d,
           escalate: [{after: 5d, to: risk}], on_timeout: hold}
    then: {pass: production, fail: development, inconclusive: election}
  production: {environment: PROD, do: [promote], steady: true}
  retiring: {do: [undeploy, archive], then: retired}
  retired: {terminal: true}
"""
_ASKING = TRIED[TRIED.index("  election:") : TRIED.index("  production:")]
TRIED_AGAIN = TRIED.replace(_ASKING, "").replace("election}", "challenge}").replace("roles: {risk: model-risk}\n", "")
"""A trial without a result may begin anew; whoever looks at it asks for that."""
HOUSE = """
pack: house
version: 1
title: Standard of the house
authority: The house
effective: {from: 2026-01-01}
waivers: {at_most: 90d, renewals: 1}
controls:
  two-of-risk:
    title: Two of risk have looked at it.
    reference: Standard 1
    confidence: high
    severity: soft
    before: PROD
    gate: {approvals: {risk: 2}}
  kept:
    title: Records are kept.
    reference: Standard 2
    confidence: high
    severity: soft
    retention: 365d
"""
WAIVERS = """
waivers:
  two-of-risk: {owner: rosa, reason: Risk is one person for now., until: 2026-03-31}
  kept: {owner: olga, reason: The archive is being built., until: 2026-02-28, renewals: 1}
"""
"""What a template does without that is held to the standard of the house from the start of 2026."""

REJECTING = SMALL.replace("on_timeout: hold", "on_timeout: reject", 1)


def waiving(text: str, waivers: str = WAIVERS) -> Plan:
    """The plan of a template that does without what the house asks, compiled on the second of January 2026."""
    house = Policy((load_pack(HOUSE, "house.yaml"),), date(2026, 1, 2))
    text = text.replace("satisfies: [clean-artifact], ", "")
    given = f"policies: [house]\n{waivers}enters:"
    return compile_template(text.replace("enters:", given, 1), "waiving.yaml", house)
