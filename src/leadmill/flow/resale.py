"""Leads offered again: owed when an auction ends without a buyer or with fewer legs than could be, worked by a job.

``keep_resale`` is wired by ``main`` as the keeper of auctions, ``offer_again`` is the job. A lead that was sold
exclusively is never offered again, and a person's consent is judged anew before anybody else has the lead.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from leadmill.capture import Lead
from leadmill.core.case import Case
from leadmill.core.ids import Mint
from leadmill.core.reasons import State
from leadmill.flow.again import walk_again
from leadmill.flow.kit import Kit
from leadmill.flow.reactions import lock_limits
from leadmill.flow.rules import Rules
from leadmill.market import (
    Assignment,
    Auction,
    LegState,
    OfferedAgain,
    Sale,
    next_round,
    offered_again,
    sales_of,
)
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import Handler, Job, enqueue

AGAIN = "market.offer_again"
"""The kind of job that offers a lead again."""


def keep_resale(rules: Callable[[], Rules], mint: Mint) -> Callable[[Tx, Case, Auction, datetime], None]:
    """Owes the next offer of a lead whose market asks for one."""

    def keep(tx: Tx, case: Case, auction: Auction, now: datetime) -> None:
        now_in_force = rules()
        terms = now_in_force.markets.get(case[Lead].vertical)
        if terms is None or terms.resale is None or auction.dry or Assignment in case:
            return
        sale, before = case.get(Sale), case.get(OfferedAgain)
        orders = now_in_force.orders
        legs = [(leg.buyer_id, orders[leg.order_id].max_legs) for leg in (sale.legs if sale else ())]
        resale = next_round(terms, before, sale.mode if sale else None, legs)
        if resale is None:
            return
        round_no = (before.round_no if before else 0) + 1
        run_at = now + timedelta(minutes=resale.after)
        payload = {"lead_id": case.lead_id, "round": round_no}
        enqueue(tx, AGAIN, case.lead_id, payload, run_at, now, mint, dedupe=f"{AGAIN} {case.lead_id} {round_no}")

    return keep


def offer_again(kit: Kit) -> Handler:
    """The handler of ``market.offer_again`` jobs."""

    async def handle(job: Job) -> None:
        owed = job.read(dict[str, str | int])
        lead_id, round_no = str(owed["lead_id"]), int(owed["round"])
        now = kit.clock()
        async with kit.db.begin() as tx:
            row = await kit.pen.lock(tx, lead_id)
            if row.state not in (State.UNSOLD, State.SOLD) or row.test or not kit.pen.keys.has(row.person_id):
                return
            rules = kit.walk().rules
            terms = rules.markets.get(row.vertical)
            standing = [leg for leg in await sales_of(tx, lead_id) if leg.state is LegState.SOLD]
            if terms is None or terms.resale is None or bool(standing) is not (row.state is State.SOLD):
                return
            again = offered_again(terms.resale, round_no, standing, dict(rules.orders))
            if again is None:
                return
            await lock_limits(tx, kit, row)
            why = "fewer buyers share it than could" if standing else "nobody took it"
            await walk_again(tx, kit, lead_id, "resale", why, now, start="policy", again=again)

    return handle
