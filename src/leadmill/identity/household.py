"""Can this be one person, or only one household? What a shared phone or mailbox never decides alone.

Pure. Spouses share a number, twins a birth date, an address and a last name, a father and his junior even the name.
So before anything is matched, by an exact key or by weight, the traits that tell the members of a household apart are
compared: given name, birth date and suffix. Each comparison is a table of cases in ``tests/identity``.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import Enum, IntEnum
from functools import lru_cache

from msgspec import Struct
from rapidfuzz.distance import OSA, JaroWinkler

from leadmill.identity.givennames import are_forms, full_forms, is_real, may_be_forms, may_be_of_one_sex
from leadmill.identity.traits import Profile, Traits


class Likeness(IntEnum):
    """How two values of a trait stand to one another, the further apart the greater."""

    SAME = 0
    NEAR = 1
    """A slip of the finger or another spelling apart."""
    ABSENT = 2
    """One of the two is not known."""
    LOOSE = 3
    """Forms of one name at a stretch: Robert and Bill, Jo and Jy."""
    OTHER = 4
    """Two values that one person does not have."""


class Kin(Enum):
    """Who a lead's person is to a known one, as far as names and dates say."""

    ONE = "one"
    """Nothing speaks against one person."""
    UNSURE = "unsure"
    """One person or two: somebody should look."""
    OTHER = "other"
    """Clearly two persons."""


_SHORT = 4
"""Letters below which one slip makes another name."""
_LONG = 7
"""Letters from which a name may have two slips."""
_ALIKE = 0.9
"""Jaro-Winkler similarity from which two spellings of which one is no known name are one name."""
_GENERATION = 15
"""Years by which two birth dates differ where one slip cannot be told from a generation."""
_FIRST, _LAST = "1915", "2015"
"""Years of birth before and after which nobody asks for anything: another year was meant."""
_SOUNDS = str.maketrans({"k": "c", "q": "c", "z": "s", "y": "i", "j": "g"})


@lru_cache(65_536)
def compare_given(a: str, b: str) -> Likeness:
    """Two given names in plain form.

    Initials, short forms and names cut short are the same; so is one of several given names. Two names that both exist
    are near only where they sound alike and are not a man's and a woman's (Jon and John, not Joan); otherwise a slip or
    two make near names.
    """
    if not a or not b:
        return Likeness.ABSENT
    if a == b or _partly(a, b):
        return Likeness.SAME
    first, second = a.partition(" ")[0], b.partition(" ")[0]
    if len(first) == 1 or len(second) == 1:
        return Likeness.SAME if first[0] == second[0] else Likeness.OTHER
    if _one_name(first, second):
        return Likeness.SAME
    if _spelt_alike(first, second):
        return Likeness.NEAR
    short = min(len(first), len(second)) < _SHORT and first[0] == second[0] and OSA.distance(first, second) <= 1
    return Likeness.LOOSE if short or may_be_forms(first, second) else Likeness.OTHER


def _partly(a: str, b: str) -> bool:
    if " " not in a and " " not in b:
        return False
    ours, theirs = a.split(), b.split()
    return set(ours) <= set(theirs) or set(theirs) <= set(ours) or "".join(ours) == "".join(theirs)


def _one_name(a: str, b: str) -> bool:
    if are_forms(a, b):
        return True
    # A slip in a name of which the other is a short form: Josua and Josh.
    return (not is_real(a) and _slipped(a, full_forms(b))) or (not is_real(b) and _slipped(b, full_forms(a)))


def _slipped(name: str, forms: Iterable[str]) -> bool:
    return len(name) >= _SHORT and any(OSA.distance(name, form, score_cutoff=1) <= 1 for form in forms)


def _spelt_alike(a: str, b: str) -> bool:
    slips = OSA.distance(a, b, score_cutoff=2)
    if is_real(a) and is_real(b):
        return slips <= 1 and may_be_of_one_sex(a, b) and _sound(a) == _sound(b)
    if a[:-1] == b[:-1] and {a[-1], b[-1]} == {"a", "o"}:
        return False  # brother and sister
    shorter = min(len(a), len(b))
    if slips <= 1:
        return shorter >= 3  # of two letters, one slip is half the name
    if slips == 2 and shorter >= _LONG:
        return True
    return shorter >= 4 and a[0] == b[0] and JaroWinkler.similarity(a, b) >= _ALIKE


