"""The step ``Rate`` and what predicates see."""

from datetime import UTC, datetime

import msgspec
import pytest

from leadmill.capture import Lead, Value
from leadmill.core.case import NOTHING, Case
from leadmill.core.reasons import State
from leadmill.core.verdicts import Hold, Pass, Stop, Verdict
from leadmill.facts import Dossier, Fact
from leadmill.scoring import Rate, Score, Seen, seen
from tests.scoring.test_scorecards import NOW, card


def case_of(fields: dict[str, Value], facts: dict[str, Value] | None = None, **more: Value) -> Case:
    lead = Lead(
        id="lead_1",
        vertical=str(more.get("vertical", "solar")),
        source_id="acme",
        received_at=datetime(2026, 3, 4, 15, 0, tzinfo=UTC),
        fields=fields,
        context={"utm_source": "news"},
    )
    found = [Fact(key, value, "pass" if value is not None else "unknown", "t") for key, value in (facts or {}).items()]
    return Case(lead.id, [lead, Dossier(found, NOW)])


STEP = Rate({"solar": card()})


@pytest.mark.parametrize(
    ("fields", "kind", "code", "state"),
    [
        ({}, Pass, None, None),
        ({"homeowner": False}, Stop, "scoring.points.reject", State.REJECTED),
        ({"first_name": "Test"}, Stop, "scoring.points.nurture", State.NURTURE),
        ({"monthly_bill": 5000}, Hold, "scoring.points.review", State.REVIEW),
    ],
)
def test_the_score_says_where_a_lead_goes(
    fields: dict[str, Value], kind: type[Verdict], code: str | None, state: State | None
) -> None:
    verdict = STEP.judge(case_of(fields, {"name.placeholder": True} if "first_name" in fields else {}), NOTHING, NOW)
    assert isinstance(verdict, kind)
    assert [type(item) for item in verdict.learned] == [Score, Seen]
    if isinstance(verdict, Hold | Stop):
        assert verdict.because.code == code
        assert verdict.because.reason.state is state
        assert "–" not in verdict.because.message
    if isinstance(verdict, Hold):
        assert verdict.until is None
        assert verdict.rules[0].citation == "scorecard solar version 3"


def test_a_vertical_without_a_card_sells_its_leads_with_a_middling_score() -> None:
    verdict = STEP.judge(case_of({}, vertical="legal"), NOTHING, NOW)
    assert isinstance(verdict, Pass)
    score = verdict.learned[0]
    assert isinstance(score, Score)
    assert (score.points, score.path, score.card) == (50, "sell", "")


def test_predicates_see_fields_facts_context_and_score_in_normal_form() -> None:
    case = case_of(
        {"state": "california", "zip": "94501-1234", "date_of_birth": "1980-01-01", "email": "a@example.com"},
        {
            "state.code": "CA",
            "zip.code": "94501",
            "zip.state": "CA",
            "zip.city": "Alameda",
            "person.age": 46,
            "email.free": None,
        },
    )
    case.learn(STEP.judge(case, NOTHING, NOW).learned)
    values = seen(case).values
    assert values["state"] == "CA"
    assert values["zip"] == "94501"
    assert values["city"] == "Alameda"
    assert values["age"] == 46
    assert values["context.utm_source"] == "news"
    assert (values["source"], values["vertical"], values["score"]) == ("acme", "solar", 50)
    assert "email.free" not in values
    assert "country" not in values
    assert case[Lead].fields["state"] == "california"


def test_a_state_that_was_given_is_not_replaced_by_the_zips() -> None:
    values = seen(case_of({"state": "TX"}, {"state.code": "TX", "zip.state": "CA"})).values
    assert values["state"] == "TX"


def test_what_predicates_saw_is_made_again_for_a_lead_that_walks_on() -> None:
    case = case_of({"homeowner": True}, {"phone.valid": True})
    learned = STEP.judge(case, NOTHING, NOW).learned
    case.learn(learned)
    assert not Seen.kept
    again = [item for item in case.evidence() if not isinstance(item, Seen)]
    assert seen(Case("lead_1", again)) == seen(case)


def test_a_score_survives_the_journal() -> None:
    score = STEP.judge(case_of({}, {"phone.valid": True}), NOTHING, NOW).learned[0]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(score), type=Score) == score
    assert not Score.personal
