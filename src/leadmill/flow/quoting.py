"""Pings: what a source is offered for a lead without the person.

Called by the interfaces: :meth:`Quoter.quote` for a ping; its post is ``posting``'s. A ping meets the same
stations as a lead, as far as they need no person and no consent; it is never a sale. Pings that come together share a
transaction, as leads do. Nothing personal of a ping is kept: of its attributes only keyed hashes, of the rest nothing.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from leadmill.billing import Post, Postings
from leadmill.capture import LOOP, PATH_HEADER, PING_ID, Lead, Mapped, Submission, check_ping, find_own, ping_lead
from leadmill.core.case import NOTHING, Ask, Case, Heard
from leadmill.core.faults import Conflict, Forbidden, Transient
from leadmill.core.ids import looks_like
from leadmill.core.money import Money
from leadmill.core.reasons import because
from leadmill.core.step import Step
from leadmill.core.verdicts import Pass, Stop
from leadmill.facts import Glance
from leadmill.flow.floor import Full
from leadmill.flow.keep import payout_of
from leadmill.flow.kit import Kit
from leadmill.flow.pipeline import Walk, certified, demands
from leadmill.flow.posting import frozen_of
from leadmill.flow.runner import RulesMoved, walk_alone
from leadmill.flow.store import Claim, Kept, claim_requests, keep_answers, read_lead
from leadmill.flow.throttle import Throttle
from leadmill.flow.walker import Walker, reasons_of
from leadmill.flow.watching import report_broken
from leadmill.market import (
    Appraise,
    Auction,
    Bidding,
    BidHeard,
    Bids,
    BidsAsk,
    Headroom,
    Offer,
    Order,
    PingQuote,
    Sale,
    Solicit,
    Tender,
    find_quote,
    keep_quote,
    legs_of,
    offer_of,
    standby_of,
)
from leadmill.overlap import Compare
from leadmill.policy import Foresee
from leadmill.runtime.db import Tx
from leadmill.runtime.records import hold
from leadmill.runtime.telemetry import PINGS
from leadmill.scoring import Rate, seen

KEPT = timedelta(hours=48)
"""How long a quote is remembered after it ended, so that a late or second post hears what is wrong."""

_WAITS = (0.02, 0.1, 0.4)
_REUSED = Conflict("flow.request.reused", "this key was used with another body")

HoldAuction = Callable[[Offer, Sequence[Order]], Awaitable[Bids]]
"""Asks these orders' buyers for a bid; ``Auctioneer.hold_auction``."""


class PingWalk(Struct, frozen=True):
    """The stations of a ping: ``alone`` asks nobody, ``bidding`` buyers and ``offer`` the market. The stations that
    know the orders and the terms are those of the leads' own walk."""

    walk: Walk
    alone: Sequence[Step]
    bidding: Solicit | None
    offer: Appraise
    terms: Post


def build_ping_walk(walk: Walk) -> PingWalk:
    """The walk of pings beside a walk of leads: the same scorecards, laws, orders and terms."""
    rules = walk.rules
    steps = {step.name: step for step in (*walk.together, *walk.after)}
    asked = demands(rules), certified(rules)
    terms = steps[Post.name]
    return PingWalk(
        walk=walk,
        alone=(
            Glance(rules.reference),
            *(step for step in walk.together if isinstance(step, Rate)),
            Foresee(rules.laws, rules.verticals, rules.roster, rules.keyed_hash, rules.engine, *asked),
            *(step for step in walk.together if isinstance(step, Compare)),
        ),
        bidding=next((step for step in walk.together if isinstance(step, Solicit)), None),
        offer=Appraise(steps["market"]),
        terms=terms if isinstance(terms, Post) else Post(rules.roster),
    )


