"""The texts of answers: distinct, within Discord's limits, without mentions."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handler import errors
from handler.commands import texts
from handler.discord.responses import Message
from handler.sessions.model import Opened, Outcome
from infra.local.discord_client import goes_on
from tests.kit import samples

AT = datetime(2026, 11, 23, 12, 0, 0, 500_000, tzinfo=UTC)
MAX_CONTENT = 2000  # Discord docs, "Message", content
PROGRESS = {"pages": 3, "threads": 300, "sessions": 20}


def found(outcome: Outcome = Outcome.REUSED, *, name: str = "1a06a43", asked: str = "1a06a43", **more: Any) -> Opened:
    session = samples.session(session_name=name, guild_id="1", discord_thread_id="99")
    return Opened(outcome=outcome, session=session, requested_key=asked, **more)


LINKED = {
    "created": texts.session_link(found(Outcome.CREATED)),
    "made anew": texts.session_link(found(Outcome.CREATED, after_deletion=True)),
    "adopted": texts.session_link(found(Outcome.ADOPTED)),
    "reopened": texts.session_link(found(Outcome.REOPENED)),
    "unlocked": texts.session_link(found(Outcome.REOPENED, unlocked=True)),
    "reused": texts.session_link(found()),
    "waited for": texts.session_link(found(waited=True)),
    "by its new name": texts.session_link(found(asked="login")),
    "locked": texts.failure(errors.ThreadLocked(found())),
}
UNLINKED = {
    "channel gone": texts.failure(errors.ChannelGone()),
    "unsupported": texts.failure(errors.UnsupportedChannel()),
    "no access": texts.failure(errors.MissingAccess()),
    "no permission": texts.failure(errors.MissingPermissions(["SEND_MESSAGES"])),
    "too many threads": texts.failure(errors.TooManyThreads()),
    "no name": texts.failure(errors.InvalidName()),
    "automod": texts.failure(errors.RefusedByAutoMod()),
    "token refused": texts.failure(errors.BotTokenRefused()),
    "refused": texts.failure(errors.DiscordRefused(400, 0)),
    "discord down": texts.failure(errors.DiscordUnavailable()),
    "dynamodb down": texts.failure(errors.StoreUnavailable()),
    "timed out": texts.failure(errors.TimedOut()),
    "rate limited": texts.failure(errors.RateLimited(240.0)),
    "importing": texts.failure(errors.Importing(PROGRESS)),
    "locked, nothing known": texts.failure(errors.ThreadLocked()),
    "being updated": texts.being_updated(),
    "updated meanwhile": texts.updated_meanwhile(),
    "fault": texts.internal_error("made-up-request"),
    "not handed over": texts.hand_over_failure(),
    "wait too long": texts.long_wait(errors.RateLimited(900.0), AT),
    "import too long": texts.long_wait(errors.Importing(PROGRESS), AT),
    "waiting": texts.put_back_notice(errors.RateLimited(240.0), AT),
    "import goes on": texts.put_back_notice(errors.Importing(PROGRESS), AT),
    "retrying discord": texts.retry_notice(errors.DiscordUnavailable()),
    "retrying store": texts.retry_notice(errors.StoreUnavailable()),
    "retrying": texts.retry_notice(errors.TimedOut()),
    "last try": texts.last_try_notice(),
    "unknown command": texts.unknown_command(),
    "unknown component": texts.unknown_component(),
    "unreadable": texts.unreadable_command(),
    "outside": texts.guild_required(),
    "topic": texts.topic_too_long(),
}
ALL = LINKED | UNLINKED


def test_no_two_texts_are_the_same() -> None:
    contents = [text["content"] for text in ALL.values()]
    assert len(set(contents)) == len(contents)


@pytest.mark.parametrize("text", ALL.values(), ids=ALL.keys())
def test_each_text_is_ephemeral_short_and_without_mentions(text: Message) -> None:
    assert text["flags"] == 64
    assert text["allowed_mentions"] == {"parse": []}
    assert 0 < len(text["content"]) < 300


@pytest.mark.parametrize("text", LINKED.values(), ids=LINKED.keys())
def test_a_thread_is_linked_in_the_text_and_by_a_button(text: Message) -> None:
    assert "<#99>" in text["content"]
    assert text["components"][0]["components"][0]["url"] == "https://discord.com/channels/1/99"


@pytest.mark.parametrize("text", UNLINKED.values(), ids=UNLINKED.keys())
def test_a_text_without_a_thread_has_no_link(text: Message) -> None:
    assert "<#" not in text["content"]
    assert text["components"] == []


@pytest.mark.parametrize(
    "case", ["discord down", "dynamodb down", "timed out", "rate limited", "fault", "not handed over", "last try"]
)
def test_texts_of_retryable_errors_say_that_nothing_is_lost(case: str) -> None:
    assert "othing is lost" in UNLINKED[case]["content"]


PENDING = {
    "being updated": UNLINKED["being updated"],
    "waiting": UNLINKED["waiting"],
    "import goes on": UNLINKED["import goes on"],
    "retrying discord": UNLINKED["retrying discord"],
    "retrying store": UNLINKED["retrying store"],
    "retrying": UNLINKED["retrying"],
    "merging": texts.merge_progress(errors.Merging({"merged": 3})),
}


def test_only_a_text_that_will_be_replaced_says_so() -> None:
    assert {name for name, text in (ALL | PENDING).items() if goes_on(text["content"])} == PENDING.keys()


def test_an_import_says_what_will_appear() -> None:
    error = errors.Importing({"threads": 3000, "sessions": 17})
    assert texts.put_back_notice(error, AT)["content"] == (
        "First I'm checking this channel's old threads, so that I don't create duplicates "
        "(3,000 checked, 17 sessions). Your link will appear here."
    )
    assert "The result will appear here" in texts.put_back_notice(error, AT, awaited="The result")["content"]


@pytest.mark.parametrize("text", ALL.values(), ids=ALL.keys())
def test_texts_have_plain_apostrophes_and_contractions(text: Message) -> None:
    assert not re.search(r"[‘’“”]", text["content"])
    assert not re.search(r"\b(do|does|is|can|could|will|would|has) ?not\b|\bI (am|have|will)\b", text["content"])


def test_times_are_rounded_up_to_whole_seconds() -> None:
    whole = int((AT + timedelta(milliseconds=500)).timestamp())
    assert f"<t:{whole}:R>" in texts.put_back_notice(errors.RateLimited(1.0), AT)["content"]


def test_the_longest_name_full_of_markdown_fits() -> None:
    text = texts.session_link(found(name="*" * 92, asked="@" * 92))
    assert len(text["content"]) <= MAX_CONTENT
    assert r"\*" * 92 in text["content"]
    assert "@" * 92 in text["content"]


def test_an_unknown_outcome_raises_value_error() -> None:
    with pytest.raises(ValueError, match="unknown outcome"):
        texts.session_link(found("lost"))  # type: ignore[arg-type]  # that is the point
