"""Every mistake that the compiler knows, as an edit of a built-in template, with the place that it must name."""

from dataclasses import dataclass
from pathlib import Path

from tests.unit.piping import PIPING
from tests.unit.trying import TRYING

TEMPLATES = Path(__file__).parents[2] / "workflows" / "templates"
CREDIT = (TEMPLATES / "credit-high-risk.yaml").read_text()

CALENDAR = "calendar: {zone: Europe/Berlin, workdays: [mon, tue, wed, thu, fri], holidays: [2026-12-25]}\n"
_MONITORS = CREDIT[CREDIT.index("monitors:") :]
_BRAKES = "    brakes: {cooldown: 7d, at_most: 3, per: 180d, otherwise: suspend}\n"
_VALIDATION = "then: {pass: staging, fail: development, inconclusive: validation}"
_STAGING = "then: {pass: production, fail: development, inconclusive: staging}"
_DEVELOPMENT = "then: {pass: validation, fail: development, inconclusive: development}"
_INTAKE = "then: {pass: development, fail: retiring, inconclusive: retiring}"
_DO = "do: [register, scan, evaluate, package, promote]"
_ASKS = """
    gate:
      question: May it?
      approvals: {risk: 1}
      sla: 5d
      escalate: [{after: 5d, to: risk}]
      on_timeout: hold
"""
_BACK = "    then: {pass: production, fail: retiring, inconclusive: suspended}\n"
_SEALING = "  sealing: {do: [archive], then: retired}\n"
_TRIAL = TRYING[
    TRYING.index("    trial:\n") : TRYING.index("    then: {pass: production, fail: development, inconclusive: el")
]
_STOP = "    do: [stop_serving, stop_monitors]\n"


@dataclass(frozen=True)
class Mistake:
    """An edit, the code that it must earn, where (the text that begins there), and what it earns besides."""

    code: str
    edits: tuple[tuple[str, str], ...]
    at: str
    besides: frozenset[str] = frozenset()
    base: str = CREDIT

    @property
    def text(self) -> str:
        """The text with the mistake."""
        text = self.base
        for old, new in self.edits:
            assert text.count(old) == 1, f"{text.count(old)} times in the text: {old}"
            text = text.replace(old, new)
        return text

    @property
    def place(self) -> tuple[int, int]:
        """Line and column that must be named; `|` in `at` says where in the snippet they are."""
        before, _, after = self.at.rpartition("|")
        assert self.text.count(before + after) == 1, f"{self.text.count(before + after)} times: {before + after}"
        lines = self.text[: self.text.index(before + after) + len(before)].split("\n")
        return len(lines), len(lines[-1]) + 1


def of(code: str, old: str, new: str, at: str, *besides: str) -> Mistake:
    """A mistake made by one edit."""
    return Mistake(code, ((old, new),), at, frozenset(besides))


def tried(code: str, old: str, new: str, at: str, *besides: str) -> Mistake:
    """A mistake in a template with a trial, made by one edit."""
    return Mistake(code, ((old, new),), at, frozenset(besides), TRYING)


def piped(code: str, old: str, new: str, at: str, *besides: str) -> Mistake:
    """A mistake in a template with a pipeline, made by one edit."""
    return Mistake(code, ((old, new),), at, frozenset(besides), PIPING)


def counted(code: str, old: str, new: str, at: str) -> Mistake:
    """A mistake in a template with a calendar, made by one edit."""
    text = CREDIT.replace("retention: 3653d", CALENDAR + "retention: 3653d")
    return Mistake(code, ((old, new),), at, base=text)


TEXT = [
    of("MO101", "title: Credit", 'title: "\\0"\n#', '|"\\0"'),
    of("MO102", "title: Credit", "# " + "x" * 300_000 + "\ntitle: Credit", "|# Decisions about credit that"),
    of("MO103", "title: Credit", "title: " + "[" * 40 + "\n#", "[" * 31 + "|" + "[" * 9),
    of("MO104", "tiers: [high, critical]", "tiers: [high, critical", "|roles:  "),
    of("MO105", "monitors:", "---\nmonitors:", "|---"),
    Mistake("MO106", ((CREDIT, "# nothing\n"),), "|# nothing"),
    of("MO107", "[owner, developer,", "[&o owner, developer,", "|&o"),
    of("MO108", "tiers: [high", "tiers: !!set [high", "|!!set"),
    of("MO109", "    every: 1d", "    <<: {}\n    every: 1d", "|<<"),
    of("MO110", "    every: 1d", "    every: 1d\n    every: 2d", "|every: 2d"),
    of("MO111", "    every: 1d", "    every: 1d\n    30: 2d", "|30: 2d"),
    of("MO112", "at_most: 3,", "at_most: 30000000000000000000,", "|30000000000000000000"),
]

