"""Who may sign in: for administrators."""

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.access import Act, note_act
from leadmill.access.service import reset_factors
from leadmill.access.store import enrolled
from leadmill.core.faults import BadInput, Conflict
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.dangers import danger
from leadmill.parties import Right, Role
from leadmill.parties.service import add_operator, change_operator, set_password
from leadmill.parties.store import list_operators

_ROLES = {
    Role.ADMIN: "Everything, users included",
    Role.OPERATOR: "Runs the house: leads, review, deliveries, imports",
    Role.COMPLIANCE: "Reads everything with its proof, decides in review",
    Role.ANALYST: "Reads, with personal values masked",
}


@get("/users", include_in_schema=False)
async def users_page(desk: NamedDependency[Desk]) -> Page:
    """Operators, and what they have beside the password."""
    return await _page(desk)


async def _page(desk: Desk, error: str = "", given: dict[str, str] | None = None) -> Page:
    desk.need(Right.MANAGE_USERS)
    async with desk.wiring.db.begin() as tx:
        operators = await list_operators(tx)
        totp, passkeys, outside = await enrolled(tx)
    return desk.show(
        "users.html",
        "users",
        status=422 if error else 200,
        operators=operators,
        factors={
            each.id: ", ".join(
                filter(
                    None,
                    (
                        "code app" if each.id in totp else "",
                        f"{passkeys[each.id]} passkeys" if passkeys.get(each.id, 0) > 1 else "",
                        "a passkey" if passkeys.get(each.id) == 1 else "",
                        "signs in elsewhere" if each.id in outside else "",
                    ),
                )
            )
            for each in operators
        },
        roles=[(role.value, role.value.capitalize(), says) for role, says in _ROLES.items()],
        error=error,
        given={"name": "", "email": "", "role": "operator", **(given or {})},
        me=desk.who.id,
    )


@post("/users", include_in_schema=False, opt=danger("operator_added", Right.MANAGE_USERS))
async def take_user(desk: NamedDependency[Desk]) -> Page:
    """Add an operator."""
    fields = await desk.form()
    try:
        async with desk.wiring.db.begin() as tx:
            made = await add_operator(
                tx,
                desk.wiring.mint,
                email=fields.get("email", ""),
                name=fields.get("name", ""),
                role=_role(fields.get("role", "")),
                password=fields.get("password", ""),
                now=desk.now,
            )
            desk.note(tx, made.id)
    except BadInput as fault:
        return await _page(desk, fault.detail, {key: fields.get(key, "") for key in ("email", "name", "role")})
    return desk.back("/users", "added")


@post("/users/{operator_id:str}", include_in_schema=False, opt=danger("operator_changed", Right.MANAGE_USERS))
async def take_change(desk: NamedDependency[Desk], operator_id: FromPath[str]) -> Page:
    """Change a role, lock somebody out let them in again, set a new password, or take second factors away."""
    fields = await desk.form()
    done = "changed"
    try:
        async with desk.wiring.db.begin() as tx:
            if fields.get("password"):
                await set_password(tx, operator_id, fields["password"])
                note_act(tx, Act(desk.now, desk.who.id, "password_set", operator_id, desk.address))
            if fields.get("factors") == "reset":
                await reset_factors(tx, operator_id, desk.who.id, desk.now, desk.address)
                done = "factors_reset"
            if "role" in fields:
                await change_operator(tx, operator_id, role=_role(fields["role"]))
            if fields.get("standing") in ("disable", "enable"):
                await change_operator(tx, operator_id, disabled=fields["standing"] == "disable")
            if "role" in fields or "standing" in fields:
                desk.note(tx, operator_id)
    except (BadInput, Conflict) as fault:
        return await _page(desk, fault.detail)
    return desk.back("/users", done)


def _role(word: str) -> Role:
    if word not in Role.__members__.values():
        raise BadInput("console.role.unknown", "choose one of the roles of the list")
    return Role(word)


ROUTES = [users_page, take_user, take_change]
