"""What was looked up: whether the mail domain takes mail, and what the files of IP addresses say.

Pure: the look-ups themselves are made by :mod:`leadmill.facts.service`; what was heard is recorded with the lead.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import ip_address
from math import asin, cos, radians, sin, sqrt
from typing import Any

from leadmill.facts.domains import is_reserved
from leadmill.facts.hosting import HOSTING
from leadmill.facts.model import Fact, FactValue, IpSeen, LookedUp, LookUp, MailSeen, Outcome
from leadmill.facts.reference import Reference
from leadmill.facts.rules.email import mail_host
from leadmill.facts.rules.fields import Values, text_of
from leadmill.facts.rules.phone import AMERICAN
from leadmill.facts.rules.place import agreement
from leadmill.facts.rules.visitor import is_public

_DNS = "dns"
_BY_ADDRESS = 60
"""How sure it is that a domain takes mail that only has an address."""
_FILES = "ip-files"
_EARTH_KM = 6371.0
_NEAR_KM = 250.0
"""Kilometres within which an address and a ZIP are taken for one place: a third of American visitors are placed further
than fifty from where they are."""


def to_look_up(fields: Values, context: Values) -> LookUp | None:
    """What to look up about a lead; None where it has nothing that could be. Reserved domains are nobody's."""
    email = text_of(fields, "email")
    domain = _asked_domain(email.rpartition("@")[2].strip()) if email else ""
    address = text_of(fields, "ip") or text_of(context, "ip") or ""
    if address and not is_public(address):
        address = ""
    return LookUp(domain, address.strip()) if domain or address else None


@lru_cache(16_384)
def _asked_domain(host: str) -> str:
    known = mail_host(host)
    return "" if known is None or is_reserved(known[1].lower()) else known[1].lower()


def mail_fact(seen: MailSeen) -> Fact:
    """Whether the domain takes mail."""
    outcome: Outcome = "unknown" if seen.takes is None else "pass" if seen.takes else "fail"
    # A domain without exchangers may take mail by its own address; few do.
    sure = 0 if seen.takes is None else _BY_ADDRESS if seen.why == "address" else 95
    return Fact("email.mx", seen.takes, outcome, _DNS, sure, 0, seen.at, seen.until)


def still_seen(facts: Iterable[Fact], before: LookUp | None, after: LookUp) -> LookedUp | None:
    """What these ``facts`` say was looked up by ``before`` and bears on ``after`` as well, since domain or address is
    the same; None where nothing does. How far the address is from the ZIP is not among it: the ZIP may be another."""
    if before is None:
        return None
    held = {fact.key: fact for fact in facts if fact.source in (_DNS, _FILES) and fact.value is not None}
    mail, ip = None, None
    mx = held.get("email.mx")
    if mx is not None and isinstance(mx.value, bool) and before.domain == after.domain:
        why = "address" if mx.confidence == _BY_ADDRESS else "as heard before"
        mail = MailSeen(mx.value, why, mx.observed_at, mx.expires_at)
    if before.ip == after.ip:
        known = {name: held[key].value for name, key in _SEEN.items() if key in held}
        kept = {name: value for name, value in known.items() if isinstance(value, _KINDS[name])}
        ip = IpSeen(**kept) if kept else None  # type: ignore[arg-type]
    return LookedUp(mail, ip) if mail is not None or ip is not None else None


_SEEN = {
    "country": "ip.country",
    "region": "ip.state",
    "city": "ip.city",
    "zone": "ip.zone",
    "asn": "ip.asn",
    "network": "ip.network",
    "hosting": "ip.hosting",
    "anonymous": "ip.anonymous",
}
"""The facts in which what the IP files said is kept."""


def read_records(records: Iterable[Mapping[str, Any]]) -> IpSeen | None:
    """What the records of several files (City, Country, ASN, Anonymous IP and the like) say together, the first one
    that knows counting; None where no file has the address."""
    found: dict[str, Any] = {}
    for record in records:
        location = _part(record, "location")
        regions = record.get("subdivisions")
        region = regions[0] if isinstance(regions, list) and regions and isinstance(regions[0], dict) else {}
        traits = {**_part(record, "traits"), **record}
        for name, value in (
            ("country", _part(record, "country").get("iso_code")),
            ("region", region.get("iso_code")),
            ("city", _part(_part(record, "city"), "names").get("en")),
            ("zone", location.get("time_zone")),
            ("latitude", location.get("latitude")),
            ("longitude", location.get("longitude")),
            ("asn", traits.get("autonomous_system_number")),
            ("network", traits.get("autonomous_system_organization")),
            ("hosting", traits.get("is_hosting_provider")),
            ("anonymous", _hides(traits)),
        ):
            if isinstance(value, _KINDS[name]) and not (isinstance(value, bool) and name == "asn"):
                found.setdefault(name, value)
    if not found:
        return None
    if found.get("asn") in HOSTING:
        found["hosting"] = True
    return IpSeen(**found)


