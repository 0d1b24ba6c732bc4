"""The pen: writes what a walk left behind, sealed and chained, and reads it again.

Used by the runner for fresh leads, by the verbs of ``flow`` for what happens later, and by everyone who tells a
lead's story. One lead's happenings in one transaction are one page of its journal; what is personal on it is sealed
with the person's key.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from leadmill.billing import Postings
from leadmill.billing.model import PAYOUTS
from leadmill.capture import Lead, Submission
from leadmill.capture.store import keep_submission
from leadmill.core.case import Answer, Case, Evidence
from leadmill.core.events import Event, family
from leadmill.core.faults import NotFound, Permanent
from leadmill.core.ids import Mint
from leadmill.core.reasons import State
from leadmill.flow.model import Hearing, LeadRow, LeadSettled, Settled
from leadmill.flow.rules import Rules
from leadmill.flow.store import add_lead, lock_leads, update_leads
from leadmill.flow.walker import Walker, reasons_of, state_of
from leadmill.fraud import Suspicion
from leadmill.identity import Identity, rule
from leadmill.identity.service import Keys, add_person, load_keys
from leadmill.market import Assignment, OfferedAgain, Sale
from leadmill.runtime import journal
from leadmill.runtime.db import Tx
from leadmill.runtime.vault import Vault
from leadmill.scoring import Score


class Codecs:
    """Decoders over every kind of event, evidence and answer that the program knows; made once everything is
    imported."""

    def __init__(self) -> None:
        self.events = msgspec.msgpack.Decoder(list[_union(Event)])  # type: ignore[misc]
        self.evidence = msgspec.msgpack.Decoder(_union(Evidence))
        self.answer = msgspec.msgpack.Decoder(_union(Answer))
        self.hearings = msgspec.msgpack.Decoder(list[Hearing])


def _union(base: type[Struct]) -> Any:
    members = [kind for kind in family(base) if kind.__struct_config__.tag is not None]
    union: Any = members[0]
    for member in members[1:]:
        union = union | member
    return union


class _Sealed(Struct, frozen=True):
    """A lead's fields and its submission under its person's key."""

    lead: bytes
    submission: bytes


class Pen:
    """Writes leads and pages; holds the vault, the persons' keys and the decoders."""

    def __init__(self, vault: Vault, keys: Keys, codecs: Codecs, mint: Mint) -> None:
        self.vault = vault
        self.keys = keys
        self.codecs = codecs
        self.mint = mint

    def seal_early(self, tx: Tx, case: Case, identity: Identity, now: datetime) -> None:
        """Seal a fresh lead and its submission as soon as its person is known: later, others would wait for it."""
        early: dict[str, _Sealed] = tx.scratch.setdefault(_Sealed, {})
        lead, submission = case.get(Lead), case[Submission]
        early[case.lead_id] = self._seal(self.keys.of(identity.person_id), case.lead_id, lead, submission)

    def _seal(self, dek: bytes, lead_id: str, lead: Lead | None, submission: Submission) -> "_Sealed":
        return _Sealed(
            self.vault.seal(dek, _encode(lead), f"lead {lead_id}"),
            self.vault.seal(dek, _encode(submission), f"submission {submission.id}"),
        )

    async def write_new(self, tx: Tx, walkers: Sequence[Walker], rules: Rules, now: datetime) -> list[Settled]:
        """Write fresh leads with their submissions and first pages; the answers for their sources."""
        group = journal.group_of(tx, now, self.mint)
        early: dict[str, _Sealed] = tx.scratch.get(_Sealed, {})
        answers = []
        for walker in walkers:
            case = walker.case
            identity = case.get(Identity)
            if identity is not None:
                person_id = identity.person_id
            else:
                person_id = add_person(tx, self.vault, self.keys, now, self.mint)
            dek = self.keys.of(person_id)
            settled = self._settle(walker, now)
            submission = case[Submission]
            lead = case.get(Lead)
            row = _row(walker, submission, lead, person_id, rules)
            sealed = early.pop(row.id, None) or self._seal(dek, row.id, lead, submission)
            add_lead(tx, msgspec.structs.replace(row, sealed=sealed.lead))
            keep_submission(tx, submission, row.id, person_id, sealed.submission)
            journal.write(
                tx, group, row.id, now, _encode(walker.events), self._hearings(walker, row.id, dek), journal.GENESIS
            )
            answers.append(settled)
        return answers

    async def write_again(
        self, tx: Tx, row: LeadRow, walker: Walker, rules: Rules, now: datetime, events: Sequence[Event] = ()
    ) -> Settled:
        """Write the page of a lead that walked on, and where it stands now.

        Its data stays under the key it was sealed with. Where it turns out to be of a person who is known by another
        id, since a step had broken before anybody looked, the two are held to be one from now on."""
        settled = self._settle(walker, now)
        identity = walker.case.get(Identity)
        if identity is not None and row.person_id not in (identity.person_id, *identity.joined):
            why = f"{row.id} is of both: it broke before its person was known"
            await rule(tx, self.mint, row.person_id, identity.person_id, "one", by="house", why=why, now=now)
        page = [*events, *walker.events]
        await self._append(tx, row.id, page, self._hearings(walker, row.id, self.keys.of(row.person_id)), now)
        lead = walker.case.get(Lead)
        fresh = _row(walker, walker.case[Submission], lead, row.person_id, rules)
        sealed = self.vault.seal(self.keys.of(row.person_id), _encode(lead), f"lead {row.id}")
        await update_leads(tx, [msgspec.structs.replace(fresh, import_id=row.import_id, sealed=sealed)])
        return settled

    async def write_on(
        self, tx: Tx, walkers: Sequence[tuple[LeadRow, Walker]], rules: Rules, now: datetime
    ) -> list[Settled]:
        """Write the pages of locked leads that walked on past the mapping, so that the leads themselves are as they
        were: all of a group with one question and one change."""
        heads: dict[str, journal.Head] = tx.scratch.setdefault(Pen, {})
        heads |= await journal.heads(tx, [row.id for row, _ in walkers])
        answers, rows = [], []
        for row, walker in walkers:
            settled = self._settle(walker, now)
            sealed = self._hearings(walker, row.id, self.keys.of(row.person_id))
            await self._append(tx, row.id, walker.events, sealed, now)
            fresh = _row(walker, walker.case[Submission], walker.case.get(Lead), row.person_id, rules)
            rows.append(msgspec.structs.replace(fresh, import_id=row.import_id, sealed=row.sealed))
            answers.append(settled)
        await update_leads(tx, rows)
        return answers

    async def write_aside(self, tx: Tx, row: LeadRow, walker: Walker, changed: bool, now: datetime) -> None:
        """Write the page of a locked lead that stood aside of its walk: it stays where it is. ``changed`` says that its
        own fields are others now."""
        dek = self.keys.of(row.person_id)
        await self._append(tx, row.id, walker.events, self._hearings(walker, row.id, dek), now)
        lead = walker.case.get(Lead)
        if changed and lead is not None:
            sealed = self.vault.seal(dek, _encode(lead), f"lead {row.id}")
            await update_leads(tx, [msgspec.structs.replace(row, sealed=sealed, region=_region(lead))])

    async def lock(self, tx: Tx, lead_id: str) -> LeadRow:
        """The lead, locked until the transaction ends, so that two pages never claim one place in its journal; its
        person's key at hand unless destroyed. Raises NotFound ``flow.lead.unknown``."""
        row = (await lock_leads(tx, [lead_id])).get(lead_id)
        if row is None:
            raise NotFound("flow.lead.unknown", "no such lead")
        await load_keys(tx, self.vault, self.keys, [row.person_id])
        return row

    async def append(self, tx: Tx, lead_id: str, events: Sequence[Event], now: datetime) -> None:
        """Append what happened to a locked lead to its journal."""
        await self._append(tx, lead_id, events, None, now)

    def sealer(self, row: LeadRow, context: str) -> Callable[[bytes], bytes]:
        """Seals bytes about the lead's person under their key."""
        dek = self.keys.of(row.person_id)
        return lambda plain: self.vault.seal(dek, plain, context)

    def open_sealed(self, row: LeadRow, sealed: bytes, context: str) -> bytes | None:
        """What :meth:`sealer` closed in this context; None once the person was forgotten."""
        return self.vault.open(self.keys.of(row.person_id), sealed, context) if self.keys.has(row.person_id) else None

    def open_lead(self, row: LeadRow) -> Lead | None:
        """The lead's own fields; None where mapping failed. Raises Permanent ``vault.key.destroyed`` once the person
        was forgotten."""
        found: Lead | None = _LEAD.decode(self.vault.open(self.keys.of(row.person_id), row.sealed, f"lead {row.id}"))
        return found

    def open_hearings(self, page: journal.Page, person_id: str) -> list[Hearing]:
        """What was heard and learned of the person on a page."""
        if page.sealed is None:
            return []
        plain = self.vault.open(self.keys.of(person_id), page.sealed, f"page {page.subject}")
        found: list[Hearing] = self.codecs.hearings.decode(plain)
        return found

    def read_events(self, page: journal.Page) -> list[Event]:
        """The events of a page."""
        found: list[Event] = self.codecs.events.decode(page.events)
        return found

    async def _append(self, tx: Tx, lead_id: str, events: Sequence[Event], sealed: bytes | None, now: datetime) -> None:
        group = journal.group_of(tx, now, self.mint)
        heads: dict[str, journal.Head] = tx.scratch.setdefault(Pen, {})
        if lead_id not in heads:
            heads |= await journal.heads(tx, [lead_id])
        heads[lead_id] = journal.write(tx, group, lead_id, now, _encode(events), sealed, heads[lead_id])

    def _hearings(self, walker: Walker, lead_id: str, dek: bytes) -> bytes | None:
        if not walker.hearings:
            return None
        return self.vault.seal(dek, _encode(walker.hearings), f"page {lead_id}")

    def _settle(self, walker: Walker, now: datetime) -> Settled:
        case = walker.case
        sale = case.get(Sale)
        state = state_of(case, walker.verdict)
        reasons = reasons_of(walker.verdict)
        sold = sale if state is State.SOLD else None
        again = case.get(OfferedAgain)
        if again is not None and again.held and not walker.broken:
            # Whatever came of offering another leg, those who have one keep it.
            state, reasons = State.SOLD, []
        walker.events.append(
            LeadSettled(
                at=now,
                state=state,
                because=reasons[0] if reasons else None,
                price=_brought(sold, again),
                currency=sold.currency if sold else again.currency if again is not None and again.held else None,
                recipient=_recipient(case, state),
            )
        )
        return Settled(
            lead_id=case.lead_id,
            state=state,
            price=_payout(case, sold) if sold else None,
            currency=sold.currency if sold else None,
            because=reasons,
            call=sold.legs[0].call if sold else None,
        )


