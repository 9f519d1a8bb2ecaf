"""AWS's clients as Lambda needs them: from botocore alone, and with few root certificates.

boto3 is left out: all that is used of it is `Session.client`, and its import brings the transfers of S3.

botocore parses the whole bundle of root certificates, which takes 20 ms, for each new connection. The artifact has a file
with Amazon's own roots (`infra.artifact.aws_data`), which takes 1 ms. Endpoints outside the partition ``aws`` (China, say), or at
some time all of them, may show a certificate of another root. Then the client trusts the whole bundle from there on; it
costs that one handshake. AWS_CA_BUNDLE, which botocore knows, comes before both.
"""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from handler.runtime import telemetry

if TYPE_CHECKING:
    from botocore.session import Session

AMAZON_ROOTS: Final = Path(__file__).with_name("amazon_roots.pem")  # in the artifact only
_UNKNOWN_ROOT: Final = "CERTIFICATE_VERIFY_FAILED"  # OpenSSL's name; botocore's exception holds no more than the text

MakeClient = Callable[..., Any]


def open_session(roots: Path = AMAZON_ROOTS) -> "BotocoreSession":
    """A session that finds credentials and region in botocore's default way."""
    from botocore.session import Session

    return BotocoreSession(Session(), roots)


class BotocoreSession:
    """botocore's session as `handler.aws.clients.AwsSession` has it."""

    def __init__(self, session: "Session", roots: Path) -> None:
        self._session = session
        self._roots = roots

    def client(self, name: str, **options: Any) -> Any:
        """A client of botocore. Raises botocore's NoRegionError."""
        make = partial(self._session.create_client, name, **options)
        if self._session.get_config_variable("ca_bundle") or not self._roots.exists():
            return make()
        return _Client(make, str(self._roots))


class _Client:
    """A client that trusts the roots of a file, and after a certificate of another root the whole bundle."""

    def __init__(self, make: MakeClient, roots: str) -> None:
        self._make = make
        self._client = make(verify=roots)
        self._narrow = True
        self._lock = threading.Lock()

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return partial(self._call, operation)

    def _call(self, operation: str, **parameters: Any) -> Any:
        from botocore.exceptions import SSLError

        narrow = self._narrow
        try:
            return getattr(self._client, operation)(**parameters)
        except SSLError as error:
            if not narrow or _UNKNOWN_ROOT not in str(error):
                raise
        self._widen()
        return getattr(self._client, operation)(**parameters)  # nothing was sent before

    def _widen(self) -> None:
        with self._lock:
            if self._narrow:
                telemetry.logger.warning("an endpoint of AWS has none of Amazon's roots: all are trusted from now on")
                self._client, self._narrow = self._make(), False

    def close(self) -> None:
        """Close the connections. A client that was given up closes its own when the calls in it have ended."""
        self._client.close()