_TEXT, _NUMBER = (str,), (float, int)
_KINDS: dict[str, tuple[type, ...]] = {
    "country": _TEXT, "region": _TEXT, "city": _TEXT, "zone": _TEXT, "network": _TEXT, "latitude": _NUMBER,
    "longitude": _NUMBER, "asn": (int,), "hosting": (bool,), "anonymous": (bool,),
}  # fmt: skip
_HIDING = ("is_anonymous", "is_anonymous_vpn", "is_public_proxy", "is_residential_proxy", "is_tor_exit_node")


def _part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = record.get(name)
    return found if isinstance(found, dict) else {}


def _hides(traits: Mapping[str, Any]) -> bool | None:
    said = [traits[name] for name in _HIDING if isinstance(traits.get(name), bool)]
    return any(said) if said else None


def ip_facts(seen: IpSeen, known: Mapping[str, FactValue], reference: Reference) -> list[Fact]:
    """Where the address is, and whether that agrees with what is ``known`` of the lead, by key."""
    facts = [
        Fact(key, value, "pass", _FILES, 80)
        for key, value in (
            ("ip.country", seen.country),
            ("ip.state", seen.region),
            ("ip.city", seen.city),
            ("ip.zone", seen.zone),
            ("ip.asn", seen.asn),
            ("ip.network", seen.network),
        )
        if value
    ]
    for key, value, sure in (("ip.hosting", seen.hosting, 85), ("ip.anonymous", seen.anonymous, 85)):
        if value is not None:
            facts.append(Fact(key, value, "fail" if value else "pass", _FILES, sure))
    zip_code = known.get("zip.code")
    place = reference.place(zip_code) if isinstance(zip_code, str) else None
    stated = known.get("country.code") or ("US" if place or known.get("state.code") else None)
    if seen.country and stated:
        here = seen.country == stated or (stated == "US" and seen.country in AMERICAN)
        facts.append(agreement("agree.ip_country", here, _FILES, 90 if here else 70))
    home = known.get("state.code") or known.get("zip.state")
    if seen.country == "US" and seen.region and home:
        # Telephones come out at their carrier's gateway, often a state away.
        facts.append(agreement("agree.ip_state", seen.region == home, _FILES, 80 if seen.region == home else 40))
    if place is not None and seen.latitude is not None and seen.longitude is not None:
        away = distance_km(place.latitude, place.longitude, seen.latitude, seen.longitude)
        facts.append(Fact("ip.distance_km", round(away), "pass", _FILES, 60))
        facts.append(agreement("agree.ip_zip", away <= _NEAR_KM, _FILES, 70 if away <= _NEAR_KM else 40))
    return facts


def distance_km(lat1: float, long1: float, lat2: float, long2: float) -> float:
    """Kilometres between two points in degrees, along the surface (haversine)."""
    a, b = radians(lat1), radians(lat2)
    half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(long2 - long1) / 2) ** 2
    return 2 * _EARTH_KM * asin(min(1.0, sqrt(half)))


def looked_up_facts(
    mail: MailSeen | None, ip: IpSeen | None, facts: Iterable[Fact], reference: Reference
) -> list[Fact]:
    """The facts of what was looked up, beside those found without asking."""
    found: list[Fact] = []
    if mail is not None:
        found.append(mail_fact(mail))
    if ip is not None:
        wanted = ("zip.code", "zip.state", "state.code", "country.code")
        found += ip_facts(ip, {fact.key: fact.value for fact in facts if fact.key in wanted}, reference)
    return found


def plain_address(text: str) -> str:
    """An IP address as files look it up: without a zone, an IPv4 address out of an IPv6 one."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return text
    inner = getattr(address, "ipv4_mapped", None)
    return str(inner or address)
