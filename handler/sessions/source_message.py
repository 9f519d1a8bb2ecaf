"""The source message: what stands in the channel above the collapsed thread that was started from it. Pure."""

from typing import Any, Final

from handler.discord.markdown import escape

SUPPRESS_EMBEDS: Final = 1 << 2  # Discord docs, "Message", message flags: a link in a topic must not unfold a preview


def source_message(thread_name: str, opened_by: str | None, topic: str | None) -> dict[str, Any]:
    """The body of *create message*: what this is, who opened it and the topic. It pings nobody.

    `opened_by` is a user's id, None for a program. A topic is quoted on a line of its own.
    """
    who = f" · opened by <@{opened_by}>" if opened_by else " · opened by a program"
    lines = [f"🧵 **{escape(thread_name)}**{who}"]
    if topic:
        lines.append(f"> {escape(topic)}")
    return {"content": "\n".join(lines), "allowed_mentions": {"parse": []}, "flags": SUPPRESS_EMBEDS}
