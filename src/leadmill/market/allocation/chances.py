"""How likely a lead is refused, comes back or is won: rates by who sent it, who gets it and how good it looks.

Fitted now and then from what became of legs, asked for every lead whose auction hears shadow prices. A rate is a base
times one factor a trait: r = r0 · vertical · source · recipient · tier · suspicion. Every factor is drawn towards 1, as
if so many hits had been seen where so many were expected (Gamma-Poisson); how many follows from how far the levels of
the trait differ beyond chance, by moments (Clayton and Kaldor, Biometrics 43, 1987). Little data leaves every rate at
the base, much data gives each level its own. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from msgspec import Struct, field

from leadmill.market.allocation.accept import RETURNS as _RETURNS
from leadmill.market.allocation.accept import Prior
from leadmill.market.orderbook.lines import Line
from leadmill.market.worths import Scarcity

TRAITS = ("vertical", "source", "recipient", "tier", "suspicion")
"""What rates go by. A tier is one of its vertical's; suspicion goes by tenths."""

WINS = Prior(0.5, 9.5)
"""Of handed-over leads of which nothing is known one in twenty is won."""

REFUSALS = Prior(2.0, 8.0)
"""A buyer of whom nothing is known refuses about one lead in five."""

RETURNS = _RETURNS
"""Of sold leads of which nothing is known about seven and a half of a hundred come back."""

LEAST = 50
"""Legs without which nothing is said."""

MOST_LIKELY = 0.95
"""No rate is believed to be higher."""

_ROUNDS = 12
_FEW, _PRIOR_HITS = 3, 10.0
"""Of fewer levels than this no spread can be seen; so many hits are then the prior's weight."""
_WEAKEST, _STRONGEST = 2.0, 400.0

Traits = tuple[str, str, str, str, str]
"""The levels of a lead's leg, in the order of :data:`TRAITS`."""


class Cell(Struct):
    """Legs of the same traits: ``hits`` of ``tries``."""

    hits: float = 0.0
    tries: float = 0.0


Cells = dict[Traits, Cell]


class Rates(Struct, frozen=True):
    """How often something happens: ``base`` times the factors by trait, of ``hits`` in ``tries``. A level that is
    missing was never seen and has the factor 1."""

    base: float
    factors: tuple[dict[str, float], ...] = ({}, {}, {}, {}, {})
    hits: float = 0.0
    tries: float = 0.0

    def rate(self, traits: Sequence[str]) -> float:
        """The rate for a leg of these traits."""
        found = self.base
        for levels, level in zip(self.factors, traits, strict=True):
            found *= levels.get(level, 1.0)
        return found if found < MOST_LIKELY else MOST_LIKELY

    def of_recipients(self, about: "About", recipients: Iterable[str], foreseen: float | None = None) -> list[float]:
        """The rate for each of several recipients of one lead. What a model has ``foreseen`` takes the place of all but
        the recipient's own factor, which then moves the odds."""
        vertical, source, recipient, tier, suspicion = self.factors
        if foreseen is not None:
            return [on_odds(foreseen, recipient.get(name, 1.0)) for name in recipients]
        usual = self.base * vertical.get(about.vertical, 1.0) * source.get(about.source, 1.0)
        usual *= tier.get(about.tier, 1.0) * suspicion.get(about.suspicion, 1.0)
        get = recipient.get
        most = MOST_LIKELY
        return [rate if (rate := usual * get(name, 1.0)) < most else most for name in recipients]

    def without_recipient(self, about: "About") -> float:
        """How the lead's own traits move the rate: 1 is usual."""
        vertical, source, _, tier, suspicion = self.factors
        moved = vertical.get(about.vertical, 1.0) * source.get(about.source, 1.0)
        return moved * tier.get(about.tier, 1.0) * suspicion.get(about.suspicion, 1.0)


class About(Struct, frozen=True):
    """A lead's own traits as rates know them."""

    vertical: str = ""
    source: str = ""
    tier: str = ""
    suspicion: str = ""


class Chances(Struct, frozen=True):
    """What was learned of legs: how often they were ``refused`` at once, ``returned`` later, ``won`` within the
    horizon; None where too few are known. ``values`` is what a win was worth on average where it was told, in minor
    units, by recipient, with everybody's under the empty name."""

    refused: Rates | None = None
    returned: Rates | None = None
    won: Rates | None = None
    values: dict[str, int] = field(default_factory=dict)

    def of(self, ask: Scarcity) -> "Told":
        """What they say of one lead and everybody who may get it."""
        kept: int | None = None
        stays: list[int] = []
        wins: dict[str, int] = {}
        about = about_of(ask.vertical, ask.source, ask.tier, ask.suspicion)
        back, won = self.returned, self.won
        if back is not None:
            usual, *each = back.of_recipients(about, ("", *ask.recipients), ask.bad)
            kept = int(1000.5 - 1000.0 * usual)
            stays = [int(1000.5 - 1000.0 * rate) for rate in each]
        if won is not None and ask.hoped:
            each = won.of_recipients(about, [name for _, name in ask.hoped], ask.won)
            wins = {order_id: round(rate * 10_000) for (order_id, _), rate in zip(ask.hoped, each, strict=True)}
        refused = self.refused.without_recipient(about) if self.refused is not None else 1.0
        return Told(kept, stays, wins, refused)

    def by_recipient(self, vertical: str) -> list["Usual"]:
        """What is expected of each recipient of a vertical's usual leads, by name; those of whom anything is known."""
        known = [one for one in (self.refused, self.returned, self.won) if one is not None]
        names = {name for one in known for name in one.factors[2]}

        def rate(of: Rates | None, name: str) -> float | None:
            return of.rate((vertical, "", name, "", "")) if of is not None else None

        usual = self.values.get("")
        return [
            Usual(name, rate(self.refused, name), rate(self.returned, name), rate(self.won, name), worth)
            for name in sorted(names)
            for worth in [self.values.get(name, usual)]
        ]

    def part(self, line: Line) -> float:
        """How much of what an order pays is expected of a usual lead, beside what the source's leads lose."""
        vertical, recipient = line.order.vertical, line.order.recipient
        if line.by_win and self.won is not None:
            return self.won.rate((vertical, "", recipient, "", ""))
        if line.by_win or self.returned is None:
            return 1.0
        own, usual = (self.returned.rate((vertical, "", name, "", "")) for name in (recipient, ""))
        return (1.0 - own) / (1.0 - usual)


