"""How a model of ours and one in somebody else's registry belong together, and where they contradict one another."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

from pydantic import StringConstraints

from models.canonical import Frozen, Slug
from models.reconciliation import Finding, FindingKind

RegisteredName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,199}$")]
"""A name in the registry: nothing that could end a quotation in a filter."""


class Governed(Frozen):
    """The model of ours that governs what is registered under a name, and the template that its lifecycle begins on."""

    model: Slug
    template: Slug


class Pointing(NamedTuple):
    """Where the alias `champion` of a name points, and where we had it point when the champion changed last.

    None: to no version.
    """

    name: str
    model: str
    seen: str | None
    ours: str | None


def address(name: str, number: str | None) -> str:
    """What an alias points to, as a URI: of a version, or of no version."""
    return f"models:/{name}/{number}" if number else f"models:/{name}"


def moved(pointing: Pointing) -> Iterator[Finding]:
    """An alias that somebody has moved by hand."""
    if pointing.seen != pointing.ours:
        text = (
            f"alias 'champion' of '{pointing.name}' there points to {_spell(pointing.seen)}; by the record of "
            f"'{pointing.model}' it is {_spell(pointing.ours)}: move it back, or roll back here"
        )
        yield Finding(kind=FindingKind.ALIAS_MOVED, model=pointing.model, about=_about(pointing.name), text=text)


def silent(name: str, model: str) -> Finding:
    """The registry does not say where an alias points."""
    text = f"the registry of '{name}' does not answer: nobody knows where its alias points"
    return Finding(kind=FindingKind.SILENT, model=model, about=_about(name), text=text)


def _about(name: str) -> str:
    return f"registry:{name}"


def _spell(number: str | None) -> str:
    return f"version {number}" if number else "no version"
