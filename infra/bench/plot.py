"""A small plot as SVG: lines through measured points, both axes logarithmic or linear."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 40, 48  # margins; names of lines stand at the right
COLOURS: Final = ("#3b6fd4", "#c2452d", "#7a7a7a", "#3f8f4f")  # readable on white and on black

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axis:
    """One axis, with its marks in order; the first and the last are its ends."""

    title: str
    marks: tuple[float, ...]
    logarithmic: bool = True

    def place(self, value: float) -> float:
        """From 0 to 1. What lies beyond an end is put at it."""
        scale = math.log10 if self.logarithmic else float
        low, high = scale(self.marks[0]), scale(self.marks[-1])
        at = scale(max(value, self.marks[0]))
        return min(1.0, (at - low) / (high - low))


def plot(title: str, x: Axis, y: Axis, lines: Mapping[str, Points]) -> str:
    """The picture. `lines`: points by name, each from left to right."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12" fill="#7a7a7a" role="img">',
        f"<title>{escape(title)}</title>",
        f'<text x="{LEFT}" y="20" font-size="14">{escape(title)}</text>',
        *(_vertical_mark(x, mark) for mark in x.marks),
        *(_horizontal_mark(y, mark) for mark in y.marks),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "middle", x.title),
        f'<text transform="rotate(-90)" x="{-(TOP + HEIGHT - BOTTOM) / 2:.0f}" y="14" text-anchor="middle">{escape(y.title)}</text>',
    ]
    for colour, (name, points) in zip(COLOURS, lines.items(), strict=False):
        parts += _line(colour, name, [(_x(x, at), _y(y, value)) for at, value in points])
    return "\n".join([*parts, "</svg>\n"])


def _x(axis: Axis, value: float) -> float:
    return LEFT + axis.place(value) * (WIDTH - LEFT - RIGHT)


def _y(axis: Axis, value: float) -> float:
    return HEIGHT - BOTTOM - axis.place(value) * (HEIGHT - TOP - BOTTOM)


def _text(x: float, y: float, anchor: str, text: str, colour: str = "") -> str:
    fill = f' fill="{colour}"' if colour else ""
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"{fill}>{escape(text)}</text>'


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.0f} {y1:.0f}L{x2:.0f} {y2:.0f}" stroke="#7a7a7a" stroke-opacity="0.3"/>'


def _vertical_mark(axis: Axis, mark: float) -> str:
    at = _x(axis, mark)
    return _rule(at, TOP, at, HEIGHT - BOTTOM) + _text(at, HEIGHT - BOTTOM + 16, "middle", _number(mark))


def _horizontal_mark(axis: Axis, mark: float) -> str:
    at = _y(axis, mark)
    return _rule(LEFT, at, WIDTH - RIGHT, at) + _text(LEFT - 6, at + 4, "end", _number(mark))


def _line(colour: str, name: str, points: Points) -> list[str]:
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)
    end_x, end_y = points[-1]
    return [
        f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        dots,
        _text(end_x + 8, end_y + 4, "start", name, colour),
    ]


def _number(value: float) -> str:
    return f"{value:,.10g}".replace(",", " ")
