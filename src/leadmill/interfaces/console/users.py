"""Who may sign in: for administrators."""

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.core.faults import BadInput, Conflict
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.parties import Right, Role
from leadmill.parties.service import add_operator, change_operator, set_password
from leadmill.parties.store import list_keys, list_operators

_ROLES = {
    Role.ADMIN: "Everything, users included",
    Role.OPERATOR: "Runs the house: leads, review, deliveries, imports",
    Role.COMPLIANCE: "Reads everything with its proof, decides in review",
    Role.ANALYST: "Reads, with personal values masked",
}


@get("/users", include_in_schema=False)
async def users_page(desk: NamedDependency[Desk]) -> Page:
    """Operators and keys."""
    return await _page(desk)


async def _page(desk: Desk, error: str = "", given: dict[str, str] | None = None) -> Page:
    desk.need(Right.MANAGE_USERS)
    async with desk.wiring.db.begin() as tx:
        operators = await list_operators(tx)
        keys = [key for key in await list_keys(tx) if key.revoked_at is None]
    return desk.show(
        "users.html",
        "users",
        status=422 if error else 200,
        operators=operators,
        keys=keys,
        roles=[(role.value, role.value.capitalize(), says) for role, says in _ROLES.items()],
        error=error,
        given={"name": "", "email": "", "role": "operator", **(given or {})},
        me=desk.who.id,
    )


@post("/users", include_in_schema=False)
async def take_user(desk: NamedDependency[Desk]) -> Page:
    """Add an operator."""
    fields = await desk.form()
    desk.need(Right.MANAGE_USERS)
    try:
        async with desk.wiring.db.begin() as tx:
            await add_operator(
                tx,
                desk.wiring.mint,
                email=fields.get("email", ""),
                name=fields.get("name", ""),
                role=_role(fields.get("role", "")),
                password=fields.get("password", ""),
                now=desk.now,
            )
    except BadInput as fault:
        return await _page(desk, fault.detail, {key: fields.get(key, "") for key in ("email", "name", "role")})
    return desk.back("/users", "added")


@post("/users/{operator_id:str}", include_in_schema=False)
async def take_change(desk: NamedDependency[Desk], operator_id: FromPath[str]) -> Page:
    """Change a role, lock somebody out or let them in again, or set a new password."""
    fields = await desk.form()
    desk.need(Right.MANAGE_USERS)
    try:
        async with desk.wiring.db.begin() as tx:
            if fields.get("password"):
                await set_password(tx, operator_id, fields["password"])
            if "role" in fields:
                await change_operator(tx, operator_id, role=_role(fields["role"]))
            if fields.get("standing") in ("disable", "enable"):
                await change_operator(tx, operator_id, disabled=fields["standing"] == "disable")
    except (BadInput, Conflict) as fault:
        return await _page(desk, fault.detail)
    return desk.back("/users", "changed")


def _role(word: str) -> Role:
    if word not in Role.__members__.values():
        raise BadInput("console.role.unknown", "choose one of the roles of the list")
    return Role(word)


ROUTES = [users_page, take_user, take_change]
