"""What ``/session list`` and ``/session find`` show. Pure; see `handler.commands.texts`.

A page is a layout: of each session its name and state, its topic, and who and when, with a button beside it. On a phone
that is three short lines. Eight sessions with the longest names fit into Discord's 4000 characters.
"""

from collections.abc import Iterator
from typing import Final

from handler.commands.list_buttons import Wanted, further_id, turn_id
from handler.commands.session_words import SIGNS, starter, state_word
from handler.discord import components, markdown
from handler.discord.components import Component
from handler.discord.responses import Message, layout
from handler.runtime.clock import parse_iso
from handler.sessions.model import thread_url
from handler.sessions.overview.choose import MAX_LOOKED_AT, Page, State, active_at, state_of
from handler.store.items import Session

# The longest parts of an entry. Escaped they can be twice as long.
MAX_NAME_UNITS: Final = 100
MAX_TOPIC_UNITS: Final = 50
CUT: Final = f"-# I looked at {MAX_LOOKED_AT} sessions. There are more."


def session_list(page: Page, wanted: Wanted, channel_id: str) -> Message:
    """A page of a channel's sessions, and the buttons that turn it."""
    mine = " that you started" if wanted.mine else ""
    state = f" · {_state(wanted.state)}" if wanted.state else ""
    head = f"**Sessions{mine} in {markdown.channel_mention(channel_id)}**{state}"
    buttons = []
    if page.newer is not None:
        buttons.append(components.button("◀ Newer", turn_id(wanted, "newer", page.newer)))
    if page.older is not None:
        label = "Look further back" if page.is_cut else "Older ▶"
        buttons.append(components.button(label, turn_id(wanted, "older", page.older)))
    return _layout(head, page, buttons, nothing=_none_listed(page, wanted))


def found_sessions(page: Page, text: str) -> Message:
    """A page of what was found, and the button that goes on."""
    head = f'**Sessions with "{markdown.escape(text)}"**'
    buttons = []
    if page.older is not None:
        label = "Look further back" if page.is_cut else "More ▶"
        buttons.append(components.button(label, further_id(text, page.older)))
    return _layout(head, page, buttons, nothing="Nothing here." if page.is_cut else "None in this channel.")


def _none_listed(page: Page, wanted: Wanted) -> str:
    if page.is_cut:
        return "None so far."
    if wanted == Wanted() and page.newer is None:
        return "None yet. `/session open` starts one."
    return "None."


def _layout(head: str, page: Page, buttons: list[Component], *, nothing: str) -> Message:
    parts = [components.text(head), *map(_entry, page.sessions)]
    if not page.sessions:
        parts.append(components.text(nothing))
    if page.is_cut:
        parts.append(components.text(CUT))
    if buttons:
        parts.append(components.row(*buttons))
    return layout(components.container(*parts))


def _entry(session: Session) -> Component:
    return components.section("\n".join(_lines(session)), components.link_button("Open", thread_url(session)))


def _lines(session: Session) -> Iterator[str]:
    name, state = markdown.shorten(session.session_name, MAX_NAME_UNITS), state_of(session)
    locked = " · 🔒 locked" if session.thread.locked else ""
    private = " · private" if session.private else ""
    yield f"{SIGNS[state]} {markdown.bold(name)} · {state_word(state)}{private}{locked}"
    if topic := session.topic or session.topic_to_show:
        yield markdown.escape(markdown.shorten(topic, MAX_TOPIC_UNITS))
    said = [markdown.channel_mention(session.discord_thread_id or ""), starter(session)]
    if at := active_at(session):
        said.append(markdown.timestamp(parse_iso(at)))
    yield f"-# {' · '.join(said)}"


def _state(state: State) -> str:
    return f"{SIGNS[state]} {state_word(state)}"
