"""The verbs of fraud: count sightings, remember what was returned, tidy up, and tell what signals were worth.

``Sightings`` is made in ``main``, one a process: its ``hear`` is wired to the runner, its keepers to the evidence. The
rest is called by the reactions and the worker. The record ``docs/decisions/0018-counting-sightings.md`` says why counts
are kept as they are.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from msgspec import Struct

from leadmill.capture import Lead
from leadmill.core.case import Case
from leadmill.fraud.model import Card, Mark, SightAsk, Sighted, Sighting, Suspicion, Tally
from leadmill.fraud.records import Record, count, over_until, pack, unpack
from leadmill.fraud.rules import hours_between
from leadmill.fraud.standing import WINDOW, Standing, survey
from leadmill.fraud.store import (
    Given,
    Kept,
    Pace,
    add_pace,
    add_tally,
    burn,
    count_marks,
    days_since,
    drop_return,
    expire_marks,
    fold_news,
    fold_pace,
    fold_spill,
    forget_burns,
    forget_marks,
    may_survey,
    note_return,
    paces,
    read_standings,
    spill,
    surveyed_at,
    tallies_since,
    unburn,
    write_standings,
)
from leadmill.runtime.db import Tx

_NOTED = "fraud duplicates"
_TALLIED = "fraud tallies"
_PACE_FOR = timedelta(seconds=5)
"""How long a process goes by what it last read of the sources' pace."""
_STANDINGS_FOR = timedelta(seconds=60)
"""How long a process goes by what it last read of the sources' standing."""
_SURVEY_EVERY = timedelta(minutes=10)
_QUIET_LEAST = timedelta(seconds=5)
_QUIET_MOST = timedelta(seconds=10)
"""For how long, at most, sightings of a mark over every limit are written beside it, without its lock."""
_QUIET_MARKS = 2_000
_PAST_HOURS = 24
"""In how many hours a source must have sent something before its pace says anything."""
_SLICES = 1_440
"""Parts of the marks, of which each tidying looks at one: all of them once a day."""
_HALF_LIVES = 6
"""After so many half-lives a burn is forgotten: it then says a sixty-fourth."""


class _Quiet:
    """A mark over every limit until ``until``, with its sightings as last read."""

    __slots__ = ("kept", "until")

    def __init__(self, until: datetime, kept: Kept) -> None:
        self.until = until
        self.kept = kept


