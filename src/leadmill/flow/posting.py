"""The lead that follows a ping: held against what the ping said, then walked like any other.

Called by the interfaces with the mill's ``take``. What a ping said is known by keyed hashes alone; they tell whether a
post says the same, and nothing else.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from leadmill.capture import Mapped, Submission
from leadmill.core.faults import BadInput, Conflict, FieldFault, Forbidden, NotFound
from leadmill.core.ids import looks_like
from leadmill.flow.kit import Kit
from leadmill.flow.model import Settled
from leadmill.flow.store import Claim, claim_requests
from leadmill.market import find_quote
from leadmill.runtime.db import Tx

KeyedHash = Callable[[str, str], bytes]


async def post_lead(
    kit: Kit,
    take: Callable[[Submission], Awaitable[Settled]],
    submission: Submission,
    ping_id: str,
    mapped: Mapped,
) -> Settled:
    """Walk a lead that was posted against a ping; ``take`` is the mill's, ``mapped`` what the submission says.

    The same body once more gets the same answer. Raises NotFound ``market.quote.unknown``, Forbidden
    ``market.quote.foreign`` for another source's ping, Conflict ``market.quote.no_bid`` where nobody had bid and
    ``market.quote.used`` where another body was posted against it, BadInput ``market.quote.differs`` with an entry
    for each attribute that is not the ping's, and Conflict ``flow.request.reused`` for a reused idempotency key.
    """
    if not looks_like(ping_id, "ping"):
        raise NotFound("market.quote.unknown", "there is no such ping")
    async with kit.db.begin() as tx:
        known = await find_quote(tx, ping_id)
        if known is None:
            raise NotFound("market.quote.unknown", "there is no such ping, or it is long over")
        found, frozen = known
        quote = found.quote
        if quote is None or quote.source_id != submission.source_id:
            raise Forbidden("market.quote.foreign", "this ping is another source's")
        if not quote.legs:
            raise Conflict("market.quote.no_bid", "nobody bid on this ping; send the lead to /v1/leads if you wish")
        differing = _differing(kit.pen.vault.keyed_hash, ping_id, frozen, mapped)
        if differing:
            names = ", ".join(fault.pointer for fault in differing)
            raise BadInput("market.quote.differs", f"these are not what the ping said: {names}", differing)
        if submission.idempotency_key is not None:
            await _claim_key(tx, submission, kit.clock())
    try:
        return await take(msgspec.structs.replace(submission, ping_id=ping_id, idempotency_key=None))
    except Conflict as conflict:
        if conflict.code != "flow.request.reused":
            raise
        raise Conflict("market.quote.used", "this ping was posted against before, with another body") from None


async def _claim_key(tx: Tx, submission: Submission, now: datetime) -> None:
    """The ping itself makes its post happen once; the key must only not have been used for another."""
    key = submission.idempotency_key or ""
    claim = Claim(f"posts {submission.source_id}", key, bytes.fromhex(submission.digest))
    kept = (await claim_requests(tx, [claim], now)).get((claim.scope, claim.key))
    if kept is not None and kept.digest != claim.digest:
        raise Conflict("flow.request.reused", "this key was used with another body")


# What must not change between ping and post


def frozen_of(keyed_hash: KeyedHash, ping_id: str, mapped: Mapped) -> dict[str, bytes]:
    """The names of a ping's attributes, each with a hash that only this ping and this installation give."""
    return {name: _mark(keyed_hash, ping_id, name, value) for name, value in _attributes(mapped).items()}


def _differing(
    keyed_hash: KeyedHash, ping_id: str, frozen: Mapping[str, bytes], mapped: Mapped
) -> list[FieldFault]:  # fmt: skip
    said = _attributes(mapped)
    return [
        FieldFault(
            f"/{name}",
            "market.quote.differs",
            "send what the ping said" if name in said else "the ping said it, so the post must",
        )
        for name, mark in frozen.items()
        if name not in said or _mark(keyed_hash, ping_id, name, said[name]) != mark
    ]


def _attributes(mapped: Mapped) -> dict[str, Any]:
    return {"vertical": mapped.vertical, "test": mapped.test} | {
        f"fields/{name}": value for name, value in mapped.fields.items()
    }


def _mark(keyed_hash: KeyedHash, ping_id: str, name: str, value: Any) -> bytes:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = json.dumps([ping_id, name, value], ensure_ascii=False)
    return keyed_hash("ping", text)
