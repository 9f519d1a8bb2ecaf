"""The commands that mend what differs. Pure. Those of the AWS CLI change one item, and can be pasted into a shell."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handler.store.items import Session, pointer_item_key


def open_session(session: Session) -> str:
    option = " private: True" if session.private else ""
    return f"/session open name: {session.session_name}{option}, in the channel {session.parent_channel_id}"


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands that mend one deployment."""

    stack: str
    table: str
    region: str

    def import_channel(self, channel_id: str) -> str:
        return f"python -m infra.reimport {self._deployment} --channel {channel_id}"

    def next_run(self, guild_id: str) -> str:
        return f"wait for the reconciler's next run, which `python -m infra.plan {self._deployment} {guild_id}` shows"

    @property
    def _deployment(self) -> str:
        return f"--stack-name {self.stack} --region {self.region}"

    def put_pointer(self, thread_id: str, pair: tuple[str, str]) -> str:
        item = {**pointer_item_key(thread_id), "parent_channel_id": pair[0], "session_key": pair[1]}
        return self._command("put-item", item=_typed(item))

    def delete(self, key: Mapping[str, str]) -> str:
        return self._command("delete-item", key=_typed(key))

    def set_attributes(self, key: Mapping[str, str], sets: Mapping[str, str]) -> str:
        expression = f"SET {', '.join(f'#{name} = :{name}' for name in sets)}"
        values = {f":{name}": {"S": value} for name, value in sets.items()}
        return self._update(key, expression, sets, expression_attribute_values=values)

    def remove_attributes(self, key: Mapping[str, str], removes: Sequence[str]) -> str:
        return self._update(key, f"REMOVE {', '.join(f'#{name}' for name in removes)}", removes)

    def _update(self, key: Mapping[str, str], expression: str, names: Iterable[str], **values: Any) -> str:
        given = {f"#{name}": name for name in names}
        parts = {"update_expression": expression, "expression_attribute_names": given, **values}
        return self._command("update-item", key=_typed(key), **parts)

    def _command(self, operation: str, **options: Any) -> str:
        words = ["aws", "dynamodb", operation, "--region", self.region, "--table-name", self.table]
        for name, value in options.items():
            words += [f"--{name.replace('_', '-')}", value if isinstance(value, str) else json.dumps(value)]
        return shlex.join(words)


def _typed(item: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {name: {"S": value} for name, value in item.items()}
