"""Reading scorecards and rating by them."""

import tomllib
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.core.faults import BadInput
from leadmill.facts import KEYS
from leadmill.runtime.packs import load_packs
from leadmill.scoring import TIERS, Fade, Score, Scorecard, read_adjustment, read_card, read_record, read_scorecards
from leadmill.scoring.rules import Values, band_of, compile_card, remaining

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


HOT = """
[[sales]]
id = "asked"
when = [{ field = "demo_requested", eq = true }]
says = "Asked to be shown the product."
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
        "60 points, tier B: sell.",
        "+10 the phone number can be dialled",
    ]


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"demo_requested": True}, "sales"),
        ({"demo_requested": True, "name.placeholder": True}, "nurture"),
        ({"demo_requested": True, "monthly_bill": 4000}, "review"),
        ({"monthly_bill": 200, "state": "CA"}, "sales"),
        ({"phone.valid": True}, "sell"),
    ],
)
def test_a_hot_lead_goes_to_the_sales_team_if_it_would_be_sold(values: Values, path: str) -> None:
    hot = card(CARD.replace("sell_from = 40", "sell_from = 40\nsales_from = 90") + HOT)
    assert compile_card(hot)({**values}, NOW).path == path


def fading(**how: float) -> Scorecard:
    fades = ", ".join(f"{name} = {value}" for name, value in how.items())
    text = f'fades = {{ since = "context.last_visit_at", {fades} }}'
    return card(CARD.replace('says = "the phone number can be dialled"', f'says = "dials"\n{text}'))


@pytest.mark.parametrize(
    ("how", "seen_at", "points"),
    [
        ({"half_life": 7}, "2026-03-04T15:00:00+00:00", 10),
        ({"half_life": 7}, "2026-02-25T15:00:00+00:00", 5),
        ({"half_life": 7}, "2026-02-18T15:00:00Z", 3),
        ({"half_life": 7}, "2025-01-01", 0),
        ({"per_day": 1.5}, "2026-03-02T15:00:00+00:00", 7),
        ({"per_day": 1.5}, "2026-02-02", 0),
        ({"half_life": 7, "per_day": 0.5}, "2026-02-25T15:00:00+00:00", 2),
        ({"half_life": 7}, "2027-01-01", 10),
        ({"half_life": 7}, "some day", 10),
        ({"half_life": 7}, None, 10),
    ],
)
def test_points_fade_with_the_age_of_what_they_are_about(how: dict[str, float], seen_at: str, points: int) -> None:
    score = compile_card(fading(**how))({"phone.valid": True, "context.last_visit_at": seen_at}, NOW)
    assert score.points == 50 + points
    assert [item.points for item in score.contributions] == [points] * (points > 0)


@given(
    points=st.integers(-100, 100),
    days=st.floats(0, 4000),
    half_life=st.floats(0, 3650),
    per_day=st.floats(0, 100),
)
def test_what_is_left_is_never_more_and_never_of_the_other_sign(
    points: int, days: float, half_life: float, per_day: float
) -> None:
    left = remaining(points, days, Fade("received_at", half_life, per_day))
    assert min(0, points) <= left <= max(0, points)
    assert abs(remaining(points, days + 1, Fade("received_at", half_life, per_day))) <= abs(left)


def test_a_record_takes_the_place_of_a_card_and_gives_it_back() -> None:
    raw = {"vertical": "solar", "why": "renters convert badly", **tomllib.loads(CARD)}
    found = read_record(raw).card
    assert found is not None
    assert (found.own, found.why, found.digest) == (True, "renters convert badly", card().digest)
    assert read_record({"vertical": "solar", "retired": True}).card is None
    for wrong, says in (
        ({"vertical": "solar"}, "card: is missing"),
        ({**raw, "sels": []}, "did you mean 'sales'"),
        ({**raw, "paths": {"sell_from": 40, "sales_from": 30}}, "must not be under sell_from"),
    ):
        with pytest.raises(BadInput) as refused:
            read_record(wrong)
        assert says in refused.value.detail


SEASON = {
    "id": "spring",
    "vertical": "solar",
    "points": 15,
    "says": "roofs are looked at in spring",
    "when": [{"field": "state", "in": ["CA"]}, {"field": "score", "lt": 90}],
    "from": "2026-03-01",
    "until": "2026-05-01",
}


@pytest.mark.parametrize(
    ("values", "at", "points", "told"),
    [
        ({"state": "CA"}, "2026-03-04T15:00:00+00:00", 65, 15),
        ({"state": "CA"}, "2026-05-01T00:00:00+00:00", 50, None),
        ({"state": "CA"}, "2026-02-28T23:59:00+00:00", 50, None),
        ({"state": "TX"}, "2026-03-04T15:00:00+00:00", 50, None),
        ({"state": "CA", "monthly_bill": 200}, "2026-03-04T15:00:00+00:00", 100, None),
    ],
)
def test_what_the_house_lays_over_the_points_is_told_like_a_rule(
    values: Values, at: str, points: int, told: int | None
) -> None:
    one = msgspec.structs.replace(card(), adjustments=(read_adjustment(SEASON),))
    score = compile_card(one)({**values}, datetime.fromisoformat(at))
    assert (score.points, score.card) == (points, card().digest)
    found = {item.rule: item.points for item in score.contributions}
    assert found.get("adjustment.spring") == told
    assert score.start + sum(item.points for item in score.contributions) in (points, 110)


@pytest.mark.parametrize(
    ("more", "says"),
    [({"until": "2026-03-01"}, "after from"), ({"points": 0}, "must not be 0"), ({"form": 1}, "did you mean 'from'")],
)
def test_an_adjustment_with_a_slip_is_refused(more: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read_adjustment({**SEASON, **more})


def test_a_card_says_what_it_looks_at_and_from_when_it_counts() -> None:
    one = card(CARD.replace('says = "the phone', 'fades = { since = "fact.email.mx", per_day = 1 }\nsays = "the phone'))
    assert one.ages == ("email.mx",)
    assert {"phone.valid", "email.mx", "homeowner", "score"} <= one.asked


@pytest.mark.parametrize(
    ("points", "band"),
    [(100, "A"), (80, "A"), (79, "B"), (60, "B"), (59, "C"), (40, "C"), (39, "D"), (20, "D"), (19, "E"), (0, "E")],
)
def test_bands_follow_the_points(points: int, band: str) -> None:
    assert band_of(points) == band


TIERED = CARD + "\n[tiers]\ngold = 75\nbronze = 0\nsilver = 40\n"


def test_a_vertical_names_its_own_tiers_and_conditions_see_them() -> None:
    one = card(TIERED)
    assert one.tiers == (("gold", 75), ("silver", 40), ("bronze", 0))
    values: Values = {"email": "free"}
    score = compile_card(one)(values, NOW)
    assert score.band == values["tier"] == band_of(score.points, one.tiers)
    assert card(CARD).tiers == TIERS


@pytest.mark.parametrize(
    ("tiers", "says"),
    [
        ("gold = 75\nsilver = 10", "the lowest tier must hold from 0"),
        ("gold = 0\nsilver = 0", "from the same points"),
        ("gold = 101\nlow = 0", "from 0 to 100"),
        ("'pure gold' = 50\nlow = 0", "use a word"),
        ("", "name 1 to 9 tiers"),
    ],
)
def test_tiers_that_mean_nothing_are_refused(tiers: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        card(f"{CARD}\n[tiers]\n{tiers}\n")


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
        ('group = "contact"', 'fades = { since = "received_at" }', "say half_life"),
        ('group = "contact"', 'fades = { since = "received_at", half_life = 0 }', "over 0"),
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
        common = packs.common.file("fields.toml")
        known = {"score", "source", "vertical", "fraud.score", "fraud.signals", *KEYS, *common["fields"]}
        known |= {f"context.{one}" for one in common["context"]}
        known |= packs.verticals[name].file("fields.toml").get("fields", {}).keys()
        assert not found.asked - known, name
        score = compile_card(found)({}, NOW)
        assert 0 <= score.points <= 100
