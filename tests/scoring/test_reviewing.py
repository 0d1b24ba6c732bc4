"""A card held against what became of its leads."""

import random
import tomllib
from datetime import UTC, datetime
from math import exp, isclose

import pytest

from leadmill.core.faults import BadInput
from leadmill.core.shares import share_interval
from leadmill.flow.examining import Recorded, rated_among
from leadmill.scoring import Label, Opinions, Rated, Score, review_card, suggested_card
from tests.scoring.test_scorecards import CARD, card

WORTH = {"phone": 0.4, "email": 0.4, "fake": -1.0, "renter": 0.0, "bill": 1.2}


def leads(n: int, worth: dict[str, float] = WORTH) -> list[Rated]:
    draw = random.Random(7)
    found = []
    for _ in range(n):
        fired = frozenset(rule for rule in worth if draw.random() < 0.3)
        points = 50 + sum(rule.points for rule in card().points if rule.id in fired)
        chance = 1 / (1 + exp(1.0 - sum(worth[rule] for rule in fired)))
        found.append(Rated(max(0, min(100, points)), fired, draw.random() < chance))
    return found


def test_rules_get_the_points_that_their_leads_speak_for() -> None:
    found = review_card(card(), leads(4000))
    by_rule = {one.rule: one for one in found.rules}
    assert by_rule["renter"].sure
    assert abs(by_rule["renter"].suggested) < 15
    assert by_rule["bill"].suggested > by_rule["phone"].suggested > 0 > by_rule["fake"].suggested
    assert 0.5 < found.ranks < 1
    assert sum(one.leads for one in found.bands) == sum(one.leads for one in found.points) == found.leads == 4000


def test_what_is_seldom_seen_keeps_its_points() -> None:
    rated = [one for one in leads(600) if "renter" not in one.fired]
    found = {one.rule: one for one in review_card(card(), rated).rules}
    assert (found["renter"].suggested, found["renter"].sure, found["renter"].fired) == (-40, False, 0)


def test_of_too_few_leads_nothing_is_suggested() -> None:
    found = review_card(card(), leads(40))
    assert "weights are suggested from 30" in found.thin
    assert not any(one.sure for one in found.rules)
    assert review_card(card(), []).bands == []
    with pytest.raises(BadInput, match="weights are suggested from 30"):
        suggested_card(tomllib.loads(CARD), found)


def test_a_suggestion_is_the_same_card_with_other_points_and_the_next_version() -> None:
    raw = tomllib.loads(CARD)
    found = review_card(card(), leads(4000))
    made = suggested_card(raw, found)
    assert made["card"] == {"version": 4, "start": 50}
    assert [rule["id"] for rule in made["points"]] == [rule["id"] for rule in raw["points"]]
    sure = {one.rule: one.suggested for one in found.rules if one.sure}
    assert {rule["id"]: rule["points"] for rule in made["points"]}.items() >= sure.items()
    assert made["review"] == raw["review"]


def test_an_interval_is_wilsons() -> None:
    low, high = share_interval(10, 100)
    assert isclose(low, 0.0552, abs_tol=1e-4)
    assert isclose(high, 0.1744, abs_tol=1e-4)
    assert share_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("opinions", "counts"),
    [(None, True), (Opinions([]), True), (Opinions([], decided=True), False)],
)
def test_a_lead_whose_points_a_model_gave_says_nothing_of_the_card(opinions: Opinions | None, counts: bool) -> None:
    at = datetime(2026, 6, 1, tzinfo=UTC)
    one = Recorded(Score(points=60, band="B", path="sell"), opinions, Label(True, False, at, True))
    assert len(rated_among([one])) == int(counts)
