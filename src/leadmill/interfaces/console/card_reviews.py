"""On the page of a card: reviews of it that came by themselves and wait for a person, and what is laid over it for a
while.

What a review suggests is tried on last month's leads first; it is put in force from what the trial found, or dismissed
with a reason.
"""

from collections.abc import Mapping
from typing import Any

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.core.faults import NotFound
from leadmill.core.predicates import describe
from leadmill.core.spans import span_words
from leadmill.flow.adjusting import LaidOver, adjustments_of
from leadmill.flow.card_reviews import dismiss_review, terms_of
from leadmill.flow.scorecards import Author
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.console.trials import begin_trial
from leadmill.parties import Right
from leadmill.runtime.db import Tx
from leadmill.scoring import KeptReview, find_review, reviews_of_card, waiting_reviews

_SHOWN = 6
_SPAN = 30
"""Days whose leads a suggestion is tried on."""
_STANDS = {
    "waiting": ("Waits for you", "warn"),
    "bears_out": ("Bears the card out", "ok"),
    "thin": ("Too few outcomes", ""),
    "accepted": ("Taken up", "ok"),
    "dismissed": ("Dismissed", ""),
    "replaced": ("Replaced by a later one", ""),
}
_WHEN = {
    "counts": ("Counts now", "ok"),
    "to_come": ("To come", "info"),
    "over": ("Over", ""),
    "retired": ("Retired", ""),
}


async def kept_about(tx: Tx, desk: Desk, vertical: str, digest: str, who: Mapping[str, str]) -> dict[str, Any]:
    """What the page of a vertical's card tells of its reviews and of what is laid over it; ``digest`` is that of the
    card in force."""
    terms = terms_of(desk.wiring.rules.card_reviews, vertical)
    return {
        "every": None if terms.retired else span_words(terms.every),
        "horizon": terms.horizon,
        "reviews": [_review(one, digest, who) for one in await reviews_of_card(tx, vertical, _SHOWN)],
        "over": [_laid_over(one, who) for one in await adjustments_of(tx, desk.now, vertical)],
    }


async def waiting_for(tx: Tx) -> set[str]:
    """The verticals of which a review waits for a person."""
    return {one.vertical for one in await waiting_reviews(tx)}


def _review(one: KeptReview, digest: str, who: Mapping[str, str]) -> dict[str, Any]:
    says, tone = _STANDS[one.standing]
    return {
        "id": one.id,
        "at": one.at,
        "leads": one.found.leads,
        "converted": one.found.converted,
        "looked": one.found.looked,
        "full": one.found.full,
        "says": says,
        "tone": tone,
        "waits": one.standing == "waiting",
        "stale": one.standing == "waiting" and one.card != digest,
        "moves": [each for each in one.found.rules if each.sure],
        "by": who.get(one.by or "", one.by or ""),
        "why": one.why or one.found.thin,
    }


def _laid_over(one: LaidOver, who: Mapping[str, str]) -> dict[str, Any]:
    says, tone = _WHEN[one.when]
    record = one.record
    return {
        "id": record.id,
        "says": record.says,
        "when": describe(record.when),
        "points": f"{record.points:+d}",
        "starts": record.starts,
        "ends": record.ends,
        "stands": says,
        "tone": tone,
        "by": who.get(one.author, one.author),
        "at": one.at,
        "why": record.why,
    }


@post("/scores/{name:str}/reviews/{review_id:str}/try", include_in_schema=False)
async def try_review(desk: NamedDependency[Desk], name: FromPath[str], review_id: FromPath[str]) -> Page:
    """Try what a review suggests on the last month's leads."""
    await desk.form()
    desk.need(Right.CONFIGURE)
    async with desk.wiring.db.begin() as tx:
        one = await find_review(tx, review_id)
    if one is None or one.vertical != name or not one.text:
        raise NotFound("scoring.review.unknown", "there is no such review, or it suggests nothing")
    return await begin_trial(desk, one.text, _SPAN)


@post("/scores/{name:str}/reviews/{review_id:str}/dismiss", include_in_schema=False)
async def take_dismissal(desk: NamedDependency[Desk], name: FromPath[str], review_id: FromPath[str]) -> Page:
    """Leave the card as it is, with a reason."""
    form = await desk.form()
    desk.need(Right.CONFIGURE)
    by = Author(desk.who.id, desk.now, desk.wiring.mint, desk.wiring.keyed_hash, desk.wiring.rules)
    async with desk.wiring.db.begin() as tx:
        one = await dismiss_review(tx, review_id, form.get("why", ""), by)
    return desk.back(f"/scores/{one.vertical}", "review_dismissed")


ROUTES = [try_review, take_dismissal]
