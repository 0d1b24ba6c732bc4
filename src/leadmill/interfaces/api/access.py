"""Who calls the API: a program with a key, or an operator's browser with its session.

Made for each request by ``provide_reader``; the routes ask it for the right they need.
"""

from datetime import datetime
from typing import Any

from litestar import Request
from litestar.di import NamedDependency
from msgspec import Struct

from leadmill.core.faults import Forbidden, Unauthenticated
from leadmill.interfaces.dangers import Danger, check_fresh, check_origin, danger_of
from leadmill.interfaces.wiring import Wiring
from leadmill.parties import Caller, Right, Role, identify, may, scope_of
from leadmill.parties.model import KEY_PURPOSE
from leadmill.parties.service import resume_session
from leadmill.runtime.db import Tx

SESSION_COOKIE = "leadmill_session"


class Reader(Struct, frozen=True):
    """Who calls: an operator's or a key's id, with the role it has; a ``masked`` key sees no personal value.
    ``address`` is where the call comes from, ``danger`` what its address declares."""

    id: str
    role: Role
    masked: bool = False
    address: str = ""
    danger: Danger | None = None

    @property
    def sees(self) -> bool:
        """Whether personal values may be read."""
        return not self.masked and may(self.role, Right.SEE_PERSONAL)

    def note(self, tx: Tx, about: str, now: datetime) -> None:
        """Write down the dangerous act that this address declares, with the other rows of the transaction."""
        if self.danger is None:
            raise LookupError("no danger is declared here")
        self.danger.note(tx, self.id, about, now, self.address)


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
    the key of a source or buyer, which may read no leads.

    Where the address is dangerous the role must have its right, and a browser have shown lately whose it is (Forbidden
    ``console.proof.stale``)."""
    danger = danger_of(request.route_handler.opt)
    reader = await _reader(request, wiring, danger)
    if danger is not None and (
        (danger.right is not None and not may(reader.role, danger.right)) or (danger.unmasked and reader.masked)
    ):
        raise Forbidden("api.right.missing", "this role or key may not do this; use one that may")
    return reader


async def _reader(request: Request[Any, Any, Any], wiring: Wiring, danger: Danger | None) -> Reader:
    address = request.client.host if request.client else ""
    caller = await caller_of(request, wiring)
    if caller is not None:
        if caller.role is None or not caller.may(Right.READ):
            raise Forbidden("api.right.missing", "this key may not read leads; use an operator's key")
        return Reader(caller.key_id, caller.role, caller.masked, address, danger)
    token = request.cookies.get(SESSION_COOKIE)
    if not token:
        raise Unauthenticated("api.key.missing", "send a key as Authorization: Bearer KEY")
    if request.method != "GET":
        check_origin(request.headers)  # a browser sends the cookie by itself, whoever makes it call
    async with wiring.db.begin() as tx:
        session = await resume_session(tx, wiring.keyed_hash, token, wiring.clock())
    if danger is not None:
        check_fresh(session, wiring.clock())
    if not session.operator.may(Right.READ):
        raise Forbidden("api.right.missing", "your role may not read leads")
    return Reader(session.operator.id, session.operator.role, False, address, danger)
