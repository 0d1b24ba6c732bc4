"""What giving a lead to an order is worth, and in which order to offer it: reduced values and the plan over rounds.

Called by the market's choice while a lead waits, so it is plain Python over a handful of candidates. A candidate's
worth is what it pays, less returns, less the prices of the limits it would use up. Candidates may decline; a plan
says whom to ask first when there are so many rounds left: an exclusive order at a time, or several sharing ones at
once. Pure.
"""

import math
from bisect import insort
from collections.abc import Sequence

ROUNDS = 4
"""How often one lead is offered at most."""

LEAST_LIKELY, LIKELIEST = 0.02, 0.99
"""Odds leave room for surprise."""

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
    useful = [one for one in candidates if one.worth > 0.0]
    if not useful:
        return None
    sharing = share([one for one in useful if one.shared], legs, rounds, refill)
    return settle([one for one in useful if not one.shared] if alone else _NOBODY, sharing, rounds)


class Sharing:
    """What sharing the lead earns: at ``once`` with one round left, and ``again`` with more, beginning with
    ``chosen``. More rounds never earn less."""

    __slots__ = ("again", "chosen", "once")

    def __init__(self, once: float, again: float, chosen: list[Candidate]) -> None:
        self.once = once
        self.again = again
        self.chosen = chosen


def share(together: Sequence[Candidate], legs: int, rounds: int, refill: bool = True) -> Sharing:
    """The best that these legs earn together, each worth something; the first part of :func:`plan`."""
    best = Sharing(0.0, 0.0, _NOBODY)
    if legs <= 0:
        return best
    for size in sorted({min(one.most, legs) for one in together}):
        # Whoever shares a lead among so many agrees to be one of so many.
        willing = [one for one in together if one.most >= size]
        chosen = of_distinct_buyers(sorted(willing, key=_by_expected), size)
        once = again = sum([one.worth * one.odds for one in chosen])
        if refill and rounds >= _SHARED:
            ranked = of_distinct_buyers(sorted(willing, key=_by_worth))
            filled = _filled(ranked, size)
            if filled >= again:
                chosen, again = ranked[:size], filled
        best.once = max(best.once, once)
        if again > best.again:
            best.again, best.chosen = again, chosen
    return best


def settle(singles: Sequence[Candidate], sharing: Sharing, rounds: int) -> Plan | None:
    """Whether to offer the lead to one of these alone, each worth something, or to share it; the second part of
    :func:`plan`."""
    if rounds <= 0:
        return None
    ranked = worth_trying(singles, sharing.once, rounds)
    if ranked:
        tried = tries(ranked, sharing.once, sharing.again, rounds)
        best = max(tried)
        if best >= sharing.again:
            return Plan(False, [ranked[tried.index(best)].key], best)
    return Plan(True, [one.key for one in sharing.chosen], sharing.again) if sharing.chosen else None


_NOBODY: list[Candidate] = []


def worth_trying(singles: Sequence[Candidate], once: float, rounds: int) -> list[Candidate]:
    """Those of the singles that a best sequence can contain, the worthiest first.

    One that is worth less than what sharing earns at once is never asked: not to ask it and keep the round earns more.
    Nor is one before which there are as many as rounds, worth no less and no less likely to accept: one of them is
    left over, and in its place earns no less. The first of the best sequence is the same without them.
    """
    found: list[Candidate] = []
    likeliest: list[float] = []
    for one in sorted(singles, key=_by_worth):
        if one.worth < once:
            break
        if len(likeliest) == rounds:
            if one.odds <= likeliest[0]:
                continue
            del likeliest[0]
        insort(likeliest, one.odds)
        found.append(one)
    return found


def tries(ranked: Sequence[Candidate], once: float, again: float, rounds: int, beyond: float = 0.0) -> list[float]:
    """What is earned by asking each of ``ranked`` first and then the best of those behind it, or sharing, as long as
    there are rounds: p·w + (1 − p)·V(r − 1), with V(r) = max(V(r) further on, sharing, asking this one).

    ``beyond`` is an upper bound of what others are worth who are not listed: with it, what is told is an upper bound
    too, since whoever is asked from one of those on is worth no more.
    """
    upward = [(one.odds * one.worth, 1.0 - one.odds) for one in reversed(ranked)]
    before = [0.0] * (len(upward) + 1)
    for left in range(1, rounds):
        best = again if left >= _SHARED else once
        if beyond > best:
            best = beyond
        ahead = [best]
        for (earned, refused), fallback in zip(upward, before, strict=False):
            tried = earned + refused * fallback
            if tried > best:
                best = tried
            ahead.append(best)
        before = ahead
    found = [earned + refused * fallback for (earned, refused), fallback in zip(upward, before, strict=False)]
    found.reverse()
    return found


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


def of_distinct_buyers(ranked: Sequence[Candidate], most: int | None = None) -> list[Candidate]:
    """The first of each buyer, ``most`` of them."""
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
