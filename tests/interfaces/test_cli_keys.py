"""``leadmill key``: what is made works, is listed without the key, and stops working once revoked."""

import asyncio
import json
from pathlib import Path

from leadmill.main import open_house
from leadmill.parties import identify_key
from leadmill.runtime.settings import read_settings
from tests.interfaces.command import leadmill


def test_a_key_is_shown_once_works_and_stops_when_revoked(empty_database_url: str, tmp_path: Path) -> None:
    made = leadmill(empty_database_url, tmp_path, "key", "add", "reports", "--role", "analyst", "--days", "1", "--json")
    assert made.exit_code == 0, made.stderr
    told = json.loads(made.stdout)
    listed = leadmill(empty_database_url, tmp_path, "key", "list", "--json")
    assert told["id"] in listed.stdout
    assert told["key"] not in listed.stdout

    async def whose() -> str:
        settings = read_settings({}, home=tmp_path, database_url=empty_database_url)
        async with open_house(settings) as house, house.db.begin() as tx:
            return (await identify_key(tx, house.vault.keyed_hash, told["key"], house.clock())).owner

    assert asyncio.run(whose()) == "reports"
    rotated = leadmill(empty_database_url, tmp_path, "key", "rotate", told["id"], "--overlap-days", "0", "--json")
    assert json.loads(rotated.stdout)["owner"] == "reports"
    reviewed = leadmill(empty_database_url, tmp_path, "security", "access-review", "--json")
    assert reviewed.exit_code == 1  # it reaches all that its role may
    assert json.loads(rotated.stdout)["id"] in reviewed.stdout
    report = leadmill(empty_database_url, tmp_path, "security", "breach-report", "--since", "2026-01-01", "--json")
    assert {"key_made", "key_rotated"} <= {act["what"] for act in json.loads(report.stdout)["acts"]}
    told["id"] = json.loads(rotated.stdout)["id"]
    assert leadmill(empty_database_url, tmp_path, "key", "revoke", told["id"]).exit_code == 0
    assert "revoked" in leadmill(empty_database_url, tmp_path, "key", "list").stdout
    assert leadmill(empty_database_url, tmp_path, "key", "revoke", told["id"]).exit_code == 2


def test_a_key_is_for_somebody_who_exists_and_for_one_purpose(empty_database_url: str, tmp_path: Path) -> None:
    unknown = leadmill(empty_database_url, tmp_path, "key", "add", "nobody", "--source")
    assert unknown.exit_code == 2
    assert "cli.key.owner" in unknown.stderr
    both = leadmill(empty_database_url, tmp_path, "key", "add", "x", "--source", "--buyer")
    assert both.exit_code == 2
    assert "cli.key.kind" in both.stderr
