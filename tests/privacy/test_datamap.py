"""The data map: every column has a kind and a reason, and where data goes is drawn from what is declared."""

from leadmill.privacy import KINDS_OF_DATA, columns_of, read_notes, read_terms, schema, unnoted
from leadmill.runtime.packs import load_packs
from scripts.datamap import page
from tests.conftest import import_tables
from tests.house.sources import ROOT, listed


def test_every_column_of_every_table_is_noted() -> None:
    import_tables()
    found = unnoted(schema(), read_notes())
    assert not found, listed(found)


def test_a_column_without_a_note_is_found() -> None:
    notes = read_notes()
    assert unnoted({"sale": {"id": "text"}, "novelty": {"email": "text"}}, {"sale": notes["sale"]}) == [
        "the table novelty has no note: add [novelty] to src/leadmill/privacy/datamap/columns.toml, then run"
        " python scripts/datamap.py",
        *(
            f"sale.{name} is no column any more: take it out of src/leadmill/privacy/datamap/columns.toml, then run"
            " python scripts/datamap.py"
            for name in sorted(notes["sale"].kinds.keys() - {"id"})
        ),
    ]


def test_the_written_page_is_that_of_the_schema() -> None:
    import_tables()
    assert (ROOT / "docs/data-map.md").read_text("utf-8") == page(), "run python scripts/datamap.py"


def test_nothing_personal_of_consumers_stands_readable_but_where_it_must() -> None:
    import_tables()
    columns = columns_of(schema(), read_terms(load_packs()))
    readable = [one for one in columns if one.kind in ("personal", "sensitive") and one.whose != "operators"]
    open_ones = {f"{one.table}.{one.name}" for one in readable}
    assert {one for one in open_ones if not one.startswith("record_version.")} == {
        "lead.region",
        "import_fault.detail",
        "privacy_request.home",
    }
    assert {one.kind for one in columns} <= set(KINDS_OF_DATA)


def test_what_a_schedule_keeps_says_how_long() -> None:
    import_tables()
    columns = {(one.table, one.name): one for one in columns_of(schema(), read_terms(load_packs()))}
    assert "5 years after its last use" in columns["lead", "sealed"].stays
    assert columns["lead", "sealed"].holds == "the lead's fields, consent and context"
    assert columns["lead_read", "at"].stays == "24 months after it came"
