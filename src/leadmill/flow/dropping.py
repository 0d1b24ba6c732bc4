"""Deletion lists worked through: whoever is on one is opted out and forgotten, and what became of each entry is
reported.

Called by ``leadmill privacy drop`` and, for leads that came since, by the daily run of the worker. The lists hold
unkeyed hashes, so that an index over the same hashes of our people would be a list of their telephone numbers: instead
every lead is opened once a run, its identifiers are hashed in memory, and only keyed hashes of those are compared with
what is kept of the entries.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import TypeVar

from msgspec import Struct

from leadmill.capture import Lead
from leadmill.core.faults import Conflict, Fault
from leadmill.flow.kit import Kit
from leadmill.flow.memory import open_rows
from leadmill.flow.retaining import Outside, Runner
from leadmill.flow.retaining.store import held_together
from leadmill.flow.rights.parting import part_with, stop_all
from leadmill.flow.store import lead_ids_between, leads_of_persons, read_leads
from leadmill.policy import Suppression, listed_key, note_pull, suppress
from leadmill.privacy import (
    DROP_SOURCE,
    DropFile,
    DropStatus,
    Figures,
    Item,
    Pull,
    begin_pull,
    end_pull,
    figures_of,
    find_items,
    holds_on,
    identifiers,
    keep_items,
    key_of,
    last_pull_at,
    listed_digest,
    open_items,
    read_items,
    remove_items,
    settle_items,
)
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import Handler, Job
from leadmill.runtime.telemetry import DROP_LAST, DROPPED, log

_CHUNK = 5_000
_PAGE = 200
_BACK = timedelta(days=2)
"""How far back the daily run looks for leads that came since: a day, and one more in case a run was missed."""
_BY = "the deletion list"

Matches = dict[str, set[str]]
"""The persons who are found under an entry, by the entry's id."""


Among = Callable[[Tx, Iterable[bytes]], Awaitable[dict[bytes, list[str]]]]
"""Gives the entries under keys."""

T = TypeVar("T")


class Worked(Struct, frozen=True):
    """What came of a file: ``figures`` of its entries, ``statuses`` by their ids, ``removed`` withdrawn, ``unreadable``
    lines, and ``failed`` entries that wait for the next run. Of a dry run it is what would come of it."""

    pull_id: str | None
    figures: Figures
    statuses: Mapping[str, DropStatus]
    removed: int = 0
    unreadable: int = 0
    failed: int = 0


async def work_list(kit: Kit, files: Sequence[DropFile], body: bytes, name: str, by: str) -> Worked:
    """Take lists in and work them through; the same again goes on where it stopped and changes nothing else. ``body``
    is what the files came as, by whose digest they are known."""
    now = kit.clock()
    pull = Pull(
        id=kit.mint("pull", now),
        at=now,
        by=by,
        digest=hashlib.sha256(body).hexdigest(),
        name=name,
        entries=sum(len(one.lines) for one in files if not one.removed),
    )
    async with kit.db.begin() as tx:
        pull = await begin_pull(tx, pull)
    removed = 0
    for one in files:
        removed += await _keep(kit, one, pull)
    failed = await _settle(kit, await _match(kit), now)
    if not failed:
        await _suppress_rest(kit, pull)
        async with kit.db.begin() as tx:
            await end_pull(tx, pull.id, kit.clock())
            await note_pull(tx, pull.at)  # sales in the state are held against it from now on
            tx.after(lambda: DROP_LAST.set(pull.at.timestamp()))
    statuses = await _statuses(kit, files)
    async with kit.db.begin() as tx:
        figures = await figures_of(tx, pull.id)
    return Worked(pull.id, figures, statuses, removed, sum(len(one.unreadable) for one in files), failed)


