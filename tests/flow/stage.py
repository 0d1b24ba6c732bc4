"""A small business and the leads that come to it, for tests of the walk's machinery."""

import hashlib
import json
from typing import Any

import msgspec

from leadmill.billing import open_account
from leadmill.capture import Submission
from leadmill.flow.configure import apply_declared, declare
from leadmill.flow.kit import Kit
from leadmill.flow.model import LeadFilter, LeadRow
from leadmill.flow.rules import Dialects
from leadmill.flow.store import list_leads
from leadmill.interfaces.house import House

SOURCE = {"id": "acme", "name": "Acme Media", "verticals": ["solar"], "payout": {"model": "share", "rate": "0.70"}}


def buyer(ident: str, **more: Any) -> dict[str, Any]:
    """A buyer that may have solar leads of California and reads them in its portal."""
    return {
        "id": ident,
        "name": f"{ident.title()} Solar",
        "credit": {"mode": "invoice", "limit": "90000.00"},
        "contract": {"signed": "2026-01-05", "privacy_terms": True},
        "licences": [{"kind": "CSLB", "number": "1", "states": ["CA"]}],
        **more,
    }


def order(ident: str, buyer: str, price: str, **more: Any) -> dict[str, Any]:
    """An exclusive order."""
    return {"id": ident, "buyer": buyer, "vertical": "solar", "price": price, **more}


BUSINESS: dict[str, list[dict[str, Any]]] = {
    "source": [SOURCE],
    "buyer": [buyer("helio"), buyer("bright")],
    "order": [order("helio-ca", "helio", "65.00"), order("bright-ca", "bright", "50.00")],
}


async def apply(house: House, tables: dict[str, list[dict[str, Any]]], heed: bool = True) -> None:
    """Make the business so; ``heed`` False leaves it to the house to notice."""
    declared = [
        declare(kind, raw, f"{kind} {place}") for kind, records in tables.items() for place, raw in enumerate(records)
    ]
    async with house.db.begin() as tx:
        await apply_declared(
            tx,
            declared,
            author="test",
            now=house.clock(),
            mint=house.mint,
            keyed_hash=house.vault.keyed_hash,
            environ=house.environ,
            verticals=house.book.walk().rules.verticals,
            on_buyer=open_account,
            dialects=Dialects(outbound=house.book.walk().rules.dialects.outbound),
        )
    if heed:
        await house.book.refresh(house.db)


def body_of(number: int, **fields: Any) -> bytes:
    """A good lead; everybody is somebody else."""
    return json.dumps(
        {
            "vertical": "solar",
            "fields": {
                "first_name": "Ann",
                "last_name": "Smith",
                "email": f"ann.{number}@example.com",
                "phone": f"+1916{2_000_000 + number}",
                "state": "CA",
                "zip": "95814",
                "monthly_bill": 180,
                "homeowner": True,
                **fields,
            },
            "consent": {
                "text": "I agree that Helio Solar and Bright Solar may call and text me. It is not a condition of "
                "purchase."
            },
        }
    ).encode()


def submission(house: House, number: int, key: str | None = None, **fields: Any) -> Submission:
    """Lead number N as it arrives."""
    body, now = body_of(number, **fields), house.clock()
    return Submission(
        id=house.mint("sub", now),
        source_id="acme",
        channel="json",
        received_at=now,
        content_type="application/json",
        body=body,
        digest=hashlib.sha256(body).hexdigest(),
        idempotency_key=key,
        vertical="solar",
    )


def hearing(house: House, **changed: Any) -> Kit:
    """The house's kit with some listeners, keepers or callers of its ears replaced or added."""
    ears = house.kit.ears
    parts = {name: {**getattr(ears, name), **changed.get(name, {})} for name in ("listeners", "keepers", "callers")}
    return msgspec.structs.replace(house.kit, ears=msgspec.structs.replace(ears, **parts))


async def stored(house: House) -> list[LeadRow]:
    """Every lead, oldest first."""
    async with house.db.begin() as tx:
        rows, _ = await list_leads(tx, LeadFilter(), limit=1000)
    return rows[::-1]


async def count(house: House, table: str) -> int:
    """The rows of a table."""
    async with house.db.begin() as tx:
        found: int = await tx.conn.fetchval(f"SELECT count(*) FROM {table}")
    return found
