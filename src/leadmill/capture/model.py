"""What comes in: the raw submission, the lead mapped from it, and the verticals and forms that say what may be in it.

Read by every package downstream. A :class:`Submission` is what was received, byte for byte; a :class:`Lead` is one
interest of one person in one vertical, mapped from it, small on purpose.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Literal

from msgspec import Struct, field

from leadmill.core.case import Evidence
from leadmill.core.reasons import State, declare

Value = str | int | float | bool | list[str] | None
"""What a field may hold; dates are ISO strings, money is a number of the vertical's currency."""

PING_ID = "ping_id"
"""The name in a lead's context under which a post says which ping it follows."""

FILLED_HEADER = "x-leadmill-filled"
"""Under this name a hosted submission's headers hold the seconds between the page that we served and its answer."""

TAKEN_OVER = "taken_over"
"""The name in a lead's context that lists the fields of which the person was not asked again."""

Channel = Literal["json", "form", "hosted", "file", "hook", "dialect"]
"""How a submission came: an API call, a form-encoded call, a page of ours, a row of a file, a platform's webhook, a
call in another system's dialect."""

FieldType = Literal["text", "int", "number", "money", "bool", "choice", "date", "list"]

INCOMPLETE = declare("capture.lead.incomplete", "The lead cannot be used: missing {missing}.", State.REJECTED)
UNREADABLE = declare("capture.lead.unreadable", "The submission cannot be read as a lead: {faults}.", State.REJECTED)
LOOP = declare(
    "capture.path.loop",
    "It has been here before, as {known}: it went out from here and was sold back.",
    State.REJECTED,
)
HONEYPOT = declare("capture.form.honeypot", "A field that people cannot see was filled in.", State.REJECTED)


class TakenAnswer(Struct, frozen=True):
    """An answer that a person gave before, for a form that did not ask it again: the field's ``name`` and value, the
    lead they gave it with and when. ``value`` is None where somebody took it back."""

    name: str
    value: Value
    lead_id: str
    at: datetime


class Submission(Evidence, frozen=True, kw_only=True):
    """A raw capture, never altered. ``digest`` is the hex SHA-256 of ``body``; ``headers`` holds the few that matter,
    by lower-case name. For a ``hosted`` submission ``form`` is the id of the published form and ``form_version`` the
    version that the page was stamped with. ``vertical`` is the one its channel is bound to, where the body need not
    say; ``ping_id`` the ping that it follows, where it was posted against one. ``dialect`` names the other system's
    dialect that the body is in; ``query`` is the part of the address behind the question mark, where fields came in
    it. ``taken`` are the answers that a progressive form did not ask again. ``session`` is the secret name of the visit
    to a page of ours and ``witness`` what is known of how that page was seen, packed by ``consent``."""

    id: str
    source_id: str
    channel: Channel
    received_at: datetime
    content_type: str
    body: bytes
    digest: str
    headers: dict[str, str] = field(default_factory=dict)
    remote_ip: str | None = None
    idempotency_key: str | None = None
    form: str | None = None
    form_version: str | None = None
    vertical: str | None = None
    ping_id: str | None = None
    dialect: str | None = None
    query: str = ""
    taken: list[TakenAnswer] = []
    session: str = ""
    witness: bytes = b""

    personal: ClassVar[bool] = True
    kept: ClassVar[bool] = False

    def tell(self) -> Iterable[str]:
        """How and how much came in, without the content."""
        by = self.dialect or self.channel
        yield f"Received by {by} from {self.source_id}: {len(self.body)} bytes, digest {self.digest[:12]}."


