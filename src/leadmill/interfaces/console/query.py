"""What a list of leads is narrowed to: from the address, from typed text, and back into an address.

Pure. Addresses hold no personal data: an e-mail address or a phone number typed into the search becomes the id of the
person it belongs to before it gets anywhere near one.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from msgspec import Struct

from leadmill.core.ids import looks_like
from leadmill.core.reasons import State
from leadmill.flow.model import LeadFilter

KEYS = (
    "state", "reason", "vertical", "source", "recipient", "person", "import", "min", "max", "tier", "since",
    "until", "test",
)  # fmt: skip
"""The parameters of a list's address, in the order their chips stand."""

_TITLES = {
    "state": "State is",
    "reason": "Reason is",
    "vertical": "Vertical is",
    "source": "Source is",
    "recipient": "Buyer is",
    "person": "Person is",
    "import": "Import is",
    "min": "Score from",
    "max": "Score to",
    "tier": "Tier is",
    "since": "Since",
    "until": "Until",
    "test": "",
}
_ALSO = {"status": "state", "buyer": "recipient", "from": "since", "to": "until", "team": "recipient"}
_TERM = re.compile(r'(\w+)(:|>=|<=|>|<|=)("[^"]*"|\S+)')
_WORD = re.compile(r'\w+(?::|>=|<=|>|<|=)"[^"]*"|"[^"]*"|\S+')
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
_TIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,19}\Z")
_PHONE = re.compile(r"\+?[\d ().-]{7,24}\Z")


class Chip(Struct, frozen=True):
    """One filter as shown: what it says, and the address without it."""

    says: str
    value: str
    without: str


class Typed(Struct, frozen=True):
    """A search as understood: filters by key, and at most one of a lead's id, an e-mail address or a phone number.
    ``unclear`` holds the words that mean nothing here."""

    params: dict[str, str]
    lead_id: str | None = None
    email: str | None = None
    phone: str | None = None
    unclear: tuple[str, ...] = ()


def read_params(given: Mapping[str, str]) -> dict[str, str]:
    """The parameters of an address that mean something; the rest is left out."""
    found = {}
    for key in KEYS:
        value = given.get(key, "").strip()
        if value and _means(key, value):
            found[key] = value
    return found


def read_typed(text: str) -> Typed:
    """What somebody typed: ``state:sold score>60 source:acme``, a lead's id, an e-mail address or a phone number."""
    plain = text.strip()
    if _PHONE.match(plain) and sum(sign.isdigit() for sign in plain) >= 7:
        return Typed({}, phone=plain)
    params: dict[str, str] = {}
    unclear: list[str] = []
    lead_id = email = phone = None
    for word in _WORD.findall(plain):
        term = _TERM.fullmatch(word)
        bare = word.strip('"')
        if term and (understood := _term(term[1].lower(), term[2], term[3].strip('"'))):
            params |= understood
        elif looks_like(bare, "lead"):
            lead_id = bare
        elif looks_like(bare, "person"):
            params["person"] = bare
        elif "@" in bare:
            email = bare
        elif _PHONE.match(bare) and sum(sign.isdigit() for sign in bare) >= 7:
            phone = bare
        elif bare.lower() in State.__members__.values():
            params["state"] = bare.lower()
        else:
            unclear.append(bare)
    return Typed(params, lead_id, email, phone, tuple(unclear))


def narrow(params: Mapping[str, str], zone: ZoneInfo, state: State | None = None) -> LeadFilter:
    """The filter that parameters stand for. Days are days of the reader's zone; ``state`` is the one of a page that
    shows no other."""
    until = params.get("until")
    return LeadFilter(
        state=state or (State(params["state"]) if "state" in params else None),
        reason=params.get("reason"),
        vertical=params.get("vertical"),
        source_id=params.get("source"),
        recipient=params.get("recipient"),
        person_id=params.get("person"),
        import_id=params.get("import"),
        test=params["test"] == "1" if "test" in params else None,
        min_score=int(params["min"]) if "min" in params else None,
        max_score=int(params["max"]) if "max" in params else None,
        tier=params.get("tier"),
        since=_midnight(params["since"], zone) if "since" in params else None,
        until=_midnight(until, zone) + timedelta(days=1) if until else None,
    )


def chips(path: str, params: Mapping[str, str], names: Mapping[str, Mapping[str, str]]) -> list[Chip]:
    """The filters of a list, each with the address without it; ``names`` says by key what ids are called."""
    found = []
    for key in KEYS:
        if key in params:
            value = params[key]
            shown = names.get(key, {}).get(value, value)
            if key == "test":
                shown = "Test leads" if value == "1" else "Real leads"
            elif key == "state":
                shown = value.capitalize()
            rest = {name: held for name, held in params.items() if name != key}
            found.append(Chip(_TITLES[key], shown, address(path, rest)))
    return found


def address(path: str, params: Mapping[str, str], **more: str) -> str:
    """A list's address."""
    every = {**params, **more}
    return f"{path}?{urlencode(every)}" if every else path


def written(params: Mapping[str, str]) -> str:
    """The filters as somebody would type them."""
    parts = []
    for key in KEYS:
        value = params.get(key)
        if value is None:
            continue
        spaced = f'"{value}"' if " " in value else value
        parts.append({"min": f"score>={spaced}", "max": f"score<={spaced}"}.get(key, f"{key}:{spaced}"))
    return " ".join(parts)


def _term(key: str, sign: str, value: str) -> dict[str, str] | None:
    key = _ALSO.get(key, key)
    if key == "score":
        if not value.isascii() or not value.isdigit() or len(value) > 4:
            return None
        points = int(value)
        if sign in (":", "="):
            return {"min": str(points), "max": str(points)}
        return {"min": str(points + (sign == ">"))} if sign.startswith(">") else {"max": str(points - (sign == "<"))}
    if sign not in (":", "="):
        return None
    value = {"yes": "1", "no": "0", "true": "1", "false": "0"}.get(value.lower(), value) if key == "test" else value
    value = value.lower() if key in ("state", "reason", "vertical", "source") else value
    if key == "date":
        return {"since": value, "until": value} if _means("since", value) else None
    return {key: value} if key in KEYS and _means(key, value) else None


def _means(key: str, value: str) -> bool:
    if key == "state":
        return value in State.__members__.values()
    if key in ("min", "max"):
        return value.removeprefix("-").isdigit() and value.isascii() and len(value) <= 5
    if key in ("since", "until"):
        try:
            return 1970 <= date.fromisoformat(value).year < 9999  # the day after must exist in every zone
        except ValueError:
            return False
    if key == "test":
        return value in ("0", "1")
    if key == "tier":
        return _TIER.match(value) is not None
    if key in ("person", "import"):
        return looks_like(value, key)
    return _NAME.match(value) is not None


def _midnight(day: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), zone)
