"""Made-up files of other kinds than linkage was built on, with the truth beside them. Called by the benchmark of
``resolve``; seeded, so a set is the same on every machine.

Nothing in ``linkage`` was chosen by these: they are there to show whether what was chosen holds elsewhere. Their errors
are of other kinds: what is read off paper or heard on the telephone, accents and second surnames lost, parts of an
address in one cell, a number that was given twice, people who come fifty times.
"""

import random
import unicodedata
from collections.abc import Callable

from benchmarks.persons import Made, Names, slip

_DIGITS = "0123456789"
_READ = [("0", "6"), ("1", "7"), ("3", "8"), ("5", "6"), ("4", "9"), ("2", "7")]
_HEARD = [("ph", "f"), ("ck", "k"), ("ie", "y"), ("ei", "ie"), ("nn", "n"), ("tt", "t"), ("ll", "l"), ("c", "k")]
_WARDS = ["cardiology", "surgery", "paediatrics", "oncology", "neurology", "outpatients"]
_INSURERS = ["north mutual", "blue plan", "state fund", "harbor health", "self pay"]

_GIVEN = """maría lucía josé antonio carmen manuel francisco laura david javier ana daniel marta josé luis paula carlos
sara alejandro elena miguel rafael cristina pedro alba pablo irene álvaro rocío ángel raúl inés óscar nuria sergio
beatriz fernando andrés mónica jesús raquel rubén susana iván verónica adrián sofía hugo julia mario claudia diego
andrea víctor pilar ramón teresa jorge rosa alberto silvia"""
_FAMILY = """garcía rodríguez gonzález fernández lópez martínez sánchez pérez gómez martín jiménez ruiz hernández díaz
moreno muñoz álvarez romero alonso gutiérrez navarro torres domínguez vázquez ramos gil ramírez serrano blanco molina
morales suárez ortega delgado castro ortiz rubio marín sanz núñez iglesias medina garrido cortés castillo santos lozano
guerrero cano prieto méndez cruz calvo gallego vidal león herrera márquez peña flores cabrera campos vega fuentes
carrasco diez reyes caballero nieto aguilar pascual herrero santana lorenzo hidalgo montero ibáñez giménez ferrer durán
vicente benítez mora arias vargas santiago carmona crespo pastor román soto velasco soler moya esteban parra bravo
gallardo rojas"""
_CITIES = ["sevilla", "granada", "málaga", "zaragoza", "valencia", "murcia", "bilbao", "gijón", "vigo", "león", "jaén"]
_ROADS = ["calle", "avenida", "plaza", "paseo", "camino"]
_SHORT_ROADS = {"calle": "c/", "avenida": "avda", "plaza": "pza", "paseo": "pº", "camino": "cno"}
_PARTS = ["pump", "valve", "steel", "glass", "cable", "paper", "paint", "bearing", "filter", "motor", "pipe", "tool"]
_ENDS = ["gmbh", "s.a.", "ltd", "b.v.", "oy", "a/s", "sarl", "spa", "inc"]


def patients(persons: int = 2500, seed: int = 71) -> Made:
    """What hospitals exchange: names as heard, birth dates as read, sex, the last four digits of a number that a third
    gave, ZIP and telephone that change over the years. Nobody's e-mail, no street."""
    chance, book = random.Random(seed), Names()
    rows, truth = [], []
    for number in range(persons):
        male = chance.random() < 0.47
        born = f"{chance.randint(1, 12):02}/{chance.randint(1, 28):02}/{chance.randint(1928, 2020)}"
        first = book.draw(chance, book.male if male else book.female, 600)
        middle = book.draw(chance, book.male if male else book.female, 200)[0]
        last = book.draw(chance, book.last, 15000)
        four = "".join(chance.choice(_DIGITS) for _ in range(4))
        place, phone = _zip(chance), _phone(chance)
        for _ in range(chance.choice([1, 1, 1, 2, 2, 3, 4])):
            if chance.random() < 0.12:
                place, phone = _zip(chance), _phone(chance)
            if not male and chance.random() < 0.04:
                last = book.draw(chance, book.last, 15000)
            rows.append(
                {
                    "pt_first": _misheard(chance, first) if chance.random() < 0.08 else first.upper(),
                    "pt_mi": "" if chance.random() < 0.4 else middle.upper(),
                    "pt_last": _misheard(chance, last) if chance.random() < 0.08 else last.upper(),
                    "dob": "" if chance.random() < 0.02 else _misread(chance, born) if chance.random() < 0.05 else born,
                    "sex": "" if chance.random() < 0.03 else "M" if male else "F",
                    "ssn4": four if chance.random() < 0.35 else "",
                    "zip": "" if chance.random() < 0.08 else place,
                    "home_phone": "" if chance.random() < 0.25 else phone,
                    "ward": chance.choice(_WARDS),
                    "insurer": chance.choice(_INSURERS),
                }
            )
            truth.append(f"M{number}")
    return _shuffled(chance, rows, truth)


