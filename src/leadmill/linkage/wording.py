"""What a file taught, in words: how often records of one person agree, how often others do, what that weighs."""

from collections.abc import Iterator

from leadmill.linkage.model import Comparison, Model

_SAID = 0.002
"""Levels that fewer matches fall on are not told."""
_REASONS = {
    "town": "live in one town",
    "place": "have one address",
    "home": "share a home",
    "namesakes": "share a home and the first name",
}


def tell_model(model: Model, records: int) -> Iterator[str]:
    """One sentence a line: first how many pairs are matches, then each field from the most telling on."""
    pairs = records * (records - 1) / 2
    yield f"About {_count(model.prior * pairs)} of {_count(pairs)} pairs of records are one person's."
    for bundle in model.bundles:
        shared = ", ".join(bundle.fields)
        reason = _REASONS.get(bundle.name, bundle.name)
        if bundle.share * pairs >= 1:
            yield f"About {_count(bundle.share * pairs)} pairs are of different persons who {reason} ({shared})."
    for comparison in sorted(model.comparisons, key=lambda one: -one.levels[0].bits):
        yield from _tell(comparison)
    for swap in model.swaps:
        yield f"{swap.first} and {swap.second} stand in each other's place in {_share(swap.m)} of one person's pairs."
    for echo in model.echoes:
        yield f"Where {' and '.join(echo.of)} agree, {echo.field} says little unless it is the same."


def _tell(comparison: Comparison) -> Iterator[str]:
    said = [
        f"{level.name} in {_share(level.m)} of one person's pairs, {_share(level.u)} of others ({level.bits:+.1f} bits)"
        for level in comparison.levels
        if level.m >= _SAID
    ]
    rarity = "; a rare value weighs more" if comparison.rarity else ""
    yield f"{comparison.field.name}: {'; '.join(said)}{rarity}."


def _share(probability: float) -> str:
    """A share as percent, or as one in so many where it is small."""
    if probability >= 0.01:
        return f"{probability:.0%}"
    return f"one in {_count(1 / max(probability, 1e-12))}"


def _count(number: float) -> str:
    """A number with two digits that count."""
    if number < 10:
        return f"{number:.0f}"
    digits = len(str(int(number))) - 2
    return f"{round(number / 10**digits) * 10**digits:,}"
