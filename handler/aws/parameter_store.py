"""The bot's token where it is kept: a SecureString parameter of AWS Systems Manager."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from handler.aws import clients
from handler.errors import BotTokenRefused, StoreUnavailable
from handler.runtime.secrets import Secret

READ_TIMEOUT_SECONDS: Final = 1.0  # SSM answers within tens of milliseconds, with decryption
READS_AT_ONCE: Final = 2  # threads: one read at a time, and room for a hanging one of an earlier invocation
# What no repeat cures: the operator has to put the parameter, or the permission to read it, right.
_OPERATORS_FAULTS: Final = frozenset(
    {"ParameterNotFound", "ParameterVersionNotFound", "AccessDeniedException", "InvalidKeyId", "ValidationException"}
)

TOKENLESS: Final = "I have no token to speak to Discord with. Please tell whoever runs this bot to look at its log."


class BotTokenParameter:
    """Reads the parameter over a boto3 client of SSM."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name
        self._threads = ThreadPoolExecutor(READS_AT_ONCE, thread_name_prefix="ssm")

    async def read(self) -> Secret:
        """The token as it is kept now. Raises BotTokenRefused if there is none to be had, StoreUnavailable if out of reach."""
        from botocore.exceptions import BotoCoreError, ClientError

        get = partial(self._client.get_parameter, Name=self._name, WithDecryption=True)
        try:
            answer = await clients.at_most_twice(self._threads, get)
        except ClientError as error:
            code = error.response["Error"].get("Code", "")
            text = f"ssm get_parameter of DISCORD_BOT_TOKEN_PARAMETER: {code}"
            if code in _OPERATORS_FAULTS:
                raise BotTokenRefused(text, message=TOKENLESS) from None
            raise StoreUnavailable(text) from None
        except BotoCoreError as error:
            raise StoreUnavailable(f"ssm get_parameter: {type(error).__name__}: {error}") from error
        token = str(answer["Parameter"]["Value"]).strip()
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise BotTokenRefused("the parameter DISCORD_BOT_TOKEN_PARAMETER holds no bot token", message=TOKENLESS)
        return Secret(token)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()