SHAPE = [
    of("MO201", "    every: 1d", "    every: 1d\n    evry: 1d", "|evry"),
    of("MO202", "  retirement: retiring\n", "", "|enters:"),
    of("MO203", "steady: true", "steady: yes", "|yes"),
    of("MO203", "breach_after: 1", "breach_after: 3 of 2", "breach_after: |3 of 2"),
    of("MO203", "breach_after: 1", "breach_after: 2 of", "breach_after: |2 of"),
    of("MO204", "  legal: legal-ai", "  Legal: legal-ai", "|Legal:"),
    of("MO205", "every: 1d", "every: 1 day", "|1 day"),
    of("MO206", '">= 0.75"', '"at least 0.75"', '|"at least 0.75"'),
    of("MO207", "tiers: [high, critical]", "tiers: [hgh, critical]", "|hgh"),
    of("MO208", "legal: 1, product: 1", "legal: 0, product: 1", "legal: |0"),
    of("MO209", "tiers: [high, critical]", "tiers: [high, critical, high]", "critical, |high"),
    of("MO209", _DO, _DO[:-1] + ", scan]", "promote, |scan"),
    of("MO209", "      id: release\n", "      id: development\n", "|development\n      satisfies: [data"),
    of("MO209", "retention: 3653d", "editors: [ana, ana]\nretention: 3653d", "[ana, |ana]"),
    of("MO209", "remind: [3d, 7d]", "remind: [3d, 3d]", "[3d, |3d]"),
    of("MO209", "checks: [adverse_impact]\n", "checks: [auc, auc]\n", "[auc, |auc]"),
    of("MO210", "do: [evaluate]", "do: [{run: evaluate, id: ask-1}]", "|ask-1"),
    of("MO211", "pass: staging", "pass: stagin", "|stagin,"),
    of("MO211", "suspension: suspended", "suspension: suspend", "suspension: |suspend\n"),
    of("MO212", "legal: 1, product: 1", "lawyers: 1, product: 1", "|lawyers", "MO410"),
    of("MO212", "[{after: 10d, to: risk}]", "[{after: 10d, to: risks}]", "|risks"),
    of("MO212", "    to: risk\n", "    to: riskk\n", "|riskk"),
    of("MO213", "checks: [auc, calibration_error", "checks: [acu, calibration_error", "|acu"),
    of("MO213", "[drift, live_auc,", "[drft, live_auc,", "|drft", "MO606"),
]

