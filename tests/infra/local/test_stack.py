"""The whole local stack: what it answers, and that it leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from infra.interactions import DEVELOPMENT_CHANNEL_ID, DEVELOPMENT_GUILD_ID
from infra.local import client, tour
from infra.local.address_file import program_variables, publish_addresses, running_stacks
from infra.local.discord_client import Channel, DiscordClient, User
from infra.local.http_client import invoke_function, send
from infra.local.request_counter import Cost, RequestCounter
from infra.local.stack import Ports, Stack, StartFailed
from infra.local.tour import set_the_scene
from tests.infra.local.conftest import is_running
from tests.kit.eventually import PATIENCE_SECONDS, eventually
from tests.kit.sam_template import ROOT

pytestmark = pytest.mark.long

CHANNEL = Channel(DEVELOPMENT_GUILD_ID, DEVELOPMENT_CHANNEL_ID)
MONA = User("1300000000000000001", "mona")


@pytest.fixture
def discord(stack: Stack) -> DiscordClient:
    return DiscordClient(control_url=stack.discord.url, gateway_url=stack.gateway.url)


@pytest.fixture
def found(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """The stack, with the file in which commands in other terminals look for it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with publish_addresses(stack):
        yield stack


def test_a_signed_interaction_goes_all_the_way_and_back(stack: Stack, discord: DiscordClient) -> None:
    answer = discord.open_and_retry(MONA, CHANNEL, "all the way", "there *and* back")[-1]
    (thread,) = [id for id, name in stack.discord.thread_names(CHANNEL.id).items() if name == "Session all the way"]

    assert f"<#{thread}>" in answer.text
    assert thread in stack.discord.bot_messages(CHANNEL.id)


def test_the_handler_itself_refuses_bad_requests(stack: Stack) -> None:
    url = stack.gateway.url
    assert send("POST", f"{url}/elsewhere", b"{}", {})[0] == 404
    assert send("GET", f"{url}/interactions", b"", {})[0] == 405
    assert send("POST", f"{url}/interactions", b'{"type":1}', {"X-Signature-Timestamp": "1"})[0] == 401


def test_what_happens_to_a_session_reaches_the_bus(stack: Stack, discord: DiscordClient) -> None:
    discord.open_and_retry(MONA, CHANNEL, "told to programs")

    def is_published() -> bool:
        events = stack.events()
        return ("SessionOpened", "told to programs") in [
            (event["detail-type"], event["detail"]["session"]["session_name"]) for event in events
        ]

    eventually(is_published)


def test_a_program_gets_the_same_thread(stack: Stack, discord: DiscordClient) -> None:
    answer = discord.open_and_retry(MONA, CHANNEL, "shared")[-1]
    request = {"session_name": "Shared", "parent_channel_id": CHANNEL.id}
    answered = invoke_function(stack.invocations.url, "ApiFunction", request)

    assert answered["outcome"] == "reused"
    assert f"<#{answered['thread']['id']}>" in answer.text


def test_a_reuse_is_counted_as_one_call_to_each(stack: Stack, discord: DiscordClient) -> None:
    discord.open_and_retry(MONA, CHANNEL, "counted")
    costs: list[Cost] = []

    def is_counted() -> bool:
        counter = RequestCounter(stack)
        if discord.wait(discord.open(MONA, CHANNEL, "counted")).deferred:
            return False  # this machine is busy, and the way through the queue costs more
        costs.append(counter.cost())
        return True

    eventually(is_counted)
    (cost,) = costs
    assert (cost.discord, cost.dynamodb) == (1, 1)


def test_a_deferred_command_goes_through_the_queue_to_the_worker(stack: Stack, discord: DiscordClient) -> None:
    discord.open_and_retry(MONA, CHANNEL, "here before")
    stack.discord.delays = {CHANNEL.guild_id: 3.0}
    name = "takes long"
    deferred = discord.open(MONA, CHANNEL, name)
    stack.discord.delays = {}
    answer = discord.wait(deferred)

    assert deferred.deferred
    assert deferred.text == ""
    assert name in answer.text
    assert f"Session {name}" in stack.discord.thread_names(CHANNEL.id).values()


def test_the_schedule_reaches_the_reconciler_and_each_guild_is_run(stack: Stack, discord: DiscordClient) -> None:
    discord.open_and_retry(MONA, CHANNEL, "on schedule")
    assert stack.tick().payload["due"] == 1
    (thread,) = [id for id, name in stack.discord.thread_names(CHANNEL.id).items() if name == "Session on schedule"]
    with stack.discord.lock:
        stack.discord.discord.people.rename(thread, "Session on time", now=datetime.now(UTC))
    stack.reconcile()
    counter = RequestCounter(stack)
    stack.reconcile()
    assert counter.cost().discord == 2  # the table knows it: nothing is asked or written again


