"""How much speaks for one person where no key decides: the traits of a lead weighed against what a person has shown.

Pure; the model is that of ``linkage``, with the part of its fields that a lead and a person have traits for.
"""

import math
from functools import lru_cache

import msgspec
from msgspec import Struct

from leadmill import linkage
from leadmill.capture import Matching
from leadmill.identity.household import Compared, Kin, Likeness, compare, compare_born, compare_given, kin_by_weight
from leadmill.identity.traits import Profile, Traits
from leadmill.linkage import Comparison, Frequencies, Level, Model, Part, Weight

_FIELDS = ("given_name", "family_name", "email", "phone", "birth_date", "street", "house_number", "postcode")


class Likely(Struct, frozen=True):
    """A person who may be the lead's: how they compare, what that makes them, and the weight in bits with its parts."""

    person_id: str
    kin: Kin
    compared: Compared
    weight: Weight


_MOVED = -4.0
"""The least that three fields of an address say together against one person: who moves changes all of them at once, and
one in sixteen has moved."""
_PLACE = frozenset(("street", "house_number", "postcode"))


@lru_cache(16)
def scales(people: int) -> tuple[Model, Frequencies]:
    """The model for a store of so many people, and how common names are."""
    whole = linkage.consumers(people)
    kept = {comparison.field.name: comparison for comparison in whole.comparisons}
    kept["email"] = _dulled(kept["email"], 0.0)
    kept["phone"] = _dulled(kept["phone"], 0.25)
    return msgspec.structs.replace(whole, comparisons=tuple(kept[name] for name in _FIELDS)), linkage.census()


def _dulled(comparison: Comparison, part: float) -> Comparison:
    """A comparison of contact details whose near levels keep a ``part`` of their bits. Namesakes choose addresses near
    to one another, john.smith1 and john.smith2, and families and offices have numbers in a row."""
    same, *near, differs = comparison.levels
    dull = [Level(level.name, level.m, level.m / 2 ** (part * level.bits)) for level in near]
    return msgspec.structs.replace(comparison, levels=(same, *dull, differs))


def _record(traits: Traits) -> tuple[str, ...]:
    """The traits in the order of the model's fields."""
    return (
        traits.given,
        traits.last,
        traits.email,
        traits.phone,
        traits.born,
        traits.street,
        traits.house,
        traits.zip,
    )


def is_another(traits: Traits, known: Profile) -> bool:
    """Whether given name or birth date alone show another person: asked of everybody first, because it costs least."""
    given = born = False
    for each in known.variants:
        if not given:
            given = compare_given(traits.given, each.given) is not Likeness.OTHER or _exchanged(traits, each)
        if not born:
            born = compare_born(traits.born, each.born) is not Likeness.OTHER
    return not (given and born)


def _exchanged(traits: Traits, known: Traits) -> bool:
    return traits.given == known.last or traits.last == known.given


def weigh_person(person_id: str, traits: Traits, known: Profile, terms: Matching) -> Likely | None:
    """How likely a person is the lead's: by the variant that is nearest to it. None for somebody clearly else who is
    no household either."""
    if not known.variants:
        return None
    if is_another(traits, known) and not any(_one_home(traits, each) for each in known.variants):
        return None
    compared = compare(traits, known)
    kin = kin_by_weight(compared)
    if kin is Kin.OTHER:
        return Likely(person_id, kin, compared, _NOTHING) if compared.place is Likeness.SAME else None
    return Likely(person_id, kin, compared, weigh_known(traits, known, terms))


_NOTHING = Weight(-100.0, ())


def weigh_known(traits: Traits, known: Profile, terms: Matching) -> Weight:
    """What the nearest variant of a person with a name weighs."""
    model, frequencies = scales(terms.people)
    record = _record(traits)
    weights = [_weigh(model, record, _record(each), frequencies) for each in known.variants if each.named]
    return max(weights, key=lambda weight: weight.bits, default=_NOTHING)


def _weigh(model: Model, a: tuple[str, ...], b: tuple[str, ...], frequencies: Frequencies) -> Weight:
    weight = linkage.weigh(model, a, b, frequencies)
    against = sum(part.bits for part in weight.parts if part.field in _PLACE)
    if against >= _MOVED:
        return weight
    moved = Part("address", "another home at once", _MOVED - against)
    return Weight(weight.bits + moved.bits, (*weight.parts, moved))


@lru_cache(64)
def bits_of(probability: float) -> float:
    """A probability as log2 odds."""
    return math.log2(probability / (1.0 - probability))


def _one_home(traits: Traits, known: Traits) -> bool:
    return bool(traits.house) and traits.house == known.house and traits.zip == known.zip
