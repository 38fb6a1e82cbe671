"""Which models a pack, a control or an answer is about, by what is registered of them."""

from collections.abc import Iterable
from typing import Literal

from models.canonical import Frozen
from models.inventory import ModelFacts, ModelKind, RiskTier


class Scope(Frozen):
    """Each condition that is written must hold."""

    kinds: tuple[ModelKind, ...] = ()
    tiers: tuple[RiskTier, ...] = ()
    jurisdictions: tuple[Literal["EU", "US", "UK", "OTHER"], ...] = ()
    sectors: tuple[Literal["banking", "insurance", "health", "employment", "public", "other"], ...] = ()
    personal_data: bool | None = None
    automated_decision: bool | None = None

    @property
    def words(self) -> str:
        """The conditions, for people."""
        written = self.model_dump(mode="json", exclude_defaults=True)
        told = {
            name: ", ".join(one) if isinstance(one, list) else "yes" if one else "no" for name, one in written.items()
        }
        return "; ".join(f"{name.replace('_', ' ')} {one}" for name, one in told.items()) or "every model"

    def covers(self, facts: ModelFacts | None, tiers: Iterable[RiskTier]) -> bool:
        """Whether a model is in scope; of an unknown model only its possible tiers are known, and the rest may be."""
        if facts is None:
            return not self.tiers or any(tier in self.tiers for tier in tiers)
        return self.reason(facts) is not None

    def reason(self, facts: ModelFacts | None) -> str | None:
        """Why a model is in scope, in words; None if it is not, or if nobody can tell."""
        if self == EVERY_MODEL or facts is None:
            return "every model" if self == EVERY_MODEL else None
        lists: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
            ("kind", self.kinds, (facts.kind,)),
            ("tier", self.tiers, (facts.risk_tier,)),
            ("jurisdiction", self.jurisdictions, facts.jurisdictions),
            ("sector", self.sectors, (facts.sector,)),
        )
        met = []
        for name, wanted, has in lists:
            common = [value for value in has if value in wanted]
            if wanted and not common:
                return None
            met += [f"{name} {', '.join(common)}"] if wanted else []
        for name, flag, is_so in (
            ("personal data", self.personal_data, facts.personal_data),
            ("automated decision", self.automated_decision, facts.automated_decision),
        ):
            if flag is not None and flag != is_so:
                return None
            met += [name if is_so else f"no {name}"] if flag is not None else []
        return "; ".join(met)


EVERY_MODEL = Scope()
"""No condition."""
