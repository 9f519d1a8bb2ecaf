"""What the terminal shows: what people did, what they saw, what it cost, and whether it was right.

Colour in a terminal, plain text elsewhere; 80 columns are enough.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infra.interactions import parts_of, text_of
from infra.local.request_counter import Cost

MAX_WIDTH: Final = 100
INDENT: Final = 4
NO_ANSWER: Final = "The application did not respond"
_ID: Final = re.compile(r"\d{17,20}")
# Discord's markdown, as far as the answers use it (Discord docs, "Message Formatting").
_TOKENS: Final = re.compile(
    r"\\(?P<escaped>[^0-9A-Za-z\s])|(?P<bold>\*\*)|<#(?P<channel>\d+)>|<@(?P<user>\d+)>|<t:(?P<time>\d+):R>"
)

_UNITS: Final = ((86_400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))

Names = Mapping[str, str]


class Screen:
    """Prints to a console. `is_picture`: leave out what differs from one run to the next."""

    def __init__(self, console: Console | None = None, *, is_picture: bool = False) -> None:
        self.console = console or Console(highlight=False, soft_wrap=False)
        self.console.width = min(self.console.width, MAX_WIDTH)
        self._is_picture = is_picture
        self._shown: set[str] = set()  # ids of events

    def title(self, text: str, below: str) -> None:
        self.console.print()
        self.console.print(Text(f" {text}", style="bold"))
        self.console.print(Text(f" {below}", style="dim"))

    def heading(self, text: str) -> None:
        self.console.print()
        self.console.rule(Text(text, style="bold cyan"), align="left", style="cyan dim")

    def hint(self, text: str) -> None:
        self._indented(Text(text, style="dim"))

    def measurement(self, text: str) -> None:
        if not self._is_picture:
            self.hint(text)

    def action(self, who: str, what: str) -> None:
        self._indented(Text.assemble((who, "bold"), "  ", (what, "yellow")))

    def events(self, events: Iterable[Mapping[str, Any]]) -> None:
        """What programs are told. An event that comes again, as the bus may deliver it, is shown once."""
        for event in events:
            event_id = event["detail"]["event_id"]
            if event_id not in self._shown:
                self._shown.add(event_id)
                self.event(event)

    def event(self, event: Mapping[str, Any]) -> None:
        """What programs are told."""
        session = event["detail"]["session"]
        name = session.get("session_name") or session["session_key"]
        self._indented(Text.assemble((f"◆ {event['detail-type']}", "green"), "  ", name))

    def message(self, message: Mapping[str, Any] | None, names: Names, *, first: str = "") -> None:
        """A message as its reader sees it. `first`: the text that it replaced."""
        lines = [Text(first, style="dim italic")] if first else []
        if message is None:
            lines.append(Text(NO_ANSWER, style="red"))
        else:
            lines += self._lines(message, names)
        self.quote(lines)

    def posted(self, channel: str, message: Mapping[str, Any], names: Names) -> None:
        """A message of the bot's that everybody sees in a channel or thread."""
        self.channel(channel, self._lines(message, names))

    def _lines(self, message: Mapping[str, Any], names: Names) -> list[Text]:
        lines = [_line(said, names) for said in text_of(message).split("\n")]
        lines += [Text(f"↗ {self._url(url)}", style="blue") for url in _links(message)]
        lines += [Text(f"▾ {part['label']}", style="dim") for part in _options(message)]
        return lines + [Text(f"[ {label} ]", style="cyan") for label in _buttons(message)]

    def form(self, form: Mapping[str, Any]) -> None:
        """A form that pops up, with what it is filled in with."""
        fields = [(row["label"], row["component"].get("value", "")) for row in form["components"]]
        self.quote([Text(form["title"], style="bold"), *(Text(f"{label}: {value}") for label, value in fields)])

    def quote(self, lines: Iterable[Text], bar: str = "┃") -> None:
        """Lines behind a bar, wrapped behind the same bar."""
        width = self.console.width - INDENT - 2
        for line in (part for whole in lines for part in whole.wrap(self.console, width)):
            self._indented(Text.assemble((f"{bar} ", "magenta"), line))

    def channel(self, name: str, lines: Iterable[Text]) -> None:
        """What everybody sees in a channel, unlike an answer."""
        self._indented(Text(f"#{name}", style="magenta"))
        self.quote(lines, bar="│")

    def cost(self, outcome: str, cost: Cost, *, varies: bool = False) -> None:
        """The outcome and its cost. `varies`: the number of calls differs from one run to the next."""
        parts = [outcome]
        if not (varies and self._is_picture):
            parts += [_calls(cost.discord, "Discord"), _calls(cost.dynamodb, "DynamoDB")]
        if not self._is_picture:
            parts.append(f"{cost.seconds:.2f} s")
        self.hint(" · ".join(parts))

    def check(self, text: str, passed: bool) -> None:
        self._indented(Text(f"✓ {text}", style="green") if passed else Text(f"✗ FAILED: {text}", style="bold red"))

    @contextmanager
    def spinner(self, text: str) -> Iterator[None]:
        """Show that something takes time, if there is a terminal."""
        if not self.console.is_terminal:
            yield
            return
        with self.console.status(Text(text, style="dim")):
            yield

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Counts are aligned to the right. Ids stay whole, so that they can be copied; other texts are folded."""
        drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for place, column in enumerate(columns):
            numeric = all(row[place].isdecimal() and len(row[place]) < 7 for row in rows)
            ids = all(_ID.fullmatch(row[place]) for row in rows)
            drawn.add_column(column, justify="right" if numeric else "left", no_wrap=ids, overflow="fold")
        for row in rows:
            drawn.add_row(*row)
        self._indented(drawn)

    def rows(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Names and values, one pair a line. Values are not wrapped, so that they can be copied."""
        widest = max(len(name) for name, _ in pairs)
        for name, value in pairs:
            line = Text.assemble((f"{'':4}{name.ljust(widest)}  ", "dim"), value)
            self.console.print(line, soft_wrap=True)

    def blank(self) -> None:
        self.console.print()

    def _url(self, url: str) -> str:
        return _ID.sub("…", url) if self._is_picture else url

    def _indented(self, what: Text | Table) -> None:
        self.console.print(Padding(what, (0, 0, 0, INDENT), expand=False))


