"""The composition root: the one place where everything meets.

Wires stores, steps, plug-ins and interfaces into a :class:`House` and hands it to the command line. Nothing imports
this module but the program itself; whoever asks who answers which question, or who keeps which evidence, reads
:func:`_ears`.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

from leadmill.billing import Postings
from leadmill.billing.service import keep_postings
from leadmill.capture import PATH_HEADER, AnswerOwed, mark_path
from leadmill.certificates import AsProviders
from leadmill.consent import Witnessed
from leadmill.core.case import Case
from leadmill.core.ids import Mint, mint
from leadmill.delivery import Dispatched, keep_dispatched
from leadmill.enrich import Asker, ChainAsk, Installed
from leadmill.facts import LookUp, load_reference
from leadmill.facts.service import look_ups
from leadmill.flow.answering import keep_owed
from leadmill.flow.auction import Auctioneer
from leadmill.flow.backups import LOG, Erasures
from leadmill.flow.book import Book
from leadmill.flow.certifying import owe_replay
from leadmill.flow.deliver import attempts
from leadmill.flow.floor import BidTable, Floor
from leadmill.flow.inline import Desk
from leadmill.flow.keep import Codecs, Pen
from leadmill.flow.kit import Caller, Ears, Kit
from leadmill.flow.quoting import Quoter
from leadmill.flow.resale import keep_resale
from leadmill.flow.runner import Mill
from leadmill.flow.signals import owe_signal
from leadmill.flow.store import drop_pause, keep_pause, list_pauses
from leadmill.flow.tenants import WALLS
from leadmill.flow.vendors import owe_keeping
from leadmill.followup import Followups, keep_followups
from leadmill.fraud import SightAsk, Suspect, Suspicion
from leadmill.fraud.service import Sightings
from leadmill.hygiene import StandingAsk
from leadmill.hygiene.service import hear_standings
from leadmill.identity import FindPerson, Identity
from leadmill.identity.service import Keys, hear_find_person, keep_identity
from leadmill.interfaces.cli.program import program
from leadmill.interfaces.entrance import build_entrance
from leadmill.interfaces.house import House
from leadmill.interfaces.server import serve_on
from leadmill.interfaces.worker import work
from leadmill.market import (
    Assignment,
    Auction,
    BidsAsk,
    Counters,
    Declined,
    Headroom,
    OfferedAgain,
    Pause,
    QuoteAsk,
    Quoted,
    Sale,
    Shadows,
    Vacancies,
    hear_quotes,
    keep_quoted,
)
from leadmill.overlap import KnownAsk
from leadmill.overlap.service import Lists
from leadmill.policy import SuppressionAsk
from leadmill.policy.store import hear_suppressions
from leadmill.runtime import telemetry
from leadmill.runtime.addresses import Reach, read_networks
from leadmill.runtime.clock import Clock, system_clock
from leadmill.runtime.db import Database, Tx
from leadmill.runtime.dns import Dns, read_servers
from leadmill.runtime.drop import Drop
from leadmill.runtime.http import Http
from leadmill.runtime.ipfiles import IpFiles
from leadmill.runtime.mail import Mail, Relay
from leadmill.runtime.migrate import migrate
from leadmill.runtime.outgoing import WayOut
from leadmill.runtime.packs import load_packs
from leadmill.runtime.plugins import Plugins, find_plugins
from leadmill.runtime.postgres import store
from leadmill.runtime.rotation import follow
from leadmill.runtime.settings import Settings
from leadmill.runtime.vault import Vault, load_master
from leadmill.runtime.walls import raise_walls

_REFRESH = 0.5
"""Seconds between looks for a new revision of the configuration."""

_TEND = 2.0
"""Seconds between signs of life for this process's shares of limits."""


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncIterator[House]:
    """Open the store, bring its schema up to date, wire everything, and close it all again at the end.

    Raises the faults of ``runtime.postgres`` where the store cannot be had.
    """
    environ = dict(os.environ)
    telemetry.configure(settings.log_level)
    settings.home.mkdir(parents=True, exist_ok=True)
    with store(settings.home, settings.database_url) as url:
        await migrate(url)
        async with contextlib.AsyncExitStack() as stack:
            db = Database(url, settings.connections)
            await db.open()
            stack.push_async_callback(db.close)
            await raise_walls(db, WALLS)
            house = await wire(settings, environ, db, stack, system_clock, mint)
            await house.book.refresh(db)
            stack.push_async_callback(house.counters.leave, db)
            stack.push_async_callback(house.erasures.keep_up, db)
            for chore in (_watch(house), _tend(house)):
                stack.push_async_callback(_cancel, asyncio.create_task(chore))
            yield house


