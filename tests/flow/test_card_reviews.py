"""Reviews of cards that come by themselves: made when due, kept, taken up or dismissed by a person."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import pytest

from leadmill.core.faults import BadInput, Conflict, NotFound
from leadmill.flow import card_reviews
from leadmill.flow.card_reviews import accept_review, dismiss_review, make_card_review, plan_card_reviews
from leadmill.flow.model import Trial
from leadmill.flow.scorecards import adopt, card_in_force, put_card, text_of
from leadmill.interfaces.house import House
from leadmill.runtime.jobs import Job, Outcome, claim, settle
from leadmill.scoring import (
    CardReviewTerms,
    KeptReview,
    Rated,
    keep_review,
    kept_review,
    review_card,
    reviews_of_card,
    suggested_card,
    waiting_reviews,
)
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, apply, submission
from tests.flow.test_rating import by, changed_card


def outcomes(n: int = 800) -> list[Rated]:
    """Leads of which those who rent convert more often than the others."""
    draw = random.Random(11)
    found = []
    for _ in range(n):
        rents, lot = draw.random() < 0.4, draw.random()
        fired = frozenset({"rents"} if rents else {"owns"})
        found.append(Rated(40 if rents else 70, fired, lot < (0.7 if rents else 0.3)))
    return found


async def kept(house: House) -> KeptReview:
    """A review of solar's card that suggests other points, as the job keeps one."""
    card = house.book.walk().rules.cards["solar"]
    found = review_card(card, outcomes())
    async with house.db.begin() as tx:
        held = await card_in_force(tx, house.packs, "solar")
        raw = suggested_card(held.raw or {}, found)
        text = text_of("solar", msgspec.structs.replace(held, revision=-1, raw=raw), "the review")
        now = house.clock()
        ident = house.mint("crv", now)
        one = kept_review(ident, CardReviewTerms(vertical="solar"), now, now, card.digest, found, text)
        await keep_review(tx, one)
    return one


async def standings(house: House) -> Sequence[tuple[str, str]]:
    async with house.db.begin(still=True) as tx:
        return [(one.standing, one.why) for one in await reviews_of_card(tx, "solar")]


async def points(house: House) -> dict[str, int]:
    await house.book.refresh(house.db)
    return {rule.id: rule.points for rule in house.book.walk().rules.cards["solar"].points}


async def owed(house: House, at: datetime) -> list[Job]:
    async with house.db.begin() as tx:
        await plan_card_reviews(tx, house.kit)
    async with house.db.begin() as tx:
        found = await claim(tx, [card_reviews.REVIEW], at, at + timedelta(minutes=1), 10)
        await settle(tx, [Outcome(job, "done") for job in found], at)
        return found


async def test_a_suggestion_waits_until_a_person_takes_it_up_with_a_reason(house: House, clock: FixedClock) -> None:
    one = await kept(house)
    assert one.standing == "waiting"
    before = await points(house)
    async with house.db.begin() as tx:
        with pytest.raises(BadInput, match="say why"):
            await accept_review(tx, house.packs, one.id, " ", by(house))
    async with house.db.begin() as tx:
        await accept_review(tx, house.packs, one.id, "renters do buy", by(house))
    after = await points(house)
    assert before["rents"] == -30 < after["rents"]
    assert {rule for rule in before if before[rule] != after[rule]} <= {"rents", "owns"}
    card = house.book.walk().rules.cards["solar"]
    assert card.why.startswith("renters do buy (review crv_")
    assert "of 800 leads converted" in card.why
    assert await standings(house) == [("accepted", "renters do buy")]
    async with house.db.begin() as tx:
        with pytest.raises(Conflict, match="accepted already"):
            await dismiss_review(tx, one.id, "on second thoughts", by(house))
        with pytest.raises(NotFound):
            await dismiss_review(tx, "crv_none", "x", by(house))


async def test_one_that_is_dismissed_or_out_of_date_changes_nothing(house: House, clock: FixedClock) -> None:
    first = await kept(house)
    clock.advance(days=1)
    one = await kept(house)
    assert [standing for standing, _ in await standings(house)] == ["waiting", "replaced"]
    async with house.db.begin() as tx:
        with pytest.raises(Conflict, match="replaced already"):
            await accept_review(tx, house.packs, first.id, "late", by(house))
        await dismiss_review(tx, one.id, "a strange month", by(house))
    assert (await standings(house))[0] == ("dismissed", "a strange month")
    assert (await points(house))["rents"] == -30
    clock.advance(days=1)
    last = await kept(house)
    async with house.db.begin() as tx:
        await put_card(tx, changed_card(house, rents=-20), by(house))
    async with house.db.begin() as tx:
        with pytest.raises(Conflict, match="the card changed since"):
            await accept_review(tx, house.packs, last.id, "late", by(house))


async def test_a_suggestion_put_in_force_from_its_trial_closes_the_review(house: House) -> None:
    one = await kept(house)
    now = house.clock()
    trial = Trial(id="trial_1", text=one.text, since=now, until=now, by="op_ana", at=now, state="done")
    async with house.db.begin() as tx:
        await adopt(tx, trial, "tried on last month", by(house))
        assert await waiting_reviews(tx) == []
    assert await standings(house) == [("accepted", "tried on last month")]
    assert (await points(house))["rents"] > -30


async def test_a_review_is_made_monthly_once_outcomes_can_be_known(house: House, clock: FixedClock) -> None:
    await apply(house, BUSINESS)
    await house.mill.take(submission(house, 1))
    assert await owed(house, clock()) == []
    clock.advance(days=68)
    (job,) = await owed(house, clock())
    await make_card_review(house.kit, house.packs)(job)
    async with house.db.begin(still=True) as tx:
        (made,) = await reviews_of_card(tx, "solar")
    assert (made.standing, made.found.leads, made.found.looked, made.found.full, made.text) == ("thin", 1, 1, False, "")
    clock.advance(days=20)
    assert await owed(house, clock()) == []
    clock.advance(days=11)
    await apply(house, {"card_review": [{"vertical": "solar", "retired": True}]})
    assert await owed(house, clock()) == []
    await apply(house, {"card_review": [{"vertical": "solar", "every": "2w", "horizon": 30}]})
    assert [job.subject for job in await owed(house, clock())] == ["solar"]