def _line(said: str, names: Names) -> Text:
    """A line of a message; Discord shows one that begins with "-# " smaller."""
    shown = discord_text(said.removeprefix("-# "), names)
    if said.startswith("-# "):
        shown.stylize("dim")
    return shown


def discord_text(content: str, names: Names) -> Text:
    """A text in Discord's markdown as it looks; `names` are of channels and users, by id."""
    shown, bold, position = Text(), False, 0
    for token in _TOKENS.finditer(content):
        shown.append(content[position : token.start()], style="bold" if bold else "")
        position = token.end()
        if token["bold"]:
            bold = not bold
        elif token["escaped"]:
            shown.append(token["escaped"], style="bold" if bold else "")
        elif token["channel"]:
            shown.append("#" + names.get(token["channel"], "unknown"), style="bold blue")
        elif token["user"]:
            shown.append("@" + names.get(token["user"], "unknown"), style="bold blue")
        else:
            shown.append(_relative_time(int(token["time"])))
    shown.append(content[position:])
    return shown


def _relative_time(epoch: int) -> str:
    seconds = round(epoch - datetime.now(UTC).timestamp())
    if abs(seconds) < 2:
        return "just now"
    length, unit = next((length, unit) for length, unit in _UNITS if abs(seconds) >= 1.5 * length or length == 1)
    away = f"{round(abs(seconds) / length)} {unit}"
    return f"in {away}" if seconds > 0 else f"{away} ago"


def _calls(number: int, of: str) -> str:
    return f"{number} {of} call{'' if number == 1 else 's'}"


def _options(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [option for part in parts_of(message) for option in part.get("options", ())]


def _buttons(message: Mapping[str, Any]) -> list[str]:
    return [part["label"] for part in parts_of(message) if "custom_id" in part and "label" in part]


def _links(message: Mapping[str, Any]) -> list[str]:
    return [part["url"] for part in parts_of(message) if "url" in part]
