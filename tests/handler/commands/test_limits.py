"""Everything the bot shows fits Discord's limits, however long the names, topics and counts are that it is made of."""

import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler import errors
from handler.commands import (
    admin_texts,
    change_texts,
    delete_texts,
    info_texts,
    list_texts,
    report_texts,
    settings_texts,
    status_texts,
    texts,
)
from handler.commands.list_buttons import Wanted
from handler.discord.markdown import ELLIPSIS
from handler.discord.permissions import Permission
from handler.discord.responses import is_layout, message
from handler.errors import InvalidName
from handler.runtime.utf16 import utf16_units
from handler.sessions.duplicates.group import Duplicates, Group, OtherThread, build_link, name_merged
from handler.sessions.model import Ending, Opened, OpenRequest, Outcome, Requester
from handler.sessions.names import Names
from handler.sessions.overview.choose import Page, State
from handler.sessions.overview.report import Figures
from handler.sessions.overview.server import ServerStatus
from handler.sessions.settings import Settings
from handler.sessions.threads.source_message import describe_close, describe_session
from handler.store.guilds import GuildItem
from handler.store.items import ChannelItem, Session, session_attributes, session_from_item
from handler.store.settings import ChannelSettings
from infra.simulator.components import check_components
from tests.kit import samples

MAX_CONTENT: Final = 2000
MAX_LABEL: Final = 80
MAX_CUSTOM_ID: Final = 100
MAX_THREAD_NAME_UNITS: Final = 100
MAX_TOPIC_LENGTH: Final = 300
MAX_REASON_LENGTH: Final = 300
AT: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
MAX_ID: Final = str(2**64 - 1)
MAX_LABEL_LENGTH: Final = 100  # longer than any that a program may give itself
COUNTS: Final = '{"looked_at":1000000,"UpdateSession":1000000,"EndGeneration":1000000,"failed":1000000}'
LONG: Final = ["x" * 92, "*" * 92, "🧵" * 46, "_ " * 46, "ﷺ" * 30, "@" * 92, "\\" * 92, "<" * 92, "İ" * 92]

NAMES: Final = Names("Session ")


def is_name(text: str) -> bool:
    try:
        NAMES.parse(text)
    except InvalidName:
        return False
    return True


names = st.sampled_from(LONG) | st.text(min_size=1, max_size=92).filter(is_name)
counts = st.sampled_from([0, 1, 2, 1000, 10**9]) | st.integers(0, 10**12)
topics = st.text(max_size=MAX_TOPIC_LENGTH) | st.sampled_from("*<🧵_a").map(lambda c: c * MAX_TOPIC_LENGTH)
waits = st.floats(0, 10**7)
progress = st.fixed_dictionaries({"threads": counts, "sessions": counts, "merged": counts, "pages": counts})


@st.composite
def opens(draw: st.DrawFn) -> Opened:
    name = NAMES.parse(draw(names))
    session = samples.session(
        session_name=name.spelling, session_key=name.key, guild_id=MAX_ID, discord_thread_id=MAX_ID, topic=draw(topics)
    )
    return Opened(
        outcome=draw(st.sampled_from(Outcome)),
        session=session,
        requested_key=draw(st.just(name.key) | names.map(NAMES.key)),
        unlocked=draw(st.booleans()),
        after_deletion=draw(st.booleans()),
        waited=draw(st.booleans()),
    )


def threads(number: int, count: int) -> list[OtherThread]:
    ids = [str(2**64 - 1 - n) for n in range(number)]
    return [OtherThread(samples.thread(i, message_count=count, archived=True, locked=True), None) for i in ids]


@st.composite
def duplicates(draw: st.DrawFn) -> Duplicates:
    def one(text: str, others: int, on_record: bool, count: int) -> Group:
        name = NAMES.parse(text)
        kept, *rest = threads(others + 1, count)
        return Group(
            session_key=name.key,
            session=samples.session(session_name=name.spelling, session_key=name.key) if on_record else None,
            kept=kept.thread,
            on_record=on_record,
            others=tuple(rest),
        )

    some = st.builds(one, names, st.integers(1, 12), st.booleans(), counts)
    same = st.builds(lambda group, times: [group] * times, some, st.integers(1, 300))
    return Duplicates(tuple(draw(st.lists(some, max_size=8) | same)), unread=draw(counts))


