"""The X Education example: its preparation, its map and its business, on rows in the published form."""

import csv
import os
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import phonenumbers
import pytest

from leadmill.capture import map_lead
from leadmill.capture.filemap import check_map
from leadmill.capture.files import read_map, read_rows
from leadmill.market import read_order
from leadmill.parties import read_buyer, read_source, read_team
from tests.capture.leads import LEXICON, VERTICALS

HERE = Path(__file__).parents[2] / "examples" / "x_education"
COLUMNS = [
    "Prospect ID",
    "Lead Number",
    "Lead Origin",
    "Lead Source",
    "Do Not Email",
    "Do Not Call",
    "Converted",
    "TotalVisits",
    "Total Time Spent on Website",
    "Page Views Per Visit",
    "Last Activity",
    "Country",
    "Specialization",
    "How did you hear about X Education",
    "What is your current occupation",
    "What matters most to you in choosing a course",
    "Search",
    "Magazine",
    "Newspaper Article",
    "X Education Forums",
    "Newspaper",
    "Digital Advertisement",
    "Through Recommendations",
    "Receive More Updates About Our Courses",
    "Tags",
    "Lead Quality",
    "Update me on Supply Chain Content",
    "Get updates on DM Content",
    "Lead Profile",
    "City",
    "Asymmetrique Activity Index",
    "Asymmetrique Profile Index",
    "Asymmetrique Activity Score",
    "Asymmetrique Profile Score",
    "I agree to pay the amount through cheque",
    "A free copy of Mastering The Interview",
    "Last Notable Activity",
]
PLANS = runpy.run_path(str(HERE / "prepare.py"))["PLANS"]


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """Invented rows in the published form, one a country and a hundred from India."""
    path = tmp_path_factory.mktemp("x") / "Leads.csv"
    with path.open("w", newline="") as writing:
        writer = csv.DictWriter(writing, COLUMNS, restval="No")
        writer.writeheader()
        for place, country in enumerate([*PLANS, *["India", "", "Asia/Pacific Region"] * 100, *["United States"] * 30]):
            row = {
                "Prospect ID": f"p-{place}",
                "Lead Number": 600_000 + place,
                "Lead Source": "Google",
                "Do Not Email": "Yes" if place % 3 == 0 else "No",
                "TotalVisits": "5.0",
                "Total Time Spent on Website": "674",
                "Page Views Per Visit": "2.5",
                "Country": country,
                "Specialization": "Select",
                "City": "Select",
                "Tags": "Ringing",
            }
            writer.writerow(row)
    return path


def prepare(published: Path, target: Path, seed: str = "1") -> bytes:
    subprocess.run(
        [sys.executable, HERE / "prepare.py", published, target],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )
    return target.read_bytes()


def test_the_same_file_gives_the_same_bytes_every_time(published, tmp_path):
    assert prepare(published, tmp_path / "a.csv", "1") == prepare(published, tmp_path / "b.csv", "2")


def test_every_row_is_a_person_of_its_own_with_a_number_its_country_has(published, tmp_path):
    prepare(published, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as reading:
        found = list(csv.DictReader(reading))
    with published.open(newline="") as reading:
        before = list(csv.DictReader(reading))
    assert [{name: row[name] for name in COLUMNS} for row in found] == before
    assert len({row["phone"] for row in found}) == len({row["email"] for row in found}) == len(before)
    for row in found:
        number = phonenumbers.parse(row["phone"])
        assert phonenumbers.is_valid_number(number), row["Country"]
        assert row["email"].rpartition("@")[2] in ("example.com", "example.net", "example.org")


def test_every_prepared_row_is_a_lead_and_hindsight_stays_out_of_its_fields(published, tmp_path):
    prepare(published, tmp_path / "a.csv")
    found = read_map(HERE / "map.toml")
    check_map(found, VERTICALS["education"])
    leads = [
        map_lead(row, LEXICON, textual=True, bound="education")
        for _, row in read_rows(tmp_path / "a.csv", found)
        if isinstance(row, dict)
    ]
    assert len(leads) == len(PLANS) + 330
    first = leads[0]
    assert first.fields["time_on_site"] == 674 and first.fields["source_name"] == "Google"
    assert "subject" not in first.fields and "city" not in first.fields
    assert first.consent["do_not_email"] is True and leads[1].consent["do_not_email"] is False
    sellers = first.consent["sellers"]
    assert isinstance(sellers, list) and "X Education School" in sellers
    assert first.extra["tags"] == "Ringing"
    assert not {"tags", "lead_quality", "converted"} & set(first.fields)


def test_its_business_is_understood():
    raw = tomllib.loads((HERE / "business.toml").read_text())
    named = " ".join(tomllib.loads((HERE / "map.toml").read_text())["constants"]["consent.sellers"])
    for one in raw["source"]:
        read_source(one)
    for one in raw["team"]:
        read_team(one)
    for one in raw["order"]:
        read_order(one)
    for one in raw["buyer"]:
        assert read_buyer(one).name in named


def test_a_file_of_something_else_is_refused(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    done = subprocess.run(
        [sys.executable, HERE / "prepare.py", tmp_path / "other.csv", tmp_path / "o"], capture_output=True, text=True
    )
    assert done.returncode == 3 and "not the X Education file" in done.stderr
