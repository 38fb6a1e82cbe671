"""The policy packs that are known: those that come with the product, and those in a folder of one's own."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from models.canonical import digest
from models.errors import ConflictError, InvalidInputError
from models.policy import Pack, load_pack


class PolicyFolder:
    """Fits `Policies`. The folder is read at every call, so that a new pack counts at once."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def packs(self) -> tuple[Pack, ...]:
        """The built-in packs and those of the folder."""
        return known_packs(self._folder)


@cache
def built_in_packs() -> tuple[Pack, ...]:
    """The packs that come with the product, by name."""
    found = files("workflows").joinpath("policies").iterdir()
    texts = sorted((one.name, one.read_bytes()) for one in found if one.name.endswith(".yaml"))
    return tuple(load_pack(text, name) for name, text in texts)


def known_packs(folder: Path | None = None) -> tuple[Pack, ...]:
    """The built-in packs and those of a folder; InvalidInputError, TemplateError, ConflictError if two share a name."""
    packs = {pack.name: pack for pack in built_in_packs()}
    for path, pack in _packs_in(folder) if folder else ():
        known = packs.setdefault(pack.name, pack)
        if digest(known) != digest(pack):
            message = f"{path}: there is a pack {pack.name} already, and it says something else"
            raise ConflictError(message, "give the pack another version or another name")
    return tuple(packs[name] for name in sorted(packs))


def _packs_in(folder: Path) -> list[tuple[Path, Pack]]:
    try:
        texts = [(path, path.read_bytes()) for path in sorted(folder.iterdir()) if path.suffix == ".yaml"]
    except OSError as error:
        where = error.filename or folder
        raise InvalidInputError(f"{where} cannot be read: {error.strerror}", "check MODELOPS_POLICIES") from error
    return [(path, load_pack(text, str(path))) for path, text in texts]