@st.composite
def statuses(draw: st.DrawFn) -> ServerStatus:
    sessions = [opened.session for opened in draw(st.lists(opens(), max_size=7))]
    channel = ChannelItem(channel_id=MAX_ID, guild_id=MAX_ID, kind=0)
    at = st.none() | st.just("2026-11-23T12:00:00.000Z")
    return ServerStatus(
        guild=GuildItem(
            guild_id=MAX_ID, due_at=draw(at), reconciled_at=draw(at), parked=draw(st.integers(0, 2)), run_counts=COUNTS
        ),
        held=tuple(sessions * draw(st.sampled_from([1, 200]))),
        unreachable=tuple(sessions),
        lost=(channel,) * draw(st.sampled_from([0, 1, 600])),
        active_threads=draw(st.none() | counts),
    )


figures = st.builds(
    Figures,
    started=counts,
    went_on=counts,
    closed=counts,
    replaced=counts,
    states=st.dictionaries(st.sampled_from(State), counts),
    is_cut=st.booleans(),
)
here_and_now = st.builds(
    status_texts.Here,
    channel_id=st.sampled_from([samples.CHANNEL, MAX_ID]),
    kind=st.sampled_from([None, 0, 15]),
    granted=st.sampled_from([None, 0, 8]),
    application_id=st.just(MAX_ID),
    now=st.just(AT),
)


@st.composite
def failures(draw: st.DrawFn) -> errors.OnethreadError:
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.OnethreadError)
    ]
    made: dict[type, Callable[[], errors.OnethreadError]] = {
        errors.ConfigurationError: lambda: errors.ConfigurationError(["x"]),
        errors.MissingPermissions: lambda: errors.MissingPermissions([p.name or "" for p in Permission]),
        errors.ThreadLocked: lambda: errors.ThreadLocked(draw(opens())),
        errors.ArchivedByModerator: lambda: errors.ArchivedByModerator(draw(opens())),
        errors.RateLimited: lambda: errors.RateLimited(draw(waits)),
        errors.Importing: lambda: errors.Importing(draw(progress)),
        errors.Merging: lambda: errors.Merging(draw(progress)),
    }
    kind = draw(st.sampled_from(kinds))
    if issubclass(kind, errors.DiscordRefused):
        return kind(400, 10**6, "x" * 5000)
    if kind in made:
        return made[kind]()
    return kind("x", message=draw(st.none() | st.just("x" * 5000)))


texts_to_find = st.text(min_size=1, max_size=20) | st.sampled_from(["*" * 40, "🧵" * 20, "|" * 40])
PLACE: Final = f"2026-11-23T12:00:00.000Z#{MAX_ID}"


@st.composite
def listed(draw: st.DrawFn) -> Session:
    name = NAMES.parse(draw(names))
    return samples.session(
        session_name=name.spelling,
        session_key=name.key,
        guild_id=MAX_ID,
        discord_thread_id=MAX_ID,
        topic=draw(topics) or None,
        label=draw(st.none() | st.just("*" * MAX_LABEL_LENGTH)),
        created_by=draw(st.none() | st.just(MAX_ID)),
        waiting_since=draw(st.none() | st.just("2026-11-23T12:00:00.000Z")),
        last_activity_at="2026-11-23T12:00:00.000Z",
        locked=draw(st.booleans()),
        private=draw(st.booleans()),
    )


@st.composite
def known(draw: st.DrawFn) -> Session:
    """All that a session can have, at its longest."""
    former = f'{{"thread_id":"{MAX_ID}","ended_at":"2026-11-23T12:00:00.000Z","why":"unused"}}'
    at = "2026-11-23T12:00:00.000Z"
    flags = ("missing_since", "unreachable_since", "delete_marked_at", "deleting_at", "archived_at", "created_at")
    shown = draw(listed())
    return session_from_item(
        {
            **{name: value for name, value in session_attributes(shown).items() if value is not None},
            **dict.fromkeys(draw(st.sets(st.sampled_from(flags))), at),
            "archived": draw(st.booleans()),
            "locked_by": MAX_ID,
            "keep": draw(st.booleans()),
            "topic_to_show": draw(topics),
            "status": draw(st.sampled_from(["open", "closed"])),
            "member_ids": [MAX_ID] * draw(st.integers(0, 200)),
            "former": f"[{','.join([former] * draw(st.integers(0, 5)))}]",
            "data": draw(
                st.sampled_from(['"' + "x" * 2046 + '"', "[" + "1," * 1000 + "1]", "`" * 2048, "🧵" * 512, "{}"])
            ),
        }
    )


