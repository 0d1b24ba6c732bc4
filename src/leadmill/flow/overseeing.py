"""Watches models at work: counts leads as they come and as their outcomes become known, tells what is no more as it
was, and takes back a model that broke a bound of the house.

Done by the worker's clock, every five minutes; of several workers one does it. A lead is counted three times: when it
was rated (what models saw and said), when its early span is over (bad, answered for), and when its horizon is
(converted). Only leads that somebody got are counted, for a model learned from such. A mark says how far each count is;
it moves in the transaction that adds to the counts, so that no lead counts twice. Where many leads come a sample is
counted, drawn by their ids.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise, takewhile
from typing import Literal, TypeVar

import msgspec

from leadmill.core.faults import BadInput, Fault
from leadmill.core.ids import make_id
from leadmill.flow.kit import Kit
from leadmill.flow.model import LeadFilter, LeadRow
from leadmill.flow.rating import Models, models_of
from leadmill.flow.scorecards import Author, take_back
from leadmill.flow.sighting import Sighting, days_to_word, outcomes_of, seen_values, sighting_of
from leadmill.flow.store import leads_after
from leadmill.identity.service import load_keys
from leadmill.learning import Drifts, drifts_of
from leadmill.runtime import journal, records
from leadmill.runtime.db import Tx
from leadmill.runtime.telemetry import SCORING_ALERTS, log
from leadmill.scoring import LATE, MODEL_KIND, ModelRecord, read_model_record
from leadmill.scoring.watch import (
    Day,
    Finding,
    Standing,
    WatchTerms,
    add_early,
    add_fresh,
    add_full,
    alerted,
    alone,
    broken,
    count_alerts,
    days_of,
    decides,
    findings,
    forget_days,
    horizon_of,
    keep_days,
    keep_findings,
    keep_watched,
    last_measured,
    mark_of,
    measure,
    move_mark,
    read_watch,
    tell_rolled_back,
)

EVERY = timedelta(minutes=5)
BY = "watch"
"""Who a change of the records is by that nobody made."""

Stage = Literal["fresh", "early", "full"]
STAGES: tuple[Stage, ...] = ("fresh", "early", "full")

_GROUP = 500
"""Leads whose rows are read with one question."""
_MOST_GROUPS = 100
"""Groups read in a turn; what is left is for the next."""
_BREATH = 25
"""Leads between two moments at which others may work."""
_WHOLE = 2_000
"""Leads of a turn that are all counted; of as many more every second is, of as many again every fourth."""
_SETTLES = timedelta(minutes=10)
"""How old a lead must be to be counted: by then it has been offered to everybody."""
_BACK = timedelta(days=30)
"""How far back counting begins where a vertical was never watched."""
_KEPT = timedelta(days=120)
"""How long days are kept beyond the horizon."""


async def oversee(kit: Kit, every: timedelta = EVERY) -> bool:
    """Count, measure, tell and take back where it is time; whether it was."""
    now = kit.clock()
    async with kit.db.begin() as turn:
        if not await alone(turn):
            return False
        last = await last_measured(turn)
        if last is not None and now - last < every:
            return False
        async with kit.db.begin() as tx:
            # Also where the last model is gone: what is told of it must end.
            wanted = await alerted(tx)
        wanted |= {one.vertical for one in kit.walk().rules.models.records.values() if one.runs}
        for vertical in sorted(wanted):
            try:
                await watch_vertical(kit, vertical, now)
            except Exception as fault:  # the verticals behind it are watched all the same
                log("scoring").error("a vertical could not be watched", vertical=vertical, fault=_named(fault))
    return True


def _named(fault: Exception) -> str:
    return fault.code if isinstance(fault, Fault) else type(fault).__name__


async def watch_vertical(kit: Kit, vertical: str, now: datetime) -> None:
    """Bring one vertical's counts, measures and alerts up to now."""
    terms = kit.walk().rules.watches.get(vertical) or WatchTerms(vertical=vertical)
    async with kit.db.begin() as tx:
        standing = await _standing(tx, kit, vertical)
    for stage in STAGES:
        await _count(kit, terms, standing, stage, now)
    async with kit.db.begin() as tx:
        horizon = timedelta(days=terms.horizon)
        await forget_days(tx, vertical, (now - horizon - _KEPT).date())
        days = await days_of(tx, vertical)
        before = await read_watch(tx, vertical)
    # Takes up to a second where there are many models; deliveries do not wait for it.
    watched = await asyncio.to_thread(measure, terms, standing, days, before[1] if before is not None else None)
    stuck = await _take_back_broken(kit, terms, standing, days, now)
    found = [*findings(watched), *unheard(kit.walk().rules.models, vertical), *stuck]
    async with kit.db.begin() as tx:
        await keep_watched(tx, watched, now)
        new, ended = await keep_findings(tx, vertical, found, now, kit.mint)
    for alert in new:
        log("scoring").warning(
            "an alert about a model at work",
            vertical=vertical,
            kind=alert.kind,
            model=alert.model,
            subject=alert.subject,
        )
    for alert in ended:
        log("scoring").info("an alert ended", vertical=vertical, kind=alert.kind, model=alert.model)


