"""Which regulations apply to a model, computed from its registered attributes and a date."""

from datetime import date

from models.inventory import ModelFacts, RiskTier

SR_26_2 = date(2026, 4, 17)
"""The day SR 26-2 replaced SR 11-7 as US banking guidance on model risk."""

_ANNEX_III = frozenset({"banking", "insurance", "employment", "public", "health"})


def applicable(facts: ModelFacts, on: date) -> tuple[str, ...]:
    """The regulations and standards that the facts call for on a date, each with the reason."""
    found: list[str] = []
    eu, high = "EU" in facts.jurisdictions, facts.risk_tier in (RiskTier.HIGH, RiskTier.CRITICAL)
    if eu and high and facts.sector in _ANNEX_III:
        found.append(f"EU AI Act, high-risk (Annex III): {facts.sector} use in the EU, tier {facts.risk_tier}")
    if eu and facts.personal_data and facts.automated_decision:
        found.append("GDPR Art. 22 and 35: automated decisions on personal data in the EU")
    if "US" in facts.jurisdictions and facts.sector == "banking":
        guidance = "SR 26-2" if on >= SR_26_2 else "SR 11-7"
        found.append(f"{guidance}, model risk management: banking use in the US")
    if "US" in facts.jurisdictions and facts.sector == "banking" and facts.automated_decision:
        found.append("ECOA (Regulation B): automated decisions of a US bank")
    if high:
        found.append(f"NIST AI RMF 1.0 and ISO/IEC 42001: tier {facts.risk_tier}")
    return tuple(found)