places = st.none() | st.just(PLACE)
pages = st.builds(
    Page,
    st.lists(listed(), max_size=8).map(tuple) | st.builds(lambda one: (one,) * 8, listed()),
    newer=places,
    older=places,
)
waiting = st.one_of(
    st.builds(errors.RateLimited, waits), st.builds(errors.Importing, progress), st.builds(errors.Merging, progress)
)
labels = st.none() | st.text(min_size=1, max_size=MAX_LABEL_LENGTH) | st.just("*" * MAX_LABEL_LENGTH)
reasons = st.none() | st.text(min_size=1, max_size=MAX_REASON_LENGTH) | st.just("*" * MAX_REASON_LENGTH)
closed_states = st.builds(
    lambda by, reason, lock: {
        "status": "closed",
        "closed_at": "2026-11-23T12:00:00.000Z",
        "closed_by": by,
        "close_reason": reason,
        "close_lock": lock,
    },
    labels | st.just(MAX_ID),
    reasons,
    st.booleans(),
)
states = closed_states | st.sampled_from([{}, {"waiting_since": "2026-11-23T12:00:00.000Z"}])
closings = st.builds(
    lambda opened, state, pending: samples.session(
        session_name=opened.session.session_name,
        guild_id=MAX_ID,
        discord_thread_id=MAX_ID,
        topic_to_show=pending,
        source_message_id=pending and MAX_ID,
        **state,
    ),
    opens(),
    closed_states,
    st.none() | st.just("x"),
)
# For each function that makes a text of the bot: what it may be called with.
BUILDERS: Final[dict[str, st.SearchStrategy[Any]]] = {
    "session_link": st.builds(texts.session_link, opens()),
    "session_here": st.builds(
        lambda found, name, message_id: texts.session_here(
            found,
            OpenRequest(
                name=NAMES.parse(name), parent_channel_id="1", requester=Requester(owner="1"), message_id=message_id
            ),
        ),
        opens(),
        names,
        st.sampled_from([MAX_ID, "1"]),
    ),
    "failure": st.builds(texts.failure, failures()),
    "internal_error": st.builds(texts.internal_error, st.text("0123456789abcdef-", max_size=64)),
    "long_wait": st.builds(texts.long_wait, waiting, st.just(AT)),
    "put_back_notice": st.builds(texts.put_back_notice, waiting, st.just(AT)),
    "merge_progress": st.builds(texts.merge_progress, st.builds(errors.Merging, progress)),
    "retry_notice": st.builds(texts.retry_notice, st.none() | st.just(errors.StoreUnavailable())),
    "duplicate_list": st.builds(
        lambda found, page, chosen: admin_texts.duplicate_list(
            found, MAX_ID, page=page, note=admin_texts.chosen_thread(chosen.session) if chosen else ""
        ),
        duplicates(),
        st.integers(0, 100),
        st.none() | opens(),
    ),
    "chosen_thread": opens().map(lambda found: message(admin_texts.chosen_thread(found.session))),
    "merge_result": st.builds(admin_texts.merge_result, counts, counts, counts, this_one_too=st.booleans()),
    "session_list": st.builds(
        list_texts.session_list,
        pages,
        st.builds(Wanted, st.none() | st.sampled_from(State), st.booleans()),
        st.just(MAX_ID),
    ),
    "found_sessions": st.builds(list_texts.found_sessions, pages, texts_to_find),
    "session_info": st.builds(
        info_texts.session_info,
        known(),
        tags=st.lists(st.just("*" * 20), max_size=5),
        missing=st.just(["SEND_MESSAGES_IN_THREADS", "MANAGE_THREADS"]),
    ),
    "import_result": st.builds(
        lambda threads, sessions: admin_texts.import_result(
            ChannelItem(channel_id="1", guild_id="1", kind=0, import_threads=threads, import_sessions=sessions)
        ),
        counts,
        counts,
    ),
    "describe_session": st.builds(
        lambda opened, by, label, state: describe_session(
            NAMES,
            samples.session(
                session_name=opened.session.session_name,
                topic=opened.session.topic,
                created_by=by,
                label=label,
                created_at="2026-11-23T12:00:00.000Z",
                **state,
            ),
        ),
        opens(),
        st.none() | st.just(MAX_ID),
        labels,
        states,
    ),
    "describe_close": st.builds(describe_close, closings),
    "closed": st.builds(change_texts.closed, closings),
    "opened_since": st.builds(change_texts.opened_since, closings),
    "topic_changed": st.builds(change_texts.topic_changed, closings),
    "reason_too_long": st.builds(change_texts.reason_too_long),
    "tag_changed": st.builds(
        lambda opened, added: change_texts.tag_changed(opened.session, "*" * 20, added=added),
        opens(),
        st.booleans(),
    ),
    "member_added": st.builds(lambda opened: change_texts.member_added(opened.session, MAX_ID), opens()),
    "member_removed": st.builds(lambda opened: change_texts.member_removed(opened.session, MAX_ID), opens()),
    "kept": st.builds(lambda opened, works: change_texts.kept(opened.session, works=works), opens(), st.booleans()),
    "not_kept": st.builds(lambda opened: change_texts.not_kept(opened.session), opens()),
    "question": st.builds(
        lambda opened, ending: delete_texts.question(opened.session, ending), opens(), st.sampled_from(Ending)
    ),
    "ended": st.builds(
        lambda opened, ending: delete_texts.ended(opened.session, ending), opens(), st.sampled_from(Ending)
    ),
    "about_to_end": st.builds(lambda opened: delete_texts.about_to_end(opened.session), opens()),
    "gone_already": st.builds(delete_texts.gone_already),
    "figures": st.builds(report_texts.figures, figures, st.just(MAX_ID), st.sampled_from([1, 365])),
    "server_status": st.builds(status_texts.server_status, statuses(), here_and_now),
    "let_through": st.builds(status_texts.let_through, counts),
    "settings_shown": st.builds(
        lambda policy, changed: settings_texts.settings_shown(
            ChannelItem(channel_id=MAX_ID, guild_id=MAX_ID, kind=0, settings=ChannelSettings(open=policy)),
            Settings(open=policy, unlock="moderators", archive_after=10080),
            changed=changed,
        ),
        st.sampled_from(["permitted", "everyone", MAX_ID]),
        st.booleans(),
    ),
    "build_link": st.builds(build_link, st.just(MAX_ID)),
}
# Those that are filled in with nothing are tried as they are.
CONSTANT: Final = {
    name for name, made in inspect.getmembers(texts, inspect.isfunction) if not inspect.signature(made).parameters
}


