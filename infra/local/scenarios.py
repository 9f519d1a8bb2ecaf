"""The scenarios of the tour, and the order in which they are played."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Final

from rich.text import Text

from infra.local import crash_scenario
from infra.local.day_scenarios import DAY_SCENARIOS
from infra.local.discord_client import Answer
from infra.local.http_client import call, invoke_function
from infra.local.people import MONA, OMAR, VERA
from infra.local.question_scenarios import QUESTION_SCENARIOS
from infra.local.tour import CHANNEL, CROWD, THINKING, Scenario, Tour

NAME: Final = "1a06a43"
INCIDENT: Final = "incident 42"
DELAY_SECONDS: Final = 0.9  # of each of Discord's answers: too slow for a creation within the webhook's 2.4 seconds
RENAMED: Final = f"Session {NAME}: login bug"
TICKET: Final = "ticket 9"
NIGHT: Final = "night shift"
NIGHT_RENAMED: Final = f"Session {NIGHT}: disk full"


def first_open(tour: Tour) -> None:
    opened = tour.open(MONA, NAME, topic="login fails after a reset")
    tour.show_channel(*tour.threads())
    tour.check("one thread under one message", opened.created and tour.bot_messages() == [opened.thread])


def same_name(tour: Tour) -> None:
    opened = tour.open(OMAR, f"Session {NAME.upper()}", session=NAME)
    tour.check("the same thread, and no other", not opened.created and len(tour.threads()) == 1)
    if opened.times == 1 and not opened.answer.deferred:  # else this machine is busy, and the long way costs more
        tour.check("one call to Discord, one to DynamoDB", (opened.cost.discord, opened.cost.dynamodb) == (1, 1))


def fifty_at_once(tour: Tour) -> None:
    tour.wait_until_warm()
    tour.screen.action("50 users", f"/session open name:{INCIDENT}")
    tour.screen.hint("Each request runs in a process of its own, as on Lambda.")
    before, counter, start = tour.threads(), tour.counter(), Barrier(len(CROWD))

    def open_incident(number: int) -> list[Answer]:
        start.wait()
        return tour.discord.open_and_retry(CROWD[number], CHANNEL, INCIDENT)

    with ThreadPoolExecutor(len(CROWD)) as pool, tour.screen.spinner("fifty users are waiting"):
        attempts = list(pool.map(open_incident, range(len(CROWD))))
    cost, answers = counter.cost(), [answers[-1] for answers in attempts]
    linked = [tour.remember_link(CHANNEL, INCIDENT, answer) for answer in answers]
    _show_crowd(tour, answers)
    if repeated := sum(len(answers) > 1 for answers in attempts):
        tour.screen.hint(f"{repeated} had to ask twice: this machine is busy, and Discord waits only 3 s.")
    created = set(tour.threads()) - set(before)
    tour.screen.cost(f"{len(created)} new thread", cost, varies=True)
    tour.show_channel(*created)
    tour.check("one thread, and all fifty got its link", len(created) == 1 and set(linked) == created)
    tour.check("one message in the channel", len(tour.bot_messages()) == len(before) + 1)


def _show_crowd(tour: Tour, answers: list[Answer]) -> None:
    """Show the different answers, and how many users read each."""
    for text, number in Counter(answer.text for answer in answers).most_common():
        example = next(answer for answer in answers if answer.text == text)
        message = {**(example.message or {}), "content": f"{number} × {text}", "components": []}
        tour.screen.message(message, tour.names())
    deferred = sum(answer.deferred for answer in answers)
    slowest = max(answer.first_after for answer in answers)
    tour.screen.measurement(f"slowest first answer: {slowest:.2f} s; answered “thinking…” first: {deferred}")


def archived(tour: Tour) -> None:
    thread = tour.thread(NAME).id
    tour.act(VERA, "archives the thread", "archive", thread)
    tour.show_channel(thread)
    opened = tour.open(MONA, NAME)
    tour.check("the same thread, open again", opened.thread == thread and not tour.thread(NAME).archived)


def locked(tour: Tour) -> None:
    thread = tour.thread(NAME).id
    tour.act(VERA, "locks the thread", "lock", thread)
    opened = tour.open(MONA, NAME)
    is_locked = tour.thread(NAME).locked
    tour.check("still locked; the answer says who can unlock it", is_locked and "moderator" in opened.text)
    opened = tour.open(VERA, NAME)
    tour.check("a moderator's open unlocks it", opened.thread == thread and not tour.thread(NAME).locked)


def renamed(tour: Tour) -> None:
    thread = tour.thread(NAME).id
    tour.act(VERA, f"renames the thread to “{RENAMED}”", "rename", thread, RENAMED)
    tour.show_channel(thread)
    by_old_name = tour.open(MONA, NAME)
    by_new_name = tour.open(OMAR, RENAMED.removeprefix("Session "), session=NAME)
    tour.check("both names lead to the same thread", by_old_name.thread == by_new_name.thread == thread)


def deleted(tour: Tour) -> None:
    thread = tour.thread(NAME).id
    tour.act(VERA, "deletes the thread", "delete_thread", thread)
    tour.forget_links(NAME)
    opened = tour.open(MONA, NAME)
    tour.show_channel(thread, opened.thread or "")
    is_gone = thread not in tour.threads() and thread not in tour.bot_messages()
    tour.check("a new thread; nothing of the old one is left", opened.created and is_gone)


def reconciled(tour: Tour) -> None:
    thread = tour.open(MONA, NIGHT).thread or ""
    tour.act(VERA, f"renames the thread to “{NIGHT_RENAMED}”", "rename", thread, NIGHT_RENAMED)
    tour.reconcile()
    tour.check("the table has the new name", tour.session_item(NIGHT).get("thread_name") == NIGHT_RENAMED)
    tour.act(VERA, "deletes the thread", "delete_thread", thread)
    tour.forget_links(NIGHT)
    tour.reconcile()
    tour.check("the table knows that the thread is gone", tour.session_item(NIGHT).get("status") == "vacant")
    tour.check("nothing is left in the channel", thread not in tour.bot_messages())
    opened = tour.open(OMAR, NIGHT)
    tour.check("the next open creates a new thread", opened.created)


def duplicates(tour: Tour) -> None:
    """Threads as another bot left them, which answered each request with a new one."""
    name = f"Session {TICKET}"
    kept = tour.open(MONA, TICKET).thread or ""
    for _ in range(2):
        tour.act(OMAR, f"creates another thread “{name}”", "create_thread", CHANNEL.id, name)
    tour.reconcile()
    others = sorted(id for id, shown in tour.threads().items() if shown == name and id != kept)
    tour.screen.action(VERA.name, "/session-admin duplicates")
    listed = tour.discord.wait(tour.discord.use(VERA, CHANNEL, "session-admin duplicates"))
    tour.screen.message(listed.message, tour.names())
    tour.show_channel(kept, *others)
    tour.check("all three are listed, nothing is changed", all(id in listed.text for id in (kept, *others)))
    tour.screen.action(VERA.name, "presses the button")
    counter = tour.counter()
    with tour.screen.spinner(THINKING):
        merged = tour.discord.press(VERA, CHANNEL, listed.message or {})
    tour.screen.message(merged.message, tour.names())
    tour.screen.cost("two threads merged", counter.cost())
    tour.show_channel(kept, *others)
    tour.check("one thread has the name", [id for id, shown in tour.threads().items() if shown == name] == [kept])
    tour.check("the others are archived and locked", all(map(tour.is_archived_and_locked, others)))
    tour.merged |= set(others)
    opened = tour.open(MONA, TICKET)
    tour.check("open leads to the kept thread", opened.thread == kept and not opened.created)


def missing_permission(tour: Tour) -> None:
    thread, before = tour.thread(NAME).id, tour.threads()
    with tour.without("CREATE_PUBLIC_THREADS"):
        opened = tour.open(MONA, "brand new")
    tour.check("the answer names it, before any call to Discord", "Create Public Threads" in opened.text)
    with tour.without("VIEW_CHANNEL"):
        opened = tour.open(MONA, NAME)
    tour.check("refused; the answer says what to do", opened.thread is None and "View Channel" in opened.text)
    opened = tour.open(MONA, NAME)
    tour.check("nothing was forgotten: the same thread", opened.thread == thread and tour.threads() == before)


def slow_discord(tour: Tour) -> None:
    tour.screen.hint(f"Each of Discord's answers takes {DELAY_SECONDS} s longer; Discord waits 3 s for ours.")
    tour.stack.discord.delays = dict.fromkeys((CHANNEL.guild_id, CHANNEL.id), DELAY_SECONDS)
    opened = tour.open(MONA, "slow morning")
    tour.stack.discord.delays = {}
    in_time = opened.answer.deferred and opened.answer.first_after < 3
    tour.check("deferred in time; the worker finished it", (in_time or opened.times > 1) and opened.created)


def program(tour: Tour) -> None:
    request = {"session_name": "build 7", "parent_channel_id": CHANNEL.id, "request_id": "ci-build-7"}
    tour.screen.action("a CI job", "invokes ApiFunction")
    tour.screen.hint(json.dumps(request)[1:-1])
    counter = tour.counter()
    answered = invoke_function(tour.stack.invocations.url, "ApiFunction", request)
    cost, thread = counter.cost(), answered.get("thread", {})
    shown = {"outcome": answered.get("outcome"), **thread, **answered.get("error", {})}
    tour.screen.quote([Text(f"{name}: {value}") for name, value in shown.items()])
    tour.screen.cost("new thread", cost)
    tour.links[CHANNEL.id, "build 7"].append(thread["id"])
    opened = tour.open(MONA, "build 7")
    tour.check("a user finds the program's thread", opened.thread == thread["id"] and not opened.created)


def crashed(tour: Tour) -> None:
    tour.screen.hint("In another server, since the tour began: the function is killed once the thread is started.")
    with tour.screen.spinner("waiting until the killed function's lease runs out (10 s)"):
        crash = tour.crash.result()
    threads = tour.stack.discord.thread_names(crash_scenario.CHANNEL.id)
    command = f"/session open name:{crash_scenario.NAME}"
    tour.screen.action(OMAR.name, command)
    tour.screen.hint(f"kill -9 {crash.killed_pid}: the thread exists, the table does not know it.")
    tour.screen.message(crash.first.message, tour.names())
    tour.screen.action(OMAR.name, f"{command}     (again, at once)")
    tour.screen.message(crash.second.message, tour.names(), first=THINKING)
    thread = tour.remember_link(crash_scenario.CHANNEL, crash_scenario.NAME, crash.second)
    tour.screen.cost("existing thread", crash.cost)
    tour.check("the killed function's thread is used", list(crash.threads_at_crash) == list(threads) == [thread])


def lost_table(tour: Tour) -> None:
    thread, before = tour.thread(INCIDENT).id, tour.threads()
    ids = sorted(tour.stack.discord.ids_in(CHANNEL.guild_id))
    items = call("DELETE", f"{tour.stack.aws_url}/_/items", ids)
    tour.screen.action("an accident", f"deletes all {items} items of this server")
    opened = tour.open(MONA, INCIDENT)
    tour.check("found by its name; no second thread", opened.thread == thread and tour.threads() == before)


def summary(tour: Tour) -> None:
    """Compare all links that were given with all threads and messages that exist."""
    rows = []
    all_lead_to_one = True
    for (channel, name), links in tour.links.items():
        threads = tour.stack.discord.thread_names(channel)
        existing = sorted(set(links) & set(threads))
        rows.append([name, str(len(links)), str(len(existing)), threads[existing[0]] if existing else ""])
        all_lead_to_one = all_lead_to_one and len(existing) == 1 and set(links) == set(existing)
    tour.screen.table(["session", "links given", "threads", "name of the thread"], rows)
    sessions = Counter(channel for channel, _ in tour.links)
    existing_threads = {
        channel: sorted(set(tour.stack.discord.thread_names(channel)) - tour.merged) for channel in sessions
    }
    messages = {channel: sorted(tour.stack.discord.bot_messages(channel)) for channel in sessions}
    tour.check("every link leads to its session's one thread", all_lead_to_one)
    tour.check(
        f"{sum(sessions.values())} sessions, {sum(map(len, existing_threads.values()))} threads, no others",
        all(len(existing_threads[channel]) == number for channel, number in sessions.items()),
    )
    tour.check(
        f"{sum(map(len, messages.values()))} messages of the bot in the channels, one above each thread",
        messages == existing_threads,
    )


SCENARIOS: Final = (
    Scenario("A first open", first_open),
    Scenario("The same name, by somebody else, spelled differently", same_name),
    Scenario("Fifty users at once, with one new name", fifty_at_once),
    Scenario("Archived", archived),
    Scenario("Locked by a moderator", locked),
    Scenario("Renamed", renamed),
    Scenario("Deleted", deleted),
    Scenario("Reconciled on schedule: nobody has to ask", reconciled),
    Scenario("Duplicates from before", duplicates),
    Scenario("A missing permission", missing_permission),
    Scenario("A slow Discord", slow_discord),
    Scenario("A program asks", program),
    *DAY_SCENARIOS,
    *QUESTION_SCENARIOS,
    Scenario("A crash between Discord's answer and the table", crashed),
    Scenario("The table is lost", lost_table),
    Scenario("What is left", summary),
)