class Lead(Evidence, frozen=True, kw_only=True):
    """One interest of one person in one vertical.

    ``fields`` holds the standard fields and the vertical's own by their canonical names, ``consent`` and ``context``
    what came with them, ``extra`` everything the vertical does not know, as it came. Absent fields are absent, never
    guessed.
    """

    id: str
    vertical: str
    source_id: str
    received_at: datetime
    fields: dict[str, Value] = field(default_factory=dict)
    consent: dict[str, Value] = field(default_factory=dict)
    context: dict[str, Value] = field(default_factory=dict)
    extra: dict[str, Value] = field(default_factory=dict)
    test: bool = False

    personal: ClassVar[bool] = True
    kept: ClassVar[bool] = False

    def text(self, name: str) -> str | None:
        """A field as text; None where it is absent or blank."""
        value = self.fields.get(name)
        return None if value is None or value == "" else str(value)

    def tell(self) -> Iterable[str]:
        """Which fields are known, without their values."""
        known = ", ".join(sorted(self.fields)) or "no fields"
        yield f"A {self.vertical} lead{' (test)' if self.test else ''} with {known}."
        if self.extra:
            yield f"{len(self.extra)} fields unknown to the vertical were kept."


class TakenFrom(Struct, frozen=True, array_like=True):
    """Where the value of a field is taken from: the lead with which the person gave it, and when."""

    name: str
    lead_id: str
    at: datetime


class TakenOver(Evidence, frozen=True):
    """The fields that the person was not asked again, each with where it is taken from."""

    items: list[TakenFrom] = []

    personal: ClassVar[bool] = True

    def tell(self) -> Iterable[str]:
        """One sentence a field, without its value."""
        for item in self.items:
            name = item.name.replace("_", " ")
            yield f"{name[:1].upper()}{name[1:]} was not asked again: given on {item.at:%Y-%m-%d} with {item.lead_id}."


class Choice(Struct, frozen=True):
    """One allowed answer: what is stored, what a person reads, and what else it is written as."""

    value: str
    label: str
    synonyms: tuple[str, ...] = ()


class FieldSpec(Struct, frozen=True, kw_only=True):
    """A field a vertical knows. ``minimum`` and ``maximum`` bound numbers, ``max_length`` texts (characters); ``yes``
    and ``no`` are words that answer a ``bool`` besides the usual ones.

    ``sensitive`` names the category of sensitive data (``health``, ``financial`` …) where it is one; ``personal``
    marks what identifies a person, which is masked wherever the reader's role does not show it.
    """

    name: str
    type: FieldType = "text"
    title: str = ""
    choices: tuple[Choice, ...] = ()
    aliases: tuple[str, ...] = ()
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    required: bool = False
    personal: bool = False
    sensitive: str | None = None
    max_length: int = 500
    minimum: float | None = None
    maximum: float | None = None
    autocomplete: str | None = None
    hint: str = ""


class Neutral(Struct, frozen=True):
    """Why a vertical's recipients may not be ranked by what they pay (``rule``, ``citation``, ``says``), by which
    criteria instead, best first, and for leads of which ``pages`` (kinds of a source's page; empty: every lead)."""

    rule: str
    citation: str
    says: str
    criteria: tuple[str, ...]
    pages: tuple[str, ...] = ()


class Matching(Struct, frozen=True):
    """How a vertical's leads find their person where no e-mail address or phone number decides.

    ``fuzzy`` is False where nobody is to be found by likeness. From the probability ``same`` on a lead is the person's
    it looks like, from ``duplicate`` on surely enough to count as that person's second submission; from ``possible`` on
    the likeness is kept for somebody to look at. ``people`` is about how many persons the store knows: among more, a
    likeness says less.
    """

    fuzzy: bool = True
    same: float = 0.75
    duplicate: float = 0.99
    possible: float = 0.2
    people: int = 1_000_000


EVERYWHERE = Matching()
"""What holds where a pack says nothing."""


