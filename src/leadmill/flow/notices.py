"""Tells recipients that a person whose lead they have opted out, or what else they asked, until they acknowledge it.

``tell_recipient`` is the handler of ``optout.tell`` jobs. A notice names the lead and the sale, never the person, so it
may go by webhook, by e-mail or stand in a list. Whoever has been told and says nothing is told again, once a day for
five days; whoever cannot be reached is tried for more than a day.
"""

from collections.abc import Iterable
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

import msgspec

from leadmill.core.conversation import HttpAsk, HttpReply, MailAsk, MailReply
from leadmill.core.events import Event
from leadmill.core.faults import Fault, Forbidden, NotFound, Permanent, Transient
from leadmill.flow.kit import Kit
from leadmill.flow.tidings import Cause, cause_of, message, sheet
from leadmill.optouts import (
    Notice,
    acknowledge_notice,
    find_notice,
    put_telling,
    settle_telling,
)
from leadmill.parties import Buyer, Team
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import Handler, Job
from leadmill.runtime.outgoing import WayOut
from leadmill.runtime.telemetry import OPT_OUT_NOTICES
from leadmill.runtime.walls import behind
from leadmill.runtime.worker import Patience

STUBBORN = Patience(tries=40, first=30.0, longest=3600.0)
"""How often a recipient that cannot be reached is tried: for about a day and a half."""

_AGAIN = timedelta(hours=24)
_MOST_TELLS = 5
_BUDGET_MS = 15_000


def tell_recipient(kit: Kit, way: WayOut, public_url: str = "") -> Handler:
    """The handler of :data:`~leadmill.optouts.TELL` jobs. ``public_url`` is where a notice can be acknowledged."""

    async def handle(job: Job) -> None:
        notice_id = job.read(dict[str, str])["notice_id"]
        async with kit.db.begin() as tx:
            notice = await find_notice(tx, notice_id)
            cause = await cause_of(tx, notice) if notice is not None else None
        if notice is None or cause is None or notice.state == "acknowledged":
            return
        recipient = kit.walk().rules.roster.recipient(notice.recipient)
        try:
            acknowledged = await _tell(way, recipient, cause, notice, public_url)
        except Fault as fault:
            last = not isinstance(fault, Transient) or job.attempts >= STUBBORN.tries
            await _settle(kit, notice, code=fault.code, given_up=last)
            OPT_OUT_NOTICES.labels("given_up" if last else "failed").inc()
            raise
        await _settle(kit, notice, acknowledged=acknowledged)
        OPT_OUT_NOTICES.labels("acknowledged" if acknowledged else "told").inc()

    return handle


async def _settle(kit: Kit, notice: Notice, **how: Any) -> None:
    async with kit.db.begin() as tx:
        await kit.pen.lock(tx, notice.lead_id)
        now = kit.clock()
        events = await settle_telling(tx, notice, now, **how)
        if not events:
            return
        await kit.pen.append(tx, notice.lead_id, events, now)
        if not how.get("acknowledged") and notice.tells + 1 < _MOST_TELLS:
            put_telling(tx, kit.mint, notice.id, notice.tells + 2, now + _AGAIN, now)


async def _tell(way: WayOut, recipient: Buyer | Team | None, cause: Cause, notice: Notice, public_url: str) -> bool:
    """Tell it; whether it was acknowledged at once. Raises Permanent ``optouts.recipient.unreachable`` where there is
    no way any more, ``optouts.notice.refused`` where the other side will not have it, and what the way raises."""
    if notice.way == "webhook" and isinstance(recipient, Buyer) and recipient.optouts is not None:
        hook = recipient.optouts
        ask = HttpAsk(
            method="POST",
            url=hook.url,
            headers={"accept": "application/json", "content-type": "application/json"},
            body=msgspec.json.encode(message(cause, notice, public_url)),
            secret=hook.secret,
            sign="standard-webhook",
            message_id=notice.id,
            budget_ms=_BUDGET_MS,
        )
        return _read(await way.perform(ask, "buyer"))
    if notice.way == "email" and recipient is not None and recipient.alert is not None:
        said = sheet(cause, notice)
        ask_mail = MailAsk((recipient.alert.email,), said.subject, said.text, message_id=notice.id)
        mail: MailReply = await way.perform(ask_mail)
        if mail.code >= 300:
            raise Permanent("optouts.notice.refused", "the mail server refused the notice")
        return False
    raise Permanent("optouts.recipient.unreachable", "there is no address any more to tell it by")


def _read(reply: HttpReply) -> bool:
    """Whether a 2xx answer acknowledges: by ``{"acknowledged": true}``. 408, 425, 429 and 5xx have come as faults."""
    if not 200 <= reply.status < 300:
        raise Permanent("optouts.notice.refused", f"the recipient's address answered {reply.status}")
    try:
        said = msgspec.json.decode(reply.body)
    except msgspec.DecodeError:
        return False
    return isinstance(said, dict) and said.get("acknowledged") is True


async def acknowledge(
    tx: Tx, kit: Kit, notice_id: str, now: datetime, recipient: str | None = None
) -> tuple[Notice, Iterable[Event]]:
    """A recipient (any, where None: an operator writes it down) acknowledges a notice; the notice as it was and what
    happened, nothing where it had said so before. Raises NotFound ``optouts.notice.unknown``, also for others'."""
    async with behind(tx, "buyer", recipient) if recipient is not None else nullcontext():
        notice = await find_notice(tx, notice_id)
    if notice is None or (recipient is not None and notice.recipient != recipient):
        raise NotFound("optouts.notice.unknown", "there is no such notice of yours")
    await kit.pen.lock(tx, notice.lead_id)
    events = await acknowledge_notice(tx, notice, now)
    if events:
        await kit.pen.append(tx, notice.lead_id, events, now)
        tx.after(OPT_OUT_NOTICES.labels("acknowledged").inc)
    return notice, events


async def tell_again(tx: Tx, kit: Kit, notice_id: str, now: datetime) -> None:
    """Have a notice told once more by hand. Raises NotFound ``optouts.notice.unknown`` and Forbidden
    ``optouts.notice.portal`` for one that its recipient fetches itself."""
    notice = await find_notice(tx, notice_id)
    if notice is None:
        raise NotFound("optouts.notice.unknown", "there is no such notice")
    if notice.way == "portal":
        raise Forbidden("optouts.notice.portal", "this recipient has declared no address and fetches its notices")
    put_telling(tx, kit.mint, notice.id, 1000 + int(now.timestamp()), now, now)
