"""How the rules read a lead's fields."""

from collections.abc import Mapping

from leadmill.facts.model import FactValue

Values = Mapping[str, FactValue]


def text_of(values: Values, name: str) -> str | None:
    """A field as text; None where it is absent or blank."""
    value = values.get(name)
    if isinstance(value, str):
        return value if value and not value.isspace() else None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
