"""Whether the licences of pinned distributions are allowed (SPDX licence expressions, annex D of SPDX 2.3)."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from models.supply.lock import Pin
from models.supply.reports import LicenceIssue

_TOKEN = re.compile(r"\(|\)|[^\s()]+")


def permitted(expression: str, allowed: Collection[str]) -> bool:
    """Whether an expression can be met with allowed licences alone; ValueError if it is none.

    OR leaves the choice, AND asks for both; `X WITH Y` is allowed as such, or else not.
    """
    try:
        tokens = _TOKEN.findall(canonicalize_license_expression(expression))
    except InvalidLicenseExpression as error:
        raise ValueError(str(error)) from None
    return _either(tokens, frozenset(one.lower() for one in allowed))


def _either(tokens: list[str], allowed: Collection[str]) -> bool:
    found = _both(tokens, allowed)
    while tokens and tokens[0] == "OR":
        tokens.pop(0)
        found = _both(tokens, allowed) or found
    return found


def _both(tokens: list[str], allowed: Collection[str]) -> bool:
    found = _one(tokens, allowed)
    while tokens and tokens[0] == "AND":
        tokens.pop(0)
        found = _one(tokens, allowed) and found
    return found


def _one(tokens: list[str], allowed: Collection[str]) -> bool:
    licence = tokens.pop(0)
    if licence == "(":
        found = _either(tokens, allowed)
        tokens.pop(0)
        return found
    if tokens[:1] == ["WITH"]:
        licence = " ".join([licence, tokens.pop(0), tokens.pop(0)])
    return licence.lower() in allowed


def licence_issues(
    pins: Iterable[Pin], licences: Mapping[str, str], allowed: Collection[str]
) -> Iterator[LicenceIssue]:
    """Each pinned distribution whose licence is not known, cannot be read, or is not allowed."""
    for pin in pins:
        licence = licences.get(str(pin)) or licences.get(pin.name)
        if reason := _objection(licence, allowed):
            yield LicenceIssue(distribution=str(pin), licence=licence, reason=reason)


def _objection(licence: str | None, allowed: Collection[str]) -> str | None:
    if licence is None:
        return "its licence is not known"
    try:
        return None if permitted(licence, allowed) else f"'{licence}' is not among the allowed licences"
    except ValueError:
        return f"'{licence}' is no SPDX licence expression"
