"""Asking the providers of a chain, within what they may cost.

:class:`Asker` is made by ``main`` and wired to the runner's ask :class:`~leadmill.enrich.model.ChainAsk`; the requests
themselves are made by the machinery's one HTTP client. A request is counted before it is made, so that no limit is ever
exceeded, whatever else runs; money that was not owed after all is given back. The rest is called by the pages, the API
and the worker.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from msgspec import Struct

from leadmill.core.conversation import HttpAsk, HttpReply
from leadmill.core.faults import Fault, Transient
from leadmill.core.money import minor_digits
from leadmill.core.spans import before
from leadmill.enrich.declared import Chain, Compiled, Enrichment, ProviderSpec, may_leave
from leadmill.enrich.limits import counts_of
from leadmill.enrich.model import MICROS, ChainAnswer, ChainAsk, LinkAsk, Said
from leadmill.enrich.store import (
    Count,
    Used,
    add_tallies,
    count,
    drop_answers,
    find_answers,
    forget_old,
    keep_answer,
    read_tallies,
    read_used,
)
from leadmill.enrich.tally import Quality, Tally, qualities
from leadmill.facts import Fact
from leadmill.runtime.db import Database, Tx
from leadmill.runtime.telemetry import PROVIDER_ASKS, PROVIDER_SECONDS
from leadmill.runtime.vault import Vault

Perform = Callable[[HttpAsk], Awaitable[HttpReply]]
"""Makes one request within its budget; raises a Fault where no answer came."""

KEPT = timedelta(days=400)
"""How long tallies and the counters of days are kept."""

_LEAST_MS = 20
"""Less time than this is not worth a request."""


class Asker:
    """Asks the providers of chains. ``enrichment`` gives what is declared now."""

    def __init__(
        self,
        enrichment: Callable[[], Enrichment],
        perform: Perform,
        db: Database,
        vault: Vault,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._enrichment = enrichment
        self._perform = perform
        self._db = db
        self._vault = vault
        self._clock = clock
        self._monotonic = monotonic
        self.tally = Tally()

    async def ask(self, ask: ChainAsk) -> ChainAnswer:
        """What the providers of a chain say. It never raises: who fails or may not be asked is told of in the answer,
        and the lead goes on."""
        enrichment = self._enrichment()
        one = next((one for one in enrichment.chains if one.chain.id == ask.chain), None)
        if one is None:
            said = [Said(link.provider, "skipped", code="enrich.chain.missing") for link in ask.links]
        else:
            said = await _Asking(self, enrichment, one, ask).run()
        for item in said:
            PROVIDER_ASKS.labels(item.provider, item.kind).inc()
            if item.kind in ("known", "unknown") and not item.cached:
                PROVIDER_SECONDS.labels(item.provider).observe(item.took_ms / 1000)
        self.tally.note(ask.topic, said, self._clock())
        return ChainAnswer(ask.chain, ask.topic, said)

    async def write_tallies(self) -> None:
        """Write what was counted since the last time; kept for the next time where the store cannot take it now."""
        counts = self.tally.take()
        if not counts:
            return
        try:
            async with self._db.begin() as tx:
                await add_tallies(tx, counts)
        except Transient:
            self.tally.give_back(counts)


class _Asking:
    """One chain under way for one lead."""

    def __init__(self, asker: Asker, enrichment: Enrichment, one: Compiled, ask: ChainAsk) -> None:
        self._asker = asker
        self._providers = enrichment.providers
        self._chain = one.chain
        self._ask = ask
        self._spent = 0
        self._ends = asker._monotonic() + one.chain.within_ms / 1000

    async def run(self) -> list[Said]:
        kept = await self._remembered()
        if self._chain.together:
            return list(await asyncio.gather(*(self._link(link, kept) for link in self._ask.links)))
        said: list[Said] = []
        for link in self._ask.links:
            if not self._chain.every and link.skip is None and _enough(self._chain, said):
                said.append(Said(link.provider, "skipped", code="enrich.answer.known"))
            else:
                said.append(await self._link(link, kept))
        return said

    async def _remembered(self) -> dict[str, list[Fact]]:
        """What providers of the chain have answered to the same question before."""
        asker, now = self._asker, self._asker._clock()
        keys = {
            key_of(asker._vault, link, self._ask.topic): link
            for link in self._ask.links
            if link.skip is None and _remembers(self._providers.get(link.provider), now)
        }
        if not keys:
            return {}
        try:
            async with asker._db.begin() as tx:
                found = await find_answers(tx, keys, now)
        except Transient:
            return {}
        answers = {}
        for key, sealed in found.items():
            link = keys[key]
            plain = asker._vault.open(seal_of(asker._vault, link, self._ask.topic), sealed, "enrich answer")
            answers[link.provider] = _decode(plain)
        return answers

    async def _link(self, link: LinkAsk, kept: dict[str, list[Fact]]) -> Said:
        """What comes of one provider."""
        spec = self._providers.get(link.provider)
        if link.skip is not None:
            return Said(link.provider, "skipped", code=link.skip)
        if spec is None or spec.live is None:
            return Said(link.provider, "skipped", code="enrich.provider.missing")
        if not all(may_leave(name, spec.fields) for name, _ in link.params):
            return Said(link.provider, "skipped", code="enrich.field.barred")
        if link.provider in kept:
            facts = kept[link.provider]
            return Said(link.provider, _kind(facts), facts, cached=True)
        try:
            return await self._fresh(spec, link)
        except Fault as fault:
            return Said(link.provider, "failed", code=fault.code, later=isinstance(fault, Transient))
        except Exception:  # a stranger's plug-in must not take the lead with it
            return Said(link.provider, "failed", code="enrich.provider.broken")

    async def _fresh(self, spec: ProviderSpec, link: LinkAsk) -> Said:
        asker, topic, params = self._asker, self._ask.topic, dict(link.params)
        assert spec.live is not None
        asked = spec.live.ask(topic, params)
        if asked is None:
            return Said(spec.id, "unknown")
        if not isinstance(asked, HttpAsk):
            facts = _owned(spec, asked, asker._clock(), 0)
            return Said(spec.id, _kind(facts), facts)
        left = int((self._ends - asker._monotonic()) * 1000)
        within = min(spec.timeout_ms, asked.budget_ms, left)
        if within < _LEAST_MS:
            return Said(spec.id, "skipped", code="enrich.time.spent", later=True)
        if self._chain.spend is not None and self._spent + spec.price > self._chain.spend:
            return Said(spec.id, "skipped", code="enrich.lead.spent")
        self._spent += spec.price
        full = await self._reserve(spec)
        if full is not None:
            self._spent -= spec.price
            return Said(spec.id, "skipped", code=full, later=True)
        hurried = asked.hurried or within < spec.timeout_ms
        return await self._request(spec, link, msgspec.structs.replace(asked, budget_ms=within, hurried=hurried))

    async def _request(self, spec: ProviderSpec, link: LinkAsk, asked: HttpAsk) -> Said:
        asker, topic = self._asker, self._ask.topic
        assert spec.live is not None
        began, at = asker._monotonic(), asker._clock()
        try:
            reply = await asker._perform(asked)
            took = int((asker._monotonic() - began) * 1000)
            facts = list(spec.live.read(topic, reply, dict(link.params)))
            kind = _kind(facts)
        except BaseException as fault:
            # Nobody knows whether a request that was not answered is charged: what is owed for each stays counted.
            owed = spec.price if spec.charge == "request" and not _unsent(fault) else 0
            await self._settle(spec, owed, at)
            if not isinstance(fault, Exception):
                raise
            took = int((asker._monotonic() - began) * 1000)
            code = fault.code if isinstance(fault, Fault) else "enrich.provider.broken"
            later = isinstance(fault, Transient)
            return Said(spec.id, "failed", code=code, cost=owed, took_ms=took, later=later)
        owed = spec.price if spec.charge == "request" or kind == "known" else 0
        facts = _owned(spec, facts, at, owed)
        await self._settle(spec, owed, at, link, facts)
        return Said(spec.id, kind, facts, cost=owed, took_ms=took)

    async def _reserve(self, spec: ProviderSpec) -> str | None:
        """Count a request and its price everywhere, or nowhere; the code of what stands in the way, None where nothing
        does."""
        counts = self._counts(spec, 1, spec.price, self._asker._clock())
        try:
            async with self._asker._db.begin() as tx:
                done = await count(tx, counts)
                if len(done) < len(counts):
                    raise _Full(next(one for one in counts if (one.scope, one.per) not in done))
        except _Full as full:
            return full.code
        return None

    async def _settle(
        self, spec: ProviderSpec, owed: int, at: datetime, link: LinkAsk | None = None, facts: Sequence[Fact] = ()
    ) -> None:
        """Give back what is not owed, and remember the answer."""
        back = spec.price - owed
        self._spent -= back
        until = at + _span(spec.keep if _kind(facts) == "known" else spec.keep_unknown, at)
        keeps = link is not None and until > at
        if not back and not keeps:
            return
        asker = self._asker
        try:
            async with asker._db.begin() as tx:
                if back:
                    bare = [
                        msgspec.structs.replace(one, most_asks=None, most_spent=None)
                        for one in self._counts(spec, 0, -back, at)
                    ]
                    await count(tx, bare)
                if link is not None and keeps:
                    key = key_of(asker._vault, link, self._ask.topic)
                    dek = seal_of(asker._vault, link, self._ask.topic)
                    plain = [msgspec.structs.replace(fact, cost_minor=0) for fact in facts]
                    sealed = asker._vault.seal(dek, _encode(plain), "enrich answer")
                    await keep_answer(tx, key, spec.id, self._ask.topic, at, until, sealed)
        except Transient:
            return  # counted too much rather than too little; the lead has its answer

    def _counts(self, spec: ProviderSpec, asks: int, spent: int, at: datetime) -> list[Count]:
        counts = counts_of(spec, asks, spent, at)
        return counts + counts_of(self._chain, asks, spent, at) if self._chain.limits else counts


class _Full(Exception):
    """A limit stands in the way."""

    def __init__(self, one: Count) -> None:
        super().__init__()
        money = one.most_spent is not None and one.most_asks is None
        self.code = "enrich.budget.spent" if money or one.per in ("day", "month", "all") else "enrich.rate.reached"


def _unsent(fault: BaseException) -> bool:
    return isinstance(fault, Fault) and fault.code in ("http.breaker.open", "http.connection.failed")


def _enough(chain: Chain, said: Sequence[Said]) -> bool:
    """Whether nobody else needs to be asked."""
    known = {fact.key for one in said for fact in one.facts if fact.value is not None}
    return known.issuperset(chain.wants) if chain.wants else bool(known)


def _kind(facts: Sequence[Fact]) -> Literal["known", "unknown"]:
    return "known" if any(fact.value is not None for fact in facts) else "unknown"


def _owned(spec: ProviderSpec, facts: Sequence[Fact], at: datetime, owed: int) -> list[Fact]:
    """The facts as a provider's: under its name, of this moment, the first of them with what they cost in minor units,
    rounded."""
    cost = round(owed * 10 ** minor_digits(spec.currency) / MICROS)
    return [
        msgspec.structs.replace(fact, source=spec.id, observed_at=at, cost_minor=cost if place == 0 else 0)
        for place, fact in enumerate(facts)
    ]


def _span(span: str, at: datetime) -> timedelta:
    return at - before(at, span)


def _remembers(spec: ProviderSpec | None, now: datetime) -> bool:
    return spec is not None and bool(_span(spec.keep, now) or _span(spec.keep_unknown, now))


def key_of(vault: Vault, link: LinkAsk, topic: str) -> bytes:
    """Under which an answer is remembered."""
    return vault.keyed_hash("enrich answer", _question(link, topic))


async def forget_answers(tx: Tx, vault: Vault, asks: Iterable[ChainAsk]) -> int:
    """Let go of what providers answered to these questions; how many answers there were."""
    return await drop_answers(tx, (key_of(vault, link, ask.topic) for ask in asks for link in ask.links))


def seal_of(vault: Vault, link: LinkAsk, topic: str) -> bytes:
    """With which an answer is sealed: it opens to nobody who does not ask the same."""
    first, second = (vault.keyed_hash(f"enrich seal {part}", _question(link, topic)) for part in (1, 2))
    return first + second


def _question(link: LinkAsk, topic: str) -> str:
    body = msgspec.json.encode((link.provider, topic, link.params))
    return hashlib.sha256(body).hexdigest()


# ---- what turns out later ------------------------------------------------------------------------------------------


class Heeded(Struct, frozen=True):
    """What later news say of a provider's word: whether it was ``right``."""

    provider: str
    topic: str
    right: bool


async def heed_truth(tx: Tx, heeded: Sequence[Heeded], now: datetime) -> None:
    """Count how providers' words turned out."""
    tally = Tally()
    for one in heeded:
        tally.add(one.provider, one.topic, now, "right" if one.right else "wrong")
    counts = tally.take()
    if counts:
        await add_tallies(tx, counts)


# ---- what is told of them ------------------------------------------------------------------------------------------


async def read_quality(tx: Tx, since: datetime) -> list[Quality]:
    """How good the providers were since a moment, by provider and topic."""
    return qualities(await read_tallies(tx, since))


async def read_limits_used(tx: Tx, now: datetime) -> list[Used]:
    """How far each limit is used in the window that holds ``now``."""
    return await read_used(tx, now)


async def forget_old_answers(tx: Tx, now: datetime) -> None:
    """Let go of answers that have expired, and of what was counted long ago."""
    await forget_old(tx, now, now - KEPT)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Fact]).decode
