"""Turns the published X Education file into an importable one: `python prepare.py IN OUT`.

The published rows are real enquiries whose contact columns were taken out. This puts fictional ones in front (first
name, last name, e-mail, phone), made from the row's own identifier, and keeps every other column as it is. It needs
nothing but Python, and the same input gives the same bytes every time, on every machine. Every row is a person of its
own, as every row of the published file is. Reads CSV in UTF-8.

No number or address can reach anybody: the domains are reserved for examples (RFC 2606); Indian numbers are of the
140 series, which consumers do not have; American ones are 555-0100 to 555-0199; the rest follow the specimen number
of their country's plan.
"""

import csv
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

_FIRST = """
Aarav Aditi Aisha Ajay Akash Amit Ananya Anil Anita Anjali Arjun Asha Ashok Bhavna Chetan Deepa Deepak Dev Divya
Farah Gaurav Gita Harish Imran Isha Jaya Karan Kavita Kiran Lakshmi Leela Madhav Manish Maya Meera Mohan Nandini
Neha Nikhil Nisha Omar Pallavi Pooja Prakash Priya Rahul Raj Rakesh Ravi Rekha Ritu Rohan Sahil Sanjay Sara Shreya
Sita Sunil Suresh Tara Uma Varun Vijay Vikram Yash Zara Zoya
"""
FIRST = tuple(_FIRST.split())
_LAST = """
Acharya Agarwal Ahmed Bose Bhat Chandra Chauhan Chopra Das Desai Deshpande Dutta Fernandes Gandhi Ghosh Gill Gupta
Hegde Iyer Jain Joshi Kapoor Kaur Khan Kulkarni Kumar Lal Malhotra Mehta Menon Mishra Mukherjee Nair Naidu Patel
Patil Pillai Prasad Rao Reddy Roy Saxena Sen Shah Sharma Shetty Singh Sinha Thomas Trivedi Varma Verma Yadav
"""
LAST = tuple(_LAST.split())
DOMAINS = ("example.com", "example.net", "example.org")

NEW = ("first_name", "last_name", "email", "phone")

# Country as the file writes it, and the numbers given out there; # is a digit of a running number.
PLANS = {
    "India": "+91140#######",
    "United States": "+1{area}55501##",
    "Canada": "+150623456##",
    "United Arab Emirates": "+97150123####",
    "Singapore": "+658123####",
    "Saudi Arabia": "+96651234####",
    "United Kingdom": "+44740012####",
    "Australia": "+6141234####",
    "Qatar": "+9743312####",
    "Bahrain": "+9733600####",
    "Hong Kong": "+8525123####",
    "Oman": "+9689212####",
    "France": "+3361234####",
    "Kuwait": "+9655001####",
    "Nigeria": "+234802123####",
    "Germany": "+491512345####",
    "South Africa": "+2771123####",
    "Sweden": "+4670123####",
    "Ghana": "+23323123####",
    "Belgium": "+3245000####",
    "China": "+861312345####",
    "Netherlands": "+3161234####",
    "Uganda": "+25671234####",
    "Italy": "+39312345####",
    "Philippines": "+63905123####",
    "Bangladesh": "+880181234####",
    "Russia": "+7912345####",
    "Sri Lanka": "+9471234####",
    "Kenya": "+25471212####",
    "Tanzania": "+25562123####",
    "Malaysia": "+6012345####",
    "Liberia": "+23177012####",
    "Switzerland": "+4178123####",
    "Denmark": "+453441####",
    "Vietnam": "+8491234####",
    "Indonesia": "+6281234####",
}
HOME = "India"  # where the school is; also for rows that name no country
AREAS = ("212", "305", "312", "415", "512", "602", "617", "713", "818", "919")


def prepare(rows: Iterator[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Each row with its contact columns in front."""
    given: dict[str, int] = {}
    for row in rows:
        # Python's own hash differs from run to run; this one does not.
        seed = int.from_bytes(hashlib.sha256(row["Prospect ID"].encode()).digest()[:8], "big")
        first = FIRST[seed % len(FIRST)]
        last = LAST[seed // len(FIRST) % len(LAST)]
        country = row["Country"] if row["Country"] in PLANS else HOME
        plan = PLANS[country]
        place = given.get(country, 0)
        given[country] = place + 1
        contact = {
            "first_name": first,
            "last_name": last,
            "email": f"{first}.{last}.{row['Lead Number']}@{DOMAINS[seed % 3]}".lower(),
            "phone": number(plan, place),
        }
        yield contact | row


def number(plan: str, place: int) -> str:
    """The number in a country's plan that is the ``place``-th given out there."""
    if "{area}" in plan:
        plan = plan.replace("{area}", AREAS[place % len(AREAS)])
        place //= len(AREAS)
    free = plan.count("#")
    # A step that shares no factor with the size walks through every number once and looks less like counting.
    digits = f"{(place * 7919 + 1234) % 10**free:0{free}}"
    return plan.replace("#" * free, digits)


def main(arguments: list[str]) -> int:
    """Read IN, write OUT."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python prepare.py IN.csv OUT.csv\n")
        return 2
    source, target = (Path(name) for name in arguments)
    with source.open(encoding="utf-8-sig", newline="") as reading:
        lines = csv.DictReader(reading)
        header = [*NEW, *(lines.fieldnames or [])]
        if "Prospect ID" not in header or "Country" not in header:
            sys.stderr.write(f"{source.name} is not the X Education file: 'Prospect ID' or 'Country' is missing\n")
            return 3
        with target.open("w", encoding="utf-8", newline="") as writing:
            writer = csv.DictWriter(writing, header, lineterminator="\n")
            writer.writeheader()
            count = 0
            for row in prepare(iter(lines)):
                writer.writerow(row)
                count += 1
    sys.stdout.write(f"{count} rows written to {target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
