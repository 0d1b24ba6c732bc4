"""What the built-in scorecards make of plain leads: a good one is sold, a doubtful or an empty one is not."""

from datetime import UTC, datetime
from typing import Any

import pytest

from leadmill.runtime.packs import load_packs
from leadmill.scoring import read_scorecards
from leadmill.scoring.rules import compile_card

NOW = datetime(2026, 11, 22, tzinfo=UTC)
RATERS = {name: compile_card(card) for name, card in read_scorecards(load_packs()).items()}

REACHED = {"first_name": "Ana", "last_name": "Lopez", "email": "a@example.com", "phone": "+14155550123", "zip": "94107"}
SOUND = REACHED | {"phone.valid": True, "email.syntax": True, "email.disposable": False, "agree.zip_state": True}

PLAIN: dict[str, dict[str, Any]] = {
    "mortgage": {"loan_purpose": "refinance", "credit_rating": "good", "loan_amount": 250_000},
    "insurance_auto": {"currently_insured": True, "vehicle_make": "Honda"},
    "insurance_health": {"household_size": 2},
    "insurance_medicare": {"medicare_eligible": True},
    "insurance_life": {"coverage_amount": 250_000},
    "legal": {"practice_area": "auto_accident", "injured": True},
    "solar": {"monthly_bill": 180, "homeowner": True},
    "education": {"program": "Nursing"},
    "home_services": {"service": "roofing"},
    "b2b": {"company": "Acme"},
}
DOUBTFUL: list[dict[str, Any]] = [
    {"phone.valid": False, "email.disposable": True},
    {"name.placeholder": True, "phone.patterned": True},
    {"email.syntax": False, "phone.valid": False},
]


@pytest.mark.parametrize("vertical", sorted(RATERS))
def test_a_plain_good_lead_is_sold(vertical):
    score = RATERS[vertical](SOUND | PLAIN[vertical], NOW)
    assert score.path == "sell", score


@pytest.mark.parametrize("vertical", sorted(RATERS))
@pytest.mark.parametrize("doubt", DOUBTFUL, ids=lambda doubt: " ".join(doubt))
def test_a_lead_whose_facts_fail_is_not_sold(vertical, doubt):
    score = RATERS[vertical](SOUND | PLAIN[vertical] | doubt, NOW)
    assert score.path != "sell", score


@pytest.mark.parametrize("vertical", sorted(RATERS))
def test_a_lead_with_an_address_and_nothing_else_is_kept_for_later(vertical):
    score = RATERS[vertical]({"email": "a@example.com", "email.syntax": True}, NOW)
    assert score.path == "nurture", score


@pytest.mark.parametrize(
    ("vertical", "answers", "path"),
    [
        ("solar", {"homeowner": False, "monthly_bill": 40}, "nurture"),
        ("solar", {"homeowner": True, "monthly_bill": 5000}, "review"),
        ("legal", {"injured": True, "has_attorney": True}, "nurture"),
        ("legal", {"injured": True, "minor_involved": True}, "review"),
        ("mortgage", {"bankruptcy": "open", "credit_rating": "poor"}, "nurture"),
        ("insurance_medicare", {"person.age": 40, "coverage_now": "employer"}, "nurture"),
        ("education", {"time_on_site": 60, "source_name": "Olark Chat"}, "nurture"),
        ("education", {"time_on_site": 900, "source_name": "Google"}, "sell"),
        ("education", {"source_name": "testone", "program": "MBA"}, "review"),
        ("home_services", {"homeowner": False, "authorized_to_decide": False}, "nurture"),
        ("b2b", {"seniority": "student", "decision_role": "none"}, "nurture"),
    ],
)
def test_what_the_trade_would_not_buy_is_not_sold(vertical, answers, path):
    assert RATERS[vertical](SOUND | answers, NOW).path == path
