"""Deliveries: where each one stands, the dead letters, and sending again."""

from typing import Any

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.core.faults import BadInput, Conflict, NotFound
from leadmill.core.ids import looks_like
from leadmill.delivery import Receipt
from leadmill.delivery.service import resend
from leadmill.delivery.store import find, list_receipts
from leadmill.flow.reactions import react
from leadmill.interfaces.console.desk import Desk, Page, own_path
from leadmill.interfaces.console.lists import recipient_name
from leadmill.interfaces.console.query import Chip, address
from leadmill.parties import Right

_PAGE = 50
_STATES: tuple[Any, ...] = ("queued", "retrying", "accepted", "rejected", "dead", "cancelled")
_AGAIN = ("accepted", "dead")
_MOST_AT_ONCE = 200


@get("/deliveries", include_in_schema=False)
async def deliveries_page(desk: NamedDependency[Desk]) -> Page:
    """Every delivery, newest first."""
    query = desk.request.query_params
    params = {key: query[key] for key in ("state", "recipient") if query.get(key)}
    cursor = query.get("cursor")
    state = params.get("state")
    if (state is not None and state not in _STATES) or (cursor is not None and not looks_like(cursor, "dlv")):
        raise BadInput("console.list.malformed", "this address is not whole; begin at the newest")
    async with desk.wiring.db.begin() as tx:
        receipts = await list_receipts(
            tx,
            recipient=params.get("recipient"),
            states=[state] if state else (),
            before=cursor,
            limit=_PAGE + 1,
        )
    rules = desk.wiring.rules
    path = "/deliveries"
    shown = receipts[:_PAGE]
    chips = []
    for key, says in (("state", "State is"), ("recipient", "Buyer is")):
        if key in params:
            value = recipient_name(rules, params[key]) if key == "recipient" else params[key].capitalize()
            rest = {name: held for name, held in params.items() if name != key}
            chips.append(Chip(says, value, address(path, rest)))
    return desk.show(
        "deliveries.html",
        "deliveries",
        list={
            "path": path,
            "chips": chips,
            "chosen": {key: params.get(key, "") for key in ("state", "recipient")},
            "states": [(each, each.capitalize()) for each in _STATES],
            "recipients": sorted((name, each.name) for name, each in rules.roster.buyers.items()),
            "rows": [_row(desk, receipt) for receipt in shown],
            "older": address(path, params, cursor=shown[-1].delivery_id) if len(receipts) > _PAGE else None,
            "latest": address(path, params) if cursor else None,
            "may_resend": desk.may(Right.RESEND),
        },
    )


def _row(desk: Desk, receipt: Receipt) -> dict[str, Any]:
    return {
        "id": receipt.delivery_id,
        "lead_id": receipt.lead_id,
        "recipient": recipient_name(desk.wiring.rules, receipt.recipient),
        "courier": receipt.courier,
        "state": receipt.state,
        "attempts": receipt.attempts,
        "code": receipt.code,
        "next_at": receipt.next_at if receipt.state in ("queued", "retrying") else None,
        "created_at": receipt.created_at,
        "done_at": receipt.done_at,
        "again": receipt.state in _AGAIN,
    }


@post("/deliveries/{delivery_id:str}/resend", include_in_schema=False)
async def take_resend(desk: NamedDependency[Desk], delivery_id: FromPath[str]) -> Page:
    """Send one delivery again."""
    fields = await desk.form()
    desk.need(Right.RESEND)
    await _again(desk, delivery_id)
    return desk.back(own_path(fields.get("back", ""), "/deliveries"), "resent")


@post("/deliveries/resend", include_in_schema=False)
async def take_many(desk: NamedDependency[Desk]) -> Page:
    """Send the chosen deliveries again; those that cannot be are left as they are."""
    pairs = await desk.form_pairs()
    desk.need(Right.RESEND)
    chosen = list(dict.fromkeys(value for key, value in pairs if key == "delivery"))[:_MOST_AT_ONCE]
    back = own_path(dict(pairs).get("back", ""), "/deliveries")
    done = 0
    for delivery_id in chosen:
        try:
            await _again(desk, delivery_id)
            done += 1
        except (Conflict, NotFound):
            continue  # somebody was quicker
    return desk.back(back, "resent_many" if done else "none_chosen")


async def _again(desk: Desk, delivery_id: str) -> None:
    async with desk.wiring.db.begin() as tx:
        receipt = await find(tx, delivery_id)
        if receipt is None:
            raise NotFound("delivery.record.unknown", "there is no such delivery")
        row = await desk.wiring.kit.pen.lock(tx, receipt.lead_id)
        await react(tx, desk.wiring.kit, row, await resend(tx, delivery_id, desk.who.id, desk.now), desk.now)


ROUTES = [deliveries_page, take_many, take_resend]
