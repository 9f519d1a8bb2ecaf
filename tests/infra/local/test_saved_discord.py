"""The simulated Discord is the same after a restart, to the last change that anybody saw."""

from collections.abc import Hashable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from infra.local.discord import LocalDiscord
from infra.local.saved_discord import AUDIT, DICTS, FORGOTTEN, VALUES
from infra.simulator import state
from infra.simulator.simulated_discord import SimulatedDiscord
from infra.table.saved_rows import SavedRows, Unreadable
from tests.kit.secrets import BOT_TOKEN

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
GUILD, CHANNEL = "1", "10"


@contextmanager
def running(path: Path) -> Iterator[LocalDiscord]:
    """A server that is started and stopped, with whatever the file has."""
    with closing(SavedRows(path)) as rows:
        server = LocalDiscord(SimulatedDiscord(application_id="1000", bot_token=BOT_TOKEN), rows)
        yield server
        server.close()


def everything(server: LocalDiscord) -> Hashable:
    """All that is to be saved and can be seen, with the lists of threads."""
    with server.lock:
        now = server.discord.fork()
        for name in FORGOTTEN:
            getattr(now.state, name).clear()
        active = {guild_id: ids for guild_id, ids in now.state.active.items() if ids}
        archived = {key: places for key, places in now.state.archived.items() if places}
        return now.fingerprint(), tuple(active.items()), tuple(archived.items())


def live(server: LocalDiscord) -> list[str]:
    """Do something of each kind. Returns the threads."""
    with server.lock:
        discord = server.discord
        discord.add_guild(GUILD)
        discord.add_channel(GUILD, CHANNEL)
        discord.add_channel(GUILD, "15", 15, tags=[("7", "bug")])
        discord.add_user("3", name="mona")
        people = discord.people
        threads = [people.create_thread(CHANNEL, f"Session {number}", now=NOW, by="3") for number in range(4)]
        people.rename(threads[0], "Session x: \u200bé", now=NOW + timedelta(seconds=1), by="3")
        people.archive(threads[1], now=NOW + timedelta(seconds=2), by="3")
        people.lock(threads[2], now=NOW + timedelta(seconds=3), by="3")
        people.delete_thread(threads[3], now=NOW + timedelta(seconds=4), by="3")
        people.add_archived_threads(CHANNEL, 5, newest=NOW, name_of="old {}".format)
        discord.switch(search_ready=False, rename_limit=(1, 60.0))
        discord.limit_route("GET", "/channels/{channel_id}", 5, 1.0)
        discord.report_missing_once(threads[0])
        discord.stop_search_index()
        discord.begin_interaction("token", "99", "1000", NOW)
    return threads


def test_all_of_the_state_is_saved_or_forgotten_on_purpose() -> None:
    assert {*DICTS, AUDIT, *FORGOTTEN} == set(state._DICTS)
    assert {*VALUES, "identity"} == {*state._VALUES, *state._OTHER_VALUES}


def test_after_a_restart_everything_is_as_it_was(tmp_path: Path) -> None:
    with running(tmp_path / "discord") as server:
        live(server)
        before = everything(server)
    with running(tmp_path / "discord") as server:
        assert everything(server) == before
        with server.lock:
            assert not list(server.discord.state.interactions.values())
            server.discord.people.create_thread(CHANNEL, "another", now=NOW + timedelta(seconds=5), by="3")
        after = everything(server)
    with running(tmp_path / "discord") as server:
        assert everything(server) == after != before


def test_what_goes_wrong_halfway_is_saved_as_far_as_it_went(tmp_path: Path) -> None:
    def fail(server: LocalDiscord) -> None:
        with server.lock:
            server.discord.add_guild("5")
            raise ZeroDivisionError

    with running(tmp_path / "discord") as server, pytest.raises(ZeroDivisionError):
        fail(server)
    with running(tmp_path / "discord") as server:
        assert "5" in server.discord.state.guilds


def test_a_guild_that_is_removed_leaves_nothing_behind_and_no_other_is_touched(tmp_path: Path) -> None:
    with running(tmp_path / "discord") as server:
        live(server)
        before = everything(server)
        with server.lock:
            server.discord.add_guild("2")
            server.discord.add_channel("2", "20")
            thread = server.discord.people.create_thread("20", "Session y", now=NOW, by="3")
        assert server.ids_in("2") == {"2", "20", thread}
        server.remove_guild("2")
        assert everything(server) == before
    with running(tmp_path / "discord") as server:
        assert everything(server) == before


@pytest.mark.parametrize("row", [("threads", '"1"'), ("switches", ""), (AUDIT, '["1",0]')])
def test_a_state_of_another_version_is_refused(tmp_path: Path, row: tuple[str, str]) -> None:
    rows = SavedRows(tmp_path / "discord")
    rows.write({row: b'{"nonce_seconds": []}'})
    rows.close()
    with pytest.raises(Unreadable, match="another version"), running(tmp_path / "discord"):
        pytest.fail("it was read")