def members(persons: int = 2200, seed: int = 72) -> Made:
    """A Spanish club's: two surnames of which one gets lost, accents that come and go, few names for many people, an
    address in one cell."""
    chance, givens, families = random.Random(seed), _GIVEN.split(), _FAMILY.split()
    rows, truth = [], []
    for number in range(persons):
        given = chance.choice(givens) + (f" {chance.choice(givens)}" if chance.random() < 0.3 else "")
        one, two = chance.choice(families), chance.choice(families)
        born = (chance.randint(1, 28), chance.randint(1, 12), chance.randint(1940, 2008))
        road, street = chance.choice(_ROADS), f"{chance.choice(families)} {chance.randint(1, 140)}"
        city, phone = chance.choice(_CITIES), f"6{chance.randint(0, 99_999_999):08}"
        mail = f"{_bare(given.split()[0])}{_bare(one)[:5]}{chance.randint(1, 99)}@example.es"
        for _ in range(chance.choice([1, 1, 2, 2, 3])):
            name = given.split()[0] if chance.random() < 0.3 else given
            family = one if chance.random() < 0.25 else f"{one} {two}"
            road_now = _SHORT_ROADS[road] if chance.random() < 0.4 else road
            row = {
                "nombre": name,
                "apellidos": family,
                "fecha_nacimiento": "" if chance.random() < 0.2 else f"{born[0]:02}.{born[1]:02}.{born[2]}",
                "domicilio": "" if chance.random() < 0.15 else f"{road_now} {street}",
                "ciudad": city,
                "móvil": ""
                if chance.random() < 0.3
                else phone
                if chance.random() < 0.9
                else f"6{chance.randint(0, 9)}",
                "correo": mail if chance.random() < 0.5 else "",
            }
            if chance.random() < 0.5:
                row = {column: _bare(value) for column, value in row.items()}
            touched = chance.choice(("nombre", "apellidos", "domicilio", "fecha_nacimiento"))
            if chance.random() < 0.2:
                row[touched] = slip(chance, row[touched])
            rows.append(dict(zip(_MEMBER, row.values(), strict=True)))
            truth.append(f"S{number}")
    return _shuffled(chance, rows, truth)


_MEMBER = ("nombre", "apellidos", "fecha_nacimiento", "domicilio", "ciudad", "móvil", "correo")


def attendees(persons: int = 3000, seed: int = 73) -> Made:
    """A list with little in it: a whole name, a city, an employer now and then."""
    chance, book = random.Random(seed), Names()
    works = [f"{book.draw(chance, book.last, 3000)} {chance.choice(_PARTS)}" for _ in range(900)]
    towns = [f"{book.draw(chance, book.last, 4000)}ton" for _ in range(300)]
    rows, truth = [], []
    for number in range(persons):
        table = book.male if chance.random() < 0.6 else book.female
        first, last = book.draw(chance, table, 700), book.draw(chance, book.last, 25000)
        town, work = chance.choice(towns), chance.choice(works)
        for _ in range(chance.choice([1, 1, 1, 2, 3])):
            said = chance.choice(book.short.get(first, [first])) if chance.random() < 0.1 else first
            name = f"{last}, {said}" if chance.random() < 0.2 else f"{said} {last}"
            rows.append(
                {
                    "attendee": slip(chance, name) if chance.random() < 0.1 else name.title(),
                    "city": "" if chance.random() < 0.1 else slip(chance, town) if chance.random() < 0.05 else town,
                    "employer": work if chance.random() < 0.6 else "",
                }
            )
            truth.append(f"A{number}")
    return _shuffled(chance, rows, truth)