def _brought(sold: Sale | None, again: OfferedAgain | None) -> int | None:
    """What all who have the lead pay together."""
    paid = again.paid if again is not None and again.held else None
    return sold.value.amount + (paid or 0) if sold else paid


def _payout(case: Case, sale: Sale) -> int:
    # A source with terms is told what it earns; one without (an own site) sees what the lead brought. Of silent legs
    # it is not told here: its statement has what they earn it.
    silent = frozenset(leg.sale_id for leg in sale.legs if leg.silent)
    postings = case.get(Postings)
    if silent and postings is not None:
        postings = Postings(tuple(item for item in postings.items if item.ref not in silent))
    paid = payout_of(postings)
    return paid if paid is not None else sum(leg.price.amount for leg in sale.legs if not leg.silent)


def payout_of(postings: Postings | None) -> int | None:
    """What the source of a lead earns by its postings, in minor units; None where it earns nothing."""
    paid = [item.amount.amount for item in postings.items if item.debit == PAYOUTS] if postings else []
    return sum(paid) if paid else None


def _recipient(case: Case, state: State) -> str | None:
    sale, assigned, again = case.get(Sale), case.get(Assignment), case.get(OfferedAgain)
    if state is State.SOLD and (sale or (again and again.held)):
        return " ".join([*(again.held if again else ()), *(leg.buyer_id for leg in (sale.legs if sale else ()))])
    return f"{assigned.team}/{assigned.rep}" if state is State.ASSIGNED and assigned else None


