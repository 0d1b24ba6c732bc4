"""``leadmill scoring watch``, ``alerts`` and ``acknowledge`` as they are typed."""

import asyncio
import json
from pathlib import Path

from leadmill.main import open_house
from leadmill.runtime.settings import read_settings
from leadmill.scoring.watch import Finding, WatchTerms, keep_findings, keep_watched, measure
from tests.interfaces.command import leadmill


async def prepared(url: str, home: Path) -> str:
    """A house in which something was measured and told; the alert's id."""
    async with open_house(read_settings({}, home=home, database_url=url)) as house, house.db.begin() as tx:
        await keep_watched(tx, measure(WatchTerms(vertical="solar"), [], {}), house.clock())
        found = Finding("silent", "alarm", "", "helio", "answered for 70% of leads, lately for none")
        (made,), _ = await keep_findings(tx, "solar", [found], house.clock(), house.mint)
        return made.id


def test_what_is_measured_is_shown_and_an_alert_noted_as_looked_at(empty_database_url: str, tmp_path: Path) -> None:
    # Few words: each opens the house anew.
    alert = asyncio.run(prepared(empty_database_url, tmp_path))
    said = leadmill(empty_database_url, tmp_path, "scoring", "watch", "solar", "--json")
    assert json.loads(said.stdout)["watched"]["vertical"] == "solar"
    done = leadmill(
        empty_database_url, tmp_path, "scoring", "acknowledge", alert, "--why", "its system moved", "--json"
    )
    assert (json.loads(done.stdout)["subject"], json.loads(done.stdout)["why"]) == ("helio", "its system moved")
