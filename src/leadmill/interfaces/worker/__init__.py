"""The worker: the process that works the durable jobs and the housekeeping.

Run by the command ``work``. Deliveries, messages and imports are jobs; chaining the journal, dropping old answers and
expiring holds are done by the clock. Several workers may run side by side.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

from leadmill.access.service import sweep_access
from leadmill.billing import charge_subscriptions
from leadmill.consent.service import forget_visits
from leadmill.core.faults import Fault
from leadmill.core.ids import make_id
from leadmill.delivery import ATTEMPT
from leadmill.enrich.service import forget_old_answers
from leadmill.flow.answering import TELL, tell_source
from leadmill.flow.audit import keep_proof
from leadmill.flow.card_reviews import REVIEW as REVIEW_CARD
from leadmill.flow.card_reviews import make_card_review, plan_card_reviews
from leadmill.flow.certifying import KEEP_REPLAY, keep_replay
from leadmill.flow.deliver import attempts, deliver, send_message
from leadmill.flow.dropping import retain_and_screen
from leadmill.flow.enforcing import enforce_opt_out
from leadmill.flow.floor import RESUME
from leadmill.flow.looking import AGAIN as ENRICH
from leadmill.flow.looking import enrich_leads
from leadmill.flow.notices import STUBBORN, tell_recipient
from leadmill.flow.overseeing import oversee, show_alerts
from leadmill.flow.quoting import KEPT
from leadmill.flow.reminding import plan_reminders, remind, tell_overdue
from leadmill.flow.repricing import reprice
from leadmill.flow.resale import AGAIN, offer_again
from leadmill.flow.retaining import plan_retention
from leadmill.flow.reviewing import carry_decision, gather_cases
from leadmill.flow.rights import carry_out, close_unconfirmed, write_letter
from leadmill.flow.signals import SIGNAL, keep_signal
from leadmill.flow.store import forget_answers, stranded
from leadmill.flow.training import PATIENT, RETRAIN, apart, make_retraining, plan_retraining, sweep_rooms
from leadmill.flow.trials import TRY, make_trial
from leadmill.flow.upkeep import REVERIFY, plan_looks, reverify
from leadmill.flow.vendors import KEEP, STEADY, keep_certificates
from leadmill.followup import SEND
from leadmill.fraud.service import fold, survey_sources, tidy_fraud
from leadmill.hygiene.service import tidy_hygiene
from leadmill.interfaces.house import House
from leadmill.interfaces.outside import OutsideStore
from leadmill.interfaces.uploads import IMPORT, take_upload
from leadmill.ledger.service import expire_holds
from leadmill.market import forget_quotes, release_holds
from leadmill.optouts import ENFORCE
from leadmill.optouts import TELL as TELL_OUT
from leadmill.parties import sweep_sessions
from leadmill.privacy import FULFIL, LAPSE, RETAIN, WRITE, drop_tries
from leadmill.review import CARRY, REMIND
from leadmill.runtime import journal
from leadmill.runtime.jobs import enqueue, kept
from leadmill.runtime.telemetry import JOBS_KEPT, log
from leadmill.runtime.worker import Worker

_STRANDED = timedelta(seconds=10)
"""How much longer than an auction lasts a lead may wait for bids before it is taken up."""

_ANSWERS_KEPT = timedelta(hours=48)
"""How long an ``Idempotency-Key`` is remembered; a day is promised."""

_PACED = timedelta(days=1)
"""How long it is remembered how many forms came from where; the longest window that is counted in."""

_SWEPT = 500
"""Holds that end in one transaction."""


def workers(house: House) -> list[Worker]:
    """One worker for what is quick, one for files, one for leads looked at once more, one for trials and one for
    training again, so that what takes long holds nothing up."""
    couriers, messengers = house.plugins.of("leadmill.couriers"), house.plugins.of("leadmill.messengers")
    talk = {
        ATTEMPT: deliver(attempts(house.kit, house.way, couriers)),
        RESUME: house.floor.resume(),
        AGAIN: offer_again(house.kit),
        SEND: send_message(house.kit, house.way, messengers, public_url=house.settings.public_url),
        TELL: tell_source(house.kit, house.way),
        TELL_OUT: tell_recipient(house.kit, house.way, house.settings.public_url),
        ENFORCE: enforce_opt_out(house.kit),
        WRITE: write_letter(house.kit, house.way, house.settings.public_url),
        LAPSE: close_unconfirmed(house.kit),
        KEEP_REPLAY: keep_replay(house.kit),
        SIGNAL: keep_signal(house.kit),
        KEEP: keep_certificates(house.kit),
        CARRY: carry_decision(house.kit),
        REMIND: remind(house.kit, house.way, house.settings.public_url),
    }
    return [
        Worker(house.db, talk, house.clock, limit=40, patience={TELL_OUT: STUBBORN, KEEP: STEADY}),
        Worker(house.db, {IMPORT: take_upload(house)}, house.clock, limit=1),
        Worker(
            house.db,
            {ENRICH: enrich_leads(house.kit), REVERIFY: reverify(house.kit), FULFIL: carry_out(house.kit)},
            house.clock,
            limit=1,
        ),
        Worker(
            house.db, {RETAIN: retain_and_screen(house.kit, OutsideStore(house.settings.home))}, house.clock, limit=1
        ),
        Worker(
            house.db,
            {
                TRY: make_trial(house.db, house.pen, house.book, house.packs, house.kit.ears),
                REVIEW_CARD: make_card_review(house.kit, house.packs),
            },
            house.clock,
            limit=1,
        ),
        Worker(
            house.db,
            {RETRAIN: make_retraining(house.kit, house.settings.home, apart())},
            house.clock,
            limit=1,
            patience={RETRAIN: PATIENT},
        ),
    ]


async def work(house: House, stop: asyncio.Event, _: int = 0) -> None:
    """Work until ``stop`` is set; what is in hand is finished or given back."""
    await asyncio.to_thread(sweep_rooms, house.settings.home)
    staff = workers(house)
    tasks = [asyncio.create_task(one.run()) for one in staff]
    chores = [
        asyncio.create_task(_every(1.0, lambda: chain(house))),
        asyncio.create_task(_every(2.0, lambda: sweep(house))),
        asyncio.create_task(_every(2.0, lambda: find_stranded(house))),
        asyncio.create_task(_every(2.0, lambda: gather(house))),
        asyncio.create_task(_every(2.0, lambda: open_reviews(house))),
        asyncio.create_task(_every(10.0, lambda: count(house))),
        asyncio.create_task(_every(60.0, lambda: tidy(house))),
        asyncio.create_task(_every(60.0, lambda: watch_models(house))),
        asyncio.create_task(_every(60.0, lambda: prove(house))),
        asyncio.create_task(_every(2.0, lambda: note_erasures(house))),
    ]
    if house.settings.market_shadow_prices:
        chores.append(asyncio.create_task(_every(60.0, lambda: price(house))))
    await stop.wait()
    for one in staff:
        one.stop()
    for chore in chores:
        chore.cancel()
    await asyncio.gather(*tasks, *chores, return_exceptions=True)


async def chain(house: House) -> None:
    """Chain the journal's loose groups."""
    async with house.db.begin() as tx:
        await journal.link(tx)