@lru_cache(16_384)
def _sound(name: str) -> str:
    """The consonants of a name as they sound, roughly: enough to tell Jon from Jan no better than John from Jon."""
    told = name.replace("ph", "f").replace("h", "").translate(_SOUNDS)
    kept = told[:1] + "".join(sign for sign in told[1:] if sign not in "aeiou")
    return "".join(sign for at, sign in enumerate(kept) if not at or sign != kept[at - 1])


def compare_born(a: str, b: str) -> Likeness:
    """Two birth dates of eight digits, year first.

    Near are one wrong digit, two neighbours exchanged, day and month exchanged, and the first of January of the same
    year, which forms are left at; not a decade or two between, which may be a father and his son, unless one of the two
    years cannot be meant.
    """
    if not a or not b:
        return Likeness.ABSENT
    if a == b:
        return Likeness.SAME
    apart = abs(int(a[:4]) - int(b[:4])) >= _GENERATION
    if apart and _lived(a) and _lived(b):
        return Likeness.OTHER
    year = a[:4] == b[:4]
    if year and "0101" in (a[4:], b[4:]):
        return Likeness.NEAR
    if year and a[4:6] == b[6:] and a[6:] == b[4:6]:
        return Likeness.NEAR
    return Likeness.NEAR if OSA.distance(a, b, score_cutoff=1) <= 1 else Likeness.OTHER


def _lived(born: str) -> bool:
    return _FIRST <= born[:4] <= _LAST


def compare_suffix(a: str, b: str) -> Likeness:
    """Two suffixes. One that only one of the two has says little: juniors leave it out, and fathers never had it."""
    if a == b:
        return Likeness.SAME if a else Likeness.ABSENT
    return Likeness.NEAR if not a or not b else Likeness.OTHER


def compare_last(a: str, b: str) -> Likeness:
    """Two family names: one of a double name is the same, two slips in a long one are near."""
    if not a or not b:
        return Likeness.ABSENT
    if a == b or _partly(a, b):
        return Likeness.SAME
    slips = OSA.distance(a, b, score_cutoff=2)
    return Likeness.NEAR if slips <= 1 or (slips == 2 and min(len(a), len(b)) >= _LONG) else Likeness.OTHER


class Compared(Struct, frozen=True):
    """How a lead stands to a person, trait by trait; of all that the person has shown, the nearest value counts."""

    given: Likeness
    born: Likeness
    suffix: Likeness
    last: Likeness
    place: Likeness
    initial: bool = False
    """Whether the given names agree by an initial alone, which one in ten of any household has."""

    @property
    def clash(self) -> str | None:
        """The trait by which they are clearly two persons, in words; None where nothing is."""
        if self.given is Likeness.OTHER or (self.given is Likeness.LOOSE and self.born is not Likeness.SAME):
            return "given name"
        if self.born is Likeness.OTHER:
            return "date of birth"
        return "suffix" if self.suffix is Likeness.OTHER else None

    @property
    def homely(self) -> bool:
        """Whether they live together or bear one name: two persons with such ties are a household."""
        return self.place is Likeness.SAME or self.last <= Likeness.NEAR


NOTHING_KNOWN = Compared(Likeness.ABSENT, Likeness.ABSENT, Likeness.ABSENT, Likeness.ABSENT, Likeness.ABSENT)
"""How a lead stands to a person who has shown nothing."""


def compare(new: Traits, known: Profile) -> Compared:
    """A lead's traits against all that a person has shown."""
    return compare_all((new,), known.variants)


def compare_all(ours: Sequence[Traits], theirs: Sequence[Traits]) -> Compared:
    """All that one person has shown against all that another has."""
    if not ours or not theirs:
        return NOTHING_KNOWN
    given = _nearest(compare_given, _spoken(ours), _spoken(theirs))
    last = _nearest(compare_last, [each.last for each in ours], [each.last for each in theirs])
    initial = given is Likeness.SAME and (_bare(ours) or _bare(theirs))
    if given > Likeness.ABSENT and _crosswise(ours, theirs):
        given = last = Likeness.SAME
    return Compared(
        initial=initial,
        given=given,
        born=_nearest(compare_born, [each.born for each in ours], [each.born for each in theirs]),
        suffix=_nearest(compare_suffix, [each.suffix for each in ours], [each.suffix for each in theirs]),
        last=last,
        place=_place(ours, theirs),
    )


