"""The steps of the tour, in the order in which they are played: each does something, shows it, and checks it."""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Final

from rich.text import Text

from infra.local import crash
from infra.local.people import Seen, call
from infra.local.tour import CROWD, MONA, OMAR, PLACE, THINKING, VERA, Tour

NAME: Final = "1a06a43"
INCIDENT: Final = "incident 42"
SLOWNESS: Final = 0.9  # seconds for each answer of Discord's: too slow for a creation within the webhook's 2.4
RENAMED: Final = f"Session {NAME}: login bug"
TICKET: Final = "ticket 9"
NIGHT: Final = "night shift"
NIGHT_RENAMED: Final = f"Session {NIGHT}: disk full"


def first_open(tour: Tour) -> None:
    tour.screen.step("A first open")
    told = tour.open(MONA, NAME, topic="login fails after a reset")
    tour.check("one thread, linked, under one message of the bot's", told.made and tour.messages() == [told.thread])


def the_same_again(tour: Tour) -> None:
    tour.screen.step("The same again, by somebody else, in another spelling")
    told = tour.open(OMAR, f"Session {NAME.upper()}", session=NAME)
    tour.check("the same thread; no other was made", not told.made and len(tour.living()) == 1)
    tour.check("one question to Discord, one to DynamoDB", (told.cost.discord, told.cost.dynamodb) == (1, 1))


def fifty_at_once(tour: Tour) -> None:
    tour.screen.step("Fifty people at once, on one new name")
    tour.wait_until_warm()
    tour.screen.did("50 people", f"/session open name:{INCIDENT}")
    tour.screen.note("each request in an environment of its own, as on Lambda")
    before, meter, start = tour.living(), tour.meter(), Barrier(len(CROWD))

    def ask(person: int) -> list[Seen]:
        start.wait()
        return tour.discord.insist(CROWD[person], PLACE, INCIDENT)

    with ThreadPoolExecutor(len(CROWD)) as pool, tour.screen.waiting("fifty people are waiting"):
        answers = list(pool.map(ask, range(len(CROWD))))
    cost, seen = meter.cost(), [one[-1] for one in answers]
    linked = [tour.remember(PLACE, INCIDENT, one) for one in seen]
    _show_crowd(tour, seen)
    if again := sum(len(one) > 1 for one in answers):
        tour.screen.note(f"{again} of them had to ask twice: this machine is busy, and Discord waits 3 s")
    made = set(tour.living()) - set(before)
    tour.screen.cost(f"{len(made)} new thread", cost)
    tour.check("one thread was made, and all fifty were sent to it", len(made) == 1 and set(linked) == made)
    tour.check("one message was posted in the channel", len(tour.messages()) == len(before) + 1)


def _show_crowd(tour: Tour, seen: list[Seen]) -> None:
    """The different answers, and how many read each."""
    for text, number in Counter(one.text for one in seen).most_common():
        shown = next(one for one in seen if one.text == text)
        tour.screen.saw({**(shown.message or {}), "content": f"{number} × {text}", "components": []}, tour.names())
    late = [one for one in seen if one.deferred]
    slowest = max(one.first_after for one in seen)
    tour.screen.note(f"slowest first answer {slowest:.2f} s; {len(late)} of them “thinking…” at first")


def archived(tour: Tour) -> None:
    tour.screen.step("Archived")
    thread = tour.thread(NAME).id
    tour.act(VERA, "archives the thread", "archive", thread)
    told = tour.open(MONA, NAME)
    tour.check("the same thread, open again", told.thread == thread and not tour.thread(NAME).archived)


def locked(tour: Tour) -> None:
    tour.screen.step("Locked by a moderator")
    thread = tour.thread(NAME).id
    tour.act(VERA, "locks the thread", "lock", thread)
    told = tour.open(MONA, NAME)
    still = tour.thread(NAME).locked
    tour.check("linked, still locked, and the answer says who can help", still and "Manage Threads" in told.text)
    told = tour.open(VERA, NAME)
    tour.check("a moderator's open unlocks it", told.thread == thread and not tour.thread(NAME).locked)


