"""A made-up population of adults in households, and the leads that they send with the slips that people make.

Called by the benchmark of ``identity`` and by the tests. Names come from the Census Bureau's tables by how common they
are, ZIPs from the post's list, thickly and thinly peopled; every share below is a guess that can be read and changed.
Seeded: the same number makes the same people everywhere.
"""

import random
from bisect import bisect
from collections.abc import Iterator

import zipcodes
from msgspec import Struct
from nicknames import name_triplets

from benchmarks.persons import Names, slip
from leadmill.identity import Traits
from leadmill.identity.givennames import are_forms

_TYPES = ("st", "ave", "dr", "rd", "ln", "ct", "blvd", "way")
_DOMAINS = ("gmail.com", "gmail.com", "gmail.com", "yahoo.com", "outlook.com", "aol.com", "icloud.com", "example.net")
_DIGITS = "0123456789"
_TOWERS = 400


class Slips(Struct, frozen=True):
    """How often each thing goes wrong in one lead; of two leads compared, both may have gone wrong."""

    given: float = 0.025
    last: float = 0.025
    street: float = 0.03
    house: float = 0.01
    zip: float = 0.01
    born: float = 0.012
    day_for_month: float = 0.003
    nickname: float = 0.07
    initial: float = 0.003
    swapped: float = 0.006
    married: float = 0.012
    moved: float = 0.025
    no_born: float = 0.05
    no_address: float = 0.02


SLIPS = Slips()


class Human(Struct, frozen=True):
    """An adult. ``home`` numbers the household, ``role`` is what they are in it; ``stored`` tells whether the store is
    to know them: of the others some live with people it knows."""

    number: int
    home: int
    role: str
    sex: str
    traits: Traits
    stored: bool


