"""What buyers see of a lead before they have it: what is asked about it, and nothing that leads to the person."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from leadmill.capture import Lead, read_verticals
from leadmill.core.faults import Permanent
from leadmill.market import Offer, offer_of
from leadmill.market.tenders.tender import CONTACT, leads_to_a_person
from leadmill.runtime.packs import load_packs

VERTICALS = read_verticals(load_packs())
SOLAR = VERTICALS["solar"]
AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANA: dict[str, Any] = {
    "first_name": "Ana", "last_name": "Mendez", "email": "ana.mendez@example.com", "phone": "+14155550123",
    "address": "1 Market St", "date_of_birth": "1980-01-02", "zip": "94110", "state": "CA", "monthly_bill": 180,
    "homeowner": True, "credit_rating": "good", "comments": "call me", "utility_provider": "PG&E",
}  # fmt: skip


def a_lead(**changes: Any) -> Lead:
    facts: dict[str, Any] = {
        "id": "lead_01abc", "vertical": "solar", "source_id": "sunny", "received_at": AT, "fields": ANA,
    }  # fmt: skip
    return Lead(**(facts | changes))


def test_an_offer_shows_what_is_wanted_and_where_and_not_who_wants_it() -> None:
    offer = offer_of(a_lead(), SOLAR, ANA)
    assert offer.fields == {
        "zip": "94110", "state": "CA", "monthly_bill": 180, "homeowner": True, "utility_provider": "PG&E"
    }  # fmt: skip
    assert offer.guarded == {"credit_rating": "good"}
    assert offer.id == "ping_01abc"


@pytest.mark.parametrize("vertical", sorted(VERTICALS))
def test_no_verticals_personal_field_is_in_an_offer(vertical: str) -> None:
    pack = VERTICALS[vertical]
    fields: dict[str, Any] = dict.fromkeys(pack.fields, "x")
    offer = offer_of(a_lead(vertical=vertical, fields=fields), pack, {})
    shown = {**offer.fields, **offer.guarded}
    assert not CONTACT.intersection(shown)
    assert not [name for name in shown if pack.fields[name].personal]
    assert "zip" in shown


@pytest.mark.parametrize(
    "text", ["mail ana@example.org", "call 415-555-0123", "+49 30 901820", "123-45-6789", "Mendez solar", "x" * 90]
)
def test_a_free_answer_that_says_who_it_is_stays_behind(text: str) -> None:
    offer = offer_of(a_lead(fields=ANA | {"utility_provider": text}), SOLAR, {})
    assert "utility_provider" not in offer.fields


@given(st.text(max_size=60), st.sampled_from(["utility_provider", "attic_type", "city", "county"]))
def test_whatever_is_typed_an_offer_can_be_made_and_names_nobody(text: str, name: str) -> None:
    offer = offer_of(a_lead(fields=ANA | {name: text}), SOLAR, {name: text})
    assert not any(leads_to_a_person(value) for value in (*offer.fields.values(), *offer.guarded.values()))


@pytest.mark.parametrize(
    ("ip", "rule", "shown"),
    [
        ("203.0.113.77", "masked", "203.0.113.0"),
        ("203.0.113.77", "full", "203.0.113.77"),
        ("203.0.113.77", "none", None),
        ("2001:db8:1234:5678::9", "masked", "2001:db8:1234::"),
        ("not an address", "full", None),
    ],
)
def test_the_network_address_is_shown_as_the_setting_says(ip: str, rule: Any, shown: str | None) -> None:
    assert offer_of(a_lead(context={"ip": ip}), SOLAR, {}, rule).context.get("ip") == shown


def test_a_landing_page_loses_what_stands_behind_its_question_mark() -> None:
    lead = a_lead(
        context={"landing_page": "https://sunny.example/quote?email=ana@example.com", "referrer": "https://x"}
    )
    assert offer_of(lead, SOLAR, {}).context == {"landing_page": "https://sunny.example/quote"}


def test_tokens_of_consent_go_along_and_the_persons_own_words_do_not() -> None:
    consent = {
        "trustedform": "https://cert.trustedform.com/abc", "jornaya": "T-1", "text": "I agree", "phone_number": "1",
        "signed": "Ana Mendez", "ip": "203.0.113.77",
    }  # fmt: skip
    told = offer_of(a_lead(consent=consent), SOLAR, {}).consent
    assert told == {"trustedform": "https://cert.trustedform.com/abc", "jornaya": "T-1", "text": "I agree"}


@pytest.mark.parametrize("group", ["fields", "guarded", "consent", "context"])
def test_the_type_itself_refuses_contact_details(group: str) -> None:
    plain = Offer(id="ping_1", vertical="solar", source="s", received_at=AT)
    with pytest.raises(Permanent, match="contact details"):
        replace(plain, **{group: {"email": "hidden"}})
    with pytest.raises(Permanent, match="contact detail"):
        replace(plain, fields={"product": "415 555 0123"})
