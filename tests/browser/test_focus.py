"""What somebody holds with the keyboard or the pointer stays theirs while the channel is drawn again and again."""

from datetime import UTC, datetime
from typing import Any

import pytest

from infra.interactions import DEVELOPMENT_CHANNEL_ID
from infra.local.people import MONA
from infra.local.stack import Stack
from infra.page.server import PageServer
from tests.browser.test_page import SECONDS, answer, become, expect, run

pytestmark = pytest.mark.browser

FOCUSED = "() => document.activeElement.getAttribute('aria-label')"


def write(page: Any, text: str) -> Any:
    page.get_by_role("combobox", name="Message", exact=True).fill(text)
    page.keyboard.press("Enter")
    message = page.locator(".message").filter(has_text=text)
    expect(message).to_be_visible(timeout=SECONDS)
    return message


def write_elsewhere(stack: Stack, server: PageServer, text: str) -> None:
    """A message of somebody else, in the channel that the page shows."""
    with stack.discord.lock:
        people = stack.discord.discord.people
        people.post_message(channel_id=DEVELOPMENT_CHANNEL_ID, content=text, by=MONA.id, now=datetime.now(UTC))
    server.feed.add("changed")


def test_the_focus_and_what_is_drawn_survive_what_others_do(page: Any, stack: Stack, server: PageServer) -> None:
    menu = write(page, "Hold me").get_by_label("What to do with this message")
    menu.evaluate("menu => { menu.focus(); window.held = menu; window.added = []; }")
    page.evaluate(
        "new MutationObserver((all) => all.forEach((each) => each.addedNodes.forEach((node) => added.push(node.textContent))))"
        ".observe(messages, { childList: true })"
    )
    write_elsewhere(stack, server, "Somebody else writes")
    expect(page.locator(".message").filter(has_text="Somebody else writes")).to_be_visible(timeout=SECONDS)
    assert page.evaluate("document.activeElement === held")
    added = page.evaluate("added")
    assert len(added) == 1
    assert "Somebody else writes" in added[0]  # a screen reader is given that one alone


def test_words_for_times_change_in_place(page: Any, stack: Stack, server: PageServer) -> None:
    run(page, "session open", name="times 1")
    card = page.locator(".message:not(.answer)").filter(has_text="Session times 1")
    expect(card.locator(".chip")).to_be_visible(timeout=SECONDS)
    expect(page.locator(".answer")).to_contain_text("times 1", timeout=SECONDS)
    card.evaluate("card => { window.held = card; [...card.querySelectorAll('time')].at(-1).textContent = 'long ago'; }")
    write_elsewhere(stack, server, "Time goes by")
    expect(page.locator(".message").filter(has_text="Time goes by")).to_be_visible(timeout=SECONDS)
    assert page.evaluate("held.isConnected && !held.textContent.includes('long ago')")


def test_the_focus_moves_to_what_takes_the_place_of_a_changed_message(page: Any) -> None:
    message = write(page, "I get a thread")
    menu = message.get_by_label("What to do with this message")
    menu.focus()
    menu.select_option(label="Another bot threads it")
    expect(message.locator(".chip")).to_be_visible(timeout=SECONDS)
    assert page.evaluate("document.activeElement.closest('.message')?.textContent.includes('I get a thread')")


def test_a_menu_opens_by_an_arrow_and_does_nothing_unseen(page: Any) -> None:
    message = write(page, "Arrows are harmless")
    message.get_by_label("What to do with this message").focus()
    page.keyboard.press("d")
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(message).to_be_visible()
    assert page.evaluate(FOCUSED) == "What to do with this message"
    expect(page.locator(".replying")).to_have_count(0)


def test_what_is_typed_in_the_search_stays_while_threads_come(page: Any) -> None:
    page.locator("#servers summary").click()
    search = page.get_by_label("Search archived threads")
    search.press_sequentially("nothing like this")
    search.evaluate("search => { search.setSelectionRange(3, 3); window.held = search; }")
    page.once("dialog", lambda dialog: dialog.accept("By hand, meanwhile"))
    page.get_by_role("button", name="New thread").evaluate("button => button.click()")
    expect(page.locator("#servers").get_by_role("button", name="By hand, meanwhile")).to_be_visible(timeout=SECONDS)
    assert page.evaluate("document.activeElement === held && held.selectionStart === 3 && held.isConnected")


def test_the_heading_has_the_focus_in_a_place_that_was_opened_from_a_message(page: Any) -> None:
    run(page, "session open", name="focus 1")
    expect(answer(page)).to_contain_text("focus 1", timeout=SECONDS)
    page.locator(".answer").last.get_by_role("button", name="#Session focus 1").press("Enter")
    expect(page.locator("#place-name")).to_be_focused(timeout=SECONDS)


def test_a_refused_deletion_leaves_the_thread_open_and_a_real_one_leads_to_its_channel(page: Any) -> None:
    run(page, "session open", name="gone 1")
    page.locator(".answer").get_by_role("button", name="#Session gone 1").click(timeout=SECONDS)
    expect(page.locator("#place-name")).to_have_text("Session gone 1")
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("#notice")).to_contain_text("Switch to vera")
    expect(page.locator("#place-name")).to_have_text("Session gone 1")
    become(page, "vera (moderator)")
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("#place-name")).to_have_text("#builds", timeout=SECONDS)


def test_what_people_write_is_text_and_breaks_no_layout(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    run(page, "session open", name="<b>x</b>" + "L" * 70)
    expect(page.locator(".chip").last).to_contain_text("<b>x</b>", timeout=SECONDS)
    write(page, '<img src=x onerror="window.hurt=1"> [x](javascript:window.hurt=1) ' + "W" * 300)
    assert page.locator("#messages img, #messages b, #messages a").count() == 0
    assert page.evaluate("messages.scrollWidth <= messages.clientWidth && window.hurt === undefined")
