"""Made-up files of persons and companies, with the truth beside them: what linkage is tried on where no real set may be
kept. Called by the benchmark of ``resolve`` and by its tests; seeded, so a set is the same on every machine.

The errors are those that published sets of noisy persons show: slips of a key, names cut short, nicknames, titles,
dates of which only the year is known, a neighbour's postcode, columns made of other columns, and much that is missing.
"""

import random
from collections.abc import Callable, Iterable
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import names
from nicknames import name_triplets

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_TITLES = ["baron", "baronet", "earl", "viscount", "duke"]
_JOBS = [
    "politician", "writer", "painter", "actor", "cricketer", "association football player", "clergyman", "poet",
    "military officer", "lawyer", "judge", "botanist", "physician", "composer", "architect", "engraver", "rower",
    "journalist", "historian", "engineer", "explorer", "philosopher", "mathematician", "priest", "rugby union player",
    "photographer", "sculptor", "novelist", "diplomat", "engineer", "sailor", "surgeon", "geologist", "singer",
]  # fmt: skip
_STREETS = ["oak street", "main street", "mill road", "park avenue", "church lane", "high street", "elm drive"]
_FORMS = ["inc", "llc", "ltd", "corp", "co", "group", "holdings"]
_HOUSES = ["gmail.com", "aol.com", "example.org"]
_TRADES = ["roofing", "solar", "plumbing", "insurance", "mortgage", "legal", "dental", "media", "logistics", "foods"]


class Made(NamedTuple):
    """A file: its columns in order, its rows, and for each row whose it is."""

    columns: list[str]
    rows: list[dict[str, str]]
    truth: list[str]


class Names:
    """The Census Bureau's name tables, drawn from by how common a name is."""

    def __init__(self) -> None:
        self.male, self.female, self.last = (
            census_table(f"dist.{end}") for end in ("male.first", "female.first", "all.last")
        )
        self.short: dict[str, list[str]] = {}
        for triplet in name_triplets():
            self.short.setdefault(triplet.name1, []).append(triplet.name2)

    def draw(self, chance: random.Random, table: tuple[list[str], list[float]], top: int) -> str:
        """One of the ``top`` commonest names, by share."""
        values, sums = table
        return chance.choices(values[:top], cum_weights=sums[:top])[0]


def census_table(name: str) -> tuple[list[str], list[float]]:
    """Names in small letters, the commonest first, and the share of people who bear them or a commoner one."""
    lines = [line.split() for line in Path(names.full_path(name)).read_text("ascii").splitlines()]
    return [line[0].lower() for line in lines], list(accumulate(float(line[1]) for line in lines))


def slip(chance: random.Random, text: str, letters: str = _LETTERS) -> str:
    """One slip of a key: a sign lost, added, changed, or exchanged with its neighbour."""
    if len(text) < 2:
        return text
    at = chance.randrange(len(text) - 1)
    match chance.randrange(4):
        case 0:
            return text[:at] + text[at + 1 :]
        case 1:
            return text[:at] + chance.choice(letters) + text[at:]
        case 2:
            return text[:at] + chance.choice(letters) + text[at + 1 :]
        case _:
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _some(chance: random.Random, share: float, text: str) -> str:
    return "" if chance.random() < share else text


def _date(chance: random.Random, first: int, last: int) -> str:
    return f"{chance.randint(first, last)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"


def historical(persons: int = 5000, seed: int = 1, noise: float = 1.0, families: float = 0.3) -> Made:
    """Known people of five centuries, about ten noisy records each; ``full_name`` and ``first_and_surname`` repeat what
    ``first_name`` and ``surname`` say. ``noise`` scales every kind of error; ``families`` is how many are somebody's
    child: of the same last name and town, often of the same first name and title, a generation later."""
    chance, book = random.Random(seed), Names()
    towns = [_town(chance, book) for _ in range(1200)]
    people = _people(chance, book, towns, persons, families)
    rows, truth = [], []
    for number, person in enumerate(people):
        for _ in range(min(30, 2 + int(chance.gammavariate(3.0, 2.6)))):
            rows.append(_record(chance, book, towns, person, noise))
            truth.append(f"P{number}")
    order = list(range(len(rows)))
    chance.shuffle(order)
    columns = list(rows[0])
    return Made(columns, [rows[at] for at in order], [truth[at] for at in order])