async def wire(
    settings: Settings,
    environ: Mapping[str, str],
    db: Database,
    stack: contextlib.AsyncExitStack,
    clock: Clock,
    mint: Mint,
) -> House:
    """Everything over an open store; what must be closed again is put on ``stack``."""
    vault = Vault(load_master(settings.home, environ))
    async with db.begin() as tx:
        await follow(tx, vault)
    keys = Keys()
    reach = Reach(
        settings.allow_loopback,
        settings.allow_private,
        settings.allow_plain,
        read_networks(settings.allow_networks),
    )
    http = await stack.enter_async_context(Http(reach, environ, clock))
    way = WayOut(http, Mail(_relay(settings), environ, clock), Drop(settings.home / "drop"))
    plugins = find_plugins()
    packs = load_packs(*settings.packs)
    bidders, couriers = plugins.of("leadmill.bidders"), plugins.of("leadmill.couriers")
    reference = load_reference(settings.home / "cache")
    mail = bool(settings.smtp_host)
    book = Book(packs, reference, _installed(plugins), vault.keyed_hash, mail, bidders, couriers, clock)
    pen = Pen(vault, keys, Codecs(), mint)
    lists = Lists(vault.keyed_hash, environ)
    vacancies = Vacancies(lambda: book.walk().rules.orders, clock)
    table = BidTable(settings.auction_ms, vacancies.full)
    shadows = Shadows(settings.market_shadow_prices)
    counters = Counters(clock, shadows)
    asker = Asker(lambda: book.walk().rules.enrichment, way.perform, db, vault, clock)
    look_up = look_ups(_name_servers(settings, stack), _ip_files(settings, stack), clock)
    ears = _ears(pen, counters, mint, asker, lists, table, book, look_up, settings.mx_lookups)
    kit = Kit(db, pen, ears, book.walk, clock, mint, book.take_up)
    auctioneer = Auctioneer(
        way.perform,
        bidders,
        clock,
        within_ms=settings.auction_ms,
        keep=partial(_keep_pause, db),
        drop=partial(_drop_pause, db),
        mark=lambda ident: {PATH_HEADER: mark_path(vault.keyed_hash, ident)},
        note=vacancies.note,
    )
    floor = Floor(kit, auctioneer, table, settings.ping_ip)
    attempt = attempts(kit, way, couriers)
    floor.hand = Desk(kit, attempt, settings.post_rounds, floor.later).hand_over
    return House(
        settings=settings,
        environ=environ,
        db=db,
        vault=vault,
        keys=keys,
        packs=packs,
        book=book,
        pen=pen,
        kit=kit,
        mill=Mill(kit, floor=floor),
        floor=floor,
        auctioneer=auctioneer,
        quoter=Quoter(
            kit,
            settings.market_quote_seconds,
            per_minute=settings.pings_per_minute,
            hold_auction=auctioneer.hold_auction,
            full=vacancies.full,
        ),
        counters=counters,
        way=way,
        plugins=plugins,
        lists=lists,
        shadows=shadows,
        vacancies=vacancies,
        asker=asker,
        erasures=Erasures(settings.erasure_path or settings.home / LOG, vault.keyed_hash),
        entrance=build_entrance(settings, way.perform, db, clock),
        clock=clock,
        mint=mint,
    )