def unheard(models: Models, vertical: str) -> list[Finding]:
    """Models that have a place and do not speak: who set them there must know."""
    return [
        Finding("unheard", "alarm" if decides(models.records[ident]) else "watch", ident, "", why)
        for ident, why in sorted(models.unheard(vertical).items())
    ]


async def show_alerts(tx: Tx) -> None:
    """Show how many alerts nobody has looked at in the metrics."""
    counts = await count_alerts(tx)
    for (vertical, kind), alerts in counts.items():
        SCORING_ALERTS.labels(vertical, kind).set(alerts)


# The models


async def _standing(tx: Tx, kit: Kit, vertical: str) -> list[Standing]:
    models = kit.walk().rules.models
    found = []
    for record in sorted(models.records.values(), key=lambda one: one.id):
        if record.vertical != vertical or not record.runs:
            continue
        model = models.of(record)
        if model is None:
            continue
        since, decides_since = await _placed(tx, record)
        found.append(Standing(record, since, decides_since, drifts_of(model), model.card))
    return found


async def _placed(tx: Tx, record: ModelRecord) -> tuple[date, date | None]:
    """Since when a model is heard with what it learned, and since when it decides. Having been taken from deciding
    and put back on one day it counts from the next on: that day's leads are of both times."""
    history = [
        (one.at.date(), _read(one.body))
        for one in await records.history(tx, MODEL_KIND, record.id)
        if one.body is not None
    ]
    heard = _latest_run(history, lambda one: one.runs and one.digest == record.digest)
    deciding = _latest_run(history, lambda one: decides(one) and one.digest == record.digest)
    since = heard[-1][0] if heard else date.max
    if not deciding:
        return since, None
    began, earlier = deciding[-1][0], history[len(deciding) :]
    left = [day for (day, then), (_, before) in pairwise(earlier) if decides(before) and not decides(then)]
    return since, began + timedelta(days=1) if began in left else began


Placing = TypeVar("Placing")


def _latest_run(
    history: Sequence[tuple[Placing, ModelRecord]], holds: Callable[[ModelRecord], bool]
) -> list[tuple[Placing, ModelRecord]]:
    """The latest versions in a row, newest first, that something holds of."""
    return list(takewhile(lambda one: holds(one[1]), history))


def _read(body: str) -> ModelRecord:
    return read_model_record(msgspec.json.decode(body))


# Counting


