"""What the quality tiers of a vertical are worth: how leads of each fare, what buyers paid, and what they should pay.

Pure; ``service`` counts the leads and legs. Made for a person who sets prices by tier: the price band of a tier is what
the middle half of its buyers paid, no more than what its wins would bear.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from leadmill.core.money import Money
from leadmill.core.shares import share_interval
from leadmill.scoring import Tiers

ENOUGH = 8
"""Paid prices without which no price band is told."""


class Part(Struct, frozen=True):
    """``hits`` of ``of``, and the interval that holds the true share with 95 in 100 (Wilson, 1927)."""

    hits: int
    of: int
    share: float
    low: float
    high: float


class Paid(Struct, frozen=True):
    """What buyers paid for a lead, in minor units: the mean, the quartiles, and for how many."""

    legs: int
    mean: int
    low: int
    middle: int
    high: int


class Band(Struct, frozen=True):
    """Within what a lead of a tier should sell, in minor units, and a price in between."""

    low: int
    price: int
    high: int


class TierRow(Struct, frozen=True, kw_only=True):
    """One tier. Of ``leads`` rated in the span ``sold`` went to buyers; ``alone`` and ``leg`` are what was paid for one
    sold exclusively and for a leg of a shared one. ``accepted``, ``returned`` and ``won`` are counted by leg; won ones
    only where the horizon is full. ``value`` is what a win was worth to its buyer where that was told, ``bears`` that
    times the share that is won; ``earns`` what a rated lead of the tier is expected to bring us, ``cost`` what a buyer
    pays for a win. ``band`` and ``leg_band`` are the prices to sell within. Amounts are minor units."""

    tier: str
    least: int
    leads: int
    sold: int
    accepted: Part
    returned: Part
    won: Part
    alone: Paid | None = None
    leg: Paid | None = None
    value: int | None = None
    bears: int | None = None
    earns: int | None = None
    cost: int | None = None
    band: Band | None = None
    leg_band: Band | None = None


class TierReport(Struct, frozen=True):
    """The tiers of a vertical, the best first, over ``days``; a win counts within ``horizon`` days. What became of one
    lead in ``of`` was looked at, where there were more than are held at once."""

    vertical: str
    currency: str
    days: int
    horizon: int
    tiers: list[TierRow]
    of: int = 1


class Sold(Struct, frozen=True):
    """One leg as far as prices and shares go: ``price`` in minor units, None for a team; see ``service.Fate``."""

    lead_id: str
    tier: str
    price: int | None
    shared: bool
    refused: bool
    returned: bool | None
    won: bool | None
    value: int | None
    settled: bool = True


def part_of(flags: Iterable[bool]) -> Part:
    """How many of these hold."""
    known = list(flags)
    hits, of = sum(known), len(known)
    low, high = share_interval(hits, of)
    return Part(hits, of, hits / of if of else 0.0, low, high)


def paid_of(prices: Sequence[int]) -> Paid | None:
    """What was paid; None where nothing was."""
    if not prices:
        return None
    ranked = sorted(prices)
    low, middle, high = (_quantile(ranked, share) for share in (0.25, 0.5, 0.75))
    return Paid(len(ranked), round(sum(ranked) / len(ranked)), low, middle, high)


def _quantile(ranked: Sequence[int], share: float) -> int:
    """Between the two nearest of the ranked values (Hyndman and Fan 1996, type 7)."""
    place = share * (len(ranked) - 1)
    below = int(place)
    above = min(below + 1, len(ranked) - 1)
    return round(ranked[below] + (ranked[above] - ranked[below]) * (place - below))


def band_of_prices(paid: Paid | None, bears: int | None) -> Band | None:
    """The price band: the middle half of what was paid, cut where a win would no longer bear it; None for fewer than
    :data:`ENOUGH` prices."""
    if paid is None or paid.legs < ENOUGH:
        return None
    most = paid.high if bears is None or bears <= 0 else min(paid.high, bears)
    low = min(paid.low, most)
    return Band(low, min(max(paid.middle, low), most), most)


def tier_rows(tiers: Tiers, leads: Mapping[str, int], sold: Iterable[Sold], of: int = 1) -> list[TierRow]:
    """Every tier with what its legs show; tiers that the card no longer names stand behind, from -1 points on.
    ``sold`` are the legs of one lead in ``of``, ``leads`` counts all."""
    by_tier: dict[str, list[Sold]] = {}
    for one in sold:
        by_tier.setdefault(one.tier, []).append(one)
    known = [name for name, _ in tiers]
    gone = sorted((by_tier.keys() | leads.keys()) - set(known))
    every = [*tiers, *((name, -1) for name in gone)]
    return [_row(name, least, leads.get(name, 0), by_tier.get(name, []), of) for name, least in every]


def _row(tier: str, least: int, leads: int, legs: Sequence[Sold], of: int) -> TierRow:
    bought = [one for one in legs if one.price is not None]
    kept = [one for one in bought if not one.refused]
    won = part_of(one.won for one in legs if one.won is not None)
    told = [one.value for one in legs if one.won and one.value is not None]
    value = round(sum(told) / len(told)) if told else None
    alone = paid_of([one.price for one in kept if one.price is not None and not one.shared])
    leg = paid_of([one.price for one in kept if one.price is not None and one.shared])
    earned = sum(one.price or 0 for one in kept if not one.returned) * of
    ripe = [one for one in kept if one.won is not None]
    wins = sum(one.won is True for one in ripe)
    bears = round(won.share * value) if value is not None and won.of else None
    return TierRow(
        tier=tier,
        least=least,
        leads=leads,
        sold=len({one.lead_id for one in kept}) * of,
        accepted=part_of(not one.refused for one in bought),
        returned=part_of(one.returned for one in kept if one.returned is not None and one.settled),
        won=won,
        alone=alone,
        leg=leg,
        value=value,
        bears=bears,
        earns=round(earned / leads) if leads else None,
        cost=round(sum(one.price or 0 for one in ripe) / wins) if wins else None,
        band=band_of_prices(alone, bears),
        leg_band=band_of_prices(leg, bears),
    )


def price_rules_text(report: TierReport) -> str:
    """The bands as price rules of an order, to be put behind its ``[[order]]`` table."""
    lines = [
        f"# Prices by quality tier for {report.vertical} orders, from the leads of the last {report.days} days.",
        "# Put them behind the [[order]] table of an order and look at them with leadmill replay before you apply.",
    ]
    for row in report.tiers:
        if row.band is None and row.leg_band is None:
            lines += ["", f"# {row.tier}: too few were sold to say."]
            continue
        said = [
            f"{what} {_words(band.low, report)} to {_words(band.high, report)}"
            for what, band in (("alone", row.band), ("a leg", row.leg_band))
            if band is not None
        ]
        lines += ["", f"# {row.tier}: {', '.join(said)}", "[[order.price_rules]]"]
        lines.append(f'where = [{{ field = "tier", eq = "{row.tier}" }}]')
        for key, band in (("price", row.band), ("shared_price", row.leg_band)):
            if band is not None:
                lines.append(f'{key} = "{_plain(band.price, report)}"')
    return "\n".join([*lines, ""])


def _words(amount: int, report: TierReport) -> str:
    return str(Money(amount, report.currency))


def _plain(amount: int, report: TierReport) -> str:
    return Money(amount, report.currency).decimal()
