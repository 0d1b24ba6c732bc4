"""What giving a lead to an order is worth, and in which order to offer it: reduced values and the plan over rounds.

Called by the market's choice while a lead waits, so it is plain Python over a handful of candidates. A candidate's
worth is what it pays, less returns, less the prices of the limits it would use up. Candidates may decline; a plan
says whom to ask first when there are so many rounds left: an exclusive order at a time, or several sharing ones at
once. Pure.
"""

import math
from collections.abc import Sequence

ROUNDS = 4
"""How often one lead is offered at most."""

_SHARED = 2


class Candidate:
    """One way to sell a lead: ``key`` names the order, ``worth`` is the reduced value if it comes about, ``odds`` how
    likely the buyer accepts. ``shared`` tells a leg from the lead alone, ``most`` among how many it may be shared."""

    __slots__ = ("buyer", "key", "most", "odds", "shared", "worth")

    def __init__(self, key: str, buyer: str, shared: bool, worth: float, odds: float, most: int = 8) -> None:
        self.key = key
        self.buyer = buyer
        self.shared = shared
        self.worth = worth
        self.odds = odds
        self.most = most


class Plan:
    """What to do next: offer the lead to ``keys``, ``shared`` or alone. ``value`` is what the plan is expected to
    earn over its remaining rounds, net of shadow prices."""

    __slots__ = ("keys", "shared", "value")

    def __init__(self, shared: bool, keys: list[str], value: float) -> None:
        self.shared = shared
        self.keys = keys
        self.value = value


def reduced(value: float, bid: float, lead_price: float, money_price: float, hedge: float, used: float) -> float:
    """The worth of a sale: ``value`` less what the limits it uses are worth.

    ``lead_price`` is the price of one lead of its caps, ``money_price`` that of one unit of its budgets, ``used``
    the share of its fullest limit that is gone. A ``hedge`` above zero mixes in bid scaling, which needs no forecast:
    w = v − (1 − θ)(λ + μ·b) − θ·v·e^(f − 1).
    """
    price = lead_price + money_price * bid
    if not hedge:
        return value - price
    return value - (1.0 - hedge) * price - hedge * value * math.exp(used - 1.0)


def least_bid(runner_up: float, odds: float, lead_price: float, money_price: float, returns: float) -> float:
    """The lowest bid that beats a runner-up's expected worth: (rival/p + λ) / (1 − r − μ)."""
    return (runner_up / odds + lead_price) / (1.0 - returns - money_price)


def plan(
    candidates: Sequence[Candidate], legs: int, rounds: int = ROUNDS, alone: bool = True, refill: bool = True
) -> Plan | None:
    """The best next offer, or None where keeping the lead is worth more.

    ``legs`` is how many more buyers may share the lead; ``alone`` is False once a leg is sold. ``refill`` says whether
    a leg that was refused is offered to another while others stand. Of equals the first is asked. With a fallback
    behind it a refusal costs little, so exclusive orders are asked by worth and not by worth times odds.
    """
    if rounds <= 0:
        return None
    useful = [one for one in candidates if one.worth > 0.0]
    if not useful:
        return None
    singles = sorted([one for one in useful if not one.shared], key=_by_worth) if alone else []
    together = [one for one in useful if one.shared] if legs > 0 else []
    once, again, chosen = 0.0, 0.0, _NOBODY
    for size in sorted({min(one.most, legs) for one in together}):
        # Whoever shares a lead among so many agrees to be one of so many.
        willing = [one for one in together if one.most >= size]
        by_expected = _of_distinct_buyers(sorted(willing, key=_by_expected), size)
        once_now = sum(one.worth * one.odds for one in by_expected)
        by_worth, again_now = by_expected, once_now
        if refill and rounds >= _SHARED:
            ranked = _of_distinct_buyers(sorted(willing, key=_by_worth))
            by_worth, again_now = ranked[:size], _filled(ranked, size)
        once = max(once, once_now)
        if again_now > again:
            again, chosen = again_now, by_worth
    first = _first_single(singles, once, again, rounds)
    if first is not None and first[0] >= again:
        return Plan(False, [first[1].key], first[0])
    return Plan(True, [one.key for one in chosen], again) if chosen else None


_NOBODY: list[Candidate] = []


def _first_single(
    singles: Sequence[Candidate], once: float, again: float, rounds: int
) -> tuple[float, Candidate] | None:
    # ahead[i] is V_r(i): the most that r rounds earn from the exclusives from place i on, or from sharing.
    if not singles:
        return None
    count = len(singles)
    # What each earns if it is tried, and how likely the next must be asked.
    tries = [(one.odds * one.worth, 1.0 - one.odds) for one in singles]
    upward = tries[::-1]
    before: list[float] = [0.0] * (count + 1)
    ahead = before
    for left in range(1, rounds + 1):
        best = again if left >= _SHARED else once
        upwards = [best]
        for (earned, refused), fallback in zip(upward, reversed(before), strict=False):
            tried = earned + refused * fallback
            if tried > best:
                best = tried
            upwards.append(best)
        ahead = upwards[::-1]
        before_last, before = before, ahead
    for place, (earned, refused) in enumerate(tries):
        tried = earned + refused * before_last[place + 1]
        if tried >= ahead[place]:
            return tried, singles[place]
    return None


def _filled(ranked: Sequence[Candidate], legs: int) -> float:
    """What sharing earns where refused legs can be offered again: as many expected legs as there is room for."""
    room = float(legs)
    value = 0.0
    for one in ranked:
        if room <= 0.0:
            break
        part = one.odds if one.odds < room else room
        value += part * one.worth
        room -= part
    return value


def _of_distinct_buyers(ranked: Sequence[Candidate], most: int | None = None) -> list[Candidate]:
    found: dict[str, Candidate] = {}
    for one in ranked:
        if one.buyer not in found:
            found[one.buyer] = one
            if len(found) == most:
                break
    return list(found.values())


def _by_worth(one: Candidate) -> tuple[float, float]:
    return -one.worth, -one.odds


def _by_expected(one: Candidate) -> float:
    return -one.worth * one.odds
