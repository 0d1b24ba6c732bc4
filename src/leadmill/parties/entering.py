"""Who may come in, purely: keys and the parts of the API they reach, passwords, and how long a session lasts.

Called by the verbs beside it and by busy entrances, which hold the key ring in memory."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NoReturn

from leadmill.core.faults import BadInput, Unauthenticated
from leadmill.core.reading import nearest
from leadmill.parties.crew import EMAIL
from leadmill.parties.model import Caller, KeyRing, Session

SCOPES: dict[str, str] = {
    "leads:send": "send leads",
    "leads:read": "read leads and their stories",
    "leads:write": "put leads right",
    "certificates:read": "read and export certificates of consent",
    "people:read": "read people over all they sent",
    "people:write": "have people forgotten",
    "pings:send": "send pings",
    "pings:read": "read what pings were quoted",
    "outcomes:write": "report what became of leads",
    "feedback:write": "report bounces and complaints",
    "hygiene:read": "read the hygiene report",
    "known:write": "say whom a buyer has already",
    "optouts:read": "read opt-outs and notices",
    "optouts:write": "opt people out, acknowledge notices",
    "reviews:read": "read the review desk",
    "reviews:write": "take and decide cases of the review desk",
    "scoring:read": "read scorecards, models and what is said of them",
    "scoring:write": "give models their places, acknowledge alerts",
    "privacy:read": "read what consumers asked for",
    "privacy:write": "take and decide what consumers ask for",
}
"""The parts of the API that a key may be held to, and what each lets it do."""


def identify(ring: KeyRing, digest: bytes, now: datetime) -> Caller:
    """Who holds the key with this keyed hash. Raises :class:`Unauthenticated` ``parties.key.unknown`` or
    ``parties.key.expired``."""
    caller = ring.callers.get(digest)
    if caller is None:
        raise Unauthenticated("parties.key.unknown", "this key is not known or was revoked")
    if caller.expires_at is not None and caller.expires_at <= now:
        raise Unauthenticated("parties.key.expired", "this key has expired; ask for a new one")
    return caller


_AREAS = {("POST", "leads"): "leads:send", ("POST", "post"): "leads:send", ("POST", "ping"): "pings:send"}
_PARTS = {"replies": "optouts", "scorecards": "scoring", "models": "scoring"}
"""Addresses that belong to a part of another name."""
_SEARCHES = frozenset({"/v1/people/search"})
"""Addresses that are posted to and only read, so that what is looked for does not stand in the address."""


def scope_of(verb: str, path: str) -> str:
    """The part of the API that a request reaches: ``leads:read`` for ``GET /v1/leads/lead_1``. Addresses outside
    ``/v1/`` are those at which other systems send leads."""
    area, slash, _ = path.removeprefix("/v1/").partition("/")
    if not path.startswith("/v1/"):
        return "leads:send"
    if not slash and (verb, area) in _AREAS:
        return _AREAS[verb, area]
    area = _PARTS.get(area, area)
    return f"{area}:{'read' if verb in ('GET', 'HEAD') or path in _SEARCHES else 'write'}"


def read_scopes(words: Iterable[str]) -> tuple[str, ...]:
    """Scopes of a key, sorted. Raises :class:`BadInput` ``parties.key.malformed`` for one there is not, and for
    none at all."""
    found = sorted(set(words))
    for word in found:
        if word not in SCOPES:
            raise BadInput("parties.key.malformed", f"there is no scope {word}; {nearest(word, SCOPES)}")
    if not found:
        raise BadInput("parties.key.malformed", "a key that reaches nothing is of no use; name a scope")
    return tuple(found)


IDLE = timedelta(hours=2)
"""A session unused for so long is over."""
LONGEST = timedelta(hours=12)
"""A session is over after so long, however busy."""
HALFWAY = timedelta(minutes=10)
"""So long a browser may take from its right password to its second factor."""
FRESH = timedelta(minutes=10)
"""For so long a person who showed who they are may do what is dangerous."""


def session_ends(session: Session) -> datetime:
    """When a session is over, unless it is used before."""
    ends = min(session.expires_at, session.seen_at + IDLE)
    return ends if session.stage == "open" else min(ends, session.created_at + HALFWAY)


def freshly_proved(session: Session, now: datetime) -> bool:
    """Whether the person showed who they are a short while ago."""
    return session.proved_at is not None and now - session.proved_at < FRESH


def read_address(text: str) -> str:
    """A sign-in name: an e-mail address in lower case. Raises :class:`BadInput` ``parties.email.malformed``."""
    found = text.strip().casefold()
    if not EMAIL.fullmatch(found) or not found.isprintable():
        raise BadInput("parties.email.malformed", "write an e-mail address such as ana@example.com")
    return found


SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 128


def check_password(password: str, email: str, name: str = "") -> None:
    """Refuse a password that is easily guessed: length and freedom from the obvious, no rules of composition (NIST SP
    800-63B, 5.1.1.2). Raises :class:`BadInput` ``parties.password.weak``."""
    low = password.casefold()
    own = [part for part in re.split(r"[^a-z0-9]+", f"{email} {name} leadmill".casefold()) if len(part) >= 4]
    steps = {ord(b) - ord(a) for a, b in pairwise(low)}
    if len(password) < SHORTEST_PASSWORD:
        _weak(f"use at least {SHORTEST_PASSWORD} characters; a few words make a good password")
    if len(password) > LONGEST_PASSWORD:
        _weak(f"use at most {LONGEST_PASSWORD} characters")
    if len(set(low)) < 5 or len(steps) <= 2:
        _weak("it repeats itself; use more different characters")
    rest = low
    for part in own:
        rest = rest.replace(part, "")
    if len(rest) < SHORTEST_PASSWORD // 2:
        _weak("it is mostly your name, your address or ours")


def _weak(says: str) -> NoReturn:
    raise BadInput("parties.password.weak", says)
