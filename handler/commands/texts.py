"""Every text that people read in answer to a command. Pure.

Short, concrete, and where something is in the way it says what to do. What users typed is escaped; no answer mentions
anybody. The texts of errors themselves are in `handler.errors`: programs get them too.
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

# The session has its thread.


def opened(found: Opened) -> Message:
    """The link, and how it came about."""
    return _linked(found, _how(found))


def _how(found: Opened) -> str:
    name, link = _bold(found.session.session_name), _link(found)
    if found.by_new_name:
        return f"{_bold(found.asked)} is what the thread of session {name} is called now, so here it is: {link}"
    if found.unlocked:
        return f"{name} was locked. I unlocked it: {link}"
    match found.outcome:
        case Outcome.CREATED:
            if found.anew:
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


def _locked(found: Opened) -> Message:
    text = (
        f"{_bold(found.session.session_name)} is locked by a moderator, so I left it as it is: {_link(found)}\n"
        "Ask somebody with Manage Threads to unlock it, or to open the session for you."
    )
    return _linked(found, text)


# Something is in the way.


def failure(error: OnethreadError) -> Message:
    """What went wrong and what to do about it."""
    if isinstance(error, ThreadLocked) and isinstance(error.opened, Opened):
        return _locked(error.opened)
    return message(error.message)


def unforeseen() -> Message:
    return message(
        "Something went wrong on our side. Nothing is lost: try again. "
        "If it happens again, please tell whoever runs this bot."
    )


def not_handed_over() -> Message:
    return message("I could not finish that in time. Nothing is lost: try again.")


def waits_too_long(error: RateLimited | Importing | Merging, again_at: datetime) -> Message:
    """The wait is longer than an answer can be given at all."""
    when = _relative(again_at)
    if isinstance(error, Importing | Merging):
        return message(f"{_progress(error)} Nothing is lost: use the command again {when}, and I go on from there.")
    return message(f"Discord asks me to wait. Nothing is lost: use the command again {when}.")


# Not yet.


def waiting(error: RateLimited | Importing | Merging, again_at: datetime) -> Message:
    """The job was put back: it goes on by itself."""
    if isinstance(error, Merging):
        return merging(error)
    if isinstance(error, Importing):
        return message(f"{_progress(error)} I go on by myself, and the answer will appear here.")
    return message(
        f"Discord asks me to wait. I go on by myself {_relative(again_at)}, and the answer will appear here. "
        "Nothing is lost."
    )


def merging(error: Merging) -> Message:
    """Duplicates are being merged, and it goes on by itself."""
    return message(f"{_progress(error)} I go on by myself, and the outcome will appear here.")


def retrying(error: TryAgain | None) -> Message:
    """The attempt failed, and another one follows by itself."""
    match error:
        case DiscordUnavailable():
            reason = "Discord is not answering properly right now."
        case StoreUnavailable():
            reason = "My memory is out of reach right now."
        case _:
            reason = "That takes longer than it should."
    return message(f"{reason} Nothing is lost: I try again by myself in a minute or two.")


def last_try() -> Message:
    """Said before the last attempt: it must be true even if that one dies without a word."""
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


# The question makes no sense.


def unknown_command() -> Message:
    return message("I do not know that command. It may have changed: reload Discord (Ctrl+R) and pick it again.")


def unknown_component() -> Message:
    return message(UNKNOWN_BUTTON)


def unreadable() -> Message:
    return message("I could not read that command. Reload Discord (Ctrl+R) and pick it again.")


def outside_a_guild() -> Message:
    return message("Sessions live in the channels of a server. Use the command there.")


def topic_too_long() -> Message:
    return message(f"That topic is too long: {MAX_TOPIC_LENGTH} characters are the most.")


def _linked(found: Opened, text: str) -> Message:
    return message(text, link=found.url)


def _link(found: Opened) -> str:
    return markdown.channel_mention(found.thread_id)


def _bold(text: str) -> str:
    return f"**{markdown.escape(text)}**"


def _relative(moment: datetime) -> str:
    """``in 4 minutes``, in each reader's own language. Rounded up: who comes then must not come too early."""
    whole = datetime.fromtimestamp(math.ceil(moment.timestamp()), moment.tzinfo)
    return markdown.timestamp(whole, "R")
