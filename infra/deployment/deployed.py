"""A deployment as the programs of its operator reach it: its stack, the variables of its functions, the bot's token.

parser = Parser(...); add_options(parser); options = parser.parse_args(arguments)
deployed = find(options, outside)          # raises OperatorError
"""

import argparse
from functools import cached_property
from typing import Any, Final

import httpx
from boto3.session import Session
from botocore.exceptions import ProfileNotFound

from handler import config
from handler.aws import dynamodb
from handler.bootstrap import C, Environment
from handler.errors import ConfigurationError
from handler.runtime.clock import SystemClock
from handler.store.table import Table
from infra.deployment.account import RECONCILER_OUTPUT, TABLE_OUTPUT, Account, KeptToken, Stack, explained
from infra.deployment.discord_api import TIMEOUT_SECONDS, DiscordApi, DiscordError
from infra.deployment.errors import OperatorError
from infra.deployment.program import Outside
from infra.deployment.saved import ROOT, SavedConfiguration

ENVIRONMENTS: Final = {"prod": "production", "staging": "staging", "dev": "dev"}  # with the value of Stage
ALIAS: Final = "live"  # template.yaml's AutoPublishAlias: what is invoked


def default_token_parameter(stack: str) -> str:
    """The template's own, if DiscordBotTokenParameter is empty."""
    return f"/onethread/{stack}/discord-bot-token"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that choose a deployment."""
    parser.add_argument("--env", choices=list(ENVIRONMENTS), default="prod", help="which of your deployments (prod)")
    parser.add_argument("--stack-name", metavar="NAME", help="of its stack; by default the saved one")
    parser.add_argument("--region", help="AWS region; by default the saved one, or that of your AWS profile")


def _session(options: argparse.Namespace, saved: SavedConfiguration, outside: Outside) -> Session:
    """boto3's session in the chosen region: AWS_REGION counts as for the AWS CLI, too. Raises OperatorError."""
    if outside.session is not None:
        return outside.session
    known = outside.environ.get("AWS_REGION") or outside.environ.get("AWS_DEFAULT_REGION")
    try:
        return Session(region_name=options.region or saved.region or known or None)
    except ProfileNotFound as error:
        raise OperatorError(f"{error}.", "Set AWS_PROFILE to one that `aws configure list-profiles` shows.") from None


def find(options: argparse.Namespace, outside: Outside) -> "Deployed":
    """The deployment that the options choose. Raises OperatorError; whether its stack exists is asked later."""
    saved = SavedConfiguration(ROOT / "samconfig.toml", options.env)
    default = "onethread" if options.env == "prod" else f"onethread-{options.env}"
    return Deployed(options.stack_name or saved.stack or default, saved, _session(options, saved, outside), outside)


class Deployed:
    """One deployment. What is read of it is read once. Raises OperatorError."""

    def __init__(self, name: str, saved: SavedConfiguration, session: Session, outside: Outside) -> None:
        self.name, self.saved, self.session = name, saved, session
        self.account = Account(session)
        self._environ, self._transport = outside.environ, outside.transport

    @cached_property
    def stack(self) -> Stack:
        found = self.account.stack(self.name)
        if found is None:
            raise OperatorError(
                f"There is no stack {self.name} in {self.account.region}.",
                "Choose another --env, --stack-name or --region, or run: make setup.",
            )
        return found

    @property
    def is_known(self) -> bool:
        """Whether the stack was read."""
        return "stack" in self.__dict__

    @cached_property
    def resources(self) -> list[tuple[str, str]]:
        """The type and the physical id of each resource of the stack."""
        return self.account.resources(self.stack.name)

    @cached_property
    def variables(self) -> dict[str, str]:
        """The environment of the reconciler, which knows more than the other functions."""
        name = self.output(RECONCILER_OUTPUT)
        with explained("lambda", "GetFunctionConfiguration"):
            found = self.account.client("lambda").get_function_configuration(FunctionName=name, Qualifier=ALIAS)
        return dict(found["Environment"]["Variables"])

    @cached_property
    def token(self) -> KeptToken:
        name = self.token_parameter(self.stack)
        kept = self.account.kept_token(name)
        if kept is None:
            raise OperatorError(f"There is no parameter {name}, which would hold the bot's token.", "Run: make setup.")
        return kept

    def token_parameter(self, stack: Stack | None) -> str:
        """Where the token is kept: as the stack says, or without one the saved settings, or else where the template expects it."""
        parameters = stack.parameters if stack else self.saved.parameters
        return parameters.get("DiscordBotTokenParameter") or default_token_parameter(self.name)

    @property
    def table_name(self) -> str:
        return self.output(TABLE_OUTPUT)

    def call(self) -> dynamodb.Call:
        """The seam to DynamoDB. Its errors are StoreUnavailable and InvalidCall."""
        return dynamodb.build(SystemClock(), self.session)

    def table(self) -> Table:
        name = self.table_name  # asked first: it says if there is no region
        return Table(self.call(), name)

    def output(self, name: str) -> str:
        """An output of the stack."""
        if name not in self.stack.outputs:
            raise OperatorError(
                f"The stack {self.name} has no output {name}.", "Is it Onethread's? If it is older, run: make setup."
            )
        return str(self.stack.outputs[name])

    def discord(self) -> DiscordApi:
        """Discord, with the bot's own token."""
        try:
            return self.discord_with(self.token.value)
        except DiscordError as error:
            raise OperatorError(f"The token in {self.token.parameter} is none: {error}", "Run: make setup.") from None

    def discord_with(self, token: str) -> DiscordApi:
        """Discord, with another token of the bot's. Raises DiscordError."""
        return DiscordApi(token, url=self._environ.get("DISCORD_API_URL"), transport=self._transport)

    def web(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=TIMEOUT_SECONDS, transport=self._transport)

    def environment(self, kind: type[C], **parts: Any) -> Environment[C]:
        """What a function works with, on this machine. `parts`: of `Environment`. Close it."""
        given = {"DISCORD_API_URL": self._environ.get("DISCORD_API_URL", "")}  # empty: as if it were absent
        try:
            settings = config.load(kind, {**self.variables, **given})
        except ConfigurationError as fault:
            raise OperatorError(
                f"The functions have variables of another version: {fault}", "Run: make setup."
            ) from None
        return Environment(settings, **{"aws": self.session, "transport": self._transport, **parts})
