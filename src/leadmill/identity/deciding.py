"""Whose lead it is: the rules over everybody whom a key or a likeness brought up. Pure.

An exact key proposes, names and dates may object. Where no key decides, the weight does; where two answers are near to
one another, nobody is merged and the likeness is kept for somebody to look at.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct

from leadmill.capture import Matching
from leadmill.identity.household import (
    Compared,
    Kin,
    Likeness,
    compare,
    compare_all,
    kin_by_email,
    kin_by_phone,
)
from leadmill.identity.model import Possible, Tie
from leadmill.identity.traits import Profile, Traits
from leadmill.identity.weighing import Likely, bits_of, weigh_known
from leadmill.linkage import Part

LIKENESS = "likeness"
"""In ``matched_on``: no key decided, the weight did."""

_DATED = 3.5
"""Bits less that are enough where last name, birth date and home agree, or the very birth date where a home is not
known: then it is nobody else of the household, whose shared name and home weigh most."""
_CLEARLY = 3.0
"""Bits by which the likelier of two persons who are surely not one must be ahead."""
_MOST_TIES = 8
_MOST_POSSIBLE = 5


class Holder(Struct, frozen=True):
    """A person whom keys of the lead belong to, and by which kinds."""

    person_id: str
    by: tuple[str, ...]
    profile: Profile


class Choice(Struct, frozen=True):
    """Whose lead it is: ``owner`` None for a person not seen before; the rest as in ``Identity``."""

    owner: str | None
    matched_on: tuple[str, ...] = ()
    rival: str | None = None
    rival_on: str | None = None
    household: tuple[Tie, ...] = ()
    possible: tuple[Possible, ...] = ()
    bits: float | None = None
    parts: tuple[Part, ...] = ()


class _Judged(Struct, frozen=True):
    holder: Holder
    seen: Compared
    kin: Kin


def judge(traits: Traits, holder: Holder) -> Kin:
    """Who the lead's person is to somebody who has one of its keys."""
    return _judged(traits, holder).kin


def _judged(traits: Traits, holder: Holder) -> _Judged:
    seen = compare(traits, holder.profile)
    return _Judged(holder, seen, (kin_by_email if "email" in holder.by else kin_by_phone)(seen))


def decide(
    traits: Traits,
    holders: Sequence[Holder],
    likely: Sequence[Likely],
    profile_of: Callable[[str], Profile],
    terms: Matching,
) -> Choice:
    """Whose lead it is, by the holders of its keys, oldest first, and by whoever looks like it.

    Among holders whom nothing speaks against, the one with the lead's given name counts, then the mailbox's owner, for
    a phone is shared or handed on more often, then the oldest. Without one, the likeliest counts from the vertical's
    probability on. Others who are as surely the lead's, and may be one person with the chosen, are bridged by it.
    """
    judged = [_judged(traits, holder) for holder in holders]
    held = {each.holder.person_id for each in judged}
    ones = [each for each in judged if each.kin is Kin.ONE]
    sure = sorted(
        (each for each in likely if each.kin is Kin.ONE and enough(each, terms)),
        key=lambda each: (-each.weight.bits, each.person_id),
    )
    ties = _ties(judged, likely)
    doubts = _doubts(traits, judged, likely, terms)
    if ones:
        chosen = max(ones, key=lambda each: (_named(each), "email" in each.holder.by, "phone" in each.holder.by))
        owner, matched_on = chosen.holder.person_id, chosen.holder.by
        rivals = [each for each in ones if each is not chosen]
        if any("email" in each.holder.by for each in rivals) and "email" not in matched_on:
            matched_on = (*matched_on, "name")
        bridged = [each.holder.person_id for each in rivals]
        bridged += [each.person_id for each in sure if each.person_id not in held]
        open_rivals = [*rivals, *(each for each in judged if each.kin is Kin.UNSURE)]
        rival = open_rivals[0] if open_rivals else None
        return Choice(
            owner,
            matched_on,
            rival.holder.person_id if rival else None,
            rival.holder.by[0] if rival else None,
            ties,
            (*_bridges(traits, owner, bridged, sure, profile_of), *doubts)[:_MOST_POSSIBLE],
        )
    sure = [each for each in sure if each.person_id not in held]
    unsure = next((each.holder for each in judged if each.kin is Kin.UNSURE), None)
    rival_id, rival_on = (unsure.person_id, unsure.by[0]) if unsure else (None, None)
    others = [each for each in likely if each.kin is Kin.UNSURE and each.person_id not in held]
    if not sure or _torn(sure, others, profile_of):
        torn = tuple(Possible(each.person_id, "possible", each.weight.bits, list(each.weight.parts)) for each in sure)
        return Choice(None, (), rival_id, rival_on, ties, (*torn, *doubts)[:_MOST_POSSIBLE])
    best = sure[0]
    bridges = _bridges(traits, best.person_id, [each.person_id for each in sure[1:]], sure, profile_of)
    return Choice(
        best.person_id,
        (LIKENESS,),
        rival_id,
        rival_on,
        ties,
        (*bridges, *doubts)[:_MOST_POSSIBLE],
        round(best.weight.bits, 2),
        best.weight.parts,
    )