def check_fits(shown: dict[str, Any]) -> None:
    if is_layout(shown):
        check_components(shown, layout=True)
        return
    assert 0 < utf16_units(shown["content"]) <= MAX_CONTENT
    shown["content"].encode()
    for row in shown.get("components", []):
        for button in row["components"]:
            assert 0 < utf16_units(button["label"]) <= MAX_LABEL
            assert len(button.get("custom_id", "")) <= MAX_CUSTOM_ID
            assert len(button.get("url", "")) <= 512


@pytest.mark.parametrize("name", BUILDERS)
@given(data=st.data())
def test_what_is_built_fits_and_nothing_of_it_is_cut(name: str, data: st.DataObject) -> None:
    shown = data.draw(BUILDERS[name])
    check_fits(shown)
    if name != "failure" and "content" in shown:  # an error's message may come from anywhere
        assert not shown["content"].endswith(ELLIPSIS)


@pytest.mark.parametrize("name", sorted(CONSTANT))
def test_a_text_without_anything_filled_in_fits(name: str) -> None:
    check_fits(getattr(texts, name)())


@pytest.mark.parametrize(
    "module",
    [
        texts,
        admin_texts,
        change_texts,
        delete_texts,
        info_texts,
        list_texts,
        report_texts,
        settings_texts,
        status_texts,
    ],
    ids=lambda module: module.__name__.rpartition(".")[2],
)
def test_every_text_of_a_module_is_tried(module: ModuleType) -> None:
    made = {
        name
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }
    assert made <= BUILDERS.keys() | CONSTANT


@given(st.text(max_size=100), st.sampled_from(["x", "🧵", "↪", "\\*"]), st.integers(0, 5000))
def test_whatever_a_message_is_made_of_it_fits(start: str, character: str, times: int) -> None:
    text = "." + start.encode("utf-8", "replace").decode() + character * times
    check_fits(message(text, link="https://x.org", label=text))


@given(names, st.sampled_from(["↪", "🧵" * 50, "x" * 100]))
def test_the_name_of_a_merged_thread_fits(name: str, other: str) -> None:
    for thread_name in (NAMES.thread_name(name), other):
        assert utf16_units(name_merged(thread_name)) <= MAX_THREAD_NAME_UNITS
