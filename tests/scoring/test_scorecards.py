"""Reading scorecards and rating by them."""

import tomllib
from datetime import UTC, datetime
from typing import Any

import pytest

from leadmill.core.faults import BadInput
from leadmill.core.predicates import fields_of
from leadmill.facts import KEYS
from leadmill.runtime.packs import load_packs
from leadmill.scoring import Score, Scorecard, read_card, read_scorecards
from leadmill.scoring.rules import Values, band_of, compile_card

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)

CARD = """
[card]
version = 3
start = 50

[paths]
sell_from = 40
nurture_from = 20

[[groups]]
id = "contact"
cap = 15

[[points]]
id = "phone"
when = [{ field = "phone.valid", eq = true }]
points = 10
says = "the phone number can be dialled"
group = "contact"

[[points]]
id = "email"
when = [{ field = "email.syntax", eq = true }]
points = 10
says = "the e-mail address is well formed"
group = "contact"

[[points]]
id = "fake"
when = [{ field = "name.placeholder", eq = true }]
points = -25
says = "the name looks made up"
group = "contact"

[[points]]
id = "renter"
when = [{ field = "homeowner", eq = false }]
points = -40
says = "does not own the home"

[[points]]
id = "bill"
when = [{ field = "monthly_bill", gte = 150 }, { field = "state", in = ["CA"] }]
points = 60
says = "a high bill in California"

[[review]]
id = "odd"
when = [{ field = "monthly_bill", gte = 3000 }]
says = "The bill is higher than a home's."

[[review]]
id = "too-good"
when = [{ field = "score", gte = 100 }, { field = "context.utm_source", eq = "x" }]
says = "Too good to be true."
"""


def card(text: str = CARD) -> Scorecard:
    return read_card(tomllib.loads(text), "solar")


def rate(values: Values) -> Score:
    return compile_card(card())({**values}, NOW)


@pytest.mark.parametrize(
    ("values", "points", "band", "path", "rules"),
    [
        ({}, 50, "C", "sell", []),
        ({"phone.valid": True}, 60, "B", "sell", ["phone"]),
        ({"phone.valid": True, "email.syntax": True}, 65, "B", "sell", ["phone", "email", "contact.cap"]),
        ({"name.placeholder": True}, 35, "D", "nurture", ["fake", "contact.cap"]),
        ({"name.placeholder": True, "phone.valid": True}, 35, "D", "nurture", ["phone", "fake"]),
        ({"homeowner": False}, 10, "E", "reject", ["renter"]),
        ({"homeowner": False, "name.placeholder": True}, 0, "E", "reject", ["fake", "renter", "contact.cap"]),
        ({"homeowner": "false"}, 50, "C", "sell", []),
        ({"monthly_bill": 200, "state": "ca"}, 100, "A", "sell", ["bill"]),
        ({"monthly_bill": 200, "state": "TX"}, 50, "C", "sell", []),
        ({"monthly_bill": 4000}, 50, "C", "review", []),
        ({"monthly_bill": 4000, "homeowner": False}, 10, "E", "reject", ["renter"]),
        ({"monthly_bill": 200, "state": "CA", "context.utm_source": "x"}, 100, "A", "review", ["bill"]),
    ],
)
def test_a_lead_gets_the_points_of_the_rules_that_hold(
    values: Values, points: int, band: str, path: str, rules: list[str]
) -> None:
    score = rate(values)
    assert (score.points, score.band, score.path) == (points, band, path)
    assert [item.rule for item in score.contributions] == rules
    total = score.start + sum(item.points for item in score.contributions)
    assert max(0, min(100, total)) == score.points
    assert score.card == card().digest


def test_the_order_of_rules_in_a_group_does_not_matter() -> None:
    values: Values = {"phone.valid": True, "email.syntax": True, "name.placeholder": True}
    raw: dict[str, Any] = tomllib.loads(CARD)
    turned = {**raw, "points": raw["points"][::-1]}
    assert rate(values).points == compile_card(read_card(turned, "solar"))({**values}, NOW).points


def test_a_score_speaks() -> None:
    assert list(rate({"phone.valid": True}).tell()) == [
        "60 points, band B: sell.",
        "+10 the phone number can be dialled",
    ]


@pytest.mark.parametrize(
    ("points", "band"),
    [(100, "A"), (80, "A"), (79, "B"), (60, "B"), (59, "C"), (40, "C"), (39, "D"), (20, "D"), (19, "E"), (0, "E")],
)
def test_bands_follow_the_points(points: int, band: str) -> None:
    assert band_of(points) == band


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("start = 50", "strat = 50", "did you mean 'start'"),
        ("start = 50", "start = 101", "from 0 to 100"),
        ("nurture_from = 20", "nurture_from = 41", "must not be over sell_from"),
        ('group = "contact"', 'group = "contract"', "there is no group 'contract'"),
        ('id = "email"', 'id = "phone"', "declared twice"),
        ("points = 10", "points = 1000", "from -100 to 100"),
        ("points = 10", "points = true", "from -100 to 100"),
        ("gte = 150", "gtee = 150", "did you mean 'gte'"),
        ('says = "the phone number can be dialled"', "", "says: is missing"),
        ("[paths]", "[path]", "is not a key here"),
        ("[[review]]", "[[reviews]]", "did you mean 'review'"),
    ],
)
def test_a_card_with_a_slip_is_refused_with_the_place(old: str, new: str, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        card(CARD.replace(old, new, 1))
    assert says in refused.value.detail
    assert refused.value.detail.startswith("solar/scorecard.toml")


def test_another_card_has_another_digest() -> None:
    assert card().digest != card(CARD.replace("points = 10", "points = 11", 1)).digest


def test_the_cards_of_the_packs_read_and_look_only_at_what_there_is() -> None:
    packs = load_packs()
    cards = read_scorecards(packs)
    assert cards
    for name, found in cards.items():
        known = {"score", "source", "vertical", *KEYS, *packs.common.file("fields.toml")["fields"]}
        known |= packs.verticals[name].file("fields.toml").get("fields", {}).keys()
        whens = [*(rule.when for rule in found.points), *(rule.when for rule in found.review)]
        asked = {field for when in whens for field in fields_of(when)}
        assert not {field for field in asked - known if not field.startswith("context.")}, name
        score = compile_card(found)({}, NOW)
        assert 0 <= score.points <= 100
