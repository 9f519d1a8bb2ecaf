"""The source message: what stands in the channel above the collapsed thread that was started from it. Pure."""

from typing import Any

from handler.discord.markdown import bold, escape
from handler.discord.messages import message_body, message_nonce


def source_message(thread_name: str, opened_by: str | None, topic: str | None) -> dict[str, Any]:
    """The body of *create message*: what this is, who opened it and the topic. It pings nobody.

    `opened_by` is a user's id, None for a program. A topic is quoted on a line of its own.
    """
    who = f" · opened by <@{opened_by}>" if opened_by else " · opened by a program"
    lines = [f"🧵 {bold(thread_name)}{who}"]
    if topic:
        lines.append(f"> {escape(topic)}")
    return message_body("\n".join(lines))


def source_nonce(parent_channel_id: str, session_key: str, generation: int) -> str:
    """The same for everybody who makes this thread, another one for the next generation."""
    return message_nonce(parent_channel_id, session_key, str(generation))
