"""What is attacked: opens in different situations, each with the remote calls that it makes when nothing goes wrong."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, Literal

from handler.sessions.model import Outcome
from tests.kit.guild import APPLICATION, Guild
from tests.kit.recorded_calls import Call
from tests.kit.table_view import CHANNEL, NAME

FOUND: Final = f"Session {NAME}"
SAID: Final = "a person's words"


@dataclass(frozen=True)
class Act:
    """An open of `NAME`. `prepare` comes before it; it returns the id of the thread that must stay, if there is one."""

    name: str
    prepare: Callable[[Guild], Coroutine[Any, Any, str | None]]
    outcome: Outcome
    imported: bool = True
    may_unlock: bool = False
    kind: int = 0  # of the channel
    private: bool = False

    @property
    def anchored(self) -> bool:
        """Whether a thread is started from a message: else one may be created twice, and an extra one goes later."""
        return self.kind in (0, 5) and not self.private

    @property
    def how(self) -> dict[str, Any]:
        """How each open is made."""
        return {"may_unlock": self.may_unlock, "private": self.private}

    def __str__(self) -> str:
        return self.name

    def guild(self, table: Literal["client", "moto"] = "client") -> Guild:
        return Guild(imported=self.imported, table=table, kind=self.kind)


@cache
def prepared(act: Act) -> tuple[Guild, datetime, str | None]:
    """A guild in which what comes before the act has been, for others to begin as; the moment; the thread that must stay."""

    async def play(guild: Guild) -> tuple[Guild, datetime, str | None]:
        thread_id = await act.prepare(guild)
        return guild, guild.now, thread_id

    with act.guild() as guild:
        return guild.run(play(guild))


async def _nothing(guild: Guild) -> str | None:
    return None


async def _open(guild: Guild) -> str | None:
    return (await guild.open()).thread_id


async def _archived(guild: Guild) -> str | None:
    thread_id = (await guild.open()).thread_id
    guild.people.auto_archive(thread_id)
    return thread_id


async def _locked(guild: Guild) -> str | None:
    thread_id = (await guild.open()).thread_id
    guild.people.edit_thread(thread_id, archived=True, locked=True)
    return thread_id


async def _person_made(guild: Guild) -> str | None:
    message = guild.people.post_message(CHANNEL, SAID)
    return guild.people.create_thread(CHANNEL, FOUND, message_id=message, archived=True)


async def _lost(guild: Guild) -> str | None:
    thread_id = (await guild.open()).thread_id
    guild.table.lose_all()
    return thread_id


async def _deleted(guild: Guild) -> str | None:
    guild.people.delete_thread((await guild.open()).thread_id)
    return None


async def _private_deleted(guild: Guild) -> str | None:
    guild.people.delete_thread((await guild.open(private=True)).thread_id)
    return None


async def _persons_and_deleted(guild: Guild) -> str | None:
    await _person_made(guild)
    guild.people.delete_thread((await guild.open()).thread_id)
    return None


async def _recorded(guild: Guild) -> str | None:
    """Somebody died before the start of the thread, and his lease is over."""
    guild.calls.dies_after = Call("dynamodb", "TransactWriteItems")
    await guild.death(guild.open(owner="who died"))
    await guild.wait(20)
    return None


async def _renamed(guild: Guild) -> str | None:
    """The name is borne by another session's thread."""
    thread_id = (await guild.open("another")).thread_id
    guild.people.rename(thread_id, FOUND)
    return thread_id


CREATION: Final = Act("creation", _nothing, Outcome.CREATED)
FIRST_CONTACT: Final = Act("first contact with the channel", _nothing, Outcome.CREATED, imported=False)
ENDED: Final = Act("end of a generation", _deleted, Outcome.CREATED)
POST: Final = Act("creation of a post", _nothing, Outcome.CREATED, kind=15)
PRIVATE: Final = Act("creation of a private session", _nothing, Outcome.CREATED, private=True)
PRIVATE_AGAIN: Final = Act("end of a private session's generation", _private_deleted, Outcome.CREATED, private=True)
POST_AGAIN: Final = Act("end of a post's generation", _deleted, Outcome.CREATED, kind=15)
ACTS: Final = (
    CREATION,
    FIRST_CONTACT,
    Act("take-over", _recorded, Outcome.CREATED),
    Act("reuse", _open, Outcome.REUSED),
    Act("unarchiving", _archived, Outcome.REOPENED),
    Act("unlocking", _locked, Outcome.REOPENED, may_unlock=True),
    Act("adoption of a person's thread", _person_made, Outcome.ADOPTED),
    Act("adoption after a lost table", _lost, Outcome.ADOPTED, imported=False),
    Act("reuse by another name", _renamed, Outcome.REUSED),
    ENDED,
    Act("end of an adopted generation", _persons_and_deleted, Outcome.CREATED),
    POST,
    POST_AGAIN,
    PRIVATE,
    PRIVATE_AGAIN,
)


@cache
def calls_of(act: Act) -> tuple[Call, ...]:
    """The remote calls of the act when nothing goes wrong, in the order of their names."""

    async def play(guild: Guild) -> tuple[Call, ...]:
        await act.prepare(guild)
        guild.restart()
        guild.calls.forget()
        opened = await guild.open(**act.how)
        assert opened.outcome is act.outcome, f"{act}: {opened}"
        return tuple(sorted(guild.calls))

    with act.guild() as guild:
        return guild.run(play(guild))


def words_of_people(guild: Guild) -> set[str]:
    """The messages in the channel that the bot must never delete."""
    messages = guild.discord.messages.values()
    return {m.id for m in messages if m.author_id != APPLICATION and m.channel_id == CHANNEL and m.kind == 0}