class Vertical(Struct, frozen=True, kw_only=True):
    """A decoded vertical pack: ``pack.toml`` and ``fields.toml`` with the common fields beneath.

    ``fields`` is by canonical name, the common ones included. ``dedupe_window_days`` is how long a second submission
    of the same person counts as the same lead. ``consent`` and ``context`` describe what comes beside the fields,
    ``control`` what steers the intake (vertical, test, keys); ``objects`` are names under which callers nest fields.
    ``neutral`` is set where recipients may not be ranked by what they pay. ``withhold`` names fields that are told to
    no provider of facts, besides the sensitive ones; ``*`` is all of them. ``masked`` are the fields that the law keeps
    out of pings, ``barred`` what no price may be for, each with why. ``digest`` is that of the pack and the common
    fields, and goes into every decision made with it.
    """

    name: str
    title: str
    fields: dict[str, FieldSpec]
    consent: dict[str, FieldSpec] = field(default_factory=dict)
    context: dict[str, FieldSpec] = field(default_factory=dict)
    control: dict[str, FieldSpec] = field(default_factory=dict)
    objects: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    dedupe_window_days: int = 30
    consent_required: bool = True
    currency: str = "USD"
    adult_only: bool = False
    neutral: Neutral | None = None
    withhold: tuple[str, ...] = ()
    digest: str = ""
    matching: Matching = EVERYWHERE
    masked: frozenset[str] = frozenset()
    barred: dict[str, str] = field(default_factory=dict)

    @property
    def required(self) -> tuple[str, ...]:
        """The names of the fields without which a lead is of no use."""
        return tuple(name for name, spec in self.fields.items() if spec.required)

    @property
    def sensitive(self) -> frozenset[str]:
        """The names of the sensitive fields."""
        return frozenset(name for name, spec in self.fields.items() if spec.sensitive)


class Mapped(Struct, frozen=True, kw_only=True):
    """A request read as a lead of a vertical, before it has an id. ``trapped`` says that the hidden field was filled
    in, ``taken`` which fields are the person's earlier answers."""

    vertical: str
    fields: dict[str, Value]
    consent: dict[str, Value]
    context: dict[str, Value]
    extra: dict[str, Value]
    test: bool = False
    trapped: bool = False
    taken: tuple[str, ...] = ()


class StoredSubmission(Struct, frozen=True, kw_only=True):
    """A submission's row: what is no secret, and the submission itself ``sealed`` with the person's key."""

    id: str
    lead_id: str
    person_id: str
    source_id: str
    channel: str
    received_at: datetime
    content_type: str
    digest: str
    idempotency_key: str | None
    sealed: bytes


ImportState = Literal["running", "done", "failed"]


class ImportRun(Struct, frozen=True, kw_only=True):
    """One file on its way in. The same file, source, vertical and map is the same run: whoever starts it again goes
    on where its blocks say. ``next_row`` is the number of rows already taken, ``counts`` are leads by status, with
    ``rejected.<code>`` for each reason; until the run is done, both may lag a little behind its blocks."""

    id: str
    file_digest: str
    map_digest: str
    source_id: str
    vertical: str
    file_name: str
    state: ImportState
    total: int | None
    next_row: int
    counts: dict[str, int]
    errors_file: str | None
    started_at: datetime
    changed_at: datetime


BLOCK = 200
"""Rows of an imported file that are taken together. What was taken of a file is kept by block, so this may only change
while no import is under way."""


class ImportBlock(Struct, frozen=True, kw_only=True):
    """What was taken of one block of a file: the first ``taken`` of its rows, with what became of them as in an
    :class:`ImportRun`. ``block`` counts from 0, a block being :data:`BLOCK` rows."""

    block: int
    taken: int
    counts: dict[str, int]


class ImportFault(Struct, frozen=True, kw_only=True):
    """A row that could not be taken, by its line in the file; ``detail`` says what to do and holds no value of the
    row."""

    import_id: str
    line: int
    code: str
    detail: str
    at: datetime


class FileMap(Struct, frozen=True, kw_only=True):
    """How the columns of a file become a lead's fields: a decoded MAP.toml.

    ``columns`` maps a column to where it goes (``first_name``, ``context.channel``, ``extra.tag``), an empty text
    leaving the column out; ``constants`` are added to every row; ``values`` says by target (or ``*`` for all) which
    answer means which, an empty text meaning none; ``types`` by target how a value is written; ``delimiter``,
    ``encoding`` and ``sheet`` say what is otherwise found out.
    """

    columns: dict[str, str] = field(default_factory=dict)
    constants: dict[str, Value] = field(default_factory=dict)
    values: dict[str, dict[str, Value]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    digest: str = ""
