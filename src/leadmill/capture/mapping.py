"""From a request's names to a lead's: the alias tables of every vertical, compiled once, and the walk over a body.

Called by :mod:`leadmill.capture.rules`. A body may nest its parts as the contract writes them (``fields``, ``consent``,
``context``), lie flat under the trade's usual names, or mix both; whatever no table knows is kept in ``extra``.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from leadmill.capture.bodies import escape
from leadmill.capture.dialects import Dialect
from leadmill.capture.model import FieldSpec, Mapped, Value, Vertical
from leadmill.capture.readers import Reader, Refused, fold, reader_of, truth
from leadmill.core.faults import BadInput, FieldFault
from leadmill.core.reading import nearest

_SECTIONS = ("fields", "consent", "context")
_MAX_EXTRA = 10_000
_MAX_DEPTH = 12

Target = tuple[str, str, Reader]
"""The section a name belongs to, its canonical name there, and its reader."""

Barred = Callable[[str, Any, Target | None], tuple[str, str] | None]
"""Says of a name, its value and what it stands for why it must not be in a body: a code and what to do."""


class Names:
    """The names one vertical answers to. ``tables`` holds one look-up a section, and one (``""``) for names outside
    any."""

    __slots__ = ("objects", "tables", "vertical")

    def __init__(self, vertical: Vertical) -> None:
        self.vertical = vertical
        self.objects = frozenset(fold(name) for name in vertical.objects)
        sections: dict[str, Mapping[str, FieldSpec]] = {
            "context": vertical.context,
            "consent": vertical.consent,
            "control": vertical.control,
            "fields": vertical.fields,
        }
        flat: dict[str, Target] = {}
        own: dict[str, dict[str, Target]] = {}
        for section, specs in sections.items():
            named: dict[str, Target] = {}
            for name, spec in specs.items():
                target = (section, name, reader_of(spec))
                for alias in spec.aliases:
                    flat[fold(alias)] = target
                    named.setdefault(fold(alias), target)
                named[fold(name)] = named[name] = target
            own[section] = named
        # A canonical name means itself outside its section only where it cannot be mistaken: consent's are too plain.
        for section in ("context", "control", "fields"):
            flat.update(
                {key: target for key, target in own[section].items() if target[1] == key or fold(target[1]) == key}
            )
        self.tables: dict[str, dict[str, Target]] = {"": flat}
        for section in _SECTIONS:
            self.tables[section] = flat | own[section]


def read_value(spec: FieldSpec, given: object) -> Value:
    """A value as a person gives it for a field, as its type. Raises BadInput with the code of what is wrong with it;
    the value is not repeated."""
    try:
        return reader_of(spec)(given, isinstance(given, str))
    except Refused as refused:
        raise BadInput(refused.code, refused.detail) from None


def vertical_names(verticals: Mapping[str, Vertical]) -> dict[str, str]:
    """The canonical name of each vertical by every name it goes by, folded: see :func:`canonical_vertical`."""
    found: dict[str, str] = {}
    for name, vertical in verticals.items():
        for alias in vertical.aliases:
            found.setdefault(fold(alias), name)
    return found | {fold(name): name for name in verticals}


def canonical_vertical(text: str, names: Mapping[str, str]) -> str:
    """A vertical as the packs name it, ``home_services`` for ``home-services``; a name that no pack goes by comes
    back as it is. ``names`` are those of :func:`vertical_names`."""
    return names.get(fold(text), text)


def vertical_called(text: str, names: Mapping[str, str]) -> str:
    """The canonical name of a vertical as somebody wrote it; ``names`` are those of :func:`vertical_names`. Raises
    :class:`BadInput` ``capture.vertical.unknown`` with the nearest known one."""
    found = names.get(fold(text))
    if found is None:
        says = f"no such vertical; {nearest(text[:60].lower(), {*names.values()})}"
        raise BadInput("capture.vertical.unknown", says, [FieldFault("/vertical", "capture.vertical.unknown", says)])
    return found


_MOST_KEPT = 2000
"""Submissions between edge and walk, at most; more are simply read twice."""


class Lexicon:
    """Every vertical's names, compiled, and the dialects that submissions come in. Made once for the rules in force;
    used by the edge and by the step ``Map``."""

    __slots__ = ("_kept", "_names", "_verticals", "dialects", "verticals")

    def __init__(self, verticals: Mapping[str, Vertical], dialects: Mapping[str, Dialect] | None = None) -> None:
        self.dialects = dict(dialects or {})
        self._kept: dict[tuple[str, str], Mapped] = {}
        self.verticals = dict(verticals)
        self._names = {name: Names(vertical) for name, vertical in verticals.items()}
        self._verticals = vertical_names(verticals)

    def keep(self, submission_id: str, digest: str, mapped: Mapped) -> None:
        """Keep what the edge read of a submission for the step that reads it again a moment later."""
        if len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[submission_id, digest] = mapped

    def kept(self, submission_id: str, digest: str) -> Mapped | None:
        """What the edge read of just this submission, given once; None where it must be read."""
        return self._kept.pop((submission_id, digest), None)

    def vertical(self, text: str) -> str:
        """The canonical name of a vertical as somebody wrote it. Raises :class:`BadInput` ``capture.vertical.unknown``
        with the nearest known one."""
        return vertical_called(text, self._verticals)

    def names(self, vertical: str) -> Names:
        """The names of a vertical by its canonical name."""
        return self._names[vertical]

    def stated(self, body: Mapping[str, Any]) -> object:
        """What a body says its vertical is, under any of the usual names; None where it does not."""
        if "vertical" in body:
            return body["vertical"]
        for names in self._names.values():
            for key, value in body.items():
                target = names.tables[""].get(fold(key))
                if target is not None and target[0] == "control" and target[1] == "vertical":
                    return value
            break  # what steers the intake is common to all verticals
        return None


class Walk:
    """One body on its way into a lead; used once."""

    __slots__ = ("barred", "extra", "faults", "names", "out", "textual", "textual_as")

    def __init__(self, names: Names, textual: bool, barred: "Barred | None" = None) -> None:
        self.names = names
        self.textual = textual
        self.barred = barred
        self.out: dict[str, dict[str, Value]] = {"fields": {}, "consent": {}, "context": {}, "control": {}}
        self.extra: dict[str, Value] = {}
        self.faults: list[FieldFault] = []

    def take_all(self, body: Mapping[str, Any]) -> None:
        """Take a whole body."""
        for key, value in body.items():
            if key in _SECTIONS or key == "extra":
                if isinstance(value, Mapping):
                    for inner, item in value.items():
                        self.take(key, inner, item, f"/{key}", "")
                    continue
                if value is None:
                    continue
                if key != "extra" and not (key == "consent" and (self.textual or isinstance(value, bool))):
                    self.fault(f"/{key}", "capture.field.type", "send an object")
                    continue
            self.take("", key, value, "", "")

    def take(self, section: str, key: str, value: Any, at: str, path: str, depth: int = 0) -> None:
        """Take one value that stands under ``key`` in ``section``; ``at`` is the pointer of what holds it."""
        if value is None or value == "":
            return
        if section == "extra":
            self.keep(key, value, f"{at}/{escape(key)}")
            return
        table = self.names.tables[section]
        target = table.get(key) or table.get(fold(key))
        if self.barred is not None and (says := self.barred(key, value, target)) is not None:
            self.fault(f"{at}/{escape(key)}", *says)
            return
        if target is None and "." in key:
            head, _, tail = key.partition(".")
            if (head in _SECTIONS or head == "extra") and tail:
                self.take(head, tail, value, at, path, depth)
                return
        kind = type(value)
        if kind is dict and (target is None or fold(key) in self.names.objects):
            if depth < _MAX_DEPTH:
                for inner, item in value.items():
                    self.take(section, inner, item, f"{at}/{escape(key)}", f"{path}{key}.", depth + 1)
            return
        if target is None:
            self.keep(
                f"{section}.{path}{key}" if section in ("consent", "context") else path + key,
                value,
                f"{at}/{escape(key)}",
            )
            return
        place, name, read = target
        if kind is list and self.textual and value:
            value = self.chosen(key, name, value, place)
        if name == "text" and place == "consent" and (kind is bool or (kind is str and truth(value) is not None)):
            self.out["consent"].setdefault("granted", truth(value) is True if kind is str else value)
            return
        try:
            kept = read(value, self.textual)
        except Refused as refused:
            self.fault(f"{at}/{escape(key)}", refused.code, refused.detail)
            return
        if kept == "" or kept == []:
            return
        held = self.out[place]
        if place != "control" and name in held and held[name] != kept:
            if key == name:  # its own name outranks an alias
                kept, held[name] = held[name], kept
            self.extra.setdefault(key if key != name else f"{name} (also sent)", kept)
            return
        held[name] = kept

    def chosen(self, key: str, name: str, values: list[Any], place: str) -> Any:
        """Of a name repeated in a form the last value that is not blank, the way browsers override a hidden default;
        all of them go to ``extra`` where they differ. A list field takes them all."""
        specs = {
            "fields": self.names.vertical.fields,
            "consent": self.names.vertical.consent,
            "context": self.names.vertical.context,
            "control": self.names.vertical.control,
        }
        if specs[place][name].type == "list":
            return values
        filled = [value for value in values if value not in ("", None)]
        if len({str(value) for value in filled}) > 1:
            self.keep(f"{key} (all)", filled, f"/{escape(key)}")
        return filled[-1] if filled else ""

    def keep(self, key: str, value: Any, at: str) -> None:
        """Keep what no field knows, as it came; objects and mixed lists as JSON text."""
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            size = sum(len(item) for item in value)
            kept: Value = list(value)
        elif isinstance(value, dict | list):
            kept = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            size = len(kept)
        else:
            kept = value
            size = len(value) if isinstance(value, str) else 0
        if size > _MAX_EXTRA:
            self.fault(
                at, "capture.field.too_long", f"a field that is not known here has at most {_MAX_EXTRA} characters"
            )
            return
        self.extra[key] = kept

    def fault(self, pointer: str, code: str, detail: str) -> None:
        """Note what is wrong with one field."""
        self.faults.append(FieldFault(pointer, code, detail))

    def mapped(self) -> Mapped:
        """The lead as mapped. Raises :class:`BadInput` ``capture.lead.malformed`` with one entry a faulty field."""
        if self.faults:
            named = ", ".join(sorted({fault.pointer for fault in self.faults})[:10])
            raise BadInput("capture.lead.malformed", f"mend these fields and send again: {named}", self.faults)
        fields, control = self.out["fields"], self.out["control"]
        _split_name(fields)
        return Mapped(
            vertical=self.names.vertical.name,
            fields=fields,
            consent=self.out["consent"],
            context=self.out["context"],
            extra=self.extra,
            test=control.get("test") is True,
            trapped="honeypot" in control,
        )


def _split_name(fields: dict[str, Value]) -> None:
    """A whole name gives first and last name where they did not come by themselves."""
    whole = fields.get("full_name")
    if isinstance(whole, str) and "first_name" not in fields and "last_name" not in fields:
        first, _, last = whole.partition(" ")
        if "," in whole:
            last, _, first = (part.strip() for part in whole.partition(","))
        fields["first_name"] = first
        if last.strip():
            fields["last_name"] = last.strip()
