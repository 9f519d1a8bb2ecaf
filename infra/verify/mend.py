"""The commands that mend what differs. Pure. Those of the AWS CLI change one item, and can be pasted into a shell."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from handler.store.items import Session, pointer_item_key


def open_session(session: Session) -> str:
    option = " private: True" if session.private else ""
    return f"/session open name: {session.session_name}{option}, in the channel {session.parent_channel_id}"


def import_channel(channel_id: str) -> str:
    return f"python -m infra.reimport --channel {channel_id}"


def next_run(guild_id: str) -> str:
    return f"wait for the reconciler's next run, which `python -m infra.plan {guild_id}` shows"


def put_pointer(table: str, thread_id: str, pair: tuple[str, str]) -> str:
    item = {**pointer_item_key(thread_id), "parent_channel_id": pair[0], "session_key": pair[1]}
    return _command(table, "put-item", item=_typed(item))


def delete_item(table: str, key: Mapping[str, str]) -> str:
    return _command(table, "delete-item", key=_typed(key))


def set_attributes(table: str, key: Mapping[str, str], sets: Mapping[str, str]) -> str:
    expression = f"SET {', '.join(f'#{name} = :{name}' for name in sets)}"
    values = {f":{name}": {"S": value} for name, value in sets.items()}
    names = {f"#{name}": name for name in sets}
    return _command(table, "update-item", key=_typed(key), update_expression=expression,
        expression_attribute_names=names, expression_attribute_values=values)  # fmt: skip


def remove_attributes(table: str, key: Mapping[str, str], removes: Sequence[str]) -> str:
    expression = f"REMOVE {', '.join(f'#{name}' for name in removes)}"
    names = {f"#{name}": name for name in removes}
    return _command(
        table, "update-item", key=_typed(key), update_expression=expression, expression_attribute_names=names
    )


def _typed(item: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {name: {"S": value} for name, value in item.items()}


def _command(table: str, operation: str, **options: Any) -> str:
    words = ["aws", "dynamodb", operation, "--table-name", table]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", value if isinstance(value, str) else json.dumps(value)]
    return shlex.join(words)
