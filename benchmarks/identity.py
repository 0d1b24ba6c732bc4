"""``leadmill bench identity``: how long it takes to recognise a person among many, and how often rightly.

The store is filled with made-up people (``benchmarks/people.py``) by COPY, as their leads would have left them; then
leads are recognised by the listener that serves the walk, one a transaction, with claims, locks and decision, and
undone. People who are not stored send leads as well: strangers, and those who live with somebody stored. Run by
``leadmill bench`` and, small, by the test suite.
"""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated

import asyncpg
import msgspec
import typer
from msgspec import Struct

from benchmarks.figures import cpu_of_tree, percentile
from benchmarks.house import endable, say
from benchmarks.order import Agreement, agreement
from benchmarks.people import SLIPS, Human, Slips, World
from leadmill.capture import Matching
from leadmill.core.ids import make_id, mint
from leadmill.identity import FindPerson, Keys, PersonFound, Profile, Traits, hear_find_person
from leadmill.identity.blocks import block_hashes
from leadmill.identity.store.persons import BLOCK_MOST, pack_blocks
from leadmill.interfaces.cli.frame import settle
from leadmill.runtime.db import Database
from leadmill.runtime.migrate import migrate
from leadmill.runtime.postgres import embedded
from leadmill.runtime.vault import Vault

P99_GOAL_MS = 3.0
RECALL_GOAL = 0.97
FALSE_GOAL = 1 / 1_000
WRONG_GOAL = 1 / 10_000
NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
VAULT = Vault(b"b" * 32)
_PAST = NOW - timedelta(days=400)
_BATCH = 20_000
_REMEMBERED = 80_000
# Else the server tidies the heap of partial keys up while look-ups are timed.
_STAGED = (
    'CREATE UNLOGGED TABLE staged_block (hash bigint NOT NULL, person text COLLATE "C" NOT NULL)'
    " WITH (autovacuum_enabled = off)"
)
_GATHER = f"""
INSERT INTO person_block (hash, persons)
SELECT hash, (array_agg(person ORDER BY person))[1:{BLOCK_MOST}] FROM staged_block GROUP BY hash
"""


class Timed(Struct, frozen=True):
    """Milliseconds of one kind of look-up, alone in its transaction; ``cpu`` is what one took of this process and the
    server together, transaction and all, which neighbours on the machine do not lengthen as they do the rest."""

    p50: float
    p99: float
    cpu: float
    looked: int


class Level(Struct, frozen=True):
    """What was seen at one number of stored people. ``exact`` are leads with a known e-mail address, ``fuzzy`` leads of
    known people that share neither e-mail nor phone; ``candidates`` how many persons were weighed for one of these."""

    people: int
    exact: Timed
    fuzzy: Timed
    new: Timed


class Quality(Struct, frozen=True):
    """How often people were rightly recognised. ``recall`` is of known people who share neither e-mail nor phone;
    ``false`` of strangers; ``wrong`` of all look-ups, one third of each kind, given to another person."""

    known: int
    recall: float
    strangers: int
    false: float
    wrong: float
    possible: float
    missed_by: dict[str, int]
    false_by: dict[str, int]


class Ran(Struct, frozen=True):
    """A whole run; ``order`` tells whether it matters in which order leads arrive."""

    levels: list[Level]
    quality: Quality
    order: Agreement


