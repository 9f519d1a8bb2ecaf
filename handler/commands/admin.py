"""``/session-admin``, for members with Manage Threads: import a channel again, and merge duplicates."""

from functools import partial
from typing import Final

from handler.commands import admin_texts, texts
from handler.commands.command import IMPORT_STRETCH_SECONDS, AnswerFirst
from handler.commands.moderation import check_permissions, moderator, registered_channel
from handler.discord.interactions import Interaction
from handler.discord.permissions import Permission
from handler.discord.responses import Message
from handler.discord.snowflakes import is_snowflake
from handler.errors import InvalidRequest
from handler.runtime import telemetry
from handler.sessions.duplicates.choose import choose_kept
from handler.sessions.duplicates.find import find_duplicates
from handler.sessions.duplicates.group import NEEDED_TO_MERGE
from handler.sessions.duplicates.merge import merge_duplicates, merge_last
from handler.sessions.opening.channel_import import import_afresh, import_whole
from handler.sessions.protocol import Sessions
from handler.store.items import ChannelItem

NEEDED_TO_IMPORT: Final = (Permission.VIEW_CHANNEL, Permission.READ_MESSAGE_HISTORY)


async def import_channel(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session-admin import``: read all threads of the channel again, even if it was imported before.

    A repeat of the same interaction, and a job that was put back, go on where the last attempt ended.
    """
    if (refusal := check_permissions(interaction, NEEDED_TO_IMPORT)) is not None:
        return refusal
    channel = await registered_channel(sessions, interaction)
    if "pages" in interaction.done_before:
        done = await import_whole(sessions.context, channel, stretch=IMPORT_STRETCH_SECONDS)
    else:
        done = await import_afresh(sessions.context, channel, interaction.id, stretch=IMPORT_STRETCH_SECONDS)
    telemetry.set_fields(outcome="imported", **done.progress)
    return admin_texts.import_result(done)


async def list_duplicates(sessions: Sessions, interaction: Interaction) -> Message:
    """``/session-admin duplicates``: list the names with several threads, with a button that merges them."""
    if (refusal := check_permissions(interaction, NEEDED_TO_MERGE)) is not None:
        return refusal
    return await _list_duplicates(sessions, await _imported_channel(sessions, interaction))


async def turn_duplicates(sessions: Sessions, interaction: Interaction) -> Message:
    """A button that turns the pages of that list."""
    page = _read_page(interaction)
    if (refusal := check_permissions(interaction, NEEDED_TO_MERGE)) is not None:
        return refusal
    return await _list_duplicates(sessions, await _imported_channel(sessions, interaction), page=page)


async def keep_thread(sessions: Sessions, interaction: Interaction) -> Message:
    """A select of that list: the thread that was chosen is its session's from now on. The list is shown again."""
    page, chosen = _read_page(interaction), next(iter(interaction.values), "")
    if (refusal := check_permissions(interaction, NEEDED_TO_MERGE)) is not None:
        return refusal
    channel = await _imported_channel(sessions, interaction)
    session = await choose_kept(sessions.context, channel, chosen) if is_snowflake(chosen) else None
    note = admin_texts.NOT_CHOSEN if session is None else admin_texts.chosen_thread(session)
    return await _list_duplicates(sessions, channel, page=page, note=note)


async def merge(sessions: Sessions, interaction: Interaction) -> Message | AnswerFirst:
    """The button of that list. The user's permissions are checked again: anyone who sees it can press it.

    If the thread in which it was pressed is a duplicate, it is merged last, after the answer: no answer can be edited in
    a thread that is archived or locked.
    """
    _require_channel(interaction, interaction.argument)
    if (refusal := check_permissions(interaction, NEEDED_TO_MERGE)) is not None:
        return refusal
    channel = await _imported_channel(sessions, interaction)
    before, here = interaction.done_before.get("merged", 0), interaction.channel_id
    requester = moderator(interaction)
    done = await merge_duplicates(sessions.context, channel, merged_before=before, last=here, requester=requester)
    telemetry.set_fields(outcome="merged", threads=done.merged, skipped=done.skipped, refused=done.refused)
    if done.last is None:
        return admin_texts.merge_result(done.merged, done.skipped, done.refused)
    answer = admin_texts.merge_result(done.merged, done.skipped, done.refused, this_one_too=True)
    return AnswerFirst(answer, partial(merge_last, sessions.context, *done.last, done.reason))


async def _list_duplicates(sessions: Sessions, channel: ChannelItem, *, page: int = 0, note: str = "") -> Message:
    found = await find_duplicates(sessions.context, channel)
    telemetry.set_fields(outcome="listed", names=len(found.groups), threads=found.threads)
    return admin_texts.duplicate_list(found, channel.channel_id, page=page, note=note)


def _read_page(interaction: Interaction) -> int:
    """The page in the `custom_id` of a button or select of the list. Raises InvalidRequest."""
    channel_id, _, rest = interaction.argument.partition(":")
    _require_channel(interaction, channel_id)
    page = rest.partition(":")[0]
    if not (page.isascii() and page.isdecimal()):
        raise InvalidRequest("no page", message=texts.UNKNOWN_BUTTON)
    return int(page)


def _require_channel(interaction: Interaction, channel_id: str) -> None:
    """Raise InvalidRequest if a button or select belongs to another channel's list."""
    if channel_id not in (interaction.channel_id, interaction.parent_id):
        raise InvalidRequest("a button of another channel", message=texts.UNKNOWN_BUTTON)


async def _imported_channel(sessions: Sessions, interaction: Interaction) -> ChannelItem:
    """The channel's item, imported first if necessary."""
    channel = await registered_channel(sessions, interaction)
    return await import_whole(sessions.context, channel, stretch=IMPORT_STRETCH_SECONDS)
