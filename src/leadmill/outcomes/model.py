"""The records and events of outcomes, and the closed list of dispositions.

Read by every module of this package and by whoever reads a lead's events.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec
from msgspec import Struct

from leadmill.core.events import Event


class Disposition(StrEnum):
    """What became of a lead. The list is closed: scoring learns from it and contracts refer to it."""

    CONTACTED = "contacted"
    NO_CONTACT = "no_contact"
    CALLBACK = "callback"
    QUALIFIED = "qualified"
    UNQUALIFIED = "unqualified"
    APPOINTMENT = "appointment"
    QUOTED = "quoted"
    SOLD = "sold"
    LOST = "lost"
    NOT_INTERESTED = "not_interested"
    BAD_CONTACT = "bad_contact"
    WRONG_NUMBER = "wrong_number"
    DUPLICATE = "duplicate"
    DO_NOT_CONTACT = "do_not_contact"
    DISCONNECTED = "disconnected"
    BOUNCED = "bounced"


Stage = Literal["open", "won", "lost", "bad"]
"""What a disposition means for learning: still open, a sale, no sale, or a lead that should not have been sold."""


STAGES: dict[Disposition, Stage] = {
    Disposition.CONTACTED: "open",
    Disposition.NO_CONTACT: "open",
    Disposition.CALLBACK: "open",
    Disposition.QUALIFIED: "open",
    Disposition.APPOINTMENT: "open",
    Disposition.QUOTED: "open",
    Disposition.SOLD: "won",
    Disposition.LOST: "lost",
    Disposition.UNQUALIFIED: "lost",
    Disposition.NOT_INTERESTED: "lost",
    Disposition.DO_NOT_CONTACT: "lost",
    Disposition.BAD_CONTACT: "bad",
    Disposition.WRONG_NUMBER: "bad",
    Disposition.DUPLICATE: "bad",
    Disposition.DISCONNECTED: "bad",
    Disposition.BOUNCED: "bad",
}


REMARKS = "outcome note"
"""What remarks are sealed as."""


class Remarks(Struct, frozen=True, omit_defaults=True):
    """What a report says beside its fields: a note in the reporter's words, and whatever else it sent, as it came. Both
    may name the person, so they are kept sealed."""

    note: str | None = None
    more: dict[str, msgspec.Raw] = {}


class Reported(Struct, frozen=True):
    """One report as recorded. ``at`` is when it became so, ``received_at`` when we heard; ``value`` is money in
    minor units; ``current`` holds for the reporter's latest word; ``note`` is the sealed :class:`Remarks`."""

    outcome_id: str
    lead_id: str
    sale_id: str | None
    reporter: str
    disposition: Disposition
    at: datetime
    value: int | None
    currency: str | None
    received_at: datetime
    current: bool
    replaces: str | None = None
    note: bytes | None = None


class OutcomeReported(Event, frozen=True, kw_only=True, tag="outcome.reported"):
    """A recipient said what became of the lead. ``happened_at`` is when it became so, ``at`` when we heard."""

    outcome_id: str
    sale_id: str | None
    reporter: str
    disposition: str
    stage: Stage
    happened_at: datetime
    value: int | None = None
    currency: str | None = None

    def tell(self) -> Iterable[str]:
        yield f"{self.reporter} reports: {self.disposition}."


class OutcomeCorrected(OutcomeReported, frozen=True, kw_only=True, tag="outcome.corrected"):
    """A recipient changed its report; ``replaces`` is the earlier one's id."""

    replaces: str

    def tell(self) -> Iterable[str]:
        yield f"{self.reporter} corrects its report to: {self.disposition}."
