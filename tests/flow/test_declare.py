"""Reading configuration: a file that makes no sense is refused with the place, whatever is wrong with it."""

from datetime import UTC, datetime

import pytest

from leadmill.core.faults import BadInput, Fault, TooLarge
from leadmill.flow.configure import MAX_BYTES, declare, read_text
from tests.flow.test_configure import planned


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("[[order]\n", "config.file.malformed", "a.toml: Expected ']]' at the end of an array declaration (at line 1"),
        (
            "x = 1\n",
            "config.table.unknown",
            "a.toml: [[x]] is not known; known: adjustment, agreement, authority, buyer, card_review, chain, form",
        ),
        ('[[ordr]]\nid = "x"\n', "config.table.unknown", "did you mean 'order'?"),
        ('[order]\nid = "x"\n', "config.table.unknown", "write [[order]] in double brackets"),
        ('[[team]]\nid = "t"\nname = "T"\npriority = nan\n', "config.record.malformed", "must be finite"),
        (f'[[team]]\nid = "t"\nname = "T"\npriority = {10**30}\n', "config.record.malformed", "too large"),
        ('[[team]]\nname = "T"\n', "config.record.malformed", "team, id: is missing"),
        ("[[team]]\nid = 5\n", "config.record.malformed", "id: must be a text"),
        (
            '[[team]]\nid = "t"\nname = "T"\n[[team]]\nid = "t"\nname = "T"\n',
            "config.record.twice",
            "team t stands at a.toml#/team/0 already",
        ),
        (
            '[[team]]\nid = "t"\nname = "T"\n[[buyer]]\nid = "t"\nname = "T"\n',
            "config.files.invalid",
            "2 mistakes",
        ),
        ('[[buyer]]\nid = "b"\nname = "B"\nkey_hash = "00"\n', "config.record.malformed", "write key"),
        (
            '[[buyer]]\nid = "b"\nname = "B"\ndelivery = { courier = "http", urll = "x" }\n',
            "config.delivery.malformed",
            "buyer b, delivery",
        ),
        (
            '[[team]]\nid = "t"\nname = "T"\nreps = [{ id = "a", email = "a@b.c", products = ["solr"] }]\n',
            "config.reference.unknown",
            "team t, rep a: there is no vertical 'solr'; did you mean 'solar'?",
        ),
        (
            '[[buyer]]\nid = "b"\nname = "B"\ncurrency = "EUR"\n'
            '[[order]]\nid = "o"\nbuyer = "b"\nvertical = "solar"\nprice = "1.00"\n',
            "config.reference.mismatch",
            "order o pays in USD, buyer b in EUR",
        ),
        (
            '[[source]]\nid = "s"\nname = "S"\nverticals = ["legal"]\n[[form]]\nid = "f"\nvertical = "solar"\n'
            'source = "s"\ntitle = "F"\nsteps = [{ title = "You", fields = ["email"] }]\n',
            "config.reference.mismatch",
            "form f: source s does not send solar leads",
        ),
        (
            '[[order]]\nid = "o"\nbuyer = "b"\nvertical = "solar"\nprice = "1.00"\nwhere = [{ field = "a", is = 1 }]\n',
            "config.predicate.malformed",
            "order o, where[0]",
        ),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_the_place(text: str, code: str, says: str) -> None:
    with pytest.raises(Fault) as caught:
        planned(text)
    assert (caught.value.code, says in caught.value.detail) == (code, True), caught.value.detail


def test_a_file_that_is_no_text_too_large_or_nested_without_end_is_refused() -> None:
    with pytest.raises(BadInput, match="as UTF-8"):
        read_text(b'# fine\nname = "\xff"', "a.toml")
    with pytest.raises(TooLarge):
        read_text(b"#" * (MAX_BYTES + 1), "a.toml")
    with pytest.raises(BadInput, match="nested too deep"):
        read_text(b"x = " + b"[" * 100_000, "a.toml")


def test_dates_become_texts_and_a_record_may_lean_on_a_later_file() -> None:
    at = datetime(2026, 1, 5, 12, tzinfo=UTC)
    found = declare("order", {"where": [{"field": "a", "gte": at.date()}], "at": at}, "console")
    assert found.raw == {"where": [{"field": "a", "gte": "2026-01-05"}], "at": "2026-01-05T12:00:00+00:00"}
    order = '[[order]]\nid = "o"\nbuyer = "b"\nvertical = "solar"\nprice = "1.00"\n'
    assert len(planned(order + '[[buyer]]\nid = "b"\nname = "B"\n').parties) == 2
    assert len(planned(order, {("buyer", "b"): {"id": "b", "name": "B"}}).parties) == 1