class _Town(NamedTuple):
    name: str
    county: str
    area: str


class _Person(NamedTuple):
    first: str
    last: str
    title: str
    born: str
    town: int
    postcode: str
    sex: str
    jobs: list[str]


def _town(chance: random.Random, book: Names) -> _Town:
    name = book.draw(chance, book.last, 6000) + chance.choice(["", "", "ton", "ham", "bury", " upon tyne", "ford"])
    letters = "".join(chance.choice(_LETTERS) for _ in range(2))
    return _Town(name, f"{chance.choice(_LETTERS)}{letters}shire", f"{letters}{chance.randint(1, 29)}")


def _postcode(chance: random.Random, area: str) -> str:
    return f"{area} {chance.randint(1, 9)}{chance.choice(_LETTERS)}{chance.choice(_LETTERS)}"


def _people(chance: random.Random, book: Names, towns: list[_Town], persons: int, families: float) -> list[_Person]:
    weights = [1 / (rank + 3) for rank in range(len(towns))]
    people: list[_Person] = []
    while len(people) < persons:
        male = chance.random() < 0.8
        first = book.draw(chance, book.male if male else book.female, 400)
        town = chance.choices(range(len(towns)), weights)[0]
        last, title = book.draw(chance, book.last, 12000), ""
        if chance.random() < 0.12:
            title = f"{chance.randint(1, 9)}th {chance.choice(_TITLES)} of {towns[town].name}"
        born = _date(chance, 1550, 1975)
        if people and chance.random() < families:
            parent = chance.choice(people)
            last, town, title = parent.last, parent.town, parent.title and f"{chance.randint(1, 9)}th{parent.title[3:]}"
            born = f"{int(parent.born[:4]) + chance.randint(20, 40)}{born[4:]}"
            first = parent.first if chance.random() < 0.3 else first
        if chance.random() < 0.25:
            born = f"{born[:4]}-01-01"
        jobs = chance.sample(_JOBS, chance.choice([1, 1, 2, 3]))
        postcode = _postcode(chance, towns[town].area)
        people.append(_Person(first, last, title, born, town, postcode, "male" if male else "female", jobs))
    return people


def _record(chance: random.Random, book: Names, towns: list[_Town], one: _Person, noise: float) -> dict[str, str]:
    def happens(share: float) -> bool:
        return chance.random() < share * noise

    first, last = one.first, one.last
    if happens(0.12):
        first = chance.choice(book.short.get(first, [first]))
    if happens(0.04):
        first = first[0]
    if happens(0.06):
        last = book.draw(chance, book.last, 12000)  # an alias, a maiden name
    spoken = [first, *([book.draw(chance, book.male, 300)] if happens(0.1) else []), last]
    if one.title and not happens(0.35):
        spoken += [word for word in one.title.split() if not happens(0.15)]
    if happens(0.04):
        spoken.insert(0, "sir")
    if happens(0.04):
        spoken = spoken[1:] if len(spoken) > 2 else spoken
    if happens(0.03):
        spoken.reverse()
    spoken = [slip(chance, word) if happens(0.06) else word for word in spoken]
    town = towns[one.town]
    born = one.born
    if happens(0.14):
        born = f"{born[:4]}-01-01"
    elif happens(0.12):
        born = slip(chance, born.replace("-", ""), "0123456789")[:8].ljust(8, "0")
        born = f"{born[:4]}-{born[4:6]}-{born[6:]}"
    elif happens(0.06):
        born = f"{int(born[:4]) + chance.choice([-10, -2, -1, 1, 2, 10])}{born[4:]}"
    place = town.name
    if happens(0.15):
        place = town.county
    elif happens(0.06):
        place = chance.choice(towns).name
    elif happens(0.08):
        place = slip(chance, place)
    postcode = one.postcode
    if happens(0.25):
        postcode = _postcode(chance, town.area)
    elif happens(0.1):
        postcode = _postcode(chance, f"{town.area[:2]}{chance.randint(1, 29)}")
    full = _some(chance, 0.02 * noise, " ".join(spoken))
    words = full.split()
    return {
        "full_name": full,
        "first_and_surname": f"{words[0]} {words[-1]}" if words else "",
        "first_name": words[0] if words else "",
        "surname": words[-1] if words else "",
        "dob": _some(chance, 0.2 * noise, born),
        "birth_place": _some(chance, 0.3 * noise, place),
        "postcode_fake": _some(chance, 0.25 * noise, postcode),
        "gender": _some(chance, 0.35 * noise, one.sex),
        "occupation": _some(chance, 0.35 * noise, chance.choice(one.jobs)),
    }


