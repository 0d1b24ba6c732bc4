"""Certificates of consent: makes out a lead's own, gives it the recording of its visit, checks both.

A certificate is no row: its core is made again from the sealed submission and the proof, and must have the digest that
the journal has. The recording comes after the lead, since a browser sends its last piece when the page is left; a job
takes it up a little later.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from leadmill.capture import Lead, Submission
from leadmill.consent import (
    Certificate,
    Certified,
    Journaled,
    Proof,
    ReplayKept,
    StoredReplay,
    Witnessed,
    certify,
    digest_of,
    open_witness,
    unpack,
)
from leadmill.consent.service import give_replay, read_replays
from leadmill.core.case import Evidence
from leadmill.core.faults import NotFound, Permanent
from leadmill.core.ids import Mint
from leadmill.flow.keep import Pen
from leadmill.flow.kit import Kit
from leadmill.flow.memory import Recalled, recall_one
from leadmill.flow.model import LeadReceived, LeadRow
from leadmill.runtime import journal
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import Handler, Job, enqueue

KEEP_REPLAY = "consent.replay"
"""The kind of job that gives the recording of a visit to its lead, which is its subject."""

_LAST_PIECE = timedelta(seconds=15)
"""How long after the answer the last piece of a recording may come."""

_AFTER = "facts"
"""The station after the one that learns the proof."""


class Made(Struct, frozen=True, kw_only=True):
    """A lead's certificate: its core and digest, where the journal tells of it, what it says of the recording, the
    document of the page (empty without one), and under which rules the lead was decided."""

    row: LeadRow
    core: Certificate
    digest: str
    journaled: Journaled
    certified: bool
    recording: ReplayKept | None
    document: str
    proof: Proof
    lead: Lead
    revision: int
    packs: str


class Fault(Struct, frozen=True):
    """Something about a certificate that does not hold: a code, the lead, what."""

    code: str
    lead_id: str
    detail: str


def owe_replay(tx: Tx, lead_id: str, seen: Witnessed | None, now: datetime, mint: Mint) -> None:
    """Owe a lead the recording of its visit, where there may be one."""
    if seen is not None and seen.recording:
        enqueue(tx, KEEP_REPLAY, lead_id, {}, now + _LAST_PIECE, now, mint, dedupe=f"{KEEP_REPLAY}:{lead_id}")


def keep_replay(kit: Kit) -> Handler:
    """The handler of :data:`KEEP_REPLAY` jobs."""

    async def handle(job: Job) -> None:
        async with kit.db.begin() as tx:
            row = await kit.pen.lock(tx, job.subject or "")
            recalled = await recall_one(tx, kit.pen, row.id)
            submission, lead, now = recalled.submission, recalled.lead, kit.clock()
            if submission is None or not submission.session:
                return  # forgotten meanwhile: what was recorded goes with its time
            seal = kit.pen.sealer(row, _context(row.id))
            fields = lead.fields if lead is not None else {}
            event = await give_replay(
                tx, kit.pen.vault, submission.session, row.id, row.person_id, seal, fields, now
            )  # fmt: skip
            if event is not None:
                await kit.pen.append(tx, row.id, [event], now)

    return handle


async def make_certificate(tx: Tx, pen: Pen, lead_id: str) -> Made:
    """A lead's certificate. Raises NotFound ``flow.lead.unknown``, and ``flow.certificate.none`` where there is none:
    the person was forgotten, or the lead never came as far as its consent."""
    recalled = await recall_one(tx, pen, lead_id)
    pages = await journal.pages(tx, lead_id)
    made = _made(pen, recalled, pages[0]) if pages else None
    if made is None:
        raise NotFound("flow.certificate.none", "there is no certificate of consent, or its person was forgotten")
    return made


async def replay_events(tx: Tx, pen: Pen, row: LeadRow) -> bytes | None:
    """The recording of a lead's visit as a JSON list of events; None where there is none."""
    stored = (await read_replays(tx, [row.id])).get(row.id)
    plain = pen.open_sealed(row, stored.sealed, _context(row.id)) if stored is not None else None
    return unpack(plain, _MOST) if plain is not None else None


async def check_certificates(tx: Tx, pen: Pen, lead_ids: Iterable[str]) -> list[Fault]:
    """Whether the certificates of these leads are those of the journal, and so their recordings."""
    ids = sorted(lead_ids)
    found: list[Fault] = []
    kept = await read_replays(tx, ids)
    for lead_id in ids:
        try:
            recalled = await recall_one(tx, pen, lead_id)
            told, made = _certified(recalled), _made(pen, recalled, None)
        except (Permanent, NotFound, msgspec.DecodeError):
            found.append(Fault("consent.certificate.mismatch", lead_id, "what it is made of cannot be read"))
            continue
        if recalled.submission is None:
            continue  # forgotten: there is nothing left to hold against the journal
        if told is not None and (made is None or made.digest != told.digest):
            found.append(Fault("consent.certificate.mismatch", lead_id, "it is not the one whose digest was written"))
        event = _recording(recalled)
        if event is not None and event.sha256:
            found += _against(pen, recalled.row, event, kept.get(lead_id))
    return found


def _against(pen: Pen, row: LeadRow, event: ReplayKept, stored: StoredReplay | None) -> list[Fault]:
    """A recording against the word of the journal."""
    if stored is None:
        return [Fault("consent.replay.missing", row.id, "the journal tells of a recording that is gone")]
    try:
        plain = pen.open_sealed(row, stored.sealed, _context(row.id))
        digest = hashlib.sha256(unpack(plain, _MOST)).hexdigest() if plain is not None else event.sha256
    except (Permanent, ValueError):
        digest = ""
    if digest != event.sha256 or stored.digest.hex() != event.sha256:
        return [Fault("consent.replay.mismatch", row.id, "it is not the one whose digest was written")]
    return []


def _made(pen: Pen, recalled: Recalled, page: journal.Page | None) -> Made | None:
    case = recalled.case_before(_AFTER)
    proof, lead, submission = case.get(Proof), case.get(Lead), case.get(Submission)
    if proof is None or lead is None or submission is None:
        return None
    seen, certified = case.get(Witnessed), case.get(Certified)
    secret = submission.session or pen.vault.keyed_hash("consent certificate", lead.id).hex()
    core = certify(lead, submission, proof, seen, secret)
    witness = open_witness(submission.witness) if seen is not None and seen.snapshot_sha256 else None
    received = next(
        (event for chapter in recalled.chapters for event in chapter.events if isinstance(event, LeadReceived)), None
    )
    return Made(
        row=recalled.row,
        core=core,
        digest=digest_of(core),
        journaled=Journaled(
            page.seq if page else 0,
            page.hash.hex() if page else "",
            page.at if page else lead.received_at,
            certified.digest if certified else "",
        ),
        certified=certified is not None,
        recording=_recording(recalled),
        document=witness.document() if witness is not None else "",
        proof=proof,
        lead=lead,
        revision=received.revision if received else recalled.row.revision,
        packs=received.packs if received else "",
    )


def _certified(recalled: Recalled) -> Certified | None:
    learned: Iterable[Evidence] = (
        item for chapter in recalled.chapters for station in chapter.stations for item in station.learned
    )
    return next((item for item in learned if isinstance(item, Certified)), None)


def _recording(recalled: Recalled) -> ReplayKept | None:
    events = [event for chapter in recalled.chapters for event in chapter.events if isinstance(event, ReplayKept)]
    return events[-1] if events else None


def _context(lead_id: str) -> str:
    return f"replay {lead_id}"


_MOST = 8 << 20
