"""Every mistake about policy: edits of a template that is held to packs, and edits of a pack."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from client.documents import read_facts
from models.compiler import compile_with_warnings
from models.diagnostics import Diagnostic
from models.errors import TemplateError
from models.policy import Policy, load_pack
from tests.unit.template_mistakes import CREDIT, Mistake
from worker.policies import built_in_packs

LATER = date(2028, 1, 1)
"""A day on which every built-in pack about the loan model holds."""

LOAN_FILE = Path(__file__).parents[2] / "examples" / "loan_approval" / "model.yaml"
LOAN = read_facts(LOAN_FILE, Policy(built_in_packs(), LATER))

BANK = """\
pack: bank
version: 7
title: Standard of the bank
authority: The bank
effective: {from: 2026-01-01, until: 2030-01-01}
controls:
  four-eyes:
    title: Risk has looked at a version before it runs anywhere near production.
    reference: Standard 1
    confidence: low
    severity: soft
    before: TEST
    gate: {approvals: {risk: 1}, checks: {auc: ">= 0.75"}, evidence: [evaluate]}
  measured:
    title: A version is measured before it runs in DEV.
    reference: Standard 2
    confidence: high
    severity: hard
    before: DEV
    steps: [evaluate]
  watched:
    title: What serves is watched.
    reference: Standard 3
    confidence: high
    severity: hard
    monitors: [drift, live_auc]
    every: 1d
  rounded:
    title: What serves is watched in what it brings and in how it is kept.
    reference: Standard 6
    confidence: high
    severity: hard
    dimensions: [business, process]
    every: 7d
  seen:
    title: What serves is looked at anew.
    reference: Standard 4
    confidence: high
    severity: hard
    review: 90d
  impartial:
    title: Nobody approves what they handed in.
    reference: Standard 5
    confidence: high
    severity: hard
    separation: [submitter]
"""
HELD = CREDIT.replace("satisfies: [independent-", "satisfies: [four-eyes, independent-")


@dataclass(frozen=True)
class PolicyMistake(Mistake):
    """A mistake in a template that is held to the bank's pack and to the built-in ones."""

    base: str = HELD
    pack: str = BANK

    @property
    def policy(self) -> Policy:
        """The loan model under every pack; that of ISO would add a warning to each mistake."""
        built_in = [pack for pack in built_in_packs() if pack.pack != "iso-42001"]
        return Policy((*built_in, load_pack(self.pack, "bank.yaml")), LATER, LOAN)

    def found(self) -> tuple[Diagnostic, ...]:
        """Everything that is said of the template, whether it compiles or not."""
        try:
            return compile_with_warnings(self.text, "t.yaml", self.policy).warnings
        except TemplateError as error:
            return error.diagnostics


@dataclass(frozen=True)
class PackMistake(Mistake):
    """A mistake in the bank's pack."""

    base: str = BANK

    def found(self) -> tuple[Diagnostic, ...]:
        """Everything that is said of the pack."""
        try:
            load_pack(self.text, "bank.yaml")
        except TemplateError as error:
            return error.diagnostics
        return ()


def held(code: str, at: str, *edits: tuple[str, str], besides: str = "") -> PolicyMistake:
    """A mistake in a template."""
    return PolicyMistake(code, edits, at, frozenset(besides.split()))


def asked(scale: str) -> str:
    """A questionnaire that gives two points at most, and high by itself, before the controls."""
    answers = "{no: {means: It cannot., points: 0}, yes: {means: It can., points: 2, at_least: high}}"
    question = f"{{asks: Can it do harm?, reference: Standard 6, answers: {answers}}}"
    return f"tiering:\n  scale: {scale}\n  questions: {{harm: {question}}}\ncontrols:"


def packed(code: str, old: str, new: str, at: str) -> PackMistake:
    """A mistake in a pack, made by one edit."""
    return PackMistake(code, ((old, new),), at)


def waived(name: str, until: str = "2029-01-01", renewals: int = 0) -> tuple[str, str]:
    """The edit that adds a waiver."""
    waiver = f"waivers: {{{name}: {{owner: rosa, reason: It is built., until: {until}, renewals: {renewals}}}}}\n"
    return "retention: 3653d ", waiver + "retention: 3653d "