class Town:
    """A store being filled, and who lives in it."""

    def __init__(self, url: str, seed: int) -> None:
        self.url = url
        self.world = World(seed)
        self._people = self.world.people()
        self.count = 0
        """How many people the store knows."""
        self.stored: list[tuple[str, Human]] = []
        """Some of them, spread evenly, with their ids."""
        self.strangers: list[Human] = []
        """Some of those it does not know."""
        self._every = 1

    async def grow(self, count: int) -> None:
        """Let the store know ``count`` people."""
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(
                "SET synchronous_commit = off; SET maintenance_work_mem = '512MB'; SET work_mem = '256MB'"
            )
            await connection.execute(
                f"DROP TABLE IF EXISTS staged_old; {_STAGED.replace('TABLE', 'TABLE IF NOT EXISTS')}"
            )
            while self.count < count:
                fresh = list(islice(self._known(), min(_BATCH, count - self.count)))
                await self._copy(connection, fresh, self.count)
                self._remember(fresh)
            await connection.execute("TRUNCATE person_block")
            await connection.execute(_GATHER)
            await connection.execute("VACUUM (ANALYZE) person, person_key, person_block")
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()

    def _remember(self, people: Sequence[Human]) -> None:
        """Keep some of the people at hand: a million would fill the memory."""
        for human in people:
            if self.count % self._every == 0:
                self.stored.append((person_of(self.count), human))
            self.count += 1
        while len(self.stored) > _REMEMBERED:
            self.stored, self.strangers = self.stored[::2], self.strangers[::2]
            self._every *= 2

    def _known(self) -> Iterator[Human]:
        for human in self._people:
            if human.stored:
                yield human
            elif human.number % self._every == 0:
                self.strangers.append(human)

    async def _copy(self, connection: asyncpg.Connection, people: Sequence[Human], start: int) -> None:
        persons, owners, blocks = [], {}, []
        for number, human in enumerate(people, start):
            shown, _ = self.world.lead(human, same_contact=True)
            person_id = person_of(number)
            dek, wrapped = VAULT.new_key()
            hashes = block_hashes(shown, VAULT.keyed_hash)
            sealed = VAULT.seal(dek, msgspec.msgpack.encode(Profile((shown,))), f"profile {person_id}")
            persons.append((person_id, wrapped, _PAST, None, sealed, pack_blocks(hashes)))
            owners[VAULT.keyed_hash("email", shown.email)] = ("email", person_id)
            owners.setdefault(VAULT.keyed_hash("phone", shown.phone), ("phone", person_id))
            blocks += [(each, person_id) for each in hashes]
        columns = ["id", "wrapped_key", "created_at", "forgotten_at", "profile", "blocks"]
        await connection.copy_records_to_table("person", records=persons, columns=columns)
        await connection.copy_records_to_table("staged_block", records=blocks)
        await connection.execute("CREATE TEMP TABLE staged_key (hash bytea, kind text, person_id text)")
        rows = [(key, kind, person_id) for key, (kind, person_id) in owners.items()]
        await connection.copy_records_to_table("staged_key", records=rows)
        await connection.execute(
            "INSERT INTO person_key (hash, kind, person_id, added_at) SELECT hash, kind, person_id, $1 FROM staged_key"
            " ON CONFLICT DO NOTHING",
            _PAST,
        )
        await connection.execute("DROP TABLE staged_key")


def person_of(number: int) -> str:
    """The id of the ``number``-th stored person."""
    return make_id("person", _PAST, number << 40)


class _Undo(Exception):
    """Ends a transaction that is to leave nothing behind."""


class Asker:
    """Has leads recognised, each in a transaction that is undone."""

    def __init__(self, db: Database, matching: Matching) -> None:
        self._db = db
        self._hear = hear_find_person(VAULT, Keys(), mint)
        self._matching = matching
        self._number = 0

    async def ask(self, traits: Traits) -> tuple[PersonFound, float]:
        """Who it is, and the milliseconds from the first claim to the answer."""
        self._number += 1
        found: list[tuple[PersonFound, float]] = []
        try:
            async with self._db.begin() as tx:
                began = time.perf_counter()
                ask = FindPerson(
                    lead_id=f"lead_{self._number}",
                    vertical="solar",
                    since=NOW - timedelta(days=30),
                    at=NOW,
                    email=VAULT.keyed_hash("email", traits.email),
                    phone=VAULT.keyed_hash("phone", traits.phone),
                    traits=traits,
                    matching=self._matching,
                )
                answer = (await self._hear(tx, [ask]))(ask)
                await tx.close()  # what follows from the answer is written as it would be before a commit
                found.append((answer, (time.perf_counter() - began) * 1000))
                raise _Undo
        except _Undo:
            return found[0]


