"""A small referee of our own: a day of leads, orders with exact limits, and buyers whose answers nobody knows before.

Speaks the protocol of ``leadmill market play`` as messages, and notes every limit that a player would break.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

VERTICALS = ("solar", "auto")
STATES = ("CA", "TX", "NY", "FL")
ROUNDS = 4


def order_row(draw: Random, number: int, cap: int) -> dict[str, Any]:
    """An order as the referee tells of it."""
    alone = draw.random() < 0.5
    price = draw.randrange(2000, 9000, 50) // (1 if alone else 3)
    return {
        "order_id": number,
        "buyer_id": number // 2,
        "mode": "exclusive" if alone else "shared",
        "price_cents": price,
        "slope": draw.choice((0.0, 0.0, 0.3)),
        "sigma": draw.choice((0.0, 0.0, 0.1)),
        "vertical": draw.choice(VERTICALS),
        "states": "|".join(sorted(draw.sample(STATES, draw.randint(1, 4)))),
        "min_score": draw.choice((1, 30, 55)),
        "tiers": draw.choice(("ABCD", "AB", "ABC")),
        "homeowner_only": int(draw.random() < 0.2),
        "h_from": draw.choice((0, 0, 8)),
        "h_to": 24,
        "daily_cap": cap,
        "hourly_cap": draw.choice((0, 0, 2)),
        "buyer_budget_cents": 0,
        "priority": draw.randint(1, 5),
    }


def lead_row(draw: Random, number: int, at: float) -> dict[str, Any]:
    """A lead as the referee tells of it."""
    return {
        "id": number,
        "t_ms": int(at * 86_400_000),
        "vertical": draw.choice(VERTICALS),
        "state": draw.choice(STATES),
        "score": draw.randint(1, 100),
        "tier": draw.choice("ABCD"),
        "homeowner": int(draw.random() < 0.6),
        "source": draw.randrange(5),
        "max_legs": 3,
    }


class Referee:
    """A day. ``messages`` yields what to tell the player and takes its answers by ``answer``."""

    def __init__(self, seed: int, leads: int = 400, orders: int = 24, cap: int = 9, churn: bool = False) -> None:
        draw = Random(seed)
        self.book = [order_row(draw, number, 1 + draw.randrange(2 * cap)) for number in range(orders)]
        for buyer in range(0, orders // 2, 3):
            budget = draw.randrange(30_000, 90_000)
            for row in self.book:
                if row["buyer_id"] == buyer:
                    row["buyer_budget_cents"] = budget
        self.accepts = [draw.uniform(0.6, 0.97) for _ in self.book]
        self.kept = [draw.uniform(0.8, 0.99) for _ in range(5)]
        self.history = [self._day(draw, leads) for _ in range(2)]
        self.leads = self._day(draw, leads)
        self.sources = [{"source": n, "sold": 200, "returned": round(200 * (1 - k))} for n, k in enumerate(self.kept)]
        self._draw = draw
        self.opening = self.book[:-2] if churn else self.book
        self.churn = churn
        self.broken: Counter[str] = Counter()
        self.earned = 0.0
        self.sold = 0
        self._used: Counter[Any] = Counter()
        self._spent: Counter[int] = Counter()

    def _day(self, draw: Random, leads: int) -> list[dict[str, Any]]:
        times = sorted(draw.random() for _ in range(leads))
        return [lead_row(draw, number, at) for number, at in enumerate(times)]

    def wants(self, row: dict[str, Any], lead: dict[str, Any]) -> bool:
        hour = lead["t_ms"] // 3_600_000
        return (
            row["vertical"] == lead["vertical"]
            and lead["state"] in row["states"].split("|")
            and lead["score"] >= row["min_score"]
            and lead["tier"] in row["tiers"]
            and (not row["homeowner_only"] or bool(lead["homeowner"]))
            and row["h_from"] <= hour < row["h_to"]
        )

    def bid(self, row: dict[str, Any], lead: dict[str, Any]) -> int:
        spread = Random(f"{lead['id']} {row['order_id']}").gauss(0, 1)
        factor = 1 + row["slope"] * (lead["score"] - 50) / 50
        return max(100, round(row["price_cents"] * factor * math.exp(row["sigma"] * spread)))

    def messages(self, offers: bool) -> Iterator[dict[str, Any]]:
        """What the player hears, in order; after a lead or a result :meth:`answer` says what it does."""
        active = {row["order_id"]: row for row in self.opening}
        for number, lead in enumerate(self.leads):
            if self.churn and number == len(self.leads) // 2:
                for row in self.book[-2:]:
                    active[row["order_id"]] = row
                    yield {"type": "order_added", "t_ms": lead["t_ms"], "order": row}
                gone = active.pop(0)
                yield {"type": "order_paused", "t_ms": lead["t_ms"], "order": gone}
            able = {n: self.bid(row, lead) for n, row in active.items() if self.wants(row, lead)}
            message = {"type": "lead", **lead}
            if offers:
                message["offers"] = [[n, bid] for n, bid in able.items()]
            yield message
            rounds, mode, sold, asked = ROUNDS, "", set[int](), set[int]()
            while rounds:
                said = self.said
                if said["mode"] == "pass":
                    break
                rounds -= 1
                results = self._post(said, able, lead, mode, sold, asked)
                for order, word in results.items():
                    if word == "accepted":
                        mode = said["mode"]
                        sold.add(self.book[order]["buyer_id"])
                if mode == "exclusive" or len(sold) >= lead["max_legs"]:
                    rounds = 0
                told = {str(order): able[order] for order in results if order in able}
                texts = {str(order): word for order, word in results.items()}
                yield {"type": "result", "results": texts, "bids": told, "rounds_left": rounds}
        yield {"type": "end", "net_revenue_cents": self.earned, "violations": dict(self.broken)}

    def answer(self, said: Mapping[str, Any]) -> None:
        """What the player does."""
        self.said = said

    def _post(
        self,
        said: Mapping[str, Any],
        able: dict[int, int],
        lead: dict[str, Any],
        mode: str,
        sold: set[int],
        asked: set[int],
    ) -> dict[int, str]:
        alone = said["mode"] == "exclusive"
        if (alone and (len(said["orders"]) > 1 or mode)) or mode == "exclusive":
            self.broken["mode"] += 1
        if len(said["orders"]) > lead["max_legs"] - len(sold):
            self.broken["legs"] += 1
        results: dict[int, str] = {}
        hour = lead["t_ms"] // 3_600_000
        for order in said["orders"]:
            row = self.book[order]
            bid = able.get(order)
            buyer, budget = row["buyer_id"], row["buyer_budget_cents"]
            if bid is None or (row["mode"] == "exclusive") is not alone:
                self.broken["ineligible"] += 1
                continue
            if order in asked or buyer in sold:
                self.broken["twice"] += 1
            asked.add(order)
            if self._used[order] >= row["daily_cap"]:
                self.broken["cap"] += 1
            if row["hourly_cap"] and self._used[order, hour] >= row["hourly_cap"]:
                self.broken["hourly"] += 1
            if budget and self._spent[buyer] + bid > budget:
                self.broken["budget"] += 1
            chance = self._draw.random()
            if chance < 0.03:
                results[order] = "timeout"
            elif chance > self.accepts[order]:
                results[order] = "rejected"
            else:
                results[order] = "accepted"
                self._used[order] += 1
                self._used[order, hour] += 1
                self._spent[buyer] += bid
                self.earned += bid * self.kept[lead["source"]]
                self.sold += 1
        return results