async def try_list(kit: Kit, files: Sequence[DropFile]) -> Worked:
    """What would come of lists: nothing is kept, nobody is forgotten."""
    hashed = kit.pen.vault.keyed_hash
    entries: dict[bytes, list[str]] = {}
    for one in files:
        for line in one.lines:
            if one.list is not None:
                entries.setdefault(key_of(hashed, one.list, line.hash), []).append(line.id)

    async def among(_: Tx, keys: Iterable[bytes]) -> dict[bytes, list[str]]:
        return {key: entries[key] for key in keys if key in entries}

    matches = await _match(kit, among)
    statuses: dict[str, DropStatus] = {}
    async with kit.db.begin() as tx:
        for ident in (line.id for one in files if not one.removed for line in one.lines):
            statuses[ident] = (await _due_to(tx, matches[ident]))[0] if ident in matches else DropStatus.NOT_FOUND
    kinds = list(statuses.values())
    figures = Figures(len(kinds), *(kinds.count(each) for each in DropStatus))
    removed = sum(len(one.lines) for one in files if one.removed)
    return Worked(None, figures, statuses, removed, sum(len(one.unreadable) for one in files))


def retain_and_screen(kit: Kit, outside: Outside) -> Handler:
    """The handler of ``retention.run`` jobs: goes on with the run, and after that of a day matches the leads that came
    since the day before against the deletion lists that are kept."""
    runner = Runner(kit, outside)

    async def handle(job: Job) -> None:
        run = await runner.carry_out(job.subject or "")
        if run is None or run.dry or run.day is None:
            return
        async with kit.db.begin() as tx:
            kept = (await figures_of(tx)).entries
            last = await last_pull_at(tx)
            if last is not None:
                await note_pull(tx, last)
        if kept:
            await screen_fresh(kit, run.at - _BACK)

    return handle


async def screen_fresh(kit: Kit, since: datetime) -> int:
    """Match the leads received since a moment against every entry that is kept, and do what the lists ask for; how many
    entries found somebody."""
    matches = await _match(kit, since=since)
    await _settle(kit, matches, kit.clock())
    return len(matches)


async def _keep(kit: Kit, one: DropFile, pull: Pull) -> int:
    """Keep a list's entries, or take out those that were withdrawn; how many of these."""
    if one.removed or one.list is None:
        gone = 0
        for ids in _chunks([line.id for line in one.lines]):
            async with kit.db.begin() as tx:
                gone += await remove_items(tx, ids, kit.clock())
        return gone
    hashed = kit.pen.vault.keyed_hash
    contact = one.list in ("Email", "Phone")
    for lines in _chunks(one.lines):
        items = [
            Item(id=line.id, list=one.list, key=key_of(hashed, one.list, line.hash), at=pull.at, pull_id=pull.id)
            for line in lines
        ]
        hashes = {line.id: listed_key(hashed, listed_digest(line.hash)) for line in lines} if contact else {}
        async with kit.db.begin() as tx:
            await keep_items(tx, items, hashes)
    return 0


async def _match(kit: Kit, among: Among = find_items, since: datetime | None = None) -> Matches:
    """Who is found under which entry, among all leads or those since a moment. Reads them page by page."""
    hashed = kit.pen.vault.keyed_hash
    matches: Matches = {}
    async for tx, leads in _pages(kit, since):
        keys: dict[bytes, set[str]] = {}
        for person_id, lead in leads:
            values = {name: [str(value)] for name, value in lead.fields.items() if value not in (None, "")}
            for of, entry in identifiers(values):
                keys.setdefault(key_of(hashed, of, entry), set()).add(person_id)
        for key, ids in (await among(tx, sorted(keys))).items():
            for ident in ids:
                matches.setdefault(ident, set()).update(keys[key])
    return matches


async def _pages(kit: Kit, since: datetime | None) -> AsyncIterator[tuple[Tx, list[tuple[str, Lead]]]]:
    after = ""
    while True:
        async with kit.db.begin() as tx:
            ids = await lead_ids_between(tx, since, None, after, _PAGE)
            rows = await read_leads(tx, ids)
            opened = await open_rows(tx, kit.pen, rows.values())
            yield tx, [(rows[each].person_id, lead) for each in ids if (lead := opened.get(each)) is not None]
        if len(ids) < _PAGE:
            return
        after = ids[-1]


