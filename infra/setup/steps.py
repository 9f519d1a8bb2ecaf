"""The steps of a setup, in their order. See the package for what each does."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from infra.commands.comparison import difference, for_scope
from infra.commands.definitions import COMMANDS
from infra.deployment.account import ENDPOINT_OUTPUT, TABLE_OUTPUT, Stack, functions_at_once
from infra.deployment.deployed import Deployed, default_token_parameter
from infra.deployment.discord_api import DiscordApi, DiscordError
from infra.deployment.errors import OperatorError
from infra.deployment.program import Sleep
from infra.deployment.report import Line, State
from infra.doctor.discord import knock
from infra.interactions import BOT_PERMISSIONS
from infra.register import commands_path, register
from infra.setup.sam import Sam, check_parameters, revision

SCOPES: Final = ("applications.commands", "bot")
ANSWER_SECONDS: Final = 120.0  # a new API and a first cold start take some of them
MIN_UNRESERVED: Final = 100  # places that nobody may reserve (Lambda docs, "Reserved concurrency")
PAUSE_SECONDS: Final = 3.0  # between two looks at the endpoint
_PORTAL: Final = "https://discord.com/developers/applications"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the person asked for."""

    stack: str
    parameters: Mapping[str, str]  # the saved ones with those of --set
    guild: str | None = None  # the commands are registered in it alone
    take_over: bool = False  # the endpoint may be another stack's
    dry_run: bool = False


