"""``/session-admin delete``: end a session for good, after a question."""

from functools import partial
from typing import Final

from handler.commands import delete_texts, texts
from handler.commands.command import AnswerFirst
from handler.commands.moderation import check_permissions, moderator
from handler.commands.target import find_session
from handler.discord.interactions import Interaction
from handler.discord.permissions import Permission
from handler.discord.responses import Message
from handler.discord.snowflakes import is_snowflake
from handler.errors import InvalidRequest
from handler.runtime import telemetry
from handler.sessions.model import Ending
from handler.sessions.protocol import Sessions
from handler.sessions.threads.end_session import end_session, foresee

NEEDED_TO_DELETE: Final = (Permission.MANAGE_THREADS,)


async def delete(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session-admin delete name:``: ask whether to delete the session for good. Nothing changes yet."""
    if (refusal := check_permissions(interaction, NEEDED_TO_DELETE)) is not None:
        return refusal
    session = await find_session(sessions, interaction)
    telemetry.set_fields(outcome="asked", channel_id=session.parent_channel_id, session_key=session.session_key)
    return delete_texts.question(session, await foresee(sessions.context, session))


async def delete_for_good(sessions: Sessions, interaction: Interaction) -> Message | AnswerFirst:
    """The button of that question. It names the thread, so that a late press ends no later session of that name.

    In the thread itself the answer comes first: none can be edited in a thread that is gone.
    """
    if (refusal := check_permissions(interaction, NEEDED_TO_DELETE)) is not None:
        return refusal
    if not is_snowflake(interaction.argument):
        raise InvalidRequest("not the id of a thread", message=texts.UNKNOWN_BUTTON)
    context, session = sessions.context, await sessions.of_thread(interaction.argument)
    if session is None:
        return delete_texts.gone_already()
    if session.parent_channel_id not in (interaction.channel_id, interaction.parent_id):
        raise InvalidRequest("a button of another channel", message=texts.UNKNOWN_BUTTON)
    telemetry.set_fields(outcome="deleted", channel_id=session.parent_channel_id, session_key=session.session_key)
    end = partial(end_session, context, session, reason=f"Asked for by {moderator(interaction)}")
    if interaction.channel_id == interaction.argument and await foresee(context, session) is Ending.DELETED:
        return AnswerFirst(delete_texts.about_to_end(session), end)
    return delete_texts.ended(session, await end())
