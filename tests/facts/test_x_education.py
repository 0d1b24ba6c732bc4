"""Real enquiries of a school, with the contacts that the example makes up for them: none is refused, none is doubted
for what is known of it. The published file is not part of the project; without it the test says so."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from leadmill.capture import Lead, map_lead
from leadmill.capture.files import read_map, read_rows
from leadmill.facts import Dossier
from leadmill.facts.rules import find_facts
from leadmill.facts.step import stop_of
from tests.capture.leads import LEXICON
from tests.facts.places import NOW, reference

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "x_education"
PUBLISHED = ROOT.parent / "shared" / "data" / "x_education" / "Leads.csv"


@pytest.mark.skipif(not PUBLISHED.is_file(), reason="the published file is not here")
def test_no_real_enquiry_is_stopped_and_next_to_none_is_doubted(tmp_path: Path) -> None:
    prepared = tmp_path / "leads.csv"
    subprocess.run([sys.executable, EXAMPLE / "prepare.py", PUBLISHED, prepared], check=True, capture_output=True)
    failed: Counter[str] = Counter()
    leads = 0
    for _, row in read_rows(prepared, read_map(EXAMPLE / "map.toml")):
        assert isinstance(row, dict)
        mapped = map_lead(row, LEXICON, textual=True, bound="education")
        lead = Lead(
            id="lead_1",
            vertical="education",
            source_id="x",
            received_at=NOW,
            fields=mapped.fields,
            context=mapped.context,
        )
        dossier = Dossier(find_facts(lead.fields, lead.context, reference(), NOW), NOW)
        assert stop_of(lead, dossier) is None
        failed.update(key for key, fact in dossier.by_key.items() if fact.outcome == "fail")
        leads += 1
    assert leads == 9_240
    del failed["phone.personal"]  # the numbers made up are of kinds that ring at nobody's
    assert failed.total() <= 0.005 * leads, failed
