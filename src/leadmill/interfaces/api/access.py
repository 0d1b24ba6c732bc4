"""Who calls the API: a program with a key, or an operator's browser with its session.

Made for each request by ``provide_reader``; the routes ask it for the right they need.
"""

from typing import Any

from litestar import Request
from litestar.di import NamedDependency
from msgspec import Struct

from leadmill.core.faults import Forbidden, Unauthenticated
from leadmill.interfaces.wiring import Wiring
from leadmill.parties import Caller, Right, Role, identify, may, scope_of
from leadmill.parties.model import KEY_PURPOSE
from leadmill.parties.service import resume_session

SESSION_COOKIE = "leadmill_session"


class Reader(Struct, frozen=True):
    """Who reads: an operator's or a key's id, with the role it has; a ``masked`` key sees no personal value."""

    id: str
    role: Role
    masked: bool = False

    @property
    def sees(self) -> bool:
        """Whether personal values may be read."""
        return not self.masked and may(self.role, Right.SEE_PERSONAL)


async def caller_of(request: Request[Any, Any, Any], wiring: Wiring) -> Caller | None:
    """Who holds the bearer key, None where none was sent. Raises Unauthenticated for an unknown or expired one,
    Forbidden ``api.scope.missing`` for one that does not reach this address, and Throttled ``api.key.throttled``."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if not key:
        return None
    if scheme.lower() != "bearer":
        raise Unauthenticated("api.key.missing", "send the key as Authorization: Bearer KEY")
    caller = identify(wiring.ring(), wiring.keyed_hash(KEY_PURPOSE, key.strip()), wiring.clock())
    await wiring.entrance.gate.admit(caller, scope_of(request.method, request.url.path))
    return caller


async def provide_reader(request: Request[Any, Any, Any], wiring: NamedDependency[Wiring]) -> Reader:
    """The reader of a request. Raises Unauthenticated ``api.key.missing``, and Forbidden ``api.right.missing`` for
    the key of a source or buyer, which may read no leads."""
    caller = await caller_of(request, wiring)
    if caller is not None:
        if caller.role is None or not caller.may(Right.READ):
            raise Forbidden("api.right.missing", "this key may not read leads; use an operator's key")
        return Reader(caller.key_id, caller.role, caller.masked)
    token = request.cookies.get(SESSION_COOKIE)
    if not token:
        raise Unauthenticated("api.key.missing", "send a key as Authorization: Bearer KEY")
    async with wiring.db.begin() as tx:
        session = await resume_session(tx, wiring.keyed_hash, token, wiring.clock())
    if not session.operator.may(Right.READ):
        raise Forbidden("api.right.missing", "your role may not read leads")
    return Reader(session.operator.id, session.operator.role)
