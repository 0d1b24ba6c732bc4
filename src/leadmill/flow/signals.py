"""A browser that objects to sale (Global Privacy Control) objects for its person: kept, and good for every later lead.

``owe_signal`` is called where a lead's person is written down, ``keep_signal`` is the job's handler. The signal is an
opt-out of sale like any other (see ``optingout``): the same again changes nothing but when it was last said, which is
what a later direction of the person is held against (Cal. Civ. Code 1798.135; 11 CCR 7025, 7026).
"""

from datetime import datetime

from leadmill.capture import Lead, Submission
from leadmill.consent import Witnessed
from leadmill.core.case import Case
from leadmill.core.faults import BadInput
from leadmill.core.ids import Mint
from leadmill.flow.enforcing import enforce
from leadmill.flow.kit import Kit
from leadmill.flow.memory import open_row
from leadmill.flow.optingout import Wish, take_opt_outs
from leadmill.flow.store import read_lead
from leadmill.policy import signal_of
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import Handler, Job, enqueue

SIGNAL = "optout.signal"
"""The kind of job that keeps the browser's wish of the lead that is its subject."""


def owe_signal(tx: Tx, case: Case, now: datetime, mint: Mint) -> None:
    """Owe keeping a lead's signal for its person, where its browser sent one. A test has nobody to keep it for."""
    lead = case.get(Lead)
    if lead is None or lead.test or signal_of(lead, case.get(Submission), case.get(Witnessed)) is not True:
        return
    enqueue(tx, SIGNAL, lead.id, {}, now, now, mint, dedupe=f"{SIGNAL}:{lead.id}")


def keep_signal(kit: Kit) -> Handler:
    """The handler of :data:`SIGNAL` jobs."""

    async def handle(job: Job) -> None:
        async with kit.db.begin() as tx:
            row = await read_lead(tx, job.subject or "")
            lead = await open_row(tx, kit.pen, row) if row is not None else None
            if lead is None:
                return  # forgotten meanwhile: there is nobody to keep it for
            wish = Wish(channel="gpc", by="the browser", scope="sale", lead_id=lead.id, at=lead.received_at)
            try:
                heard = await take_opt_outs(tx, kit, [wish], kit.clock())
            except BadInput:
                return  # neither an address nor a number by which the person would be known again
        for one in heard:
            if one.recorded and one.id:
                await enforce(kit, one.id)

    return handle
