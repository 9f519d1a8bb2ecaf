"""A channel as people see it on Discord: each message, and below it its thread, collapsed to a line."""

from collections.abc import Iterator, Mapping

from rich.text import Text

from infra.local.screen import discord_text
from infra.simulator.models import Thread
from infra.simulator.state import State


def draw_threads(state: State, threads: list[Thread], names: Mapping[str, str]) -> Iterator[Text]:
    """The lines of these threads, oldest first; the caller holds the state's lock. `names`: of users and threads, by id."""
    for thread in sorted(threads, key=lambda thread: int(thread.id)):
        source = state.messages.get(thread.id)
        author = thread.owner_id if source is None else source.author_id
        name = "Onethread" if author == state.identity.bot_user_id else names.get(author, "somebody")
        said = "started a thread" if source is None else source.content
        first, *more = discord_text(said, names).split("\n")
        yield Text.assemble((f"{name}  ", "bold"), first)
        yield from more
        yield Text.assemble((f"  ╰─ {thread.name}", "bold"), (f" · {_describe(thread)}", "dim"))


def _describe(thread: Thread) -> str:
    number = thread.message_count
    states = [word for word, holds in (("archived", thread.archived), ("locked", thread.locked)) if holds]
    return " · ".join([f"{number} message{'' if number == 1 else 's'}", *states])
