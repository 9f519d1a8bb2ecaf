"""What somebody does on the page, in a real browser, against the whole local stack."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.interactions import DEVELOPMENT_CHANNEL_ID
from infra.local.http_client import invoke_function
from infra.local.people import MONA
from infra.local.stack import Stack
from infra.page.server import PageServer
from tests.browser.conftest import PHONE

pytestmark = pytest.mark.browser

SECONDS = 30_000.0  # milliseconds, for what goes through the whole stack on a busy machine
MINUTES = 180_000.0
Save = Callable[[Any, str], None]


@pytest.fixture
def save(pictures: Path | None) -> Save:
    def to_folder(page: Any, name: str) -> None:
        if pictures is not None:
            page.screenshot(path=pictures / f"{name}.png")

    return to_folder


def expect(locator: Any) -> Any:
    from playwright.sync_api import expect as of_playwright

    return of_playwright(locator)


def run(page: Any, command: str, **options: str) -> None:
    """Type a command and its options, with the keyboard alone."""
    page.get_by_role("combobox", name="Message", exact=True).fill(f"/{command}")
    page.keyboard.press("Enter")
    for name, value in options.items():
        field = page.locator("#composer label").filter(has_text=name).locator("input, select").first
        field.fill(value)
    page.get_by_role("button", name="Run").click()


def answer(page: Any) -> Any:
    return page.locator(".answer .body").last


def become(page: Any, name: str) -> None:
    page.get_by_label("You are").select_option(label=name)


def test_a_session_is_opened_by_typing(page: Any, save: Save) -> None:
    page.get_by_role("combobox", name="Message", exact=True).fill("/session op")
    expect(page.get_by_role("option", name="/session open")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.type("typed 1")
    page.get_by_role("button", name="Run").click()
    expect(answer(page)).to_contain_text("Started a thread for typed 1", timeout=SECONDS)
    expect(page.locator(".answer footer").last).to_contain_text("Only you can see this")
    expect(page.locator(".chip").filter(has_text="Session typed 1")).to_be_visible()
    row = page.locator("#invocations > li").filter(has_text="/session open name:typed 1").first
    row.locator("summary").click()
    expect(row.locator(".calls").filter(has_text="UpdateItem")).to_be_visible(timeout=SECONDS)
    posts = page.locator("#invocations .calls").filter(has_text="POST /channels/")
    expect(posts.first).to_be_attached(timeout=SECONDS)  # of the webhook, or on a busy machine of the worker
    for step in ("claim", "record the source message", "commit"):
        expect(page.locator("#items .step", has_text=step).first).to_be_visible(timeout=SECONDS)
    expect(page.locator("#events").get_by_text("SessionOpened").first).to_be_visible(timeout=SECONDS)
    save(page, "page-open")
    page.locator(".answer").get_by_role("button", name="#Session typed 1").click()
    expect(page.locator("#place-name")).to_have_text("Session typed 1")


def test_names_are_offered_while_they_are_typed(page: Any) -> None:
    run(page, "session open", name="offered 1")
    expect(answer(page)).to_contain_text("offered 1", timeout=SECONDS)
    page.get_by_role("combobox", name="Message", exact=True).fill("/session info")
    page.keyboard.press("Enter")
    page.keyboard.type("offe")
    expect(page.get_by_role("option", name="offered 1")).to_be_visible(timeout=SECONDS)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator(".answer").last).to_contain_text("offered 1", timeout=SECONDS)


def test_a_moderator_s_hands_and_a_guest_s_rights(page: Any, save: Save) -> None:
    run(page, "session open", name="hands 1")
    page.locator(".answer").get_by_role("button", name="#Session hands 1").click(timeout=SECONDS)
    page.get_by_role("button", name="Archive").click()
    expect(page.locator("#notice")).to_contain_text("Switch to vera")
    become(page, "vera (moderator)")
    page.get_by_role("button", name="Lock").click()
    expect(page.locator("#place-state")).to_contain_text("locked", timeout=SECONDS)
    page.get_by_role("button", name="Archive").click()
    expect(page.locator("#place-state")).to_contain_text("archived", timeout=SECONDS)
    save(page, "page-locked")
    become(page, "guest")
    page.get_by_role("combobox", name="Message", exact=True).fill("hello")
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_contain_text("guest may not write here")


def test_a_form_opens_from_a_message_s_menu(page: Any) -> None:
    page.get_by_role("combobox", name="Message", exact=True).fill("Who has seen the invoice?")
    page.keyboard.press("Enter")
    message = page.locator(".message").filter(has_text="Who has seen the invoice?").last
    message.get_by_label("What to do with this message").select_option(label="Apps › Open session here")
    form = page.get_by_role("dialog")
    form.locator("input, textarea").first.fill("invoice 3", timeout=SECONDS)
    form.get_by_role("button", name="Submit").click()
    expect(answer(page)).to_contain_text("invoice 3", timeout=SECONDS)
    expect(message.locator(".chip")).to_contain_text("Session invoice 3", timeout=SECONDS)


def test_a_program_s_question_is_answered_by_a_button(page: Any, stack: Stack, save: Save) -> None:
    asked = invoke_function(
        stack.invocations.url,
        "ApiFunction",
        {
            "operation": "ask",
            "session_name": "deploy 42",
            "parent_channel_id": DEVELOPMENT_CHANNEL_ID,
            "request_id": "ship-it",
            "question": "Ship it?",
            "choices": [{"id": "yes", "label": "Yes", "style": "success"}, {"id": "no", "label": "No"}],
        },
    )
    page.locator("#servers").get_by_role("button", name="Session deploy 42").click(timeout=SECONDS)
    card = page.locator(".message").filter(has_text="Ship it?")
    expect(card.get_by_role("button", name="Yes")).to_be_visible(timeout=SECONDS)
    save(page, "page-question")
    card.get_by_role("button", name="Yes").click()
    expect(card.get_by_role("button", name="Yes")).to_have_count(0, timeout=SECONDS)
    expect(page.locator(".thinking")).to_have_count(0)
    await_request = {"operation": "await", "question_id": asked["question"]["id"], "wait": 0}
    answered = invoke_function(stack.invocations.url, "ApiFunction", await_request)["question"]
    assert (answered["state"], answered["answer"]["choice"]) == ("answered", "yes")


def test_what_is_broken_heals(page: Any, stack: Stack, save: Save) -> None:
    page.locator("#break-panel summary").click()
    page.get_by_role("button", name="Kill after start").click()
    expect(page.locator("#broken")).to_contain_text("is killed after the step")
    run(page, "session open", name="broken 1")
    expect(page.locator(".answer").last).to_contain_text("The application did not respond", timeout=SECONDS)
    save(page, "page-killed")
    expect(page.locator("#invocations > li.failed").first).to_contain_text("Runtime.ExitError", timeout=SECONDS)
    run(page, "session open", name="broken 1")
    expect(answer(page)).to_contain_text("#Session broken 1", timeout=SECONDS)
    names = list(stack.discord.thread_names(DEVELOPMENT_CHANNEL_ID).values())
    assert names.count("Session broken 1") == 1
    page.get_by_role("button", name="Heal").click()
    expect(page.locator("#broken")).to_contain_text("Healed")


def test_fifty_people_at_once_get_one_thread(page: Any, save: Save) -> None:
    page.locator("#break-panel summary").click()
    page.get_by_role("button", name="Fifty people at once").click()
    expect(page.locator("#broken")).to_contain_text("50 of 50 got the link. Threads of that name: 1.", timeout=MINUTES)
    save(page, "page-crowd")


def test_the_tour_plays_to_its_end_and_can_be_stopped(page: Any, save: Save) -> None:
    page.get_by_role("button", name="Next scene").click()
    expect(page.locator("#tour-state")).to_contain_text("Scene 2 is next", timeout=SECONDS)
    save(page, "page-tour")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#tour-state")).to_contain_text("was stopped", timeout=SECONDS)
    page.get_by_role("button", name="Play all").click()
    expect(page.locator("#tour-state")).to_have_text("The tour has ended. All checks hold.", timeout=MINUTES)


def test_a_phone_shows_one_pane_at_a_time(page: Any) -> None:
    page.set_viewport_size(PHONE)
    for shown, hidden in (("Machine room", "#chat"), ("Channels", "#machine"), ("Chat", "#channels")):
        page.locator("#panes").get_by_role("button", name=shown).click()
        expect(page.locator(hidden)).to_be_hidden()
    wide = page.locator("body").evaluate("body => body.scrollWidth > body.clientWidth")
    assert not wide


def test_five_thousand_threads_leave_the_page_quick(page: Any, stack: Stack) -> None:
    with stack.discord.lock:
        stack.discord.discord.people.add_archived_threads(
            DEVELOPMENT_CHANNEL_ID, 5_000, newest=datetime.now(UTC), name_of="Session old {}".format, by=MONA.id
        )
    page.get_by_role("button", name="# builds").first.click()
    page.locator("#servers summary").filter(has_text="Archived (50").click(timeout=SECONDS)
    page.get_by_label("Search archived threads").press_sequentially("old 4999")
    expect(page.locator("#servers").get_by_role("button", name="Session old 4999")).to_be_visible(timeout=SECONDS)
    assert page.locator("#servers li").count() < 200


def test_the_page_keeps_as_much_after_an_hour_as_after_a_minute(page: Any, server: PageServer) -> None:
    for number in range(3_000):
        began = {
            "id": f"hour-{number}",
            "function": "WebhookFunction",
            "environment": number,
            "about": f"busy {number}",
        }
        server.feed.add("invocation", **began, began=float(number), init=None)
        server.feed.add("result", id=f"hour-{number}", ended=number + 0.2, error=None)
        server.feed.add(
            "item", pk="CHANNEL#1", sk=f"SESSION#{number}", step="commit", status="open", changes={}, at=0.0
        )
    expect(page.locator("#invocations > li").first).to_contain_text("busy 2999", timeout=SECONDS)
    assert page.locator("#invocations > li").count() <= 80
    assert page.locator("#items > li").count() <= 80
    page.get_by_role("button", name="# builds").first.click(timeout=SECONDS)
    expect(page.locator("#place-name")).to_have_text("#builds")
