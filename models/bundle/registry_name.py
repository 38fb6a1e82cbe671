"""How a bundle is named where registries are spoken of.

Source: OCI distribution specification 1.1, "Pulling manifests": the patterns of a repository's name and of a tag.
"""

import re
from typing import NamedTuple

from models.canonical import Digest
from models.errors import InvalidInputError

_REFERENCE = re.compile(
    r"(?P<host>[A-Za-z0-9.-]+(?::\d{1,5})?)/(?P<name>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


class RegistryName(NamedTuple):
    """A registry's host, a repository in it, and perhaps which bundle."""

    host: str
    name: str
    tag: str | None
    digest: Digest | None

    def __str__(self) -> str:
        return f"{self.host}/{self.name}"


def parse_reference(text: str) -> RegistryName:
    """What is written `registry.example/models/loans`, with a `:tag` or `@sha256:...`; InvalidInputError."""
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise InvalidInputError(
            f"'{ascii(text)[1:-1]}' is no place in a registry",
            "write HOST[:PORT]/REPOSITORY, and :TAG or @sha256:... behind it",
        )
    return RegistryName(found["host"], found["name"], found["tag"], found["digest"])
