"""What a vertical's pack lets models look at, and how alike they must treat people: ``fairness.toml``.

Pure. Read when the rules in force are assembled; asked where a model is trained on our own leads, where it is given a
place and where the models of a revision are put together. A pack without the file lets models look at whatever the law
does, and holds them to the usual limits.
"""

import re
from collections.abc import Container, Mapping
from typing import Any

from msgspec import Struct

from leadmill.capture import Vertical
from leadmill.core.reading import Table
from leadmill.facts import KEYS
from leadmill.learning import Limits
from leadmill.runtime.packs import Packs

FILE = "fairness.toml"
CLASSES = ("fields", "checks", "visit", "origin", "brought")
"""Kinds of names: the vertical's fields, facts that we find out ourselves, what came along of a visit, where and when
the lead came and how suspicious it is, and facts that providers bring."""

_CODE = "scoring.bounds.malformed"
_ORIGIN = frozenset({"source", "vertical", "received_at", "fraud.score", "fraud.signals"})
_MOST = 0.99
_HEAD = re.compile(r"[a-z][a-z0-9_-]*")
_UNSEEN = frozenset({"extra", "consent", "control"})
"""What is kept with a lead under such names is seen by no rule and by no model."""


class Bounds(Struct, frozen=True, kw_only=True):
    """Which names models of a vertical may look at: those of ``classes`` (None: of all) and ``names``, but none that is
    ``barred``, each with why. A name that ends in ``.*`` stands for all that begin so. ``limits`` are those of their
    cards; ``audit`` says that one may decide only after an audit with lawful test data."""

    classes: frozenset[str] | None = None
    names: tuple[str, ...] = ()
    barred: Mapping[str, str] = {}
    limits: Limits = Limits()
    audit: bool = False
    fields: frozenset[str] = frozenset()

    def why_not(self, name: str) -> str:
        """Why no model may look at a name; nothing where it may."""
        for barred, why in self.barred.items():
            if _covers(barred, name):
                return why
        if self.classes is None or any(_covers(one, name) for one in self.names):
            return ""
        kind = class_of(name, self.fields)
        return "" if kind in self.classes else "it is not among what the pack lets models look at"


NO_BOUNDS = Bounds()


def class_of(name: str, fields: Container[str]) -> str:
    """The class that a name is of."""
    if name in fields:
        return "fields"
    if name.startswith("context."):
        return "visit"
    if name in _ORIGIN:
        return "origin"
    return "checks" if name in KEYS else "brought"


def foreign(name: str, fields: Container[str]) -> bool:
    """Whether no lead of a vertical with these fields can have a name. What providers bring is open-ended: a name with
    a dot, such as ``company.size``, may be theirs."""
    if class_of(name, fields) != "brought":
        return False
    head, _, rest = name.partition(".")
    return not rest.strip() or head in _UNSEEN or _HEAD.fullmatch(head) is None


def _covers(one: str, name: str) -> bool:
    return name.startswith(one[:-1]) if one.endswith(".*") else name == one


def read_bounds(packs: Packs, verticals: Mapping[str, Vertical]) -> dict[str, Bounds]:
    """The bounds of each vertical whose pack has any. Raises :class:`BadInput` ``scoring.bounds.malformed`` with the
    place of what is wrong."""
    return {
        name: read_bound(pack.files[FILE], f"{name}/{FILE}", frozenset(verticals[name].fields))
        for name, pack in packs.verticals.items()
        if FILE in pack.files
    }


def read_bound(raw: Mapping[str, Any], where: str, fields: frozenset[str]) -> Bounds:
    """One file's tables; see :func:`read_bounds`."""
    table = Table(raw, where, _CODE)
    looks = table.inner(table.value("looks_at", {}), "looks_at")
    given = looks.value("classes", list(CLASSES))
    if not isinstance(given, list) or not set(given) <= set(CLASSES):
        looks.refuse(f"must be a list of some of: {', '.join(CLASSES)}", "classes")
    names = looks.value("names", [])
    if not isinstance(names, list) or not all(isinstance(one, str) and one for one in names):
        looks.refuse("must be a list of names", "names")
    looks.close()
    barred = table.value("barred", {})
    if not isinstance(barred, Mapping) or not all(isinstance(why, str) and why.strip() for why in barred.values()):
        table.refuse("must say for each name why", "barred")
    found = Bounds(
        classes=frozenset(given),
        names=tuple(names),
        barred=dict(barred),
        limits=_limits(table.inner(table.value("limits", {}), "limits")),
        audit=table.flag("audit", False),
        fields=fields,
    )
    table.close()
    return found


def _limits(table: Table) -> Limits:
    usual = Limits()
    found = Limits(
        least_ratio=_number(table, "least_ratio", usual.least_ratio, 1.0),
        most_gap=_number(table, "most_gap", usual.most_gap, _MOST),
        most_excess=_number(table, "most_excess", usual.most_excess, _MOST),
        proxy=_number(table, "proxy", usual.proxy, 1.0),
    )
    table.close()
    return found


def _number(table: Table, key: str, usual: float, most: float) -> float:
    found = table.value(key, usual)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= most:
        table.refuse(f"must be a number from 0 to {most:g}", key)
    return float(found)
