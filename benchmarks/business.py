"""The business that the benchmarks run: one source, twenty buyers of solar leads, eight of them schools as well.

Called by :mod:`benchmarks.house` before anything is measured. The orders are of every kind that an auction has to
think about: exclusive, shared and either; by state, bill, roof and credit; capped by hour, day and month in leads and
money; open all week and closed all week; with a least score; paid ahead and on account. Most leads are sold; some of
the caps are used up within seconds, as they are in life.
"""

from datetime import date
from typing import Any

import tomlkit

SOURCE_KEY = "bench-source-key-1"
SOURCE = "bench-media"

WEST = ["CA", "AZ", "NV", "UT"]
SOUTH = ["TX", "NM", "CO"]
EAST = ["FL", "GA", "NC", "NY", "NJ", "MA", "PA"]
NORTH = ["WA", "OR", "UT", "CO"]

_ALWAYS = {"tz": "America/Los_Angeles", "open": ["mon-sun 00:00-24:00"]}
_DAYTIME = {"tz": "America/Chicago", "open": ["mon-fri 00:00-20:00", "sat,sun 00:00-24:00"]}
_NIGHTLY = {"tz": "America/New_York", "open": ["sun 03:00-03:15"]}
_ROOM = [{"per": "day", "leads": 5_000_000}, {"per": "month", "spend": "900000000.00"}]
_TIGHT = [{"per": "hour", "leads": 40}, {"per": "day", "leads": 300}, {"per": "month", "spend": "20000.00"}]


def _bill(least: int) -> dict[str, Any]:
    return {"field": "monthly_bill", "gte": least}


def _in(states: list[str]) -> dict[str, Any]:
    return {"field": "state", "in": states}


_SUNNY = {"not": {"field": "roof_shade", "eq": "much"}}
_CREDIT = {"field": "credit_rating", "in": ["excellent", "good"]}

# Name, where, and what else the order says; each buyer has one order.
_ORDERS: list[tuple[str, list[dict[str, Any]], dict[str, Any]]] = [
    ("Helio Solar", [_in(WEST), _bill(150)], {"mode": "exclusive", "price": "68.00", "caps": _ROOM, "min_score": 70}),
    ("Sunrise Power", [_in(WEST), _SUNNY], {"mode": "shared", "shared_price": "22.00", "max_legs": 4, "caps": _ROOM}),
    ("Pacific Roof", [_in(["CA"])], {"mode": "either", "price": "48.00", "shared_price": "19.00", "caps": _ROOM}),
    ("Desert Sun", [_in(["AZ", "NV"])], {"mode": "shared", "shared_price": "17.50", "schedule": _ALWAYS}),
    ("Lone Star Solar", [_in(["TX"]), _bill(120)], {"mode": "exclusive", "price": "55.00", "caps": _ROOM}),
    ("Gulf Energy", [_in(["TX", "FL"])], {"mode": "shared", "shared_price": "16.00", "max_legs": 3, "caps": _ROOM}),
    ("Mesa Electric", [_in(SOUTH), _CREDIT], {"mode": "either", "price": "44.00", "shared_price": "15.00"}),
    ("Bright Day", [_bill(100)], {"mode": "shared", "shared_price": "12.00", "max_legs": 4, "schedule": _ALWAYS}),
    ("Atlantic Sun", [_in(EAST)], {"mode": "exclusive", "price": "52.00", "caps": _ROOM, "min_score": 60}),
    ("Peach Solar", [_in(["GA", "NC"]), _SUNNY], {"mode": "shared", "shared_price": "18.00", "caps": _ROOM}),
    ("Empire Panels", [_in(["NY", "NJ"])], {"mode": "exclusive", "price": "61.00", "caps": _TIGHT}),
    ("Bay State Sun", [_in(["MA"])], {"mode": "either", "price": "50.00", "shared_price": "21.00", "caps": _ROOM}),
    ("Cascade Solar", [_in(NORTH)], {"mode": "exclusive", "price": "46.00", "schedule": _ALWAYS, "caps": _ROOM}),
    ("Rain City", [_in(["WA", "OR"])], {"mode": "shared", "shared_price": "17.00", "max_legs": 2}),
    ("Nation Solar", [_bill(90)], {"mode": "exclusive", "price": "38.00", "priority": 2, "caps": _ROOM}),
    ("Any Roof", [_CREDIT], {"mode": "shared", "shared_price": "11.00", "max_legs": 4, "schedule": _DAYTIME}),
    ("Premium Home", [_bill(300), _CREDIT], {"mode": "exclusive", "price": "90.00", "caps": _TIGHT, "min_score": 90}),
    ("Night Desk", [], {"mode": "exclusive", "price": "75.00", "schedule": _NIGHTLY}),
    (
        "Zip Solar",
        [{"not": {"field": "zip", "prefix": ["900", "100"]}}, {"any": [_bill(200), _SUNNY]}],
        {"mode": "either", "price": "36.00", "shared_price": "10.00", "caps": _ROOM},
    ),
    ("Rest of Sun", [], {"mode": "exclusive", "price": "20.00", "priority": 9, "caps": _ROOM}),
]

