"""The card's picture: how chances compare with what happened, and which columns count. SVG, written by hand, the same
bytes for the same card; read by whoever opens the model's folder."""

from collections.abc import Iterator
from html import escape
from math import ceil, sqrt

from leadmill.learning.model import Card

_WIDE, _SIDE, _LEFT, _TOP = 640, 320, 70, 56
_SHARES, _BAR, _MOST, _LONGEST = 60, 22, 12, 34
_STYLE = (
    "text{font:13px sans-serif;fill:#222}.t{font-weight:600}.s{font-size:11px;fill:#555}.r{text-anchor:end}"
    ".m{text-anchor:middle}.a{stroke:#888;fill:none}.d{stroke:#888;stroke-dasharray:4 4}.i{stroke:#2b6cb0}"
    ".p,.b{fill:#2b6cb0}.n{fill:#a0aec0}.g{fill:#fff}"
    "@media(prefers-color-scheme:dark){text{fill:#eee}.s{fill:#bbb}.g{fill:#1b1b1b}.p,.b{fill:#63b3ed}"
    ".i{stroke:#63b3ed}.n{fill:#718096}}"
)


def picture(card: Card) -> str:
    """The whole picture."""
    return "\n".join(_lines(card)) + "\n"


def _lines(card: Card) -> Iterator[str]:
    held, counts = card["holdout"], card["importance"][:_MOST]
    below = _TOP + _SIDE + _SHARES + 64
    high = below + 34 + _BAR * len(counts)
    size = f'viewBox="0 0 {_WIDE} {high}" width="{_WIDE}" height="{high}"'
    figures = held["figures"]
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    yield f"<title>Calibration and importance: {_plain(card['target'])} = {_plain(card['positive'])}</title>"
    yield f"<style>{_STYLE}</style>"
    yield f'<rect class="g" width="{_WIDE}" height="{high}"/>'
    told = f"Calibration on {figures['rows']:,} rows held back by {held['by']}"
    says = f"Mean score and observed rate by band, with 95 % intervals; calibration error {figures['ece']:.3f}"
    yield f'<text class="t" x="16" y="24">{told}</text>'
    yield f'<text class="s" x="16" y="42">{says}</text>'
    yield from _calibration(held["calibration"])
    yield f'<text class="t" x="16" y="{below}">What counts: mean effect on a row, in log-odds</text>'
    widest = max((one["mean_effect"] for one in counts), default=0.0) or 1.0
    for place, one in enumerate(counts):
        at = below + 14 + place * _BAR
        long = one["mean_effect"] / widest * (_WIDE - 330)
        yield f'<text class="r" x="240" y="{at + 14}">{_plain(one["column"])}</text>'
        yield f'<rect class="b" x="250" y="{at + 3}" width="{long:.1f}" height="{_BAR - 8}"/>'
        yield f'<text class="s" x="{256 + long:.1f}" y="{at + 14}">{one["mean_effect"]:.3f}</text>'
    yield "</svg>"


def _calibration(bands: list[dict[str, float]]) -> Iterator[str]:
    """The square with the diagonal, a point for each band, and how many rows each has beneath. The axes end where the
    highest of scores and rates does, in tenths."""
    most = min(1.0, max(0.1, ceil(max([1e-9, *(max(one["score"], one["rate"]) for one in bands)]) * 10) / 10))
    bottom, rows = _TOP + _SIDE, max([1.0, *(one["rows"] for one in bands)])

    def x(value: float) -> float:
        return _LEFT + min(value / most, 1.0) * _SIDE

    def y(value: float) -> float:
        return bottom - min(value / most, 1.0) * _SIDE

    yield f'<rect class="a" x="{_LEFT}" y="{_TOP}" width="{_SIDE}" height="{_SIDE}"/>'
    yield f'<line class="d" x1="{_LEFT}" y1="{bottom}" x2="{_LEFT + _SIDE}" y2="{_TOP}"/>'
    for step in range(6):
        value = most * step / 5
        yield f'<text class="s r" x="{_LEFT - 8}" y="{y(value) + 4:.1f}">{value:.2f}</text>'
        yield f'<text class="s m" x="{x(value):.1f}" y="{bottom + _SHARES + 18}">{value:.2f}</text>'
    for one in bands:
        low, high = _interval(one["rate"], one["rows"])
        at, long = x(one["score"]), one["rows"] / rows * (_SHARES - 12)
        yield f'<line class="i" x1="{at:.1f}" y1="{y(low):.1f}" x2="{at:.1f}" y2="{y(high):.1f}"/>'
        yield f'<circle class="p" cx="{at:.1f}" cy="{y(one["rate"]):.1f}" r="4"/>'
        yield f'<rect class="n" x="{at - 6:.1f}" y="{bottom + 4}" width="12" height="{long:.1f}"/>'
    said = ("up: observed rate", "across: mean score", "below: rows of each band,", f"at most {int(rows):,}")
    for place, says in enumerate(said):
        yield f'<text class="s" x="{_LEFT + _SIDE + 24}" y="{_TOP + 14 + place * 18}">{says}</text>'


def _interval(rate: float, rows: float) -> tuple[float, float]:
    """Wilson's interval of a rate, 95 %."""
    z = 1.96
    middle, wide = rate + z * z / (2 * rows), z * sqrt(rate * (1 - rate) / rows + z * z / (4 * rows * rows))
    return max(0.0, (middle - wide) / (1 + z * z / rows)), min(1.0, (middle + wide) / (1 + z * z / rows))


def _plain(text: object) -> str:
    """A text that cannot break out of its place, nor hold what no XML may."""
    flat = "".join(sign if sign.isprintable() else " " for sign in " ".join(str(text).split()))
    return escape(flat if len(flat) <= _LONGEST else f"{flat[: _LONGEST - 1]}…")
