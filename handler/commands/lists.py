"""``/session list`` and ``/session find``, and the buttons that turn their pages."""

from typing import Final

from handler.commands import list_texts, texts
from handler.commands.command import parent_channel
from handler.commands.list_buttons import MAX_TEXT_UNITS, Turn, Wanted, read_further, read_turn
from handler.discord.interactions import Interaction
from handler.discord.responses import Message
from handler.errors import InvalidRequest
from handler.runtime import telemetry
from handler.runtime.characters import clean, shows_something
from handler.runtime.utf16 import utf16_units
from handler.sessions.overview.choose import State, in_state
from handler.sessions.overview.read import Viewer, find, read_page
from handler.sessions.protocol import Sessions

TEXT_TOO_LONG = f"That's too long to look for: type at most {MAX_TEXT_UNITS} characters (an emoji counts as two)."
NOBODY: Final = ""  # no user has this id
NO_TEXT = "Type a word, or the beginning of one: it is looked for in names and topics."


async def list_sessions(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session list [state:] [mine:]``: the channel's sessions, those that were active last first."""
    state = interaction.text("state")
    if state is not None and state not in list(State):
        return texts.unreadable_command()
    wanted = Wanted(State(state) if state is not None else None, mine=bool(interaction.flag("mine")))
    return await _list(sessions, interaction, wanted, None)


async def turn_list(sessions: Sessions, interaction: Interaction) -> Message:
    """A button of that list. Its reader may have left the page open for days."""
    turn = read_turn(interaction.argument)
    return await _list(sessions, interaction, turn.wanted, turn)


async def find_sessions(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session find text:``: the sessions with that text in their names or topics."""
    text = clean(interaction.text("text") or "")
    if not shows_something(text):
        raise InvalidRequest("no text", message=NO_TEXT)
    if utf16_units(text) > MAX_TEXT_UNITS:
        raise InvalidRequest("a long text", message=TEXT_TOO_LONG)
    return await _find(sessions, interaction, text, None)


async def find_further(sessions: Sessions, interaction: Interaction) -> Message:
    """The button that goes on finding."""
    text, place = read_further(interaction.argument)
    return await _find(sessions, interaction, text, place)


async def _list(sessions: Sessions, interaction: Interaction, wanted: Wanted, turn: Turn | None) -> Message:
    if interaction.guild_id is None:
        return texts.guild_required()
    viewer = _viewer(interaction)
    page = await read_page(
        sessions.context.store.activity,
        viewer,
        in_state(wanted.state, interaction.user_id if wanted.mine else None),
        towards=turn.towards if turn else "older",
        place=turn.place if turn else None,
    )
    telemetry.set_fields(outcome="listed", channel_id=viewer.channel_id, sessions=len(page.sessions))
    return list_texts.session_list(page, wanted, viewer.channel_id)


async def _find(sessions: Sessions, interaction: Interaction, text: str, place: str | None) -> Message:
    if interaction.guild_id is None:
        return texts.guild_required()
    viewer = _viewer(interaction)
    page = await find(sessions.context, viewer, text, after=place)
    telemetry.set_fields(outcome="listed", channel_id=viewer.channel_id, sessions=len(page.sessions))
    return list_texts.found_sessions(page, text)


def _viewer(interaction: Interaction) -> Viewer:
    channel_id, _ = parent_channel(interaction)
    user_id, moderates = interaction.user_id or NOBODY, interaction.by_moderator
    return Viewer(channel_id, user_id, interaction.user_roles, moderates=moderates)
