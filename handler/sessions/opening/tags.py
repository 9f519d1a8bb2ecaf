"""The tags of a new post: those that the request names, as the forum or media channel has them. None is created."""

from handler.discord.markdown import bold
from handler.discord.models import MAX_TAGS, POST_PARENTS, REQUIRE_TAG, Channel, ForumTag
from handler.errors import InvalidRequest, NotAllowed, UnsupportedChannel
from handler.sessions.context import Context
from handler.sessions.model import OpenRequest, TagRequired
from handler.sessions.threads.requests import fetch_parent


async def choose_tags(context: Context, request: OpenRequest) -> tuple[str, ...]:
    """The ids of the tags for the post.

    Raises InvalidRequest, NotAllowed, TagRequired if one has to be chosen, and UnsupportedChannel if the channel has no
    posts: there the request for one would create a private thread.
    """
    parent = await fetch_parent(context, request.parent_channel_id)
    if parent.type not in POST_PARENTS:
        raise UnsupportedChannel(f"channel type {parent.type} has no posts")
    return resolve_tags(parent, request)


async def raise_required(context: Context, request: OpenRequest) -> None:
    """Raise TagRequired: Discord says that the channel demands a tag."""
    raise _required(await fetch_parent(context, request.parent_channel_id), request)


def resolve_tags(parent: Channel, request: OpenRequest) -> tuple[str, ...]:
    """The ids of the tags that the request names, in its order. Pure; raises what `choose_tags` raises."""
    by_name = {tag.name.strip().casefold(): tag for tag in parent.available_tags}
    wanted = dict.fromkeys(name.strip().casefold() for name in request.tags)
    if unknown := [name for name in request.tags if name.strip().casefold() not in by_name]:
        raise InvalidRequest(f"unknown tags: {unknown}", message=_unknown(parent, unknown[0]))
    if len(wanted) > MAX_TAGS:
        raise InvalidRequest(f"{len(wanted)} tags", message=f"A post can have at most {MAX_TAGS} tags.")
    chosen = [by_name[name] for name in wanted]
    for tag in chosen:
        if not _may_use(request, tag):
            text = f"Only moderators can use the tag {bold(tag.name)} here. Choose another one, or ask a moderator."
            raise NotAllowed(f"the tag {tag.id} is moderated", message=text)
    if not chosen and parent.flags & REQUIRE_TAG:
        raise _required(parent, request)
    return tuple(tag.id for tag in chosen)


def _may_use(request: OpenRequest, tag: ForumTag) -> bool:
    requester = request.requester
    return not tag.moderated or requester.user_id is None or requester.moderates


def _required(parent: Channel, request: OpenRequest) -> TagRequired:
    return TagRequired({tag.id: tag.name for tag in parent.available_tags if _may_use(request, tag)})


def _unknown(parent: Channel, name: str) -> str:
    known = ", ".join(bold(tag.name) for tag in parent.available_tags)
    there = f"It has {known}." if known else "It has none: leave the tag out."
    return f"This channel has no tag {bold(name)}. {there}"