def renamed(tour: Tour) -> None:
    tour.screen.step("Renamed")
    thread = tour.thread(NAME).id
    tour.act(VERA, f"renames the thread to “{RENAMED}”", "rename", thread, RENAMED)
    by_old = tour.open(MONA, NAME)
    by_new = tour.open(OMAR, RENAMED.removeprefix("Session "), session=NAME)
    tour.check("by its old name and by its new one: the same thread", by_old.thread == by_new.thread == thread)


def deleted(tour: Tour) -> None:
    tour.screen.step("Deleted")
    thread = tour.thread(NAME).id
    tour.act(VERA, "deletes the thread", "delete_thread", thread)
    tour.forget(NAME)
    told = tour.open(MONA, NAME)
    gone = thread not in tour.living() and thread not in tour.messages()
    tour.check("a new thread; of the old one nothing is left", told.made and gone)


def reconciled(tour: Tour) -> None:
    tour.screen.step("The schedule: nobody has to ask")
    thread = tour.open(MONA, NIGHT).thread or ""
    tour.act(VERA, f"renames the thread to “{NIGHT_RENAMED}”", "rename", thread, NIGHT_RENAMED)
    tour.reconcile()
    tour.check("the table has the new name", tour.on_record(NIGHT).get("thread_name") == NIGHT_RENAMED)
    tour.act(VERA, "deletes the thread", "delete_thread", thread)
    tour.forget(NIGHT)
    tour.reconcile()
    tour.check("the table knows that it is gone", tour.on_record(NIGHT).get("status") == "vacant")
    tour.check("and nothing is left in the channel", thread not in tour.messages())
    told = tour.open(OMAR, NIGHT)
    tour.check("the next open makes a new one", told.made)


def duplicates(tour: Tour) -> None:
    """Before Onethread there was a bot that answered each request with a new thread."""
    tour.screen.step("Duplicates from before")
    kept = tour.open(MONA, TICKET).thread or ""
    for _ in range(2):
        tour.act(
            OMAR, f"makes another thread “Session {TICKET}”", "create_thread", PLACE.channel_id, f"Session {TICKET}"
        )
    tour.reconcile()
    others = sorted(id for id, name in tour.living().items() if name == f"Session {TICKET}" and id != kept)
    tour.screen.did(VERA.name, "/session-admin duplicates")
    listed = tour.discord.read(tour.discord.administer(VERA, PLACE, "duplicates"))
    tour.screen.saw(listed.message, tour.names())
    tour.check("all three are listed, nothing is changed", all(id in listed.text for id in (kept, *others)))
    tour.screen.did(VERA.name, "presses the button")
    meter = tour.meter()
    with tour.screen.waiting(THINKING):
        done = tour.discord.press(VERA, PLACE, listed.message or {})
    tour.screen.saw(done.message, tour.names())
    tour.screen.cost("two threads merged", meter.cost())
    tour.check("one thread bears the name", [i for i, n in tour.living().items() if n == f"Session {TICKET}"] == [kept])
    tour.check("the others are archived and locked", all(tour.is_shut(thread) for thread in others))
    tour.merged |= set(others)
    told = tour.open(MONA, TICKET)
    tour.check("it is the one that opens", told.thread == kept and not told.made)


def permission_taken_away(tour: Tour) -> None:
    tour.screen.step("A permission taken away")
    thread, before = tour.linked[PLACE.channel_id, NAME][-1], tour.living()
    with tour.without("CREATE_PUBLIC_THREADS"):
        told = tour.open(MONA, "brand new")
    tour.check("named, before anything was written or asked", "Create Public Threads" in told.text)
    with tour.without("VIEW_CHANNEL"):
        told = tour.open(MONA, NAME)
    tour.check("refused, with what to do", told.thread is None and "View Channel" in told.text)
    told = tour.open(MONA, NAME)
    tour.check("nothing was forgotten: the same thread", told.thread == thread and tour.living() == before)


def slow_discord(tour: Tour) -> None:
    tour.screen.step("A slow Discord")
    tour.screen.note(f"each of Discord's answers takes {SLOWNESS} s longer; an interaction must be answered within 3 s")
    tour.stack.discord.slow = dict.fromkeys((PLACE.guild_id, PLACE.channel_id), SLOWNESS)
    told = tour.open(MONA, "slow morning")
    tour.stack.discord.slow = {}
    tour.check(
        "deferred in time, finished by the worker", told.seen.deferred and told.seen.first_after < 3 and told.made
    )


