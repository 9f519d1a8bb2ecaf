"""The steps of a removal, in their order. See the package for what each does."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.deployment.account import ENDPOINT_OUTPUT, POLICY_OUTPUT, TABLE_OUTPUT, Stack
from infra.deployment.deployed import Deployed
from infra.deployment.discord_api import DiscordApi, DiscordError
from infra.deployment.errors import OperatorError
from infra.deployment.report import Line, State
from infra.register import MAX_GUILDS_LOOKED_AT, commands_path, registered_in
from infra.teardown.removal import Removal


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the person asked for. `table`: the name of the table that is to be deleted, too."""

    table: str | None
    dry_run: bool


class Teardown:
    """One run. `api`: Discord; None if there is no token any more."""

    def __init__(self, wanted: Wanted, deployed: Deployed, api: DiscordApi | None, removal: Removal) -> None:
        self._wanted, self._deployed, self._api, self._removal = wanted, deployed, api, removal
        self._stack: Stack | None = None

    async def steps(self) -> AsyncIterator[Line]:
        """Do one step after the other. Raises OperatorError where one cannot be done."""
        self._stack = self._deployed.account.stack(self._deployed.name)
        self._check_table()
        async for step in self._leave_discord():
            yield step
        yield self._detach_policy()
        yield await self._delete_stack()
        yield self._delete_token()
        yield await self._delete_table()

    @property
    def _table(self) -> str | None:
        """The table, as far as the stack is still there to say it."""
        return (self._stack.outputs.get(TABLE_OUTPUT) if self._stack else None) or self._wanted.table

    def _check_table(self) -> None:
        if self._wanted.table is not None and self._wanted.table != self._table:
            raise OperatorError(
                f"The stack's table is {self._table}, not {self._wanted.table}.", "Give that name, or leave it out."
            )

    async def _leave_discord(self) -> AsyncIterator[Line]:
        if self._api is None:
            yield Line("endpoint", "unchanged", "no token is kept any more, so Discord was not asked")
            return
        try:
            application = await self._api.call("GET", "/applications/@me")
            present = application.get("interactions_endpoint_url")
            ours = self._stack.outputs.get(ENDPOINT_OUTPUT) if self._stack else None
            if present and present != ours:
                yield Line("endpoint", "unchanged", f"{present} is not this stack's: it stays, and the commands too")
                return
            if present and not self._wanted.dry_run:
                await self._api.call("PATCH", "/applications/@me", {"interactions_endpoint_url": None})
            yield Line("endpoint", self._changed if present else "unchanged", present or "Discord has none")
            yield await self._remove_commands(self._api, application)
        except DiscordError as error:
            kept = f"--name {self._deployed.token_parameter(self._stack)} --region {self._deployed.account.region}"
            cure = (
                "Set DISCORD_BOT_TOKEN to the present one, then run this again. If the application is deleted, run before "
                f"that: aws ssm delete-parameter {kept}"
                if error.status == 401
                else "Correct that, then run this again."
            )
            raise OperatorError(str(error), cure) from None

    async def _remove_commands(self, api: DiscordApi, application: Mapping[str, Any]) -> Line:
        guilds = await api.list("GET", f"/users/@me/guilds?limit={MAX_GUILDS_LOOKED_AT}")
        scopes = [None, *(guild["id"] for guild in guilds)]
        used = [scope for scope in scopes if await registered_in(api, application["id"], scope)]
        for scope in used if not self._wanted.dry_run else ():
            await api.list("PUT", commands_path(application["id"], scope), [])
        where = ", ".join(f"in the server {scope}" if scope else "everywhere" for scope in used)
        return Line("commands", self._changed if used else "unchanged", where or "none is registered")

    def _detach_policy(self) -> Line:
        policy = self._stack.outputs.get(POLICY_OUTPUT) if self._stack else None
        holders = self._removal.holders(policy) if policy else []
        for holder in holders if policy and not self._wanted.dry_run else ():
            self._removal.detach(policy or "", holder)
        names = ", ".join(name for _, name in holders)
        return Line("policy", self._changed if holders else "unchanged", names or "no program has it")

    async def _delete_stack(self) -> Line:
        name = self._deployed.name
        if self._stack is None:
            return Line("stack", "unchanged", f"there is no {name}")
        if self._stack.status.endswith("_IN_PROGRESS") and self._stack.status != "DELETE_IN_PROGRESS":
            self._stack.require_deployable()
        if not self._wanted.dry_run:
            await self._removal.delete_stack(self._stack)
        return Line("stack", self._changed, name)

    def _delete_token(self) -> Line:
        name = self._deployed.token_parameter(self._stack)
        if self._wanted.dry_run:
            there = self._deployed.account.kept_token(name) is not None
        else:
            there = self._removal.delete_parameter(name)
        return Line("token", self._changed if there else "unchanged", name if there else f"there is no {name}")

    async def _delete_table(self) -> Line:
        name = self._table
        if name is None:
            return Line("table", "unchanged", "if there was one, it is kept: --delete-table NAME deletes it")
        described = self._removal.table(name)
        if described is None:
            return Line("table", "unchanged", f"there is no {name}")
        if self._wanted.table is None:
            return Line(
                "table", "unchanged", f"{name} is kept: --delete-table {name} deletes it, with all that it knows"
            )
        if not self._wanted.dry_run:
            await self._removal.delete_table(name, described)
        return Line("table", self._changed, f"{name} and all that it knows")

    @property
    def _changed(self) -> State:
        return "would change" if self._wanted.dry_run else "changed"
