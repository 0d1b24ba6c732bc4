"""The rules in force, assembled and kept fresh.

Made in ``main``. Reads the packs once, and the configuration whenever its revision moves: every process sees a change
within a second. Keeps what it assembled by revision, so that a replay of last week's leads decides under last week's
rules. Packs are kept in the store under their digest, for the same reason.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial

import msgspec

from leadmill.capture import Form, Lexicon, Vertical, read_dialects, read_form, read_verticals
from leadmill.delivery import Courier
from leadmill.enrich import Installed
from leadmill.facts import Reference, read_checks
from leadmill.flow.enriching import EnrichmentBook
from leadmill.flow.lawful import bounded, check_cards, check_rankings, untierable, why_unscorable
from leadmill.flow.pipeline import Walk, build_walk
from leadmill.flow.rating import Models, Shelf, cards_of, models_of
from leadmill.flow.rules import Dialects, Rules
from leadmill.flow.standing import (
    agreements_of,
    card_reviews_of,
    retrains_of,
    reviews_of,
    schedules_of,
    terms_of,
    watches_of,
)
from leadmill.followup import read_templates
from leadmill.fraud import read_fraud_cards
from leadmill.hygiene import read_upkeeps
from leadmill.market import Bidder, MarketTerms, Order, read_market, read_order
from leadmill.parties import KeyRing, build_roster, keys_version, load_keys
from leadmill.policy import Engine, law_of, words_of
from leadmill.privacy import read_terms
from leadmill.runtime.clock import Clock, system_clock
from leadmill.runtime.db import Database, Tx
from leadmill.runtime.dialect import read_profiles
from leadmill.runtime.packs import Packs, digest_of
from leadmill.runtime.records import Snapshot, follow, latest, snapshot
from leadmill.runtime.telemetry import log
from leadmill.scoring import MODEL_KIND, ModelRecord, read_bounds, read_scorecards

_KEPT = 8
"""How many revisions are kept assembled."""


class Book:
    """Assembles walks by revision; ``now`` is the one in force."""

    def __init__(
        self,
        packs: Packs,
        reference: Reference,
        providers: Mapping[str, Installed],
        keyed_hash: Callable[[str, str], bytes],
        mail: bool = True,
        bidders: Mapping[str, Bidder] | None = None,
        couriers: Mapping[str, Courier] | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self._laws = {name: law_of(pack) for name, pack in packs.laws.items()}
        self._engine = Engine(self._laws.values(), reference, words_of(packs.laws))
        self._verticals = bounded(read_verticals(packs), self._engine, clock())
        inbound = read_dialects(packs, self._verticals)
        unscorable = partial(why_unscorable, self._engine, clock())
        bounds = read_bounds(packs, self._verticals)
        self._cards = read_scorecards(packs)
        self._dialects = Dialects(
            inbound,
            read_profiles(packs),
            bidders,
            couriers,
            providers,
            unscorable,
            bounds,
            untierable(self._engine, clock()),
            self._cards,
        )
        self._lexicon = Lexicon(self._verticals, self._dialects.inbound)
        self._suspects = read_fraud_cards(packs)
        self._checks = read_checks(packs)
        self._upkeeps = read_upkeeps(packs)
        self._terms = read_terms(packs)
        check_cards(self._cards, self._engine, clock())
        check_rankings(self._verticals, self._engine, clock())
        self._digest = digest_of({name: digest.encode() for name, digest in packs.digests.items()})
        self._templates = {there: read_templates(packs, mail=there) for there in (True, False)}
        self._mail = mail
        self._reference = reference
        self._enrichment = EnrichmentBook(providers)
        self._hash = keyed_hash
        self.shelf = Shelf()
        """The learned models that were read."""
        self._walks: OrderedDict[tuple[int, bool], Walk] = OrderedDict()
        self._held = Snapshot(0, {})
        self._orders: dict[str, tuple[str, Order]] = {}
        """Orders as last read, with what they were read from: most stay as they are from one revision to the next."""
        self._now: Walk = build_walk(self.rules(self._held))
        self.ring = KeyRing(-1, {})
        """The API keys in force."""

    def walk(self) -> Walk:
        """The walk under the rules in force."""
        return self._now

    def rules(self, found: Snapshot, mail: bool | None = None) -> Rules:
        """The rules of a revision; ``mail`` says whether there was a mail server then, None as it is now."""
        mail = self._mail if mail is None else mail
        return Rules(
            revision=found.revision,
            packs=self._digest,
            roster=build_roster(found.documents),
            orders=self._read_orders(found),
            forms=_forms(found, self._verticals),
            verticals=self._verticals,
            lexicon=self._lexicon,
            cards=cards_of(found, self._cards),
            models=Models(_by_id(models_of(found.of(MODEL_KIND))), self.shelf, self._dialects.bounds),
            laws=self._laws,
            reference=self._reference,
            keyed_hash=self._hash,
            templates=self._templates[mail],
            mail=mail,
            engine=self._engine,
            dialects=self._dialects,
            markets=_markets(found),
            enrichment=self._enrichment.assemble(found),
            suspects=self._suspects,
            checks=self._checks,
            upkeeps=self._upkeeps,
            reverify=schedules_of(found),
            retention=terms_of(found, self._terms),
            agreements=agreements_of(found),
            reviews=reviews_of(found),
            card_reviews=card_reviews_of(found),
            watches=watches_of(found),
            retrains=retrains_of(found),
        )

    async def refresh(self, db: Database) -> bool:
        """Take up a new revision or new keys; whether anything was new."""
        async with db.begin() as tx:
            return await self.take_up(tx)

    async def take_up(self, tx: Tx) -> bool:
        """The same, as a transaction sees it."""
        fresh = await latest(tx) != self._now.rules.revision
        if fresh:
            self._now = await self.at(tx, None)
            for ident, why in self._now.rules.models.muted.items():
                log("scoring").warning("a model is not heard: its pack does not allow it", model=ident, why=why)
        if await keys_version(tx) != self.ring.version:
            self.ring = await load_keys(tx)
            fresh = True
        return fresh

    async def at(self, tx: Tx, revision: int | None, mail: bool | None = None) -> Walk:
        """The walk under an older revision, or under the latest; ``mail`` as for :meth:`rules`."""
        mail = self._mail if mail is None else mail
        if revision is not None and (revision, mail) in self._walks:
            self._walks.move_to_end((revision, mail))
            return self._walks[revision, mail]
        if revision is None:
            found = self._held = await follow(tx, self._held)
        else:
            found = await snapshot(tx, revision)
        await self.shelf.learn(tx, found)
        walk = build_walk(self.rules(found, mail), self._now)
        self._walks[found.revision, mail] = walk
        while len(self._walks) > _KEPT:
            self._walks.popitem(last=False)
        return walk

    def with_rules(self, rules: Rules) -> Walk:
        """A walk under rules that are not in force."""
        return build_walk(rules, self._now)

    def _read_orders(self, found: Snapshot) -> dict[str, Order]:
        known, read = self._orders, {}
        for ident, body in found.of("order").items():
            before = known.get(ident)
            if before is None or before[0] != body:
                before = body, read_order(_decode(body), self._dialects.outbound)
            read[ident] = before
        if found.revision >= self._held.revision:
            self._orders = read
        return {order.id: order for _, order in read.values()}


def _by_id(found: list[ModelRecord]) -> dict[str, ModelRecord]:
    return {one.id: one for one in found}


def _markets(found: Snapshot) -> dict[str, MarketTerms]:
    markets = (read_market(_decode(body)) for body in found.of("market").values())
    return {market.vertical: market for market in markets}


def _forms(found: Snapshot, verticals: Mapping[str, Vertical]) -> dict[str, Form]:
    forms = (read_form(_decode(body), verticals) for body in found.of("form").values())
    return {form.id: form for form in forms}


_decode = msgspec.json.Decoder().decode
