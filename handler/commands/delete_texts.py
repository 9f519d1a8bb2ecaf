"""The texts of ``/session-admin delete``. Pure; see `handler.commands.texts`."""

from typing import Final

from handler.discord import markdown
from handler.discord.responses import Message, message, with_button
from handler.sessions.model import Ending
from handler.store.items import Session

DELETE_BUTTON: Final = "delete-session"
DELETE_LABEL: Final = "Delete for good"


def question(session: Session, ending: Ending) -> Message:
    """What would happen, with a button that does it."""
    name, thread = markdown.bold(session.session_name), markdown.channel_mention(session.discord_thread_id or "")
    match ending:
        case Ending.DELETED:
            text = f"Delete {name} for good? Its thread {thread} goes with all messages in it, and nobody can bring it back."
        case Ending.LET_GO:
            text = (
                f"End {name} for good? Somebody else started its thread {thread}, so it stays as it is. "
                "The next open of that name starts another thread."
            )
        case Ending.GONE:
            text = f"End {name} for good? Its thread has been deleted already."
    return with_button(message(text), label=DELETE_LABEL, custom_id=f"{DELETE_BUTTON}:{session.discord_thread_id}")


def ended(session: Session, ending: Ending) -> Message:
    name = markdown.bold(session.session_name)
    if ending is Ending.LET_GO:
        thread = markdown.channel_mention(session.discord_thread_id or "")
        return message(f"Ended {name}. {thread} stays, and is no session's thread any more.")
    return message(f"Deleted {name}. The next open of that name starts a new thread.")


def about_to_end(session: Session) -> Message:
    """For an answer in the thread that is deleted after it."""
    return message(f"Deleting {markdown.bold(session.session_name)} and this thread now.")


def gone_already() -> Message:
    return message("That session is gone already.")