def few(chance: random.Random) -> int:
    """Half of all persons have one record, the others two or three."""
    return chance.choice([1, 1, 2, 3])


def consumers(
    persons: int = 2000,
    seed: int = 1,
    copies: Callable[[random.Random], int] = few,
    gaps: float = 0.1,
    without: Iterable[str] = (),
) -> Made:
    """Leads of US consumers, families among them. ``copies`` says how many records a person has, ``gaps`` how often a
    value is missing, ``without`` which columns the file has not."""
    chance, book = random.Random(seed), Names()
    rows, truth = [], []
    home: dict[str, str] = {}
    for number in range(persons):
        male = chance.random() < 0.5
        first = book.draw(chance, book.male if male else book.female, 800)
        if not home or chance.random() > 0.25:  # else of the same household as the one before
            area = chance.randint(201, 989)
            home = {
                "last_name": book.draw(chance, book.last, 20000),
                "street": f"{chance.randint(1, 999)} {book.draw(chance, book.last, 3000)} {chance.choice(_STREETS)}",
                "zip": f"{area}{chance.randint(1, 60):02}",
                "city": f"{book.draw(chance, book.last, area)}ville",
                "phone": f"{area}{chance.randint(2, 9)}{chance.randint(0, 999999):06}",
            }
        person = {
            "first_name": first,
            **home,
            "birth_date": _date(chance, 1935, 2004),
            "email": f"{first}.{home['last_name']}{chance.randint(1, 999)}@{chance.choice(_HOUSES)}",
        }
        if chance.random() < 0.7:
            person["phone"] = f"{home['zip'][:3]}{chance.randint(2, 9)}{chance.randint(0, 999999):06}"
        for _ in range(copies(chance)):
            row = {name: _consumer_value(chance, book, name, value) for name, value in person.items()}
            rows.append({name: _some(chance, gaps, value) for name, value in row.items() if name not in without})
            truth.append(f"P{number}")
    order = list(range(len(rows)))
    chance.shuffle(order)
    return Made(list(rows[0]), [rows[at] for at in order], [truth[at] for at in order])


def _consumer_value(chance: random.Random, book: Names, name: str, value: str) -> str:
    odds = chance.random()
    if name == "first_name" and odds < 0.08:
        return chance.choice(book.short.get(value, [value]))
    if name in ("birth_date", "phone", "zip"):
        return slip(chance, value, "0123456789") if odds > 0.95 else value
    return slip(chance, value) if odds > 0.92 else value


def companies(count: int = 1500, seed: int = 1) -> Made:
    """Companies by name and city, with legal forms said or not."""
    chance, book = random.Random(seed), Names()
    rows, truth = [], []
    for number in range(count):
        name = (
            f"{book.draw(chance, book.last, 9000)} {chance.choice(['', 'and sons', 'bros'])} {chance.choice(_TRADES)}"
        )
        form, city = chance.choice(_FORMS), f"{book.draw(chance, book.last, 200)}ville"
        site = f"{name.split()[0]}{name.split()[-1]}.com"
        for _ in range(chance.choice([1, 1, 2, 3])):
            written = " ".join(name.split()) if chance.random() < 0.3 else " ".join(f"{name} {form}".split())
            rows.append(
                {
                    "company": slip(chance, written) if chance.random() < 0.15 else written,
                    "city": _some(chance, 0.15, city),
                    "website": _some(chance, 0.4, site),
                }
            )
            truth.append(f"C{number}")
    return Made(list(rows[0]), rows, truth)
