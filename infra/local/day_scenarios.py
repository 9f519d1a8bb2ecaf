"""A day with sessions, in a server of its own: what people do besides opening them."""

from typing import Any, Final

from infra.local.discord_client import Answer, User
from infra.local.people import MONA, OMAR, VERA
from infra.local.tour import DAY, FORUM, TAGS, Scenario, Tour

RELEASE: Final = "release 2.4"
QUESTION: Final = "Who has seen the invoice of March?"
SECRET: Final = "salaries"
IDEA: Final = "dark mode"


def typing(tour: Tour) -> None:
    for name, topic in ((RELEASE, "ship it on Friday"), ("rehearsal", "the demo")):
        _open(tour, MONA, name=name, topic=topic)
    tour.screen.action(OMAR.name, "types /session open name:re")
    offered = tour.discord.complete(OMAR, DAY, "session open", {"name": "re"})
    tour.screen.message({"content": "\n".join(offered)}, {})
    tour.check(
        "the names that begin so are offered", any(RELEASE in choice for choice in offered) and len(offered) == 2
    )
    opened = tour.use(OMAR, DAY, "session open", name=RELEASE)
    tour.check("one of them is opened", opened.text.count("<#") == 1 and RELEASE in opened.text)


def message(tour: Tour) -> None:
    tour.act(OMAR, f"writes “{QUESTION}”", "post_message", DAY.id, QUESTION)
    asked = tour.message_of(DAY, QUESTION)
    tour.screen.action(MONA.name, "Apps › Open session here, in that message's menu")
    form = tour.discord.use_menu(MONA, DAY, "Open session here", asked).form or {}
    tour.screen.form(form)
    opened = tour.finish(tour.discord.submit(MONA, DAY, form, {"name": "invoice 3", "topic": "found in the archive"}))
    tour.check("the thread stands on that message", f"<#{asked['id']}>" in opened.text)


def listed(tour: Tour) -> None:
    shown = tour.use(OMAR, DAY, "session list")
    tour.check("three sessions, with links", all(name in shown.text for name in (RELEASE, "rehearsal", "invoice 3")))
    found = tour.use(OMAR, DAY, "session find", text="friday")
    tour.check("found by a word of its topic", RELEASE in found.text and "rehearsal" not in found.text)


def private(tour: Tour) -> None:
    opened = _open(tour, MONA, name=SECRET, private=True, members=f"<@{VERA.id}>")
    tour.check("a private thread, with the member in it", "<#" in opened.text)
    hidden = tour.use(OMAR, DAY, "session info", name=SECRET)
    missing = tour.use(OMAR, DAY, "session info", name="no such session")
    tour.check("to everybody else it does not exist", hidden.text == missing.text)
    again = _open(tour, VERA, name=SECRET, private=True)
    tour.check("its member is led to it", "is already open" in again.text)


def forum(tour: Tour) -> None:
    opened = tour.use(MONA, FORUM, "session open", name=IDEA, tag="idea")
    with tour.stack.discord.lock:
        (post,) = (t for t in tour.stack.discord.discord.threads.values() if t.parent_id == FORUM.id)
    tagged = (post.name, post.applied_tags) == (f"Session {IDEA}", (TAGS[0][0],))
    tour.check("a post with the tag, made by the worker", opened.deferred and tagged)


def closed(tour: Tour) -> None:
    shut = tour.use(MONA, DAY, "session close", name=RELEASE, reason="shipped")
    tour.check("closed", RELEASE in shut.text)
    info = tour.use(OMAR, DAY, "session info", name=RELEASE)
    tour.check("the record says who, when and why", "shipped" in info.text and MONA.id in info.text)
    opened = tour.use(OMAR, DAY, "session open", name=RELEASE)
    tour.check("an open opens it again", "reopened" in opened.text)


def settings(tour: Tour) -> None:
    tour.use(VERA, DAY, "session-admin settings", open="everyone")
    shown = tour.use(VERA, DAY, "session-admin settings")
    tour.check("the channel has its own setting", "everyone" in shown.text)


def _open(tour: Tour, user: User, **options: Any) -> Answer:
    return tour.use(user, DAY, "session open", **options)


DAY_SCENARIOS: Final = (
    Scenario("A day: a name is typed", typing),
    Scenario("A day: a session on somebody's message", message),
    Scenario("A day: what there is", listed),
    Scenario("A day: a private session", private),
    Scenario("A day: a post in a forum", forum),
    Scenario("A day: closed, and opened again", closed),
    Scenario("A day: a channel's settings", settings),
)