def regulars(persons: int = 260, seed: int = 74) -> Made:
    """Orders of a shop: some customers have one, some eighty, typed anew each time; many live under one roof."""
    chance, book = random.Random(seed), Names()
    rows, truth = [], []
    last = street = place = ""
    for number in range(persons):
        table = book.male if chance.random() < 0.5 else book.female
        first = book.draw(chance, table, 500)
        if number % 2 == 0 or chance.random() < 0.3:
            last = book.draw(chance, book.last, 9000)
            street = (
                f"{chance.randint(1, 2400)} {book.draw(chance, book.last, 2500)} {chance.choice(['st', 'ave', 'rd'])}"
            )
            place = _zip(chance)
        mail = f"{first[0]}{last}{chance.randint(1, 999)}@{chance.choice(['gmail.com', 'aol.com', 'example.com'])}"
        phone = _phone(chance)
        for _ in range(min(80, 1 + int(chance.paretovariate(0.9)))):
            rows.append(
                {
                    "ship_to": _typed(chance, f"{first if chance.random() < 0.85 else first[0]} {last}"),
                    "addr1": _typed(chance, street),
                    "postal": _misread(chance, place) if chance.random() < 0.02 else place,
                    "contact": "" if chance.random() < 0.35 else phone if chance.random() < 0.5 else mail,
                    "item": chance.choice(_PARTS),
                }
            )
            truth.append(f"R{number}")
    return _shuffled(chance, rows, truth)


def suppliers(count: int = 1600, seed: int = 75) -> Made:
    """Two systems' suppliers: names with and without their legal form, initials for names, a street, a tax number that
    one in four rows has."""
    chance, book = random.Random(seed), Names()
    rows, truth = [], []
    for number in range(count):
        name = [
            book.draw(chance, book.last, 12000),
            chance.choice(_PARTS),
            chance.choice(["works", "trading", "systems"]),
        ]
        if chance.random() < 0.3:
            name.insert(1, f"& {book.draw(chance, book.last, 12000)}")
        form, street = chance.choice(_ENDS), f"{book.draw(chance, book.last, 2000)} strasse {chance.randint(1, 200)}"
        city, place = f"{book.draw(chance, book.last, 250)}stadt", f"{chance.randint(10000, 99999)}"
        tax = f"DE{chance.randint(100_000_000, 999_999_999)}"
        for _ in range(chance.choice([1, 1, 2, 2, 3, 5])):
            odds = chance.random()
            said = name if odds < 0.8 else [name[0], *name[2:]] if odds < 0.9 else name[:-1]
            whole = " ".join(said if chance.random() < 0.3 else [*said, form])
            moved = chance.random() < 0.08
            rows.append(
                {
                    "lieferant": slip(chance, whole) if chance.random() < 0.1 else whole.title(),
                    "strasse": "" if moved or chance.random() < 0.1 else street.replace("strasse", chance.choice(_STR)),
                    "plz": "" if moved else _misread(chance, place) if chance.random() < 0.03 else place,
                    "ort": city,
                    "ust_id": tax if chance.random() < 0.25 else "",
                }
            )
            truth.append(f"L{number}")
    return _shuffled(chance, rows, truth)


_STR = ("strasse", "str.", "str")

KINDS: dict[str, Callable[[], Made]] = {
    "patients": patients,
    "members": members,
    "attendees": attendees,
    "regulars": regulars,
    "suppliers": suppliers,
}


def _shuffled(chance: random.Random, rows: list[dict[str, str]], truth: list[str]) -> Made:
    order = list(range(len(rows)))
    chance.shuffle(order)
    return Made(list(rows[0]), [rows[at] for at in order], [truth[at] for at in order])


def _zip(chance: random.Random) -> str:
    return f"{chance.randint(100, 199)}{chance.randint(1, 40):02}"


def _phone(chance: random.Random) -> str:
    return f"({chance.randint(201, 989)}) {chance.randint(200, 999)}-{chance.randint(0, 9999):04}"


def _misread(chance: random.Random, text: str) -> str:
    """A digit taken for one that looks like it."""
    one, other = chance.choice(_READ)
    if one not in text:
        one, other = other, one
    return text.replace(one, other, 1)


def _misheard(chance: random.Random, text: str) -> str:
    """Another spelling of the same sound, or a slip where there is none."""
    fitting = [(one, other) for one, other in _HEARD if one in text]
    if not fitting:
        return slip(chance, text)
    one, other = chance.choice(fitting)
    return text.replace(one, other, 1)


def _typed(chance: random.Random, text: str) -> str:
    """As somebody types in a hurry."""
    odds = chance.random()
    if odds < 0.06:
        return slip(chance, text)
    return text.upper() if odds < 0.2 else text.title() if odds < 0.6 else text


def _bare(text: str) -> str:
    """Without accents."""
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))
