"""Given names that exist, and whose they are: from the US Census Bureau's tables of 1990 (package ``names``)."""

from functools import cache
from pathlib import Path
from typing import Literal

import names

Sex = Literal["", "f", "m", "any"]
"""Whose a name is: ``""`` for one that is not listed, ``any`` for one that women and men bear alike."""

_MOSTLY = 4.0
"""How many times as often one sex bears a name that is taken for its own."""


@cache
def _borne() -> dict[str, Sex]:
    women, men = _shares("dist.female.first"), _shares("dist.male.first")
    found: dict[str, Sex] = {}
    for name in {*women, *men}:
        hers, his = women.get(name, 0.0), men.get(name, 0.0)
        found[name] = "f" if hers > _MOSTLY * his else "m" if his > _MOSTLY * hers else "any"
    return found


def _shares(table: str) -> dict[str, float]:
    lines = Path(names.full_path(table)).read_text("ascii").splitlines()
    return {line.split()[0].lower(): float(line.split()[1]) for line in lines}


def sex_of(name: str) -> Sex:
    """Whose name it is, in plain form."""
    return _borne().get(name, "")
