"""The same run over the clients that Lambda has: boto3, with moto behind its wire."""

from handler.sessions.reconcile.pace import Pace
from handler.sessions.reconcile.run import run_once
from tests.kit.stage import MODERATOR, Stage, staged
from tests.kit.table_view import GUILD


@staged(imported=False)
async def test_a_guild_is_followed_and_costs_nothing_more_once_it_is(stage: Stage) -> None:
    threads = {name: (await stage.open(name)).thread_id for name in "abcd"}
    people, now = stage.discord.people, stage.now
    people.rename(threads["a"], "Session z", now=now, by=MODERATOR)
    people.archive(threads["b"], now=now, by=MODERATOR)
    people.delete_thread(threads["c"], now=now, by=MODERATOR)
    people.lock(threads["d"], now=now, by=MODERATOR)
    stranger = stage.person_makes("Session new")
    counts = await _run(stage)
    assert {name: counts[name] for name in ("Observe", "End", "Settle", "NoteNamesake", "failed", "lost")} == {
        "Observe": 3,
        "End": 1,
        "Settle": 1,
        "NoteNamesake": 1,
        "failed": 0,
        "lost": 0,
    }
    assert (stage.item("a") or {})["thread_name"] == "Session z"
    assert (stage.item("b") or {})["archived"] is True
    assert (stage.item("c") or {})["status"] == "vacant"
    assert (stage.item("d") or {})["locked_by"] == MODERATOR
    assert (stage.item("new") or {})["discord_thread_id"] == stranger
    stage.forget()
    await _run(stage)
    assert sorted(call.what for call in stage.calls) == [
        "GET /guilds/{guild_id}/audit-logs",
        "GET /guilds/{guild_id}/threads/active",
        "Query",
    ]


@staged(imported=False)
async def test_the_sweep_and_held_deletions_are_written_as_dynamodb_takes_them(stage: Stage) -> None:
    threads = [(await stage.open(name)).thread_id for name in "abcde"]
    for thread_id in threads:
        stage.discord.people.archive(thread_id, now=stage.now, by=MODERATOR)
    await _run(stage)
    stage.discord.people.set_permissions(GUILD, (), now=stage.now)
    assert (await _run(stage))["Turn"] == 5
    for thread_id in threads[:4]:
        stage.discord.people.delete_thread(thread_id, now=stage.now, by=MODERATOR)
    assert (await _run(stage))["Hold"] == 4
    await stage.wait(31 * 60)
    assert (await _run(stage))["End"] == 4
    assert [item["status"] for item in stage.items() if item["sk"].startswith("SESSION#")].count("vacant") == 4


async def _run(stage: Stage) -> dict[str, int]:
    context = stage.process().sessions.context
    return await run_once(context, GUILD, stage.now, pace=Pace(stage.clock))
