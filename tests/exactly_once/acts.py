"""What is attacked: opens in different situations, each with the remote calls that it makes when nothing goes wrong."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from handler.sessions.model import Outcome
from tests.kit import virtual_time
from tests.kit.journal import Call
from tests.kit.stage import APPLICATION, MODERATOR, Stage
from tests.kit.table_view import CHANNEL, NAME

FOUND: Final = f"Session {NAME}"
SAID: Final = "a person's words"


@dataclass(frozen=True)
class Act:
    """An open of `NAME`. `prepare` sets the stage; it returns the id of the thread that must stay, if there is one."""

    name: str
    prepare: Callable[[Stage], Coroutine[Any, Any, str | None]]
    outcome: Outcome
    imported: bool = True
    may_unlock: bool = False

    def __str__(self) -> str:
        return self.name

    def stage(self, *, memory: bool = True) -> Stage:
        return Stage(imported=self.imported, memory=memory)


async def _nothing(stage: Stage) -> str | None:
    return None


async def _open(stage: Stage) -> str | None:
    return (await stage.open()).thread_id


async def _archived(stage: Stage) -> str | None:
    thread_id = (await stage.open()).thread_id
    stage.discord.people.auto_archive(thread_id, now=stage.now)
    return thread_id


async def _locked(stage: Stage) -> str | None:
    thread_id = (await stage.open()).thread_id
    stage.discord.people.edit_thread(thread_id, now=stage.now, archived=True, locked=True)
    return thread_id


async def _person_made(stage: Stage) -> str | None:
    message = stage.discord.people.post_message(CHANNEL, SAID, now=stage.now, by=MODERATOR)
    return stage.person_makes(FOUND, message_id=message, archived=True)


async def _lost(stage: Stage) -> str | None:
    thread_id = (await stage.open()).thread_id
    stage.lose_table()
    return thread_id


async def _deleted(stage: Stage) -> str | None:
    stage.discord.people.delete_thread((await stage.open()).thread_id, now=stage.now)
    return None


async def _adopted_and_deleted(stage: Stage) -> str | None:
    await _lost(stage)
    stage.discord.people.delete_thread((await stage.open()).thread_id, now=stage.now)
    return None


async def _persons_and_deleted(stage: Stage) -> str | None:
    await _person_made(stage)
    stage.discord.people.delete_thread((await stage.open()).thread_id, now=stage.now)
    return None


async def _recorded(stage: Stage) -> str | None:
    """Somebody died before the start of the thread, and his lease is over."""
    stage.dies_after = Call("dynamodb", "TransactWriteItems")
    await stage.death(stage.open(owner="who died"))
    await stage.wait(20)
    return None


async def _renamed(stage: Stage) -> str | None:
    """The name is borne by another session's thread."""
    thread_id = (await stage.open("another")).thread_id
    stage.discord.people.rename(thread_id, FOUND, now=stage.now)
    return thread_id


CREATION: Final = Act("creation", _nothing, Outcome.CREATED)
FIRST_CONTACT: Final = Act("first contact with the channel", _nothing, Outcome.CREATED, imported=False)
ENDED: Final = Act("end of a generation", _deleted, Outcome.CREATED)
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
    Act("end of an adopted generation", _adopted_and_deleted, Outcome.CREATED, imported=False),
    Act("end of a person's thread", _persons_and_deleted, Outcome.CREATED),
)


@cache
def calls_of(act: Act) -> tuple[Call, ...]:
    """The remote calls of the act when nothing goes wrong, in the order of their names."""

    async def play(stage: Stage) -> tuple[Call, ...]:
        await act.prepare(stage)
        stage.restart()
        stage.forget()
        opened = await stage.open(may_unlock=act.may_unlock)
        assert opened.outcome is act.outcome, f"{act}: {opened}"
        return tuple(sorted(stage.calls))

    with act.stage() as stage:
        return virtual_time.run(stage.play(play(stage)))


def words_of_people(stage: Stage) -> set[str]:
    """The messages in the channel that the bot must never delete."""
    messages = stage.discord.messages.values()
    return {m.id for m in messages if m.author_id != APPLICATION and m.channel_id == CHANNEL and m.kind == 0}
