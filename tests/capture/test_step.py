"""The step that makes a lead of a submission."""

import msgspec
import pytest

from leadmill.capture import HONEYPOT_FIELD, Lead, Map, Submission, read_form
from leadmill.capture.rules import can_reach
from leadmill.core.case import NOTHING, Case
from leadmill.core.verdicts import Pass, Stop
from tests.capture.leads import GOOD, NOW, VERTICALS, submission

FORM = read_form(
    {"id": "quote", "vertical": "solar", "source": "own", "title": "A quote", "steps": [{"fields": ["email", "zip"]}]},
    VERTICALS,
)
MAP = Map(VERTICALS, {"quote": FORM})


def judge(found: Submission):
    return MAP.judge(Case("lead_1", [found]), NOTHING, NOW)


def test_a_good_submission_becomes_a_lead():
    verdict = judge(submission(GOOD))
    assert isinstance(verdict, Pass)
    (lead,) = verdict.learned
    assert isinstance(lead, Lead)
    assert (lead.id, lead.vertical, lead.source_id, lead.received_at) == ("lead_1", "solar", "acme", NOW)
    assert lead.text("email") == "ana@example.com" and lead.text("zip") is None


def test_the_step_asks_for_nothing_and_repeats_itself():
    case = Case("lead_1", [submission(GOOD)])
    assert MAP.wants(case) == ()
    assert MAP.judge(case, NOTHING, NOW) == MAP.judge(case, NOTHING, NOW)


@pytest.mark.parametrize(
    ("fields", "reachable"),
    [
        ({"email": "a@example.com"}, True),
        ({"phone": "415 555 0123"}, True),
        ({"email": "nobody", "phone": "+14155550123"}, True),
        ({}, False),
        ({"email": "nobody"}, False),
        ({"email": "a@b"}, False),
        ({"email": "a b@example.com"}, False),
        ({"phone": "none"}, False),
        ({"phone": "12345"}, False),
        ({"phone": "1234567890123456"}, False),
    ],
)
def test_a_lead_that_nobody_can_reach_is_rejected(fields, reachable):
    verdict = judge(submission({"vertical": "solar", "fields": fields}))
    assert can_reach(fields.get("email"), fields.get("phone")) is reachable
    if reachable:
        assert isinstance(verdict, Pass)
    else:
        assert isinstance(verdict, Stop) and verdict.because.code == "capture.lead.incomplete"
        assert verdict.because.message == "The lead cannot be used: missing email or phone."
        assert [type(item) for item in verdict.learned] == [Lead]


def test_a_lead_without_a_field_its_vertical_requires_is_rejected():
    solar = VERTICALS["solar"]
    fields = solar.fields | {"zip": msgspec.structs.replace(solar.fields["zip"], required=True)}
    step = Map({"solar": msgspec.structs.replace(solar, fields=fields)}, {})
    verdict = step.judge(Case("lead_1", [submission(GOOD)]), NOTHING, NOW)
    assert isinstance(verdict, Stop) and verdict.because.message == "The lead cannot be used: missing zip."


def test_a_submission_that_these_packs_cannot_read_stops_instead_of_failing():
    for body in (b"{", {"vertical": "alchemy"}, {"vertical": "solar", "fields": {"email": 1}}):
        verdict = judge(submission(body, content_type="application/json"))
        assert isinstance(verdict, Stop) and verdict.because.code == "capture.lead.unreadable"


def hosted(body: bytes) -> Submission:
    return submission(body, "hosted", form="quote", form_version=FORM.version, remote_ip="203.0.113.9",
                      headers={"user-agent": "Browser/1", "referer": "https://school.example/x"})  # fmt: skip


def test_a_form_filled_in_by_a_program_is_rejected():
    verdict = judge(hosted(f"email=a%40example.com&{HONEYPOT_FIELD}=1".encode()))
    assert isinstance(verdict, Stop) and verdict.because.code == "capture.form.honeypot"


def test_an_api_caller_may_well_have_a_fax():
    assert isinstance(judge(submission(GOOD | {HONEYPOT_FIELD: "1"})), Pass)


def test_of_our_own_visitors_we_believe_what_we_saw():
    verdict = judge(hosted(b"email=a%40example.com&ip=1.1.1.1&user_agent=curl"))
    assert isinstance(verdict, Pass) and isinstance(verdict.learned[0], Lead)
    lead = verdict.learned[0]
    assert lead.vertical == "solar"
    assert lead.context == {"ip": "203.0.113.9", "user_agent": "Browser/1", "landing_page": "https://school.example/x"}


def test_evidence_round_trips_and_tells_no_value():
    found = submission(GOOD, headers={"user-agent": "x"}, idempotency_key="k")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Submission) == found
    verdict = judge(found)
    assert isinstance(verdict, Pass)
    told = " ".join([*found.tell(), *verdict.learned[0].tell()])
    assert "Ana" not in told and "ana@" not in told and "4155550123" not in told
    assert "email" in told
