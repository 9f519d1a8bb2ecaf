"""The documents say what is: texts that they quote are texts of the bot, and the invitation grants what the bot uses."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import Final

import pytest

from handler.discord import refusals
from handler.discord.permissions import Permission
from infra.interactions import BOT_PERMISSIONS
from infra.simulator.permissions import PERMISSION_BITS
from tests.kit.guild import MEMBER, Guild
from tests.kit.sam_template import ROOT
from tests.kit.table_view import CHANNEL, GUILD

DOCS: Final = ROOT / "docs"
# What Discord's own client and CloudFormation say.
OF_OTHERS: Final = frozenset({"The application did not respond", "thinking…", "failed to satisfy constraint"})


@cache
def texts_in_code() -> str:
    """Every literal text in handler/, one a line."""
    nodes = (node for path in (ROOT / "handler").rglob("*.py") for node in ast.walk(ast.parse(path.read_text())))
    return "\n".join(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def quoted_in_troubleshooting() -> Iterator[str]:
    rows = re.findall(r"^\|(.+?)\|", (DOCS / "troubleshooting.md").read_text(), re.MULTILINE)
    quoted = re.findall(r'"([^"]+)"', "\n".join(rows))
    yield from (text for text in quoted if text not in OF_OTHERS)


@pytest.mark.parametrize("quoted", list(quoted_in_troubleshooting()))
def test_what_troubleshooting_quotes_is_said(quoted: str) -> None:
    said = texts_in_code()
    assert not [part for part in quoted.split("…") if part.strip() and part.strip() not in said]


def invitation() -> str:
    (section,) = re.findall(
        r"^## 3\. Invite the bot\n(.+?)^## ", (DOCS / "deploy.md").read_text(), re.MULTILINE | re.DOTALL
    )
    return str(section)


def test_the_invitation_is_the_one_that_everything_is_tried_with() -> None:
    (number,) = re.findall(r"permissions=(\d+)", invitation())
    assert int(number) == BOT_PERMISSIONS
    named = " ".join(invitation().split()).replace("View Channels", "View Channel")
    spelled = {
        permission: (permission.name or "").replace("_", " ").title().replace(" In ", " in ")
        for permission in Permission
    }
    assert {permission for permission, words in spelled.items() if words in named} == {
        permission for permission in Permission if permission & BOT_PERMISSIONS
    }


def test_the_invitation_asks_for_what_some_step_needs_and_for_nothing_else() -> None:
    needed = {permission for name, step in vars(refusals).items() if name.startswith("NEEDED_") for permission in step}
    invited = {permission for permission in Permission if permission & BOT_PERMISSIONS}
    assert invited == needed | {Permission.VIEW_AUDIT_LOG}  # the reconciler's, with which it asks less
    assert sum(invited) == BOT_PERMISSIONS


async def test_with_what_the_invitation_grants_everything_works(guild: Guild) -> None:
    granted = [name for name, bit in PERMISSION_BITS.items() if bit & BOT_PERMISSIONS]
    for place in (CHANNEL, GUILD):
        guild.people.set_permissions(place, granted)
    first = await guild.open()
    guild.people.lock(first.thread_id, by=MEMBER)
    guild.people.archive(first.thread_id, by=MEMBER)
    reopened = await guild.open(may_unlock=True)
    assert (reopened.thread_id, reopened.unlocked) == (first.thread_id, True)
    guild.people.delete_thread(first.thread_id, by=MEMBER)
    assert (await guild.open()).thread_id != first.thread_id
    assert not (await guild.report())["failed"]


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    words = re.sub(r"[`*]|\]\([^)]*\)", "", heading.strip())
    return re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")


def test_links_between_the_documents_lead_somewhere() -> None:
    broken = []
    for page in [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "examples").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)\s:]+)\)", page.read_text()):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE) if target.suffix == ".md" else []
            if not target.exists() or (anchor and anchor not in map(slug, headings)):
                broken.append(f"{page.relative_to(ROOT)}: {link}")
    assert not broken
