"""Where outgoing traffic may go: the guard against requests forged through a configured address.

Called by ``http`` and ``mail`` before anything connects. A host is resolved here and only here, every address it
names is judged, and the connection is made to the addresses judged: a name that answers differently a moment later
changes nothing.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence

from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec import Struct

from leadmill.core.faults import BadInput, Permanent, Transient

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "169.254.170.2", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
)
"""Where cloud machines serve their own credentials; some lie in ranges that may otherwise be allowed."""

_SHARED = ipaddress.ip_network("100.64.0.0/10")
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
"""Translation to IPv4, everywhere (RFC 6052) and within a network (RFC 8215)."""


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Reach(Struct, frozen=True):
    """What outgoing traffic may reach beside public addresses over TLS."""

    loopback: bool = False
    private: bool = False
    plain: bool = False
    """Plain HTTP to public addresses. Loopback and private addresses, once allowed, may always be plain."""
    networks: tuple[Network, ...] = ()
    """Private networks that may be reached where private addresses at large may not."""


def read_networks(text: str) -> tuple[Network, ...]:
    """Networks parted by commas. Raises :class:`BadInput` ``config.setting.malformed``."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as fault:
        says = "LEADMILL_ALLOW_NETWORKS: write networks such as 10.1.0.0/16, parted by commas"
        raise BadInput("config.setting.malformed", says) from fault


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address carries inside, or the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if any(address in network for network in _NAT64):
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def refusal(address: Address, reach: Reach, *, plain: bool = False) -> str | None:
    """Why this address may not be reached, or None. ``plain`` says that the request would travel unencrypted."""
    real = _inner(address)
    if real in _METADATA:
        return "it serves a machine's credentials"
    if real.is_multicast or real.is_unspecified or real.is_link_local:
        return "it is link-local, multicast or unspecified"
    if real.is_loopback:
        return None if reach.loopback else "it is this machine (setting allow_loopback)"
    if real.is_reserved:
        return "it is no public address"
    if real.is_private or (isinstance(real, ipaddress.IPv4Address) and real in _SHARED):
        if reach.private or any(real in network for network in reach.networks):
            return None
        return "it is in a private network (settings allow_private, allow_networks)"
    if not real.is_global:
        return "it is no public address"
    if plain and not reach.plain:
        return "personal data does not leave over plain http; use https"
    return None


def check_address(text: str, reach: Reach, *, plain: bool = False) -> None:
    """Raise :class:`Permanent` ``http.address.refused`` where this address may not be reached."""
    why = refusal(ipaddress.ip_address(text.partition("%")[0]), reach, plain=plain)
    if why is not None:
        raise Permanent("http.address.refused", f"the address may not be reached: {why}")


def literal(host: str) -> str | None:
    """The host as an address where it is one."""
    bare = host.strip("[]")
    try:
        ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return bare


Lookup = Callable[[str, int, int], Awaitable[Sequence[tuple[int, str, int]]]]
"""Resolves (host, port, family) to (family, address, port) triples; raises OSError where there is none."""


async def system_lookup(host: str, port: int, family: int) -> Sequence[tuple[int, str, int]]:
    """The operating system's resolver."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [(int(kind), str(where[0]), int(where[1])) for kind, _, _, _, where in found]


class GuardedResolver(AbstractResolver):
    """Resolves names for the HTTP client and hands out judged addresses only. One bad address condemns the name:
    a public name that also points inside is not an accident."""

    def __init__(self, reach: Reach, *, plain: bool, lookup: Lookup = system_lookup) -> None:
        self._reach = reach
        self._plain = plain
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a host. Raises :class:`Transient` ``http.name.unresolved``, :class:`Permanent`
        ``http.address.refused``."""
        try:
            found = await self._lookup(host, port, family)
        except (OSError, UnicodeError) as fault:
            raise Transient("http.name.unresolved", "the host has no address") from fault
        for _, address, _ in found:
            check_address(address, self._reach, plain=self._plain)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=at,
                family=kind,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, address, at in found
        ]

    async def close(self) -> None:
        """Nothing is held."""