_UNEYED = ("satisfies: [four-eyes, ", "satisfies: [")
_DUTIES = ("[owner, developer, submitter, trainer, editor]", "[owner, developer, trainer, editor]")
_EVALUATED_LATE = ("scan, evaluate, package, promote]", "scan, package, promote, evaluate]")
_COUNCIL = (
    ("satisfies: [data-protection-impact, ", "satisfies: [four-eyes, data-protection-impact, "),
    ("checks: [adverse_impact]\n", "checks: [adverse_impact, auc]\n"),
    ("{legal: 1, product: 1}", "{legal: 1, product: 1, risk: 1}"),
)

_NEVER = BANK.replace("    severity: soft\n", "    severity: soft\n    waivable: false\n")
_BOUNDED = BANK.replace("controls:\n", "waivers: {at_most: 60d, renewals: 1}\ncontrols:\n")

_SELDOM = "    every: 8d\n    then: escalate\n    to: data"

HELD_MISTAKES = [
    held("MO701", "impact, fundamental-rights, |change-approval", ("{legal: 1, product: 1}", "{legal: 1}")),
    held(
        "MO701",
        "satisfies: [four-eyes, independent-validation, |effective-challenge",
        ("model-risk", "credit-data-science-leads"),
    ),
    held("MO701", "satisfies: [|four-eyes", ('auc: {pass: ">= 0.75", fail', 'auc: {pass: ">= 0.74", fail')),
    held(
        "MO701", "go-no-go,\n                  |tested,", (", calibration_error, adverse", ", adverse"), besides="MO606"
    ),
    held(
        "MO701",
        "{satisfies: [|clean-artifact",
        ('threats: {pass: "== 0", fail: "> 0"}', 'threats: {pass: "<= 1", fail: "> 1"}'),
    ),
    held("MO702", "|staging:  ", _UNEYED),
    held("MO702", "|production:  ", (", fundamental-rights", "")),
    held("MO702", "|production:  ", (", oversight-in-use, signed-decisions]", ", oversight-in-use]")),
    held("MO703", "|staging:  ", _UNEYED, *_COUNCIL),
    held("MO704", "fairness, |fairnes]", ("accuracy, fairness]", "accuracy, fairness, fairnes]")),
    held("MO705", "|bnk]", ("retention: 3653d ", "policies: [bnk]\nretention: 3653d ")),
    held("MO706", "|development:  ", _EVALUATED_LATE),
    held("MO706", "|retired: {term", (", undeploy, archive]", ", undeploy]")),
    held("MO707", "every: |2d", ("    every: 1d", "    every: 2d")),
    held("MO707", "|monitors:\n", ("live_auc, live_adverse_impact]", "live_auc]"), besides="MO606"),
    held("MO708", "retention: |3652d", ("retention: 3653d ", "retention: 3652d ")),
    held("MO708", "|lifecycle: ", ("retention: 3653d ", "# ")),
    held("MO709", "review: |{every: 91d", ("review: {every: 90d", "review: {every: 91d")),
    held("MO709", "|lifecycle: ", ("review: {every: 90d", "# {every: 90d")),
    held("MO710", "waivers: {|clean-artifact", waived("clean-artifact")),
    held("MO710", "waivers: {|for-eyes", waived("for-eyes")),
    held("MO710", "until: |2028-01-01", waived("four-eyes", until="2028-01-01")),
    held("MO711", "[|us-sr-11-7]", ("retention: 3653d ", "policies: [us-sr-11-7]\nretention: 3653d ")),
    held("MO712", "|separation_of_duties", _DUTIES),
    held("MO713", "|monitors:\n", ("checks: [live_selection_rate]", "checks: [drift]"), besides="MO606"),
    held("MO713", "every: |8d", ("    every: 7d\n    then: escalate\n    to: data", _SELDOM)),
]
HELD_MISTAKES += [
    replace(held("MO702", "|stages:  "), pack=BANK.replace("before: DEV", "before: board")),
    replace(held("MO703", "|retiring:"), pack=BANK.replace("before: TEST", "before: retiring")),
]

