"""The doctor: nothing to say of what is well; each fault is found, alone, with what to do about it."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from handler import __version__
from infra import cloudformation
from infra.commands.definitions import COMMANDS
from infra.doctor.__main__ import main
from infra.simulator.permissions import default_permissions_without
from tests.infra.deployment.account import ENDPOINT
from tests.infra.deployment.operated import TOKEN_PARAMETER, Operated
from tests.infra.deployment.resources import TABLE
from tests.infra.simulator.client import GUILD, NEWS, NOON, SECOND, TEXT

NOW = "2026-11-23T12:00:00.000Z"
LONG_AGO = "2026-11-23T10:00:00.000Z"


def examine(operated: Operated, *arguments: str) -> dict[str, list[dict[str, str]]]:
    """What is not ok, by its state; the others are only counted."""
    status = operated.run(main, "--json", *arguments)
    report = json.loads(operated.out)
    found = [finding for finding in report["findings"] if finding["state"] != "ok"]
    assert status == (0 if report["ok"] else 1)
    assert report["ok"] == all(finding["state"] != "fail" for finding in found)
    assert all(finding.get("cure") for finding in found)
    return {state: [f for f in found if f["state"] == state] for state in ("fail", "warn")}


def in_use(operated: Operated, **attributes: Any) -> None:
    """Sessions were opened in both channels of the server."""
    known = {"due_in": "GUILDS", "due_at": NOW, "reconciled_at": NOW, "watch_guild_id": GUILD}
    operated.put(f"GUILD#{GUILD}", "GUILD", **{**known, **attributes})
    operated.put(f"CHANNEL#{TEXT}", "SESSION#a", watch_guild_id=GUILD)
    operated.put(f"CHANNEL#{NEWS}", "SESSION#b", due_in=GUILD, due_at=NOW)


def test_what_is_well_is_said_to_be_well(operated: Operated) -> None:
    in_use(operated)
    assert operated.run(main) == 0, operated.out
    assert operated.out.endswith("All is well.\n")
    lines = [line.split(None, 2)[1] for line in operated.out.splitlines() if line.startswith("ok ")]
    assert lines == [
        *["stack", "version", "functions", "sources", "table", "queues", "schedule", "alarms", "concurrency", "token"],
        *["application", "endpoint", "commands", "intents", "clock", "server"],
    ]
    assert "2 channels" in operated.out


def test_a_queue_that_a_tick_has_filled_with_servers_is_well(operated: Operated) -> None:
    operated.resources.waiting = {"ReconcileQueue": 1000}
    assert operated.run(main) == 0
    assert "nothing is stuck" in operated.out


def test_an_alarm_that_waits_for_the_first_run_of_the_schedule_is_well_on_a_new_stack_only(operated: Operated) -> None:
    operated.resources.alarms = {"onethread-ReconcilerSilentAlarm-1": "ALARM"}
    for created, status in ((NOON - timedelta(minutes=29), 0), (NOON - timedelta(minutes=30), 1)):
        operated.account.created = created
        assert operated.run(main) == status, operated.out
        assert ("is on until the schedule's first run" in operated.out) == (status == 0)


def test_the_version_of_the_template_is_the_handlers() -> None:
    assert cloudformation.read()["Outputs"]["Version"]["Value"] == __version__


def _set(**values: Any) -> Callable[[Operated], None]:
    def arrange(operated: Operated) -> None:
        for name, value in values.items():
            setattr(operated.resources, name, value)

    return arrange


def _endpoint(url: str | None) -> Callable[[Operated], Any]:
    return lambda operated: operated.bot.send("PATCH", "/applications/@me", {"interactions_endpoint_url": url})


def _plain_token(operated: Operated) -> None:
    operated.account.parameters[TOKEN_PARAMETER]["Type"] = "String"


def _other_application(operated: Operated) -> None:
    operated.account.stacks["onethread"]["DiscordApplicationId"] = "999999999999999999"


def _other_version(operated: Operated) -> None:
    outputs = {**operated.resources.outputs(), "Version": "0.0.9"}
    operated.resources.outputs = lambda: outputs  # type: ignore[method-assign]  # an older deployment's


def _stream_of_before(operated: Operated) -> None:
    operated.account.stacks["onethread"]["SessionsTableStreamLabel"] = "2025-11-23T12:00:00.000"


def _lost_token(operated: Operated) -> None:
    operated.account.parameters.clear()


@pytest.mark.parametrize(
    ("arrange", "state", "text", "cure"),
    [
        (lambda o: o.account.stacks.clear(), "fail", "There is no stack onethread", "make setup"),
        (
            lambda o: setattr(o.account, "status", "ROLLBACK_COMPLETE"),
            "fail",
            "first deployment failed",
            "delete-stack",
        ),
        (_other_version, "warn", "0.0.9 is deployed", "make setup"),
        (_set(functions={"Worker": {"State": "Failed", "StateReason": "no room"}}), "fail", "no room", "make setup"),
        (_set(functions={"Worker": {"Runtime": "python3.11"}}), "warn", "runs on python3.11", "make setup"),
        (_set(functions={"Worker": {"Version": "6"}}), "warn", "runs version 6, not 7", "docs/deploy.md"),
        (_set(sources={"Jobs": {"State": "Disabled"}}), "fail", "Jobs wakes no function", "--enabled"),
        (_set(sources={"Jobs": {"LastProcessingResult": "PROBLEM: denied"}}), "warn", "denied", "role"),
        (_set(table={"TableStatus": "UPDATING"}), "fail", "is UPDATING", "Wait"),
        (_set(table={"GlobalSecondaryIndexes": []}), "fail", "no index ActivityIndex", "docs/upgrading.md"),
        (_set(table={"StreamSpecification": None}), "fail", "has no stream", "StreamViewType=NEW_AND_OLD_IMAGES"),
        (_set(table={"DeletionProtectionEnabled": False}), "warn", "by mistake", "--deletion-protection-enabled"),
        (_set(table={"TableStatus": "GONE"}), "fail", "Somebody deleted it by hand", "docs/recovery.md"),
        (_stream_of_before, "fail", "the stack reads 2025", "--set SessionsTableStreamLabel=2026"),
        (_set(recovery="DISABLED"), "warn", "no point-in-time recovery", "update-continuous-backups"),
        (_set(expiry="DISABLED"), "warn", "nothing expires", "AttributeName=expires_at"),
        (_set(waiting={"JobsDeadLetters": 2}), "warn", "JobsDeadLetters has 2", "operations.md#jobsdeadlettersalarm"),
        (_set(waiting={"JobsQueue": 101}), "warn", "101 are waiting", "throttled"),
        (_set(schedule="DISABLED"), "fail", "is DISABLED", "EventBridge"),
        (_set(schedule=None), "fail", "no schedule", "make setup"),
        (_set(alarms={"a": "OK", "b": "ALARM"}), "fail", "b: Threshold Crossed", "docs/operations.md"),
        (lambda o: setattr(o.account, "concurrency", 8), "warn", "8 functions at once", "service quota"),
        (_plain_token, "fail", "is not encrypted", "delete-parameter"),
        (_lost_token, "fail", "There is no parameter", "make setup"),
        (_other_application, "fail", "DiscordApplicationId differs", "another --env"),
        (_endpoint(None), "fail", "Discord has no endpoint", "make setup"),
        (_endpoint("https://example.org/x"), "fail", "https://example.org/x", "--take-over"),
        (lambda o: setattr(o.account, "answers", [503]), "fail", "status 503", "webhook's log"),
        (lambda o: o.register([]), "fail", "None is registered", "make setup"),
        (lambda o: o.register(COMMANDS[:1]), "warn", "is not what this tree has", "make setup"),
        (lambda o: o.register(COMMANDS, GUILD), "warn", "see each twice", f"--unregister --guild {GUILD}"),
        (lambda o: in_use(o, reconciled_at=LONG_AGO), "fail", "no complete run since", "schedule"),
        (lambda o: in_use(o, parked=2), "warn", "did not answer 2 times", "Invite it again"),
        (lambda o: in_use(o, parked="x"), "warn", "cannot be read", "troubleshooting"),
    ],
)
def test_each_fault_is_found_with_its_cure(
    operated: Operated, arrange: Callable[[Operated], Any], state: str, text: str, cure: str
) -> None:
    arrange(operated)
    found = examine(operated)[state]
    assert any(text in finding["text"] and cure in finding["cure"] for finding in found), operated.out
    if text not in ("is not encrypted", "There is no parameter"):  # those are met twice, once for each side
        assert {finding["name"] for finding in found} == {found[0]["name"]}


def test_a_token_that_discord_refuses_is_named_and_the_rest_of_discord_left_out(operated: Operated) -> None:
    operated.account.parameters[TOKEN_PARAMETER]["Value"] = "revoked"
    assert [(f["name"], f["cure"]) for f in examine(operated)["fail"]] == [
        ("application", "Run: make setup, with the bot's new token.")
    ]


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId"])
def test_without_a_look_at_the_stack_that_is_all_it_says(operated: Operated, code: str) -> None:
    operated.account.refusals["DescribeStacks"] = (code, "")
    assert [f["name"] for f in examine(operated)["fail"]] == ["stack"]
    assert len(operated.out.splitlines()) < 15


def test_a_permission_of_yours_that_is_missing_leaves_out_one_check_only(operated: Operated) -> None:
    operated.account.refusals["GetAccountSettings"] = ("AccessDeniedException", "")
    found = examine(operated)
    assert ([f["name"] for f in found["warn"]], found["fail"]) == (["concurrency"], [])
    assert "lambda:GetAccountSettings" in found["warn"][0]["text"]


def test_a_reconciler_that_comes_seldom_is_not_late(operated: Operated) -> None:
    in_use(operated, reconciled_at=LONG_AGO)  # two hours
    assert [f["name"] for f in examine(operated)["fail"]] == ["reconciler"]
    operated.account.stacks["onethread"]["ReconcileMinutes"] = "30"
    assert examine(operated)["fail"] == []


@pytest.mark.parametrize(("seconds", "words"), [(45, "45 seconds fast"), (-90, "90 seconds slow")])
def test_a_wrong_clock_is_noticed(operated: Operated, seconds: int, words: str) -> None:
    operated.run(main, now=lambda: NOON + seconds * SECOND)
    assert words in operated.out


@pytest.mark.parametrize(
    ("place", "without", "state", "text"),
    [
        (TEXT, "VIEW_CHANNEL", "fail", f"#{TEXT}: the bot cannot see the channel"),
        (TEXT, "CREATE_PUBLIC_THREADS", "fail", "Guild #builds: missing Create Public Threads."),
        (TEXT, "MANAGE_THREADS", "warn", "Guild #builds: missing Manage Threads."),
        (GUILD, "VIEW_AUDIT_LOG", "warn", "without View Audit Log"),
    ],
)
def test_a_missing_permission_is_named_with_its_channel(
    operated: Operated, place: str, without: str, state: str, text: str
) -> None:
    in_use(operated)
    operated.discord.people.set_permissions(place, default_permissions_without(without), now=NOON)
    found = examine(operated)
    assert [text in finding["text"] for finding in found[state]] == [True]
    assert not found["fail" if state == "warn" else "warn"]


def test_private_threads_are_not_missed_where_there_are_none(operated: Operated) -> None:
    in_use(operated)
    operated.discord.people.set_permissions(NEWS, default_permissions_without("CREATE_PRIVATE_THREADS"), now=NOON)
    assert examine(operated) == {"fail": [], "warn": []}


def test_a_deleted_channel_needs_no_permission(operated: Operated) -> None:
    in_use(operated)
    operated.discord.people.delete_channel(NEWS, now=NOON)
    assert examine(operated) == {"fail": [], "warn": []}


def test_one_server_or_one_channel_can_be_looked_at_alone(operated: Operated) -> None:
    in_use(operated)
    operated.discord.people.set_permissions(NEWS, 0, now=NOON)
    assert examine(operated, "--channel", TEXT)["fail"] == []
    assert len(examine(operated, "--guild", GUILD)["fail"]) == 1
    operated.discord.people.remove_bot_from_guild(GUILD, now=NOON)
    assert "no member" in examine(operated, "--guild", GUILD)["warn"][0]["text"]


def test_it_changes_nothing(operated: Operated) -> None:
    in_use(operated)
    before = operated.discord.fingerprint(), operated.items()
    examine(operated)
    assert (operated.discord.fingerprint(), operated.items()) == before
    assert operated.application()["interactions_endpoint_url"] == ENDPOINT
    assert not operated.resources.deleted
    assert operated.resources.memory.name == TABLE


def test_an_unknown_environment_is_refused_by_the_command_line(operated: Operated) -> None:
    with pytest.raises(SystemExit) as left:
        operated.run(main, "--env", "moon")
    assert left.value.code == 2