class _Waiting:
    __slots__ = ("answer", "claim", "going", "known", "mapped", "submission", "walk", "walker")

    def __init__(self, submission: Submission, mapped: Mapped, known: str | None) -> None:
        self.known = known
        """The id by which it has been here before."""
        self.submission = submission
        self.mapped = mapped
        self.walk: PingWalk | None = None
        self.walker = Walker(Case(""))
        self.going = False
        """Whether it came as far as the market."""
        key = submission.idempotency_key
        digest = bytes.fromhex(submission.digest)
        self.claim = Claim(f"pings {submission.source_id}", key, digest) if key is not None else None
        self.answer: asyncio.Future[PingQuote] = asyncio.get_running_loop().create_future()

    def tell(self, answer: PingQuote | BaseException) -> None:
        """Answer the caller, unless it went away."""
        if self.answer.done():
            return
        if isinstance(answer, PingQuote):
            self.answer.set_result(answer)
        else:
            self.answer.set_exception(answer)


class Quoter:
    """Quotes pings. A quote holds for ``seconds``; a source that names no rate of its own may send ``per_minute``
    pings (0: any number), to however many processes; ``hold_auction`` asks buyers for bids, without it
    nobody is asked, and ``full`` knows who need not be; ``group`` is the most pings that share a transaction."""

    def __init__(
        self,
        kit: Kit,
        seconds: int = 60,
        *,
        per_minute: int = 0,
        hold_auction: HoldAuction | None = None,
        full: Full = lambda _: (),
        group: int = 64,
    ) -> None:
        self._hold_auction = hold_auction
        self._full = full
        self._kit = kit
        self._seconds = seconds
        self._per_minute = per_minute
        self._throttle = Throttle(kit.db, kit.clock)
        self._group = group
        self._queue: deque[_Waiting] = deque()
        self._running: asyncio.Task[None] | None = None
        self._walk: PingWalk | None = None

    async def quote(self, submission: Submission) -> PingQuote:
        """What the market offers for a ping, once that is durable. A ping with an idempotency key that was answered
        before gets that answer.

        Raises BadInput as :func:`leadmill.capture.check_ping`, Forbidden ``intake.source.retired``, Throttled
        ``intake.ping.throttled`` where the source sends too many, Conflict ``flow.request.reused`` for the key with
        another body, and Transient where the store cannot keep it now.
        """
        rules = self._kit.walk().rules
        source = rules.roster.sources.get(submission.source_id)
        if source is None or source.retired:
            raise Forbidden("intake.source.retired", "this source takes no part any more; ask the operator")
        rate = source.pings_per_minute
        await self._throttle.take(source.id, self._per_minute if rate is None else rate)
        mapped = check_ping(submission, rules.lexicon, source.verticals)
        waiting = _Waiting(submission, mapped, await self._seen_before(submission, mapped))
        await self._set_out(waiting)  # by itself: it may have to listen to buyers
        self._queue.append(waiting)
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._run())
        return await waiting.answer

    async def _seen_before(self, submission: Submission, mapped: Mapped) -> str | None:
        """The id by which a ping has been here before: by the mark it bears, or because it names a ping of ours."""
        path = submission.headers.get(PATH_HEADER)
        known = find_own(self._kit.pen.vault.keyed_hash, path) if path is not None else None
        named = mapped.context.get(PING_ID)
        if known is not None or not isinstance(named, str) or not looks_like(named, "ping"):
            return known
        async with self._kit.db.begin() as tx:
            # What buyers are asked about a lead goes by the lead's id.
            ours = await find_quote(tx, named) or await read_lead(tx, f"lead{named.removeprefix('ping')}")
        return named if ours is not None else None

    async def close(self) -> None:
        """Wait for what is under way."""
        while self._running is not None:
            await asyncio.wait([self._running])

    async def _run(self) -> None:
        try:
            await asyncio.sleep(0)  # whoever is ready in this turn of the loop comes along
            while self._queue:
                await self._answer(self._gather())
        finally:
            self._running = None

    def _gather(self) -> list[_Waiting]:
        taken: list[_Waiting] = []
        left: list[_Waiting] = []
        keys: set[str] = set()
        while self._queue and len(taken) < self._group:
            waiting = self._queue.popleft()
            key = f"{waiting.claim.scope} {waiting.claim.key}" if waiting.claim else ""
            (left if key and key in keys else taken).append(waiting)
            keys.add(key)
        self._queue.extendleft(reversed(left))
        return taken

    async def _answer(self, group: Sequence[_Waiting]) -> None:
        fault: BaseException | None = None
        for wait in (*_WAITS, None):
            try:
                answers = await self._together(group)
            except Exception as broken:
                fault = broken
                if isinstance(broken, RulesMoved):
                    await self._kit.refresh()
                    await asyncio.gather(*(self._set_out(waiting) for waiting in group))
                elif not isinstance(broken, Transient) or wait is None:
                    break
                else:
                    await asyncio.sleep(wait)
            else:
                for waiting, answer in zip(group, answers, strict=True):
                    waiting.tell(answer)
                    if isinstance(answer, PingQuote):
                        PINGS.labels("bid" if answer.legs else "no_bid", answer.source_id).inc()
                return
        for waiting in group:
            waiting.tell(fault or Transient("flow.group.lost"))

    async def _set_out(self, waiting: _Waiting) -> None:
        """Take a ping through what it walks alone, under the rules in force."""
        walk = self._kit.walk()
        if self._walk is None or self._walk.walk is not walk:
            self._walk = build_ping_walk(walk)
        waiting.walk = self._walk
        submission = waiting.submission
        ping_id = self._kit.mint("ping", submission.received_at)
        lead = ping_lead(ping_id, submission, waiting.mapped)
        waiting.walker = Walker(Case(ping_id, [submission, lead]))
        waiting.going = False
        if waiting.known is not None:
            waiting.walker.verdict = Stop(because(LOOP, known=waiting.known))
            return
        await walk_alone(waiting.walker, waiting.walk.alone, self._kit)
        waiting.going = waiting.walker.going
        if waiting.going and self._hold_auction is not None and waiting.walk.bidding is not None:
            await self._solicit(waiting, waiting.walk.bidding, self._hold_auction)

    async def _solicit(self, waiting: _Waiting, bidding: Solicit, hold_auction: HoldAuction) -> None:
        """Ask the buyers whose orders would take such a lead what they bid."""
        case, rules = waiting.walker.case, self._kit.walk().rules
        asks = bidding.wants(case)
        if not asks:
            return
        now = self._kit.clock()
        full = tuple([item for ask in asks if isinstance(ask, BidsAsk) for item in self._full(ask.orders)])
        verdict = bidding.judge(case, Heard({asks[0]: Bids(full=full)}), now)
        tender = next((item for item in verdict.learned if isinstance(item, Tender)), None)
        if tender is None:
            case.learn(verdict.learned)
            return
        offer = offer_of(case[Lead], rules.verticals.get(waiting.mapped.vertical), seen(case).values)
        orders = [rules.orders[order_id] for order_id in tender.orders]
        bids = await hold_auction(msgspec.structs.replace(offer, test=waiting.mapped.test), orders)
        case.learn(bidding.judge(case, Heard({asks[0]: bids.beside(full)}), now).learned)

    async def _together(self, group: Sequence[_Waiting]) -> list[PingQuote | Conflict]:
        now = self._kit.clock()
        answers: dict[int, PingQuote | Conflict] = {}
        async with self._kit.db.begin() as tx:
            claims = sorted((w.claim for w in group if w.claim), key=lambda claim: (claim.scope, claim.key))
            held = await claim_requests(tx, claims, now) if claims else {}
            revision = await hold(tx)
            if any(w.walk is None or w.walk.walk.rules.revision != revision for w in group):
                raise RulesMoved("flow.rules.moved", "the configuration has changed; quote again under the new one")
            fresh: list[_Waiting] = []
            for number, waiting in enumerate(group):
                kept = held.get((waiting.claim.scope, waiting.claim.key)) if waiting.claim else None
                if kept is None or waiting.claim is None:
                    fresh.append(waiting)
                else:
                    answers[number] = _repeated(kept, waiting.claim)
            quotes = dict(zip(map(id, fresh), await self._offers(tx, fresh, now), strict=True))
            told = [(w.claim, _encode(quotes[id(w)])) for w in fresh if w.claim]
            if told:
                await tx.flush()
                await keep_answers(tx, told)
        return [answers[n] if n in answers else quotes[id(waiting)] for n, waiting in enumerate(group)]

    async def _offers(self, tx: Tx, group: Sequence[_Waiting], now: datetime) -> list[PingQuote]:
        """Ask the market for all of them at once, then one after the other, each seeing the room that those before it
        hold."""
        going = [w for w in group if w.going and w.walk is not None]
        wanted = {id(w): w.walk.offer.wants(w.walker.case) for w in going if w.walk is not None}
        by_type: dict[type[Ask], list[Ask]] = {}
        for asks in wanted.values():
            for ask in asks:
                by_type.setdefault(type(ask), []).append(ask)
        listening = {kind: await self._kit.ears.listeners[kind](tx, asks) for kind, asks in by_type.items()}
        quotes = []
        for waiting in group:
            asks = wanted.get(id(waiting), ())
            if waiting.going and waiting.walk is not None:
                heard = Heard({ask: listening[type(ask)](ask) for ask in asks}) if asks else NOTHING
                _judge(waiting.walker, waiting.walk.offer, heard, now)
            quote = self._quote(waiting, now)
            limited = {item.order_id for ask in asks if isinstance(ask, Headroom) for item in ask.wanted}
            keep_quote(tx, quote, frozen_of(self._kit.pen.vault.keyed_hash, quote.id, waiting.mapped), limited)
            quotes.append(quote)
        return quotes

    def _quote(self, waiting: _Waiting, now: datetime) -> PingQuote:
        case, verdict = waiting.walker.case, waiting.walker.verdict
        walk = waiting.walk or build_ping_walk(self._kit.walk())
        sale, auction = case.get(Sale), case.get(Auction)
        why = reasons_of(verdict)
        quote = PingQuote(
            id=case.lead_id,
            source_id=waiting.submission.source_id,
            vertical=waiting.mapped.vertical,
            at=now,
            expires_at=now + timedelta(seconds=self._seconds),
            revision=walk.walk.rules.revision,
            because=why[0] if why else None,
            test=waiting.mapped.test,
        )
        if not isinstance(verdict, Pass) or sale is None or auction is None:
            return quote
        posted = walk.terms.judge(case, NOTHING, now)
        postings = next((item for item in posted.learned if isinstance(item, Postings)), None)
        owed = payout_of(postings)
        bidding = case.get(Bidding)
        bids = tuple(item for item in bidding.items if isinstance(item, BidHeard)) if bidding is not None else ()
        winners = {leg.order_id for leg in sale.legs}
        return msgspec.structs.replace(
            quote,
            mode=sale.mode,
            legs=legs_of(sale, auction),
            price=Money(owed if owed is not None else sale.value.amount, sale.currency),
            owed=owed is not None,
            standby=standby_of(sale, auction),
            bids=bids,
            expires_at=min([quote.expires_at, *(bid.expires_at for bid in bids if bid.order_id in winners)]),
        )


def _judge(walker: Walker, offer: Appraise, heard: Heard, now: datetime) -> None:
    """Let the market judge a ping. Whatever breaks there, it is a ping without a bid."""
    walker.at = offer.name
    try:
        walker.verdict = offer.judge(walker.case, heard, now)
        walker.case.learn(walker.verdict.learned)
    except Exception as fault:
        report_broken(walker, fault)
        walker.fail(offer.name, fault, now)


def _repeated(kept: Kept, claim: Claim) -> PingQuote | Conflict:
    if kept.digest != claim.digest or kept.answer is None:
        return _REUSED
    return _decode(kept.answer)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(PingQuote).decode
