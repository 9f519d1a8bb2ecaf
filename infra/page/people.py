"""What people do on the page: they write, use commands, press buttons, send forms; a moderator archives, renames, deletes.

Commands go the whole way: Discord signs them, the endpoint answers, and the answer is followed until it is final. Each state
of an answer is a record of the feed, of the kind "answer".
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from infra.interactions import autocompletion, button, command, message_command, modal_submit, selection
from infra.local.discord import LocalDiscord
from infra.local.discord_client import Answer, Channel, DiscordClient, User, context
from infra.page.feed import Feed
from infra.page.world import Unknown, World
from infra.simulator.permissions import permission_bits

FIRST_POLLS: Final = 150  # then the answer is looked at less often
POLL_SECONDS: Final = (0.1, 2.0)
MAX_POLLS: Final = FIRST_POLLS + 450  # until the interaction's token ends: 15 minutes
KEPT_ANSWERS: Final = 500  # whose buttons work; Discord forgets ephemeral messages, too
# What the page may do by hand, by name: actions of the simulator's people.
_OF_THREADS = ("archive", "unarchive", "lock", "unlock", "rename", "delete_thread", "delete_message")
MODERATION: Final = frozenset([*_OF_THREADS, "convert_channel", "set_permissions", "create_thread"])
_SEND: Final = permission_bits(["SEND_MESSAGES"])
_SEND_IN_THREADS: Final = permission_bits(["SEND_MESSAGES_IN_THREADS"])
_MANAGE: Final = permission_bits(["MANAGE_THREADS"])
ANOTHER_BOT: Final = "1300000000000000009"


class NotAllowed(Exception):
    """This user may not do that; the text says what to do."""


class PageUsers:
    """Acts for the users of the page. `fields` are what the page sends."""

    def __init__(self, discord: LocalDiscord, client: DiscordClient, world: World, feed: Feed) -> None:
        self._discord, self._client, self._world, self._feed = discord, client, world, feed
        self._answers: dict[str, Answer] = {}
        self._number = 0
        self._lock = threading.Lock()

    def use(self, user: User, channel_id: str, path: str, options: Mapping[str, Any]) -> str:
        """Use a slash command. Returns the number of its answer. Raises Unknown."""
        place = self._world.channel(channel_id)
        said = " ".join([f"/{path}", *(f"{name}:{value}" for name, value in options.items())])
        return self._begin(user, place, said, command(path, options, **context(user, place)))

    def use_menu(self, user: User, channel_id: str, name: str, message_id: str) -> str:
        """Use a command in a message's menu. Raises Unknown."""
        place, message = self._world.channel(channel_id), self._world.message(message_id)
        return self._begin(user, place, f"Apps › {name}", message_command(name, message, **context(user, place)))

    def complete(self, user: User, channel_id: str, path: str, options: Mapping[str, Any], focused: str) -> list[Any]:
        """What is offered for the option that is being typed. Raises Unknown."""
        place = self._world.channel(channel_id)
        answer = self._client.send(autocompletion(path, options, focused=focused, **context(user, place)))
        choices: list[Any] = answer.callback.get("data", {}).get("choices", [])
        return choices

    def press(
        self, user: User, channel_id: str, message_id: str, custom_id: str, values: Sequence[str] | None = None
    ) -> str:
        """Press a button, or choose in a select, below a message or an answer. Raises Unknown."""
        place, message = self._world.channel(channel_id), self._shown(message_id)
        where = context(user, place)
        if values is None:
            payload = button(message, custom_id=custom_id, **where)
        else:
            payload = selection(message, custom_id, values, **where)
        return self._begin(user, place, "", payload, by=message_id)

    def submit(
        self, user: User, channel_id: str, custom_id: str, fields: Mapping[str, Any], message_id: str | None = None
    ) -> str:
        """Send a form. `message_id`: of the message whose button opened it. Raises Unknown."""
        place = self._world.channel(channel_id)
        message = None if message_id is None else self._shown(message_id)
        return self._begin(
            user, place, "", modal_submit(custom_id, fields, message=message, **context(user, place)), by=message_id
        )

    def write(self, user: User, place_id: str, content: str, reply_to: str | None = None) -> str:
        """Write a message. Raises Unknown, NotAllowed, ImpossibleAction."""
        place = self._world.channel(place_id)
        needed = _SEND if place.parent_id is None else _SEND_IN_THREADS
        if not user.permissions & needed:
            raise NotAllowed(f"{user.name} may not write here. Switch to another member.")
        if not content.strip():
            raise NotAllowed("A message needs some text.")
        return str(self._act("post_message", channel_id=place_id, content=content, reply_to=reply_to, by=user.id))

    def moderate(self, user: User, action: str, fields: Mapping[str, Any]) -> None:
        """What a moderator does without Onethread. Raises NotAllowed, ImpossibleAction, TypeError."""
        if action not in MODERATION:
            raise Unknown(f"no such action: {action}")
        if not user.permissions & _MANAGE and action != "create_thread":
            raise NotAllowed(f"{user.name} may not do that. Switch to vera, who moderates.")
        self._act(action, **fields, by=user.id)

    def let_bot_thread(self, channel_id: str, message_id: str) -> None:
        """Another bot starts a thread from a message. Raises ImpossibleAction."""
        self._act(
            "create_thread", channel_id=channel_id, name="another bot's thread", message_id=message_id, by=ANOTHER_BOT
        )

    def let_bot_delete(self, channel_id: str, message_id: str) -> None:
        """Another bot deletes a message. Raises ImpossibleAction."""
        self._act("delete_message", channel_id=channel_id, message_id=message_id, by=ANOTHER_BOT)

    def _act(self, action: str, **fields: Any) -> Any:
        with self._discord.lock:
            done = getattr(self._discord.discord.people, action)(now=datetime.now(UTC), **fields)
        self._feed.add("changed")
        return done

    def _shown(self, message_id: str) -> Mapping[str, Any]:
        """A message that everybody sees, or the answer of that number. Raises Unknown."""
        answer = self._answers.get(message_id)
        if answer is None:
            return self._world.message(message_id)
        if answer.message is None:
            raise Unknown("this answer has no buttons")
        return answer.message

    def _begin(self, user: User, place: Channel, said: str, payload: Mapping[str, Any], by: str | None = None) -> str:
        """Follow an interaction in the background. `by`: whose button it was; it keeps its place on the page."""
        with self._lock:
            self._number += 1
            number = f"answer-{self._number}"
        show = self._shower(number, user, place, said, by)
        show("waiting", None)
        threading.Thread(target=self._follow, args=(number, payload, show, by), name=number, daemon=True).start()
        return number

    def _follow(self, number: str, payload: Mapping[str, Any], show: Callable[..., None], by: str | None) -> None:
        try:
            answer = self._client.send(payload)
        except OSError as fault:
            show("failed", None, problem=str(fault))
            return
        if answer.form is not None:
            show("form", None, form=answer.form)
            return
        for poll in range(MAX_POLLS):
            self._keep(number, answer, by)
            show(_state(answer), answer.message, seconds=answer.first_after)
            self._feed.add("changed")
            if not answer.is_pending:
                break
            answer = self._wait_for_change(answer, poll)

    def _wait_for_change(self, answer: Answer, polls: int) -> Answer:
        for poll in range(polls, MAX_POLLS):
            if self._discord.closing.wait(POLL_SECONDS[poll > FIRST_POLLS]):
                break
            message = self._client.fetch(answer.token)
            if message != answer.message:
                return replace(answer, message=message)
        return answer

    def _keep(self, number: str, answer: Answer, by: str | None) -> None:
        with self._lock:
            for name in filter(None, (number, by if by in self._answers else None)):
                self._answers[name] = answer
            while len(self._answers) > KEPT_ANSWERS:
                del self._answers[next(iter(self._answers))]

    def _shower(self, number: str, user: User, place: Channel, said: str, by: str | None) -> Callable[..., None]:
        shown: list[Any] = []

        def show(state: str, message: Mapping[str, Any] | None, **more: Any) -> None:
            if shown == [state, message] and state != "form":
                return
            shown[:] = [state, message]
            self._feed.add(
                "answer",
                id=number,
                user=user.id,
                channel=place.id,
                said=said,
                by=by,
                state=state,
                message=message,
                **more,
            )

        return show


def _state(answer: Answer) -> str:
    if answer.message is None:
        return "failed"
    return "thinking" if answer.is_pending else "answered"
