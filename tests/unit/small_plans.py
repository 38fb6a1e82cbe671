"""Small templates with everything in them that a kernel can get wrong."""

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
REJECTING = SMALL.replace("on_timeout: hold", "on_timeout: reject", 1)
