"""Tells sources later what became of their leads, at the address they named.

``keep_owed`` is the keeper of :class:`AnswerOwed`, ``tell_source`` the handler of the job that it owes. What is told
is what stands at the moment of telling: a lead that has walked on meanwhile is told as it is now, and each walk that
ends owes a telling of its own. Addresses go through the guard of every outgoing request, so none leads into the house.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from leadmill.billing.model import PAYOUTS
from leadmill.capture import AnswerOwed, Letter, Said, address_of, later_answer, said_of
from leadmill.core.case import Case
from leadmill.core.conversation import HttpAsk
from leadmill.core.events import Event
from leadmill.core.faults import Permanent
from leadmill.core.ids import Mint
from leadmill.core.reasons import Because, State
from leadmill.delivery import Dispatched
from leadmill.flow.kit import Kit
from leadmill.flow.memory import Recalled, recall_one
from leadmill.flow.model import LeadSettled
from leadmill.ledger import postings_of
from leadmill.market import LegState, sales_of
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import Handler, Job, enqueue
from leadmill.runtime.outgoing import WayOut

TELL = "source.tell"
"""The kind of job that tells a source what became of a lead; its subject is the lead."""

_SOON = timedelta(seconds=2)
_HANDED_OVER = timedelta(seconds=20)
"""How long a lead may be in the hands of buyers that are tried while its source waits."""

_UNDECIDED = (State.BIDDING, State.REVIEW, State.NURTURE)
_BUDGET_MS = 15_000


class SourceTold(Event, frozen=True, kw_only=True, tag="source.told"):
    """The source was told at ``host`` that the lead is ``said``; it answered with the HTTP ``status``."""

    host: str
    said: str
    status: int

    def tell(self) -> Iterable[str]:
        """One sentence."""
        yield f"The source was told at {self.host}: {self.said} (HTTP {self.status})."


def keep_owed(mint: Mint) -> Callable[[Tx, Case, AnswerOwed, datetime], None]:
    """The keeper: owes a telling from the commit on."""

    def keep(tx: Tx, case: Case, owed: AnswerOwed, now: datetime) -> None:
        dispatched = case.get(Dispatched)
        inline = dispatched is not None and any(item.inline for item in dispatched.items)
        owe_answer(tx, case.lead_id, now, mint, _HANDED_OVER if inline else _SOON)

    return keep


def owe_answer(tx: Tx, lead_id: str, now: datetime, mint: Mint, after: timedelta = _SOON) -> None:
    """Owe the source of a lead a telling of where it stands. Nothing comes of it where the source named no address."""
    enqueue(tx, TELL, lead_id, {}, run_at=now + after, now=now, mint=mint, dedupe=f"{TELL}:{lead_id}:{now.isoformat()}")


def tell_source(kit: Kit, way: WayOut) -> Handler:
    """The handler of :data:`TELL` jobs."""

    async def handle(job: Job) -> None:
        lead_id = job.subject or ""
        async with kit.db.begin() as tx:
            recalled = await recall_one(tx, kit.pen, lead_id)
            lead, submission = recalled.lead, recalled.submission
            url = address_of(lead) if lead is not None else None
            if url is None or lead is None or submission is None or recalled.row.state in _UNDECIDED:
                return
            rules = kit.walk().rules
            said = await _said(tx, kit, recalled, lead.context.get("sub1"), submission.ping_id)
        source = rules.roster.sources.get(recalled.row.source_id)
        dialect = rules.lexicon.dialects.get(submission.dialect or "")
        letter = later_answer(dialect, url, said)
        reply = await way.perform(_ask(letter, job.id, source.answer_secret if source is not None else None), "source")
        if reply.status >= 300:
            # 408, 425 and 429 have come as faults that pass.
            raise Permanent("flow.answer.refused", f"the source's address answered {reply.status}")
        async with kit.db.begin() as tx:
            now = kit.clock()
            await kit.pen.lock(tx, lead_id)
            host = url.split("/", 3)[2].rpartition("@")[2]
            await kit.pen.append(
                tx, lead_id, [SourceTold(at=now, host=host, said=said.outcome, status=reply.status)], now
            )

    return handle


def _ask(letter: Letter, job_id: str, secret: str | None) -> HttpAsk:
    """The letter as a request, signed where the source has declared a secret."""
    headers = {"content-type": letter.media_type} if letter.media_type else {}
    return HttpAsk(
        letter.verb,
        letter.url,
        headers,
        letter.body,
        secret=secret,
        sign="standard-webhook" if secret else "none",
        message_id=job_id,
        budget_ms=_BUDGET_MS,
    )


async def _said(tx: Tx, kit: Kit, recalled: Recalled, sub1: object, ping_id: str | None) -> Said:
    row = recalled.row
    settled = [event for chapter in recalled.chapters for event in chapter.events if isinstance(event, LeadSettled)]
    why: list[Because] = [settled[-1].because] if settled and settled[-1].because is not None else []
    price, currency = await _earned(tx, kit, row.id) if row.state is State.SOLD else (None, None)
    more: dict[str, Any] = {"mode": "post" if ping_id else "direct", "lead_id": row.id, "ping_id": ping_id}
    return said_of(
        row.state,
        why,
        price,
        currency,
        **more,
        now=int(kit.clock().timestamp()),
        sub1=str(sub1) if isinstance(sub1, str) and sub1 else None,
    )


async def _earned(tx: Tx, kit: Kit, lead_id: str) -> tuple[int | None, str | None]:
    """What the source earns by a lead as things stand: by its postings, else what its legs pay; silent legs are not
    spoken of."""
    legs = [leg for leg in await sales_of(tx, lead_id) if leg.state is LegState.SOLD]
    orders = kit.walk().rules.orders
    silent = {leg.id for leg in legs if (order := orders.get(leg.order_id)) is not None and order.silent}
    spoken = [leg for leg in legs if leg.id not in silent]
    if not spoken:
        return None, None
    paid = [
        one for one in await postings_of(tx, lead_id) if one.ref not in silent and PAYOUTS in (one.debit, one.credit)
    ]
    if paid:
        owed = sum(one.amount.amount if one.debit == PAYOUTS else -one.amount.amount for one in paid)
        return owed, paid[0].amount.currency
    return sum(leg.price.amount for leg in spoken), spoken[0].price.currency
