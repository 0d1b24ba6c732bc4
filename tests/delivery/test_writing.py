"""A lead in the buyer's own words."""

import json
from datetime import UTC, datetime
from functools import partial
from urllib.parse import parse_qs

import pytest
from defusedxml import ElementTree as ET
from hypothesis import given
from hypothesis import strategies as st

from leadmill.delivery import DeliverySpec, Parcel, read_delivery, write
from leadmill.delivery.rules import find, next_wait
from leadmill.runtime.dialect import Picked, pick

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANA = Parcel(
    "dlv_1", "lead_1", "sale_1", "helio", "solar", NOON, received_at=NOON, price="65.00",
    fields={
        "first_name": "Ana", "phone": "+1 (415) 555-0123", "bill": "120.7", "own": True, "tags": ["a", "b"],
        "gone": None, "empty": "",
    },
    consent={"text": "I agree."}, context={"ip": "203.0.113.9", "sub1": "secret of the source"},
)  # fmt: skip


def test_without_a_mapping_the_buyer_gets_everything_it_may_have() -> None:
    told = json.loads(write(DeliverySpec(courier="http"), ANA).body)
    assert told == {
        "lead_id": "lead_1", "sale_id": "sale_1", "vertical": "solar", "received_at": "2026-03-02T12:00:00Z",
        "price": "65.00", "currency": "USD", "consent": {"text": "I agree."}, "context": {"ip": "203.0.113.9"},
        "fields": {"first_name": "Ana", "phone": "+1 (415) 555-0123", "bill": "120.7", "own": True, "tags": ["a", "b"]},
    }  # fmt: skip


def test_a_form_without_a_mapping_is_flat() -> None:
    told = parse_qs(write(DeliverySpec(courier="http", format="form"), ANA).body.decode())
    assert told["first_name"] == ["Ana"]
    assert told["consent_text"] == ["I agree."]
    assert told["tags"] == ["a", "b"]
    assert "sub1" not in told


@pytest.mark.parametrize(
    ("picked", "value"),
    [
        (Picked("first_name", style="upper"), "ANA"),
        (Picked("phone", style="digits"), "14155550123"),
        (Picked("phone", style="national"), "4155550123"),
        (Picked("bill", style="whole"), 120),
        (Picked("own", style="yes_no"), "yes"),
        (Picked("own", {"true": "Owner"}), "Owner"),
        (Picked("first_name", {"Bob": "B"}), "Ana"),
        (Picked("first_name", {"Bob": "B"}, default="?"), "?"),
        (Picked("tags", style="text"), "a, b"),
        (Picked("gone"), None),
        (Picked("empty", default="n/a"), "n/a"),
        (Picked("unknown"), None),
        (Picked("context.sub1"), "secret of the source"),
        (Picked("lead.id"), "lead_1"),
        (Picked("lead.received_at"), "2026-03-02T12:00:00Z"),
        (Picked("sale.price"), "65.00"),
        (Picked("sale.nothing"), None),
    ],
)
def test_a_value_is_picked_translated_and_shaped(picked: Picked, value: object) -> None:
    assert pick(picked, partial(find, parcel=ANA)) == value


@given(st.text())
def test_any_text_survives_json_form_and_xml(text: str) -> None:
    parcel = Parcel("dlv_1", "lead_1", "sale_1", "helio", "solar", NOON, fields={"note": text or "x"})
    sent = text or "x"
    mapped = {"courier": "http", "fields": {"N": "note"}}
    clean = sent.encode("utf-8", "ignore").decode()
    if clean != sent:
        return  # a lone surrogate is no text and never passes the intake
    assert json.loads(write(read_delivery(mapped), parcel).body) == {"N": sent}
    assert parse_qs(
        write(read_delivery(mapped | {"format": "form"}), parcel).body.decode(), keep_blank_values=True
    ) == {"N": [sent]}
    xml = ET.fromstring(write(read_delivery(mapped | {"format": "xml"}), parcel).body).findtext("N") or ""
    kept = "".join(sign for sign in sent if sign in "\t\n\r" or sign >= " ")
    assert xml.replace("\r", "\n") == "".join(s for s in kept if s not in "\ufffe\uffff").replace("\r\n", "\n").replace(
        "\r", "\n"
    )


def test_a_secret_is_a_blank_that_no_value_of_the_lead_can_forge() -> None:
    spec = read_delivery({"courier": "http", "constants": {"key": {"env": "KEY"}}, "fields": {"a": "first_name"}})
    letter = write(spec, ANA)
    assert [(blank.secret, blank.escape) for blank in letter.blanks] == [("KEY", "json")]
    assert letter.blanks[0].token.encode() in letter.body
    assert ANA.delivery_id in letter.blanks[0].token


@pytest.mark.parametrize(
    ("tried", "jitter", "after", "wait"),
    [(1, 0.5, None, 10), (1, 0.0, None, 8), (1, 1.0, None, 12), (2, 0.5, None, 60), (3, 0.5, None, None),
     (1, 0.5, 300.0, 300), (1, 0.5, 1.0, 10), (2, 0.5, 1e9, 86_400), (3, 0.5, 5.0, None)],
)  # fmt: skip
def test_the_schedule_gives_the_wait_and_the_other_sides_wish_is_heeded(
    tried: int, jitter: float, after: float | None, wait: float | None
) -> None:
    assert next_wait((10, 60), tried, jitter, after) == (wait if wait is None else pytest.approx(wait))
