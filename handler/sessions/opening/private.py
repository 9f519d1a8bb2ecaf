"""Open a private session: its thread is a private one of the bot's own, and only some people see it.

A private session is its creator's: two people who see nothing of each other's may use the same name. So whoever may not
see a session opens one of their own, exactly as if the other did not exist.

Its thread is found through the record. If that was lost, a private thread of that name becomes a session's again only for
somebody who may see it: a member of the thread, a moderator, or a program where a program had opened it.
"""

from functools import partial
from typing import Final

import msgspec

from handler.discord.models import Channel, ChannelType
from handler.errors import UnsupportedChannel
from handler.runtime.concurrency import gather
from handler.sessions.context import Context
from handler.sessions.model import LookUp, Match, Opened, OpenRequest, StartOver
from handler.sessions.opening import rights
from handler.sessions.opening.allowance import count_creation, refuse_creation
from handler.sessions.opening.attempt import commit_attempted, create_without_anchor, find_attempted, look_twice
from handler.sessions.opening.opener import Opener
from handler.sessions.settings import Settings
from handler.sessions.threads.match import is_unused, was_attempted
from handler.sessions.threads.private_threads import is_member, look_up_private, read_creator
from handler.sessions.threads.record import thread_attributes
from handler.store.adoption import Adoption
from handler.store.items import ChannelItem, Session, Status
from handler.store.private import PROGRAM, Private, private_key

MAX_CANDIDATES: Final = 5  # lost private threads of one name that are asked about: more than people make
ONLY_IN_TEXT_CHANNELS: Final = (
    "Private sessions work in text channels only, because Discord has no private threads elsewhere."
)


def is_private_by_default(
    request: OpenRequest, session: Session | None, settings: Settings, channel: ChannelItem
) -> bool:
    """Whether a request that does not say so means a private session: there is no other one of the name on record."""
    is_new = session is None or session.status is Status.VACANT
    return request.by_default and not request.private and settings.private and is_new and may_be_private(channel)


def may_be_private(channel: ChannelItem) -> bool:
    """Whether Discord has private threads in the channel."""
    return channel.kind == ChannelType.TEXT


def check_private(request: OpenRequest, policy: str, channel: ChannelItem) -> None:
    """Raise UnsupportedChannel or NotAllowed if the requester can have no private session started there.

    `policy`: the setting `open`.
    """
    if not may_be_private(channel):
        raise UnsupportedChannel(f"no private threads in channel type {channel.kind}", message=ONLY_IN_TEXT_CHANNELS)
    rights.require_starting(request, policy, channel.kind)


def with_access_role(request: OpenRequest, role_id: str | None) -> OpenRequest:
    """The request, with the role whose members are added to the channel's private sessions."""
    roles = request.roles if role_id is None else (*request.roles, role_id)
    return msgspec.structs.replace(request, roles=tuple(dict.fromkeys(roles)))


async def create_private(opener: Opener, session: Session, channel: ChannelItem) -> Opened | StartOver:
    """Bring the claimed session to its thread: one that an attempt made or the record has lost, else a new one."""
    look = partial(_look, opener, session, channel)
    found, again_at = await gather(look(), count_creation(opener, session))
    looked = await look_twice(opener, session, found, look)
    if isinstance(looked, StartOver):
        return looked
    if (made := await find_attempted(opener, session, looked)) is not None:
        return await commit_attempted(opener, session, made)
    for match in looked.adoptable:
        if await _adopt(opener, session, match):
            return StartOver.WRITE_LOST
    if again_at is not None:
        refuse_creation(again_at)
    return await create_without_anchor(opener, session)


async def _look(opener: Opener, session: Session, channel: ChannelItem) -> LookUp:
    """What a look-up finds of what the requester may have."""
    found = await look_up_private(opener.context, channel, opener.request.name)
    matches = found.adoptable[:MAX_CANDIDATES]
    mine = [match for match in matches if await _may_have(opener, session, match.thread)]
    return msgspec.structs.replace(found, adoptable=tuple(mine))


async def _may_have(opener: Opener, session: Session, thread: Channel) -> bool:
    """Whether the thread comes from an attempt of this session, or is one that the requester may see."""
    if was_attempted(session, thread):
        return is_unused(thread)
    context, requester = opener.context, opener.request.requester
    if requester.moderates:
        return True
    if requester.user_id is None:
        return await read_creator(context, thread.id) == PROGRAM
    return await is_member(context, thread.id, requester.user_id)


async def _adopt(opener: Opener, session: Session, match: Match) -> bool:
    """Give the thread back to the session of whoever opened it; False if that has another thread."""
    context, requester, user_id = opener.context, opener.request.requester, opener.request.requester.user_id
    described = await read_creator(context, match.thread.id)
    creator_id = user_id if described is None else (None if described == PROGRAM else described)
    owner: Session | None = session
    if creator_id != user_id:
        pair = session.parent_channel_id, private_key(session.session_key, creator_id)
        found = await context.store.sessions.get(*pair)
        if found is not None and found.status is not Status.VACANT:
            return False
        await context.store.claims.drop(session, owner=opener.owner, now=context.clock.now())
        owner = found
    members = () if user_id is None or requester.moderates or creator_id == user_id else (user_id,)
    private = Private(creator_id=creator_id, member_ids=(*members, *session.member_ids), role_ids=session.role_ids)
    await context.store.sessions.adopt(owner, _adoption(context, opener, session, match, private))
    return True


def _adoption(context: Context, opener: Opener, session: Session, match: Match, private: Private) -> Adoption:
    return Adoption(
        parent_channel_id=session.parent_channel_id,
        session_key=session.session_key,
        session_name=session.session_name,
        guild_id=session.guild_id,
        thread_id=match.thread.id,
        pointer=match.pointer,
        seen=thread_attributes(match.thread, context.clock.now()),
        created_by=private.creator_id,
        adopted_by=opener.owner,
        private=private,
    )
