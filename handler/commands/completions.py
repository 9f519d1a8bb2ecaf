"""What is offered while people type an option: one query for a name, one request for a tag, nothing that is kept.

What is chosen comes back as text, and is read as if it had been typed.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from handler.commands.command import parent_channel
from handler.commands.session_words import state_word
from handler.discord.components import MAX_OPTION_TEXT
from handler.discord.interactions import Interaction
from handler.discord.models import ANCHORED_PARENTS
from handler.discord.responses import MAX_CHOICES
from handler.runtime.characters import clean
from handler.runtime.utf16 import utf16_units
from handler.sessions.names import fold
from handler.sessions.overview.choose import State, active_at, state_of
from handler.sessions.protocol import Sessions
from handler.sessions.threads.requests import fetch_parent
from handler.store.items import Session

MAX_BEGINNINGS: Final = 2 * MAX_CHOICES  # read, in the order of their keys, to offer those that were active last


async def complete_name(sessions: Sessions, interaction: Interaction) -> Sequence[tuple[str, str]]:
    """Sessions of the channel whose names begin so, those first that were active last."""
    beginning = sessions.context.names.beginning(interaction.text("name") or "")
    if beginning is None or interaction.guild_id is None:
        return ()
    channel_id, _ = parent_channel(interaction)
    activity = sessions.context.store.activity
    if not beginning:
        newest = await activity.newest(channel_id, MAX_CHOICES)
        return _name_choices(one.session for one in newest.sessions)
    found = await activity.with_beginning(channel_id, beginning, MAX_BEGINNINGS)
    return _name_choices(sorted(found, key=active_at, reverse=True))


async def complete_tag(sessions: Sessions, interaction: Interaction) -> Sequence[tuple[str, str]]:
    """Tags of the forum or media channel, without those that only moderators may use if the member is none."""
    if interaction.guild_id is None or interaction.channel_type in ANCHORED_PARENTS:
        return ()
    channel_id, _ = parent_channel(interaction)
    typed = fold(interaction.text("tag") or "")
    parent = await fetch_parent(sessions.context, channel_id)
    names = [tag.name for tag in parent.available_tags if not tag.moderated or interaction.by_moderator]
    found = [name for name in names if typed in fold(name)]
    return [(name, name) for name in sorted(found, key=lambda name: not fold(name).startswith(typed))]


def _name_choices(sessions: Iterable[Session]) -> list[tuple[str, str]]:
    """A name that is longer than a choice may be can only be typed."""
    names = ((session, session.session_name) for session in sessions)
    return [(_described(session), name) for session, name in names if 0 < utf16_units(name) <= MAX_OPTION_TEXT]


def _described(session: Session) -> str:
    state, topic = state_of(session), clean(session.topic or session.topic_to_show or "")
    word = "" if state is State.OPEN else state_word(state)
    return " · ".join(filter(None, (session.session_name, word, topic)))
