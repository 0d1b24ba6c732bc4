"""Faults as Problem Details (RFC 9457): the only place where a fault meets an HTTP status.

Called by every edge, the plain ASGI intake included, so it knows no web framework. A problem carries the fault's
stable code, the request's id and one entry a wrong field; it never repeats what was sent.
"""

import math
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote

import msgspec
from msgspec import Struct

from leadmill.core.faults import (
    BadInput,
    Conflict,
    Fault,
    FieldFault,
    Forbidden,
    NotFound,
    Permanent,
    TooLarge,
    Transient,
    Unauthenticated,
)
from leadmill.parties import Throttled

MEDIA_TYPE = "application/problem+json"

_BY_CLASS: tuple[tuple[type[Fault], int], ...] = (
    (Throttled, 429),
    (TooLarge, 413),
    (NotFound, 404),
    (Unauthenticated, 401),
    (Forbidden, 403),
    (Conflict, 409),
    (BadInput, 400),
    (Transient, 503),
    (Permanent, 500),
)
"""The first class that fits decides."""

_BY_CODE = {
    "api.body.media_type": 415,
    "api.method.not_allowed": 405,
    "capture.body.media_type": 415,
    "flow.lead.forgotten": 409,
    "flow.request.reused": 422,
    "http.body.slow": 408,
}
"""Where the code says more than the class. A repeated key with another body is 422 by the contract."""

_TITLES = {
    413: "The body is too large",
    422: "Something in the request cannot be used",
    429: "Too many requests",
    500: "Something failed on our side",
    503: "Not now, try again",
}


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem as it is sent. ``type`` is a page of ours that says more about the code."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    instance: str = ""
    request_id: str = ""
    errors: tuple[FieldFault, ...] = ()

    def encode(self) -> bytes:
        """The body."""
        return msgspec.json.encode(self)


def status_of(fault: Fault) -> int:
    """The HTTP status for a fault: by its code, else by its class; 422 where single fields are wrong."""
    found = _BY_CODE.get(fault.code)
    if found is not None:
        return found
    status = next((status for kind, status in _BY_CLASS if isinstance(fault, kind)), 500)
    return 422 if status == 400 and isinstance(fault, BadInput) and fault.errors else status


def problem_of(fault: Fault, instance: str = "", request_id: str = "") -> Problem:
    """The problem that stands for a fault. What is wrong inside a server fault stays in the log; the caller gets its
    code."""
    status = status_of(fault)
    return Problem(
        type=f"/problems/{fault.code}",
        title=title_of(status),
        status=status,
        code=fault.code,
        detail=fault.detail if status < 500 or isinstance(fault, Transient) else "",
        instance=quote(instance),
        request_id=request_id,
        errors=fault.errors if isinstance(fault, BadInput) else (),
    )


def problem_for(status: int, code: str, detail: str = "", instance: str = "", request_id: str = "") -> Problem:
    """A problem that no fault of ours caused: an unknown path, a method not allowed."""
    return Problem(
        type=f"/problems/{code}",
        title=title_of(status),
        status=status,
        code=code,
        detail=detail,
        instance=quote(instance),
        request_id=request_id,
    )


def headers_of(fault: Fault) -> Mapping[str, str]:
    """The headers that go with a fault: how long to wait, how to say who one is."""
    if isinstance(fault, Unauthenticated):
        return {"www-authenticate": 'Bearer realm="leadmill"'}
    if isinstance(fault, Throttled):
        return {"retry-after": str(max(1, math.ceil(fault.after)))}
    if isinstance(fault, Transient):
        return {"retry-after": str(max(1, math.ceil(fault.after or 1)))}
    if fault.code == "api.method.not_allowed":
        return {"allow": "POST"}
    if fault.code == "http.body.slow":
        return {"connection": "close"}
    return {}


def title_of(status: int) -> str:
    """What a status means, in words."""
    return _TITLES.get(status) or HTTPStatus(status).phrase
