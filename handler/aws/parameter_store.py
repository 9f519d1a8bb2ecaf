"""The bot's token in a SecureString parameter of AWS Systems Manager."""

from typing import Any, Final

from handler.aws.clients import CallFailed, ThreadedClient
from handler.errors import BotTokenRefused, StoreUnavailable
from handler.runtime import telemetry
from handler.runtime.metrics import Metric
from handler.runtime.secrets import Secret

READ_TIMEOUT_SECONDS: Final = 1.0  # SSM answers within tens of milliseconds, with decryption
MAX_CALLS: Final = 2  # threads: one read at a time, and room for a hanging one of an earlier invocation
# A repeat does not help: the operator has to correct the parameter or the permission to read it.
_OPERATOR_FAULTS: Final = frozenset(
    {"ParameterNotFound", "ParameterVersionNotFound", "AccessDeniedException", "InvalidKeyId", "ValidationException"}
)

NO_TOKEN: Final = "I have no token for Discord. Please tell whoever runs this bot to look at its log."  # noqa: S105 - a text


class BotTokenParameter(ThreadedClient):
    """The parameter, over botocore's client of SSM."""

    service = "ssm"

    def __init__(self, client: Any, name: str) -> None:
        super().__init__(client, MAX_CALLS)
        self._name = name

    async def read(self) -> Secret:
        """The token. Raises BotTokenRefused if the parameter or a token in it is missing, StoreUnavailable if SSM is."""
        try:
            answer = await self.call("get_parameter", Name=self._name, WithDecryption=True)
        except CallFailed as error:
            text = f"ssm get_parameter of DISCORD_BOT_TOKEN_PARAMETER: {error.code or error}"
            if error.code in _OPERATOR_FAULTS:
                raise BotTokenRefused(text, message=NO_TOKEN) from None
            raise StoreUnavailable(text) from None
        token = str(answer["Parameter"]["Value"]).strip()
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            telemetry.add_metric(Metric.OPERATOR_FAULTS)
            raise BotTokenRefused("the parameter DISCORD_BOT_TOKEN_PARAMETER holds no bot token", message=NO_TOKEN)
        return Secret(token)
