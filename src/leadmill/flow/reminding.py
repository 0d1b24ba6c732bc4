"""Tells of cases that are overdue: in the metrics, in the log, and by e-mail to who wants it.

Run by the worker. A message tells how many cases of which vertical and reason are overdue, and nothing of whose leads
they are. One goes out for all that fell due within some minutes; what is still overdue a day later is told again.
"""

from datetime import datetime, timedelta

from leadmill.core.conversation import MailAsk
from leadmill.core.faults import Fault, Permanent, Transient
from leadmill.flow.kit import Kit
from leadmill.flow.reviewing import terms_of
from leadmill.review import REMIND, Overdue
from leadmill.review.store import count_cases, count_due, late_in, note_told, overdue_in
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import Handler, Job, enqueue
from leadmill.runtime.outgoing import WayOut
from leadmill.runtime.telemetry import REVIEW_CASES, log

LOOKS = timedelta(seconds=10)
"""How often the worker looks whether cases fell due."""
BATCH = timedelta(minutes=5)
"""How long a message waits for more cases to fall due; no more than one goes out in such a time."""
AGAIN = timedelta(days=1)
"""After how long it is told again that a case is overdue."""


async def tell_overdue(tx: Tx, now: datetime) -> tuple[int, int]:
    """Show how many cases wait and are overdue in the metrics, and say in the log that some fell due since the last
    look."""
    waiting, overdue = await count_cases(tx, now)
    REVIEW_CASES.labels("waiting").set(waiting)
    REVIEW_CASES.labels("overdue").set(overdue)
    fresh = await count_due(tx, now - LOOKS, now)
    if fresh:
        log("review").warning("cases fell due", fresh=fresh, overdue=overdue, waiting=waiting)
    return waiting, overdue


async def plan_reminders(tx: Tx, kit: Kit, now: datetime) -> None:
    """Owe a message for each of the terms that names addresses and has overdue cases that nobody was told of."""
    if not any(one.notify for one in kit.walk().rules.reviews.values()):
        return
    late = [terms_of(kit, vertical) for vertical in await late_in(tx, now, now - AGAIN)]
    for terms_id in sorted({one.id for one in late if one.notify}):
        enqueue(tx, REMIND, None, {"terms": terms_id}, now + BATCH, now, kit.mint, dedupe=f"{REMIND}:{terms_id}")


def remind(kit: Kit, way: WayOut, public_url: str = "") -> Handler:
    """The handler of :data:`~leadmill.review.REMIND` jobs. ``public_url`` is where the console is reached. What cannot
    be sent for good is told to nobody until the day is over: a failed job says so."""

    async def handle(job: Job) -> None:
        terms_id, now = job.read(dict[str, str])["terms"], kit.clock()
        async with kit.db.begin() as tx:
            places = await late_in(tx, now, now - AGAIN)
            places = [one for one in places if terms_of(kit, one).id == terms_id]
            ids, found, overdue = await overdue_in(tx, places, now, now - AGAIN)
        terms = kit.walk().rules.reviews.get(terms_id)
        if not ids or terms is None or not terms.notify:
            return
        subject, text = letter(found, overdue, now, public_url)
        fault: Fault | None = None
        try:
            reply = await way.perform(MailAsk(terms.notify, subject, text, message_id=job.id))
            if reply.code >= 300:
                fault = Permanent("review.notice.refused", "the mail server refused the notice of overdue cases")
        except Transient:
            raise
        except Fault as refused:
            fault = refused
        async with kit.db.begin() as tx:
            await note_told(tx, ids, now)
        if fault is not None:
            raise fault

    return handle


def letter(found: list[Overdue], overdue: int, now: datetime, public_url: str) -> tuple[str, str]:
    """Subject and text of a message: how many cases are overdue, by vertical and reason, longest since when."""
    fresh = sum(one.count for one in found)
    subject = f"Review: {_cases(fresh)} overdue"
    lines = [
        f"{one.count:>6,}  {one.vertical}  {one.reason}, the first since {one.since:%Y-%m-%d %H:%M} UTC"
        for one in found
    ]
    text = [f"{_cases(fresh)} on the review desk fell due and nobody has decided:", "", *lines, ""]
    text += [f"Overdue in all at {now:%Y-%m-%d %H:%M} UTC: {overdue:,}."]
    if public_url:
        text += ["", f"{public_url}/review?show=overdue"]
    return subject, "\n".join(text) + "\n"


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count:,} cases"
