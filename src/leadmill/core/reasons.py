"""The closed registry of reasons: why a lead was held or stopped, why an order did not get it.

A reason is declared once, in the ``model`` of the package that gives it, and named ``package.subject.action``.
``docs/reasons.md`` is generated from this registry, and a test demands that each reason is produced by some test.
"""

from enum import StrEnum
from typing import Any

from msgspec import Struct


class State(StrEnum):
    """Where a lead stands. The first seven are the answers of the intake API (``accepted`` covers the states that
    follow it there)."""

    SOLD = "sold"
    ASSIGNED = "assigned"
    REVIEW = "review"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    TEST = "test"
    ACCEPTED = "accepted"
    NURTURE = "nurture"
    UNSOLD = "unsold"
    BIDDING = "bidding"


class Reason(Struct, frozen=True):
    """A coded reason. ``says`` is a sentence with ``{named}`` places that :class:`Because` fills; ``state`` is where
    a lead goes when the reason stops or holds it, None where the reason never ends a walk (a refused order, say)."""

    code: str
    says: str
    state: State | None = None


_registry: dict[str, Reason] = {}


def declare(code: str, says: str, state: State | None = None) -> Reason:
    """Register a reason. Raises ValueError for a code declared twice or not of three lower-case parts."""
    parts = code.split(".")
    if len(parts) != 3 or not all(p.replace("_", "").isalnum() and p == p.lower() for p in parts):
        raise ValueError(f"a reason code is package.subject.action, not {code!r}")
    if code in _registry:
        raise ValueError(f"reason {code} is declared twice")
    _registry[code] = Reason(code, says, state)
    return _registry[code]


def find(code: str) -> Reason:
    """The declared reason; KeyError where there is none."""
    return _registry[code]


def every() -> list[Reason]:
    """All declared reasons by code."""
    return [_registry[code] for code in sorted(_registry)]


class Because(Struct, frozen=True):
    """A reason applied: its code and the particulars, none of them personal data."""

    code: str
    detail: dict[str, Any] = {}

    @property
    def reason(self) -> Reason:
        """The declared reason."""
        return find(self.code)

    @property
    def message(self) -> str:
        """The reason in words."""
        return self.reason.says.format_map(_Shown(self.detail))


class _Shown(dict[str, Any]):
    """Details for a sentence; one that was not recorded shows as a dash rather than failing an explanation."""

    def __missing__(self, key: str) -> str:
        return "–"


def because(reason: Reason, **detail: Any) -> Because:
    """The reason with its particulars."""
    return Because(reason.code, detail)