GRAPH = [
    of("MO301", "  retired: {term", "  lost: {do: [classify], then: retiring}\n  retired: {term", "|lost:"),
    Mistake(
        "MO302",
        (("  retired: {terminal: true}\n", ""), ("    then: retired\n", "")),
        "|stages:  ",
        frozenset({"MO305", "MO307"}),
    ),
    of("MO303", "retired: {terminal: true}", "retired: {do: [archive], terminal: true}", "|retired: {do"),
    of("MO304", _INTAKE, _INTAKE.replace("fail: retiring", "fail: retired"), "fail: |retired, inc"),
    Mistake(
        "MO304",
        (
            (" undeploy, archive]\n    then: retired\n", " undeploy]\n    then: sealing\n" + _SEALING),
            (_VALIDATION, _VALIDATION.replace("fail: development", "fail: sealing")),
        ),
        "fail: |sealing",
    ),
    of("MO305", "    then: retired\n", "", "|retiring:\n", "MO301", "MO307"),
    of("MO305", _STAGING, "", "|staging:  ", "MO301", "MO307", "MO407"),
    of(
        "MO306",
        _STAGING,
        _STAGING.replace("production", "validation"),
        "pass: |validation, fail: development, inconclusive: staging",
        "MO301",
        "MO307",
    ),
    of("MO306", "    then: retired\n", "    then: retiring\n", "then: |retiring\n", "MO301", "MO305", "MO307"),
    of("MO307", _INTAKE, "then: retiring", "new_version: |development", "MO507"),
    of("MO307", _STAGING, _STAGING.replace("production", "suspended"), "|suspended:  ", "MO301"),
    of("MO308", "new_version: development", "new_version: production", "new_version: |production"),
    of("MO308", "retirement: retiring", "retirement: intake", "retirement: |intake"),
    of("MO308", "suspension: suspended", "suspension: production", "suspension: |production"),
    of(
        "MO309",
        _STAGING,
        _STAGING.replace("inconclusive: staging", "inconclusive: production"),
        "inconclusive: |production",
    ),
    of("MO309", _VALIDATION, _VALIDATION.replace("fail: development", "fail: staging"), "fail: |staging", "MO311"),
    of(
        "MO310",
        _VALIDATION,
        _VALIDATION.replace("inconclusive: validation", "inconclusive: production"),
        "inconclusive: |production",
    ),
    of("MO311", _STAGING, _STAGING.replace("fail: development", "fail: validation"), "fail: |validation"),
    of("MO311", _STAGING, _STAGING.replace("fail: development", "fail: intake"), "fail: |intake"),
    of(
        "MO311",
        _STOP,
        _STOP[:-1] + _ASKS + _BACK.replace("retiring", "development"),
        "|development, inconclusive: susp",
    ),
    of("MO311", _STOP, _STOP[:-1] + _ASKS + _BACK.replace("retiring", "intake"), "fail: |intake"),
    of("MO311", _STOP, _STOP[:-1] + _ASKS + _BACK.replace("retiring", "production"), "fail: |production", "MO309"),
    of("MO312", _INTAKE, _INTAKE.replace("fail: retiring", "fail: intake"), "fail: |intake"),
    of("MO313", _STOP, "    do: [notify_consumers]\n", "|suspended:  "),
    of("MO313", _STOP, "    environment: TEST\n" + _STOP, "|suspended:  "),
    of("MO313", _STOP, _STOP + "    then: production\n", "then: |production\n"),
    of("MO313", _STOP, _STOP[:-1] + _ASKS + _BACK.replace("production", "staging"), "pass: |staging, fail: retiring"),
    of("MO321", "    steady: true\n", "", "|stages:  ", "MO602"),
    of("MO321", "    do: [evaluate]\n", "    do: [evaluate]\n    steady: true\n", "|steady: true\n\n  suspended"),
    of("MO322", "do: [promote, monitor]", "do: [monitor]", "|production:  "),
    of("MO322", "    environment: PROD\n", "", "|production:  "),
    of("MO322", "    environment: PROD\n", "    environment: DEV\n", "|production:  ", "MO508"),
    of("MO323", "    steady: true\n", "    steady: true\n    then: retiring\n", "|then: retiring\n", "MO307"),
    of("MO323", "    steady: true\n", "    steady: true\n    gate: {checks: [auc]}\n", "|gate: {checks: [auc]}"),
]

GATES = [
    of("MO207", "on_timeout: hold               #", "on_timeout: approve #", "|approve #"),
    of(
        "MO401",
        "gate: {satisfies: [clean-artifact], checks: [threats, vulnerabilities, secrets, "
        "auc, adverse_impact, parity_difference]}",
        "gate: {}",
        "|gate: {}",
        "MO606",
    ),
    of(
        "MO402",
        "      question: Is the model fit for its intended use, and are its limits understood?\n",
        "",
        "|gate:\n      id: indep",
    ),
    of("MO403", "      sla: 10d\n", "", "|gate:\n      id: indep"),
    of(
        "MO404",
        "      on_timeout: hold               # silence is never consent: it waits, and risk is told\n",
        "",
        "|gate:\n      id: indep",
    ),
    of("MO405", "      escalate: [{after: 10d, to: risk}]\n", "", "|gate:\n      id: indep"),
    of("MO406", "remind: [3d, 7d]", "remind: [3d, 10d]", "[3d, |10d]"),
    Mistake(
        "MO406",
        (("[{after: 10d, to: risk}]\n      on_timeout: hold", "[{after: 11d, to: risk}]\n      on_timeout: reject"),),
        "|11d",
    ),
    of("MO407", _VALIDATION, _VALIDATION.replace(", inconclusive: validation", ""), "|then: {pass: staging"),
    of("MO407", _VALIDATION, "then: staging", "|then: staging"),
    of("MO408", "    do: [classify]\n", "    do: [classify]" + _ASKS, "|gate:\n      question: May it"),
    of("MO409", "checks: [threats", "sla: 5d, checks: [threats", "|sla: 5d, checks"),
    of("MO409", "checks: [threats", "authentication: gateway, checks: [threats", "|authentication: gateway, checks"),
    of("MO409", "checks: [threats", "approvals_lapse: 1d, checks: [threats", "|approvals_lapse: 1d"),
    of("MO205", "      id: release\n", "      id: release\n      approvals_lapse: 5\n", "approvals_lapse: |5"),
    of("MO412", "remind: [3d, 7d]", "remind: [3d, 7bd]", "[3d, |7bd]", "MO406"),
    of("MO412", "[{after: 10d, to: risk}]", "[{after: 10bd, to: risk}]", "after: |10bd"),
    of("MO412", "      id: release\n", "      id: release\n      approvals_lapse: 5bd\n", "approvals_lapse: |5bd"),
    of("MO205", "remind: [3d, 7d]", "remind: [3d, 0bd]", "[3d, |0bd]"),
    counted("MO406", "remind: [3d, 7d]", "remind: [3d, 9bd]", "[3d, |9bd]"),
    counted("MO406", "sla: 10d", "sla: 7bd", "[3d, |7d]"),
    counted("MO205", "every: 1d", "every: 1bd", "every: |1bd"),
    counted("MO203", "Europe/Berlin", "Europe", "zone: |Europe"),
    counted("MO203", "holidays:", "hours: [17, 9], holidays:", "hours: |[17, 9]"),
    counted("MO203", "[2026-12-25]", "[2026-12-32]", "[|2026-12-32]"),
    counted("MO207", "workdays: [mon,", "workdays: [monday,", "[|monday"),
    counted("MO208", "holidays:", "hours: [9, 25], holidays:", "9, |25]"),
    counted("MO209", "workdays: [mon,", "workdays: [mon, tue,", "mon, tue, |tue"),
    counted("MO209", "[2026-12-25]", "[2026-12-25, 2026-12-25]", "25, |2026-12-25]"),
    of("MO411", "      id: release\n", "      id: release\n      authentication: gateway\n", "|gateway"),
    of("MO207", "      id: release\n", "      id: release\n      authentication: password\n", "|password"),
    of("MO410", "  risk: model-risk\n", "  risk: model-risk\n  security: appsec\n", "|security:"),
]