async def _timed(asker: Asker, leads: Sequence[Traits], server_cpu: Callable[[], float]) -> Timed:
    spans = []
    for traits in leads[: len(leads) // 10]:  # they warm the caches
        await asker.ask(traits)
    before = time.process_time() + server_cpu()
    for traits in leads[len(leads) // 10 :]:
        _, span = await asker.ask(traits)
        spans.append(span)
    used = (time.process_time() + server_cpu() - before) / len(spans) * 1000
    spans.sort()
    return Timed(round(percentile(spans, 0.5), 3), round(percentile(spans, 0.99), 3), round(used, 3), len(spans))


async def measure(town: Town, looked: int, matching: Matching, server_cpu: Callable[[], float]) -> Level:
    """Time look-ups at the number of people that the store knows now."""
    db = Database(town.url, size=2)
    await db.open()
    try:
        asker = Asker(db, matching)
        known = [town.stored[at][1] for at in spread(len(town.stored), looked)]
        strangers = [town.strangers[at] for at in spread(len(town.strangers), looked)]
        settle()  # as the serving processes do
        return Level(
            town.count,
            exact=await _timed(asker, [human.traits for human in known], server_cpu),
            fuzzy=await _timed(asker, [town.world.lead(human)[0] for human in known], server_cpu),
            new=await _timed(asker, [town.world.lead(human)[0] for human in strangers], server_cpu),
        )
    finally:
        await db.close()


def spread(total: int, count: int) -> list[int]:
    """``count`` places spread over ``total``, none twice."""
    step = max(1, total // count)
    return list(range(0, total, step))[:count]


async def judge(town: Town, looked: int, matching: Matching, slips: Slips = SLIPS) -> Quality:
    """Count how often people are rightly recognised."""
    db = Database(town.url, size=2)
    await db.open()
    asker = Asker(db, matching)
    right = wrong = possible = false = taken = 0
    missed: Counter[str] = Counter()
    strange: Counter[str] = Counter()
    places = spread(len(town.stored), looked)
    try:
        for at in places:
            person_id, human = town.stored[at]
            traits, slipped = town.world.lead(human, slips)
            found, _ = await asker.ask(traits)
            if found.new_person:
                missed[" ".join(slipped) or "slips of the stored lead"] += 1
                possible += any(other.person_id == person_id for other in found.possible)
            elif found.person_id == person_id:
                right += 1
            else:
                wrong += 1
                strange[f"known {human.role}"] += 1
        for at in places:
            person_id, human = town.stored[at]
            found, _ = await asker.ask(town.world.lead(human, slips, same_contact=True)[0])
            taken += not found.new_person and found.person_id != person_id
        others = spread(len(town.strangers), looked)
        for at in others:
            human = town.strangers[at]
            found, _ = await asker.ask(town.world.lead(human, slips)[0])
            if not found.new_person:
                false += 1
                strange[human.role] += 1
    finally:
        await db.close()
    total = 2 * len(places) + len(others)
    return Quality(
        known=len(places),
        recall=right / len(places),
        strangers=len(others),
        false=false / len(others),
        wrong=(wrong + false + taken) / total,
        possible=possible / len(places),
        missed_by=dict(missed.most_common(12)),
        false_by=dict(strange),
    )


async def run(
    url: str,
    sizes: Sequence[int],
    looked: int,
    judged: int,
    seed: int,
    matching: Matching,
    server_cpu: Callable[[], float],
    shuffled: int = 200,
) -> Ran:
    """Fill the store step by step, time look-ups at each, and judge them at the last; then let the leads of
    ``shuffled`` people arrive in several orders. ``server_cpu`` gives the seconds of CPU that the server has used."""
    town = Town(url, seed)
    levels = []
    for size in sizes:
        began = time.monotonic()
        await town.grow(size)
        say(f"{size:,} people stored in {time.monotonic() - began:.0f} s")
        levels.append(await measure(town, min(looked, size), matching, server_cpu))
    quality = await judge(town, judged, matching)
    return Ran(levels, quality, agreement(shuffled, 3, seed + 1, VAULT.keyed_hash))


def lines(ran: Ran) -> Iterable[str]:
    """A run in words."""
    heads = (f"{kind + ' p50    p99    CPU':>26}" for kind in ("exact", "fuzzy", "new"))
    yield f"{'milliseconds':>19}" + "".join(heads)
    for level in ran.levels:
        told = (f"{each.p50:12.2f}{each.p99:7.2f}{each.cpu:7.2f}" for each in (level.exact, level.fuzzy, level.new))
        yield f"{level.people:>12,} people" + "".join(told)
    seen = ran.quality
    yield f"known people who share neither e-mail nor phone: {seen.recall:.2%} recognised of {seen.known:,}"
    yield f"  {seen.possible:.2%} more kept as possible; missed most often by {seen.missed_by}"
    yield f"strangers taken for somebody: {seen.false * 1000:.2f} in a thousand of {seen.strangers:,}; {seen.false_by}"
    yield f"leads given to another person: {seen.wrong * 10_000:.2f} in 10,000 look-ups of all kinds"
    order = ran.order
    yield (
        f"persons found in {order.shuffles} orders of {order.leads:,} leads, beside clusters made at once:"
        f" F1 of pairs {order.f1:.5f}, at worst {order.worst:.5f}"
    )


def main(
    people: Annotated[int, typer.Option(help="The most people stored.")] = 1_000_000,
    looked: Annotated[int, typer.Option(help="Look-ups timed of each kind.")] = 2_000,
    judged: Annotated[int, typer.Option(help="Look-ups judged of each kind.")] = 20_000,
    shuffled: Annotated[int, typer.Option(help="People whose leads arrive in several orders.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Where the dice begin.")] = 1,
    folder: Annotated[Path | None, typer.Option("--dir", help="Where the database lies.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Recognise people among 10 thousand, 100 thousand and a million."""
    sizes = [size for size in (10_000, 100_000) if size < people] + [people]
    with (
        endable(),
        tempfile.TemporaryDirectory(prefix="leadmill-bench-", dir=folder, ignore_cleanup_errors=True) as made,
        embedded(Path(made), say) as url,
    ):
        asyncio.run(migrate(url))
        postmaster = int((Path(made) / "postgres" / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
        matching = Matching(people=max(people, 1000))
        ran = asyncio.run(
            run(url, sizes, looked, judged, seed, matching, lambda: sum(cpu_of_tree(postmaster).values()), shuffled)
        )
    print(msgspec.json.encode(ran).decode() if as_json else "\n".join(lines(ran)))


if __name__ == "__main__":
    typer.run(main)
