"""A real HTTP server that speaks S3, for the tests of what is kept in a bucket."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from threading import Lock, Thread
from typing import Any

from boto3.session import Session
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import make_server

BUCKET = "kept"


class ObjectStore:
    """Has one bucket. boto3 is told of it as of any other server, by the environment."""

    def __init__(self) -> None:
        self._app = DomainDispatcherApplication(create_backend_app)
        self._writing = Lock()
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=MotoRequestHandler)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self.before_write: Callable[[], object] | None = None
        self.environment = {
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{self._server.server_port}",
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def start(self) -> None:
        """Answer, with the environment set."""
        self._thread.start()
        self.client = Session().client("s3")
        self.client.create_bucket(Bucket=BUCKET)

    def stop(self) -> None:
        """Be gone."""
        self.client.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def fill(self, names: Iterable[str]) -> None:
        """Objects that come by no request: a thousand of those take long."""
        for name in names:
            s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(BUCKET, name, b"{}")

    def lock(self, bucket: str) -> None:
        """Make a bucket in which nothing can be deleted for a year."""
        self.client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
        rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Years": 1}}
        locked = {"ObjectLockEnabled": "Enabled", "Rule": rule}
        self.client.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=locked)

    def _answer(self, request: dict[str, Any], respond: Any) -> Any:
        """S3 looks and writes in one step if a write has a condition; moto does one after the other."""
        together: AbstractContextManager[object] = nullcontext()
        if request["REQUEST_METHOD"] == "PUT":
            together, meanwhile, self.before_write = self._writing, self.before_write, None
            if meanwhile:
                meanwhile()
        with together:
            return self._app(request, respond)
