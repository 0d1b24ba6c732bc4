"""What policy knows: law packs, the clearance of a lead, suppressions, and every reason it refuses with.

Laws come from ``packs/laws``; a clearance is evidence that the market asks for.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, ClassVar, Literal

from msgspec import Struct

from leadmill.core.case import Answer, Ask, Evidence
from leadmill.core.predicates import Predicate
from leadmill.core.reasons import Because, State, declare
from leadmill.policy.calendars import Holiday
from leadmill.policy.provisions import Provision

Scope = Literal["lead", "channel", "recipient"]
"""What a rule speaks of: the lead as a whole, one way of contact, or one recipient."""

Decision = Literal["deny", "review", "defer", "allow"]
"""In this order the graver outweighs the lighter."""

Status = Literal["in_force", "pending", "waived", "vacated"]

ACTIONS = ("capture", "collect", "ping", "route", "sell", "call", "text", "email", "bill", "score", "rank", "request")
"""What a case may ask leave for."""

CHANNELS = ("call", "text", "email")

NOT_CONSENTED = declare(
    "policy.consent.missing",
    "Nobody may have the lead without consent, and there is no proof of any ({rule}).",
    State.REJECTED,
)
SUPPRESSED = declare(
    "policy.person.suppressed", "The person asked not to be contacted ({what}, {rule}).", State.REJECTED
)
NO_CHANNEL = declare("policy.channel.none_open", "No way of contacting the person is open: {says}", State.REJECTED)
DENIED = declare("policy.lead.denied", "{says} ({rule})", State.REJECTED)
REVIEW = declare("policy.lead.review", "{says} ({rule})", State.REVIEW)
RECIPIENT = declare("policy.recipient.denied", "{says} ({rule}: {citation})")
UNSURE = declare(
    "policy.recipient.review", "Somebody must look before it may have the lead: {says} ({rule}: {citation})"
)
MESSAGE_DENIED = declare("policy.message.denied", "The law keeps the message from going out: {says} ({rule})")
MESSAGE_DEFERRED = declare("policy.message.deferred", "The message waits until it may go out: {says} ({rule})")
UNJUDGED = declare(
    "policy.recipient.unknown", "The recipient {recipient} was not on the roster when the lead was cleared."
)


class Switch(Struct, frozen=True):
    """A dated change of a rule's status."""

    from_day: date
    status: Status


class LawRule(Struct, frozen=True):
    """One rule of a law pack. ``when`` holds the predicates under which it speaks, and ``absent`` names of which one
    must be missing for it to speak, where there are any.

    A rule of the walk has a ``scope`` (and ``channels``: which ways of contact it closes); a rule of cases has
    ``actions``. ``effective_from`` and ``effective_to`` bound the local dates on which it stands (the latter
    excluded), told in ``zone`` where the law names one; ``switches`` change its status from a day on. ``verticals``,
    ``states`` (where the person lives) and ``reached`` (where the call may ring) narrow it, empty meaning all.
    ``stops`` says which coded reason a denied lead gets, ``also`` names other ids it goes by.
    """

    id: str
    citation: str
    scope: Scope | None
    decision: Decision
    says: str
    when: tuple[Any, ...]
    channels: tuple[str, ...] = ()
    verticals: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    in_house: bool = False
    """Whether a recipient rule speaks of in-house teams as well."""
    stops: Literal["denied", "suppressed", "consent"] = "denied"
    status: Status = "in_force"
    effective_from: date | None = None
    effective_to: date | None = None
    actions: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    reason: str = ""
    also: tuple[str, ...] = ()
    obligations: tuple[str, ...] = ()
    switches: tuple[Switch, ...] = ()
    zone: str | None = None


class LicenceRule(Struct, frozen=True):
    """A licence that the recipient of a vertical's lead needs: ``kinds`` in ``states`` (empty: every state).

    Of cases, which say more of a licence than a roster does, it may ask for one of ``classes`` or ``lines``, for the
    state where a ``property`` lies instead of the person's ``home``, and for a look-up no older than ``fresh_hours``
    (0: any). ``cases`` is False for what the roster alone is judged by.
    """

    id: str
    citation: str
    verticals: tuple[str, ...]
    kinds: tuple[str, ...]
    says: str
    states: tuple[str, ...] = ()
    effective_from: date | None = None
    classes: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    place: Literal["home", "property"] = "home"
    fresh_hours: int = 0
    cases: bool = True


class Term(Struct, frozen=True):
    """A condition with a name, which rules may look at like evidence."""

    name: str
    says: str
    when: Predicate


