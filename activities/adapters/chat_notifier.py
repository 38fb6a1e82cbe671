"""Messages into a chat, by an incoming webhook as Slack has them, and Mattermost after it: JSON with a `text`."""

import json
from collections.abc import Callable

from activities.adapters.outbound_http import OutboundHttp
from models.announcing import Message

_LONGEST = 3_000
"""Slack cuts texts off at 40,000 characters, Mattermost at 16,383; nobody reads so much."""


class ChatNotifier:
    """Fits `Channel`. `url` is asked for each time: it is the secret. Chats know no ids: the text ends with it."""

    def __init__(self, http: OutboundHttp, url: Callable[[], str], source: str) -> None:
        self._http = http
        self._url = url
        self._source = source

    def send(self, message: Message) -> None:
        """Deliver it; UnavailableError, InvalidInputError."""
        content = json.dumps({"text": self._text(message)}).encode()
        self._http.send("POST", self._url(), {"Content-Type": "application/json"}, content)

    def _text(self, message: Message) -> str:
        to = f"for {message.recipient}: " if message.recipient else ""
        more = f"\n(and {message.more} more like this)" if message.more else ""
        said = f"{to}{message.subject}\n{message.body}".strip()[:_LONGEST]
        return f"{_plain(said)}{more}\n[{message.topic} {self._source}/{message.key}]"


def _plain(text: str) -> str:
    """Text that mentions nobody, and hides no link behind words: Slack's control characters as it asks for them."""
    said = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return said.replace("@", "@\u200b").replace("](", "]\u200b(").replace("][", "]\u200b[")
