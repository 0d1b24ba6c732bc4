"""What a walk leaves behind: its events, its page in the journal, and the answer to whoever brought the lead.

Read by the runner, replay, explanation and every interface.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from leadmill.core.events import Event
from leadmill.core.reasons import Because, State, declare
from leadmill.core.verdicts import Rule
from leadmill.market import CallTarget, OfferedAgain

FAILED = declare("flow.step.failed", "The step “{step}” failed ({fault}); the lead waits for a person.", State.REVIEW)


class LeadReceived(Event, frozen=True, kw_only=True, tag="lead.received"):
    """A submission was sealed and became a lead. ``digest`` is the SHA-256 of the bytes as they came."""

    source: str
    channel: str
    digest: str
    revision: int
    """The revision of the configuration the walk was decided under."""
    packs: str
    """The digest of the packs it was decided under."""
    mail: bool = True
    """Whether there was a mail server to send messages by."""

    def tell(self) -> Iterable[str]:
        yield f"Came from {self.source} by {self.channel}; sealed as received (SHA-256 {self.digest[:12]}…)."
        yield f"Decided under configuration {self.revision} and packs {self.packs[:12]}."


class StepTaken(Event, frozen=True, kw_only=True, tag="lead.step"):
    """A station of the walk and its verdict; ``learned`` is the evidence that holds nothing personal."""

    step: str
    verdict: str
    because: Because | None = None
    until: datetime | None = None
    rules: list[Rule] = []
    learned: list[msgspec.Raw] = []
    micros: int = 0
    """How long judging took, in microseconds."""


class Trial(Struct, frozen=True, kw_only=True):
    """A change tried on the leads received from ``since`` to ``until``. ``text`` is the file as typed, ``done`` of
    ``total`` leads are decided, ``result`` is an encoded ``WhatIf`` once it is ``done``, ``fault`` what stopped it."""

    id: str
    text: str
    since: datetime
    until: datetime
    by: str
    at: datetime
    state: Literal["queued", "running", "done", "failed"] = "queued"
    done: int = 0
    total: int = 0
    result: bytes | None = None
    fault: str | None = None


class LeadSettled(Event, frozen=True, kw_only=True, tag="lead.settled"):
    """Where the walk ended."""

    state: State
    because: Because | None = None
    price: int | None = None
    currency: str | None = None
    recipient: str | None = None

    def tell(self) -> Iterable[str]:
        yield f"The lead is {self.state.value}" + (f": {self.because.message}" if self.because else ".")


class LeadResumed(Event, frozen=True, kw_only=True, tag="lead.resumed"):
    """The lead walks on after it had waited or was given back; ``by`` is who or what decided so."""

    step: str
    by: str
    why: str
    revision: int
    packs: str
    mail: bool = True
    excluded: list[str] = []
    """Recipients that had it before and are not asked again."""
    again: OfferedAgain | None = None
    """How it is offered again, where it is."""
    released: list[str] = []
    """Rules that held it and on which a person has decided."""

    def tell(self) -> Iterable[str]:
        yield f"Goes on from “{self.step}”: {self.why} ({self.by})."


class LeadCorrected(Event, frozen=True, kw_only=True, tag="lead.corrected"):
    """A person put something right about the lead, in these ``fields``; values and reasons stand in the sealed part of
    the page."""

    by: str
    fields: list[str]
    revision: int
    packs: str
    mail: bool = True

    def tell(self) -> Iterable[str]:
        yield f"{self.by} corrected {', '.join(name.replace('_', ' ') for name in self.fields)}."


class PersonForgotten(Event, frozen=True, kw_only=True, tag="person.forgotten"):
    """The lead's person was forgotten at somebody's word: what is sealed with their key can be read by nobody."""

    by: str

    def tell(self) -> Iterable[str]:
        """Who said so."""
        yield f"The person was forgotten; said {self.by}."


class LeadEnriched(Event, frozen=True, kw_only=True, tag="lead.enriched"):
    """The lead was looked at once more, on these ``topics`` (none: on all); ``run`` is the id of the batch it was part
    of, if any."""

    by: str
    why: str
    topics: list[str]
    revision: int
    packs: str
    mail: bool = True
    run: str = ""

    def tell(self) -> Iterable[str]:
        on = f" on {', '.join(self.topics)}" if self.topics else ""
        yield f"Looked at once more{on}: {self.why} ({self.by})."


class CertificatesKept(Event, frozen=True, kw_only=True, tag="certificate.kept"):
    """Vendors were asked to keep the lead's certificates, since it has a recipient; what they said is learned on the
    same page."""

    why: str
    revision: int
    packs: str
    mail: bool = True

    def tell(self) -> Iterable[str]:
        yield f"Vendors were asked to keep its certificates: {self.why}."


class LeadReverified(Event, frozen=True, kw_only=True, tag="lead.reverified"):
    """What was known of the lead had grown old, and was asked about once more; ``changed`` are the keys of the facts
    that are others now."""

    schedule: str
    changed: list[str]

    def tell(self) -> Iterable[str]:
        what = ", ".join(self.changed) if self.changed else "nothing"
        yield f"Asked about once more by the schedule {self.schedule}; changed: {what}."


class Hearing(Struct, frozen=True):
    """What a step heard and learned of the person, sealed with the person's key: enough to judge again."""

    step: str
    at: datetime
    heard: list[msgspec.Raw]
    learned: list[msgspec.Raw]


class Settled(Struct, frozen=True):
    """The answer to whoever brought the lead: ``price`` is what the source is paid, in minor units; ``call`` where a
    caller who is on the line is put through."""

    lead_id: str
    state: State
    price: int | None = None
    currency: str | None = None
    because: list[Because] = []
    call: CallTarget | None = None


class LeadRow(Struct, frozen=True):
    """A lead as it stands now: the projection that lists and searches read."""

    id: str
    person_id: str
    vertical: str
    source_id: str
    channel: str
    state: State
    reason: str | None
    score: int | None
    region: str | None
    received_at: datetime
    price: int | None
    currency: str | None
    recipient: str | None
    test: bool
    revision: int
    import_id: str | None
    sealed: bytes
    tier: str | None = None
    suspicion: int | None = None


class LeadFilter(Struct, frozen=True):
    """What a list of leads is narrowed to; None means any."""

    state: State | None = None
    reason: str | None = None
    vertical: str | None = None
    source_id: str | None = None
    recipient: str | None = None
    person_id: str | None = None
    import_id: str | None = None
    test: bool | None = None
    min_score: int | None = None
    max_score: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    tier: str | None = None


def raw(value: Any) -> msgspec.Raw:
    """A value's msgpack bytes, to stand inside a larger message undecoded."""
    return msgspec.Raw(_encode(value))


_encode = msgspec.msgpack.Encoder().encode
