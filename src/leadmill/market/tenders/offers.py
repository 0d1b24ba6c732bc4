"""Makes of a lead what buyers may see of it before they have it.

Called by the auction in ``flow`` and for pings. What a vertical's pack marks as personal stays behind, and so does
every text in which something of the person stands; sensitive answers are set apart, for bidders that ask for them by
name.
"""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any, Literal
from urllib.parse import urlsplit

from leadmill.capture import Lead, Value, Vertical
from leadmill.market.tenders.tender import CONTACT, Offer, leads_to_a_person

MaskedIp = Literal["masked", "full", "none"]
"""What of the person's address on the network is shown: its network alone (/24, /48), all of it, or nothing."""

_PLACES = ("state", "zip", "city", "county", "country")
_FREE = frozenset(("comments", "description", "best_time_to_call"))
_LONGEST = 80
_TOKENS = (
    "text", "version", "given_at", "kind", "granted", "sellers", "channels", "refused", "box_default", "obtained_by",
    "sellers_display", "trustedform", "trustedform_ping", "jornaya",
)  # fmt: skip
"""What of the consent is evidence and says nothing of the person."""
_CIRCUMSTANCES = ("user_agent", "sub1", "sub2", "sub3", "sub4", "sub5", "channel", "device", "campaign", "keyword")


def offer_of(lead: Lead, vertical: Vertical | None, values: Mapping[str, Any], ip: MaskedIp = "masked") -> Offer:
    """The lead as an offer. ``values`` are the lead's places in their normal form where facts know them better
    (``scoring.seen``)."""
    fields: dict[str, Value] = {}
    guarded: dict[str, Value] = {}
    own = _words_of(lead)
    known = vertical.fields if vertical is not None else {}
    masked = vertical.masked if vertical is not None else frozenset()
    for name in known:
        spec, value = known[name], lead.fields.get(name)
        if value in (None, "", []) or spec.personal or name in CONTACT or name in _FREE or name in masked:
            continue
        if spec.type in ("text", "list") and (_long(value) or leads_to_a_person(value) or _names(value, own)):
            continue
        (guarded if spec.sensitive else fields)[name] = value
    for name in _PLACES:
        value = values.get(name)
        if isinstance(value, str) and value and not leads_to_a_person(value):
            fields[name] = value
    return Offer(
        id=f"ping_{lead.id.partition('_')[2]}",
        vertical=lead.vertical,
        source=lead.source_id,
        received_at=lead.received_at,
        fields=fields,
        guarded=guarded,
        consent={name: lead.consent[name] for name in _TOKENS if lead.consent.get(name) not in (None, "", [])},
        context=_context(lead, own, ip),
        test=lead.test,
    )


def _context(lead: Lead, own: frozenset[str], ip: MaskedIp) -> dict[str, Value]:
    found: dict[str, Value] = {}
    shown = _ip(lead.context.get("ip"), ip)
    if shown is not None:
        found["ip"] = shown
    page = lead.context.get("landing_page")
    if isinstance(page, str) and page:
        parts = urlsplit(page)
        # What stands behind the question mark often repeats what the person typed.
        plain = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        if parts.netloc and not leads_to_a_person(plain):
            found["landing_page"] = plain
    for name in _CIRCUMSTANCES:
        value = lead.context.get(name)
        if isinstance(value, str) and value and not leads_to_a_person(value) and not _names(value, own):
            found[name] = value
    return found


def _ip(value: object, rule: MaskedIp) -> str | None:
    if rule == "none" or not isinstance(value, str):
        return None
    try:
        address = ip_address(value.strip())
    except ValueError:
        return None
    if rule == "full":
        return str(address)
    return str(ip_network((address, 24 if isinstance(address, IPv4Address) else 48), strict=False).network_address)


def _long(value: Value) -> bool:
    return isinstance(value, str) and len(value) > _LONGEST


def _words_of(lead: Lead) -> frozenset[str]:
    """The words that name the person, to be kept out of texts."""
    told = (lead.fields.get(name) for name in ("first_name", "last_name", "full_name", "email"))
    words = (word for text in told if isinstance(text, str) for word in re.split(r"[\W_]+", text.casefold()))
    return frozenset(word for word in words if len(word) > 2)


def _names(value: Value, own: frozenset[str]) -> bool:
    if isinstance(value, list):
        return any(_names(item, own) for item in value)
    return isinstance(value, str) and not own.isdisjoint(re.split(r"[\W_]+", value.casefold()))
