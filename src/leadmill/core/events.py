"""Events: what happened, in the past tense, appended and never changed.

Declared in the ``model`` of the package where they happen, written by the runner and the verbs, read by projections,
reactions and biographies. The tag is the event's lasting name; an old page must decode for ever, so fields are only
added, with a default.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct


class Event(Struct, frozen=True, kw_only=True, tag_field="event"):
    """Something that happened to a lead at ``at`` (UTC). Carries no personal data: what is personal is stored beside
    it, sealed with the person's key."""

    at: datetime

    def tell(self) -> Iterable[str]:
        """The event in short sentences for a biography."""
        return ()


def family(base: type[Struct]) -> tuple[type[Struct], ...]:
    """Every concrete descendant of ``base`` that has been imported, by name: the members of a decoder's union."""
    found: dict[str, type[Struct]] = {}
    todo = [base]
    while todo:
        for child in todo.pop().__subclasses__():
            found[f"{child.__module__}.{child.__qualname__}"] = child
            todo.append(child)
    return tuple(found[name] for name in sorted(found))