def _spoken(variants: Sequence[Traits]) -> list[str]:
    """Given names, initials only where nothing else is known: J. is James and John, who are twins."""
    names = [each.given for each in variants]
    return [name for name in names if len(name) > 1] or names


def _bare(variants: Sequence[Traits]) -> bool:
    """Whether nothing but initials are known of a given name."""
    return all(len(name) == 1 for name in _spoken(variants))


def _nearest(rule: Callable[[str, str], Likeness], ours: Iterable[str], theirs: Iterable[str]) -> Likeness:
    left, right = {*ours}, {*theirs}
    if len(left) > 1 or len(right) > 1:
        # What somebody left out once says nothing where they told it another time.
        left, right = left - {""} or left, right - {""} or right
    return min(rule(a, b) for a in left for b in right)


def _crosswise(ours: Sequence[Traits], theirs: Sequence[Traits]) -> bool:
    """Whether given and last name stand in each other's place, one of them to the letter."""
    return any(
        a.named
        and (a.given == b.last or a.last == b.given)
        and compare_given(a.given, b.last) <= Likeness.NEAR
        and compare_given(a.last, b.given) <= Likeness.NEAR
        for a in ours
        for b in theirs
    )


def _place(ours: Sequence[Traits], theirs: Sequence[Traits]) -> Likeness:
    """Homes: the same with house number, street and ZIP, one slip aside; near with number or ZIP; another where both
    are known and differ."""
    best = Likeness.ABSENT
    for a in ours:
        for b in theirs:
            if a.zip and b.zip:
                if _one_home(a, b):
                    return Likeness.SAME
                near = a.zip == b.zip or (bool(a.house) and a.house == b.house)
                best = Likeness.NEAR if near or best is Likeness.NEAR else Likeness.OTHER
    return best


def _one_home(a: Traits, b: Traits) -> bool:
    if not (a.house and b.house):
        return False
    house, place = a.house == b.house, a.zip == b.zip
    if house and place:
        return not a.street or not b.street or a.street[:3] == b.street[:3] or a.street[-5:] == b.street[-5:]
    if (house or place) and a.street and a.street == b.street:
        pair = (a.zip, b.zip) if house else (a.house, b.house)
        return OSA.distance(*pair, score_cutoff=1) <= 1
    return False


def kin_by_email(seen: Compared) -> Kin:
    """Who it is that uses a person's mailbox: that person, unless name or birth date are clearly another's."""
    return Kin.OTHER if seen.clash else Kin.ONE


def kin_by_phone(seen: Compared) -> Kin:
    """Who it is that answers a person's number. Numbers are shared and handed on: beyond a clear difference, a suffix
    that only one of the two has, or another last name at another home, leave it open, unless the birth dates agree."""
    if seen.clash:
        return Kin.OTHER
    if seen.born <= Likeness.NEAR:
        return Kin.ONE
    if seen.suffix is Likeness.NEAR or (seen.last is Likeness.OTHER and seen.place is Likeness.OTHER):
        return Kin.UNSURE
    return Kin.ONE


def kin_by_weight(seen: Compared) -> Kin:
    """Who it may be that only looks like a person: the weight decides besides. A name alone, in however small a place,
    is nobody's: birth date or home must agree as well.

    At home that is enough, unless all that is known of the given name is an initial, which others of the home may have,
    or one of two is a junior, or the last name is another, as in a large house. Elsewhere the birth date stands for the
    home and must be the very one, beside names that are a slip apart at most: among a million people some have nearly
    one name and nearly one day of birth.
    """
    if seen.clash:
        return Kin.OTHER
    if seen.place is Likeness.SAME:
        other = seen.last is Likeness.OTHER and seen.born is not Likeness.SAME
        open_ = other or (seen.born > Likeness.NEAR and (seen.suffix is Likeness.NEAR or seen.initial))
    elif seen.place is Likeness.OTHER:
        open_ = seen.born is not Likeness.SAME or seen.given > Likeness.NEAR or seen.last is Likeness.OTHER
    else:
        open_ = seen.born > Likeness.NEAR or seen.given is Likeness.LOOSE or seen.last is Likeness.OTHER
    return Kin.UNSURE if open_ else Kin.ONE