STEPS = [
    of("MO501", "do: [classify]", "do: [classify, evaluate]", "|evaluate]\n    then: {pass: development"),
    of("MO501", _STOP, "    do: [stop_serving, evaluate, stop_monitors]\n", "stop_serving, |evaluate"),
    of("MO502", "do: [evaluate]", "do: [undeploy, evaluate]", "[|undeploy, evaluate"),
    of("MO502", "do: [evaluate]", "do: [register, evaluate]", "[|register, evaluate"),
    of("MO502", "do: [promote, monitor]", "do: [monitor, promote]", "[|monitor, promote]"),
    of(
        "MO502",
        "do: [promote, monitor]",
        "do: [promote, {run: promote, id: twice}, monitor]",
        "|{run: promote, id: twice",
    ),
    of("MO502", "do: [promote, monitor]", "do: [promote, monitor, package]", "[promote, monitor, |package]"),
    of("MO503", "    environment: TEST\n", "", "[|promote]\n    gate:"),
    of("MO504", _DO, _DO.replace("package, promote", "promote, package"), "evaluate, |promote"),
    of("MO504", _DO, _DO.replace("scan, evaluate", "evaluate, scan"), "register, |evaluate"),
    of("MO504", _DO, "do: [register, evaluate]", "register, |evaluate", "MO505"),
    of("MO505", "checks: [adverse_impact]\n", "checks: [drift]\n", "checks: [|drift]"),
    of("MO505", _DO, _DO.replace(" evaluate,", ""), "secrets, |auc, adverse_impact, parity_difference]"),
    of("MO506", ", undeploy, archive]", ", archive]", "retirement: |retiring"),
    of("MO506", "consumers, stop_monitors, undeploy", "consumers, undeploy", "retirement: |retiring"),
    of("MO507", "    do: [classify]\n", "", "|tiers:"),
    of("MO508", "    environment: TEST\n", "    environment: PROD\n", "[|promote]\n    gate:"),
]

