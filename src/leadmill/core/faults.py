"""What can go wrong, by what to do about it.

A verdict is an answer; a fault is the lack of one. Raised anywhere, turned into a retry, a dead letter or a Problem
Details answer at the edges. Codes are stable and documented; no personal data ever stands in a fault.
"""

from collections.abc import Sequence

from msgspec import Struct


class Fault(Exception):
    """Something failed; ``code`` is stable (``package.subject.problem``), ``detail`` says what to do."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class Transient(Fault):
    """May go through later; ``after`` is the number of seconds to wait at least, None where the caller's own
    back-off decides."""

    def __init__(self, code: str, detail: str = "", after: float | None = None) -> None:
        super().__init__(code, detail)
        self.after = after


class Permanent(Fault):
    """Will fail the same way every time: do not retry, tell somebody."""


class FieldFault(Struct, frozen=True):
    """One thing wrong with one field; ``pointer`` is a JSON pointer such as ``/fields/email``."""

    pointer: str
    code: str
    detail: str


class BadInput(Permanent):
    """The caller's mistake; ``errors`` names each field."""

    def __init__(self, code: str, detail: str = "", errors: Sequence[FieldFault] = ()) -> None:
        super().__init__(code, detail)
        self.errors = tuple(errors)


class Conflict(BadInput):
    """The request contradicts an earlier one, such as an idempotency key used with another body."""


class Forbidden(BadInput):
    """Known caller, not allowed this."""


class Unauthenticated(BadInput):
    """No key, an unknown or an expired one."""


class NotFound(BadInput):
    """No such thing, or none that this caller may know of."""


class TooLarge(BadInput):
    """The body or file is over its limit."""