async def _count(kit: Kit, terms: WatchTerms, standing: Sequence[Standing], stage: Stage, now: datetime) -> None:
    early, full = timedelta(days=terms.early), timedelta(days=terms.horizon) + LATE
    until = now - _SETTLES - {"fresh": timedelta(0), "early": early, "full": full}[stage]
    counted = 0
    for _ in range(_MOST_GROUPS):
        async with kit.db.begin() as tx:
            first = make_id("lead", until - _BACK, 0)
            after = max(await mark_of(tx, terms.vertical, stage, first, now), first)
            narrow = LeadFilter(vertical=terms.vertical, test=False, until=until)
            rows = await leads_after(tx, after, _GROUP, narrow)
            if not rows:
                return
            taken = [row for row in rows if drawn(row.id, counted // _WHOLE)]
            counted += len(taken)
            pages = await journal.pages_of(tx, [row.id for row in taken])
            if stage == "fresh":
                await load_keys(tx, kit.pen.vault, kit.pen.keys, {row.person_id for row in taken})
            days = await days_of(tx, terms.vertical)
            changed = await _add(kit, terms, standing, stage, taken, pages, days, now)
            await keep_days(tx, terms.vertical, {day: days[day] for day in changed})
            await move_mark(tx, terms.vertical, stage, rows[-1].id, now)
        if len(rows) < _GROUP:
            return


def drawn(lead_id: str, halvings: int) -> bool:
    """Whether a lead is in the sample where one of 2 to the ``halvings`` is. Not by the lot that says which model it
    falls to: a sample would then be of some models' leads only."""
    lot = int.from_bytes(hashlib.sha256(f"watch {lead_id}".encode()).digest()[:4], "big")
    return lot % (1 << min(halvings, 20)) == 0


async def _add(
    kit: Kit,
    terms: WatchTerms,
    standing: Sequence[Standing],
    stage: Stage,
    rows: Iterable[LeadRow],
    pages: Mapping[str, Sequence[journal.Page]],
    days: dict[date, Day],
    now: datetime,
) -> set[date]:
    """Add leads to the counts of their days; which days changed."""
    drifts = {one.record.digest: one.drifts for one in standing if one.drifts is not None}
    horizons = {one.record.digest: within for one in standing if (within := horizon_of(one.card)) is not None}
    changed = set()
    for number, row in enumerate(rows):
        if number % _BREATH == 0:
            await asyncio.sleep(0)
        found = sighting_of(kit.pen, row, pages.get(row.id, ()))
        if found is None or not found.deals:
            continue
        when = found.at.date()
        day = days.setdefault(when, Day())
        changed.add(when)
        _add_one(kit, terms, stage, found, pages[row.id], day, drifts, horizons, now)
    return changed


def _add_one(
    kit: Kit,
    terms: WatchTerms,
    stage: Stage,
    found: Sighting,
    pages: Sequence[journal.Page],
    day: Day,
    drifts: Mapping[str, Drifts],
    horizons: Mapping[str, int],
    now: datetime,
) -> None:
    if stage == "fresh":
        heard = any(one.digest in drifts for one in found.said)
        add_fresh(day, found.said, seen_values(kit.pen, found, pages) if heard else None, drifts)
        return
    span = timedelta(days=terms.early if stage == "early" else terms.horizon)
    outcomes = outcomes_of(found, span, now, LATE if stage == "full" else timedelta(0))
    if outcomes["conversion"] is None:  # rated long after it came: its span is not over
        return
    days = days_to_word(found, span)
    if stage == "early":
        add_early(day, found.decider, outcomes["bad"] is True, {who: after is not None for who, after in days.items()})
    else:
        edges = {name: one.edges for name, one in drifts.items()}
        own = {
            one.digest: (within, outcomes_of(found, timedelta(days=within), now, LATE))
            for one in found.said
            if (within := horizons.get(one.digest, terms.horizon)) != terms.horizon
        }
        add_full(day, found.decider, found.said, outcomes, days, edges, own)


# Taking back


async def _take_back_broken(
    kit: Kit, terms: WatchTerms, standing: Sequence[Standing], days: Mapping[date, Day], now: datetime
) -> list[Finding]:
    """Take back what broke a bound; those that could not be, for the reason of another record, say."""
    stuck = []
    for one in standing if terms.roll_back is not None else ():
        if why := broken(terms, one, days):
            try:
                await _roll_back(kit, terms, one.record, why, now)
            except Fault as fault:
                says = f"{why}; it could not be taken back ({fault.code}): {fault.detail}"[:500]
                stuck.append(Finding("not_taken_back", "alarm", one.record.id, "", says))
                log("scoring").error("a model could not be taken back", model=one.record.id, code=fault.code)
    return stuck


async def _roll_back(kit: Kit, terms: WatchTerms, record: ModelRecord, why: str, now: datetime) -> None:
    """Have a model be heard only. Whoever does the same at the same time waits, and then finds it done."""
    assert terms.roll_back is not None
    async with kit.db.begin() as tx:
        await records.wait_in_line(tx)
        known = {one.id: one for one in models_of((await records.snapshot(tx)).of(MODEL_KIND))}
        standing = known.get(record.id)
        if standing is None or standing.digest != record.digest or not decides(standing):
            return
        before = await _before(tx, known, standing) if terms.roll_back.to == "before" else None
        by = Author(BY, now, kit.mint, kit.walk().rules.keyed_hash, kit.walk().rules)
        difference, to = await _taken(tx, standing, before, f"taken back: {why}"[:500], by)
        if to == "card" and standing.state == "challenger":
            to = next((one.id for one in known.values() if _leads(one, standing)), to)
        says = f"{why}; {to if to != 'card' else 'the card'} decides"
        await tell_rolled_back(tx, terms.vertical, record.id, says, to, difference, now, kit.mint)
    await kit.refresh()
    log("scoring").warning("a model was taken back", vertical=terms.vertical, model=record.id, to=to, bound=why)


async def _taken(tx: Tx, record: ModelRecord, before: ModelRecord | None, why: str, by: Author) -> tuple[int, str]:
    """The revision that did it, and who decides. Where the champion before may not decide any more the card does."""
    if before is not None:
        try:
            return (await take_back(tx, record, before, why, by)).revision, before.id
        except BadInput as fault:
            log("scoring").warning("the champion before cannot decide again", model=before.id, code=fault.code)
    return (await take_back(tx, record, None, why, by)).revision, "card"


def _leads(one: ModelRecord, other: ModelRecord) -> bool:
    same = (one.vertical, one.foresees) == (other.vertical, other.foresees)
    return same and one.runs and one.state == "champion" and one.id != other.id


async def _before(tx: Tx, known: Mapping[str, ModelRecord], record: ModelRecord) -> ModelRecord | None:
    """The champion that a champion took over from, with the share it had; None of a challenger, or where there was
    none, or where it was taken out of play since. One that was itself taken back and that no person has made the
    champion again is passed over."""
    if record.state != "champion":
        return None
    own = await records.history(tx, MODEL_KIND, record.id)
    run = _latest_run(
        [(one.revision, _read(one.body)) for one in own if one.body is not None],
        lambda one: one.runs and one.state == "champion",
    )
    upto = run[-1][0] if run else 0
    best: tuple[int, ModelRecord] | None = None
    for other in known.values():
        same = (other.vertical, other.foresees) == (record.vertical, record.foresees)
        if other.id == record.id or other.retired or not same:
            continue
        later = ""
        for version in await records.history(tx, MODEL_KIND, other.id):
            after, later = later, version.author
            if version.body is None or version.revision > upto:
                continue
            then = _read(version.body)
            if then.runs and then.state == "champion" and then.digest == other.digest:
                if after == BY:
                    break
                if best is None or version.revision > best[0]:
                    best = version.revision, then
                break
    return best[1] if best is not None else None
