"""Bundles in a bucket, where a target fetches them: one archive for each, put there once and never over another.

What an archive's bytes are is asked of S3, which keeps the SHA-256 of every object that was sent with one: nothing is
fetched to find out. Source: Amazon S3 User Guide, "Checking object integrity" and "Conditional writes".
"""

import base64
import hashlib
import tempfile
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from activities.adapters.aws_clients import AwsClients, translated
from activities.ports import Sink
from models.canonical import Digest, Slug
from models.environments import bundle_uri
from models.errors import ConflictError, DigestMismatchError

Pack = Callable[[Digest, Sink], None]
"""Writes the archive of a bundle, always the same bytes; UnknownNameError, DigestMismatchError."""


class S3Bundles:
    """Fits `Depot`: the bundles below a folder of S3, `s3://bucket/prefix`."""

    def __init__(self, folder: str, clients: AwsClients, pack: Pack) -> None:
        self._folder = folder
        self._clients = clients
        self._pack = pack

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def bring(self, model: Slug, bundle: Digest) -> None:
        """Have the archive of a bundle be there; DigestMismatchError if something else is in its place."""
        expected = self._expected(bundle)
        found = self._found(model, bundle)
        if found is None:
            self._put(model, bundle, expected)
            found = self._found(model, bundle)
        if found != expected:
            uri = bundle_uri(self._folder, model, bundle)
            raise DigestMismatchError(
                f"{uri} is not the archive of bundle {bundle}: somebody has put something else there",
                "find out who it was; then delete it, and promote the version again",
            )

    def holds(self, model: Slug, bundle: Digest) -> bool:
        """Whether the archive of a bundle is there, byte for byte; UnknownNameError if we have no such bundle."""
        return self._found(model, bundle) == self._expected(bundle)

    def _expected(self, bundle: Digest) -> str:
        running = _Hashing()
        self._pack(bundle, running)
        return base64.b64encode(running.sha256.digest()).decode()

    def _found(self, model: Slug, bundle: Digest) -> str | None:
        """What S3 says of the bytes; None if there are none, nothing if they were sent without their SHA-256."""
        uri, client, place = self._place(model, bundle)
        with translated(uri):
            try:
                told: dict[str, Any] = client.head_object(**place, ChecksumMode="ENABLED")
            except ClientError as error:
                if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
                    return None
                raise
        return str(told.get("ChecksumSHA256", ""))

    def _put(self, model: Slug, bundle: Digest, expected: str) -> None:
        uri, client, place = self._place(model, bundle)
        with tempfile.TemporaryFile() as file:
            self._pack(bundle, file)
            file.seek(0)
            try:
                with translated(uri):
                    sums = {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": expected}
                    client.put_object(**place, Body=file, IfNoneMatch="*", **sums)
            except ConflictError:
                return  # somebody was quicker: what is there is looked at next

    def _place(self, model: Slug, bundle: Digest) -> tuple[str, Any, dict[str, str]]:
        uri = bundle_uri(self._folder, model, bundle)
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        with translated(uri):
            return uri, self._clients.client("s3"), {"Bucket": bucket, "Key": key}


class _Hashing:
    """A sink that keeps nothing."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Some more of it."""
        self.sha256.update(data)
