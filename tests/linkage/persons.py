"""Made-up persons as tables, for the tests of columns: no name and number is anybody's."""

from random import Random

from leadmill.linkage import census
from leadmill.linkage.values import NameShares

GIVEN, FAMILY, TOWNS, STREETS, STATES, JOBS = (
    line.split(",")
    for line in (
        "james,mary,robert,patricia,john,jennifer,michael,linda,david,elizabeth,william,barbara,richard,susan",
        "smith,johnson,williams,brown,jones,garcia,miller,davis,rodriguez,martinez,hernandez,lopez,gonzalez",
        "springfield,riverton,fairview,lakeside,newbury,oakdale,milford,ashton,kingsport,bradbury",
        "main street,oak avenue,elm road,maple drive,church lane,station road,park place,mill court",
        "CA,TX,NY,FL,OH,WA",
        "teacher,nurse,carpenter,clerk,farmer,driver",
    )
)


def names() -> NameShares:
    """The tables that tell given from family names."""
    shares = census().shares
    return shares["given_name"], shares["family_name"]


def persons(count: int = 300, seed: int = 7) -> dict[str, list[str]]:
    """Columns under plain names; tests rename and reshape them."""
    draw = Random(seed)
    given = [draw.choice(GIVEN).title() for _ in range(count)]
    family = [draw.choice(FAMILY).title() for _ in range(count)]
    born = [(draw.randint(1940, 2004), draw.randint(1, 12), draw.randint(1, 28)) for _ in range(count)]
    return {
        "id": [str(1000 + place) for place in range(count)],
        "given": given,
        "family": family,
        "full": [f"{a} {b}" for a, b in zip(given, family, strict=True)],
        "email": [f"{a}.{b}{draw.randint(1, 99)}@example.com".lower() for a, b in zip(given, family, strict=True)],
        "phone": [f"({draw.randint(201, 989)}) 555-{draw.randint(0, 9999):04}" for _ in range(count)],
        "iso": [f"{y}-{m:02}-{d:02}" for y, m, d in born],
        "american": [f"{m}/{d}/{y}" for y, m, d in born],
        "german": [f"{d:02}.{m:02}.{y}" for y, m, d in born],
        "compact": [f"{y}{m:02}{d:02}" for y, m, d in born],
        "year": [str(y) for y, _, _ in born],
        "month": [str(m) for _, m, _ in born],
        "day": [str(d) for _, _, d in born],
        "street": [f"{draw.randint(1, 999)} {draw.choice(STREETS)}" for _ in range(count)],
        "road": [draw.choice(STREETS) for _ in range(count)],
        "number": [str(draw.randint(1, 400)) for _ in range(count)],
        "zip": [f"{draw.randint(10000, 10060)}" for _ in range(count)],
        "city": [draw.choice(TOWNS) for _ in range(count)],
        "state": [draw.choice(STATES) for _ in range(count)],
        "sex": [draw.choice("mf") for _ in range(count)],
        "ssn": [f"{draw.randint(100, 899)}-{draw.randint(10, 99)}-{draw.randint(1000, 1200)}" for _ in range(count)],
        "job": [draw.choice(JOBS) for _ in range(count)],
        "moment": [
            f"2026-0{draw.randint(1, 9)}-1{draw.randint(0, 9)} 10:{draw.randint(10, 59)}:00" for _ in range(count)
        ],
        "lately": [f"2026-0{draw.randint(1, 9)}-1{draw.randint(0, 9)}" for _ in range(count)],
        "amount": [f"{draw.random() * 100:.2f}" for _ in range(count)],
        "cluster": [str(draw.randint(0, count // 2)) for _ in range(count)],
        "same": ["yes"] * count,
        "empty": [""] * count,
        "flag": [draw.choice(["true", "false"]) for _ in range(count)],
        "postcode_uk": [f"{draw.choice(['tq13', 'ex4', 'sw1a'])} {draw.randint(1, 9)}ab" for _ in range(count)],
    }