def _row(walker: Walker, submission: Submission, lead: Lead | None, person_id: str, rules: Rules) -> LeadRow:
    settled = walker.events[-1]
    if not isinstance(settled, LeadSettled):
        raise Permanent("flow.lead.unsettled", "a lead is written once it is settled")
    score, suspicion = walker.case.get(Score), walker.case.get(Suspicion)
    return LeadRow(
        id=walker.case.lead_id,
        person_id=person_id,
        vertical=lead.vertical if lead else submission.vertical or "unknown",
        source_id=submission.source_id,
        channel=submission.channel,
        state=settled.state,
        reason=settled.because.code if settled.because else None,
        score=score.points if score else None,
        region=_region(lead),
        received_at=submission.received_at,
        price=settled.price,
        currency=settled.currency,
        recipient=settled.recipient,
        test=bool(lead and lead.test),
        revision=rules.revision,
        import_id=walker.import_id,
        sealed=b"",
        tier=score.band if score else None,
        suspicion=suspicion.score if suspicion else None,
    )


def _region(lead: Lead | None) -> str | None:
    region = lead.fields.get("state") if lead else None
    return region if isinstance(region, str) and len(region) == 2 else None


_encode = msgspec.msgpack.Encoder().encode
_LEAD = msgspec.msgpack.Decoder(Lead | None)
