"""Built-in templates with a trial of a few seconds before a challenger takes over: one asks people, one nobody, and
one is watched besides.
"""

from pathlib import Path

_TEMPLATES = Path(__file__).parents[2] / "workflows" / "templates"
_CREDIT = (_TEMPLATES / "credit-high-risk.yaml").read_text()
_LOW = (_TEMPLATES / "low-risk.yaml").read_text()
_STAGES = """
  challenge:
    environment: PROD
    do: [trial]
    trial:
      shadow: 1s
      shares: [10, 50]
      hold: 1s
      every: 1s
      longest: 1h
      at_least: 100
      error_rate: 0.05
      measures: {accuracy: {not_worse_by: 0.05}}
      checks: [trial_errors]
    then: {pass: production, fail: development, inconclusive: election}
  election:
    gate:
      question: Shall it take over?
      approvals: {risk: 1}
      sla: 1d
      escalate: [{after: 1d, to: risk}]
      on_timeout: hold
    then: {pass: production, fail: development, inconclusive: election}
"""
_KPI = '  trial_errors: {pass: "<= 0.01", fail: "> 0.05", at_least: 10}\n'
_STAGING = "then: {pass: production, fail: development, inconclusive: staging}"

TRYING = _CREDIT.replace(_STAGING, _STAGING.replace("production", "challenge") + _STAGES).replace(
    "kpis:\n", "kpis:\n" + _KPI
)

SHADOW = "shadow: 1s"
_TESTED = "then: {pass: production, fail: development, inconclusive: staging}}"
_CHALLENGE = f"""
  challenge:
    environment: PROD
    do: [trial]
    trial:
      {SHADOW}
      shares: [50]
      hold: 1s
      every: 1s
      longest: 1h
      at_least: 100
      error_rate: 0.05
      measures: {{accuracy: {{not_worse_by: 0.05}}}}
      checks: [trial_errors]
    then: {{pass: production, fail: development, inconclusive: development}}"""

ALONE = _LOW.replace(_TESTED, _TESTED.replace("production", "challenge") + _CHALLENGE).replace(
    "kpis: {", 'kpis: {trial_errors: {pass: "<= 0.01", fail: "> 0.05", at_least: 10}, '
)
"""Nobody is asked anything."""

_DRIFT = 'drift: {pass: "<= 0.1", fail: "> 0.2", at_least: 100}, '
_MONITOR = """\
  suspended: {do: [stop_serving, stop_monitors]}
monitors:
  drift:
    checks: [drift]
    every: 1h
    breach_after: 2
    then: retrain
    brakes: {cooldown: 7d, at_most: 1, per: 30d, otherwise: escalate}
"""

WATCHED = (
    ALONE.replace("retirement: retiring}", "retirement: retiring, suspension: suspended}")
    .replace("do: [promote], steady", "do: [promote, monitor], steady")
    .replace("undeploy, archive]", "stop_monitors, undeploy, archive]")
    .replace("kpis: {", "kpis: {" + _DRIFT)
) + _MONITOR
"""Nobody is asked anything, and two windows in a row that drifted start what is the monitor's remedy."""
