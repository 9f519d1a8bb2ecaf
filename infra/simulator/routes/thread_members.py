"""Members of threads (Discord docs, "Channel: Add Thread Member" and its neighbours)."""

from dataclasses import replace

from infra.simulator import render
from infra.simulator.call import Call
from infra.simulator.exchange import Response, json_response
from infra.simulator.models import Channel, Thread
from infra.simulator.permissions import require
from infra.simulator.refusals import Error, Refusal


def join(call: Call) -> Response:
    thread, _ = _find_open_thread(call)
    return _add(call, thread, call.bot)


def add_member(call: Call) -> Response:
    thread, channel = _find_open_thread(call)
    require(channel, "SEND_MESSAGES_IN_THREADS")
    user_id = call.args[1]
    if user_id in call.state.guilds[thread.guild_id].absent:
        raise Refusal(Error.UNKNOWN_MEMBER)
    return _add(call, thread, user_id)


def leave(call: Call) -> Response:
    thread, _ = _find_open_thread(call)
    return _remove(call, thread, call.bot)


def remove_member(call: Call) -> Response:
    thread, channel = _find_open_thread(call)
    user_id = call.args[1]
    if not (thread.is_private and thread.owner_id == call.bot) and user_id != call.bot:
        require(channel, "MANAGE_THREADS")
    return _remove(call, thread, user_id)


def list_members(call: Call) -> Response:
    thread, _ = _find_thread(call)
    return json_response(200, [render.thread_member(thread, user_id) for user_id, _ in thread.members])


def get_member(call: Call) -> Response:
    thread, _ = _find_thread(call)
    user_id = call.bot if len(call.args) == 1 else call.args[1]
    member = render.thread_member(thread, user_id)
    if member is None:
        raise Refusal(Error.UNKNOWN_MEMBER)
    return json_response(200, member)


def _find_thread(call: Call) -> tuple[Thread, Channel]:
    thread, channel = call.find_channel(call.args[0])
    if thread is None:
        raise Refusal(Error.WRONG_CHANNEL_TYPE)
    return thread, channel


def _find_open_thread(call: Call) -> tuple[Thread, Channel]:
    """A thread that is not archived, so that its members may change."""
    thread, channel = _find_thread(call)
    if thread.archived:
        raise Refusal(Error.THREAD_ARCHIVED)
    return thread, channel


def _add(call: Call, thread: Thread, user_id: str) -> Response:
    if not thread.has_member(user_id):
        if len(thread.members) >= call.state.switches.thread_member_limit:
            raise Refusal(Error.TOO_MANY_MEMBERS)
        call.state.put_thread(replace(thread, members=(*thread.members, (user_id, call.now))))
    return json_response(204)


def _remove(call: Call, thread: Thread, user_id: str) -> Response:
    remaining = tuple(member for member in thread.members if member[0] != user_id)
    if remaining != thread.members:
        call.state.put_thread(replace(thread, members=remaining))
    return json_response(204)
