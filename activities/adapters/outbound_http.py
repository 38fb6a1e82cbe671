"""HTTP to addresses that an administrator has configured: where they lead is looked at, and nobody is followed."""

import ipaddress
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import httpx2

from models.errors import InvalidInputError, UnavailableError

_LOCAL = ("127.0.0.1", "::1", "localhost")
_LARGEST = 16 * 1024 * 1024
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""IPv4 by way of IPv6 (RFC 6052)."""

_METADATA = ipaddress.ip_address("fd00:ec2::254")
"""Of Amazon EC2 over IPv6: the one that is not an address of the link."""


class Answer(NamedTuple):
    """What was answered: below 400, or in errors."""

    status: int
    content: bytes


class OutboundHttp:
    """Speaks for a channel; errors name the channel and never an address or a header, as either may be a secret.

    An address has to be https, or of this machine. What a name resolves to is looked at, and spoken to: an address of
    the link, as clouds have for metadata, is refused, and one of this machine unless it is configured as such.
    """

    def __init__(self, channel: str, timeout: float = 10.0) -> None:
        """`timeout` is in seconds, for each of connecting, sending and waiting."""
        self._channel = channel
        self._timeout = timeout
        self._trust = ssl.create_default_context()

    def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None = None, plain: bool = False
    ) -> Answer:
        """The answer. `plain` lets http pass, where nothing is secret.

        UnavailableError if nothing gets through, or if it may another time; InvalidInputError if this is refused.
        """
        try:
            where = httpx2.URL(url)
            resolved = self._resolved(where, plain)
            said = {**headers, "Host": where.netloc.decode()}
            extensions = {"sni_hostname": where.host}
            client = httpx2.Client(verify=self._trust, timeout=self._timeout, trust_env=False, follow_redirects=False)
            with (
                client,
                client.stream(
                    method, where.copy_with(host=resolved), headers=said, content=content, extensions=extensions
                ) as response,
            ):
                self._judge(response)
                return Answer(response.status_code, self._read(response))
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            # The error's own words may hold the address, which of a chat is its secret.
            raise self._unavailable(f"does not answer ({type(error).__name__})") from None

    def _read(self, response: httpx2.Response) -> bytes:
        content = b""
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > _LARGEST:
                raise self._unavailable("answers without end")
        return content

    def _judge(self, response: httpx2.Response) -> None:
        status = response.status_code
        if status >= 500 or status in (408, 425, 429):
            raise self._unavailable(f"answers {status}", _pause(response.headers.get("retry-after", "")))
        if status >= 300:
            led = "; it leads elsewhere, and is not followed" if status < 400 else ""
            raise InvalidInputError(
                f"channel '{self._channel}' refuses with {status}{led}",
                "check its address and its secret in MODELOPS_CHANNELS",
            )

    def _resolved(self, where: httpx2.URL, plain: bool) -> str:
        if where.scheme not in ("http", "https") or not where.host:
            raise self._invalid("has no address of http or https")
        local = where.host in _LOCAL
        if where.scheme == "http" and not (plain or local):
            raise self._invalid("would send a secret in the clear: write https://")
        try:
            found = socket.getaddrinfo(where.host, where.port or where.scheme, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise self._unavailable("has a name that is not found") from None
        address = str(found[0][4][0])
        one = ipaddress.ip_address(address.partition("%")[0])
        one = getattr(one, "ipv4_mapped", None) or one
        if one in _TRANSLATED:
            one = ipaddress.ip_address(one.packed[-4:])
        if (
            one == _METADATA
            or one.is_link_local
            or one.is_multicast
            or one.is_unspecified
            or (one.is_loopback and not local)
        ):
            raise self._invalid("leads to an address that it may not lead to")
        return address

    def _invalid(self, what: str) -> InvalidInputError:
        return InvalidInputError(f"channel '{self._channel}' {what}", "correct it in MODELOPS_CHANNELS")

    def _unavailable(self, what: str, pause: timedelta | None = None) -> UnavailableError:
        return UnavailableError(f"channel '{self._channel}' {what}", "it is tried again", pause)


def _pause(retry_after: str) -> timedelta | None:
    """How long somebody wants to be left alone: seconds, or until a moment (RFC 9110)."""
    if retry_after.isdecimal() and len(retry_after) < 10:
        return timedelta(seconds=int(retry_after))
    try:
        return parsedate_to_datetime(retry_after) - datetime.now(UTC)
    except (ValueError, TypeError):
        return None
