"""What the options of ``leadmill scoring train`` say, and which of them belong to a file or to our own leads alone.

Used by :mod:`leadmill.interfaces.cli.scoring`. An option that would do nothing is refused, so that nobody takes a model
for what it is not. Raises :class:`BadInput` ``learning.option.malformed`` throughout.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from leadmill.core.faults import BadInput
from leadmill.learning.service import Kind

_CODE = "learning.option.malformed"
_FILES_ONLY = {
    "--time": "rows go by the moment at which each lead was rated",
    "--against": "the model in use is compared with by itself",
    "--positive": "the target says which outcome is sought",
    "--protected": "name the test data with --groups FILE.csv",
    "--air": "the vertical's pack says which limits hold (fairness.toml)",
    "--vertical-pack": "the vertical's own pack holds",
}
_OWN_ONLY = {
    "--since": "give a file that holds the rows you want",
    "--until": "give a file that holds the rows you want",
    "--horizon": "the file's outcomes are taken as they are",
    "--groups": "name the columns with --protected COL",
    "--add": "write the model with --out DIR, then `leadmill scoring add DIR --id ID`",
}


def refuse_for_own(given: Mapping[str, object]) -> None:
    """Refuse what means nothing for our own leads."""
    _refuse(given, _FILES_ONLY, "with --vertical")


def refuse_for_file(given: Mapping[str, object]) -> None:
    """Refuse what means nothing for a file."""
    _refuse(given, _OWN_ONLY, "with a file")


def _refuse(given: Mapping[str, object], instead: Mapping[str, str], where: str) -> None:
    """Refuse options that were given, that is, are neither None nor empty."""
    said = [f"{name} does nothing {where}: {instead[name]}" for name in instead if given.get(name) not in (None, [])]
    if said:
        raise BadInput(_CODE, "; ".join(said))


def signs_of(said: Sequence[str] | None) -> dict[str, int]:
    """``COL=+`` and ``COL=-`` as +1 and −1 by column."""
    return {name: _sign(value) for name, value in _pairs(said, "--monotone")}


def kinds_of(said: Sequence[str] | None) -> dict[str, Kind]:
    """``COL=KIND`` as kinds by column."""
    return {name: _kind(value) for name, value in _pairs(said, "--kind")}


def _pairs(said: Sequence[str] | None, option: str) -> list[tuple[str, str]]:
    found = []
    for each in said or ():
        name, equals, value = each.rpartition("=")
        if not equals or not name or not value:
            raise BadInput(_CODE, f"{option} takes COL=VALUE")
        found.append((name, value))
    return found


def _sign(value: str) -> int:
    signs = {"+": 1, "-": -1, "rising": 1, "falling": -1}
    if value not in signs:
        raise BadInput(_CODE, "--monotone takes COL=+ or COL=-")
    return signs[value]


def _kind(value: str) -> Kind:
    known: dict[str, Any] = {str(kind): kind for kind in Kind if kind.learned}
    if value not in known:
        raise BadInput(_CODE, f"--kind takes one of: {', '.join(known)}")
    found: Kind = known[value]
    return found
