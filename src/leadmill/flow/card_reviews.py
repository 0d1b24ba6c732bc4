"""Reviews of cards that come by themselves: made when they are due, taken up or dismissed by a person.

Called by the worker's clock, by the job behind it, by the console and by ``leadmill scoring``. What a review suggests
changes nothing until somebody has looked at what it would do and takes it up with a reason.
"""

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from leadmill.core.faults import BadInput, Conflict, NotFound
from leadmill.core.spans import before
from leadmill.flow.examining import examine
from leadmill.flow.kit import Kit
from leadmill.flow.model import LeadFilter
from leadmill.flow.scorecards import Author, card_in_force, put_card, text_of
from leadmill.flow.store import list_leads
from leadmill.runtime import records
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import Handler, Job, enqueue
from leadmill.runtime.packs import Packs
from leadmill.runtime.telemetry import log
from leadmill.scoring import (
    LATE,
    CardReview,
    CardReviewTerms,
    KeptReview,
    Scorecard,
    close_review,
    find_review,
    keep_review,
    kept_review,
    last_reviews,
    review_due,
    suggested_card,
    suggested_tables,
)

REVIEW = "scoring.review"
"""The kind of job that makes one review; its subject is the vertical."""

_MOST_WORDS = 500


async def plan_card_reviews(tx: Tx, kit: Kit) -> None:
    """Have the reviews made that are due: of every vertical with a card, monthly where the house says nothing else,
    once it has leads whose outcome can be known."""
    rules, now = kit.walk().rules, kit.clock()
    last = await last_reviews(tx)
    for vertical in sorted(rules.cards):
        terms = terms_of(rules.card_reviews, vertical)
        if not review_due(terms, last.get(vertical), now):
            continue
        ripe = LeadFilter(vertical=vertical, until=now - timedelta(days=terms.horizon) - LATE, test=False)
        if (await list_leads(tx, ripe, limit=1))[0]:
            enqueue(tx, REVIEW, vertical, {}, now, now, kit.mint, dedupe=f"{REVIEW}:{vertical}")


def terms_of(declared: Mapping[str, CardReviewTerms], vertical: str) -> CardReviewTerms:
    """How often a vertical's card is reviewed, as declared or as usual."""
    return declared.get(vertical) or CardReviewTerms(vertical=vertical)


def make_card_review(kit: Kit, packs: Packs) -> Handler:
    """The handler of these jobs."""

    async def handle(job: Job) -> None:
        vertical, now = job.subject or "", kit.clock()
        terms = terms_of(kit.walk().rules.card_reviews, vertical)
        async with kit.db.begin(still=True) as tx:
            last = await last_reviews(tx)
        if vertical in kit.walk().rules.cards and review_due(terms, last.get(vertical), now):
            made = await review_of(kit, packs, terms)
            log("scoring").info("a card was reviewed", vertical=vertical, standing=made.standing)

    return handle


async def review_of(kit: Kit, packs: Packs, terms: CardReviewTerms) -> KeptReview:
    """Hold a card against what became of its leads, now, and keep what that found."""
    now = kit.clock()
    since = before(now, terms.span)
    card = kit.walk().rules.cards.get(terms.vertical) or Scorecard(vertical=terms.vertical)
    found = await examine(kit, terms.vertical, since, timedelta(days=terms.horizon), now, terms.most)
    async with kit.db.begin() as tx:
        ident = kit.mint("crv", now)
        text = await _suggestion(tx, packs, terms.vertical, found, ident) if found.sure else ""
        made = kept_review(ident, terms, since, now, card.digest, found, text)
        await keep_review(tx, made)
    return made


async def _suggestion(tx: Tx, packs: Packs, vertical: str, found: CardReview, ident: str) -> str:
    held = await card_in_force(tx, packs, vertical)
    why = f"review {ident}: {found.converted:,} of {found.leads:,} leads converted"
    raw = suggested_card(held.raw or {}, found)
    return text_of(vertical, msgspec.structs.replace(held, revision=-1, raw=raw), why)


# What a person decides


async def accept_review(tx: Tx, packs: Packs, ident: str, why: str, by: Author) -> KeptReview:
    """Put what a review suggests in force, as the card's next version. Raises NotFound ``scoring.review.unknown``,
    Conflict ``scoring.review.over`` where somebody decided already, Conflict ``scoring.review.stale`` where the card is
    no more the one that was reviewed, BadInput ``scoring.review.unexplained`` without a reason, and as
    :func:`put_card`."""
    await records.wait_in_line(tx)  # or an edit could come between the look at the card and its next version
    one = await _open(tx, ident, why)
    held = await card_in_force(tx, packs, one.vertical)
    if held.card is None or held.card.digest != one.card:
        raise Conflict("scoring.review.stale", "the card changed since; have it reviewed anew")
    await put_card(tx, {**suggested_tables(one), "why": _because(why, one)}, by)
    await close_review(tx, one.id, "accepted", by.name, by.at, why.strip())
    return one


async def dismiss_review(tx: Tx, ident: str, why: str, by: Author) -> KeptReview:
    """Leave the card as it is, with a reason. Raises as :func:`accept_review`, the card's change apart."""
    one = await _open(tx, ident, why)
    await close_review(tx, one.id, "dismissed", by.name, by.at, why.strip())
    return one


async def _open(tx: Tx, ident: str, why: str) -> KeptReview:
    one = await find_review(tx, ident)
    if one is None:
        raise NotFound("scoring.review.unknown", "there is no review of this id; leadmill scoring reviews lists them")
    if one.standing != "waiting":
        raise Conflict("scoring.review.over", f"this review is {one.standing.replace('_', ' ')} already")
    if not why.strip():
        raise BadInput("scoring.review.unexplained", "say why: whoever looks at this version later will ask")
    return one


def _because(why: str, one: KeptReview) -> str:
    said = f" (review {one.id}: {one.found.converted:,} of {one.found.leads:,} leads converted)"
    return why.strip()[: _MOST_WORDS - len(said)] + said
