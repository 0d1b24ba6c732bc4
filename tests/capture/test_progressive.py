"""What a form still asks of a person who comes back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadmill.capture import Lead, TakenAnswer, another_person, answers_of, latest, map_lead, read_form, to_ask
from leadmill.capture.rules import complete
from leadmill.core.faults import BadInput
from tests.capture.leads import LEXICON, VERTICALS

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
FIELDS: list[Any] = [
    {"field": "zip", "required": True},
    {"field": "monthly_bill", "fresh_for": 30},
    "homeowner",
    "roof_type",
    {"field": "first_name", "required": True},
    "email",
    "phone",
]
RAW: dict[str, Any] = {
    "id": "more",
    "vertical": "solar",
    "source": "own-site",
    "title": "More",
    "progressive": True,
    "steps": [{"fields": FIELDS}],
    "consent": {"text": "I agree.", "channels": ["email"]},
}
SOLAR = VERTICALS["solar"]


def known(days: float = 1, **values: Any) -> dict[str, TakenAnswer]:
    return {name: TakenAnswer(name, value, "lead_a", NOW - timedelta(days=days)) for name, value in values.items()}


def asked(raw: dict[str, Any], remembered: dict[str, TakenAnswer]) -> tuple[str, ...]:
    return to_ask(read_form(raw, VERTICALS), SOLAR, remembered, NOW).asked


ALL = ("zip", "monthly_bill", "homeowner", "roof_type", "first_name", "email", "phone")


@pytest.mark.parametrize(
    ("change", "remembered", "left"),
    [
        ({"progressive": False}, known(zip="94110"), ()),
        ({}, {}, ()),
        ({}, known(zip="94110", email="ana@example.com"), ("zip", "email")),
        ({}, known(homeowner=False), ("homeowner",)),
        ({}, known(zip=""), ()),
        ({}, known(zip=None), ()),
        ({}, known(days=89, zip="94110"), ("zip",)),
        ({}, known(days=90, zip="94110"), ()),
        ({"fresh_for": 10}, known(days=11, zip="94110", monthly_bill=200), ("monthly_bill",)),
        ({}, known(days=31, zip="94110", monthly_bill=200), ("zip",)),
        ({"always": ["zip"]}, known(zip="94110", homeowner=True), ("homeowner",)),
        ({}, known(monthly_bill="a lot", shoe_size=43), ()),
        ({}, known(phone="+14156012300"), ("phone",)),
        ({"consent": {"text": "I agree.", "channels": ["call"]}}, known(phone="+14156012300", zip="94110"), ("zip",)),
        ({"consent": {"text": "I agree.", "channels": ["text"]}}, known(phone="+14156012300"), ()),
    ],
)
def test_a_form_leaves_out_what_was_answered_lately(
    change: dict[str, Any], remembered: dict[str, TakenAnswer], left: tuple[str, ...]
) -> None:
    raw = RAW | change
    if not raw["progressive"]:
        raw["steps"] = [{"fields": [one["field"] if isinstance(one, dict) else one for one in FIELDS]}]
    asking = to_ask(read_form(raw, VERTICALS), SOLAR, remembered, NOW)
    assert asking.left == left
    assert asking.asked == tuple(name for name in ALL if name not in left) and asking.later == ()


def test_sensitive_answers_are_asked_of_everybody_and_kept_in_mind_of_nobody() -> None:
    vertical = VERTICALS["insurance_health"]
    (name, *_) = sorted(vertical.sensitive)
    raw = RAW | {"vertical": "insurance_health", "steps": [{"fields": [name, "email"]}]}
    answer = {name: TakenAnswer(name, "yes", "lead_a", NOW)}
    assert name in to_ask(read_form(raw, VERTICALS), vertical, answer, NOW).asked
    lead = Lead(id="lead_a", vertical="insurance_health", source_id="s", received_at=NOW, fields={name: "yes"})
    assert answers_of(lead, (), (), vertical.sensitive) == []


@pytest.mark.parametrize(
    ("change", "remembered", "expected"),
    [
        # The first time: whatever is required, a way to answer, and no more.
        ({"ask": 2}, {}, ("zip", "first_name", "email", "phone")),
        ({"ask": 6}, {}, ("zip", "monthly_bill", "homeowner", "first_name", "email", "phone")),
        # Then the next ones.
        ({"ask": 2}, known(zip="1", first_name="Ana", email="a@b.co"), ("monthly_bill", "homeowner")),
        (
            {"ask": 2},
            known(zip="1", first_name="Ana", email="a@b.co", monthly_bill=2, homeowner=True),
            ("roof_type", "phone"),
        ),
        ({"ask": 1, "always": ["first_name"]}, known(zip="1", email="a@b.co"), ("monthly_bill", "first_name")),
        ({"ask": 100}, {}, ALL),
    ],
)
def test_a_long_form_asks_the_next_questions_at_each_return(
    change: dict[str, Any], remembered: dict[str, TakenAnswer], expected: tuple[str, ...]
) -> None:
    assert asked(RAW | change, remembered) == expected


def test_a_long_form_is_asked_to_its_end() -> None:
    form = read_form(RAW | {"ask": 1}, VERTICALS)
    values: dict[str, Any] = {
        "zip": "94110", "monthly_bill": 200, "homeowner": True, "roof_type": "tile", "first_name": "Ana",
        "email": "ana@example.com", "phone": "+14156012300",
    }  # fmt: skip
    remembered: dict[str, TakenAnswer] = {}
    for _ in ALL:
        asking = to_ask(form, SOLAR, remembered, NOW)
        if not asking.asked:
            break
        assert {*asking.asked, *asking.left, *asking.later} == {*ALL}
        remembered |= known(1, **{name: values[name] for name in asking.asked})
    assert to_ask(form, SOLAR, remembered, NOW).asked == ()


@pytest.mark.parametrize(
    ("remembered", "given", "other"),
    [
        (known(first_name="Ana"), {"first_name": "ANA "}, False),
        (known(first_name="Ana"), {"first_name": "Tom"}, True),
        (known(first_name="Ana"), {"first_name": ""}, False),
        (known(first_name="Ana"), {}, False),
        (known(days=300, first_name="Ana"), {"first_name": "Tom"}, True),
        (known(phone="+14156012300"), {"phone": "(415) 601-2300"}, False),
        (known(phone="+14156012300"), {"phone": "(415) 601-2301"}, True),
        (known(days=300, phone="+14156012300"), {"phone": "(415) 601-2301"}, False),
        (known(zip="94110"), {"zip": "94111"}, False),
    ],
)
def test_somebody_else_at_the_same_browser_is_noticed_by_what_tells_people_apart(
    remembered: dict[str, TakenAnswer], given: dict[str, str], other: bool
) -> None:
    assert another_person(read_form(RAW, VERTICALS), SOLAR, remembered, given, NOW) is other


def lead(ident: str, days: float, **fields: Any) -> Lead:
    at = NOW - timedelta(days=days)
    return Lead(id=ident, vertical="solar", source_id="s", received_at=at, fields=fields)


def test_an_answer_is_as_old_as_the_lead_it_was_given_with() -> None:
    first, second = lead("lead_a", 80, zip="94110", homeowner=True), lead("lead_b", 5, zip="94110", homeowner=False)
    fixed = TakenAnswer("homeowner", None, "lead_b", NOW)
    found = latest((*answers_of(first, (), (), frozenset()), *answers_of(second, ["zip"], [fixed], frozenset())))
    assert (found["zip"].lead_id, found["zip"].at) == ("lead_a", first.received_at)
    assert found["homeowner"].value is None, "what was put right counts last"
    assert "homeowner" in asked(RAW, found)


def test_an_answer_is_completed_by_earlier_ones_that_still_hold() -> None:
    mapped = map_lead({"email": "ana@example.com", "zip": "94111"}, LEXICON, textual=True, bound="solar")
    taken = [*known(zip="94110", homeowner=True, monthly_bill=240, roof_type="tile", shoe_size=43).values()]
    done = complete(mapped, taken, LEXICON)
    assert done.fields["zip"] == "94111" and done.fields["homeowner"] is True and done.fields["monthly_bill"] == 240
    assert "zip" not in done.taken and {"homeowner", "monthly_bill"} <= {*done.taken} and "shoe_size" not in done.fields


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"always": ["shoe_size"]}, "does not ask for 'shoe_size'"),
        ({"ask": 0}, "whole number"),
        ({"fresh_for": 401}, "whole number"),
        ({"progressive": "yes"}, "true or false"),
        ({"progressive": False, "steps": [{"fields": ["email"]}], "ask": 2}, "only where progressive"),
        ({"progressive": False}, "only where progressive"),
    ],
)
def test_a_wrong_word_about_returning_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_form(RAW | change, VERTICALS)
    assert says in caught.value.detail


def test_a_form_that_asks_everybody_everything_keeps_its_version() -> None:
    raw = {key: value for key, value in RAW.items() if key != "progressive"}
    raw["steps"] = [{"fields": ["zip", "email"]}]
    assert read_form(raw, VERTICALS).version == "a3cf500baf5a475b"
