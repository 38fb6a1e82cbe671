"""AWS as boto3 speaks it: clients with bounded patience, and what AWS refuses as our errors."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from models.errors import ConflictError, InvalidInputError, ModelopsError, NotPermittedError, UnavailableError

_BOUNDED = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 3})
_REFUSED = frozenset(
    {
        *("AccessDenied", "AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId"),
        *("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "ExpiredTokenException", "403"),
    }
)
_QUICKER = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
_BUSY = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "SlowDown"})


class AwsClients:
    """The clients of one region, with the credentials that are told, or with those that boto3 finds.

    `credentials` tells JSON as a `credential_process` gives it: AccessKeyId, SecretAccessKey, perhaps SessionToken. It
    is asked each time, so that one that was renewed counts at once; clients are made anew when it says something else.
    """

    def __init__(self, region: str, credentials: Callable[[], str] | None, endpoint: str | None = None) -> None:
        """`endpoint` is where something answers that speaks like AWS."""
        self._region = region
        self._endpoint = endpoint
        self._credentials = credentials
        self._told = ""
        self._session = boto3.Session(region_name=region)
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """The client of a service; InvalidInputError."""
        if self._credentials and (told := self._credentials()) != self._told:
            self._session, self._clients, self._told = _session(self._region, told), {}, told
        if service not in self._clients:
            self._clients[service] = self._session.client(service, config=_BOUNDED, endpoint_url=self._endpoint)
        return self._clients[service]

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()


def _session(region: str, credentials: str) -> boto3.Session:
    try:
        told = json.loads(credentials)
        key, secret, token = told["AccessKeyId"], told["SecretAccessKey"], told.get("SessionToken")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidInputError(
            "the credentials for AWS are not what a credential_process gives",
            'write {"Version": 1, "AccessKeyId": ..., "SecretAccessKey": ...} where the reference points',
        ) from None
    return boto3.Session(
        region_name=region, aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token
    )


@contextmanager
def translated(what: str) -> Iterator[None]:
    """AWS's refusals as our errors. ValueError is botocore's for an address that is none."""
    try:
        yield
    except ClientError as error:
        raise _refusal(error.response)(f"{what}: {error}", "see the AWS account's own log: CloudTrail") from error
    except NoCredentialsError as error:
        raise NotPermittedError(f"{what}: {error}", "give the actuator credentials for AWS") from error
    except (BotoCoreError, ValueError) as error:
        raise UnavailableError(f"{what}: {error}", "does AWS answer from here, and is the region right?") from error


def _refusal(response: Any) -> type[ModelopsError]:
    code, status = response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]
    if code in _REFUSED or status in (401, 403):
        return NotPermittedError
    if code in _QUICKER:
        return ConflictError
    return UnavailableError if code in _BUSY or status >= 500 else InvalidInputError
