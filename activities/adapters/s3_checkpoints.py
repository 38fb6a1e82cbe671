"""Checkpoints as the objects of an S3 bucket: where Object Lock holds them, not even its owner can take one back."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from models.checkpoint import read_checkpoint
from models.errors import ConflictError, UnavailableError
from models.signing import Envelope

_NAME = "{:016}.json"
_NUMBER = re.compile(r"(\d{16})\.json", re.ASCII)
_QUICKER = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
_READERS = 10
_BOUNDED = Config(
    connect_timeout=5,
    read_timeout=10,
    max_pool_connections=_READERS,
    retries={"mode": "standard", "total_max_attempts": 3},
)


class _Kept(NamedTuple):
    """One version of an object."""

    number: int
    name: str
    version: str


class S3Checkpoints:
    """Fits `Checkpoints`. Server, region and credentials are found as boto3 finds them.

    In a bucket with versions, what was put in the place of a checkpoint stands behind it, for the reader to find;
    a deletion marker hides nothing.
    """

    def __init__(self, bucket: str, prefix: str) -> None:
        """The names of the objects begin with `prefix` and a slash, or are bare if it is empty."""
        self._bucket = bucket
        self._folder = f"{prefix.strip('/')}/".lstrip("/")
        with self._translated():
            self._client = boto3.Session().client("s3", config=_BOUNDED)

    def append(self, envelope: Envelope) -> None:
        """One object more; ConflictError if its number is not the next one, UnavailableError."""
        number = read_checkpoint(envelope).number
        with self._translated():
            kept = self._kept()
            if number != (kept[-1].number if kept else 0) + 1:
                raise ConflictError(f"checkpoint {number} does not follow the last one in {self._place}")
            name, body = self._folder + _NAME.format(number), envelope.model_dump_json().encode()
            # The bucket refuses a name that it has: of two notaries at once, one is told to look again.
            try:
                self._client.put_object(Bucket=self._bucket, Key=name, Body=body, IfNoneMatch="*")
            except ClientError as error:
                if error.response["Error"]["Code"] not in _QUICKER:
                    raise
                raise ConflictError(f"checkpoint {number} came second in {self._place}") from error

    def last(self) -> bytes | None:
        """The object with the highest number, as it was first written; UnavailableError."""
        with self._translated():
            kept = self._kept()
            return next((self._read(one) for one in kept if one.number == kept[-1].number), None)

    def all(self) -> Sequence[bytes]:
        """Every version of every object, oldest first; UnavailableError."""
        with self._translated(), ThreadPoolExecutor(_READERS) as readers:
            return list(readers.map(self._read, self._kept()))

    def _kept(self) -> list[_Kept]:
        """By number, and what was written first before what was written over it: S3 lists the newest first."""
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=self._folder)
        found = list[_Kept]()
        for page in pages:
            for version in page.get("Versions", ()):
                number = _NUMBER.fullmatch(version["Key"].removeprefix(self._folder))
                if number:
                    found.append(_Kept(int(number[1]), version["Key"], version["VersionId"]))
        return sorted(reversed(found), key=lambda one: one.number)

    def _read(self, one: _Kept) -> bytes:
        answer = self._client.get_object(Bucket=self._bucket, Key=one.name, VersionId=one.version)
        body: bytes = answer["Body"].read()
        return body

    @property
    def _place(self) -> str:
        return f"s3://{self._bucket}/{self._folder}"

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """ValueError is botocore's for an address that is none."""
        try:
            yield
        except (BotoCoreError, ClientError, ValueError) as error:
            raise UnavailableError(
                f"checkpoints cannot be read or written in {self._place}: {error}",
                f"check MODELOPS_CHECKPOINTS, that the bucket '{self._bucket}' is there, and the credentials for it",
            ) from error
