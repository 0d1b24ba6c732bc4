"""Vertical packs decoded: ``pack.toml`` and ``fields.toml`` with the common fields beneath.

Called by ``main`` and by replay through the door. A pack that cannot be understood is refused whole, with the place;
nothing in it is ignored.
"""

from collections.abc import Mapping
from typing import Any, get_args

from leadmill.capture.model import EVERYWHERE, Choice, FieldSpec, FieldType, Matching, Neutral, Vertical
from leadmill.core.reading import Table, nearest
from leadmill.runtime.packs import Pack, Packs, digest_of

_FAULT = "packs.vertical.malformed"
_TYPES = get_args(FieldType)


def read_verticals(packs: Packs) -> dict[str, Vertical]:
    """Every vertical by name. Raises ``BadInput`` ``packs.vertical.malformed`` with the place of what is wrong."""
    return {name: read_vertical(pack, packs.common) for name, pack in packs.verticals.items()}


def read_vertical(pack: Pack, common: Pack) -> Vertical:
    """One vertical on top of the common fields. A field that the pack and the common file both have is the pack's."""
    shared = Table(common.file("fields.toml"), "common/fields.toml", _FAULT)
    base = _specs(shared.value("fields"), "common/fields.toml, fields")
    sections = {
        name: _specs(shared.value(name), f"common/fields.toml, {name}") for name in ("consent", "context", "control")
    }
    objects = shared.texts("objects")
    shared.close()

    own = Table(pack.file("fields.toml"), f"{pack.name}/fields.toml", _FAULT)
    fields = base | _specs(own.value("fields"), f"{pack.name}/fields.toml, fields")
    own.close()

    head = Table(pack.file("pack.toml"), f"{pack.name}/pack.toml", _FAULT)
    for name in head.texts("required", ()):
        if name not in fields:
            head.refuse(f"requires '{name}', which is not among the fields", "required")
        fields[name] = _required(fields[name])
    found = Vertical(
        name=pack.name,
        title=head.text("title"),
        fields=fields,
        consent=sections["consent"],
        context=sections["context"],
        control=sections["control"],
        objects=objects,
        aliases=head.texts("aliases", ()),
        dedupe_window_days=head.whole("dedupe_window_days", least=0, most=3650),
        consent_required=head.flag("consent_required", True),
        currency=head.currency(),
        adult_only=head.flag("adult_only", False),
        neutral=_neutral(head),
        matching=_matching(head),
        withhold=_withheld(head, fields),
        digest=digest_of({"pack": pack.digest.encode(), "common": common.digest.encode()}),
    )
    head.value("version", 1)
    head.value("fraud", {})  # read where fraud is judged
    head.value("facts", {})  # read where facts are judged
    head.close()
    return found


NEUTRAL_CRITERIA = ("licence", "near", "fit", "waiting")
"""What recipients may be ranked by where they may not be ranked by what they pay."""


def _neutral(head: Table) -> Neutral | None:
    barred = head.choice("ranking", ("payment", "neutral"), "payment") == "neutral"
    if head.has("neutral") is not barred:
        head.refuse('goes with ranking = "neutral", and that with it', "neutral")
    if not barred:
        return None
    part = Table(head.value("neutral"), f"{head.where}, neutral", _FAULT)
    criteria = part.texts("criteria")
    for name in criteria:
        if name not in NEUTRAL_CRITERIA:
            part.refuse(f"'{name}' is no criterion; {nearest(name, NEUTRAL_CRITERIA)}", "criteria")
    found = Neutral(
        rule=part.text("rule"),
        citation=part.text("citation"),
        says=part.text("says"),
        criteria=criteria,
        pages=part.texts("pages", ()),
    )
    part.close()
    return found


def _withheld(head: Table, fields: Mapping[str, FieldSpec]) -> tuple[str, ...]:
    names = head.texts("withhold", ())
    for name in names:
        if name != "*" and name not in fields:
            head.refuse(f"'{name}' is no field here; {nearest(name, fields)}", "withhold")
    return names


def _matching(head: Table) -> Matching:
    if not head.has("identity"):
        return EVERYWHERE
    part = Table(head.value("identity"), f"{head.where}, identity", _FAULT)
    shares = {
        name: float(part.rate(name)) if part.has(name) else getattr(EVERYWHERE, name)
        for name in ("same", "duplicate", "possible")
    }
    people = part.whole("people", EVERYWHERE.people, least=1000)
    found = Matching(fuzzy=part.flag("fuzzy", EVERYWHERE.fuzzy), people=people, **shares)
    if not 0 < found.possible <= found.same <= found.duplicate < 1:
        part.refuse("must lie between 'possible' and 'duplicate', and all between 0 and 1", "same")
    part.close()
    return found


def _required(spec: FieldSpec) -> FieldSpec:
    changed: dict[str, Any] = {name: getattr(spec, name) for name in spec.__struct_fields__} | {"required": True}
    return FieldSpec(**changed)


def _specs(raw: object, where: str) -> dict[str, FieldSpec]:
    tables = Table(raw, where, _FAULT)
    names = list(raw) if isinstance(raw, Mapping) else []
    found = {str(name): _spec(str(name), Table(tables.value(name), f"{where}.{name}", _FAULT)) for name in names}
    return found


def _spec(name: str, table: Table) -> FieldSpec:
    kind: Any = table.choice("type", _TYPES, "text")
    title = table.text("title", name.replace("_", " ").capitalize())
    labels = Table(table.value("labels", {}), f"{table.where}, labels", _FAULT)
    choices = tuple(
        Choice(str(value), labels.text(str(value), _label(str(value))), tuple(str(word) for word in words))
        for value, words in _choices(table)
    )
    labels.close()
    if kind == "choice" and not choices:
        table.refuse("a choice needs its choices", "choices")
    found = FieldSpec(
        name=name,
        type=kind,
        title=title,
        choices=choices,
        aliases=table.texts("aliases", ()),
        yes=table.texts("yes", ()),
        no=table.texts("no", ()),
        required=table.flag("required", False),
        personal=table.flag("personal", False),
        sensitive=table.text("sensitive", "") or None,
        max_length=table.whole("max_length", 500, 1, 100_000),
        minimum=_bound(table, "min"),
        maximum=_bound(table, "max"),
        autocomplete=table.text("autocomplete", "") or None,
        hint=table.text("hint", ""),
    )
    table.close()
    return found


def _label(value: str) -> str:
    return value.replace("_", " ").capitalize() if value.islower() else value


def _choices(table: Table) -> list[tuple[object, list[Any]]]:
    """``choices`` is a list of values, or a table of values with their synonyms."""
    raw = table.value("choices", [])
    if isinstance(raw, Mapping):
        if not all(isinstance(words, list) for words in raw.values()):
            table.refuse("write each choice with a list of its synonyms", "choices")
        return list(raw.items())
    return [(value, []) for value in table.texts("choices", ())]


def _bound(table: Table, key: str) -> float | None:
    found = table.value(key, None)
    if found is not None and (isinstance(found, bool) or not isinstance(found, int | float)):
        table.refuse("must be a number", key)
    return found
