"""The texts that answer a command, and those that say why it takes longer. Pure.

Each is short and concrete, and says what to do if something is wrong. Users' text is escaped; no answer mentions anyone.
The texts of errors are in `handler.errors`, because programs get them too.
"""

import math
from datetime import datetime

from handler.discord import markdown
from handler.discord.responses import Message, message
from handler.errors import (
    DiscordUnavailable,
    Importing,
    Merging,
    OnethreadError,
    RateLimited,
    StoreUnavailable,
    ThreadLocked,
    TryAgain,
)
from handler.sessions.model import Opened, OpenRequest, Outcome
from handler.sessions.names import MAX_TOPIC_LENGTH

GUILD_REQUIRED = "Sessions live in a server's channels. Use the command there."
NO_SESSION_MEANT = "Which session? Type its name, or use the command in the session's thread."
UNKNOWN_BUTTON = "That button no longer works. Use the command again."


def session_link(found: Opened) -> Message:
    """The link to the session's thread, and how the thread was found or made."""
    return message(_describe(found), link=found.url)


def session_here(found: Opened, request: OpenRequest) -> Message:
    """The same, for a session that was to be opened on a message."""
    name, link = markdown.bold(found.session.session_name), markdown.channel_mention(found.thread_id)
    if found.thread_id != request.message_id:
        return message(f"{_describe(found)}\nThe message that you chose stays as it is.", link=found.url)
    if found.requested_key != request.name.key:
        return message(f"That message is already the session {name}: {link}", link=found.url)
    if found.outcome is Outcome.ADOPTED:
        return message(f"{name} has that message's thread now: {link}", link=found.url)
    return session_link(found)


def _describe(found: Opened) -> str:
    name, link = markdown.bold(found.session.session_name), markdown.channel_mention(found.thread_id)
    if found.by_new_name:
        return f"{name} has the thread that is now called {markdown.bold(found.requested_key)}: {link}"
    if found.unlocked:
        return f"{name} was locked; I've unlocked it: {link}"
    match found.outcome:
        case Outcome.CREATED:
            if found.after_deletion:
                return f"{name}'s old thread was deleted, so I started a new one: {link}"
            return f"Started a thread for {name}: {link}"
        case Outcome.ADOPTED:
            return f"{name} already had a thread, so I'm using it: {link}"
        case Outcome.REOPENED:
            return f"{name} was archived; I've reopened it: {link}"
        case Outcome.REUSED:
            if found.waited:
                return f"Someone opened {name} just before you: {link}"
            return f"{name} is already open: {link}"
    raise ValueError(f"unknown outcome {found.outcome!r}")


def _locked_thread(found: Opened) -> Message:
    name, link = markdown.bold(found.session.session_name), markdown.channel_mention(found.thread_id)
    return message(f"{name} is locked: {link}. A moderator can unlock it, or open it for you.", link=found.url)


def failure(error: OnethreadError) -> Message:
    """The error, and what to do about it."""
    if isinstance(error, ThreadLocked) and isinstance(error.opened, Opened):
        return _locked_thread(error.opened)
    return message(error.message)


def internal_error(request_id: str) -> Message:
    """For a fault of ours; the log has the details under that id."""
    return message(
        "Something went wrong on my side. Nothing is lost: try again. "
        f"If it happens again, tell whoever runs this bot. Request ID: `{request_id}`"
    )


def modal_too_late() -> Message:
    """For a form that could not be shown in time."""
    return message("That took too long to open a form. Nothing is lost: use the command again.")


def hand_over_failure() -> Message:
    return message("I couldn't finish that in time. Nothing is lost: try again.")


def long_wait(error: RateLimited | Importing | Merging, again_at: datetime) -> Message:
    """For a wait until after the interaction token expires: it says when to use the command again."""
    when = _relative(again_at)
    if isinstance(error, Importing | Merging):
        return message(f"{_progress(error)} Nothing is lost: use the command again {when}, and I'll go on from there.")
    return message(f"Discord is rate-limiting me. Nothing is lost: use the command again {when}.")


def put_back_notice(
    error: RateLimited | Importing | Merging, again_at: datetime, *, awaited: str = "Your link"
) -> Message:
    """For a job that was put back and goes on by itself. `awaited`: what its answer will be."""
    if isinstance(error, Merging):
        return merge_progress(error)
    if isinstance(error, Importing):
        return message(f"{_progress(error)} {awaited} will appear here.")
    return message(f"Discord is rate-limiting me. I'll continue {_relative(again_at)} and answer here.")


def merge_progress(error: Merging) -> Message:
    """For a merge that goes on by itself."""
    return message(f"{_progress(error)} The result will appear here.")


def retry_notice(error: TryAgain | None) -> Message:
    """For an attempt that failed and is repeated automatically."""
    match error:
        case DiscordUnavailable():
            reason = "Discord isn't answering properly right now."
        case StoreUnavailable():
            reason = "I can't reach my database right now."
        case _:
            reason = "That's taking longer than it should."
    return message(f"{reason} Nothing is lost: I'll try again in a minute or two and answer here.")


def being_updated() -> Message:
    """For a job that a newer version of the worker is to do, which comes within minutes."""
    return message("I'm just being updated. Nothing is lost: I'll try again in a minute or two and answer here.")


def updated_meanwhile() -> Message:
    return message("I was just updated, and couldn't finish this. Please try again.")


def last_try_notice() -> Message:
    """Sent before the last attempt: it must be true even if that attempt never ends."""
    return message(
        "That's taking longer than it should. I'm trying one last time. "
        "If you still read this in a minute, use the command again. Nothing is lost."
    )


def _progress(error: Importing | Merging) -> str:
    if isinstance(error, Merging):
        return f"I'm closing the duplicates ({error.progress.get('merged', 0):,} closed so far)."
    return error.so_far


def unknown_command() -> Message:
    return message("I don't know that command. It may have changed: reload Discord (Ctrl+R) and pick it again.")


def unknown_component() -> Message:
    return message(UNKNOWN_BUTTON)


def unreadable_command() -> Message:
    return message("I couldn't read that command. Reload Discord (Ctrl+R) and pick it again.")


def guild_required() -> Message:
    return message(GUILD_REQUIRED)


def no_thread_in_thread() -> Message:
    return message(
        "A message in a thread can't have a thread of its own. Choose a message in the channel, or use `/session open`."
    )


def topic_too_long() -> Message:
    return message(f"That topic is too long: it can have at most {MAX_TOPIC_LENGTH} characters.")


def _relative(moment: datetime) -> str:
    """``in 4 minutes``, in the reader's own language. Rounded up, so that nobody comes back too early."""
    whole = datetime.fromtimestamp(math.ceil(moment.timestamp()), moment.tzinfo)
    return markdown.timestamp(whole, "R")
