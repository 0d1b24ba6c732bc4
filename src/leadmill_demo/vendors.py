"""Stand-ins for the vendors of consent certificates: TrustedForm and Jornaya, as their interfaces are described.

Part of the world that ``world`` serves, and started by itself in tests. No script runs on the demo's pages, so a
certificate says of itself what it was made of: its name holds digests of the e-mail address and phone number that were
typed, when that was, and a check that only names made here bear. A fault can be had on demand as from the providers:
``POST /vendors/{name}/faults``.
"""

import asyncio
import base64
import binascii
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any, NamedTuple

from aiohttp import web

from leadmill_demo.providers import ACTS, LATE, SLOW, Manners, Paid

HOST = "https://cert.trustedform.com"
_LIVES = 72 * 3600
_YEAR = 365 * 86_400
_KEPT_FOR = 5 * _YEAR
_LOOKUPS = 100
_NOT_DIGITS = re.compile(r"\D")
_SHA1 = re.compile(r"[0-9a-f]{40}")

VENDORS: dict[str, Manners] = {
    "trustedform": Manners("TrustedForm", {"slow": 0.02, "busy": 0.01}, 100),
    "jornaya": Manners("Jornaya", {"slow": 0.02, "error": 0.01}, 100),
}


class Made(NamedTuple):
    """What a certificate's name holds: digests of what was typed, and when (seconds since 1970)."""

    email: str
    phone: str
    at: int


def issue_certificate(email: str, phone: str, at: float, rng: Random) -> str:
    """The address of a new TrustedForm certificate, as the script of a form gives it to its source."""
    return f"{HOST}/{_name('tf', _digest(email, phone, 8), at, rng, 8)}"


def issue_token(email: str, phone: str, at: float, rng: Random) -> str:
    """A new LeadiD token, in its 36 signs."""
    plain = _name("leadid", _digest(email, phone, 6), at, rng, 6).upper()
    return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))


def _digest(email: str, phone: str, size: int) -> str:
    return fingerprint(email.strip().lower())[:size] + fingerprint(national(phone))[:size]


def _name(kind: str, digests: str, at: float, rng: Random, size: int) -> str:
    body = f"{digests}{int(at):08x}{rng.getrandbits(4 * size):0{size}x}"
    return body + _check(kind, body, size)


def _check(kind: str, body: str, size: int) -> str:
    return hashlib.sha256(f"{kind} {body}".encode()).hexdigest()[:size]


def read_name(kind: str, name: str, size: int) -> Made | None:
    """What a name holds; None for one that was not made here."""
    plain = name.replace("-", "").lower()
    body, check = plain[:-size], plain[-size:]
    if len(plain) != 4 * size + 8 or check != _check(kind, body, size):
        return None
    return Made(body[:size], body[size : 2 * size], int(body[2 * size : 2 * size + 8], 16))


