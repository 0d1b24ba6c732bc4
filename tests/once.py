"""What every house reads from files that no test changes is read once a process, not once a house.

Whatever opens houses calls :func:`read_once`. Packs, places and plug-ins are the same for all of them, nobody writes to
what was read, and reading it takes longer than most tests. Packs from elsewhere are read each time.
"""

import functools
from collections.abc import Callable, ValuesView
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from leadmill.capture.mapping import Names
from leadmill.facts import Reference, load_reference
from leadmill.flow import book
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


_MADE_OF_PACKS = ("law_of", "words_of", "Engine", "read_verticals", "bounded", "read_dialects")
"""What a book of rules is put together with, each of them the same for the same packs."""


def _remembered(make: Callable[..., Any]) -> Callable[..., Any]:
    """What was made before of the very same things; a moment is the same within its hour."""
    made: dict[tuple[Any, ...], tuple[Any, Any]] = {}

    def remember(*given: Any) -> Any:
        given = tuple(tuple(each) if isinstance(each, ValuesView) else each for each in given)
        key = tuple(_mark(each) for each in given)
        if key not in made:
            made[key] = given, make(*given)  # what was given is kept, too, so that no other thing gets its id
        return made[key][1]

    return remember


def _mark(given: Any) -> Any:
    if isinstance(given, datetime):
        return given.replace(minute=0, second=0, microsecond=0)
    return tuple(map(id, given)) if isinstance(given, tuple) else id(given)


@functools.cache
def read_once() -> None:
    """From now on, in this process."""
    kept = pytest.MonkeyPatch()
    kept.setattr("leadmill.main.load_packs", _packs)
    kept.setattr("leadmill.main.load_reference", _reference)
    kept.setattr("leadmill.main.find_plugins", functools.cache(find_plugins))
    kept.setattr("leadmill.capture.mapping.Names", _remembered(Names))
    for name in _MADE_OF_PACKS:
        kept.setattr(book, name, _remembered(getattr(book, name)))
