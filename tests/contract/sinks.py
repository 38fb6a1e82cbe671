"""What receives: an HTTP server and a mail server on this machine, which do as a test has them do."""

import asyncio
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.contract.serving import free_port

USER, PASSWORD = "modelops", "canary-of-a-password"


@dataclass
class Manners:
    """How a receiver behaves: what it answers, after how many seconds."""

    status: int = 200
    delay: float = 0.0
    location: str = ""


@dataclass
class Post:
    """One request: its path, its headers in small letters, its body."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpSink:
    """Keeps every request."""

    url: str = ""
    manners: Manners = field(default_factory=Manners)
    posts: list[Post] = field(default_factory=list)


@contextmanager
def http_sink(port: int = 0) -> Iterator[HttpSink]:
    """An HTTP server for the length of a block."""
    sink = HttpSink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Keep it, and answer as told."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sink.posts.append(Post(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            time.sleep(sink.manners.delay)
            self.send_response(sink.manners.status)
            if sink.manners.location:
                self.send_header("Location", sink.manners.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    sink.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield sink
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class MailSink:
    """Keeps every mail: to whom it went, and all of it."""

    port: int = 0
    manners: Manners = field(default_factory=Manners)
    mails: list[tuple[list[str], bytes]] = field(default_factory=list)
    strangers: int = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take it, or refuse as told."""
        await asyncio.sleep(self.manners.delay)
        if self.manners.status != 200:
            return f"{self.manners.status} no: {PASSWORD}"
        content = envelope.content
        self.mails.append((list(envelope.rcpt_tos), content if isinstance(content, bytes) else b""))
        return "250 OK"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, how: str, given: object) -> AuthResult:
        """Whether it is the one user."""
        known = LoginPassword(USER.encode(), PASSWORD.encode())
        self.strangers += given != known
        return AuthResult(success=given == known, handled=False)


@contextmanager
def mail_sink(certificate: Path) -> Iterator[MailSink]:
    """A mail server that demands STARTTLS and a login; the file has its key and its certificate."""
    sink = MailSink(free_port())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    controller = Controller(
        sink,
        hostname="127.0.0.1",
        port=sink.port,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=sink.authenticate,
    )
    controller.start()
    yield sink
    controller.stop()


def certificate_in(folder: Path) -> Path:
    """A key and a certificate of 127.0.0.1 that vouches for itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "server.pem"
    file.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return file
