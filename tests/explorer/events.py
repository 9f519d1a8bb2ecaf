"""What may happen beside the openers: moderators, a person, Discord's memory, time, a lost table, a lie, half a list."""

from collections.abc import Callable, Iterator
from typing import Any

from infra.simulator.models import Thread
from tests.explorer.bounds import Bounds, Left
from tests.explorer.execution import APPLICATION, CHANNEL, LEASE_OVER, NAMES
from tests.explorer.world import World

Event = tuple[str, Callable[[World], None]]


def events(world: World, bounds: Bounds) -> Iterator[Event]:
    """What other people, Discord and time may do now, each as a change of a forked world."""
    left = world.left
    if left.acts:
        yield from _moderators(world, bounds)
    if left.nonce_closes and len(world.discord.state.nonces):
        yield "the nonce window closes", _act("nonce_closes", lambda w: w.discord.close_nonce_window())
    if left.leases_end and world.has_live_lease():
        yield "the leases end", _act("leases_end", _time_passes)
    if left.lose_items and any(item["sk"].startswith("SESSION#") for item in world.table.items()):
        yield "the table is lost", _act("lose_items", _lose)
    if left.stale_search:
        yield "the search's index stops", _act("stale_search", lambda w: w.discord.stop_search_index())
    if left.half_lists:
        yield "the archived pages are half pages", _act("half_lists", _halve_lists)
    if left.lies:
        for thread_id in world.ours:
            if thread_id in world.discord.state.threads and thread_id not in world.discord.state.reported_missing:
                yield f"one 404 lies about {thread_id}", _act("lies", _lying(thread_id))


def _moderators(world: World, bounds: Bounds) -> Iterator[Event]:
    for thread_id in world.ours:
        thread = world.discord.state.threads.get(thread_id)
        if thread is not None:
            yield from _on_our_thread(world.left, bounds, thread, foreign=_is_foreign(world, bounds, thread_id))
    if world.left.delete_persons:
        for thread_id in world.discord.threads:
            if thread_id not in world.ours:
                deletion = _on_thread(thread_id, "delete_thread")
                yield f"a person's {thread_id} is deleted", _act("delete_persons acts", deletion)
    if world.left.delete_message:
        for message in world.discord.messages.values():
            if message.channel_id == CHANNEL and message.author_id == APPLICATION and message.kind == 0:
                yield f"message {message.id} is deleted", _act("delete_message acts", _deleting(message.id))
    if world.left.person and bounds.person_makes:
        name = bounds.person_makes
        yield "a person makes a thread", _act("person acts", lambda w: _person_makes(w, name))


def _on_our_thread(left: Left, bounds: Bounds, thread: Thread, *, foreign: bool) -> Iterator[Event]:
    deletion = "delete_foreign" if foreign else "delete_thread"
    if getattr(left, deletion):
        yield f"{thread.id} is deleted", _act(f"{deletion} acts", _on_thread(thread.id, "delete_thread"))
    if thread.archived:
        return
    renamable = foreign or bounds.foreign is None
    if left.rename and renamable and bounds.rename_to and thread.name != bounds.rename_to:
        yield f"{thread.id} is renamed", _act("rename acts", _on_thread(thread.id, "rename", bounds.rename_to))
    if left.archive:
        yield f"{thread.id} is archived", _act("archive acts", _on_thread(thread.id, "archive"))


def _is_foreign(world: World, bounds: Bounds, thread_id: str) -> bool:
    return bounds.foreign is not None and world.ours[thread_id] == NAMES.parse(bounds.foreign).key


def _act(spends: str, change: Callable[[World], Any]) -> Callable[[World], None]:
    def apply(world: World) -> None:
        world.left = world.left.less(*spends.split())
        change(world)

    return apply


def _on_thread(thread_id: str, act: str, *arguments: str) -> Callable[[World], None]:
    def apply(world: World) -> None:
        getattr(world.discord.people, act)(thread_id, *arguments, now=world.now)

    return apply


def _deleting(message_id: str) -> Callable[[World], None]:
    return lambda world: world.discord.people.delete_message(CHANNEL, message_id, now=world.now)


def _lying(thread_id: str) -> Callable[[World], None]:
    def apply(world: World) -> None:
        world.lied = True
        world.discord.report_missing_once(thread_id)

    return apply


def _halve_lists(world: World) -> None:
    world.lied = True
    world.discord.switch(archived_pages="empty")


def _person_makes(world: World, name: str) -> None:
    people = world.discord.people
    message_id = people.post_message(CHANNEL, "look at this", now=world.now)
    people.create_thread(CHANNEL, name, message_id=message_id, now=world.now)
    world.persons |= {message_id}


def _time_passes(world: World) -> None:
    world.now += LEASE_OVER


def _lose(world: World) -> None:
    """Sessions, pointers and namesakes are gone; the channel's mark is what a backup would have kept."""
    world.lost = True
    world.table.lose(*[(item["pk"], item["sk"]) for item in world.table.items() if item["sk"] != "CHANNEL"])
