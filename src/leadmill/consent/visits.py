"""The token of a visit: which page of a form was served, when, and under which secret name its evidence comes in. Pure.

A page carries it; its answer and the recording of the visit bring it back. It cannot be made by anybody else, and ends
with the page's stamp.
"""

import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from msgspec import Struct

_PURPOSE = "form visit"
_HOURS = 48
_SKEW = timedelta(minutes=5)
_LONGEST = 500


class Visit(Struct, frozen=True):
    """A page of a form as served. ``session`` is its secret name: 128 random bits, hex."""

    session: str
    form: str
    served_at: datetime


def visit_token(keyed_hash: Callable[[str, str], bytes], visit: Visit) -> str:
    """The token that the page carries."""
    body = f"{visit.session}~{int(visit.served_at.timestamp())}~{visit.form}"
    return f"{body}~{keyed_hash(_PURPOSE, body).hex()}"


def read_visit(keyed_hash: Callable[[str, str], bytes], token: str, form: str, now: datetime) -> Visit | None:
    """The visit of a token; None for what is not ours, another form's, or older than 48 hours."""
    body, _, seal = token[:_LONGEST].rpartition("~")
    good = hmac.compare_digest(keyed_hash(_PURPOSE, body).hex().encode(), seal.encode("utf-8", "replace"))
    session, _, rest = body.partition("~")
    seconds, _, of = rest.partition("~")
    if not good or of != form or not seconds.isdecimal():
        return None
    served = datetime.fromtimestamp(int(seconds), UTC)
    return Visit(session, of, served) if served - _SKEW <= now <= served + timedelta(hours=_HOURS) else None