class Setup:
    """One run. Each step is a method that returns its line of the report, or raises OperatorError."""

    def __init__(
        self,
        wanted: Wanted,
        token: str,
        deployed: Deployed,
        *,
        api: DiscordApi,
        web: httpx.AsyncClient,
        sam: Sam,
        sleep: Sleep,
    ) -> None:
        self._wanted, self._token, self._account, self._saved = wanted, token, deployed.account, deployed.saved
        self._api, self._web, self._sam, self._sleep = api, web, sam, sleep
        self._application: dict[str, Any] = {}
        self._stack: Stack | None = None
        self._parameters = dict(wanted.parameters)

    async def steps(self) -> AsyncIterator[Line]:
        """Do one step after the other. Raises OperatorError where one cannot be done."""
        yield await self._read_application()
        yield self._look_at_account()
        yield self._keep_token()
        yield await self._deploy()
        yield self._protect_table()
        yield await self._set_endpoint()
        yield await self._register()
        yield await self._invite()

    @property
    def invitation(self) -> str:
        """The address at which somebody adds the bot to a server."""
        query = f"client_id={self._application['id']}&scope={'+'.join(sorted(SCOPES, reverse=True))}"
        return f"https://discord.com/oauth2/authorize?{query}&permissions={BOT_PERMISSIONS}"

    # The steps.

    async def _read_application(self) -> Line:
        self._application = await self._ask("GET", "/applications/@me")
        given = {"DiscordApplicationId": self._application["id"], "DiscordPublicKey": self._application["verify_key"]}
        for name, value in given.items():
            if self._parameters.setdefault(name, value) != value:
                raise OperatorError(
                    f"The token belongs to the application {self._application['id']}, and the saved {name} is another's.",
                    "Use that application's token, or another --env or --stack-name for this one.",
                )
        return Line("application", "unchanged", f"{self._application['name']} ({self._application['id']})")

    def _look_at_account(self) -> Line:
        account = self._account.check()
        check_parameters(self._parameters)
        self._stack = self._account.stack(self._wanted.stack)
        if self._stack is not None:
            self._stack.require_deployable()
            owner = self._stack.parameters.get("DiscordApplicationId", self._application["id"])
            if owner != self._application["id"]:
                raise OperatorError(
                    f"The stack {self._wanted.stack} is another application's ({owner}).",
                    "Choose another --stack-name.",
                )
        self._check_endpoint_is_free()
        self._check_concurrency()
        state = "new" if self._stack is None else self._stack.status
        return Line("account", "unchanged", f"{account} in {self._account.region}; stack {self._wanted.stack}: {state}")

    def _check_endpoint_is_free(self) -> None:
        present = self._application.get("interactions_endpoint_url")
        if present and present != self._endpoint() and not self._wanted.take_over:
            raise OperatorError(
                f"The application's endpoint is {present}, which is not this stack's.",
                "If Onethread is to have it, run the setup again with --take-over.",
            )

    def _check_concurrency(self) -> None:
        limit, asked = self._account.concurrency(), functions_at_once(self._in_force)
        kept = max(int(self._in_force.get(name) or 0) for name in ("WebhookReserved", "ProvisionedWebhooks"))
        if kept and limit - kept < MIN_UNRESERVED:
            raise OperatorError(
                f"The account runs {limit} functions at once. AWS keeps {MIN_UNRESERVED} of them free, so it would refuse {kept}.",
                "Ask AWS for more (service quota 'Concurrent executions'), or set WebhookReserved and ProvisionedWebhooks to 0.",
            )
        if asked > limit:
            raise OperatorError(
                f"The account runs {limit} functions at once, and these settings need {asked}.",
                "Ask AWS for more (service quota 'Concurrent executions'), or add --set WorkerConcurrency=2.",
            )

    def _keep_token(self) -> Line:
        name = self._in_force.get("DiscordBotTokenParameter") or default_token_parameter(self._wanted.stack)
        self._parameters["DiscordBotTokenParameter"] = name
        key = self._in_force.get("DiscordBotTokenKeyArn", "")
        other_key = self._stack is not None and self._stack.parameters.get("DiscordBotTokenKeyArn", "") != key
        kept = self._account.token(name)
        if kept == self._token and not other_key:
            return Line("token", "unchanged", name)
        if not self._wanted.dry_run:
            self._account.keep_token(name, self._token, key=key or None)
        how = "kept" if kept is None else "with another key" if kept == self._token else "a new one"
        return Line("token", self._changed, f"{name}: {how}")

    async def _deploy(self) -> Line:
        self._parameters["Revision"] = revision(self._parameters)
        if self._wanted.dry_run:
            before = self._stack.parameters if self._stack else {}
            new = [f"{name}={value}" for name, value in sorted(self._parameters.items()) if before.get(name) != value]
            return Line(
                "stack", "would change", f"build and deploy {self._wanted.stack}; new: {', '.join(new) or 'nothing'}"
            )
        stack = self._wanted.stack  # in threads, so that Ctrl-C ends the setup at once
        await asyncio.to_thread(self._sam.build)
        try:
            changed = await asyncio.to_thread(self._sam.deploy, stack, self._account.region, self._parameters)
        except OperatorError as error:
            reason = None
            with contextlib.suppress(OperatorError):  # what sam says matters more
                reason = self._account.first_failure(stack) if self._account.stack(stack) else None
            raise OperatorError(f"{reason}\n{error}" if reason else str(error), error.cure) from None
        self._saved.save(stack, self._account.region, self._parameters)
        self._stack = self._account.stack(stack)
        if self._endpoint() is None:
            raise OperatorError(f"The stack {stack} has no output {ENDPOINT_OUTPUT}.", "Is it Onethread's?")
        return Line("stack", "changed" if changed else "unchanged", stack)

    def _protect_table(self) -> Line:
        """The template cannot do it: a first deployment that fails has to take its empty table with it."""
        table = self._stack.outputs.get(TABLE_OUTPUT) if self._stack else None
        if table is None:  # a dry run of a new stack
            return Line("table", "would change", "protected against deletion, once it is there")
        if self._account.is_protected(table):
            return Line("table", "unchanged", table)
        if not self._wanted.dry_run:
            self._account.protect(table)
        return Line("table", self._changed, f"{table}: protected against deletion")

    async def _set_endpoint(self) -> Line:
        endpoint = self._endpoint()
        if endpoint is None:  # a dry run of a new stack
            return Line("endpoint", "would change", "the address that the new stack has then")
        if not self._wanted.dry_run:
            await self._wait_for(endpoint)
        if self._application.get("interactions_endpoint_url") == endpoint:
            return Line("endpoint", "unchanged", endpoint)
        if not self._wanted.dry_run:
            await self._change({"interactions_endpoint_url": endpoint})
        return Line("endpoint", self._changed, endpoint)

    async def _wait_for(self, endpoint: str) -> None:
        """Wait until a forged request gets our 401: Discord's own check comes at the moment of the change."""
        answer, waited = "", 0.0
        while waited <= ANSWER_SECONDS:
            if (wrong := await knock(self._web, endpoint)) is None:
                return
            answer = wrong
            await self._sleep(PAUSE_SECONDS)
            waited += PAUSE_SECONDS
        raise OperatorError(
            f"The endpoint {endpoint} does not answer a forged request with 401, but: {answer}.",
            "Look at the webhook's log: docs/operations.md says where it is.",
        )

    async def _register(self) -> Line:
        scope, wanted = self._wanted.guild, for_scope(COMMANDS, self._wanted.guild)
        try:
            path = commands_path(self._application["id"], scope)
            changes = difference(for_scope(await self._api.list("GET", path), scope), wanted)
            if changes and not self._wanted.dry_run:
                await register(self._api, self._application["id"], scope, COMMANDS, dry_run=False)
        except DiscordError as error:
            raise OperatorError(
                f"The commands were not registered: {error}", "Invite the bot to that server first."
            ) from None
        names = ", ".join(command["name"] for command in wanted)
        where = f"in the server {scope}" if scope else "everywhere"
        return Line("commands", self._changed if changes else "unchanged", f"{names} ({where})")

    async def _invite(self) -> Line:
        asked = {"scopes": sorted(SCOPES), "permissions": str(BOT_PERMISSIONS)}
        wanted = {"0": {"oauth2_install_params": asked}}  # 0: to a server (Discord docs, "Application")
        present = (self._application.get("integration_types_config") or {}).get("0") or {}
        found = present.get("oauth2_install_params") or {}
        if sorted(found.get("scopes", ())) == asked["scopes"] and found.get("permissions") == asked["permissions"]:
            return Line("invitation", "unchanged", self.invitation)
        if not self._application.get("bot_public", True):  # such an application has no install link of its own
            return Line("invitation", "unchanged", self.invitation)
        if not self._wanted.dry_run:
            await self._change({"integration_types_config": wanted})
        return Line("invitation", self._changed, self.invitation)

    # Their parts.

    @property
    def _in_force(self) -> Mapping[str, str]:
        """The parameters after the deployment: the stack keeps those that nobody gives, also where none is saved."""
        return {**(self._stack.parameters if self._stack else {}), **self._parameters}

    @property
    def _changed(self) -> State:
        return "would change" if self._wanted.dry_run else "changed"

    def _endpoint(self) -> str | None:
        return self._stack.outputs.get(ENDPOINT_OUTPUT) if self._stack else None

    async def _change(self, change: Mapping[str, Any]) -> None:
        try:
            await self._api.call("PATCH", "/applications/@me", change)
        except DiscordError as error:
            if error.status != 400:
                raise OperatorError(str(error), "Correct that, then run the setup again.") from None
            reasons = ", ".join(re.findall(r"'message': '([^']*)'", str(error.errors))) or str(error)
            raise OperatorError(
                f"Discord refused {', '.join(change)}: {reasons}",
                f"Run the setup again; if it stays so, enter it by hand at {_PORTAL}/{self._application['id']}.",
            ) from None

    async def _ask(self, method: str, path: str) -> dict[str, Any]:
        try:
            return await self._api.call(method, path)
        except DiscordError as error:
            cure = (
                "Reset it on the developer portal's Bot page, and use the new one."
                if error.status == 401
                else "Try again."
            )
            raise OperatorError(str(error), cure) from None
