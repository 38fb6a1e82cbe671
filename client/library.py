"""Templates by name: those that come with the product, and files of one's own."""

from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from client.documents import read_text
from models.compiler import Compilation, compile_with_warnings
from models.diagnostics import did_you_mean
from models.errors import UnknownNameError
from models.inventory import ModelFacts
from models.policy import NO_POLICY, Policy
from worker.policies import known_packs
from worker.settings import Settings

if TYPE_CHECKING:
    from client.catalog import Catalog


class Text(NamedTuple):
    """A template as it is written, and the file that it is in."""

    text: bytes
    file: str

    def compiled(self, policy: Policy = NO_POLICY) -> Compilation:
        """The plan under a policy, and its warnings; TemplateError."""
        return compile_with_warnings(self.text, self.file, policy, self.parents())

    def parents(self) -> dict[str, bytes]:
        """What it may extend: the built-in templates, and the files beside it, by their names without `.yaml`."""
        beside = sorted(Path(self.file).parent.glob("*.yaml")) if Path(self.file).is_file() else []
        named = {name: text.text for name, text in built_in().items()}
        return named | {path.stem: read_text(path) for path in beside if path.stem not in named}


def built_in() -> dict[str, Text]:
    """The templates that come with the product, by name."""
    found = files("workflows").joinpath("templates").iterdir()
    texts = {one.name.removesuffix(".yaml"): one for one in found if one.name.endswith(".yaml")}
    return {name: Text(texts[name].read_bytes(), f"{name}.yaml") for name in sorted(texts)}


def policy_of(settings: Settings, facts: ModelFacts | None = None, on: date | None = None) -> Policy:
    """The packs that are known, for a model if one is given, on a day (today in UTC)."""
    return Policy(known_packs(settings.policies), on or datetime.now(UTC).date(), facts)


def find_template(name_or_file: str) -> Text:
    """A template by its name, else by its path; UnknownNameError, InvalidInputError."""
    known = built_in()
    if name_or_file in known:
        return known[name_or_file]
    path = Path(name_or_file)
    if path.suffix or path.exists() or len(path.parts) > 1:
        return Text(read_text(path), name_or_file)
    raise UnknownNameError(
        f"there is no template '{name_or_file}', and no file of that name",
        did_you_mean(name_or_file, known) or "`modelops template list` shows which there are",
    )


def open_catalog(settings: Settings) -> "Catalog":
    """The inventory. What reads databases is loaded here: most of what concerns templates reads none."""
    from client.catalog import Catalog

    return Catalog(settings.database)
