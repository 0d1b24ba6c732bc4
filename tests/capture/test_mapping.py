"""From the names callers use to the fields of a lead."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.capture import Lead, Mapped, check_submission, map_lead
from leadmill.core.faults import BadInput
from tests.capture.leads import GOOD, LEXICON, NOW, submission


def mapped(body: dict[str, Any], textual: bool = False, vertical: str | None = None) -> Mapped:
    return map_lead(
        {"vertical": "solar", **body} if vertical is None else body, LEXICON, textual=textual, bound=vertical
    )


def refused(body: dict[str, Any], textual: bool = False) -> dict[str, str]:
    with pytest.raises(BadInput) as found:
        mapped(body, textual)
    return {fault.pointer: fault.code for fault in found.value.errors}


@pytest.mark.parametrize(
    ("key", "section", "name"),
    [
        ("first_name", "fields", "first_name"),
        ("FirstName", "fields", "first_name"),
        ("First Name", "fields", "first_name"),
        ("lname", "fields", "last_name"),
        ("Email Address", "fields", "email"),
        ("phone_number", "fields", "phone"),
        ("ZipCode", "fields", "zip"),
        ("dob", "fields", "date_of_birth"),
        ("electric_bill", "fields", "monthly_bill"),
        ("tcpa_text", "consent", "text"),
        ("TcpaText", "consent", "text"),
        ("tcpa_consent_text", "consent", "text"),
        ("Disclaimer", "consent", "text"),
        ("sellers_named", "consent", "sellers"),
        ("partners", "consent", "sellers"),
        ("named_sellers", "consent", "sellers"),
        ("xxTrustedFormCertUrl", "consent", "trustedform"),
        ("trusted_form_cert_url", "consent", "trustedform"),
        ("Trusted_Form_URL", "consent", "trustedform"),
        ("TrustedForm", "consent", "trustedform"),
        ("xxTrustedFormPingUrl", "consent", "trustedform_ping"),
        ("universal_leadid", "consent", "jornaya"),
        ("jornaya_lead_id", "consent", "jornaya"),
        ("JornayaLeadId", "consent", "jornaya"),
        ("leadid_token", "consent", "jornaya"),
        ("landing_page_url", "context", "landing_page"),
        ("OriginalUrl", "context", "landing_page"),
        ("Landing_Page", "context", "landing_page"),
        ("IP_Address", "context", "ip"),
        ("ip_address", "context", "ip"),
        ("UserAgent", "context", "user_agent"),
        ("utm_source", "context", "utm_source"),
        ("gclid", "context", "gclid"),
        ("gcl_id", "context", "gclid"),
        ("fbclid", "context", "fbclid"),
        ("msclkid", "context", "msclkid"),
        ("SubId", "context", "sub1"),
        ("lp_s1", "context", "sub1"),
        ("lp_subid2", "context", "sub2"),
        ("Sub5Id", "context", "sub5"),
        ("lp_ping_id", "context", "ping_id"),
        ("SellResponseURL", "context", "response_url"),
    ],
)
def test_the_trades_usual_names_are_known(key, section, name):
    value = {"monthly_bill": 12, "date_of_birth": "1980-02-01", "sellers": ["x"]}.get(name, "12345")
    assert getattr(mapped({key: value}), section) == {name: value}


def test_nested_flat_and_dotted_bodies_give_the_same_lead():
    fields = {"first_name": "Ana", "zip": "01234", "monthly_bill": 180.5}
    nested = mapped(
        {"fields": fields, "consent": {"text": "I agree", "given_at": "2026-01-01"}, "context": {"ip": "::1"}}
    )
    flat = mapped({"fname": "Ana", "zip_code": "01234", "electric_bill": 180.5, "tcpa_text": "I agree",
                   "consent_at": "2026-01-01", "ip_address": "::1"})  # fmt: skip
    dotted = mapped({**{f"fields.{key}": value for key, value in fields.items()}, "consent.text": "I agree",
                     "consent.given_at": "2026-01-01", "context.ip": "::1"})  # fmt: skip
    assert nested == flat == dotted


def test_groups_that_callers_invent_are_opened():
    found = mapped(
        {"Person": {"FirstName": "Ana"}, "ContactData": {"ZipCode": "94107"}, "address": {"street": "1 Main"}}
    )
    assert found.fields == {"first_name": "Ana", "zip": "94107", "address": "1 Main"}


def test_what_no_field_knows_is_kept_as_it_came():
    found = mapped(
        {"pet": "dog", "deep": {"a": [1, {"b": 2}], "c": None}, "fields": {"tags": ["x", "y"]}, "consent": {"odd": 1}}
    )
    assert found.extra == {"pet": "dog", "deep.a": '[1,{"b":2}]', "tags": ["x", "y"], "consent.odd": 1}


def test_a_callers_secret_never_becomes_part_of_a_lead():
    found = mapped({"api_key": "s3cret", "lp_campaign_key": "t0ken", "Key": "other", "email": "a@example.com"})
    assert "s3cret" not in repr(found) and "t0ken" not in repr(found) and "other" not in repr(found)


@pytest.mark.parametrize(
    ("key", "value"),
    [("test", True), ("lp_test", "1"), ("Test_Lead", "1"), ("testMode", "true"), ("lp_action", "test")],
)
def test_a_test_lead_is_known_by_any_of_its_flags(key, value):
    assert mapped({key: value}).test is True


@pytest.mark.parametrize(
    ("vertical", "key", "said", "meant"),
    [
        ("solar", "state", "california", "CA"),
        ("solar", "state", "ca", "CA"),
        ("solar", "state", "Bavaria", "Bavaria"),
        ("solar", "own_or_rent", "Own", True),
        ("solar", "homeowner", "renter", False),
        ("solar", "credit", "720+", "excellent"),
        ("solar", "monthly_bill", "$1,200.50", 1200.5),
        ("solar", "monthly_bill", "$151-200", 151),
        ("solar", "monthly_bill", "500+", 500),
        ("mortgage", "loan_amount", "250k", 250_000),
        ("mortgage", "property_value", "1.2M", 1_200_000),
        ("mortgage", "fico", "712", 712),
        ("mortgage", "loan_type_purpose", "Refi", "refinance"),
        ("legal", "accident_date", "03/04/2026", "2026-03-04"),
        ("legal", "accident_date", "2026-03-04T10:00:00Z", "2026-03-04"),
        ("legal", "accident_date", "20260304", "2026-03-04"),
        ("legal", "injuries", "yes", True),
        ("insurance_health", "medical_conditions", "asthma; diabetes", ["asthma", "diabetes"]),
        ("education", "what_is_your_current_occupation", "Working Professional", "working_professional"),
        ("home_services", "project", "Bath Remodel", "bathroom"),
        ("b2b", "company_size", "1,200", 1200),
    ],
)
def test_an_answer_is_read_as_its_fields_type(vertical, key, said, meant):
    (value,) = mapped({key: said}, vertical=vertical).fields.values()
    assert value == meant and type(value) is type(meant)


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("email", 12, "capture.field.type"),
        ("email", True, "capture.field.type"),
        ("email", ["a@example.com"], "capture.field.type"),
        ("email", {"a": 1}, "capture.field.type"),
        ("zip", 94107, "capture.field.type"),
        ("email", "x" * 255, "capture.field.too_long"),
        ("monthly_bill", "lots", "capture.field.type"),
        ("monthly_bill", True, "capture.field.type"),
        ("monthly_bill", -1, "capture.field.range"),
        ("monthly_bill", "9" * 30, "capture.field.range"),
        ("roof_age", 1.5, "capture.field.type"),
        ("homeowner", "perhaps", "capture.field.type"),
        ("homeowner", 1, "capture.field.type"),
        ("state", ["CA"], "capture.field.type"),
        ("state", "x" * 61, "capture.field.too_long"),
        ("date_of_birth", "31/12/1980", "capture.field.type"),
        ("date_of_birth", "1980-02-30", "capture.field.type"),
        ("date_of_birth", 19800101, "capture.field.type"),
        ("odd", "x" * 10_001, "capture.field.too_long"),
    ],
)
def test_a_wrong_type_in_json_is_one_fault_of_one_field(key, value, code):
    assert refused({"fields": {key: value}}) == {f"/fields/{key}": code}


def test_every_fault_of_a_body_is_told_at_once():
    assert refused({"fields": {"email": 1, "monthly_bill": "x"}, "consent": "yes", "roof_age": "old"}) == {
        "/fields/email": "capture.field.type",
        "/fields/monthly_bill": "capture.field.type",
        "/consent": "capture.field.type",
        "/roof_age": "capture.field.type",
    }


def test_where_everything_is_text_numbers_and_flags_are_read_from_it():
    found = mapped({"zip": 1234.0, "phone": 4155550123, "homeowner": 1, "roof_age": "12.0"}, textual=True)
    assert found.fields == {"zip": "1234", "phone": "4155550123", "homeowner": True, "roof_age": 12}


def test_of_a_name_repeated_in_a_form_the_last_answer_counts_and_all_are_kept():
    found = mapped({"agree": ["0", "1"], "zip": ["1", "2", ""], "sellers": ["A", "B"]}, textual=True)
    assert found.consent == {"granted": True, "sellers": ["A", "B"]}
    assert found.fields == {"zip": "2"}
    assert found.extra == {"agree (all)": ["0", "1"], "zip (all)": ["1", "2"]}


def test_a_fields_own_name_outranks_an_alias_and_both_are_kept():
    found = mapped({"mobile": "111", "phone": "222", "cell": "333"})
    assert found.fields["phone"] == "222"
    assert set(found.extra.values()) == {"111", "333"}


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("Helio Solar, LLC, Bright, Inc.", ["Helio Solar, LLC", "Bright, Inc."]),
        ("A; B, Ltd", ["A", "B, Ltd"]),
        ("A|B", ["A", "B"]),
        ("A\nB", ["A", "B"]),
    ],
)
def test_a_list_of_companies_written_as_text_keeps_their_legal_forms(said, names):
    assert mapped({"partners": said}).consent["sellers"] == names


@pytest.mark.parametrize(("value", "granted"), [("yes", True), (True, True), ("0", False), (False, False)])
def test_an_agreement_without_its_text_is_no_text(value, granted):
    assert mapped({"tcpa_consent": value}).consent == {"granted": granted}


@pytest.mark.parametrize(
    ("whole", "first", "last"),
    [("Ana Maria Lopez", "Ana", "Maria Lopez"), ("Lopez, Ana", "Ana", "Lopez"), ("Ana", "Ana", None)],
)
def test_a_whole_name_gives_its_parts(whole, first, last):
    fields = mapped({"name": whole}).fields
    assert (fields.get("first_name"), fields.get("last_name"), fields["full_name"]) == (first, last, whole)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"email": "a@example.com"}, "capture.vertical.missing"),
        ({"vertical": ""}, "capture.vertical.missing"),
        ({"vertical": "solr"}, "capture.vertical.unknown"),
        ({"vertical": "x" * 500}, "capture.vertical.unknown"),
        ({"vertical": 7}, "capture.lead.malformed"),
        ({"vertical": ["solar"]}, "capture.lead.malformed"),
    ],
)
def test_a_body_without_a_known_vertical_is_refused(body, code):
    with pytest.raises(BadInput) as found:
        map_lead(body, LEXICON, textual=False)
    assert found.value.code == code
    assert found.value.errors[0].pointer == "/vertical"


def test_an_unknown_vertical_is_answered_with_the_nearest():
    with pytest.raises(BadInput, match="did you mean 'mortgage'"):
        map_lead({"vertical": "morgage"}, LEXICON, textual=False)


def test_a_source_of_one_vertical_need_not_name_it():
    assert (
        check_submission(submission({"email": "a@example.com"}), LEXICON, ["home-services"]).vertical == "home_services"
    )


def test_a_source_may_send_its_own_verticals_only():
    with pytest.raises(BadInput, match=r"capture\.vertical\.not_allowed"):
        check_submission(submission(GOOD), LEXICON, ["legal", "b2b"])


KEYS = st.sampled_from(
    ["email", "zip", "fields", "consent", "context", "extra", "vertical", "tcpa_text", "state", "x", "address", "a.b"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
BODIES = st.dictionaries(
    KEYS | st.text(max_size=8),
    st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
    ),
    max_size=6,
)


@given(BODIES, st.booleans())
def test_any_body_is_mapped_or_refused_and_what_is_mapped_can_be_kept(body, textual):
    try:
        found = map_lead(body, LEXICON, textual=textual, bound="solar")
    except BadInput:
        return
    lead = Lead(id="lead_1", vertical="solar", source_id="s", received_at=NOW, fields=found.fields,
                consent=found.consent, context=found.context, extra=found.extra)  # fmt: skip
    try:
        kept = msgspec.msgpack.encode(lead)
    except UnicodeEncodeError:
        return  # read_body lets no half surrogate pair come this far
    assert msgspec.msgpack.decode(kept, type=Lead) == lead