# Schools pay by the enquiry; the last takes whatever is left.
_COURSES: list[tuple[str, list[dict[str, Any]], dict[str, Any]]] = [
    ("Helio Solar", [{"field": "subject", "eq": "Nursing"}], {"mode": "exclusive", "price": "40.00", "caps": _ROOM}),
    ("Sunrise Power", [_in(WEST)], {"mode": "shared", "shared_price": "14.00", "caps": _ROOM}),
    ("Pacific Roof", [_in(["CA"])], {"mode": "either", "price": "30.00", "shared_price": "13.00", "caps": _ROOM}),
    (
        "Desert Sun",
        [{"field": "degree_level", "in": ["bachelor", "master"]}],
        {"mode": "shared", "shared_price": "9.00"},
    ),
    ("Gulf Energy", [{"field": "time_on_site", "gte": 600}], {"mode": "exclusive", "price": "28.00", "caps": _ROOM}),
    ("Mesa Electric", [_in(SOUTH)], {"mode": "either", "price": "25.00", "shared_price": "12.00", "caps": _TIGHT}),
    ("Atlantic Sun", [_in(EAST)], {"mode": "exclusive", "price": "27.00", "min_score": 55, "caps": _ROOM}),
    ("Rest of Sun", [], {"mode": "exclusive", "price": "8.00", "priority": 9}),
]

SELLERS = [name for name, _, _ in _ORDERS]
"""The buyers' names, as the consent text of every lead shows them."""


def _slug(name: str) -> str:
    return name.lower().replace(" ", "-")


def _buyer(place: int, name: str) -> dict[str, Any]:
    ahead = {"mode": "prepay", "balance": "900000000.00"}
    later = {"mode": "invoice", "limit": "900000000.00"}
    return {
        "id": _slug(name),
        "name": name,
        "credit": ahead if place % 2 == 0 else later,
        "contract": {"signed": date(2026, 1, 5), "privacy_terms": True},
        "licences": [
            {"kind": "CSLB", "number": f"10{place:05d}", "states": ["CA"]},
            {"kind": "ROC", "number": f"20{place:05d}", "states": ["AZ"]},
            {"kind": "TDLR", "number": f"30{place:05d}", "states": ["TX"]},
        ],
        # Nothing listens there: with no worker running, deliveries are queued and stay so.
        "delivery": {"courier": "http", "url": "http://127.0.0.1:9/leads", "format": "json"},
    }


def _order(vertical: str, name: str, where: list[dict[str, Any]], rest: dict[str, Any]) -> dict[str, Any]:
    slug = _slug(name)
    return {"id": f"{slug}-{vertical}", "buyer": slug, "vertical": vertical, "where": where, **rest}


def business() -> str:
    """The whole business as a configuration file."""
    source = {
        "id": SOURCE,
        "name": "Bench Media",
        "key": SOURCE_KEY,
        "verticals": ["solar", "education"],
        "payout": {"model": "share", "rate": "0.70"},
        "pings_per_minute": 0,
    }
    return tomlkit.dumps(
        {
            "source": [source],
            "buyer": [_buyer(place, name) for place, name in enumerate(SELLERS)],
            "order": [
                *(_order("solar", name, where, rest) for name, where, rest in _ORDERS),
                *(_order("education", name, where, rest) for name, where, rest in _COURSES),
            ],
        }
    )
