"""What mail and telephony services tell of addresses and numbers, and our own mail server refuses: whose they are, and
what is remembered of them.

Called by the API, by ``leadmill feedback`` and where messages are sent, inside their transaction. What is told is kept
under the point's keyed hash, and stands in the lead's story; of somebody whom nobody knows nothing is kept.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from leadmill.capture import Lead
from leadmill.core.events import Event
from leadmill.core.faults import Forbidden
from leadmill.flow.kit import Kit
from leadmill.flow.model import LeadFilter, LeadRow
from leadmill.flow.store import list_leads, read_lead
from leadmill.followup.store import find as find_message
from leadmill.hygiene import KINDS, ContactObserved, Notice, Observation, Upkeep, kind_of, point_of, status_kind
from leadmill.hygiene.service import digest_of, observe
from leadmill.identity.service import find_persons
from leadmill.market import find_sale
from leadmill.outcomes.service import find_reported
from leadmill.parties import Caller, Right
from leadmill.runtime.db import Tx

MOST = 1_000
"""Notices in one transaction."""
SMTP = "mail server"
"""Who says what our mail server refuses."""
_AHEAD = timedelta(minutes=5)
_EARLIEST = 2000


class Told(Struct):
    """What became of some notices: ``taken`` are news, ``repeated`` was known, ``ignored`` says nothing of an address
    or a number, ``unknown`` is about nobody we know. ``kinds`` counts what was taken."""

    taken: int = 0
    repeated: int = 0
    ignored: int = 0
    unknown: int = 0
    kinds: dict[str, int] = {}

    def add(self, other: "Told") -> None:
        """Add another's sums."""
        for name in ("taken", "repeated", "ignored", "unknown"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for kind, n in other.kinds.items():
            self.kinds[kind] = self.kinds.get(kind, 0) + n


async def take_notices(
    tx: Tx, kit: Kit, notices: Sequence[Notice], source: str, now: datetime, caller: Caller | None = None
) -> Told:
    """Take what a service tells; ``source`` is how it is called from now on. A buyer's key tells of its own leads
    alone, by their ids.

    Raises Forbidden ``hygiene.caller.refused`` for a key that may tell nothing here, and as
    :func:`~leadmill.outcomes.find_reported` does.
    """
    told = Told()
    check_caller(caller)
    about = [(notice, await _lead_of(tx, kit, notice, caller)) for notice in notices]
    told.unknown = sum(lead_id is None for _, lead_id in about)
    # In the order of their ids, as everybody locks leads.
    for lead_id in sorted({lead_id for _, lead_id in about if lead_id is not None}):
        row = await kit.pen.lock(tx, lead_id)
        own = [notice for notice, about_id in about if about_id == lead_id]
        await _take(tx, kit, row, own, source, now, told)
    return told


def check_caller(caller: Caller | None) -> None:
    """Raise Forbidden ``hygiene.caller.refused`` for a key that may tell nothing of addresses and numbers."""
    operator = caller is not None and caller.kind == "operator" and caller.may(Right.RESEND)
    if caller is not None and caller.kind != "buyer" and not operator:
        raise Forbidden("hygiene.caller.refused", "this is told with an operator's key, or by a buyer of its leads")


async def _lead_of(tx: Tx, kit: Kit, notice: Notice, caller: Caller | None) -> str | None:
    """The lead that a notice is about: the one it names, the one its message was of, or the newest of its person."""
    if caller is not None and caller.kind == "buyer":
        lead_id, _ = await find_reported(tx, caller, lead_id=notice.lead_id or None, sale_id=notice.sale_id or None)
        return lead_id
    if notice.lead_id:
        row = await read_lead(tx, notice.lead_id) if notice.lead_id.isprintable() else None
        return row.id if row is not None else None
    if notice.sale_id:
        sale = await find_sale(tx, notice.sale_id) if notice.sale_id.isprintable() else None
        return sale.lead_id if sale is not None else None
    if notice.message_id:
        message = await find_message(tx, notice.message_id)
        if message is not None and message.kind == "ack":
            return message.lead_id
    for person_id in await find_persons(tx, kit.pen.vault.keyed_hash, notice.contact) if notice.contact else ():
        rows, _ = await list_leads(tx, LeadFilter(person_id=person_id), limit=1)
        if rows:
            return rows[0].id
    return None


async def _take(
    tx: Tx, kit: Kit, row: LeadRow, notices: Sequence[Notice], source: str, now: datetime, told: Told
) -> None:
    upkeep = kit.walk().rules.upkeeps.get(row.vertical)
    if row.test or upkeep is None or not kit.pen.keys.has(row.person_id):
        told.ignored += len(notices)  # a test teaches nothing, and of who was forgotten nothing is kept
        return
    lead = kit.pen.open_lead(row)
    given = []
    for notice in notices:
        one = _observation(kit, row, lead, notice, source, upkeep, now)
        if one is None:
            told.ignored += 1
        else:
            given.append((notice, one))
    new = {(one.point, one.digest) for one in await observe(tx, [one for _, one in given])}
    events: list[Event] = []
    for notice, one in given:
        if (one.point, one.digest) not in new:
            told.repeated += 1
            continue
        new.remove((one.point, one.digest))  # the same told twice in one batch is told once
        told.taken += 1
        told.kinds[one.kind] = told.kinds.get(one.kind, 0) + 1
        events.append(_event(one, now, notice.message_id))
    if events:
        await kit.pen.append(tx, row.id, events, now)


def _event(one: Observation, now: datetime, message_id: str) -> Event:
    return ContactObserved(at=now, kind=one.kind, source=one.source, happened_at=one.at, message_id=message_id)


def _observation(
    kit: Kit, row: LeadRow, lead: Lead | None, notice: Notice, source: str, upkeep: Upkeep, now: datetime
) -> Observation | None:
    kind = kind_of(notice.word, upkeep, notice.status)
    at = min(notice.at, now) if notice.at is not None and notice.at - now <= _AHEAD else notice.at or now
    if kind is None or at > now or at.year < _EARLIEST:
        return None
    # Of a message of ours, and of a lead that is named, the point is the lead's own: mail may have been sent on.
    own = lead is not None and (notice.message_id or notice.lead_id or notice.sale_id)
    contact = _contact(lead, KINDS[kind].channel) if own and lead is not None else notice.contact
    given = lead.text("country") if lead is not None else None
    country = kit.walk().rules.reference.country(given) if given else None
    found = point_of(kit.pen.vault.keyed_hash, contact, country or "US")
    if found is None or found[0] != KINDS[kind].channel:
        return None
    return Observation(
        point=found[1],
        digest=_digest(kind, notice, source, at),
        kind=kind,
        source=source,
        at=at,
        heard_at=now,
        lead_id=row.id,
        vertical=row.vertical,
        lead_source=row.source_id,
    )


def _digest(kind: str, notice: Notice, source: str, at: datetime) -> bytes:
    """What a message brought is one thing, whoever tells it; all else is told by its source under an id, or at a
    moment."""
    if notice.message_id:
        return digest_of("message", notice.message_id, kind)
    if notice.ref:
        return digest_of("ref", source, notice.ref, kind)
    return digest_of("moment", source, kind, at.isoformat())


def _contact(lead: Lead | None, channel: str) -> str:
    return (lead.text(channel) or "") if lead is not None else ""


async def heed_refusal(tx: Tx, kit: Kit, row: LeadRow, message_id: str, status: str, now: datetime) -> list[Event]:
    """Remember what the mail server's refusal of a message to the person says of their address; the events to append,
    none where it says nothing. The caller holds the lead's lock."""
    kind, upkeep = status_kind(status), kit.walk().rules.upkeeps.get(row.vertical)
    if kind not in ("bounced", "deferred") or upkeep is None or row.test or not kit.pen.keys.has(row.person_id):
        return []
    notice = Notice(word=kind, message_id=message_id, at=now)
    one = _observation(kit, row, kit.pen.open_lead(row), notice, SMTP, upkeep, now)
    if one is None:
        return []
    return [_event(each, now, message_id) for each in await observe(tx, [one])]
