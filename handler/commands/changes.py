"""Commands that change a session: for who started it, and for members with Manage Threads."""

from functools import partial

from handler.commands import change_texts, texts
from handler.commands.command import Answer, AnswerFirst
from handler.commands.outcomes import open_and_log
from handler.commands.session import requester_of
from handler.commands.target import find_session_to_change
from handler.discord.interactions import Interaction
from handler.discord.permissions import Permission, missing
from handler.discord.responses import Message
from handler.discord.snowflakes import is_snowflake
from handler.errors import InvalidRequest
from handler.runtime import telemetry
from handler.sessions.model import OpenRequest
from handler.sessions.names import MAX_REASON_LENGTH, MAX_TOPIC_LENGTH, SessionName
from handler.sessions.protocol import Sessions
from handler.sessions.threads.card import change_topic
from handler.sessions.threads.choices import keep_open
from handler.sessions.threads.close import begin_close, finish_close
from handler.sessions.threads.members import add_member, remove_member
from handler.sessions.threads.tags import change_tag
from handler.sessions.threads.visibility import is_visible_to
from handler.store.items import Session, Status


async def close(sessions: Sessions, interaction: Interaction) -> Answer:
    """``/session close [name:] [lock:] [reason:]``: archive the session's thread, and lock it if that is wanted.

    In the thread itself it is archived after the answer: no answer can be edited in a thread that is archived.
    """
    reason = (interaction.text("reason") or "").strip() or None
    if reason is not None and len(reason) > MAX_REASON_LENGTH:
        return change_texts.reason_too_long()
    session = await find_session_to_change(sessions, interaction)
    requester = requester_of(interaction)
    lock = interaction.flag("lock") or False
    begun = await begin_close(sessions.context, session, requester, lock=lock, reason=reason)
    telemetry.set_fields(outcome="closed")
    if begun.closing.begun_at is not None and interaction.channel_id == begun.discord_thread_id:
        return AnswerFirst(change_texts.closed(begun), partial(_finish_close, sessions, begun))
    closed = await finish_close(sessions.context, begun)
    return change_texts.closed(closed) if closed.status is Status.CLOSED else change_texts.opened_since(closed)


async def _finish_close(sessions: Sessions, session: Session) -> None:
    await finish_close(sessions.context, session)


async def reopen(sessions: Sessions, interaction: Interaction) -> Message:
    """The button *Reopen*: ``/session open`` of the session that has the thread. Anyone who saw the button can press it."""
    thread_id, requester = interaction.argument, requester_of(interaction)
    session = await sessions.of_thread(thread_id) if is_snowflake(thread_id) else None
    if session is None or not _is_here(session, interaction) or not is_visible_to(session, requester):
        raise InvalidRequest("a button of another channel, or of a thread that is gone", message=texts.UNKNOWN_BUTTON)
    request = OpenRequest(
        name=SessionName(session.session_key, session.session_name),
        parent_channel_id=session.parent_channel_id,
        requester=requester,
        private=session.private,
    )
    return texts.session_link(await open_and_log(sessions, request))


def _is_here(session: Session, interaction: Interaction) -> bool:
    """Whether the session is one of the channel where the interaction was used, or of the thread's channel."""
    places = interaction.channel_id, interaction.parent_id
    return session.guild_id == interaction.guild_id and session.parent_channel_id in places


async def topic(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session topic text: [name:]``: replace the topic, and show it above the thread."""
    text = (interaction.text("text") or "").strip()
    if not text:
        return texts.unreadable_command()
    if len(text) > MAX_TOPIC_LENGTH:
        return texts.topic_too_long()
    session = await change_topic(sessions.context, await find_session_to_change(sessions, interaction), text)
    telemetry.set_fields(outcome="topic_changed")
    return change_texts.topic_changed(session)


async def tag(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session tag tag: [name:]``: add a tag to the session's post, or take it away if the post has it."""
    name = (interaction.text("tag") or "").strip()
    if not name:
        return texts.unreadable_command()
    session = await find_session_to_change(sessions, interaction)
    change = await change_tag(sessions.context, session, requester_of(interaction), name)
    telemetry.set_fields(outcome="tag_added" if change.added else "tag_removed")
    return change_texts.tag_changed(change.session, change.tag.name, added=change.added)


async def add(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session add user: [name:]``: add a user to the session's thread."""
    user_id = _user(interaction)
    if user_id is None:
        return texts.unreadable_command()
    session = await find_session_to_change(sessions, interaction)
    session = await add_member(sessions.context, session, user_id)
    telemetry.set_fields(outcome="member_added")
    return change_texts.member_added(session, user_id)


async def remove(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session remove user: [name:]``: remove a user from the session's thread."""
    user_id = _user(interaction)
    if user_id is None:
        return texts.unreadable_command()
    session = await find_session_to_change(sessions, interaction)
    session = await remove_member(sessions.context, session, user_id)
    telemetry.set_fields(outcome="member_removed")
    return change_texts.member_removed(session, user_id)


async def keep(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session keep on: [name:]``: whether the thread is opened again when Discord archives it."""
    on = interaction.flag("on")
    if on is None:
        return texts.unreadable_command()
    session = await keep_open(sessions.context, await find_session_to_change(sessions, interaction), on=on)
    telemetry.set_fields(outcome="kept" if on else "not_kept")
    granted = interaction.app_permissions
    works = granted is None or not missing(granted, [Permission.VIEW_AUDIT_LOG])
    return change_texts.kept(session, works=works) if on else change_texts.not_kept(session)


def _user(interaction: Interaction) -> str | None:
    user_id = interaction.text("user")
    return user_id if user_id is not None and is_snowflake(user_id) else None
