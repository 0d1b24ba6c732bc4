"""``leadmill scoring add`` and ``activate`` as they are typed."""

import json
from pathlib import Path

from tests.flow.test_rating import folder_of
from tests.interfaces.command import leadmill


def test_a_place_asks_why_and_tells_what_changed_and_what_no_lead_has(empty_database_url: str, tmp_path: Path) -> None:
    # Few words: each opens the house anew.
    card = json.dumps({"importance": [{"column": "monthly_bill", "share": 0.9}, {"column": "Tags", "share": 0.1}]})
    folder = folder_of(tmp_path / "one", card=card.encode(), target="bad", besides=("Tags",))
    named = "no lead of solar has 'Tags' (10%)"
    words = ["scoring", "add", str(folder), "--id", "bills", "--vertical", "solar", "--json"]
    says, mind = json.loads(leadmill(empty_database_url, tmp_path, *words).stdout)["changed"]
    assert says.startswith("model bills: candidate for solar, foresees bad, digest ")
    assert named in mind
    words = ["scoring", "activate", "bills", "--as", "champion", "--json"]
    assert leadmill(empty_database_url, tmp_path, *words).exit_code == 2
    told = json.loads(leadmill(empty_database_url, tmp_path, *words, "--why", "it ranks well").stdout)["changed"]
    assert told[:2] == ["model bills: changed", "    state: candidate → champion"]
    assert len(told) == 4 and named in told[3]