def test_the_functions_write_their_logs_to_a_file(stack: Stack, discord: DiscordClient) -> None:
    discord.open_and_retry(MONA, CHANNEL, "logged")
    lines = [json.loads(line) for line in stack.log_path.read_text().splitlines() if line.startswith('{"level"')]
    assert any(line.get("session_key") == "logged" for line in lines)


def test_a_command_in_another_terminal_opens_a_session(found: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    assert client.main(["open", "from afar", "--topic", "t"]) == 0
    assert "Started a thread for from afar: #Session from afar" in capsys.readouterr().out

    assert client.main(["ensure", "from afar"]) == 0
    answered = json.loads(capsys.readouterr().out)
    assert answered["outcome"] == "reused"

    thread = answered["thread"]["id"]
    assert [client.main(["lock", thread]), client.main(["open", "from afar"])] == [0, 0]
    assert "A moderator can unlock it" in capsys.readouterr().out
    assert client.main(["open", "from afar", "--moderator"]) == 0
    assert "I've unlocked it" in capsys.readouterr().out
    assert client.main(["threads"]) == 0
    assert thread in capsys.readouterr().out


def test_a_command_in_a_thread_from_another_terminal_is_one_in_its_channel(
    found: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert client.main(["ensure", "threaded"]) == 0
    thread = json.loads(capsys.readouterr().out)["thread"]["id"]
    assert client.main(["open", "threaded", "--channel", thread]) == 0
    assert "threaded is already open" in capsys.readouterr().out
    assert client.main(["ensure", "threaded", "--channel", thread]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "reused"


def test_a_guest_from_another_terminal_gets_a_link_but_starts_no_thread(
    found: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert client.main(["ensure", "for guests"]) == 0
    assert [client.main(["open", name, "--user", "guest"]) for name in ("for guests", "of guests")] == [0, 0]
    shown = capsys.readouterr().out
    assert "for guests is already open" in shown
    assert "Create Public Threads" in shown
    assert "Session of guests" not in found.discord.thread_names(CHANNEL.id).values()


def test_duplicates_are_made_listed_and_merged_from_another_terminal(
    found: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [client.main(["make", "Session twice"]) for _ in range(2)] == [0, 0]
    assert [client.main(["use", "session-admin", what]) for what in ("import", "duplicates")] == [0, 0]
    assert "Found 1 duplicate thread" in capsys.readouterr().out
    assert client.main(["use", "session-admin", "duplicates", "--press", "Close duplicates"]) == 0
    assert "Closed 1 duplicate thread" in capsys.readouterr().out
    assert client.main(["threads"]) == 0
    listed = [line for line in capsys.readouterr().out.splitlines() if "twice" in line]
    assert sorted(("↪" in line, "archived, locked" in line) for line in listed) == [(False, False), (True, True)]


@pytest.mark.shows_made_up_secrets
def test_the_curl_command_is_signed(found: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    assert client.main(["curl", "by curl"]) == 0
    command = capsys.readouterr().out
    arguments = subprocess.run(
        ["/bin/sh", "-c", f"curl() {{ printf '%s\\n' \"$@\"; }}; {command}"], capture_output=True
    )
    printed = arguments.stdout.decode().splitlines()
    headers = dict(printed[at + 1].split(": ", 1) for at, word in enumerate(printed) if word == "--header")
    body = printed[printed.index("--data-raw") + 1].encode()

    status, answered = send("POST", printed[-1], body, headers)
    assert status == 200
    assert json.loads(answered)["type"] in (4, 5)


def started_example(found: Stack, *arguments: str) -> "subprocess.Popen[str]":
    """An example as a process, with the variables that lead it to the stack."""
    (addresses,) = running_stacks().values()
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, **program_variables(addresses)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_program_that_is_killed_while_it_waits_finds_the_answer_when_it_is_run_again(found: Stack) -> None:
    def is_shown() -> bool:
        with found.discord.lock:
            return any(message.content.startswith("Go on?") for message in found.discord.discord.messages.values())

    arguments = ("examples.ask", "killed", "Go on?", "go on", "stop")
    with started_example(found, *arguments) as process:
        try:
            eventually(is_shown)
        finally:
            process.kill()
    assert process.returncode == -signal.SIGKILL
    assert client.main(["press", "go on"]) == 0

    with started_example(found, *arguments) as process:
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert (said, process.returncode) == ("go on\n", 0)


def test_the_mcp_server_answers_over_its_standard_streams(found: Stack) -> None:
    opening = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    call = {"name": "session_link", "arguments": {"session": "over stdio"}}
    lines: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": opening},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": call},
    ]
    with started_example(found, "examples.mcp_server") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.writelines(json.dumps({"jsonrpc": "2.0", **line}) + "\n" for line in lines)
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.communicate(timeout=PATIENCE_SECONDS)

    (thread,) = [id for id, name in found.discord.thread_names(CHANNEL.id).items() if name == "Session over stdio"]
    assert [answer["id"] for answer in answers] == [1, 2]
    assert answers[1]["result"]["structuredContent"]["result"].endswith(f"/{thread}")
    assert process.returncode == 0


def test_without_a_stack_a_command_says_how_to_start_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert client.main(["threads"]) == 1
    assert "make run" in capsys.readouterr().err


def test_a_taken_port_is_named_and_nothing_keeps_running(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StartFailed, match=f"Port {port} cannot be used"), Stack(ports=Ports(aws=port)):
            pytest.fail("it started anyway")


def test_an_emulation_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")  # no interpreter starts with that
    with pytest.raises(StartFailed, match="emulated AWS did not start"), Stack():
        pytest.fail("it started anyway")


def descendants(pid: int) -> list[int]:
    """All processes below that one."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    children = [child for child, parent in pairs if parent == pid]
    return children + [below for child in children for below in descendants(child)]


def announcements(cache: Path) -> list[Path]:
    return list((cache / "onethread" / "local").glob("*.json"))


@contextmanager
def started(cache: Path) -> Iterator[tuple["subprocess.Popen[bytes]", list[int]]]:
    """`make run` without the tour, up and serving, with environments; and all processes below it. It ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "infra.local", "--no-tour"],
        cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": str(cache), "TMPDIR": str(cache)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        try:
            eventually(lambda: bool(announcements(cache)) or process.poll() is not None)
            (announcement,) = announcements(cache)
            where: dict[str, Any] = json.loads(announcement.read_text())
            eventually(lambda: _answers(f"{where['gateway']}/interactions"))
            assert process.stdout is not None
            shown = list(takewhile(lambda line: b"Press Ctrl-C" not in line, process.stdout))
            assert any(b"endpoint" in line for line in shown), shown
            yield process, descendants(process.pid)
        finally:
            process.kill()  # what is below it ends with it


def _answers(url: str) -> bool:
    """Whether it answers in time. The first environment takes long to start on a busy machine."""
    with suppress(OSError):
        return send("GET", url, b"", {})[0] == 405
    return False


def end(process: "subprocess.Popen[bytes]", below: list[int], how: signal.Signals, cache: Path) -> None:
    """End it by that signal, which leaves nothing behind."""
    process.send_signal(how)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)

    assert (process.returncode, err) == (0, b"")
    assert len(below) >= 3  # the emulation, the fork server, an environment
    eventually(lambda: not any(map(is_running, below)))
    assert not announcements(cache)


def test_ctrl_c_ends_it_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with started(tmp_path) as (process, below):
        end(process, below, signal.SIGINT, tmp_path)


def test_when_it_is_killed_no_process_stays_and_the_next_one_has_forgotten_nothing_and_can_be_terminated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ensured() -> tuple[str, str]:
        assert client.main(["ensure", "before the kill"]) == 0
        answered = json.loads(capsys.readouterr().out)
        return answered["outcome"], answered["thread"]["id"]

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with started(tmp_path) as (process, below):
        outcome, thread = ensured()
        process.kill()
        process.communicate(timeout=PATIENCE_SECONDS)

    assert outcome == "created"
    assert len(below) >= 3
    eventually(lambda: not any(map(is_running, below)))

    for announcement in announcements(tmp_path):
        announcement.unlink()
    with started(tmp_path) as (process, below):
        assert ensured() == ("reused", thread)
        end(process, below, signal.SIGTERM, tmp_path)


def test_the_tour_begins_anew_and_leaves_alone_what_people_opened(stack: Stack, discord: DiscordClient) -> None:
    """The stack remembers yesterday's tour."""
    set_the_scene(stack)
    links = {}
    for channel in (tour.CHANNEL, CHANNEL):
        links[channel] = discord.open_and_retry(MONA, channel, "yesterday")[-1].message
    set_the_scene(stack)
    assert stack.discord.thread_names(tour.CHANNEL.id) == {}
    assert stack.discord.bot_messages(tour.CHANNEL.id) == []
    again = {channel: discord.open_and_retry(MONA, channel, "yesterday")[-1].text for channel in links}
    (thread,) = stack.discord.thread_names(tour.CHANNEL.id)
    assert thread in again[tour.CHANNEL]
    assert thread not in str(links[tour.CHANNEL])
    (kept,) = [id for id, name in stack.discord.thread_names(CHANNEL.id).items() if name == "Session yesterday"]
    assert kept in str(links[CHANNEL])
    assert kept in again[CHANNEL]