class Usual(Struct, frozen=True):
    """What is expected of one recipient and a usual lead: how likely it is refused, comes back, is won (None where too
    few legs are known), and what a win is worth in minor units, where any was told."""

    recipient: str
    refused: float | None
    returned: float | None
    won: float | None
    value: int | None


class Told(Struct, frozen=True):
    """How much in a thousand stays of a sale of such a lead to somebody of whom nothing is known (None: nobody knows
    more than of the source), and of a sale to each recipient asked about; by order how many in ten thousand of such
    leads are won; and how many times as often as usual ones such leads are refused."""

    kept: int | None
    stays: list[int]
    wins: dict[str, int]
    refused: float


def about_of(vertical: str, source: str, tier: str | None, suspicion: int | None) -> About:
    """A lead's own traits."""
    tenth = "" if suspicion is None else str(min(max(suspicion, 0) // 10, 9))
    return About(vertical, source, f"{vertical} {tier}" if tier else "", tenth)


def traits_of(about: About, recipient: str) -> Traits:
    """The traits of a leg of the lead."""
    return about.vertical, about.source, recipient, about.tier, about.suspicion


def count(cells: Cells, traits: Traits, hit: bool) -> None:
    """Count a leg."""
    cell = cells.get(traits)
    if cell is None:
        cell = cells[traits] = Cell()
    cell.hits += hit
    cell.tries += 1


def fit_rates(cells: Mapping[Traits, Cell], prior: Prior, least: int = LEAST) -> Rates | None:
    """The rates that these legs show; None for fewer than ``least``. Traits take turns, each fitted to what the others
    leave to be expected, until they agree."""
    rows = [(traits, cell) for traits, cell in cells.items() if cell.tries > 0]
    hit, tried = (np.array([getattr(cell, of) for _, cell in rows], float) for of in ("hits", "tries"))
    hits, tries = float(hit.sum()), float(tried.sum())
    if not rows or tries < least:
        return None
    names: list[list[str]] = []
    codes: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
    for place in range(len(TRAITS)):
        numbers: dict[str, int] = {}
        codes.append(np.array([numbers.setdefault(traits[place], len(numbers)) for traits, _ in rows], np.int64))
        names.append(list(numbers))
    ratios = [np.ones(len(each)) for each in names]
    base, moved = prior.rate(hits, tries), tried.copy()
    for _ in range(_ROUNDS):
        for place, code in enumerate(codes):
            moved /= ratios[place][code]
            seen = np.bincount(code, hit), np.bincount(code, moved * base)
            pairs = dict(zip(names[place], zip(*(each.tolist() for each in seen), strict=True), strict=True))
            ratios[place] = np.array(list(shrunk_ratios(pairs).values()))
            moved *= ratios[place][code]
        base = (prior.alpha + hits) / (prior.alpha + prior.beta + float(moved.sum()))
    factors = tuple(dict(zip(each, ratio.tolist(), strict=True)) for each, ratio in zip(names, ratios, strict=True))
    return Rates(min(base, MOST_LIKELY), factors, hits, tries)


def shrunk_ratios(seen: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Of each level how many hits there were for one expected, drawn towards 1: (o + α) / (e + α)."""
    strength = _strength([(hits, expected) for hits, expected in seen.values() if expected > 0])
    return {level: (hits + strength) / (expected + strength) for level, (hits, expected) in seen.items()}


def _strength(pairs: Sequence[tuple[float, float]]) -> float:
    """How many expected hits the prior weighs: 1/τ², where τ² is how far ratios differ beyond chance.

    With a ratio θ of mean 1 and variance τ², Σ e(o/e − 1)² is (m − 1) + τ²(Σe − Σe²/Σe) on average.
    """
    whole = sum(expected for _, expected in pairs)
    if len(pairs) < _FEW or whole <= 0:
        return _PRIOR_HITS
    spread = sum(expected * (hits / expected - 1.0) ** 2 for hits, expected in pairs)
    room = whole - sum(expected * expected for _, expected in pairs) / whole
    beyond = (spread - (len(pairs) - 1)) / room if room > 0 else 0.0
    return min(max(1.0 / beyond, _WEAKEST), _STRONGEST) if beyond > 0 else _STRONGEST


def on_odds(probability: float, factor: float) -> float:
    """A probability whose odds are multiplied."""
    kept = min(max(probability, 0.0), 1.0)
    odds = kept * factor
    rest = 1.0 - kept
    return min(odds / (odds + rest), MOST_LIKELY) if odds + rest > 0 else 0.0


def fit_values(wins: Mapping[str, Sequence[int]], strength: float = 5.0) -> dict[str, int]:
    """What a win is worth by recipient: the mean, drawn towards everybody's as if ``strength`` wins had been seen."""
    every = [value for values in wins.values() for value in values]
    if not every:
        return {}
    usual = sum(every) / len(every)
    return {
        name: round((sum(values) + strength * usual) / (len(values) + strength)) for name, values in wins.items()
    } | {"": round(usual)}


NOTHING = Chances()
"""Nothing was learned yet."""
