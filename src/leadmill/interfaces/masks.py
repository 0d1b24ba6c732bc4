"""Personal values as a reader sees them who may not read them.

Used by the console and the API. A mask keeps enough to tell two leads apart at a glance and never the length of what
it hides.
"""

from collections.abc import Mapping

from leadmill.capture import FieldSpec, Lead, Value

_HIDDEN = "•••"


def name_of(lead: Lead | None, seen: bool) -> str:
    """What to call the person of a lead: the name, else the e-mail address or the phone; initials for who may not
    read it."""
    if lead is None:
        return "Forgotten"
    parts = [part for part in (lead.text("first_name"), lead.text("last_name")) if part]
    if parts:
        return " ".join(parts) if seen else " ".join(f"{part[:1].upper()}." for part in parts)
    for field in ("email", "phone"):
        value = lead.text(field)
        if value:
            return value if seen else str(mask(field, value))
    return "No name"


def mask(name: str, value: Value) -> Value:
    """A personal value, hidden: a phone keeps its last two digits, an e-mail address its first letter and ending."""
    if value is None or value == "" or isinstance(value, bool):
        return value
    text = str(value)
    if name == "phone" and len(text) > 4:
        return f"{_HIDDEN} {text[-2:]}"
    if name == "email" and "@" in text:
        return f"{text[0]}{_HIDDEN}@{_HIDDEN}.{text.rpartition('.')[2]}"
    if name == "zip" and len(text) >= 5:
        return f"{text[:3]}{_HIDDEN}"
    return _HIDDEN


def masked(fields: Mapping[str, Value], specs: Mapping[str, FieldSpec]) -> dict[str, Value]:
    """The fields with every personal one hidden; a field the vertical does not know counts as personal."""
    return {
        name: value if name in specs and not specs[name].personal and not specs[name].sensitive else mask(name, value)
        for name, value in fields.items()
    }
