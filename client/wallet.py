"""A person's own private keys: OpenSSH files, encrypted with a passphrase, on the person's own machine alone."""

import os
import sys
from contextlib import suppress
from getpass import getpass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from client.signer import Signer
from models.canonical import Slug
from models.errors import ConflictError, InvalidInputError, UnknownNameError
from worker.settings import Settings

_ROUNDS = 24
"""Of bcrypt, as `ssh-keygen` takes today: a quarter of a second for each guess of a passphrase."""


class Wallet:
    """A folder with one key for each name. `ssh-keygen -p` changes a passphrase; a key of one's own may be put in."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, person: Slug) -> Path:
        """Where a person's key is."""
        return self._folder / f"{person}.key"

    def has(self, person: Slug) -> bool:
        """Whether there is a key."""
        return self.path(person).exists()

    def create(self, person: Slug, passphrase: str) -> Ed25519PrivateKey:
        """A new key, readable by nobody else; ConflictError if there is one, InvalidInputError without a passphrase."""
        if not passphrase:
            raise InvalidInputError("a private key needs a passphrase", "give one, or set MODELOPS_PASSPHRASE")
        private, path = Ed25519PrivateKey.generate(), self.path(person)
        rounds = serialization.PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(_ROUNDS)
        text = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, rounds.build(passphrase.encode())
        )
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise ConflictError(
                f"{person} has a key already: {path}", "use it, or move it away after revoking it"
            ) from error
        except OSError as error:
            raise InvalidInputError(f"{path} cannot be written: {error.strerror}", "set MODELOPS_WALLET") from error
        with os.fdopen(file, "wb") as opened:
            opened.write(text)
        return private

    def open(self, person: Slug, passphrase: str) -> Ed25519PrivateKey:
        """A person's key; UnknownNameError if there is none, InvalidInputError if it cannot be opened with this."""
        path = self.path(person)
        try:
            text = path.read_bytes()
        except OSError as error:
            raise UnknownNameError(
                f"there is no private key of {person} here: {path}", f"`modelops key create --as {person}` makes one"
            ) from error
        with suppress(ValueError, TypeError):
            private = serialization.load_ssh_private_key(text, passphrase.encode() or None)
            if isinstance(private, Ed25519PrivateKey):
                return private
            raise InvalidInputError(f"{path} is no Ed25519 key", "`modelops key create` makes one")
        raise InvalidInputError(
            f"{path} cannot be opened with this passphrase", "type the right one, or set MODELOPS_PASSPHRASE to it"
        )


def open_signer(settings: Settings, person: Slug) -> Signer:
    """Signs with a person's own key; asks for the passphrase if it is not set."""
    wallet = Wallet(settings.wallet)
    return Signer(person, wallet.open(person, passphrase_of(settings, person) if wallet.has(person) else ""))


def passphrase_of(settings: Settings, person: Slug, new: bool = False) -> str:
    """The passphrase that is set, else the one that is typed; InvalidInputError where nobody can type it."""
    if settings.passphrase:
        return settings.passphrase.get_secret_value()
    if not sys.stdin.isatty():
        raise InvalidInputError(
            f"the passphrase of {person}'s key is not known", "set MODELOPS_PASSPHRASE, or use a terminal"
        )
    typed = getpass(f"Passphrase of {person}'s {'new ' if new else ''}key: ")
    if new and getpass("The same again: ") != typed:
        raise InvalidInputError("the two passphrases differ", "try again")
    return typed