def _ears(
    pen: Pen,
    counters: Counters,
    mint: Mint,
    asker: Asker,
    lists: Lists,
    table: BidTable,
    book: Book,
    look_up: Caller,
    waits: bool,
) -> Ears:
    """Who answers which ask, and who keeps which evidence."""

    resell = keep_resale(lambda: book.walk().rules, mint)
    sightings = Sightings()

    def keep_auction(tx: Tx, case: Case, auction: Auction, now: datetime) -> None:
        counters.keep_auction(tx, case, auction, now)
        resell(tx, case, auction, now)

    def keep_person(tx: Tx, case: Case, identity: Identity, now: datetime) -> None:
        keep_identity(tx, case, identity, now)
        pen.seal_early(tx, case, identity, now)
        owe_replay(tx, case.lead_id, case.get(Witnessed), now, mint)
        owe_signal(tx, case, now, mint)
        if identity.duplicate_of:
            suspect = next(step for step in book.walk().together if isinstance(step, Suspect))
            sightings.note(tx, suspect.ask_of(case))

    owe_certificates = owe_keeping(book.walk, mint)

    def keep_assignment(tx: Tx, case: Case, assignment: Assignment, now: datetime) -> None:
        counters.keep_assignment(tx, case, assignment, now)
        owe_certificates(tx, case, now)

    def keep_sale(tx: Tx, case: Case, sale: Sale, now: datetime) -> None:
        counters.keep_sale(tx, case, sale, now)
        owe_certificates(tx, case, now)
        declined = case.get(Declined)
        if OfferedAgain not in case and (declined is None or not declined.buyers):
            sightings.keep_sold(tx, case)

    return Ears(
        listeners={
            FindPerson: hear_find_person(pen.vault, pen.keys, mint),
            StandingAsk: hear_standings,
            SightAsk: sightings.hear,
            SuppressionAsk: hear_suppressions,
            Headroom: counters.hear,
            BidsAsk: table.hear,
            QuoteAsk: hear_quotes,
            KnownAsk: lists.hear,
        },
        keepers={
            Identity: keep_person,
            Quoted: keep_quoted,
            Suspicion: sightings.keep_suspicion,
            Sale: keep_sale,
            Assignment: keep_assignment,
            Dispatched: keep_dispatched,
            Postings: keep_postings,
            Auction: keep_auction,
            Followups: keep_followups,
            AnswerOwed: keep_owed(mint),
        },
        callers={LookUp: look_up, ChainAsk: asker.ask},
        waits=waits,
    )


def _installed(plugins: Plugins) -> dict[str, Installed]:
    """The providers of facts and the vendors of certificates, each with what its card lets leave. Of two of one name
    the provider of facts is meant."""
    found: dict[str, Installed] = {}
    for plugin in plugins.found:
        fields = frozenset(plugin.card().get("fields", ()))
        if plugin.family == "leadmill.facts":
            found[plugin.name] = Installed(plugin.provider, fields)
        elif plugin.family == "leadmill.certificates":
            found.setdefault(plugin.name, Installed(AsProviders(plugin.provider), fields))
    return found


def _name_servers(settings: Settings, stack: contextlib.AsyncExitStack) -> Dns | None:
    if not settings.mx_lookups:
        return None
    found = Dns(settings.mx_ms / 1000, read_servers(settings.dns_servers))
    stack.push_async_callback(found.close)
    return found


def _ip_files(settings: Settings, stack: contextlib.AsyncExitStack) -> IpFiles:
    found = IpFiles(settings.ip_paths)
    stack.callback(found.close)
    return found


def _relay(settings: Settings) -> Relay | None:
    if not settings.smtp_host:
        return None
    return Relay(
        host=settings.smtp_host,
        port=settings.smtp_port,
        tls=settings.mail_tls,
        user=settings.smtp_user,
        secret=settings.smtp_secret or None,
        sender=settings.mail_from,
    )


async def _keep_pause(db: Database, pause: Pause) -> None:
    async with db.begin() as tx:
        await keep_pause(tx, pause)


async def _drop_pause(db: Database, buyer_id: str) -> None:
    async with db.begin() as tx:
        await drop_pause(tx, buyer_id)


async def _watch(house: House) -> None:
    """Take up changed configuration and keys, new shadow prices, and who is full."""
    while True:
        with contextlib.suppress(Exception):
            await house.book.refresh(house.db)
            await house.shadows.refresh(house.db)
            await house.vacancies.refresh(house.db)
            async with house.db.begin() as tx:
                house.auctioneer.learn(await list_pauses(tx))
                await follow(tx, house.vault)
        await asyncio.sleep(_REFRESH)


async def _tend(house: House) -> None:
    """Look after this process's shares of limits, and write down how its providers did."""
    while True:
        await asyncio.sleep(_TEND)
        with contextlib.suppress(Exception):
            await house.counters.tend(house.db)
            await house.asker.write_tallies()
            await house.entrance.uses.write(house.db, house.clock())


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


cli = program(open_house, serve_on, work)
"""The command ``leadmill``."""
