"""How severe an advisory is: the bands of the CVSS standard, or the word of its database."""

from collections.abc import Iterable
from enum import StrEnum

from cvss import CVSS2, CVSS3, CVSS4
from cvss.exceptions import CVSSError

from models.supply.osv import Advisory, Score


class Severity(StrEnum):
    """Low is below 4.0, medium below 7.0, high below 9.0 (CVSS 3.1, section 5); unknown is not taken for harmless."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


SEVERE = frozenset({Severity.HIGH, Severity.CRITICAL, Severity.UNKNOWN})

_ORDER = tuple(Severity)
_VECTORS = {"CVSS_V2": CVSS2, "CVSS_V3": CVSS3, "CVSS_V4": CVSS4}
_WORDS = {"MODERATE": Severity.MEDIUM} | {one.upper(): one for one in Severity if one is not Severity.UNKNOWN}


def worst(severities: Iterable[Severity]) -> Severity:
    """The most severe of those that are known; unknown if none is."""
    known = [one for one in severities if one is not Severity.UNKNOWN]
    return max(known, key=_ORDER.index, default=Severity.UNKNOWN)


def severity_of(advisory: Advisory) -> Severity:
    """The worst that a record says of itself."""
    scores = (*advisory.severity, *(score for affected in advisory.affected for score in affected.severity))
    word = advisory.database_specific.severity if advisory.database_specific else None
    said = _WORDS.get((word or "").upper(), Severity.UNKNOWN)
    return worst([*map(_rated, scores), said])


def _rated(score: Score) -> Severity:
    vector = _VECTORS.get(score.type)
    try:
        found = vector(score.score) if vector else None
    except CVSSError:
        return Severity.UNKNOWN
    if found is None:
        return Severity.UNKNOWN
    return _band(float(found.base_score))


def _band(value: float) -> Severity:
    bands = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.1, Severity.LOW))
    return next((band for least, band in bands if value >= least), Severity.NONE)