def program(tour: Tour) -> None:
    tour.screen.step("A program asks")
    request = {"session_name": "build 7", "parent_channel_id": PLACE.channel_id, "request_id": "ci-build-7"}
    tour.screen.did("a CI job", "invokes EnsureFunction")
    tour.screen.note(json.dumps(request)[1:-1])
    meter = tour.meter()
    answered = call("POST", f"{tour.stack.invocations.url}/2015-03-31/functions/EnsureFunction/invocations", request)
    cost, thread = meter.cost(), answered.get("thread", {})
    shown = {"outcome": answered.get("outcome"), **thread, **answered.get("error", {})}
    tour.screen.quote([Text(f"{name}: {value}") for name, value in shown.items()])
    tour.screen.cost("a new thread", cost)
    tour.linked[PLACE.channel_id, "build 7"].append(thread["id"])
    told = tour.open(MONA, "build 7")
    tour.check("a person finds the program's thread", told.thread == thread["id"] and not told.made)


def crashed(tour: Tour) -> None:
    tour.screen.step("A crash between Discord's answer and the table")
    tour.screen.note("in another server, since the tour began: its function dies once the thread is started")
    with tour.screen.waiting("the dead one's lease runs out (10 s)"):
        happened = tour.scene.result()
    living = tour.stack.discord.living(crash.PLACE.channel_id)
    tour.screen.did(OMAR.name, f"/session open name:{crash.NAME}")
    tour.screen.note(f"kill -9 {happened.killed}: the thread is there, the table does not know of it")
    tour.screen.saw(happened.first.message, tour.names())
    tour.screen.did(OMAR.name, f"/session open name:{crash.NAME}     (again, at once)")
    tour.screen.saw(happened.second.message, tour.names(), first=THINKING)
    thread = tour.remember(crash.PLACE, crash.NAME, happened.second)
    tour.screen.cost("a thread that was there", happened.cost)
    tour.check("the dead one's thread was taken over", list(happened.orphans) == list(living) == [thread])


def table_wiped(tour: Tour) -> None:
    tour.screen.step("The table wiped")
    thread, before = tour.thread(INCIDENT).id, tour.living()
    items = call("DELETE", f"{tour.stack.aws_url}/_/items")
    tour.screen.did("an accident", f"deletes all {items} items of the table")
    told = tour.open(MONA, INCIDENT)
    tour.check("found by its name and adopted: no second thread", told.thread == thread and tour.living() == before)


def the_end(tour: Tour) -> None:
    """All that was said, against all that there is."""
    tour.screen.step("What is left")
    rows = []
    straight = True
    for (channel, name), linked in tour.linked.items():
        living = tour.stack.discord.living(channel)
        alive = sorted(set(linked) & set(living))
        rows.append([name, str(len(linked)), str(len(alive)), living[alive[0]] if alive else ""])
        straight = straight and len(alive) == 1 and set(linked) == set(alive)
    tour.screen.table(["session", "links given", "living threads", "its thread"], rows)
    sessions = Counter(channel for channel, _ in tour.linked)
    threads = {channel: sorted(set(tour.stack.discord.living(channel)) - tour.merged) for channel in sessions}
    messages = {channel: sorted(tour.stack.discord.messages(channel)) for channel in sessions}
    tour.check("every link leads to its session's one living thread", straight)
    tour.check(
        f"{sum(sessions.values())} sessions, {sum(map(len, threads.values()))} threads, none besides",
        all(len(threads[channel]) == number for channel, number in sessions.items()),
    )
    tour.check(
        f"{sum(map(len, messages.values()))} messages of the bot's in the channels, one above each thread",
        all(messages[channel] == threads[channel] for channel in sessions),
    )


STEPS: Final[tuple[Callable[[Tour], None], ...]] = (
    first_open,
    the_same_again,
    fifty_at_once,
    archived,
    locked,
    renamed,
    deleted,
    reconciled,
    duplicates,
    permission_taken_away,
    slow_discord,
    program,
    crashed,
    table_wiped,
    the_end,
)
