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
from handler.sessions.model import Opened, Outcome
from handler.sessions.names import MAX_TOPIC_LENGTH

UNKNOWN_BUTTON = "I do not know that button any more. Use the command again."


def session_link(found: Opened) -> Message:
    """The link to the session's thread, and how the thread was found or made."""
    return message(_describe(found), link=found.url)


def _describe(found: Opened) -> str:
    name, link = markdown.bold(found.session.session_name), markdown.channel_mention(found.thread_id)
    if found.by_new_name:
        return f"{markdown.bold(found.requested_key)} is what the thread of session {name} is called now, so here it is: {link}"
    if found.unlocked:
        return f"{name} was locked. I unlocked it: {link}"
    match found.outcome:
        case Outcome.CREATED:
            if found.after_deletion:
                return f"The thread of {name} had been deleted, so I made a new one: {link}"
            return f"{name} has a new thread: {link}"
        case Outcome.ADOPTED:
            return f"{name} had a thread already. I use that one instead of making a second: {link}"
        case Outcome.REOPENED:
            return f"{name} was archived. I reopened it: {link}"
        case Outcome.REUSED:
            if found.waited:
                return f"Somebody else has just opened {name}: {link}"
            return f"{name} is open already: {link}"
    raise ValueError(f"unknown outcome {found.outcome!r}")


def _locked_thread(found: Opened) -> Message:
    name, link = markdown.bold(found.session.session_name), markdown.channel_mention(found.thread_id)
    text = (
        f"{name} is locked by a moderator, so I left it as it is: {link}\n"
        "Ask somebody with Manage Threads to unlock it, or to open the session for you."
    )
    return message(text, link=found.url)


def failure(error: OnethreadError) -> Message:
    """The error, and what to do about it."""
    if isinstance(error, ThreadLocked) and isinstance(error.opened, Opened):
        return _locked_thread(error.opened)
    return message(error.message)


def internal_error() -> Message:
    return message(
        "Something went wrong on our side. Nothing is lost: try again. "
        "If it happens again, please tell whoever runs this bot."
    )


def hand_over_failure() -> Message:
    return message("I could not finish that in time. Nothing is lost: try again.")


def long_wait(error: RateLimited | Importing | Merging, again_at: datetime) -> Message:
    """For a wait until after the interaction token expires: it says when to use the command again."""
    when = _relative(again_at)
    if isinstance(error, Importing | Merging):
        return message(f"{_progress(error)} Nothing is lost: use the command again {when}, and I go on from there.")
    return message(f"Discord asks me to wait. Nothing is lost: use the command again {when}.")


def put_back_notice(error: RateLimited | Importing | Merging, again_at: datetime) -> Message:
    """For a job that was put back and goes on by itself."""
    if isinstance(error, Merging):
        return merge_progress(error)
    if isinstance(error, Importing):
        return message(f"{_progress(error)} I go on by myself, and the answer will appear here.")
    return message(
        f"Discord asks me to wait. I go on by myself {_relative(again_at)}, and the answer will appear here. "
        "Nothing is lost."
    )


def merge_progress(error: Merging) -> Message:
    """For a merge that goes on by itself."""
    return message(f"{_progress(error)} I go on by myself, and the outcome will appear here.")


def retry_notice(error: TryAgain | None) -> Message:
    """For an attempt that failed and is repeated automatically."""
    match error:
        case DiscordUnavailable():
            reason = "Discord is not answering properly right now."
        case StoreUnavailable():
            reason = "My memory is out of reach right now."
        case _:
            reason = "That takes longer than it should."
    return message(f"{reason} Nothing is lost: I try again by myself in a minute or two.")


def last_try_notice() -> Message:
    """Sent before the last attempt: it must be true even if that attempt never ends."""
    return message(
        "This is not going well. I am trying one last time: if nothing else stands here in a minute, "
        "use the command again. Nothing is lost."
    )


def _progress(error: Importing | Merging) -> str:
    if isinstance(error, Merging):
        return f"I am merging the duplicates: {error.progress.get('merged', 0)} threads so far."
    threads, sessions = error.progress.get("threads", 0), error.progress.get("sessions", 0)
    return (
        "I am reading this channel’s old threads: then none is made twice. "
        f"{threads} read so far, {sessions} of them sessions."
    )


def unknown_command() -> Message:
    return message("I do not know that command. It may have changed: reload Discord (Ctrl+R) and pick it again.")


def unknown_component() -> Message:
    return message(UNKNOWN_BUTTON)


def unreadable_command() -> Message:
    return message("I could not read that command. Reload Discord (Ctrl+R) and pick it again.")


def guild_required() -> Message:
    return message("Sessions live in the channels of a server. Use the command there.")


def topic_too_long() -> Message:
    return message(f"That topic is too long: {MAX_TOPIC_LENGTH} characters are the most.")


def _relative(moment: datetime) -> str:
    """``in 4 minutes``, in the reader's own language. Rounded up, so that nobody comes back too early."""
    whole = datetime.fromtimestamp(math.ceil(moment.timestamp()), moment.tzinfo)
    return markdown.timestamp(whole, "R")
