"""The verbs on the people who sign in."""

from datetime import datetime

from leadmill.core.faults import BadInput, Conflict, Forbidden, NotFound
from leadmill.core.ids import Mint
from leadmill.parties import store
from leadmill.parties.entering import check_password, read_address
from leadmill.parties.model import Operator, Role
from leadmill.parties.service.secrets import NO_PASSWORD, hash_password, verify_password
from leadmill.runtime.db import Tx


async def add_operator(
    tx: Tx, mint: Mint, *, email: str, name: str, role: Role, password: str, now: datetime
) -> Operator:
    """Add somebody who may sign in. Raises :class:`BadInput` ``parties.email.malformed``, ``parties.name.malformed``
    or ``parties.password.weak``, :class:`Conflict` ``parties.operator.exists``."""
    operator = Operator(id=mint("op", now), email=read_address(email), name=name.strip(), role=role, created_at=now)
    if not operator.name.isprintable() or len(operator.name) > 200:
        raise BadInput("parties.name.malformed", "write a name of at most 200 plain characters")
    check_password(password, operator.email, operator.name)
    if not await store.add_operator_row(tx, operator, await hash_password(password)):
        raise Conflict("parties.operator.exists", "somebody with this e-mail address is there already")
    return operator


async def set_password(tx: Tx, operator_id: str, password: str) -> None:
    """Give an operator a new password and end all of the operator's sessions.

    Raises :class:`NotFound` ``parties.operator.unknown`` and :class:`BadInput` ``parties.password.weak``.
    """
    operator = await known_operator(tx, operator_id)
    check_password(password, operator.email, operator.name)
    await store.set_password_hash(tx, operator_id, await hash_password(password))
    await store.end_sessions(tx, operator_id)


async def check_own_password(tx: Tx, operator_id: str, password: str) -> None:
    """Raises :class:`Forbidden` ``parties.password.wrong`` where this is not the operator's password."""
    operator = await known_operator(tx, operator_id)
    found = await store.find_sign_in(tx, operator.email)
    if found is None or not await verify_password(found[1], password):
        raise Forbidden("parties.password.wrong", "the present password is not right")


async def change_password(tx: Tx, operator_id: str, old: str, new: str) -> None:
    """An operator's own change of password; every session ends, the one at hand too. Raises as
    :func:`check_own_password` and :func:`set_password`."""
    await check_own_password(tx, operator_id, old)
    await set_password(tx, operator_id, new)


async def add_outside_operator(tx: Tx, mint: Mint, *, email: str, name: str, role: Role, now: datetime) -> Operator:
    """Add somebody whom another house signs in and who has no password here. Raises :class:`Conflict`
    ``parties.operator.exists``."""
    operator = Operator(id=mint("op", now), email=read_address(email), name=name.strip(), role=role, created_at=now)
    if not await store.add_operator_row(tx, operator, NO_PASSWORD):
        raise Conflict("parties.operator.exists", "somebody with this e-mail address is there already")
    return operator


async def change_operator(
    tx: Tx, operator_id: str, *, role: Role | None = None, disabled: bool | None = None
) -> Operator:
    """Change what an operator may do, or lock the operator out, which ends the sessions.

    Raises :class:`NotFound` ``parties.operator.unknown`` and :class:`Conflict` ``parties.operator.last_admin``:
    somebody must be able to manage users."""
    admins = await store.lock_admins(tx)
    operator = await known_operator(tx, operator_id)
    role = operator.role if role is None else role
    disabled = operator.disabled if disabled is None else disabled
    if admins == [operator_id] and (disabled or role is not Role.ADMIN):
        raise Conflict("parties.operator.last_admin", "make somebody else an admin first")
    await store.set_standing(tx, operator_id, role, disabled)
    if disabled:
        await store.end_sessions(tx, operator_id)
    return await known_operator(tx, operator_id)


async def known_operator(tx: Tx, operator_id: str) -> Operator:
    """The operator of this id. Raises :class:`NotFound` ``parties.operator.unknown``."""
    operator = await store.find_operator(tx, operator_id)
    if operator is None:
        raise NotFound("parties.operator.unknown", "no operator of this id")
    return operator
