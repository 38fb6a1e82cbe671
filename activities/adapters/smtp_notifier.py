"""Messages by email: STARTTLS (RFC 3207) or TLS (RFC 8314), and an id by which a repeated one is known."""

import hashlib
import re
import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import format_datetime

from models.announcing import Message
from models.channels import Mail
from models.errors import InvalidInputError, ModelopsError, UnavailableError
from models.people import People

_TRANSIENT = range(400, 500)
_LONGEST = 254
_ADDRESS = re.compile(r"[\w!#$%&'*+/=^`{|}~-]+(\.[\w!#$%&'*+/=^`{|}~-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)


class SmtpNotifier:
    """Fits `Channel`. Who has no address in the directory is reached through the channel's own, by name."""

    def __init__(
        self,
        channel: str,
        settings: Mail,
        source: str,
        people: Callable[[], People],
        password: Callable[[], str] | None = None,
        timeout: float = 10.0,
    ) -> None:
        """`password` is asked for each time, as secrets change; `timeout` is in seconds."""
        self._channel = channel
        self._settings = settings
        self._source = source
        self._people = people
        self._password = password
        self._timeout = timeout

    def send(self, message: Message) -> None:
        """Deliver it; UnavailableError, InvalidInputError."""
        mail = self._mail(message)
        try:
            with self._connected() as server:
                server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            codes = sorted({code for code, _ in error.recipients.values()})
            raise self._refused(codes[0], "the recipients") from None
        except smtplib.SMTPResponseException as error:
            raise self._refused(error.smtp_code, "the message") from None
        except (smtplib.SMTPException, OSError) as error:
            # What a server says may repeat what was sent to it.
            raise self._unavailable(f"does not answer ({type(error).__name__})") from None

    def _connected(self) -> smtplib.SMTP:
        asked = self._settings
        trust = ssl.create_default_context(cafile=asked.authority)
        if asked.encryption == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(asked.host, asked.port, timeout=self._timeout, context=trust)
        else:
            server = smtplib.SMTP(asked.host, asked.port, timeout=self._timeout)
        try:
            if asked.encryption == "starttls":
                server.starttls(context=trust)
            if asked.login and self._password:
                server.login(asked.login.user, self._password())
        except BaseException:
            server.close()
            raise
        return server

    def _mail(self, message: Message) -> EmailMessage:
        mail, to = EmailMessage(), self._address(message.recipient)
        to_whom = f"for {message.recipient}: " if message.recipient and not to else ""
        more = f" (and {message.more} more)" if message.more else ""
        mail["Subject"] = _plain(f"{to_whom}{message.subject}{more}")
        mail["From"] = self._settings.sender
        mail["To"] = to or ", ".join(self._settings.to)
        mail["Date"] = format_datetime(message.at)
        # A domain may not hold everything that an installation's name may.
        domain = hashlib.sha256(self._source.encode()).hexdigest()[:16]
        mail["Message-ID"] = f"<{message.key}@{domain}.modelops.invalid>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Modelops-Topic"] = message.topic.value
        mail.set_content(f"{message.subject}\n\n{message.body}\n" if message.body else f"{message.subject}\n")
        return mail

    def _address(self, recipient: str | None) -> str | None:
        if recipient is None:
            return None
        try:
            known = self._people().people.get(recipient)
        except ModelopsError as error:
            raise self._unavailable(f"does not know where people are reached: {error}") from error
        found = known.email if known else recipient
        return found if _is_address(found) else None

    def _refused(self, code: int, what: str) -> ModelopsError:
        said = f"refuses {what} with {code}"
        if code in _TRANSIENT:
            return self._unavailable(said)
        return InvalidInputError(f"channel '{self._channel}' {said}", "check addresses and login in MODELOPS_CHANNELS")

    def _unavailable(self, what: str) -> UnavailableError:
        return UnavailableError(f"channel '{self._channel}' {what}", "it is tried again")


def _plain(text: str) -> str:
    """One line, and none of the encoded words (RFC 2047) out of which `email` would make lines and headers."""
    return " ".join(text.split()).replace("=?", "= ?")


def _is_address(text: str) -> bool:
    """Whether it is an address and nothing that would be a second header or recipient, or that `email` stumbles over:
    dot-atoms (RFC 5322), without the `?` of encoded words."""
    return len(text) <= _LONGEST and _ADDRESS.fullmatch(text) is not None
