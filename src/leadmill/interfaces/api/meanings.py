"""What a code means and what to do about it: the words of ``docs/errors.md`` and of the reasons' registry.

Called by the page that a problem's ``type`` leads to. The page of the documentation is the one place where the codes
of faults are described, and a test holds it against the program; ``errors.txt`` is that page.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from msgspec import Struct

from leadmill.core.reasons import every

_ROW = re.compile(
    r"^\| `(?P<code>[a-z0-9_.]+)` \|(?: (?P<status>\d{3}|4xx) \|)? (?P<means>.+) \| (?P<mend>.+) \|$", re.MULTILINE
)
_PLACE = re.compile(r"\{\w+\}")


class Meaning(Struct, frozen=True):
    """A code in words: ``status`` is what it is answered with, empty where it stands inside an answer or a file. A
    reason has nothing to mend that would be the same for everybody. Backticks mark code."""

    code: str
    status: str
    means: str
    mend: str = ""


def read_meanings(page: str) -> dict[str, Meaning]:
    """The codes of ``docs/errors.md``, and the reasons."""
    found = {
        reason.code: Meaning(reason.code, "", f"{_PLACE.sub('…', reason.says)}".rstrip(".") + ".") for reason in every()
    }
    for row in _ROW.finditer(page):
        found[row["code"]] = Meaning(row["code"], row["status"] or "", row["means"], row["mend"])
    return found


@cache
def load_meanings() -> Mapping[str, Meaning]:
    """The meanings that this program came with."""
    return read_meanings(Path(__file__).with_name("errors.txt").read_text(encoding="utf-8"))
