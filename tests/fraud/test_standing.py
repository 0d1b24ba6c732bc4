"""The standing of sources: what is believed of each, when it has turned, and what a lead hears of it."""

import random
from datetime import date, timedelta

import msgspec
import pytest

from leadmill.fraud import Sighted, Standing, Tally
from leadmill.fraud.rules import build_detector
from leadmill.fraud.service import Sightings, read_standings, survey_sources
from leadmill.fraud.standing import Day, survey
from leadmill.fraud.store import add_tally
from leadmill.runtime.db import Database
from tests.fraud.scene import CARD, NOW, ask, dossier, lead

TODAY = NOW.date()
CARDS = {"solar": CARD}


def sent(source: str, share: float, days: range, leads: int = 40, seed: int = 1, barred: float = 0.0) -> list[Day]:
    """A source that sells ``leads`` a day, of which this share comes back; ``days`` count back from today."""
    rng = random.Random(seed)
    return [
        Day(
            day=TODAY - timedelta(days=ago),
            vertical="solar",
            source_id=source,
            seen=leads,
            barred=sum(rng.random() < barred for _ in range(leads)),
            sold=leads,
            returned=sum(rng.random() < share for _ in range(leads)),
        )
        for ago in days
    ]


def of(found: list[Standing], source: str) -> Standing:
    return next(one for one in found if one.source_id == source)


def test_a_source_is_believed_as_far_as_its_leads_carry() -> None:
    many = [day for number in range(12) for day in sent(f"s{number}", 0.05, range(11, 60), seed=number)]
    found = survey([*many, *sent("fresh", 1.0, range(11, 12), leads=3), *sent("bad", 0.5, range(11, 60))], CARDS, TODAY)
    assert 350 < of(found, "s3").share < 700
    assert of(found, "fresh").share < 5_000, "three leads that came back are not the whole truth"
    assert of(found, "bad").low > 4_500
    assert all(one.low <= one.share <= one.high for one in found)


def test_leads_that_buyers_may_yet_return_are_not_counted() -> None:
    found = survey(sent("acme", 0.0, range(10)), CARDS, TODAY)
    assert of(found, "acme").sold == 0
    found = survey(sent("acme", 0.0, range(CARD.ripe_days, CARD.ripe_days + 1)), CARDS, TODAY)
    assert of(found, "acme").sold == 40


def test_a_source_whose_leads_begin_to_come_back_has_turned_and_one_as_usual_has_not() -> None:
    steady = sent("steady", 0.08, range(10, 100), seed=3)
    turned = sent("turned", 0.08, range(20, 100), seed=4) + sent("turned", 0.4, range(10, 20), seed=5)
    found = survey(steady + turned, CARDS, TODAY)
    assert of(found, "steady").turned is None
    changed = of(found, "turned")
    assert changed.turned == "returned"
    assert changed.evidence >= CARD.patience
    assert changed.since is not None
    assert TODAY - timedelta(days=26) <= changed.since <= TODAY - timedelta(days=12)


def test_what_is_stopped_at_the_door_is_known_at_once() -> None:
    days = sent("acme", 0.05, range(5, 100)) + sent("acme", 0.05, range(5), barred=0.5)
    changed = of(survey(days, CARDS, TODAY), "acme")
    assert (changed.turned, changed.since) == ("door", TODAY - timedelta(days=4))


@pytest.mark.parametrize("days", [[], [Day(day=date(2020, 1, 1), vertical="solar", source_id="old", seen=5)]])
def test_without_leads_there_is_nothing_to_believe(days: list[Day]) -> None:
    assert survey(days, CARDS, TODAY) == []


def test_more_returned_than_sold_is_taken_as_all_of_them() -> None:
    day = Day(day=TODAY - timedelta(days=20), vertical="solar", source_id="acme", seen=1, sold=1, returned=2)
    assert of(survey([day], CARDS, TODAY), "acme").returned == 1


def test_a_lead_of_a_poor_source_or_one_that_turned_raises_a_signal() -> None:
    card = msgspec.structs.replace(CARD, weights={"source.poor": 20, "source.turned": 30})
    seen = Sighted(poor=45, turned="returned", since="2026-02-20")
    raised = build_detector(card)(lead(), dossier(), None, seen, False)
    assert [(one.code, one.says) for one in raised] == [
        ("source.turned", "Since 2026-02-20 more of the source's leads came back than before."),
        ("source.poor", "At least 45 % of the source's sold leads come back."),
    ]


async def test_the_worker_surveys_every_ten_minutes_and_leads_hear_of_it(db: Database) -> None:
    async with db.begin() as tx:
        for day in [*sent("acme", 0.7, range(11, 60)), *sent("good", 0.02, range(11, 60))]:
            tally = Tally(
                vertical="solar", source_id=day.source_id, code="", seen=day.seen, sold=day.sold, returned=day.returned
            )
            add_tally(tx, day.day, tally)
    async with db.begin() as tx:
        assert await survey_sources(tx, CARDS, NOW)
    async with db.begin() as tx:
        assert not await survey_sources(tx, CARDS, NOW + timedelta(minutes=9))
        assert await survey_sources(tx, CARDS, NOW + timedelta(minutes=10))
    async with db.begin() as tx:
        assert [one.source_id for one in await read_standings(tx)] == ["acme", "good"]
        asks = [ask(), ask(source="good")]
        answer = await Sightings().hear(tx, asks)
        bad, good = (answer(one) for one in asks)
    assert bad.poor is not None and bad.poor > 60
    assert (good.poor, good.turned) == (None, None)


async def test_two_workers_do_not_survey_at_the_same_time(db: Database) -> None:
    async with db.begin() as one, db.begin() as other:
        assert await survey_sources(one, CARDS, NOW)
        assert not await survey_sources(other, CARDS, NOW)
