"""How the tour draws a channel."""

from datetime import UTC, datetime

from infra.local.channel_view import draw_threads
from infra.simulator.simulated_discord import SimulatedDiscord

NOW = datetime(2026, 11, 23, tzinfo=UTC)
GUILD, CHANNEL, MONA = "2", "3", "4"


def drawn(discord: SimulatedDiscord, names: dict[str, str]) -> list[str]:
    return [line.plain for line in draw_threads(discord.state, list(discord.state.threads.values()), names)]


def test_a_message_is_drawn_with_its_thread_collapsed_below_it_and_a_persons_thread_by_whoever_started_it() -> None:
    discord = SimulatedDiscord(application_id="1", bot_token="made up")
    discord.add_guild(GUILD)
    discord.add_channel(GUILD, CHANNEL)
    people, bot = discord.people, discord.state.identity.bot_user_id
    source = people.post_message(CHANNEL, f"**Session 7** by <@{MONA}>\n> a topic", now=NOW, by=bot)
    thread = people.create_thread(CHANNEL, "Session 7", message_id=source, now=NOW, by=bot)
    people.post_message(thread, "hello", now=NOW, by=MONA)
    by_hand = people.create_thread(CHANNEL, "Session 8", now=NOW, by=MONA)
    people.lock(by_hand, now=NOW)
    people.archive(by_hand, now=NOW)

    assert drawn(discord, {MONA: "mona"}) == [
        "Onethread  Session 7 by @mona",
        "> a topic",
        "  ╰─ Session 7 · 1 message",
        "mona  started a thread",
        "  ╰─ Session 8 · 0 messages · archived · locked",
    ]
