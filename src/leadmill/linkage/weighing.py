"""A pair of records, one at a time: on which levels it falls, and what that weighs. Pure.

Real-time identity asks here; ``pairs`` does the same for millions at once and a property test holds the two together.
"""

import math
from collections.abc import Sequence

from leadmill.linkage.ladders import ladder
from leadmill.linkage.model import MISSING, Comparison, Echo, Frequencies, Levels, Model, Part, Weight

_NO_FREQUENCIES = Frequencies()


def compare(model: Model, a: Sequence[str], b: Sequence[str]) -> Levels:
    """The levels of two prepared records (:func:`leadmill.linkage.prepare` with the model's fields). A value that one
    of them lacks is MISSING. Two fields that agree crosswise and not straight, one of them exactly, are swapped."""
    at = [
        ladder(comparison.field.kind).level(a[place], b[place]) if a[place] and b[place] else MISSING
        for place, comparison in enumerate(model.comparisons)
    ]
    swapped: list[int] = []
    for number, (first, second) in enumerate(swap_places(model)):
        if at[first] <= 1 or at[second] <= 1:
            continue
        if a[first] != b[second] and a[second] != b[first]:
            continue
        rungs = ladder(model.comparisons[first].field.kind)
        cross = rungs.level(a[first], b[second]), rungs.level(a[second], b[first])
        if max(cross) <= 1:
            at[first], at[second] = cross
            swapped.append(number)
    return Levels(tuple(at), tuple(swapped))


def weigh(model: Model, a: Sequence[str], b: Sequence[str], frequencies: Frequencies = _NO_FREQUENCIES) -> Weight:
    """What the pair weighs, field by field. With ``frequencies`` a rare value weighs more than a common one."""
    return weigh_levels(model, compare(model, a, b), a, b, frequencies)


def weigh_levels(
    model: Model, levels: Levels, a: Sequence[str], b: Sequence[str], frequencies: Frequencies = _NO_FREQUENCIES
) -> Weight:
    """As :func:`weigh`, of levels already known."""
    crossed = {}
    for number in levels.swapped:
        first, second = swap_places(model)[number]
        crossed[first], crossed[second] = second, first
    echoed = _echoed(model, levels)
    parts = [Part("prior", "before anything is compared", model.prior_bits)]
    bits: dict[str, float] = {}
    for place, comparison in enumerate(model.comparisons):
        level = levels.at[place]
        if level == MISSING:
            continue
        step = comparison.levels[level]
        values = a[place], b[crossed.get(place, place)]
        echo = echoed.get(place)
        if echo is not None and level > 0:
            here = math.log2(step.m / echo.u[level])
        else:
            here = step.bits + rarity_bits(comparison, level, values, frequencies)
        bits[comparison.field.name] = here
        parts.append(Part(comparison.field.name, step.name, here))
    for number in levels.swapped:
        swap = model.swaps[number]
        parts.append(Part(f"{swap.first} and {swap.second}", "exchanged", math.log2(swap.m)))
        bits[swap.first] += math.log2(swap.m)
    shared = bundle_part(model, bits)
    if shared is not None:
        parts.append(shared)
    return Weight(math.fsum(part.bits for part in parts), tuple(parts))


def _echoed(model: Model, levels: Levels) -> dict[int, Echo]:
    """The fields, by place, that only echo what others say already: nothing of what they are made of differs, and
    something of it is there."""
    if not model.echoes or levels.swapped:
        return {}
    places = places_of(model)
    return {
        places[echo.field]: echo
        for echo in model.echoes
        if any(levels.at[places[name]] != MISSING for name in echo.of)
        and all(levels.at[places[name]] < len(model.comparisons[places[name]].levels) - 1 for name in echo.of)
    }


def rarity_bits(comparison: Comparison, level: int, values: tuple[str, str], frequencies: Frequencies) -> float:
    """What the values' rarity adds: log2 of the average chance of meeting the same value over this value's own share,
    for two different values that of the commoner one, times the level's part in it. A term-frequency adjustment after
    Winkler (Frequency-Based Matching in Fellegi-Sunter Model of Record Linkage, 2000)."""
    part = ladder(comparison.field.kind).rarity[level] if comparison.rarity else 0.0
    if part == 0.0:
        return 0.0
    shares = [frequencies.share(comparison.field.name, value) for value in values]
    if shares[0] is None or shares[1] is None:
        return 0.0
    return part * math.log2(comparison.levels[0].u / max(shares[0], shares[1]))


def bundle_part(model: Model, bits: dict[str, float]) -> Part | None:
    """What must be taken off again because different persons share some of the fields together; None where that is
    nothing worth telling.

    The others of a pair are strangers, or share a bundle: then its fields agree as one person's do. So the likelihood
    of "others" grows by the factor 1 + sum of share times 2^bits over the bundles. Named is the one that explains most.
    """
    held = {
        bundle.name: math.log2(bundle.share) + math.fsum(bits.get(name, 0.0) for name in bundle.fields)
        for bundle in model.bundles
    }
    if not held:
        return None
    name = max(held, key=lambda name: held[name])
    top = max(0.0, held[name])
    taken = top + math.log2(math.exp2(-top) + math.fsum(math.exp2(value - top) for value in held.values()))
    return Part(name, "different persons share this", -taken) if taken > 0.01 else None


def places_of(model: Model) -> dict[str, int]:
    """Where each field stands in the model."""
    return {comparison.field.name: place for place, comparison in enumerate(model.comparisons)}


def swap_places(model: Model) -> tuple[tuple[int, int], ...]:
    """Where the fields of each swap stand in the model."""
    if not model.swaps:
        return ()
    places = places_of(model)
    return tuple((places[swap.first], places[swap.second]) for swap in model.swaps)
