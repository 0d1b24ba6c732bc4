"""What a buyer insists on, and what it says of itself, as its record declares them.

Called by the readers of records, here and in ``market``. Pure.
"""

from collections.abc import Mapping
from typing import cast, get_args

from leadmill.core.reading import Table, nearest
from leadmill.parties.words import Certification, Demand, Trust

_DEMANDS: tuple[Demand, ...] = get_args(Demand)
_CERTIFICATIONS: tuple[Certification, ...] = get_args(Certification)
_TRUSTS: tuple[Trust, ...] = get_args(Trust)


def read_demands(table: Table) -> tuple[Demand, ...]:
    """The key ``demands``: kinds of evidence without which no lead passes; none where it is absent."""
    return cast(tuple[Demand, ...], _words(table, "demands", "evidence", _DEMANDS))


def read_certified(table: Table) -> tuple[Certification, ...] | None:
    """The key ``certified``: what the house is certified for; None where it is absent."""
    if not table.has("certified"):
        return None
    return cast(tuple[Certification, ...], _words(table, "certified", "certification", _CERTIFICATIONS))


def read_trusts(table: Table) -> tuple[Trust, ...]:
    """The key ``certifies``: what a source has certified of leads out of a credit bureau's file; none where absent."""
    return cast(tuple[Trust, ...], _words(table, "certifies", "certificate", _TRUSTS))


def _words(table: Table, key: str, called: str, known: tuple[str, ...]) -> tuple[str, ...]:
    found = table.texts(key, ())
    for one in found:
        if one not in known:
            table.refuse(f"knows no {called} '{one}'; {nearest(one, known)}", key)
    return tuple(found)


def read_ownership(table: Table) -> dict[str, float] | None:
    """The key ``ownership``: the per cent that owners of each country hold (ISO 3166); None where it is absent."""
    if not table.has("ownership"):
        return None
    found = table.value("ownership")
    if not isinstance(found, Mapping) or not all(_is_country(code) and _is_share(found[code]) for code in found):
        table.refuse("must name countries with a share in per cent, such as { US = 100 }", "ownership")
    return {str(code): float(share) for code, share in found.items()}


def _is_country(code: object) -> bool:
    return isinstance(code, str) and len(code) == 2 and code.isascii() and code.isupper()


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100
