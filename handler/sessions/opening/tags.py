"""The tags of a new post: those that the request names, as the forum or media channel has them. None is created."""

import contextlib

from handler.discord.models import MAX_TAGS, POST_PARENTS, REQUIRE_TAG, Channel
from handler.errors import InvalidRequest, UnsupportedChannel
from handler.sessions.context import Context
from handler.sessions.model import OpenRequest, TagRequired
from handler.sessions.threads.requests import fetch_parent
from handler.sessions.threads.tags import check_use, find_tag, may_use


async def choose_tags(context: Context, request: OpenRequest, default: str | None) -> tuple[str, ...]:
    """The ids of the tags for the post; `default`: the name of the one that it gets if the request names none.

    Raises InvalidRequest, NotAllowed, TagRequired if one has to be chosen, and UnsupportedChannel if the channel has no
    posts: there the request for one would create a private thread.
    """
    parent = await fetch_parent(context, request.parent_channel_id)
    if parent.type not in POST_PARENTS:
        raise UnsupportedChannel(f"channel type {parent.type} has no posts")
    if default is not None and not request.tags:
        with contextlib.suppress(InvalidRequest):  # the channel has it no more
            return (find_tag(parent, default).id,)  # moderators chose it, so anybody's post may have it
    return resolve_tags(parent, request)


async def raise_required(context: Context, request: OpenRequest) -> None:
    """Raise TagRequired: Discord says that the channel demands a tag."""
    raise _required(await fetch_parent(context, request.parent_channel_id), request)


def resolve_tags(parent: Channel, request: OpenRequest) -> tuple[str, ...]:
    """The ids of the tags that the request names, in its order. Pure; raises what `choose_tags` raises."""
    chosen = {tag.id: tag for tag in (find_tag(parent, name) for name in request.tags)}
    if len(chosen) > MAX_TAGS:
        raise InvalidRequest(f"{len(chosen)} tags", message=f"A post can have at most {MAX_TAGS} tags.")
    for tag in chosen.values():
        check_use(tag, request.requester)
    if not chosen and parent.flags & REQUIRE_TAG:
        raise _required(parent, request)
    return tuple(chosen)


def _required(parent: Channel, request: OpenRequest) -> TagRequired:
    return TagRequired({tag.id: tag.name for tag in parent.available_tags if may_use(tag, request.requester)})