class Sightings:
    """Counts leads by their marks, exactly: of several leads with a mark, whichever process they come through, each
    hears a count one higher than the one before it in the order of the mark's locks."""

    def __init__(self) -> None:
        self._quiet: dict[bytes, _Quiet] = {}
        self._paces: dict[str, Pace] = {}
        self._fresh: dict[str, int] = {}
        self._paces_at: datetime | None = None
        self._standings: dict[tuple[str, str], Standing] = {}
        self._standings_at: datetime | None = None

    async def hear(self, tx: Tx, asks: Sequence[SightAsk]) -> Callable[[SightAsk], Sighted]:
        """The listener for :class:`SightAsk`: counts every lead and answers what was seen, in one statement for all.

        Duplicates that were noted in this transaction are counted before them.
        """
        noted: list[SightAsk] = tx.scratch.pop(_NOTED, [])
        given, places = _collect([*noted, *asks])
        now = asks[0].at
        loud = {mark: one for mark, one in given.items() if not self._is_quiet(mark, now)}
        kept = await count_marks(tx, loud) if loud else {}
        for mark, one in given.items():
            if mark not in loud:
                spill(tx, mark, one)
                kept[mark] = _after(self._quiet[mark].kept, one)
        for mark, one in given.items():
            if len(one.seen) > 1 and mark not in kept:
                kept[mark] = Kept(b"".join(one.seen))  # new to the store, but not within the group
        read = {mark: unpack(one.seen) for mark, one in kept.items()}
        self._learn_quiet(tx, asks, loud, read, kept)
        hours = await self._pace(tx, [*noted, *asks])
        if self._standings_at is None or not timedelta(0) <= now - self._standings_at < _STANDINGS_FOR:
            self._standings = {(one.vertical, one.source_id): one for one in await read_standings(tx)}
            self._standings_at = now

        def answer(ask: SightAsk) -> Sighted:
            found = []
            for mark, place in zip(ask.marks, places[id(ask)], strict=True):
                records = read.get(mark.hash)
                if records is not None:
                    own = len(records) - len(given[mark.hash].seen) + place
                    found.append(_sighting(ask, mark, records, own, kept[mark.hash]))
            hour, usual = hours.get(ask.source_id, (None, None)) if ask.paced else (None, None)
            if hour is None or hour < ask.card.burst_least:
                hour = usual = None
            standing = self._standings.get((ask.vertical, ask.source_id))
            if standing is None:
                return Sighted(tuple(found), hour, usual)
            sure = standing.low // 100
            return Sighted(
                tuple(found),
                hour,
                usual,
                poor=sure if sure >= ask.card.poor_share else None,
                turned=standing.turned,
                since=standing.since.isoformat() if standing.since is not None else None,
            )

        return answer

    def note(self, tx: Tx, ask: SightAsk | None) -> None:
        """Count a duplicate, which ends before it comes to the station: with the other leads of the transaction, or,
        where none of them gets there, at its end."""
        if ask is None:
            return
        noted: list[SightAsk] | None = tx.scratch.get(_NOTED)
        if noted is None:
            noted = tx.scratch[_NOTED] = []
            tx.closing(self._count_noted)
        noted.append(ask)

    async def _count_noted(self, tx: Tx) -> None:
        left: list[SightAsk] = tx.scratch.pop(_NOTED, [])
        if left:
            await self.hear(tx, left)

    def keep_suspicion(self, tx: Tx, case: Case, suspicion: Suspicion, now: datetime) -> None:
        """The keeper: tallies what was raised."""
        lead = case[Lead]
        if not lead.test:
            held, rejected = suspicion.path == "review", suspicion.path == "reject"
            _tally(tx, place_of(lead), suspicion, seen=1, held=held, rejected=rejected)

    def keep_sold(self, tx: Tx, case: Case) -> None:
        """Tally that somebody bought a lead for the first time."""
        suspicion, lead = case.get(Suspicion), case[Lead]
        if suspicion is not None and not lead.test:
            _tally(tx, place_of(lead), suspicion, sold=1)

    def _is_quiet(self, mark: bytes, now: datetime) -> bool:
        held = self._quiet.get(mark)
        if held is None:
            return False
        if now < held.until:
            return True
        del self._quiet[mark]
        return False

    def _learn_quiet(
        self,
        tx: Tx,
        asks: Sequence[SightAsk],
        loud: dict[bytes, Given],
        read: dict[bytes, list[Record]],
        kept: dict[bytes, Kept],
    ) -> None:
        """Remember which marks are over every limit and will stay so for a while, once that is durable."""
        found: dict[bytes, _Quiet] = {}
        for ask in asks:
            for mark in ask.marks:
                records = read.get(mark.hash)
                limits = ask.card.limits.get(mark.kind)
                if records is None or limits is None or mark.hash not in loud or mark.hash in found:
                    continue
                until = over_until(records, ask.card.windows[mark.kind], limits)
                if until is not None and until - ask.at > _QUIET_LEAST:
                    found[mark.hash] = _Quiet(min(until, ask.at + _QUIET_MOST), kept[mark.hash])
        if found:
            tx.after(lambda: self._add_quiet(found))

    def _add_quiet(self, found: dict[bytes, _Quiet]) -> None:
        if len(self._quiet) + len(found) > _QUIET_MARKS:
            self._quiet.clear()
        self._quiet |= found

    async def _pace(self, tx: Tx, asks: Sequence[SightAsk]) -> dict[str, tuple[int, float]]:
        """Leads of the last hour and usual ones in an hour, by source, for sources that have a past; counts these."""
        sent: dict[str, int] = {}
        for ask in asks:
            if ask.paced:
                sent[ask.source_id] = sent.get(ask.source_id, 0) + 1
        if not sent:
            return {}
        now = asks[0].at
        minute = now.replace(second=0, microsecond=0)
        if self._paces_at is None or not timedelta(0) <= now - self._paces_at < _PACE_FOR:
            self._paces, self._paces_at, self._fresh = await paces(tx, now), now, {}
        found = {}
        for source_id, leads in sent.items():
            add_pace(tx, source_id, minute, leads)
            self._fresh[source_id] = self._fresh.get(source_id, 0) + leads
            pace = self._paces.get(source_id)
            if pace is not None and pace.hours >= _PAST_HOURS:
                found[source_id] = pace.hour + self._fresh[source_id], pace.before / pace.hours
        return found


def _collect(asks: Sequence[SightAsk]) -> tuple[dict[bytes, Given], dict[int, list[int]]]:
    """What is to be appended to each mark, and for each ask which of the appended records are its own."""
    given: dict[bytes, Given] = {}
    places: dict[int, list[int]] = {}
    for ask in asks:
        record = pack(ask.at, ask.source_id, ask.vertical, ask.person_id, ask.name)
        own = places[id(ask)] = []
        keep, days = ask.card.keep, ask.card.days
        for mark in ask.marks:
            held = given.get(mark.hash)
            if held is None:
                ends = ask.at + timedelta(days=days.get(mark.kind, 35))
                held = given[mark.hash] = Given([], keep.get(mark.kind, 16), ends)
            own.append(len(held.seen))
            held.seen.append(record)
    return given, places


def _after(kept: Kept, given: Given) -> Kept:
    return Kept(kept.seen + b"".join(given.seen), kept.burned)


