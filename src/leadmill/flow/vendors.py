"""Has vendors keep the certificates of leads that went to somebody.

A sale or an assignment owes a job in its own transaction; the job asks the vendors outside of any, within the limits
and at the price of their providers, and writes a page on the lead. A vendor that asks to come later, or an exhausted
budget, has it tried again for one to two days, well within the three that TrustedForm keeps what nobody asked it to
keep; what will not go makes it dead, where somebody sees it. Asked twice, after a crash say, a vendor says that it
keeps the certificate already.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from leadmill.certificates import Keep
from leadmill.core.case import Answer, Case
from leadmill.core.events import Event
from leadmill.core.faults import Permanent, Transient
from leadmill.core.ids import Mint
from leadmill.core.step import Step
from leadmill.enrich import ChainAnswer
from leadmill.flow.aside import hear_aside
from leadmill.flow.kit import Kit
from leadmill.flow.memory import Recalled
from leadmill.flow.model import CertificatesKept
from leadmill.flow.pipeline import Walk
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import Handler, Job, enqueue
from leadmill.runtime.worker import Patience

KEEP = "certificate.keep"
"""The kind of the jobs."""

STEADY = Patience(tries=22, first=15.0, longest=14_400.0)
"""How often vendors are asked: for one to two days."""

Owe = Callable[[Tx, Case, datetime], None]


def owe_keeping(walk: Callable[[], Walk], mint: Mint) -> Owe:
    """Owes the job for a lead that has got a recipient, where it has a certificate to be kept."""

    def owe(tx: Tx, case: Case, now: datetime) -> None:
        if not _step(walk()).wants(case):
            return

        async def close(tx: Tx) -> None:  # with the jobs of deliveries, which are owed as the transaction ends
            enqueue(tx, KEEP, case.lead_id, {}, now, now, mint, dedupe=f"{KEEP}:{case.lead_id}")

        tx.closing(close)

    return owe


def keep_certificates(kit: Kit) -> Handler:
    """The handler of :data:`KEEP` jobs."""

    async def handle(job: Job) -> None:
        if job.subject is None:
            raise Permanent("job.payload.unreadable", "a certificate is kept for a lead")
        await hear_aside(kit, job.subject, _step, _case_of, _event_of, check_kept)

    return handle


def check_kept(answers: Iterable[Answer]) -> None:
    """Raise what stands in the way of keeping: Transient where asking once more may go better, Permanent where it will
    not. A vendor that says that the certificate is gone has answered."""
    said = [one for answer in answers if isinstance(answer, ChainAnswer) for one in answer.said]
    for one in said:
        if one.later:
            raise Transient(one.code or "enrich.provider.busy", f"{one.provider} could not be asked now")
    for one in said:
        if one.kind == "failed":
            raise Permanent(one.code or "enrich.provider.broken", f"{one.provider} gave no usable answer")


def _step(walk: Walk) -> Step:
    return next(step for step in walk.aside if isinstance(step, Keep))


def _case_of(recalled: Recalled) -> Case | None:
    """All that is known of the lead; None once its person was forgotten."""
    return recalled.case_before() if recalled.submission is not None and recalled.lead is not None else None


def _event_of(walk: Walk, case: Case, now: datetime) -> Event:
    rules = walk.rules
    return CertificatesKept(
        at=now, why="the lead has a recipient", revision=rules.revision, packs=rules.packs, mail=rules.mail
    )
