"""Reads and writes of the people who may sign in."""

import sqlalchemy as sa

from leadmill.parties.model import Operator, Role
from leadmill.parties.tables import OPERATOR
from leadmill.runtime.db import Row, Tx

_operator = OPERATOR.c
_Time = sa.DateTime(timezone=True)

_new_operator = sa.text(
    "INSERT INTO operator (id, email, name, role, password, disabled, created_at)"
    " VALUES (:id, :email, :name, :role, :password, false, :created_at) ON CONFLICT (email) DO NOTHING"
).bindparams(sa.bindparam("created_at", type_=_Time))
_operator_by_id = sa.select(OPERATOR).where(_operator.id == sa.bindparam("wanted"))
_operator_by_email = sa.select(OPERATOR).where(_operator.email == sa.bindparam("wanted"))
_operators = sa.select(OPERATOR).order_by(_operator.email)
_admins_locked = (
    sa.select(_operator.id)
    .where(_operator.role == Role.ADMIN.value, ~_operator.disabled)
    .order_by(_operator.id)
    .with_for_update()
)
_set_password = sa.update(OPERATOR).where(_operator.id == sa.bindparam("who")).values(password=sa.bindparam("hashed"))
_set_standing = (
    sa.update(OPERATOR)
    .where(_operator.id == sa.bindparam("who"))
    .values(role=sa.bindparam("as_role"), disabled=sa.bindparam("off", type_=sa.Boolean))
)


async def add_operator_row(tx: Tx, operator: Operator, password: str) -> bool:
    """Store an operator with the hash of the password; False where the e-mail address is taken."""
    added = await tx.run(
        _new_operator,
        id=operator.id,
        email=operator.email,
        name=operator.name,
        role=operator.role.value,
        password=password,
        created_at=operator.created_at,
    )
    return added == 1


async def find_operator(tx: Tx, operator_id: str) -> Operator | None:
    """The operator, disabled or not."""
    row = await tx.one(_operator_by_id, wanted=operator_id)
    return operator_of(row) if row else None


async def find_sign_in(tx: Tx, email: str) -> tuple[Operator, str] | None:
    """The operator with this address and the hash of the password."""
    row = await tx.one(_operator_by_email, wanted=email)
    return (operator_of(row), row["password"]) if row else None


async def list_operators(tx: Tx) -> list[Operator]:
    """Everybody who may sign in, and the disabled, by address."""
    return [operator_of(row) for row in await tx.all(_operators)]


async def lock_admins(tx: Tx) -> list[str]:
    """The ids of the admins who may sign in, locked so that no two transactions remove the last two."""
    return [row["id"] for row in await tx.all(_admins_locked)]


async def set_password_hash(tx: Tx, operator_id: str, password: str) -> None:
    """Replace the hash of the password."""
    await tx.run(_set_password, who=operator_id, hashed=password)


async def set_standing(tx: Tx, operator_id: str, role: Role, disabled: bool) -> None:
    """Replace the role and whether the operator is disabled."""
    await tx.run(_set_standing, who=operator_id, as_role=role.value, off=disabled)


def operator_of(row: Row) -> Operator:
    """The operator of a row that holds the table's columns."""
    return Operator(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        role=Role(row["role"]),
        created_at=row["created_at"],
        disabled=row["disabled"],
    )
