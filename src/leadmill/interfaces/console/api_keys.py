"""Keys of programs: made, rotated, revoked. For administrators."""

from datetime import datetime, timedelta

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.core.faults import BadInput
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.dangers import danger
from leadmill.parties import SCOPES, ApiKey, CallerKind, Right, Role
from leadmill.parties.service import issue_key, revoke_key, rotate_key
from leadmill.parties.store import list_keys

_KINDS: dict[str, CallerKind] = {"source": "source", "buyer": "buyer", "operator": "operator"}
_OVERLAP = 7
_BLANK = {"owner": "", "kind": "operator", "role": "analyst", "days": "365", "per_minute": "0", "label": ""}


@get("/api-keys", include_in_schema=False)
async def keys_page(desk: NamedDependency[Desk]) -> Page:
    """The keys in force, and a form to make one."""
    return await _page(desk)


async def _page(
    desk: Desk, error: str = "", given: dict[str, str] | None = None, made: tuple[str, ApiKey] | None = None
) -> Page:
    desk.need(Right.MANAGE_USERS)
    async with desk.wiring.db.begin() as tx:
        keys = [key for key in await list_keys(tx) if key.revoked_at is None and not _over(key, desk.now)]
    return desk.show(
        "api_keys.html",
        "api-keys",
        status=422 if error else 200,
        keys=keys,
        names={key.id: key.owner for key in keys},
        scopes=SCOPES.items(),
        roles=[role.value for role in Role],
        given={**_BLANK, **(given or {})},
        chosen=set((given or {}).get("scopes", "").split()),
        made=made,
        overlap=_OVERLAP,
        error=error,
    )


def _over(key: ApiKey, now: datetime) -> bool:
    return key.expires_at is not None and key.expires_at <= now


@post("/api-keys", include_in_schema=False, status_code=200, opt=danger("key_made", Right.MANAGE_USERS))
async def take_key(desk: NamedDependency[Desk]) -> Page:
    """Make a key and show it, this once."""
    pairs = await desk.form_pairs()
    fields = dict(pairs)
    scopes = [value for name, value in pairs if name == "scope"]
    given = {**{name: fields.get(name, "") for name in _BLANK}, "scopes": " ".join(scopes)}
    wiring = desk.wiring
    try:
        kind = _KINDS.get(fields.get("kind", ""))
        if kind is None:
            raise BadInput("parties.key.malformed", "say whose key it is")
        days = _number(fields.get("days", ""), 36_500)
        roster = wiring.rules.roster
        owner = fields.get("owner", "").strip()[:64]
        if (
            not owner
            or not owner.isprintable()
            or ((kind == "source" and owner not in roster.sources) or (kind == "buyer" and owner not in roster.buyers))
        ):
            raise BadInput("parties.key.malformed", "name the source or buyer, or the program, that will hold it")
        word = fields.get("role", "")
        async with wiring.db.begin() as tx:
            made = await issue_key(
                tx, wiring.keyed_hash, wiring.mint, wiring.random,
                kind=kind, owner=owner, now=desk.now,
                role=Role(word) if kind == "operator" and word in Role.__members__.values() else None,
                label=fields.get("label", "").strip()[:60],
                expires_at=desk.now + timedelta(days=days) if days else None,
                scopes=scopes or None, masked="masked" in fields,
                per_minute=_number(fields.get("per_minute", ""), 1_000_000),
            )  # fmt: skip
            desk.note(tx, made[1].id)
    except BadInput as fault:
        return await _page(desk, fault.detail, given)
    return await _page(desk, made=made)


def _number(text: str, most: int) -> int:
    text = text.strip() or "0"
    if not text.isascii() or not text.isdigit() or int(text[:9]) > most:
        raise BadInput("parties.key.malformed", f"write a number from 0 to {most:,}")
    return int(text)


@post(
    "/api-keys/{key_id:str}/rotate",
    include_in_schema=False,
    status_code=200,
    opt=danger("key_rotated", Right.MANAGE_USERS),
)
async def take_rotation(desk: NamedDependency[Desk], key_id: FromPath[str]) -> Page:
    """Make a key that takes this one's place, and let both be good for a week."""
    await desk.form()
    wiring = desk.wiring
    try:
        async with wiring.db.begin() as tx:
            made = await rotate_key(
                tx, wiring.keyed_hash, wiring.mint, wiring.random, key_id=key_id, overlap=timedelta(days=_OVERLAP),
                now=desk.now,
            )  # fmt: skip
            desk.note(tx, key_id)
    except BadInput as fault:
        return await _page(desk, fault.detail)
    return await _page(desk, made=made)


@post("/api-keys/{key_id:str}/revoke", include_in_schema=False, opt=danger("key_revoked", Right.MANAGE_USERS))
async def take_revocation(desk: NamedDependency[Desk], key_id: FromPath[str]) -> Page:
    """Revoke a key at once."""
    await desk.form()
    async with desk.wiring.db.begin() as tx:
        await revoke_key(tx, key_id, desk.now)
        desk.note(tx, key_id)
    return desk.back("/api-keys", "revoked")


ROUTES = [keys_page, take_key, take_rotation, take_revocation]
