"""Channels are imported again by one command: the drill after a restore, and what may come in between."""

from datetime import timedelta
from typing import Any

import pytest

from handler.errors import StoreUnavailable
from handler.sessions.opening.channel_import import import_afresh
from infra.doctor.__main__ import main as doctor
from infra.reimport import main
from infra.table.memory_table import MemoryTable
from infra.virtual_time import START
from tests.infra.deployment.operated import Operated, import_again, open_all
from tests.infra.deployment.resources import STREAM, TABLE
from tests.infra.simulator.client import GUILD, NEWS, TEXT

DAY = timedelta(days=1)


def test_after_a_restore_one_command_finds_everything_that_happened_since_the_backup(
    operated: Operated, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    people = operated.discord.people
    threads = open_all(operated, "one", "two", "three")
    threads |= open_all(operated, "news", channel=NEWS)
    backup = operated.items()
    later = START + DAY
    people.archive(threads["one"], now=later)
    people.rename(threads["two"], "Session second", now=later)
    threads["second"] = threads["two"]
    threads |= open_all(operated, "four", at=later)
    threads["by hand"] = people.create_thread(TEXT, "Session by hand", now=later)
    people.archive(threads["by hand"], now=later + timedelta(hours=1))
    people.archive(threads["four"], now=later + timedelta(hours=1))
    number = len(operated.discord.threads)

    # The table is restored to the day before, under a new name: without a stream, expiry and recovery (DynamoDB docs).
    operated.resources.memory = MemoryTable("restored")
    for item in backup:
        operated.put(**item)
    operated.resources.recovery = operated.resources.expiry = "DISABLED"
    operated.resources.table = {"StreamSpecification": None, "DeletionProtectionEnabled": False}
    settings = ["--set", "SessionsTableName=restored", "--set", f"SessionsTableStreamLabel={STREAM}"]
    assert operated.set_up(*settings) == 1  # the doctor's: what the restore has left off
    for cure in (
        "update-table --table-name restored --region eu-central-1 --stream",
        "update-time-to-live",
        "update-continuous-backups",
    ):
        assert cure in operated.out
    operated.resources.recovery = operated.resources.expiry = "ENABLED"
    operated.resources.table = {}
    operated.run(doctor)
    assert "ok   table        restored" in operated.out

    at = later + DAY
    assert import_again(operated, "--all", at=at) == 0, operated.out
    assert "2 channels imported, 0 skipped." in operated.out
    known = {item["session_name"]: item.get("discord_thread_id") for item in operated.items() if "session_name" in item}
    assert known.items() >= {("four", threads["four"]), ("by hand", threads["by hand"])}
    assert open_all(operated, *(threads.keys() - {"news"}), at=at) == {n: t for n, t in threads.items() if n != "news"}
    assert open_all(operated, "news", channel=NEWS, at=at) == {"news": threads["news"]}
    assert len(operated.discord.threads) == number


def test_after_a_loss_a_channel_is_imported_by_its_id(operated: Operated) -> None:
    threads = open_all(operated, "one", "two")
    operated.discord.people.archive(threads["one"], now=START + DAY)
    operated.resources.memory = MemoryTable(TABLE)
    assert import_again(operated, "--all", at=START + DAY) == 0
    assert "0 channels imported" in operated.out
    assert import_again(operated, "--channel", TEXT, at=START + DAY) == 0
    assert {i["discord_thread_id"] for i in operated.items() if "session_name" in i} == set(threads.values())


def test_what_concerns_one_channel_costs_only_that_channel(operated: Operated) -> None:
    open_all(operated, "one")
    open_all(operated, "news", channel=NEWS)
    operated.discord.people.set_permissions(TEXT, 0, now=START)
    assert import_again(operated, "--guild", GUILD, at=START + DAY) == 1
    assert f"skip {TEXT}" in operated.out
    assert f"ok   {NEWS}" in operated.out
    assert import_again(operated, "--guild", "999", at=START + DAY) == 0
    assert "0 channels" in operated.out


def test_a_run_that_was_stopped_is_continued_by_its_id(operated: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    open_all(operated, "one")
    open_all(operated, "news", channel=NEWS)
    done: list[str] = []

    async def die(context: Any, channel: Any, *how: Any, **more: Any) -> Any:
        done.append(channel.channel_id)
        if channel.channel_id == NEWS:
            raise StoreUnavailable("gone")
        return await import_afresh(context, channel, *how, **more)

    monkeypatch.setattr("infra.reimport.import_afresh", die)
    assert import_again(operated, "--all", "--run", "7", at=START + DAY) == 1
    assert "Go on with: --run 7" in operated.err
    assert done == [TEXT, NEWS]
    monkeypatch.setattr("infra.reimport.import_afresh", import_afresh)
    operated.discord.calls.clear()
    assert import_again(operated, "--all", "--run", "7", at=START + DAY) == 0
    archived = {key: n for key, n in operated.discord.calls.items() if "archived" in key[1]}
    assert sum(archived.values()) == 2  # of the second channel: its page, and what moved meanwhile


@pytest.mark.parametrize("arguments", [[], ["--all", "--guild", "1"], ["--channel", "x"]])
def test_what_to_import_has_to_be_said(operated: Operated, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        operated.run(main, *arguments)
    assert left.value.code == 2


def test_a_refused_token_is_named(operated: Operated) -> None:
    open_all(operated, "one")
    operated.account.parameters[operated.resources.variables["DISCORD_BOT_TOKEN_PARAMETER"]]["Value"] = "revoked"
    assert import_again(operated, "--all", at=START + DAY) == 1
    assert "make setup" in operated.err
