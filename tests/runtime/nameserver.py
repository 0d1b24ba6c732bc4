"""A real name server on the loopback, of a zone that a test writes down."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

SOA = "ns.{zone} hostmaster.{zone} 1 7200 900 1209600 {minimum}"


class NameServer(asyncio.DatagramProtocol):
    """Answers from ``zone``: a domain and its records by kind. A domain without an entry does not exist; ``silent``
    ones get no answer, ``failing`` ones SERVFAIL. ``asked`` counts the questions by domain and kind,
    ``heard`` is set by the first."""

    def __init__(self, zone: Mapping[str, Mapping[str, Sequence[str]]], ttl: int = 300, minimum: int = 120) -> None:
        self.zone = {f"{name}.": records for name, records in zone.items()}
        self.ttl = ttl
        self.minimum = minimum
        self.silent: set[str] = set()
        self.failing: set[str] = set()
        self.asked: Counter[tuple[str, str]] = Counter()
        self.heard = asyncio.Event()
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        question = dns.message.from_wire(data)
        name, kind = question.question[0].name.to_text().lower(), question.question[0].rdtype
        self.asked[name.rstrip("."), dns.rdatatype.to_text(kind)] += 1
        self.heard.set()
        if name.rstrip(".") in self.silent or "*" in self.silent:
            return
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        records = self.zone.get(name)
        if name.rstrip(".") in self.failing:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif records is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        found = (records or {}).get(dns.rdatatype.to_text(kind), ())
        if found:
            answer.answer.append(dns.rrset.from_text(name, self.ttl, "IN", kind, *found))
        else:
            soa = SOA.format(zone=name, minimum=self.minimum)
            answer.authority.append(dns.rrset.from_text(name, 3600, "IN", "SOA", soa))
        if self._transport is not None:
            self._transport.sendto(answer.to_wire(), addr)


@asynccontextmanager
async def name_server(
    zone: Mapping[str, Mapping[str, Sequence[str]]], ttl: int = 300, minimum: int = 120
) -> AsyncIterator[NameServer]:
    """The server, listening."""
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: NameServer(zone, ttl, minimum), local_addr=("127.0.0.1", 0)
    )
    protocol.port = transport.get_extra_info("sockname")[1]
    try:
        yield protocol
    finally:
        transport.close()
