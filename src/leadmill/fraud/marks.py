"""What a lead is counted by: the normal forms behind its marks.

Called by the step. Contact details that are not in order, addresses that no visitor can have, and networks that many
people share give no mark. Pure but for the vault's keyed hash, which is an argument.
"""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from leadmill.capture import Lead
from leadmill.facts import Dossier
from leadmill.fraud.model import Card, Mark
from leadmill.identity import Identity

KeyedHash = Callable[[str, str], bytes]
"""The vault's: a purpose and a text to a secret hash of sixteen bytes."""

_LONGEST = 200


def marks_of(card: Card, lead: Lead, dossier: Dossier, identity: Identity, keyed_hash: KeyedHash) -> tuple[Mark, ...]:
    """The lead's marks. Those of its contact details are the keys that identity knows the person by."""
    found = [Mark(kind, bytes.fromhex(identity.keys[kind])) for kind in ("phone", "email") if kind in identity.keys]
    address = lead.context.get("ip")
    places = None
    if isinstance(address, str):
        # Whether a visitor can have it is found out already, but of the address among the fields if there is one.
        public = dossier.value("ip.public") is True and "ip" not in lead.fields and not card.shared
        places = _quickly(address) if public else None
        places = places or places_of(address, card.shared)
    if places is not None:
        ip, net = places
        found.append(Mark("ip", keyed_hash("fraud ip", ip)))
        found.append(Mark("net", keyed_hash("fraud net", net)))
    device = lead.context.get("device_id")
    if isinstance(device, str) and 0 < len(device.strip()) <= _LONGEST:
        found.append(Mark("device", keyed_hash("fraud device", device.strip())))
    line = dossier.text("address.line") or lead.text("address")
    place = dossier.text("zip.code") or lead.text("zip")
    if line and place:
        found.append(Mark("address", keyed_hash("fraud address", f"{_plain(line)} {place}")))
    if "source" in card.limits:
        found.append(Mark("source", keyed_hash("fraud source", f"{lead.source_id} {lead.vertical}")))
    return tuple(found)


def name_mark(lead: Lead, dossier: Dossier, keyed_hash: KeyedHash) -> bytes:
    """Four bytes that stand for the family name; none where the lead has none."""
    name = _plain(dossier.text("name.last") or lead.text("last_name") or "")
    return keyed_hash("fraud name", name)[:4] if name else b""


def _quickly(address: str) -> tuple[str, str] | None:
    """The same as :func:`places_of` for an IPv4 address that is known to be a visitor's."""
    head, _, tail = address.rpartition(".")
    return (address, f"{head}.0/24") if tail.isdecimal() and head.count(".") == 2 else None


@lru_cache(8_192)
def places_of(text: str, shared: tuple[str, ...] = ()) -> tuple[str, str] | None:
    """A visitor's address in normal form and its network: /24 of IPv4, /64 of IPv6. None for what is no public address
    or lies in one of the ``shared`` networks."""
    try:
        address: IPv4Address | IPv6Address = ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    if not address.is_global or any(address in ip_network(one) for one in shared):
        return None
    width = 24 if address.version == 4 else 64
    return str(address), str(ip_network((address, width), strict=False))


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
