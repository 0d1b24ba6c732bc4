"""Plug-ins: who provides what, found by entry points.

Called by ``main`` when the program starts and by the test that plays every plug-in's recorded conversations. A
built-in provider is found exactly like a stranger's: an entry point in one of the families, whose value is the
provider itself. Beside the provider's module lie ``card.toml`` (what it does and which personal data it is given)
and ``golden/*.toml`` (recorded conversations).
"""

import sys
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from msgspec import Struct

FAMILIES = (
    "leadmill.bidders",
    "leadmill.certificates",
    "leadmill.couriers",
    "leadmill.facts",
    "leadmill.messengers",
)
"""The entry-point groups that the program reads."""


class Plugin(Struct, frozen=True):
    """One installed provider. ``provider`` is what the entry point names; ``home`` the folder of its module."""

    family: str
    name: str
    package: str
    version: str
    provider: Any
    home: Path

    def card(self) -> dict[str, Any]:
        """The content of ``card.toml``; empty where there is none."""
        path = self.home / "card.toml"
        return tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}

    def golden(self) -> list[Path]:
        """The recorded conversations, by name."""
        return sorted((self.home / "golden").glob("*.toml"))


class Broken(Struct, frozen=True):
    """An entry point that could not be loaded; ``problem`` is the type of what went wrong."""

    family: str
    name: str
    package: str
    problem: str


class Plugins(Struct, frozen=True):
    """Everything installed. A broken plug-in stops nothing: the program runs without it and ``broken`` says so."""

    found: tuple[Plugin, ...] = ()
    broken: tuple[Broken, ...] = ()

    def of(self, family: str) -> Mapping[str, Any]:
        """The providers of a family by name."""
        return {plugin.name: plugin.provider for plugin in self.found if plugin.family == family}


def find_plugins(families: Iterable[str] = FAMILIES) -> Plugins:
    """Load every installed plug-in. Of two with one name in one family the later by package name is reported as
    broken."""
    found: dict[tuple[str, str], Plugin] = {}
    broken: list[Broken] = []
    for family in families:
        for point in sorted(entry_points(group=family), key=lambda point: (_package(point), point.name)):
            package = _package(point)
            if (family, point.name) in found:
                broken.append(Broken(family, point.name, package, "NameTaken"))
                continue
            try:
                provider = point.load()
            except Exception as fault:  # a stranger's module may fail in any way while it is imported
                broken.append(Broken(family, point.name, package, type(fault).__name__))
                continue
            version = point.dist.version if point.dist is not None else ""
            found[family, point.name] = Plugin(family, point.name, package, version, provider, _home(point))
    return Plugins(tuple(found.values()), tuple(broken))


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else ""


def _home(point: EntryPoint) -> Path:
    return Path(sys.modules[point.module].__file__ or ".").parent
