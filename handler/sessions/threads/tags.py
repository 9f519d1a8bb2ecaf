"""Tags of a session's post: added or taken away by name, as the forum or media channel has them. None is created.

Naming a tag that the post has takes it away. So that a repeat of one request does not undo it, what the request means is
on record (`tag_request`) before Discord is asked.
"""

from typing import Final, NoReturn

import msgspec

from handler.discord import refusals
from handler.discord.markdown import bold
from handler.discord.models import MAX_TAGS, POST_PARENTS, REQUIRE_TAG, Channel, ForumTag
from handler.errors import DiscordRefused, InvalidRequest, NotAllowed, SessionNotFound, ThreadLocked
from handler.sessions.context import Context
from handler.sessions.model import Requester
from handler.sessions.threads.choices import choose
from handler.sessions.threads.requests import fetch_parent, fetch_thread, raise_archived
from handler.store.items import Session

NO_POSTS: Final = (
    "Only posts in forum and media channels have tags. This session's thread is in another kind of channel."
)
TOO_MANY: Final = f"A post can have at most {MAX_TAGS} tags. Take one away first: name it with `/session tag`."
LAST_ONE: Final = "Each post in this channel needs a tag. Add another one before you take this one away."


class TagChange(msgspec.Struct, frozen=True):
    """A tag that was added to a session's post, or taken away."""

    session: Session
    tag: ForumTag
    added: bool


async def change_tag(context: Context, session: Session, requester: Requester, name: str) -> TagChange:
    """Add the tag to the session's post, or take it away if the post has it.

    Raises InvalidRequest, NotAllowed, ThreadLocked and SessionNotFound.
    """
    parent = await fetch_parent(context, session.parent_channel_id)
    if parent.type not in POST_PARENTS:
        raise InvalidRequest(f"channel type {parent.type} has no posts", message=NO_POSTS)
    tag = find_tag(parent, name)
    check_use(tag, requester)
    post = await fetch_thread(context, session)
    if post is None:
        raise SessionNotFound("its thread is unknown", message=refusals.THREAD_GONE)
    if post.locked and not requester.moderates:
        raise ThreadLocked
    if post.archived:
        raise_archived(session)
    adds = _means_adding(session, requester, tag, post)
    tags = _changed(parent, post, tag, adds=adds)
    session = await choose(context, session, lambda _: {"tag_request": _request(requester, tag, adds=adds)})
    if tags != post.applied_tags:
        try:
            await context.discord.change_thread(post.id, applied_tags=tags, reason=f"Asked for by {requester}")
        except DiscordRefused as refusal:
            _raise_refusal(session, refusal)
    return TagChange(session, tag, adds)


def find_tag(parent: Channel, name: str) -> ForumTag:
    """The channel's tag of that name, in any case. Raises InvalidRequest, which names those that there are."""
    wanted = name.strip().casefold()
    tag = next((tag for tag in parent.available_tags if tag.name.strip().casefold() == wanted), None)
    if tag is None:
        known = ", ".join(bold(tag.name) for tag in parent.available_tags)
        there = f"It has {known}." if known else "It has none: leave the tag out."
        raise InvalidRequest(f"unknown tag: {name}", message=f"This channel has no tag {bold(name)}. {there}")
    return tag


def may_use(tag: ForumTag, requester: Requester) -> bool:
    return not tag.moderated or requester.user_id is None or requester.moderates


def check_use(tag: ForumTag, requester: Requester) -> None:
    """Raise NotAllowed for a moderated tag, unless the requester is a moderator or a program."""
    if not may_use(tag, requester):
        text = f"Only moderators can use the tag {bold(tag.name)} here. Choose another one, or ask a moderator."
        raise NotAllowed(f"the tag {tag.id} is moderated", message=text)


def _means_adding(session: Session, requester: Requester, tag: ForumTag, post: Channel) -> bool:
    for adds in (True, False):
        if session.tag_request == _request(requester, tag, adds=adds):
            return adds
    return tag.id not in post.applied_tags


def _request(requester: Requester, tag: ForumTag, *, adds: bool) -> str:
    return f"{requester.owner} {'+' if adds else '-'}{tag.id}"


def _changed(parent: Channel, post: Channel, tag: ForumTag, *, adds: bool) -> tuple[str, ...]:
    """The tags that the post is to have. Raises InvalidRequest if it cannot."""
    if tag.id in post.applied_tags and adds:
        return post.applied_tags
    if not adds:
        kept = tuple(tag_id for tag_id in post.applied_tags if tag_id != tag.id)
        if not kept and post.applied_tags and parent.flags & REQUIRE_TAG:
            raise InvalidRequest("each post needs a tag", message=LAST_ONE)
        return kept
    if len(post.applied_tags) >= MAX_TAGS:
        raise InvalidRequest(f"{MAX_TAGS} tags already", message=TOO_MANY)
    return (*post.applied_tags, tag.id)


def _raise_refusal(session: Session, refusal: DiscordRefused) -> NoReturn:
    if refusal.code == refusals.UNKNOWN_CHANNEL:
        raise SessionNotFound("its thread is unknown", message=refusals.THREAD_GONE) from refusal
    if refusal.code == refusals.THREAD_ARCHIVED:
        raise_archived(session)
    refusals.raise_translation(refusal, refusals.NEEDED_TO_UNLOCK)
