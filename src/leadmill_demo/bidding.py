"""How the stand-ins of three buyers answer pings: what they bid, and how they fail to.

Used by ``world``. A bid follows from what the ping says (a bill, a loan, a place) and a little chance, as a buyer's
own model would have it; some pings are declined, and now and then an answer comes too late, broken, or not at all.
"""

import json
import re
from collections.abc import Mapping
from random import Random
from typing import NamedTuple

from leadmill_demo.behaviour import Act, Answer


class Taste(NamedTuple):
    """What a buyer bids: ``base`` dollars, ``factor`` of each thousand of what it looks at (``field``), at most
    ``most``; how likely it declines and each way of failing; what it says to that. ``xml`` answers in XML."""

    base: float
    field: str
    factor: float
    most: float
    declines: float
    odds: Mapping[str, float]
    reasons: tuple[str, ...]
    wait: tuple[float, float]
    xml: bool = False


TASTES: dict[str, Taste] = {
    "sunfallow": Taste(
        34.0, "monthly_bill", 190.0, 96.0, 0.18, {"late": 0.02, "malformed": 0.01},
        ("Outside our crews' area this week", "Bill below our minimum"), (0.03, 0.14),
    ),
    "desert-kestrel": Taste(
        41.0, "monthly_bill", 150.0, 88.0, 0.25, {"hang": 0.06, "late": 0.08, "error": 0.05},
        ("No crew in Phoenix tomorrow", "Roof type not served"), (0.05, 0.3),
    ),
    "quarry-ridge": Taste(
        38.0, "loan_amount", 0.11, 110.0, 0.22, {"late": 0.03, "contradict": 0.01, "malformed": 0.01},
        ("Loan amount below our minimum", "Outside our lending area", "Credit below guideline"), (0.04, 0.18), xml=True,
    ),
}  # fmt: skip
"""The buyers that bid, by id."""

_LATE = 2.0
_NEVER = 15.0


def bid(buyer: str, text: str, rng: Random) -> Answer | None:
    """The answer to a ping; None where this buyer does not bid."""
    taste = TASTES.get(buyer)
    if taste is None:
        return None
    wait = rng.uniform(*taste.wait)
    point = rng.random()
    for act, share in taste.odds.items():
        point -= share
        if point < 0:
            return _failing(act, taste, rng)
    if rng.random() < taste.declines:
        return _said(taste, "no", None, rng.choice(taste.reasons), "", wait)
    amount = min(taste.most, (taste.base + taste.factor * _number(taste.field, text) / 1000) * rng.uniform(0.9, 1.12))
    return _said(taste, "yes", f"{amount:.2f}", "", f"{buyer[:2].upper()}-{rng.randint(10**7, 10**8)}", wait)


def _number(field: str, text: str) -> float:
    found = re.search(rf'"{field}"\s*:\s*"?([0-9.]+)|<{field}>([0-9.]+)<', text)
    return float(found[1] or found[2]) if found else 0.0


def _failing(act: str, taste: Taste, rng: Random) -> Answer:
    if act == "error":
        return Answer("error", 500, "text/plain", "Internal server error")
    if act == "malformed":
        return Answer("malformed", 200, "application/json", "<Bid><Status>Y" if taste.xml else '{"status": "acc')
    if act == "contradict":
        return _said(taste, "no", "55.00", rng.choice(taste.reasons), "", 0.05)
    wait = _NEVER if act == "hang" else _LATE
    return _said(taste, "yes", "60.00", "", f"L-{rng.randint(10**7, 10**8)}", wait)


def _said(taste: Taste, word: str, price: str | None, why: str, ref: str, wait: float) -> Answer:
    act: Act = "accept" if word == "yes" else "reject"
    if taste.xml:
        inner = f"<Amount>{price}</Amount>" if price else ""
        inner += f"<BidNo>{ref}</BidNo>" if ref else f"<Why>{why}</Why>"
        return Answer(act, 200, "text/xml", f"<Bid><Interested>{word}</Interested>{inner}</Bid>", wait=wait)
    told = {"status": "accepted" if word == "yes" else "rejected"}
    told |= {"price": price} if price else {}
    told |= {"ping_id": ref} if ref else {"reason": why}
    return Answer(act, 200, "application/json", json.dumps(told), wait=wait)
