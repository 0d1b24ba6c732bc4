"""What every house reads from files that no test changes is read once a process, not once a house.

Whatever opens houses calls :func:`read_once`. Packs, places and plug-ins are the same for all of them, nobody writes to
what was read, and reading it takes longer than most tests. Packs from elsewhere are read each time.
"""

import functools
from pathlib import Path

import pytest

from leadmill.facts import Reference, load_reference
from leadmill.runtime.packs import BUILT_IN, Packs, load_packs
from leadmill.runtime.plugins import find_plugins

_places: list[Reference] = []


@functools.cache
def _built_in() -> Packs:
    return load_packs()


def _packs(*folders: Path) -> Packs:
    return _built_in() if folders == (BUILT_IN,) else load_packs(*folders)


def _reference(folder: Path) -> Reference:
    if not _places:
        _places.append(load_reference(folder))
    return _places[0]


@functools.cache
def read_once() -> None:
    """From now on, in this process."""
    kept = pytest.MonkeyPatch()
    kept.setattr("leadmill.main.load_packs", _packs)
    kept.setattr("leadmill.main.load_reference", _reference)
    kept.setattr("leadmill.main.find_plugins", functools.cache(find_plugins))