PACK_MISTAKES = [
    packed("MO751", "until: 2030-01-01", "until: 2026-01-01", "until: |2026-01-01"),
    packed("MO752", "    review: 90d\n", "", "|seen:"),
    packed("MO752", '{approvals: {risk: 1}, checks: {auc: ">= 0.75"}, evidence: [evaluate]}', "{}", "|four-eyes:"),
    packed("MO753", "    severity: soft\n", "    severity: hard\n", "severity: |hard\n    before: TEST"),
    packed("MO754", "    before: DEV\n", "", "|measured:"),
    packed("MO754", "    review: 90d\n", "    review: 90d\n    before: PROD\n", "|before: PROD"),
    packed("MO754", "before: TEST", "before: END", "|gate: "),
    packed("MO755", "    review: 90d\n", "    review: 90d\n    every: 30d\n", "|every: 30d"),
    packed("MO756", "checks: {auc: ", "checks: {acu: ", "{|acu: "),
    packed("MO756", 'checks: {auc: ">= 0.75"}', "checks: [live_auc]", "checks: [|live_auc]"),
    packed("MO756", "[drift, live_auc]", "[drift, auc]", "drift, |auc]"),
    packed("MO757", "controls:", asked("{low: 1, medium: 2}"), "scale: |{low: 1"),
    packed("MO757", "controls:", asked("{low: 0, high: 2, medium: 2}"), "scale: |{low: 0"),
    packed("MO757", "controls:", asked("{medium: 0}"), "scale: |{medium: 0"),
    packed("MO758", "controls:", asked("{low: 0, medium: 3}"), "medium: |3}"),
    packed("MO759", "controls:", "applies: {tiers: [high]}\n" + asked("{low: 0, medium: 2}"), "{|tiers: [high]}"),
    packed(
        "MO759",
        "controls:",
        asked("{low: 0, medium: 2}").replace("points: 0}", "points: 0, contradicts: {tiers: [low]}}"),
        "contradicts: {|tiers: [low]}",
    ),
    packed("MO760", "    every: 1d\n", "    every: 1d\n    waivable: false\n", "|waivable: false"),
    packed("MO201", "    every: 1d\n", "    evry: 1d\n", "|evry"),
    packed("MO205", "controls:\n", "waivers: {at_most: 60}\ncontrols:\n", "at_most: |60"),
    packed("MO202", "authority: The bank\n", "", "|pack: bank"),
    packed("MO203", "{from: 2026-01-01,", "{from: 1.1.2026,", "from: |1.1.2026"),
    packed("MO203", "before: DEV", "before: Dev", "before: |Dev"),
    packed("MO203", 'checks: {auc: ">= 0.75"}', "checks: [[auc]]", "checks: |[[auc]]"),
    packed("MO206", '">= 0.75"', '"at least 0.75"', '|"at least 0.75"'),
    packed("MO207", "[submitter]", "[submiter]", "|submiter"),
]

OTHER_MISTAKES = [
    held("MO714", "tiers: |[critical]", ("tiers: [high, critical]", "tiers: [critical]")),
    held("MO701", "[|signed-decisions, clean", ("{satisfies: [clean-", "{satisfies: [signed-decisions, clean-")),
    PolicyMistake("MO701", (), "[|four-eyes, ", pack=BANK.replace("evidence: [evaluate]", "evidence: [archive]")),
    replace(held("MO715", "waivers: {|four-eyes", waived("four-eyes")), pack=_NEVER),
    replace(held("MO716", "until: |2028-03-02", waived("four-eyes", "2028-03-02", 1)), pack=_BOUNDED),
    replace(held("MO717", "renewals: |2", waived("four-eyes", "2028-03-01", 2)), pack=_BOUNDED),
]

POLICY_MISTAKES: list[PolicyMistake | PackMistake] = [*HELD_MISTAKES, *OTHER_MISTAKES, *PACK_MISTAKES]
