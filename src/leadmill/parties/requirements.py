"""What recipients require of a lead beside its fields: a certificate of consent.

Read from the ``require`` table of a buyer or an order; whether a lead has it is for ``certificates`` to say.
"""

from msgspec import Struct

from leadmill.core.reading import Table

ANY = "any"
"""The word for a certificate of whichever vendor."""

_LONGEST = 3650


class Requirement(Struct, frozen=True, kw_only=True):
    """A certificate that its vendor says is genuine, of one of the vendors in ``certificate`` (empty: of any), at most
    ``max_age_days`` old (None: of any age), and of this person's phone number and e-mail address where ``matched``."""

    certificate: tuple[str, ...] = ()
    max_age_days: int | None = None
    matched: bool = True


def read_requirement(table: Table, key: str = "require") -> Requirement | None:
    """The ``require`` table within a record's; None where there is none. Raises BadInput with the record's code."""
    if not table.has(key):
        return None
    part = table.inner(table.value(key), key)
    raw = part.value("certificate")
    names = (raw,) if isinstance(raw, str) else part.texts("certificate")
    if not names or not all(name == name.lower() and name.isidentifier() for name in names):
        part.refuse('name a vendor such as "trustedform", a list of vendors, or "any"', "certificate")
    if ANY in names and len(names) > 1:
        part.refuse('"any" stands alone', "certificate")
    requirement = Requirement(
        certificate=() if ANY in names else tuple(names),
        max_age_days=part.whole("max_age_days", least=1, most=_LONGEST) if part.has("max_age_days") else None,
        matched=part.flag("matched", True),
    )
    part.close()
    return requirement
