"""The source message: what people see in the channel above the collapsed thread. Pure."""

from typing import Any

from handler.discord.markdown import bold, escape
from handler.discord.messages import message_body, message_nonce


def source_message(thread_name: str, opened_by: str | None, topic: str | None) -> dict[str, Any]:
    """The body of *create message*: the thread's name, who opened it (a user's id; None: a program) and the topic."""
    who = f" · opened by <@{opened_by}>" if opened_by else " · opened by a program"
    lines = [f"🧵 {bold(thread_name)}{who}"]
    if topic:
        lines.append(f"> {escape(topic)}")
    return message_body("\n".join(lines))


def source_nonce(parent_channel_id: str, session_key: str, generation: int) -> str:
    """The same for every opener of this generation, and another one for the next generation."""
    return message_nonce(parent_channel_id, session_key, str(generation))
