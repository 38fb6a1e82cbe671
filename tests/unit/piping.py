"""The built-in template for low risk, with a pipeline that looks at each version before it is promoted."""

from pathlib import Path

_LOW = (Path(__file__).parents[2] / "workflows" / "templates" / "low-risk.yaml").read_text()
_STAGES = """
  outside:
    do: [{run: pipeline, in: red-team, readings: [evasions, robustness], timeout: 2h}]
    gate: {checks: [evasions]}
    then: {pass: staging, fail: development, inconclusive: outside}
"""

PIPING = (
    _LOW.replace("{pass: staging, fail", "{pass: outside, fail")
    .replace(
        'kpis: {threats: {pass: "== 0", fail: "> 0"}}',
        """kpis:
  threats: {pass: "== 0", fail: "> 0"}
  evasions: {pass: "<= 2", fail: "> 5", at_least: 50}""",
    )
    .replace("  staging:", _STAGES.lstrip("\n") + "  staging:")
)
