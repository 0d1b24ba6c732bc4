"""Charts as SVG that a page holds itself: no script, colours of the theme, the same in a test as on a screen.

Used by the console. Coordinates are in the units of the view box; every chart has a table of the same figures beside
it in its template, for whoever cannot see it.
"""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from markupsafe import Markup

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
