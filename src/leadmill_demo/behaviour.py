"""How each buyer's stand-in behaves, and in what words it answers.

Used by ``world``. A buyer accepts most of what it gets; some of it it refuses with a reason, some it has already, and
now and then its server is slow, busy, broken or writes nonsense.
"""

import json
from collections.abc import Mapping
from random import Random
from typing import Literal, NamedTuple
from xml.sax.saxutils import escape

Act = Literal["accept", "reject", "duplicate", "slow", "timeout", "error", "malformed", "busy", "html"]
"""``slow`` accepts after a while, ``timeout`` answers too late for anybody, ``error`` is a 500, ``busy`` a 429."""

Tongue = Literal["json", "nested_json", "loan_xml", "quote_xml", "intake_xml", "pipe", "sentence", "hook"]
"""How a buyer words its answers."""

SLOW = 1.2
"""Seconds that a slow buyer takes."""
TOO_LATE = 12.0
"""Seconds after which nobody waits any more: longer than any delivery's budget."""
REST = 20
"""Seconds that a busy buyer asks for."""


class Manner(NamedTuple):
    """A buyer's manner: its name, its tongue, how likely each act is (the rest is acceptance), why it refuses, and its
    outages: it is down for the first ``down`` seconds of every ``every``."""

    name: str
    tongue: Tongue
    odds: Mapping[Act, float]
    reasons: tuple[str, ...]
    vertical: str
    every: int = 0
    down: int = 0


class Answer(NamedTuple):
    """An answer ready to be sent, after ``wait`` seconds."""

    act: Act
    status: int
    media: str
    body: str
    headers: Mapping[str, str] = {}
    wait: float = 0.0


_LOAN = ("Loan amount below our minimum", "Outside our lending area", "Credit below guideline")
_AUTO = ("Vehicle not eligible", "Suspended licence", "Outside writing territory")
_ROOF = ("Roof too old", "Utility not served", "Homeowner not verified")
_CASE = ("Statute of limitations", "No injury", "Liability unclear", "Conflict of interest")
_JOB = ("Job too small", "No crew in this ZIP", "Service not offered here")
_SCHOOL = ("Programme is full", "Does not meet entry requirements")

MANNERS: dict[str, Manner] = {
    "harbor-lantern": Manner(
        "Harbor Lantern Lending Inc.",
        "nested_json",
        {"reject": 0.05, "duplicate": 0.02, "slow": 0.06},
        _LOAN,
        "mortgage",
    ),
    "quarry-ridge": Manner(
        "Quarry Ridge Home Loans LLC",
        "loan_xml",
        {"reject": 0.07, "duplicate": 0.03, "malformed": 0.02, "error": 0.01},
        _LOAN,
        "mortgage",
    ),
    "bluepine": Manner(
        "Bluepine Mortgage Company", "pipe", {"reject": 0.06, "duplicate": 0.03, "error": 0.02}, _LOAN, "mortgage"
    ),
    "tidewater-oak": Manner("Tidewater Oak Bank", "hook", {"reject": 0.02, "busy": 0.02}, _LOAN, "mortgage"),
    "cobalt-gate": Manner(
        "Cobalt Gate Insurance Agency LLC",
        "json",
        {"reject": 0.06, "duplicate": 0.02, "busy": 0.03},
        _AUTO,
        "insurance_auto",
    ),
    "willow-marsh": Manner(
        "Willow Marsh Insurance Services Inc.",
        "quote_xml",
        {"reject": 0.08, "duplicate": 0.02, "malformed": 0.03, "slow": 0.05},
        _AUTO,
        "insurance_auto",
    ),
    "amberlane": Manner(
        "Amberlane Auto Insurance Company", "json", {"reject": 0.04, "duplicate": 0.03}, _AUTO, "insurance_auto"
    ),
    "sunfallow": Manner(
        "Sunfallow Solar LLC", "json", {"reject": 0.06, "duplicate": 0.02, "slow": 0.04}, _ROOF, "solar"
    ),
    "ridgebeam": Manner("Ridgebeam Energy Inc.", "hook", {"reject": 0.03, "error": 0.02}, _ROOF, "solar"),
    "desert-kestrel": Manner(
        "Desert Kestrel Solar LLC",
        "json",
        {"reject": 0.05, "timeout": 0.04, "error": 0.05},
        _ROOF,
        "solar",
        every=1_500,
        down=150,
    ),
    "lumen-orchard": Manner(
        "Lumen Orchard Power Inc.", "json", {"reject": 0.05, "duplicate": 0.03, "html": 0.01}, _ROOF, "solar"
    ),
    "ashgrove-pell": Manner("Ashgrove & Pell LLP", "intake_xml", {"reject": 0.12, "duplicate": 0.02}, _CASE, "legal"),
    "denhurst": Manner("Denhurst Legal Group LLC", "json", {"reject": 0.08, "duplicate": 0.03}, _CASE, "legal"),
    "rooftree": Manner("Rooftree Exteriors LLC", "json", {"reject": 0.05, "duplicate": 0.02}, _JOB, "home_services"),
    "brasswick": Manner(
        "Brasswick Heating & Air Inc.",
        "sentence",
        {"reject": 0.06, "duplicate": 0.02, "slow": 0.05},
        _JOB,
        "home_services",
    ),
    "handsel": Manner("Handsel Home Network Inc.", "hook", {"reject": 0.02, "error": 0.01}, _JOB, "home_services"),
    "westmere": Manner(
        "Westmere Online University", "json", {"reject": 0.05, "duplicate": 0.02, "busy": 0.02}, _SCHOOL, "education"
    ),
    "calder-hill": Manner(
        "Calder Hill Institute", "json", {"reject": 0.05, "timeout": 0.10, "error": 0.06}, _SCHOOL, "education"
    ),
}
"""The stand-ins by id. The ids are those of ``business.toml``."""


