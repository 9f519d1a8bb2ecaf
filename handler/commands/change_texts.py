"""The texts of the commands that change a session. Pure; see `handler.commands.texts`."""

from handler.discord import markdown
from handler.discord.permissions import Permission
from handler.discord.responses import Message, message
from handler.errors import permission_title
from handler.store.items import Session


def member_added(session: Session, user_id: str) -> Message:
    return message(f"Added {markdown.user_mention(user_id)} to {_named(session)}.")


def member_removed(session: Session, user_id: str) -> Message:
    return message(
        f"Removed {markdown.user_mention(user_id)} from {_named(session)}. Everybody who sees the channel can join again."
    )


def kept(session: Session, *, works: bool) -> Message:
    """`works`: the bot may read the audit log, without which nothing is opened again."""
    text = f"{_named(session)} stays open: when Discord archives it, I open it again. If a person archives it, I don't."
    if not works:
        needed = permission_title(Permission.VIEW_AUDIT_LOG.name or "")
        text += f"\nFor that I need **{needed}**, to see who archived it. Ask an admin to grant it to my role."
    return message(text)


def not_kept(session: Session) -> Message:
    return message(f"{_named(session)} is no longer kept open: Discord archives it when nobody writes in it.")


def _named(session: Session) -> str:
    """The session's name and its thread."""
    return f"{markdown.bold(session.session_name)} ({markdown.channel_mention(session.discord_thread_id or '')})"