MONITORS = [
    of("MO601", 'fail: "< 0.70", at_least: 300}   ', 'fail: "< 0.80", at_least: 300}   ', '|"< 0.80", at_least: 300'),
    of("MO602", "do: [promote, monitor]", "do: [promote]", "|monitors:"),
    Mistake("MO602", ((_MONITORS, ""),), "promote, |monitor]", frozenset({"MO606"})),
    of("MO603", "[drift, live_auc,", "[drift, live_auc, auc,", "live_auc, |auc"),
    of("MO604", "  suspension: suspended\n", "", "otherwise: |suspend}", "MO301", "MO305", "MO502"),
    Mistake(
        "MO604",
        (
            ("  suspension: suspended\n", ""),
            (" retrain\n" + _BRAKES, " suspend\n" + _BRAKES.replace("otherwise: suspend", "otherwise: escalate")),
        ),
        "then: |suspend\n",
        frozenset({"MO301", "MO305", "MO502"}),
    ),
    of("MO605", _BRAKES, "", "|drift:  "),
    of("MO607", 'fail: "< 0.65"', 'fail: "< 0"', 'fail: |"< 0",'),
    of("MO607", 'fail: "> 0.25"', 'fail: "> 20"', 'fail: |"> 20"'),
    of("MO607", 'fail: "> 365"', 'fail: "> 1e9"', 'fail: |"> 1e9"'),
    of("MO607", 'fail: "> 365"', 'fail: "> 365", at_least: 2', "at_least: |2"),
    of("MO610", "then: retrain", "then: tighten", "|drift:  "),
    of("MO610", "then: retrain", "then: retrain\n    tightened: 6h", "tightened: |6h"),
    of("MO610", "then: retrain", "then: tighten\n    tightened: 1d", "tightened: |1d"),
    Mistake(
        "MO610",
        (("then: retrain", "then: tighten\n    tightened: 6h"), ("cooldown: 7d", "cooldown: 1h")),
        "tightened: |6h",
    ),
    of("MO608", 'fail: "> 365"', 'fail: "> 365", metric: age', "metric: |age"),
    of("MO606", "enters:\n", "  spare: {pass: '> 1', fail: '< 1'}\n\nenters:\n", "|spare"),
]

TRIALS = [
    tried("MO509", "    do: [trial]\n", "    do: []\n", "|trial:\n", "MO310"),
    tried("MO509", "do: [trial]", "do: [trial, {run: trial, id: again}]", "|{run: trial, id: again}"),
    tried("MO509", "do: [promote, monitor]", "do: [trial, promote, monitor]", "[|trial, promote"),
    tried("MO509", _TRIAL, "", "do: [|trial]", "MO606"),
    tried("MO509", "do: [promote, monitor]\n", f"do: [trial, promote, monitor]\n{_TRIAL}", "do: [|trial, promote"),
    tried("MO310", "do: [trial]", "do: [evaluate, trial]", "inconclusive: |election}\n  election"),
    tried("MO509", "    environment: PROD\n    do: [trial]", "    environment: TEST\n    do: [trial]", "[|trial]"),
    tried("MO510", "accuracy: {not", "accurcy: {not", "measures: {accurcy: |{not"),
    tried("MO510", "not_worse_by: 0.05}", "not_worse_by: 0.05, better_by: 0.1}", "{|accuracy"),
    tried("MO510", "{accuracy: {not_worse_by: 0.05}}", "{accuracy: {}}", "{|accuracy"),
    tried("MO510", "checks: [trial_errors]", "checks: [trial_errors, auc]", "trial_errors, |auc"),
    tried("MO511", "shares: [10, 50]", "shares: [50, 10]", "shares: |[50"),
    tried("MO511", "longest: 1h", "longest: 3s", "longest: |3s"),
    tried("MO511", "every: 1s", "every: 2s", "every: |2s"),
]

PIPELINES = [
    piped("MO209", "[evasions, robustness]", "[evasions, evasions]", "[evasions, |evasions]"),
    piped("MO501", "do: [classify]", "do: [classify, {run: pipeline, in: a, readings: [b]}]", "[classify, |{run"),
    piped(
        "MO504",
        "[register, scan, package]",
        "[register, {run: pipeline, in: a, readings: [b]}, scan, package]",
        "[register, |{run",
    ),
    piped("MO505", ", checks: [threats]}", ", checks: [threats, evasions]}", "[threats, |evasions]"),
    piped("MO505", "[evasions, robustness]", "[robustness]", "checks: [|evasions]"),
    piped("MO512", "in: red-team, ", "", "do: [|{run: pipeline", "MO505"),
    piped("MO512", "readings: [evasions, robustness], ", "", "do: [|{run: pipeline", "MO505"),
    piped("MO512", "do: [register, scan,", "do: [register, {run: scan, in: red-team},", "scan, |in: red-team"),
    piped(
        "MO512", "do: [register, scan,", "do: [register, {run: scan, readings: [threats]},", "scan, |readings", "MO513"
    ),
    piped("MO513", "[evasions, robustness]", "[evasions, threats]", "[evasions, |threats]"),
    piped("MO513", "at_least: 50}", "at_least: 50, metric: evasions}", "readings: [|evasions"),
    piped(
        "MO513",
        "    do: [{run",
        "    do: [{run: pipeline, id: b, in: other, readings: [evasions]}, {run",
        "red-team, readings: [|evasions",
    ),
]

MISTAKES = [*TEXT, *SHAPE, *GRAPH, *GATES, *STEPS, *MONITORS, *TRIALS, *PIPELINES]