class Law(Struct, frozen=True):
    """A law pack: its name, its digest and all that it holds."""

    name: str
    title: str
    digest: str
    rules: tuple[LawRule, ...] = ()
    licences: tuple[LicenceRule, ...] = ()
    provisions: tuple[Provision, ...] = ()
    terms: tuple[Term, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    zones: dict[str, tuple[str, ...]] = {}
    everywhere: tuple[str, ...] = ()
    """The zones that count where nobody knows where a person is."""
    zip_zones: dict[str, tuple[str, ...]] = {}


DELETION_LIST = "drop"
"""The name under which the state's deletion list stands among the registries."""


class SuppressionAsk(Ask, frozen=True):
    """Did the person behind these keyed hashes ask not to be contacted, or not to be sold? ``phones`` and ``emails``
    are other keys under which a list may have the number and the address, ``sales`` those of an opt-out of sale."""

    phone: bytes | None = None
    email: bytes | None = None
    phones: tuple[bytes, ...] = ()
    emails: tuple[bytes, ...] = ()
    sales: tuple[bytes, ...] = ()


class SuppressionFound(Answer, frozen=True, omit_defaults=True):
    """Since when each is suppressed, None where it is not; and what else is kept of the number: on which do-not-call
    registries it stands (``listed``, of those in ``registries``, each with the date of its version), and what the
    database of reassigned numbers said of it (yes, no, no_data) when it was asked. ``unsold`` is when the person last
    said that their data is not to be sold, ``pulled`` when the state's deletion list was last fetched and worked."""

    phone: datetime | None = None
    email: datetime | None = None
    listed: tuple[str, ...] = ()
    registries: dict[str, date] = {}
    reassigned: str | None = None
    reassigned_at: datetime | None = None
    unsold: datetime | None = None
    pulled: datetime | None = None

    def tell(self) -> Iterable[str]:
        """Which of the two, if any, is suppressed, and what the lists say."""
        if self.registries:
            seen = ", ".join(f"{name} of {day}" for name, day in sorted(self.registries.items()))
            listed = f"on the list: {', '.join(self.listed)}" if self.listed else "not listed"
            yield f"Do-not-call registries ({seen}): {listed}."
        if self.reassigned is not None:
            yield f"Reassigned since consent, says the database of reassigned numbers: {self.reassigned}."
        for name in ("phone", "email"):
            since = getattr(self, name)
            if since:
                yield f"The {name} is suppressed since {since:%Y-%m-%d}."
        if self.unsold is not None:
            yield f"The person opted out of sale, last on {self.unsold:%Y-%m-%d}."
        if self.pulled is not None:
            yield f"The state's deletion list was last worked on {self.pulled:%Y-%m-%d}."
        if not self.phone and not self.email:
            yield "Neither phone nor e-mail is suppressed."


class Clearance(Evidence, frozen=True, kw_only=True, omit_defaults=True):
    """Leave to hand the lead on, as far as it goes.

    ``channels`` names each way of contact and, where it is closed, why. ``cleared`` are the recipients that may have
    the lead; ``refused`` says of the others why not. ``packs`` are the digests of the laws it was judged by,
    ``obligations`` what goes with the leave; ``pings`` says why nobody may be asked for a bid, where that is so.
    """

    personal: ClassVar[bool] = False
    channels: dict[str, Because | None]
    cleared: list[str]
    refused: dict[str, Because]
    packs: dict[str, str] = {}
    obligations: list[str] = []
    pings: Because | None = None

    def tell(self) -> Iterable[str]:
        """The open and the closed ways of contact, and how many recipients may have the lead."""
        yield f"Open: {', '.join(name for name, shut in self.channels.items() if shut is None) or 'nothing'}."
        for name, shut in self.channels.items():
            if shut is not None:
                yield f"No {name}: {shut.message}"
        yield f"{len(self.cleared)} recipients may have it, {len(self.refused)} may not."
        if self.pings is not None:
            yield f"Nobody may be asked for a bid: {self.pings.message}"
        for one in self.obligations:
            yield f"What goes with it: {one.replace('_', ' ')}."


class Suppression(Struct, frozen=True):
    """An opt-out kept as a keyed hash for good. ``kind`` is ``phone`` or ``email``; ``source`` how it came,
    ``opt_out_id`` which opt-out it was."""

    hash: bytes
    kind: str
    at: datetime
    source: str
    opt_out_id: str | None = None


class Registry(Struct, frozen=True):
    """A do-not-call registry that is here: ``federal`` or a state's two letters, the date of its version, how many
    numbers are on it, and when it was taken in."""

    registry: str
    as_of: date
    entries: int
    taken_at: datetime