def _sighting(ask: SightAsk, mark: Mark, records: list[Record], own: int, kept: Kept) -> Sighting:
    seen = count(records, own, ask.card.windows.get(mark.kind, ()))
    return Sighting(
        mark.kind,
        seen.counts,
        seen.persons,
        seen.elsewhere,
        seen.vertical,
        seen.names,
        tuple(hours_between(at, ask.at) for at in kept.burned),
    )


class Place(Struct, frozen=True):
    """What a lead is tallied under: the day it came, its vertical and its source."""

    day: date
    vertical: str
    source_id: str


def place_of(lead: Lead) -> Place:
    """The place of a lead."""
    return Place(lead.received_at.astimezone(UTC).date(), lead.vertical, lead.source_id)


def _tally(
    tx: Tx,
    place: Place,
    suspicion: Suspicion,
    *,
    seen: int = 0,
    held: int = 0,
    rejected: int = 0,
    sold: int = 0,
    returned: int = 0,
) -> None:
    """Add to what became of all leads and of each signal's; all of a transaction goes out in one row a signal."""
    sums: dict[tuple[Place, str], list[int]] | None = tx.scratch.get(_TALLIED)
    if sums is None:
        sums = tx.scratch[_TALLIED] = {}
        tx.closing(_write_tallies)
    for code in ("", *[item.code for item in suspicion.raised]):
        row = sums.setdefault((place, code), [0] * 5)
        for at, more in enumerate((seen, held, rejected, sold, returned)):
            row[at] += more


async def _write_tallies(tx: Tx) -> None:
    sums: dict[tuple[Place, str], list[int]] = tx.scratch.pop(_TALLIED, {})
    for (place, code), (seen, held, rejected, sold, returned) in sums.items():
        tally = Tally(
            vertical=place.vertical,
            source_id=place.source_id,
            code=code,
            seen=seen,
            held=held,
            rejected=rejected,
            sold=sold,
            returned=returned,
        )
        add_tally(tx, place.day, tally)


# Feedback


async def heed_return(
    tx: Tx,
    lead_id: str,
    place: Place,
    suspicion: Suspicion | None,
    ask: SightAsk | None,
    *,
    returned: bool,
    fraudulent: bool,
    now: datetime,
) -> None:
    """Learn what a buyer says became of a lead: whether it was ``returned`` at all, and whether for a reason that
    burns its marks. Said twice it counts once; taken back, it is as if it had never been said.

    ``ask`` is None where the person was forgotten: then there is nothing to burn.
    """
    changed = await note_return(tx, lead_id, now) if returned else await drop_return(tx, lead_id)
    if changed and suspicion is not None:
        _tally(tx, place, suspicion, returned=1 if returned else -1)
    marks = _burnable(ask)
    if marks and fraudulent:
        await burn(tx, marks, lead_id, now)
    elif marks:
        await unburn(tx, marks, lead_id)


def _burnable(ask: SightAsk | None) -> list[bytes]:
    """The marks that a return speaks against: not a whole network, nor the source."""
    if ask is None:
        return []
    return [mark.hash for mark in ask.marks if ask.card.weights.get(f"burned.{mark.kind}")]


# Housekeeping


async def fold(tx: Tx, now: datetime) -> None:
    """Bring together what leads wrote beside one another."""
    await fold_spill(tx)
    await fold_pace(tx, now)
    await fold_news(tx)


async def survey_sources(tx: Tx, cards: Mapping[str, Card], now: datetime) -> bool:
    """Look all sources over where that is due; whether it was. See :mod:`leadmill.fraud.standing`."""
    if not await may_survey(tx):
        return False
    last = await surveyed_at(tx)
    if last is not None and timedelta(0) <= now - last < _SURVEY_EVERY:
        return False
    today = now.astimezone(UTC).date()
    await write_standings(tx, survey(await days_since(tx, today - WINDOW), cards, today), now)
    return True


async def tidy_fraud(tx: Tx, cards: Sequence[Card], now: datetime) -> int:
    """Let go of marks and burns that have had their time; how many marks. Each call looks at one of 1,440 parts of the
    marks, the one that the minute of the day says, so that none takes long."""
    half_life = max((card.half_life_days for card in cards), default=60)
    await forget_burns(tx, now - timedelta(days=half_life * _HALF_LIVES))
    number = now.hour * 60 + now.minute
    first, last = (((place << 32) // _SLICES).to_bytes(5) for place in (number, number + 1))
    return await expire_marks(tx, first[1:], last[1:] if number + 1 < _SLICES else b"\xff" * 17, now)


__all__ = [
    "Place",
    "Sightings",
    "fold",
    "forget_marks",
    "heed_return",
    "place_of",
    "read_standings",
    "survey_sources",
    "tallies_since",
    "tidy_fraud",
]
