"""Charts as SVG that a page holds itself: no script, colours of the theme, the same in a test as on a screen.

Used by the console. Coordinates are in the units of the view box; every chart has a table of the same figures beside
it in its template, for whoever cannot see it.
"""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from markupsafe import Markup
from msgspec import Struct

WIDTH, HEIGHT = 640, 132
_LEFT, _RIGHT, _TOP, _BOTTOM = 4, 4, 10, 18

Point = tuple[datetime, float]


def stairs(
    label: str,
    span: tuple[datetime, datetime],
    used: Sequence[Point],
    even: Sequence[Point],
    limit: float | None,
    zone: tzinfo,
) -> Markup:
    """What grows in steps over a day, beside the even line (dashed) and below the limit (a hairline). ``label`` says
    all of it in words."""
    most = max([value for _, value in (*used, *even)] + [limit or 0, 1]) * 1.05
    seconds = (span[1] - span[0]).total_seconds()

    def x(at: datetime) -> float:
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * (at - span[0]).total_seconds() / seconds, 1)

    def y(value: float) -> float:
        return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / most, 1)

    floor = y(0)
    steps = f"M{x(used[0][0])} {y(used[0][1])}" + "".join(f"H{x(at)}V{y(value)}" for at, value in used[1:])
    area = f"{steps}V{floor}H{x(used[0][0])}Z"
    parts = [
        Markup('<svg class="stairs" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(WIDTH, HEIGHT, label),
        Markup('<path class="axis" d="M{} {}H{}"/>').format(_LEFT, floor, WIDTH - _RIGHT),
    ]
    for number in range(0, 25, 6):
        at = span[0] + (span[1] - span[0]) * number / 24
        anchor = "start" if number == 0 else "end" if number == 24 else "middle"
        words = at.astimezone(zone).strftime("%H:%M")
        parts.append(Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(x(at), HEIGHT - 4, anchor, words))
    if limit is not None:
        parts.append(Markup('<path class="limit" d="M{} {}H{}"/>').format(_LEFT, y(limit), WIDTH - _RIGHT))
    if even:
        line = "L".join(f"{x(at)} {y(value)}" for at, value in even)
        parts.append(Markup('<path class="even" d="M{}"/>').format(line))
    parts.append(Markup('<path class="area" d="{}"/><path class="used" d="{}"/>').format(area, steps))
    parts.append(Markup('<circle class="now" cx="{}" cy="{}" r="3"/></svg>').format(x(used[-1][0]), y(used[-1][1])))
    return Markup("").join(parts)


_SQUARE, _MARGIN = 260, 30


class Dot(Struct, frozen=True):
    """A bin of a calibration plot: mean score, observed share with where it lies 95 times in 100, and how many rows."""

    score: float
    rate: float
    low: float
    high: float
    rows: int


def calibration(label: str, now: Sequence[Dot], then: Sequence[Dot] = ()) -> Markup:
    """What was foreseen (to the right) against what came (upwards); on the dashed line both are the same. ``then`` is
    an earlier state, drawn as a line. ``label`` says all of it in words."""
    most = max([each.rows for each in now], default=1)

    def place(score: float, rate: float) -> tuple[float, float]:
        span = _SQUARE - 2 * _MARGIN
        return round(_MARGIN + span * score, 1), round(_SQUARE - _MARGIN - span * rate, 1)

    left, bottom = place(0, 0)
    right, top = place(1, 1)
    parts = [
        Markup('<svg class="calibration" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
            _SQUARE, _SQUARE, label
        ),
        Markup('<path class="axis" d="M{} {}V{}H{}"/>').format(left, top, bottom, right),
        Markup('<path class="even" d="M{} {}L{} {}"/>').format(left, bottom, right, top),
    ]
    for share in (0, 0.5, 1):
        x, y = place(share, share)
        words = f"{share:.0%}"
        parts.append(Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(x, bottom + 14, words))
        parts.append(Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(left - 5, y + 4, words))
    if then:
        line = "L".join(f"{x} {y}" for x, y in (place(each.score, each.rate) for each in then))
        parts.append(Markup('<path class="then" d="M{}"/>').format(line))
    for each in now:
        x, y = place(each.score, each.rate)
        _, low = place(0, each.low)
        _, high = place(0, each.high)
        size = round(2.5 + 3.5 * (each.rows / most) ** 0.5, 1)
        parts.append(Markup('<path class="range" d="M{} {}V{}"/>').format(x, low, high))
        parts.append(Markup('<circle cx="{}" cy="{}" r="{}"/>').format(x, y, size))
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def pairs(label: str, bins: Sequence[tuple[float, float]]) -> Markup:
    """Shares then and now, bin by bin, two columns each."""
    most = max([max(pair) for pair in bins] + [0.01])
    wide = WIDTH / max(len(bins), 1)
    parts = [Markup('<svg class="pairs" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(WIDTH, 90, label)]
    for number, pair in enumerate(bins):
        for side, (name, share) in enumerate(zip(("then", "now"), pair, strict=True)):
            tall = round(84 * share / most, 1)
            x = round(number * wide + wide * (0.1 + 0.4 * side), 1)
            parts.append(
                Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
                    name, x, round(88 - tall, 1), round(wide * 0.38, 1), tall
                )
            )
    parts.append(Markup('<path class="axis" d="M0 88H{}"/></svg>').format(WIDTH))
    return Markup("").join(parts)
