"""Small pictures of one number and its interval, drawn as SVG: what a claim rests on, and what other choices give."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, MARGIN = 200.0, 8.0
HEIGHT, LANE = 30.0, 8.0
# A lane more would make a row of the table too tall; what stands in further lanes shares the last.
MOST_LANES = 9


@dataclass(frozen=True)
class Axis:
    """The stretch of numbers that the pictures of comparable claims share; it holds zero."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Return where a number stands, in pixels; one that is too large stands at the edge.

        Examples
        --------
        >>> Axis(0.0, 2.0).place(1.0), Axis(0.0, 2.0).place(float("inf"))
        (100.0, 192.0)
        """
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(MARGIN + share * (WIDTH - 2 * MARGIN), 1)


@dataclass(frozen=True)
class Point:
    """A number with its interval in a lane; `chosen` is what was reported."""

    value: float
    low: float
    high: float
    lane: int = 0
    chosen: bool = False


def axis_of(values: Iterable[float]) -> Axis:
    """Return the axis on which all finite numbers stand, and zero.

    Examples
    --------
    >>> axis_of([0.2, float("nan"), 0.8, float("inf")])
    Axis(low=0.0, high=0.8)
    """
    finite = [value for value in values if math.isfinite(value)]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    return Axis(low, high) if high > low else Axis(-1.0, 1.0)


def draw_effect(point: Point, null: tuple[float, float], axis: Axis, label: str) -> Markup:
    """Draw an estimate with its interval above the range of the null.

    Parameters
    ----------
    point
        Where its interval or itself is NaN it is left out; `chosen` fills it.
    null
        Both ends; NaN where there is no null.
    axis
        Of all claims that are compared.
    label
        What the picture says, for those who do not see it.
    """
    middle = HEIGHT / 2
    parts = [_zero(axis, HEIGHT)]
    if all(math.isfinite(end) for end in null):
        left, right = (axis.place(end) for end in null)
        parts.insert(
            0, f'<rect class="null" x="{left}" y="4" width="{max(right - left, 2):.1f}" height="{HEIGHT - 8}"/>'
        )
    parts += _interval(point, axis, middle)
    if math.isfinite(point.value):
        kind = "estimate" if point.chosen else "estimate open"
        parts.append(f'<circle class="{kind}" cx="{axis.place(point.value)}" cy="{middle}" r="4.5"/>')
    return _picture(parts, HEIGHT, label)


def draw_choices(points: Sequence[Point], axis: Axis, label: str) -> Markup:
    """Draw what other choices give, a lane a choice: the reported one is a filled diamond.

    Parameters
    ----------
    points
        In the lanes 0, 1, ...; those without an estimate are left out.
    axis, label
        See `draw_effect`.
    """
    lanes = min(MOST_LANES, 1 + max((point.lane for point in points), default=0))
    height = max(HEIGHT, lanes * LANE + 6)
    top = (height - (lanes - 1) * LANE) / 2
    parts = [_zero(axis, height)]
    for point in sorted(points, key=lambda one: one.chosen):
        if not math.isfinite(point.value):
            continue
        y = top + LANE * min(point.lane, lanes - 1)
        x = axis.place(point.value)
        parts += _interval(point, axis, y)
        if point.chosen:
            parts.append(
                f'<path class="chosen" d="M{x - 4.5:.1f} {y}L{x} {y - 4.5}L{x + 4.5:.1f} {y}L{x} {y + 4.5}Z"/>'
            )
        else:
            parts.append(f'<circle class="other" cx="{x}" cy="{y}" r="3"/>')
    return _picture(parts, height, label)


def _zero(axis: Axis, height: float) -> str:
    x = axis.place(0.0)
    return f'<line class="zero" x1="{x}" y1="0" x2="{x}" y2="{height:g}"/>'


def _interval(point: Point, axis: Axis, y: float) -> list[str]:
    if math.isnan(point.low) or math.isnan(point.high):
        return []
    kind = "interval" if all(map(math.isfinite, (point.low, point.high))) else "interval endless"
    left, right = axis.place(point.low), axis.place(point.high)
    return [f'<line class="{kind}" x1="{left}" y1="{y:g}" x2="{right}" y2="{y:g}"/>']


def _picture(parts: Sequence[str], height: float, label: str) -> Markup:
    size = f'viewBox="0 0 {WIDTH:g} {height:g}" width="{WIDTH:g}" height="{height:g}"'
    drawn = Markup("".join(parts))  # numbers only
    return Markup('<svg class="strip" role="img" aria-label="{}" ' + size + ">{}</svg>").format(label, drawn)