def enough(likely: Likely, terms: Matching) -> bool:
    """Whether somebody looks enough like the lead's person to be them."""
    seen = likely.compared
    near = {Likeness.ABSENT: Likeness.SAME, Likeness.OTHER: None}.get(seen.place, Likeness.NEAR)
    dated = near is not None and seen.born <= near and seen.last <= Likeness.NEAR
    return likely.weight.bits >= bits_of(terms.same) - (_DATED if dated else 0.0)


def _named(judged: _Judged) -> bool:
    return judged.seen.given <= Likeness.NEAR


def _torn(sure: Sequence[Likely], unsure: Sequence[Likely], profile_of: Callable[[str], Profile]) -> bool:
    """Whether the lead is as likely somebody else's who is surely not the likeliest: a father's or his junior's, where
    it tells no birth date."""
    best = sure[0]
    return any(
        best.weight.bits - other.weight.bits < _CLEARLY and not may_be_one(best.person_id, other.person_id, profile_of)
        for other in (*sure[1:], *unsure)
    )


def may_be_one(one: str, other: str, profile_of: Callable[[str], Profile]) -> bool:
    """Whether nothing that two persons have shown says that they are two."""
    return compare_all(profile_of(one).variants, profile_of(other).variants).clash is None


def _bridges(
    traits: Traits, owner: str, others: Sequence[str], sure: Sequence[Likely], profile_of: Callable[[str], Profile]
) -> tuple[Possible, ...]:
    """The others who may be one with the owner, who from now on has shown what the lead shows as well."""
    weights = {each.person_id: each.weight for each in sure}
    shown = (*profile_of(owner).variants, traits)
    found = []
    for other in others:
        if compare_all(shown, profile_of(other).variants).clash is None:
            weight = weights.get(other)
            found.append(
                Possible(other, "bridge", weight.bits if weight else SURE_BITS, list(weight.parts) if weight else [])
            )
    return tuple(found)


SURE_BITS = 20.0
"""What a shared key that nothing speaks against counts as, where it is told beside weights."""


def _ties(judged: Sequence[_Judged], likely: Sequence[Likely]) -> tuple[Tie, ...]:
    found = [
        Tie(each.holder.person_id, "household" if each.seen.homely else "shared", each.holder.by[-1])
        for each in judged
        if each.kin is Kin.OTHER
    ]
    held = {each.holder.person_id for each in judged}
    found += [
        Tie(each.person_id, "household", "address")
        for each in likely
        if each.kin is Kin.OTHER and each.person_id not in held and each.compared.last <= Likeness.NEAR
    ]
    return tuple(found[:_MOST_TIES])


def _doubts(
    traits: Traits, judged: Sequence[_Judged], likely: Sequence[Likely], terms: Matching
) -> tuple[Possible, ...]:
    """Who may be the lead's person and is not taken for it."""
    found = []
    for each in judged:
        if each.kin is Kin.UNSURE:
            weight = weigh_known(traits, each.holder.profile, terms)
            found.append(Possible(each.holder.person_id, "possible", weight.bits, list(weight.parts)))
    held = {each.holder.person_id for each in judged}
    least = bits_of(terms.possible)
    for other in likely:
        if other.person_id in held or other.kin is Kin.OTHER or other.weight.bits < least:
            continue
        if other.kin is Kin.UNSURE or not enough(other, terms):
            found.append(Possible(other.person_id, "possible", other.weight.bits, list(other.weight.parts)))
    return tuple(found)
