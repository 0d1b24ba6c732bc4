"""Every kind of tampering with the store is found, and what was not tampered with is not accused."""

import pytest

from leadmill.core.reasons import because
from leadmill.delivery import BUYER_REJECTED, DeliveryRejected
from leadmill.flow.reactions import react
from leadmill.flow.runner import Mill
from leadmill.flow.verify import verify
from leadmill.interfaces.house import House
from leadmill.market import sales_of
from tests.flow.stage import BUSINESS, apply, buyer, order, stored, submission

LIMITED = {
    **BUSINESS,
    "buyer": [
        buyer(
            "helio",
            credit={"mode": "prepay", "balance": "500.00"},
            delivery={"courier": "http", "url": "https://helio.example/leads"},
        ),
        buyer("bright"),
    ],
    "order": [
        order("helio-ca", "helio", "65.00", caps=[{"per": "day", "leads": 2}]),
        order("bright-ca", "bright", "50.00"),
    ],
}

TAMPERED = {
    "a page's events": (
        "UPDATE journal_page SET events = events || '\\x00'::bytea WHERE {first}",
        "journal.page.altered",
    ),
    "a page's sealed part": ("UPDATE journal_page SET sealed = '\\x00'::bytea WHERE {first}", "journal.page.altered"),
    "a page's moment": ("UPDATE journal_page SET at = at + interval '1 s' WHERE {first}", "journal.page.altered"),
    "a page taken out": ("DELETE FROM journal_page WHERE {first}", "journal.group.altered"),
    "a page with its hash": (
        "UPDATE journal_page SET hash = sha256(hash) WHERE {first}",
        "journal.group.altered",
    ),
    "a group's root": ("UPDATE journal_group SET root = sha256(root)", "journal.group.altered"),
    "a group taken out": ("DELETE FROM journal_group", "journal.group.missing"),
    "a link": ("UPDATE journal_group SET link_hash = sha256(link_hash)", "journal.link.altered"),
    "a lead's state": ("UPDATE lead SET state = 'rejected' WHERE {lead}", "flow.lead.mismatch"),
    "a lead's reason": ("UPDATE lead SET reason = 'market.lead.unsold' WHERE {lead}", "flow.lead.mismatch"),
    "a lead's price": ("UPDATE lead SET price = price + 1 WHERE {lead}", "flow.lead.mismatch"),
    "a lead's recipient": ("UPDATE lead SET recipient = 'other' WHERE {lead}", "flow.lead.mismatch"),
    "a lead taken out": ("DELETE FROM lead WHERE {lead}", "flow.lead.missing"),
    "a sale's price in the book": (
        "UPDATE posting SET amount = amount - 100 WHERE kind = 'sale' AND \"group\" = '{id}'",
        "billing.revenue.mismatch",
    ),
    "a payout": ("UPDATE posting SET amount = amount + 100 WHERE kind = 'payout'", "flow.posting.mismatch"),
    "a payout to somebody else": (
        "UPDATE posting SET credit = 'payable:me' WHERE kind = 'payout'",
        "flow.posting.mismatch",
    ),
    "a posting taken out": (
        "DELETE FROM posting WHERE kind = 'payout' AND \"group\" = '{id}'",
        "flow.posting.mismatch",
    ),
    "a posting put in": (
        "INSERT INTO posting SELECT id || 'x', at, debit, credit, amount, currency, kind, ref, \"group\" FROM posting"
        " WHERE kind = 'payout' LIMIT 1",
        "flow.posting.mismatch",
    ),
    "a reversal taken out": ("DELETE FROM posting WHERE kind = 'reversal'", "flow.posting.mismatch"),
    "a guarded balance": ("UPDATE account_limit SET balance = balance + 100", "ledger.balance.mismatch"),
    "a cap's counter": (
        "UPDATE limit_use SET leads = leads - 1 WHERE scope = 'order:helio-ca'",
        "market.counter.mismatch",
    ),
    "a lead's source": ("UPDATE lead SET source_id = 'other' WHERE {lead}", "flow.lead.mismatch"),
    "a delivery's state": ("UPDATE delivery SET state = 'accepted' WHERE state = 'rejected'", "flow.delivery.mismatch"),
    "a delivery's recipient": (
        "UPDATE delivery SET recipient = 'bright' WHERE state = 'rejected'",
        "flow.delivery.mismatch",
    ),
    "a delivery taken out": ("DELETE FROM delivery WHERE state = 'rejected'", "flow.delivery.missing"),
    "a sale taken out": ("DELETE FROM sale WHERE lead_id = '{id}'", "billing.revenue.mismatch"),
    "a sale's price": ("UPDATE sale SET price = price + 100 WHERE lead_id = '{id}'", "billing.revenue.mismatch"),
    "a sale doubled": (
        "INSERT INTO sale SELECT id || 'x', leg, deal_id || 'x', lead_id, order_id, 'bright', team_id, rep_id, mode,"
        " price, currency, state, at, ended_at FROM sale WHERE lead_id = '{id}'",
        "market.lead.oversold",
    ),
}


async def lived(house: House) -> str:
    """A store with sold, resold and unsold leads; the id of one that is sold."""
    await apply(house, LIMITED)
    mill = Mill(house.kit, lanes=1)
    for number in range(4):
        await mill.take(submission(house, number))
    first = (await stored(house))[0]
    async with house.db.begin() as tx:
        row = await house.pen.lock(tx, first.id)
        (leg,) = await sales_of(tx, first.id)
        refused = DeliveryRejected(
            at=house.clock(),
            delivery_id=f"dlv_{leg.id.partition('_')[2]}",
            sale_id=leg.id,
            recipient="helio",
            attempt=1,
            code="delivery.buyer.rejected",
            because=because(BUYER_REJECTED, said="no"),
        )
        await tx.conn.execute("UPDATE delivery SET state = 'rejected' WHERE id = $1", refused.delivery_id)
        await react(tx, house.kit, row, [refused], house.clock())
    return (await stored(house))[1].id


async def test_an_honest_store_has_nothing_to_find(house: House) -> None:
    await lived(house)
    report = await verify(house.db, house.pen)
    assert report.findings == []
    assert [(check.name, check.findings) for check in report.checked] == [
        ("journal", 0),
        ("seals", 0),
        ("checkpoints", 0),
        ("ledger", 0),
        ("market", 0),
        ("billing", 0),
        ("leads", 0),
    ]
    assert report.checked[-1].count == 4


@pytest.mark.parametrize("what", TAMPERED)
async def test_tampering_is_found(house: House, what: str) -> None:
    lead_id = await lived(house)
    assert (await verify(house.db, house.pen)).findings == []
    sql, code = TAMPERED[what]
    words = {"first": f"subject = '{lead_id}' AND seq = 1", "lead": f"id = '{lead_id}'", "id": lead_id}
    async with house.db.begin() as tx:
        for name, value in words.items():
            sql = sql.replace(f"{{{name}}}", value)
        done = await tx.conn.execute(sql)
        assert not done.endswith(" 0"), done
    found = {finding.code for finding in (await verify(house.db, house.pen)).findings}
    assert code in found
