"""The one asker of the domain name system: whether a domain takes mail.

Called by whoever answers a step's question about a mail domain. It keeps to a time budget, asks about one domain once
at a time however many want to know, remembers answers as long as their records say, and rests when name servers fail,
so that on a machine without any a lead waits for nothing after the first few. It never raises: what could not be
found out is unknown. No domain is logged.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Literal

import dns.asyncresolver
import dns.exception
import dns.message
import dns.name
import dns.rdatatype
import dns.resolver
import structlog
from msgspec import Struct

from leadmill.core.faults import BadInput
from leadmill.runtime.breaker import Breaker

_log = structlog.get_logger("leadmill.dns")

Why = Literal["mx", "address", "null_mx", "no_domain", "no_host", "no_answer", "resting", "busy", "malformed"]
"""Mail exchangers are named; none are, and the domain's own address stands in (RFC 5321, 5.1); the domain says that it
takes no mail (RFC 7505); it does not exist; it has neither; or nothing was heard."""

_UNKNOWN: frozenset[Why] = frozenset(("no_answer", "resting", "busy", "malformed"))
_LEAST, _MOST = 60.0, 86_400.0
_MOST_NEGATIVE = 3_600.0
"""Seconds that answers are kept at least and at most; a domain that was missing may be there in an hour (RFC 2308
advises no more than three)."""
_AGAIN = 30.0
"""Seconds until a domain is asked about again of which nothing could be heard."""
_KEPT = 50_000
_AT_ONCE = 64
_PORT = 53


class MailHosts(Struct, frozen=True):
    """Whether a domain takes mail: ``takes`` is None where that is not known; ``why`` says by what. ``seconds`` is how
    long the answer still holds, ``age`` how long ago it was heard."""

    takes: bool | None
    why: Why
    seconds: float = 0.0
    age: float = 0.0


class _Held(Struct, frozen=True):
    takes: bool | None
    why: Why
    heard: float
    until: float


class Dns:
    """Asks the system's name servers, or those given as (address, port). ``budget`` is seconds a question may take."""

    def __init__(
        self,
        budget: float,
        servers: Sequence[tuple[str, int]] = (),
        *,
        failures: int = 3,
        rest: float = 30.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._budget = budget
        self._servers = tuple(servers)
        self._monotonic = monotonic
        self._breaker = Breaker("dns", failures, rest, 600.0)
        self._held: dict[str, _Held] = {}
        self._asking: dict[str, asyncio.Task[_Held]] = {}
        self._resolver: dns.asyncresolver.Resolver | None = None

    def remembered(self, domain: str) -> MailHosts | None:
        """The answer where it is still in memory."""
        held = self._held.get(domain)
        now = self._monotonic()
        return _told(held, now) if held is not None and held.until > now else None

    async def mail_hosts(self, domain: str) -> MailHosts:
        """Whether a domain, in ASCII, takes mail."""
        known = self.remembered(domain)
        if known is not None:
            return known
        task = self._asking.get(domain)
        if task is None:
            if len(self._asking) >= _AT_ONCE:
                return MailHosts(None, "busy")
            if self._breaker.wait(self._monotonic()) is not None:
                return MailHosts(None, "resting")
            # A task of its own: whoever asked first may go away while others wait for the same.
            task = self._asking[domain] = asyncio.get_running_loop().create_task(self._ask(domain))
            task.add_done_callback(lambda _: self._asking.pop(domain, None))
        return _told(await asyncio.shield(task), self._monotonic())

    async def close(self) -> None:
        """Give up what is being asked."""
        for task in list(self._asking.values()):
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def _ask(self, domain: str) -> _Held:
        takes: bool | None = None
        why: Why = "no_answer"
        seconds = _AGAIN
        try:
            async with asyncio.timeout(self._budget):
                takes, why, seconds = await self._heard(dns.name.from_text(domain))
        except dns.resolver.NoNameservers as fault:
            self._failed(type(fault).__name__)
        except (dns.resolver.NoResolverConfiguration, dns.exception.Timeout, TimeoutError, OSError) as fault:
            self._failed(type(fault).__name__)
        except (dns.exception.DNSException, UnicodeError, ValueError):
            self._breaker.abandon()
            why = "malformed"
        except asyncio.CancelledError:
            self._breaker.abandon()
            raise
        else:
            self._breaker.succeed()
        now = self._monotonic()
        held = _Held(takes, why, now, now + seconds)
        self._keep(domain, held)
        return held

    def _failed(self, reason: str) -> None:
        self._breaker.fail(reason, self._monotonic())
        _log.info("dns.failed", reason=reason)

    async def _heard(self, name: dns.name.Name) -> tuple[bool, Why, float]:
        resolver = self._ready()
        try:
            answer = await resolver.resolve(name, "MX", raise_on_no_answer=False, search=False, lifetime=self._budget)
        except dns.resolver.NXDOMAIN as fault:
            responses: dict[dns.name.Name, dns.message.Message] = fault.kwargs["responses"]
            return False, "no_domain", max(map(_negative, responses.values()), default=_LEAST)
        if answer.rrset is not None:
            seconds = min(max(float(answer.rrset.ttl), _LEAST), _MOST)
            hosts = [record.exchange for record in answer.rrset]
            null = len(hosts) == 1 and hosts[0] == dns.name.root
            return (False, "null_mx", seconds) if null else (True, "mx", seconds)
        empty = answer.response
        for kind in ("A", "AAAA"):
            answer = await resolver.resolve(name, kind, raise_on_no_answer=False, search=False, lifetime=self._budget)
            if answer.rrset is not None:
                return True, "address", min(max(float(answer.rrset.ttl), _LEAST), _MOST)
        return False, "no_host", _negative(empty)

    def _ready(self) -> dns.asyncresolver.Resolver:
        if self._resolver is None:
            resolver = dns.asyncresolver.Resolver(configure=not self._servers)
            if self._servers:
                resolver.nameservers = [address for address, _ in self._servers]
                resolver.nameserver_ports = dict(self._servers)
            # A server that does not answer leaves time for the next.
            resolver.timeout = max(self._budget / 2, 0.05)
            resolver.cache = None
            self._resolver = resolver
        return self._resolver

    def _keep(self, domain: str, held: _Held) -> None:
        if len(self._held) >= _KEPT:
            for old in list(self._held)[: _KEPT // 10]:
                del self._held[old]
        self._held.pop(domain, None)
        self._held[domain] = held


def _told(held: _Held, now: float) -> MailHosts:
    if held.why in _UNKNOWN:
        return MailHosts(None, held.why)
    return MailHosts(held.takes, held.why, max(0.0, held.until - now), max(0.0, now - held.heard))


def _negative(response: dns.message.Message) -> float:
    """Seconds that a missing name stays missing: by the zone's SOA record (RFC 2308, 5)."""
    for records in response.authority:
        if records.rdtype == dns.rdatatype.SOA:
            return min(max(float(min(records.ttl, records[0].minimum)), _LEAST), _MOST_NEGATIVE)
    return _LEAST


def read_servers(text: str) -> tuple[tuple[str, int], ...]:
    """Name servers as they are set: addresses parted by commas, each perhaps with a port behind ``@``. Raises
    :class:`BadInput` ``config.setting.malformed`` for what is none."""
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        address, _, port = part.partition("@")
        try:
            found.append((str(ip_address(address)), int(port or _PORT)))
        except ValueError as fault:
            raise BadInput(
                "config.setting.malformed",
                "LEADMILL_DNS_SERVERS: write addresses such as 192.0.2.53@5353",
            ) from fault
    return tuple(found)
