"""Reading what a source is owed and may ask, and who of a team works when and at what."""

from decimal import Decimal
from typing import Any

import pytest

from leadmill.core.faults import BadInput
from leadmill.core.money import Money
from leadmill.parties import Payout, read_source, read_team

SOURCE: dict[str, Any] = {"id": "acme", "name": "Acme", "verticals": ["solar"]}
TEAM: dict[str, Any] = {
    "id": "west",
    "name": "West",
    "needs": {"spanish": [{"field": "language", "eq": "es"}]},
    "reps": [
        {
            "id": "ana",
            "email": "ana@example.com",
            "skills": ["spanish"],
            "hours": {"tz": "America/Los_Angeles", "open": ["mon-fri 08:00-17:00"]},
        },
        {"id": "ben", "email": "ben@example.com"},
    ],
}


def test_a_margin_a_floor_and_a_page_are_read():
    payout = {"model": "margin", "rate": "0.30", "amount": "5.00"}
    found = read_source({**SOURCE, "payout": payout, "floor": "12.00", "min_margin_rate": "0.10", "page": "comparison"})
    assert found.payout == Payout("margin", rate=Decimal("0.30"), amount=Money(500))
    assert (found.floor, found.min_margin_rate, found.page) == (Money(1200), Decimal("0.10"), "comparison")
    plain = read_source(SOURCE)
    assert (plain.floor, plain.shared_floor, plain.min_margin, plain.page) == (None, None, None, "form")


def test_skills_and_hours_are_read():
    team = read_team(TEAM)
    ana, ben = team.reps
    assert (ana.skills, ben.skills, ben.hours) == (("spanish",), (), None)
    assert ana.hours is not None and len(ana.hours.spans) == 5
    assert list(team.needs) == ["spanish"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"payout": {"model": "margin"}}, "a rate, an amount, or both"),
        ({"payout": {"model": "margins", "rate": "0.1"}}, "share, fixed, margin"),
        ({"min_margin_rate": "1.5"}, "from 0 to 1"),
        ({"min_margn": "1.50"}, "did you mean 'min_margin'"),
        ({"page": "quiz"}, "form, comparison"),
    ],
)
def test_a_sources_terms_that_make_no_sense_are_refused(change, says):
    with pytest.raises(BadInput) as caught:
        read_source({**SOURCE, **change})
    assert says in caught.value.detail


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"needs": {"spanish": []}}, "needs conditions"),
        ({"needs": {}}, "nothing needs the skill 'spanish'"),
        ({"needs": {**TEAM["needs"], "spanisch": [{"field": "language", "eq": "es"}]}}, "did you mean 'spanish'"),
        ({"needs": []}, "a table of skills"),
        ({"reps": [{"id": "a", "email": "a@example.com", "hours": {"open": []}}], "needs": {}}, "would never work"),
        ({"reps": [{"id": "a", "email": "a@example.com", "hours": {"open": ["mon"]}}], "needs": {}}, "write "),
        ({"reps": [{"id": "a", "email": "a@example.com", "skils": []}], "needs": {}}, "did you mean 'skills'"),
    ],
)
def test_a_team_whose_skills_or_hours_make_no_sense_is_refused(change, says):
    with pytest.raises(BadInput) as caught:
        read_team({**TEAM, **change})
    assert says in caught.value.detail