class World:
    """People without end, household by household."""

    def __init__(self, seed: int = 1, stored: float = 0.8) -> None:
        self._chance = random.Random(seed)
        self._stored = stored
        book = Names()
        self._women, self._men, self._lasts = book.female, book.male, book.last
        self.short: dict[str, list[str]] = {}
        for triplet in name_triplets():
            usual = are_forms(triplet.name1, triplet.name2)
            # What people are really called, three times as often as what a book of names lists besides.
            self.short.setdefault(triplet.name1, []).extend([triplet.name2] * (3 if usual else 1))
        chance = self._chance
        listed: list[dict[str, str]] = zipcodes.list_all()  # type: ignore[no-untyped-call]
        places = sorted({each["zip_code"] for each in listed if each["zip_code_type"] == "STANDARD"})
        weights = [chance.lognormvariate(0, 1.2) for _ in places]
        self._places, self._sums = places, _summed(weights)
        self._streets = [f"{_drawn(chance, self._lasts)} {chance.choice(_TYPES)}" for _ in range(4_000)]
        self._towers = [self._house() for _ in range(_TOWERS)]
        self._mailboxes: set[str] = set()
        self._homes = 0
        self._numbers = 0

    def people(self) -> Iterator[Human]:
        """One adult after another; those of a household follow each other."""
        while True:
            yield from self._household()

    def _household(self) -> list[Human]:
        chance = self._chance
        self._homes += 1
        if len(self._towers) < self._homes // 250:
            self._towers.append(self._house())
        house, street, place = chance.choice(self._towers) if chance.random() < 0.12 else self._house()
        landline = self._phone()
        last = _drawn(chance, self._lasts)
        found: list[Human] = []

        def live(role: str, sex: str, last: str, *, given: str = "", born: str = "", suffix: str = "") -> Human:
            first = given or _drawn(chance, self._women if sex == "f" else self._men)
            traits = Traits(
                given=first,
                last=last,
                suffix=suffix,
                born=born or _born(chance, 1940, 2006),
                house=house,
                street=street,
                zip=place,
                email=self._email(first, last),
                phone=landline if chance.random() < 0.15 else self._phone(),
            )
            human = Human(self._numbers, self._homes, role, sex, traits, chance.random() < self._stored)
            self._numbers += 1
            found.append(human)
            return human

        odds = chance.random()
        sex = chance.choice("fm")
        if odds < 0.38:
            live("single", sex, last)
        elif odds < 0.43:  # people who share a flat
            for _ in range(chance.choice((2, 3))):
                live("roommate", chance.choice("fm"), _drawn(chance, self._lasts))
        elif odds < 0.434:
            born = _born(chance, 1985, 2006)
            live("twin", sex, last, born=born)
            other = chance.choice("fm")
            live("twin", other, last, born=born, given=self._unlike(found, other))
        else:
            her = last if chance.random() < 0.85 else _drawn(chance, self._lasts)
            father = live("spouse", "m", last, born=_born(chance, 1940, 1985))
            live("spouse", "f", her, born=_born(chance, 1940, 1985))
            for _ in range(2 if chance.random() < 0.06 else 1 if chance.random() < 0.16 else 0):
                kind = chance.choice("fm")
                junior = kind == "m" and chance.random() < 0.04
                live(
                    "junior" if junior else "child",
                    kind,
                    last,
                    given=father.traits.given if junior else self._unlike(found, kind),
                    born=_born(chance, max(1962, int(father.traits.born[:4]) + 19), 2006),
                    suffix="jr" if junior else "",
                )
        return found

    def _unlike(self, family: list[Human], sex: str) -> str:
        """A name that nobody of the family is called by already."""
        while True:
            given = _drawn(self._chance, self._women if sex == "f" else self._men)
            if not any(given == each.traits.given or are_forms(given, each.traits.given) for each in family):
                return given

    def _house(self) -> tuple[str, str, str]:
        chance = self._chance
        number = min(29_999, 1 + int(chance.lognormvariate(6.3, 1.6)))
        return str(number), chance.choice(self._streets), self._places[bisect(self._sums, chance.random())]

    def _phone(self) -> str:
        chance = self._chance
        return f"+1{chance.randint(201, 989)}{chance.randint(200, 999)}{chance.randint(0, 9999):04}"

    def _email(self, first: str, last: str) -> str:
        chance = self._chance
        number = "" if chance.random() < 0.1 else str(chance.randint(1, 9999))
        shape = chance.randrange(4)
        local = (f"{first}.{last}", f"{first}{last}", f"{first[0]}{last}", f"{first}{chance.choice('abcdefgh')}")[shape]
        address = f"{local}{number}@{chance.choice(_DOMAINS)}"
        while address in self._mailboxes:  # no mailbox is given to two
            address = f"{local}{chance.randint(1, 99_999)}@{chance.choice(_DOMAINS)}"
        self._mailboxes.add(address)
        return address

    def lead(self, human: Human, slips: Slips = SLIPS, *, same_contact: bool = False) -> tuple[Traits, list[str]]:
        """What a lead of theirs shows, and what went wrong in it. Without ``same_contact`` e-mail and phone are new."""
        chance = self._chance
        told = human.traits
        wrong: list[str] = []

        def happens(what: str) -> bool:
            if chance.random() < getattr(slips, what):
                wrong.append(what)
                return True
            return False

        given, last, suffix, born = told.given, told.last, told.suffix, told.born
        house, street, place = told.house, told.street, told.zip
        if suffix and chance.random() < 0.5:
            suffix = ""
        if human.sex == "f" and happens("married"):
            last = _drawn(chance, self._lasts)
        if given in self.short and happens("nickname"):
            given = chance.choice(self.short[given])
        if happens("given"):
            given = slip(chance, given)
        if happens("last"):
            last = slip(chance, last)
        if happens("initial"):
            given = given[0]
        if happens("swapped"):
            given, last = last, given
        if happens("no_born"):
            born = ""
        elif happens("born"):
            at = chance.randrange(2, 8)
            born = f"{born[:at]}{chance.choice(_DIGITS)}{born[at + 1 :]}"
        elif int(born[6:]) <= 12 and happens("day_for_month"):
            born = f"{born[:4]}{born[6:]}{born[4:6]}"
        if happens("no_address"):
            house = street = place = ""
        else:
            if happens("moved"):
                house, street, place = self._house()
            if happens("street"):
                street = slip(chance, street)
            if happens("house"):
                house = slip(chance, house, _DIGITS)
            if happens("zip"):
                at = chance.randrange(5)
                place = f"{place[:at]}{chance.choice(_DIGITS)}{place[at + 1 :]}"
        email = told.email if same_contact else self._email(told.given, told.last)
        phone = told.phone if same_contact else self._phone()
        shown = Traits(
            given=given,
            last=last,
            suffix=suffix,
            born=born,
            house=house,
            street=street,
            zip=place,
            email=email,
            phone=phone,
        )
        return shown, wrong


def _born(chance: random.Random, first: int, last: int) -> str:
    return f"{chance.randint(first, last)}{chance.randint(1, 12):02}{chance.randint(1, 28):02}"


def _drawn(chance: random.Random, table: tuple[list[str], list[float]]) -> str:
    values, sums = table
    return values[min(bisect(sums, chance.random() * sums[-1]), len(values) - 1)]


def _summed(weights: list[float]) -> list[float]:
    total, sums, whole = sum(weights), [], 0.0
    for weight in weights:
        whole += weight / total
        sums.append(whole)
    sums[-1] = 1.0
    return sums
