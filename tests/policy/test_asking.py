"""Leave for messages, charges, scores, rankings and the fields of pings, as tables."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from leadmill.consent import Proof
from leadmill.policy import (
    Message,
    SuppressionFound,
    masked_in_pings,
    may_charge,
    may_message,
    may_rank,
    may_score,
)
from tests.policy.engine import engine

NOON = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 25, 4, 30, tzinfo=UTC)
"""Half past ten in the evening in Texas, half past eleven in New York."""

OURS = Proof(
    kind="written",
    text="I agree to texts and calls. Agreeing is not a condition of purchase.",
    channels=["call", "text", "email"],
    box_default="unchecked",
    given_at=NOON - timedelta(days=2),
    origin="form",
)


def message(**more: Any) -> Message:
    known: dict[str, Any] = {
        "way": "text",
        "vertical": "solar",
        "state": "TX",
        "zip_code": "78701",
        "proof": OURS,
        "phone": "+15125550142",
    }
    return Message(**{**known, **more})


def times(count: int, hours: int = 3) -> tuple[tuple[datetime, Any], ...]:
    return tuple((NOON - timedelta(hours=hours), "text") for _ in range(count))


FLORIDA: dict[str, Any] = {"state": "FL", "zip_code": "33130", "phone": "+13055550142"}
TICKED = Proof(kind="written", text="x", box_default="checked")
GONE, NONE = SuppressionFound(reassigned="yes"), SuppressionFound(phone=NOON, email=NOON)
OLD = SuppressionFound(registries={"federal": date(2026, 10, 1)})
LISTED = SuppressionFound(listed=("federal",), registries={"federal": date(2026, 11, 1)})

MESSAGES: list[tuple[str, Message, datetime, str, str | None]] = [
    ("a text in the day", message(), NOON, "allow", None),
    ("a text at night", message(), NIGHT, "defer", "TEL-03"),
    ("a call by machine, and nobody knows how many were dropped", message(way="call"), NOON, "review", "TEL-08"),
    ("an e-mail at night", message(way="email"), NIGHT, "allow", None),
    ("an e-mail to who wants none", message(way="email", found=NONE), NOON, "deny", "EML-02"),
    ("a text to who wants none", message(found=NONE), NOON, "deny", "TEL-05"),
    ("a text without consent", message(proof=None), NOON, "deny", "TEL-01"),
    ("a text on a box ticked beforehand", message(proof=TICKED), NOON, "deny", "TEL-01"),
    ("the third text of a day in Florida", message(**FLORIDA, before=times(2)), NOON, "allow", None),
    ("the fourth", message(**FLORIDA, before=times(3)), NOON, "deny", "ST-CAP"),
    ("the fourth, a day later", message(**FLORIDA, before=times(3, 24)), NOON, "allow", None),
    ("a number that went to somebody else", message(found=GONE), NOON, "deny", "TEL-09"),
    ("a registry too old", message(found=OLD), NOON, "deny", "TEL-04"),
    ("a listed number that agreed", message(found=LISTED), NOON, "allow", None),
]


@pytest.mark.parametrize(("why", "asked", "now", "decision", "rule"), MESSAGES, ids=[item[0] for item in MESSAGES])
def test_whether_a_message_may_go_out(why: str, asked: Message, now: datetime, decision: str, rule: str | None) -> None:
    permit = may_message(engine(), asked, now)
    assert permit.decision == decision
    assert rule is None or rule in {one.id for one in permit.rules}
    assert permit.packs


def test_a_text_that_waits_says_when_it_may_go() -> None:
    permit = may_message(engine(), message(), NIGHT)
    assert permit.until == datetime(2026, 11, 25, 15, 0, tzinfo=UTC)  # nine in the morning in Texas


def test_what_a_message_must_carry_is_asked_where_the_house_insists() -> None:
    asked = message(way="email")
    assert may_message(engine(), asked, NOON).given
    assert may_message(engine(), asked, NOON, frozenset(("mail",))).decision == "deny"


CHARGES = [
    ("solar", "per_lead", "allow"),
    ("education", "per_contact_record", "allow"),
    ("education", "per_start", "deny"),
    ("legal", "percent_of_recovery", "deny"),
    ("mortgage", "per_closing", "deny"),
    ("insurance_auto", "per_bind", "review"),
    ("solar", "per_signed_contract", "review"),
    ("windmills", "per_lead", "allow"),
]


@pytest.mark.parametrize(("vertical", "unit", "decision"), CHARGES)
def test_what_may_be_charged_for(vertical: str, unit: str, decision: str) -> None:
    permit = may_charge(engine(), vertical, unit, NOON)
    assert permit.decision == decision
    assert permit.given or all(rule.citation for rule in permit.rules)


SCORES = [
    ("mortgage", ["ltv", "phone.valid"], "allow"),
    ("mortgage", ["ltv", "person.age"], "deny"),
    ("mortgage", ["gender"], "deny"),
    ("solar", ["person.age"], "allow"),
]


@pytest.mark.parametrize(("vertical", "features", "decision"), SCORES)
def test_what_a_scorecard_may_look_at(vertical: str, features: list[str], decision: str) -> None:
    assert may_score(engine(), vertical, features, NOON).decision == decision


def test_what_a_page_may_rank_by() -> None:
    assert may_rank(engine(), "mortgage", ["apr", "distance"], NOON).given
    assert may_rank(engine(), "mortgage", ["bid"], NOON).decision == "deny"
    assert may_rank(engine(), "legal", ["state", "distance"], NOON).given
    assert may_rank(engine(), "legal", ["price"], NOON).decision == "deny"


def test_which_fields_no_ping_may_carry() -> None:
    fields = ("first_name", "phone", "zip", "gender", "ltv")
    assert masked_in_pings(engine(), "mortgage", fields, NOON) == {"first_name", "phone", "gender"}
    assert masked_in_pings(engine(), "solar", fields, NOON) == {"first_name", "phone"}