async def _due_to(tx: Tx, persons: Iterable[str]) -> tuple[DropStatus, list[list[str]]]:
    """What is owed to whoever is found under one entry: the persons of each human being, and the status."""
    groups = list((await held_together(tx, sorted(persons))).values())
    if len(groups) > 1:
        return DropStatus.OPTED_OUT, groups
    every = [person for group in groups for person in group]
    held = await holds_on(tx, [*every, *await leads_of_persons(tx, every)])
    return (DropStatus.EXEMPTED if held else DropStatus.DELETED), groups


async def _settle(kit: Kit, matches: Matches, now: datetime) -> int:
    """Do what lists ask for of everybody found; how many entries could not be settled."""
    owed: dict[str, tuple[DropStatus, list[list[str]]]] = {}
    async with kit.db.begin() as tx:
        for ident, persons in sorted(matches.items()):
            owed[ident] = await _due_to(tx, persons)
    # First everybody is opted out, then whoever is meant alone is forgotten: an opt-out needs what they are known by.
    humans = {tuple(group): group for _, groups in owed.values() for group in groups}
    lost: set[tuple[str, ...]] = set()
    for key, group in humans.items():
        if not await _guarded(partial(stop_all, kit, group, _BY, "list", patience=0)):
            lost.add(key)
    alone = {tuple(groups[0]) for status, groups in owed.values() if status is DropStatus.DELETED and groups}
    for key in sorted(alone - lost):
        if not await _guarded(partial(_forget, kit, key[0])):
            lost.add(key)
    settled = {
        ident: status for ident, (status, groups) in owed.items() if not any(tuple(group) in lost for group in groups)
    }
    for ids in _chunks(sorted(settled)):
        async with kit.db.begin() as tx:
            await settle_items(tx, {each: settled[each] for each in ids}, kit.clock())
    for status in settled.values():
        DROPPED.labels(status.name.lower()).inc()
    return len(owed) - len(settled)


async def _guarded(act: Callable[[], Awaitable[None]]) -> bool:
    """Whether it could be done."""
    try:
        await act()
    except Fault as fault:
        log("drop").warning(
            "somebody on a deletion list could not be seen to; the next run tries again", code=fault.code
        )
        return False
    return True


async def _forget(kit: Kit, person: str) -> None:
    async with kit.db.begin() as tx:
        try:
            now = kit.clock()
            await part_with(tx, kit, person, kit.mint("fgt", now), _BY, now)
        except Conflict:
            return  # a hold was placed meanwhile; they are opted out


async def _suppress_rest(kit: Kit, pull: Pull) -> None:
    """Say of the entries that found nobody that they did, and keep their addresses and numbers from being sold."""
    after = ""
    while True:
        async with kit.db.begin() as tx:
            found = await open_items(tx, pull.id, after, _CHUNK)
            now = kit.clock()
            await suppress(tx, [Suppression(hash, "sha256", now, DROP_SOURCE) for _, hash in found if hash is not None])
            await settle_items(tx, {item.id: DropStatus.NOT_FOUND for item, _ in found}, now)
        if found:
            DROPPED.labels("not_found").inc(len(found))
        if len(found) < _CHUNK:
            return
        after = found[-1][0].id


async def _statuses(kit: Kit, files: Sequence[DropFile]) -> dict[str, DropStatus]:
    """What became of the entries of files, those taken in earlier included."""
    found: dict[str, DropStatus] = {}
    for ids in _chunks([line.id for one in files if not one.removed for line in one.lines]):
        async with kit.db.begin() as tx:
            items = await read_items(tx, ids)
        found |= {ident: item.status for ident, item in items.items() if item.status is not None}
    return found


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