def choose(manner: Manner, rng: Random, now: float) -> Act:
    """What the buyer does this time. ``now`` are seconds since 1970, for its outages."""
    if manner.every and now % manner.every < manner.down:
        return "error"
    point = rng.random()
    for act, share in manner.odds.items():
        point -= share
        if point < 0:
            return act
    return "accept"


def answer(manner: Manner, act: Act, reason: str, reference: str) -> Answer:
    """The act in the buyer's own words."""
    if act == "error":
        return Answer(act, 500, "text/plain", "Internal server error")
    if act == "busy":
        return Answer(act, 429, "text/plain", "Too many requests", {"Retry-After": str(REST)})
    if act == "html":
        return Answer(act, 200, "text/html", "<!doctype html><title>Sign in</title><h1>Your session has ended</h1>")
    if act == "malformed":
        return Answer(act, 200, "text/xml" if "xml" in manner.tongue else "application/json", _broken(manner))
    media, body = _worded(manner.tongue, act, reason, reference)
    status = 409 if act == "duplicate" and manner.tongue == "hook" else 200
    wait = SLOW if act == "slow" else TOO_LATE if act == "timeout" else 0.0
    return Answer(act, status, media, body, wait=wait)


def takes(act: Act) -> bool:
    """Whether the act is an acceptance that the other side hears."""
    return act in ("accept", "slow")


def _broken(manner: Manner) -> str:
    return "<Response><Status>Acc" if "xml" in manner.tongue else '{"status": "acc'


def _worded(tongue: Tongue, act: Act, reason: str, reference: str) -> tuple[str, str]:
    good, twice = act not in ("reject", "duplicate"), act == "duplicate"
    why = "Duplicate: we have this lead already" if twice else reason
    if tongue == "nested_json":
        status = "accepted" if good else "duplicate" if twice else "rejected"
        told = {"status": status, **({"loanFileId": reference} if good else {"reason": why})}
        return "application/json", json.dumps({"result": told})
    if tongue == "json":
        if good:
            return "application/json", json.dumps({"status": "accepted", "id": reference})
        return "application/json", json.dumps({"status": "duplicate" if twice else "rejected", "reason": why})
    if tongue == "hook":
        return "application/json", json.dumps({"ok": True} if good else {"accepted": False, "reason": why})
    if tongue == "pipe":
        return "text/plain", f"OK|{reference}" if good else f"DUPE|{reference}" if twice else f"REJECT|{why}"
    if tongue == "sentence":
        return (
            "text/plain",
            f"Thank you. Job {reference} booked."
            if good
            else f"Sorry: {why}."
            if not twice
            else f"{why}: already in our book.",
        )
    return "text/xml", _xml(tongue, good, twice, escape(why), reference)


def _xml(tongue: Tongue, good: bool, twice: bool, why: str, reference: str) -> str:
    head = '<?xml version="1.0" encoding="utf-8"?>'
    if tongue == "loan_xml":
        status = "Accepted" if good else "Duplicate" if twice else "Rejected"
        inner = f"<ReferenceId>{reference}</ReferenceId>" if good else f"<Message>{why}</Message>"
        return f"{head}<LeadResponse><Status>{status}</Status>{inner}</LeadResponse>"
    if tongue == "quote_xml":
        if good:
            return f'{head}<QuoteResponse result="success"><QuoteId>{reference}</QuoteId></QuoteResponse>'
        result = "duplicate" if twice else "failure"
        return f'{head}<QuoteResponse result="{result}"><Errors><Error>{why}</Error></Errors></QuoteResponse>'
    outcome = "Retained for review" if good else "Duplicate matter" if twice else "Declined"
    inner = f"<MatterNo>{reference}</MatterNo>" if good else f"<Reason>{why}</Reason>"
    return f"{head}<Reply><Outcome>{outcome}</Outcome>{inner}</Reply>"
