"""What is known of the visitor: program or person, how long the form took, which network it came from.

Called by :func:`leadmill.facts.rules.find_facts` and, for what the IP files say, by the step.
"""

import re
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from leadmill.facts.model import OURS, Fact
from leadmill.facts.reference import Reference
from leadmill.facts.rules.fields import Values, text_of

_IANA = "IANA"
_TOO_FAST = 3.0
"""Seconds under which nobody fills in a form by hand."""
_PUBLIC = Fact("ip.public", True, "pass", _IANA)
_PRIVATE = Fact("ip.public", False, "fail", _IANA)
_NO_ADDRESS = Fact("ip.public", None, "unknown", _IANA)
_FAMILIES = {family: Fact("ip.family", family, "pass", OURS) for family in ("ipv4", "ipv6")}
_AGENTS = {bot: Fact("agent.bot", bot, "fail" if bot else "pass", "crawler-user-agents") for bot in (False, True)}


def visitor_facts(fields: Values, context: Values, reference: Reference) -> list[Fact]:
    """Whether a program filled in the form: by its user agent and by how long it took; and what its address is."""
    facts: list[Fact] = []
    agent = text_of(fields, "user_agent") or text_of(context, "user_agent")
    if agent:
        facts.append(_AGENTS[reference.is_bot(agent)])
    seconds = context.get("session_seconds")
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds >= 0:
        fast = seconds < _TOO_FAST
        facts.append(Fact("form.seconds", seconds, "fail" if fast else "pass", OURS))
        facts.append(Fact("form.fast", fast, "fail" if fast else "pass", OURS))
    address = text_of(fields, "ip") or text_of(context, "ip")
    if address:
        public = is_public(address)
        facts.append(_NO_ADDRESS if public is None else _PUBLIC if public else _PRIVATE)
        if public is not None:
            facts.append(_FAMILIES["ipv6" if ":" in address else "ipv4"])
    return facts


_IPV4 = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})")
_MIXED = frozenset((0, 10, 100, 127, 169, 172, 192, 198, 203, *range(224, 256)))
"""First octets under which some addresses, or all, are not public (IANA's special-purpose registry)."""


@lru_cache(8_192)
def is_public(address: str) -> bool | None:
    """Whether an IP address can be a visitor's; None where it is none."""
    if (found := _IPV4.fullmatch(address)) is not None:
        octets = found.groups()
        if all(str(int(each)) == each and int(each) < 256 for each in octets) and int(octets[0]) not in _MIXED:
            return True
    try:
        return ip_address(address.strip()).is_global
    except ValueError:
        return None


def zone_fact(zone: str, home: str, now: datetime) -> Fact | None:
    """Whether a clock in the browser's zone runs as one at home does at this moment; None for a zone that nobody
    knows. Zones have many names, so their clocks are compared."""
    there, here = _offset(zone, now), _offset(home, now)
    if there is None or here is None:
        return None
    # Travellers and people with a borrowed computer are persons too.
    return Fact("agree.zone", there == here, "pass" if there == here else "fail", OURS, 100 if there == here else 50)


def _offset(zone: str, now: datetime) -> float | None:
    found = _zone(zone)
    offset = now.astimezone(found).utcoffset() if found else None
    return offset.total_seconds() if offset is not None else None


@lru_cache(1_024)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def language_fact(browser: str, wanted: str) -> Fact | None:
    """Whether a browser speaks the language asked for; None where one of them names none."""
    speaks, asks = _language(browser), _language(wanted)
    if not speaks or not asks:
        return None
    return Fact("agree.language", speaks == asks, "pass" if speaks == asks else "unknown", OURS, 40)


_LANGUAGES = {
    "english": "en", "spanish": "es", "espanol": "es", "español": "es", "french": "fr", "german": "de", "chinese": "zh",
    "mandarin": "zh", "cantonese": "zh", "vietnamese": "vi", "tagalog": "tl", "korean": "ko", "russian": "ru",
    "arabic": "ar", "portuguese": "pt", "hindi": "hi", "polish": "pl", "italian": "it", "japanese": "ja",
}  # fmt: skip


def _language(text: str) -> str:
    word = re.split(r"[-_,;\s]", text.strip().lower())[0]
    return _LANGUAGES.get(word, word if len(word) in (2, 3) and word.isalpha() else "")
