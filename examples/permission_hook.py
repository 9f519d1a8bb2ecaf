"""A hook of Claude Code (PreToolUse) that asks people in Discord before a tool runs.

It reads the hook's JSON on stdin and prints the decision. Somebody presses Allow: the tool runs. Somebody presses Deny, or
writes what to do instead: it does not, and Claude reads why. Nobody answers in time, or something fails: ONETHREAD_FALLBACK
decides, `ask` (whoever sits at the terminal is asked; the default) or `deny`. It never allows by itself.

    make example NAME=permission_hook < examples/tool_call.json

ONETHREAD_ROLE: the id of the role that may answer; without it, everybody who sees the thread may.
ONETHREAD_SECONDS: how long it waits (540). Claude Code ends a hook after its `timeout` and then lets the tool run, unless the
hook's configuration has `"onFailure": "block"`: wait for less than that.
"""

import json
import os
import sys
from pathlib import PurePath
from typing import Any, Final

from examples.ask import Onethread

MAX_SHOWN: Final = 1500  # characters of the tool's input; a question has 1800
CHOICES: Final = [
    {"id": "allow", "label": "Allow", "style": "success"},
    {"id": "deny", "label": "Deny", "style": "danger"},
]


def ask_people(call: dict[str, Any], environ: dict[str, str]) -> tuple[str, str]:
    """The decision about a tool's call, and the reason."""
    role = environ.get("ONETHREAD_ROLE")
    answer = Onethread(environ["ONETHREAD_FUNCTION"]).ask(
        f"{PurePath(call['cwd']).name} {call['session_id'][:8]}",
        environ["ONETHREAD_CHANNEL"],
        describe(call),
        CHOICES,
        request_id=call["tool_use_id"],  # the hook run again for this call finds its question
        allow_other=True,
        answerers={"role_ids": [role]} if role else None,
        expires_in=int(environ.get("ONETHREAD_SECONDS", "540")),
    )
    who = f"user {answer.get('by')} in Discord"
    if answer.get("choice") == "allow":
        return "allow", f"Allowed by {who}."
    if answer["state"] == "answered":
        return "deny", f"{who} says: {answer['text']}" if "text" in answer else f"Denied by {who}."
    return environ.get("ONETHREAD_FALLBACK", "ask"), f"Nobody in Discord decided: the question is {answer['state']}."


def describe(call: dict[str, Any]) -> str:
    """What people read: the tool and its input, whose own fences cannot end ours."""
    is_command = call["tool_name"] == "Bash"  # of other tools all is shown
    given = (
        call["tool_input"]["command"] if is_command else json.dumps(call["tool_input"], indent=1, ensure_ascii=False)
    )
    safe = given.replace("```", "'''")
    shown = safe.encode("utf-16-le")[: 2 * MAX_SHOWN].decode("utf-16-le", "ignore")  # Discord counts an emoji as two
    rest = f"\n⚠️ {len(safe) - len(shown)} more characters are not shown." if shown != safe else ""
    return f"Claude wants to use **{call['tool_name']}**:\n```\n{shown}\n```{rest}"


def main() -> None:
    try:
        decision, reason = ask_people(json.load(sys.stdin), dict(os.environ))
    except Exception as fault:  # whatever it is, Claude Code must hear a decision: without one, the tool runs
        decision, reason = os.environ.get("ONETHREAD_FALLBACK", "ask"), f"Nobody in Discord was asked: {fault!r}"
    output = {"hookEventName": "PreToolUse", "permissionDecision": decision, "permissionDecisionReason": reason}
    print(json.dumps({"hookSpecificOutput": output}))


if __name__ == "__main__":
    main()
