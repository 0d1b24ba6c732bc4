"""How much one network address may send to the doors that ask for no key: answers of forms, and recordings of visits.

Used by the hosted forms; requests of consumers are paced by ``privacy`` itself. Counted in the store, so that all
processes count together, and under keyed hashes. Only addresses of the open network are counted: behind a proxy that
nobody named (``LEADMILL_TRUSTED_PROXIES``) all the world has the proxy's, and nobody is to be kept out for that.
"""

from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from litestar import Request

from leadmill.interfaces.wiring import Wiring
from leadmill.parties import Throttled
from leadmill.privacy import count_pace
from leadmill.runtime.db import Tx

ANSWERS = (120, timedelta(minutes=15))
"""Answers of forms that one address may send in a time: an office that fills in forms for others has one address."""

RECORDED = (64 << 10, timedelta(hours=2))
"""KiB of recordings that one address may send in a time: that of a form filled in within minutes is some sixty."""

_SITE = 64
"""Bits of an IPv6 address that name a site: who has one has all of its addresses."""


def paced(host: str) -> str:
    """The address as it is counted: of IPv6 its site; nothing for one that is not of the open network."""
    try:
        found = ip_address(host)
    except ValueError:
        return ""
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if not found.is_global:
        return ""
    return str(ip_network(f"{found}/{_SITE}", strict=False)) if isinstance(found, IPv6Address) else str(found)


async def count_answer(tx: Tx, wiring: Wiring, request: Request[Any, Any, Any]) -> None:
    """Count an answer. Raises Throttled ``portals.form.throttled``."""
    wait = await _count(tx, wiring, request, "answer", ANSWERS, 1)
    if wait:
        raise Throttled("portals.form.throttled", "too many answers came from here; try again later", wait)


async def count_piece(tx: Tx, wiring: Wiring, request: Request[Any, Any, Any], size: int) -> None:
    """Count a piece of a recording, of so many bytes. Raises Throttled ``consent.replay.throttled``."""
    wait = await _count(tx, wiring, request, "recording", RECORDED, -(-size // 1024))
    if wait:
        raise Throttled("consent.replay.throttled", "enough was recorded from here for now; record no more", wait)


async def _count(
    tx: Tx, wiring: Wiring, request: Request[Any, Any, Any], what: str, pace: tuple[int, timedelta], weight: int
) -> float:
    address = paced(request.client.host if request.client else "")
    if not address:
        return 0.0
    return await count_pace(tx, wiring.keyed_hash, f"{what} {address}", pace, wiring.clock(), weight)
