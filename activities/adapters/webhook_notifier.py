"""Messages as CloudEvents 1.0, structured JSON over HTTP, signed as Standard Webhooks 1.0 says.

Receivers tell a repeated message by `id`, which is also the header `webhook-id`.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

from activities.adapters.outbound_http import OutboundHttp
from models.announcing import Message
from models.errors import InvalidInputError

_PREFIX = "whsec_"


def _now() -> datetime:
    return datetime.now(UTC)


class WebhookNotifier:
    """Fits `Channel`. `source` names this installation; `secret` is asked for each time, as secrets change."""

    def __init__(
        self,
        http: OutboundHttp,
        url: str,
        source: str,
        secret: Callable[[], str],
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._http = http
        self._url = url
        self._source = quote(source, safe="")
        self._secret = secret
        self._clock = clock

    def send(self, message: Message) -> None:
        """Deliver it; UnavailableError, InvalidInputError."""
        event = {
            "specversion": "1.0",
            "id": f"{self._source}/{message.key}",
            "source": f"/modelops/{self._source}",
            "type": f"modelops.{message.topic}",
            "time": message.at.isoformat(),
            "datacontenttype": "application/json",
            "data": message.model_dump(mode="json", exclude={"thread"}),
        }
        if message.model:
            event["subject"] = message.model
        content = json.dumps(event, ensure_ascii=False).encode()
        self._http.send("POST", self._url, self._headers(str(event["id"]), content), content, plain=True)

    def _headers(self, id: str, content: bytes) -> dict[str, str]:
        stamp = str(int(self._clock().timestamp()))
        signed = b".".join((id.encode(), stamp.encode(), content))
        mac = base64.b64encode(hmac.new(_key(self._secret()), signed, hashlib.sha256).digest()).decode()
        return {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "webhook-id": id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{mac}",
        }


def _key(secret: str) -> bytes:
    try:
        if secret.startswith(_PREFIX) and (key := base64.b64decode(secret.removeprefix(_PREFIX), validate=True)):
            return key
    except binascii.Error:
        pass
    raise InvalidInputError(
        "the secret of a webhook is not one of Standard Webhooks", "write whsec_ and 24 to 64 bytes as base64"
    )