def fingerprint(text: str) -> str:
    """SHA-1, as TrustedForm keeps what was typed."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def national(phone: str) -> str:
    """A number as people type it: its ten digits."""
    digits = _NOT_DIGITS.sub("", phone)
    return digits[1:] if len(digits) == 11 and digits.startswith("1") else digits


class Vendors:
    """Both stand-ins, as routes of a web application. ``keys`` are by the names of the demo's variables; ``clock``
    gives seconds."""

    def __init__(self, rng: Random, keys: Mapping[str, str], clock: Callable[[], float]) -> None:
        self.asked = {name: Paid(name, manners, rng) for name, manners in VENDORS.items()}
        self.kept: dict[str, float] = {}
        """Until when each certificate is kept, by its name."""
        self.kept_for: dict[str, str] = {}
        """The reference under which it is kept."""
        self._lookups: Counter[str] = Counter()
        self._keys = keys
        self._clock = clock

    def route(self, app: web.Application) -> None:
        """Take their place in an application."""
        app.router.add_get("/vendors", self._index)
        app.router.add_post("/vendors/{name}/faults", self._faults)
        app.router.add_post("/vendors/trustedform/{id}", self._trustedform)
        app.router.add_post("/vendors/jornaya/{path:Authenticate|SingleQuery}", self._jornaya)

    async def _index(self, request: web.Request) -> web.Response:
        told = {name: {"title": one.manners.title, **one.counts} for name, one in self.asked.items()}
        return web.json_response(told | {"kept": len(self.kept)})

    async def _faults(self, request: web.Request) -> web.Response:
        one = self.asked.get(request.match_info["name"])
        try:
            told = json.loads(await request.read())
            acts = [act for act in told.get("next", []) if act in ACTS]
        except (ValueError, AttributeError, TypeError):
            return web.json_response({"error": "send a JSON object"}, status=400)
        if one is None:
            return web.json_response({"error": "no such vendor"}, status=404)
        one.next.extend(acts)
        one.outage = bool(told.get("outage", one.outage))
        return web.json_response({"next": list(one.next), "outage": one.outage})

    async def _act(self, name: str) -> web.Response | None:
        """What goes wrong this time; None where nothing does."""
        one = self.asked[name]
        act = one.act(self._clock())
        one.counts[act] += 1
        await asyncio.sleep({"slow": SLOW, "late": LATE}.get(act, 0.0))
        if act == "error":
            return web.Response(status=500, text="Internal Server Error")
        if act == "busy":
            return web.json_response({"outcome": "error"}, status=429, headers={"Retry-After": "5"})
        if act == "refused":
            return web.json_response({"outcome": "error", "reason": "out of funds"}, status=402)
        if act in ("malformed", "wrong", "empty"):
            return web.Response(text='{"outcome": "succ', content_type="application/json")
        return None

    # TrustedForm

    async def _trustedform(self, request: web.Request) -> web.Response:
        if not _signed(request.headers.get("Authorization", ""), self._keys.get("DEMO_VENDOR_TRUSTEDFORM", "")):
            return web.json_response({"outcome": "error", "reason": "Incorrect API key"}, status=401)
        wrong = await self._act("trustedform")
        if wrong is not None:
            return wrong
        try:
            told = json.loads(await request.read())
        except ValueError:
            return web.json_response({"outcome": "error", "reason": "Bad Request"}, status=400)
        name = request.match_info["id"]
        made, now = read_name("tf", name, 8), self._clock()
        if made is None or (now > made.at + _LIVES and now > self.kept.get(name, 0.0)):
            reason = "TrustedForm certificate has expired or could not be found"
            return web.json_response({"outcome": "error", "reason": reason}, status=404)
        match = told.get("match_lead")
        if "retain" in told and not match:
            return web.json_response({"outcome": "error", "reason": "match_lead is required"}, status=422)
        return web.json_response(self._certificate(name, made, told, now))

    def _certificate(self, name: str, made: Made, told: dict[str, Any], now: float) -> dict[str, Any]:
        said: dict[str, Any] = {"outcome": "success", "reason": None}
        match = told.get("match_lead")
        if match:
            email = _same(match.get("email"), made.email, str.lower)
            phone = _same(match.get("phone"), made.phone, national)
            success = email is True or phone is True
            said["match_lead"] = {**match, "result": {"email_match": email, "phone_match": phone, "success": success}}
            if not success:
                said |= {"outcome": "failure", "reason": "Lead data did not match"}
        if "retain" in told:
            before = name in self.kept
            until = self.kept.setdefault(name, now + _KEPT_FOR)
            self.kept_for.setdefault(name, str(told["retain"].get("reference", "")))
            results = {"expires_at": _iso(until), "previously_retained": before, "masked_cert_url": f"{HOST}/masked"}
            said["retain"] = {**told["retain"], "results": results}
        wanted = (told.get("insights") or {}).get("properties", [])
        if wanted:
            known = {"created_at": _iso(made.at), "domain": "offers.example.com"}
            known["expires_at"] = _iso(max(made.at + _LIVES, self.kept.get(name, 0.0)))
            said["insights"] = {"properties": {one: known.get(one) for one in wanted}}
        return said

    # Jornaya

    async def _jornaya(self, request: web.Request) -> web.Response:
        told = await request.post()
        whole = request.match_info["path"] == "SingleQuery"
        keys = {"lac": "DEMO_VENDOR_JORNAYA_ACCOUNT"} | ({"lak": "DEMO_VENDOR_JORNAYA_AUDIT"} if whole else {})
        if any(told.get(name) != self._keys.get(variable, "") for name, variable in keys.items()):
            return web.json_response({"Code": "UnauthorizedQuery", "Message": "Unknown account"}, status=403)
        wrong = await self._act("jornaya")
        if wrong is not None:
            return wrong
        token = str(told.get("id", ""))
        made, now = read_name("leadid", token, 6), self._clock()
        self._lookups[token] += 1
        reason = 4 if made is None else 1 if now > made.at + _YEAR else 2 if self._lookups[token] > _LOOKUPS else 0
        said: dict[str, Any] = {"authentic": 0, "reason": reason, "token": token}
        if made is not None and not reason:
            said = {"authentic": 1, "token": token}
            if whole:
                said |= _audit(str(told.get("data", "")), made, now)
        return web.json_response({"audit" if whole else "authenticate": said, "transid": token[::-1]})


def _audit(data: str, made: Made, now: float) -> dict[str, Any]:
    pairs = dict(pair.split(";", 1) for pair in data.split("|") if ";" in pair)
    fields = {}
    if "email" in pairs:
        fields["email"] = int(fingerprint(pairs["email"].lower()).startswith(made.email))
    if "phone1" in pairs:
        fields["phone1"] = int(fingerprint(national(pairs["phone1"])).startswith(made.phone))
    return {
        "lead_age": round(now - made.at, 3),
        "data_integrity": int(all(fields.values())),
        "fields": fields,
        "market": {"leadid": {"tcpa": {"disclosure": 1, "capture": 1, "stored": 1, "result": 1}}},
    }


def _same(given: object, made: str, plain: Callable[[str], str]) -> bool | None:
    """Whether a value, or its digest, is the one that was typed; None where none was given."""
    if not isinstance(given, str) or not given:
        return None
    return (given if _SHA1.fullmatch(given) else fingerprint(plain(given))).startswith(made)


def _signed(header: str, key: str) -> bool:
    scheme, _, text = header.partition(" ")
    try:
        user, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return scheme == "Basic" and user == "API" and secret == key


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