async def prove(house: House) -> None:
    """Seal the rows that have come to rest, and sign where the chains end every ten minutes."""
    await keep_proof(house.db, house.vault, house.settings.home, house.clock())


async def note_erasures(house: House) -> None:
    """Write down, outside the database, who has been forgotten."""
    with contextlib.suppress(OSError):  # the next time, or at the end
        await house.erasures.keep_up(house.db)


async def sweep(house: House) -> None:
    """Let go of the room that was held for leads that did not come."""
    while True:
        async with house.db.begin() as tx:
            if await release_holds(tx, house.clock(), _SWEPT) < _SWEPT:
                return


async def find_stranded(house: House) -> None:
    """Have leads taken up that wait for bids longer than anybody asks: their process died, or they were given back
    after the bids had run out."""
    now = house.clock()
    patience = timedelta(milliseconds=house.settings.auction_ms) + _STRANDED
    async with house.db.begin() as tx:
        for lead_id in await stranded(tx, make_id("lead", now - patience, 0)):
            enqueue(tx, RESUME, lead_id, {}, now, now, house.mint, dedupe=f"{RESUME}:{lead_id}")


async def gather(house: House) -> None:
    """Bring together what leads wrote beside one another so as not to wait."""
    async with house.db.begin() as tx:
        await fold(tx, house.clock())


async def open_reviews(house: House) -> None:
    """Have leads that wait for a person on the desk."""
    async with house.db.begin() as tx:
        await gather_cases(tx, house.kit, house.clock())


async def count(house: House) -> None:
    """Show how many jobs wait and how many were given up, how the review desk stands, and what
    is to be looked at of models at work."""
    async with house.db.begin() as tx:
        await tell_overdue(tx, house.clock())
        await show_alerts(tx)
        await plan_reminders(tx, house.kit, house.clock())
        for one in await kept(tx):
            JOBS_KEPT.labels(one.kind, "waiting").set(one.waiting)
            JOBS_KEPT.labels(one.kind, "dead").set(one.dead)


async def tidy(house: House) -> None:
    """Let go of what has had its time."""
    now = house.clock()
    async with house.db.begin() as tx:
        await forget_answers(tx, now - _ANSWERS_KEPT)
        await expire_holds(tx, now)
        await charge_subscriptions(tx, house.book.walk().rules.orders.values(), now)
        await sweep_sessions(tx, now)
        await drop_tries(tx, now - _PACED)
        await sweep_access(tx, now)
        await forget_quotes(tx, now - KEPT)
        await forget_old_answers(tx, now)
        await forget_visits(tx, now)
        await survey_sources(tx, house.book.walk().rules.suspects, now)
        await tidy_fraud(tx, list(house.book.walk().rules.suspects.values()), now)
        await plan_looks(tx, house.kit, now)
        await plan_retention(tx, house.kit, now)
        await plan_retraining(tx, house.kit)
        await plan_card_reviews(tx, house.kit)
        await tidy_hygiene(tx, house.book.walk().rules.upkeeps.values(), now)


async def price(house: House) -> None:
    """Solve for new shadow prices where it is time."""
    if await reprice(house.kit):
        log("market").info("new shadow prices")


async def watch_models(house: House) -> None:
    """See whether models at work still hold, where it is time."""
    await oversee(house.kit)


async def _every(seconds: float, act: Callable[[], Awaitable[None]]) -> None:
    while True:
        with contextlib.suppress(Fault):
            await act()
        await asyncio.sleep(seconds)
