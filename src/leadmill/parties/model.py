"""Whom we deal with: sources, buyers, teams and their reps, and the people and programs that may call us.

Decoded from configuration by ``rules``, kept as versioned documents, read by every package from ``consent`` onwards.
Nothing here holds a secret: a key is known by its keyed hash alone, an outgoing secret by the name of its environment
variable."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

from msgspec import Struct

from leadmill.core.faults import Forbidden
from leadmill.core.hours import Schedule
from leadmill.core.money import Money
from leadmill.parties.requirements import Requirement
from leadmill.parties.words import Came, Demand, Trust

KeyedHash = Callable[[str, str], bytes]
"""Hashes a text for a purpose under a key that only this installation has: ``vault.keyed_hash``."""

KEY_PURPOSE = "api-key"
"""The purpose under which API keys are hashed."""

BuyerKind = Literal["lender", "agency", "law_firm", "installer", "school", "lead_buyer"]


class Payout(Struct, frozen=True):
    """What a source is paid for a sold lead: a share of the price (``rate``, 0 to 1), a fixed ``amount``, or the price
    less our margin: ``rate`` of it, but at least ``amount``."""

    model: Literal["share", "fixed", "margin"]
    rate: Decimal | None = None
    amount: Money | None = None


class Speech(Struct, frozen=True, kw_only=True):
    """The dialect of another system that a source speaks: its ``name``, the ``credentials`` it was given that are no
    secrets, the hex keyed ``hash`` of all of them, and what its codes mean among our ``verticals``."""

    name: str = ""
    credentials: dict[str, str] = {}
    verticals: dict[str, str] = {}
    hash: str = ""


class Source(Struct, frozen=True, kw_only=True):
    """A publisher, affiliate, campaign or own site. ``verticals`` is what it may send, ``payout`` None where it is
    owed nothing, ``terms`` what was agreed with it, in words, ``exclude`` the buyers (by id or name) that get none of
    its leads. ``key_hash`` is the hex keyed hash of its API key, empty where it has none. Its leads go for no less than
    ``floor`` (``shared_floor`` a leg), and only where ``min_margin`` and ``min_margin_rate`` of the price remain once
    it has its payout. ``page`` says what people see where it gathers leads: a ``comparison`` of companies ranks them,
    and the law may say how. ``came`` says how it comes by its leads, ``certifies`` what it has certified of them,
    ``open_complaints`` how many complaints of made-up consent are open against it, None where nobody counts them.
    """

    id: str
    name: str
    verticals: tuple[str, ...]
    payout: Payout | None = None
    floor: Money | None = None
    shared_floor: Money | None = None
    min_margin: Money | None = None
    min_margin_rate: Decimal | None = None
    page: Literal["form", "comparison"] = "form"
    currency: str = "USD"
    terms: str = ""
    exclude: tuple[str, ...] = ()
    dialect: Speech = Speech()
    pings_per_minute: int | None = None
    """How many pings it may send; None where the house's setting counts, 0 for any number."""
    answer_secret: str | None = None
    """The name of the variable with the secret that signs what it is told later, where that is signed."""
    key_hash: str = ""
    key_expires: date | None = None
    retired: bool = False
    came: Came = "publisher_form"
    certifies: tuple[Trust, ...] = ()
    open_complaints: int | None = None


class Licence(Struct, frozen=True, kw_only=True):
    """A licence of a buyer: ``states`` as two letters; ``lines`` of insurance; ``licence_class`` such as ``C-46``;
    the last day it is good is ``expires``, None where it does not end; ``active`` is what the register last said, at
    ``checked``."""

    kind: str
    number: str
    states: tuple[str, ...]
    expires: date | None = None
    lines: tuple[str, ...] = ()
    licence_class: str = ""
    active: bool = True
    checked: date | None = None


class Contract(Struct, frozen=True):
    """The agreement with a buyer; ``privacy_terms`` says whether it binds the buyer to the privacy laws' resale
    terms."""

    signed: date
    privacy_terms: bool = False
    ends: date | None = None


class Credit(Struct, frozen=True):
    """How a buyer pays: ahead (``balance`` is what the account opens with) or by invoice up to ``limit``, None for no
    limit."""

    mode: Literal["prepay", "invoice"] = "invoice"
    balance: Money | None = None
    limit: Money | None = None


class Alert(Struct, frozen=True):
    """Whom to tell when a lead arrives."""

    email: str


class Hook(Struct, frozen=True):
    """An address that takes signed messages (Standard Webhooks); ``secret`` names the environment variable with the
    signing secret."""

    url: str
    secret: str


class KnownPeople(Struct, frozen=True, kw_only=True):
    """How a buyer tells us whom it has already, without telling who they are: hashes of a ``profile``, keyed with the
    secret in the environment variable ``key_env``; ``phone_form`` is how numbers are written before hashing."""

    profile: Literal["hmac-sha256", "sha256", "sha1", "md5"] = "hmac-sha256"
    key_env: str = ""
    phone_form: Literal["e164", "digits", "national"] = "e164"

    @property
    def weak(self) -> bool:
        """Whether the hashes can be undone by trying every phone number."""
        return self.profile != "hmac-sha256"


class Buyer(Struct, frozen=True, kw_only=True):
    """Somebody who buys leads. ``name`` is the legal name a consent must cover, ``brands`` other names it goes by.

    ``zip`` is its office's, ``delivery`` the table as declared, decoded by the delivery package, empty where leads only
    wait in the portal.
    ``vetted`` says that we have checked who this is, ``certifies_use`` that it has certified what it uses leads for.
    ``known`` is set where it keeps a list of the people it has, ``optouts`` where it is told by message who opted out.
    ``demands`` is the evidence without which it gets no lead, ``ownership`` who owns it, by country in per cent, None
    where that is not declared. ``require`` is what every lead must bring to be sold to it. ``clears_conflicts`` says
    that a firm takes no lead before it has cleared conflicts, None where that is not declared.
    """

    id: str
    name: str
    zip: str = ""
    brands: tuple[str, ...] = ()
    kind: BuyerKind = "lead_buyer"
    licences: tuple[Licence, ...] = ()
    contract: Contract | None = None
    credit: Credit = Credit()
    currency: str = "USD"
    delivery: dict[str, Any] = {}
    vetted: bool = True
    certifies_use: bool = True
    alert: Alert | None = None
    known: KnownPeople | None = None
    optouts: Hook | None = None
    key_hash: str = ""
    key_expires: date | None = None
    retired: bool = False
    demands: tuple[Demand, ...] = ()
    ownership: dict[str, float] | None = None
    require: Requirement | None = None
    clears_conflicts: bool | None = None


class Rep(Struct, frozen=True, kw_only=True):
    """A person of a sales team. ``zips`` are ZIP codes or beginnings such as ``94*``, empty for everywhere;
    ``capacity`` is leads a day, None for any number; ``products`` are the verticals the rep works, empty for all of
    the team's; ``skills`` are words of the team's ``needs``; ``hours`` when the rep works, None for always."""

    id: str
    email: str
    name: str = ""
    zips: tuple[str, ...] = ()
    capacity: int | None = None
    products: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    hours: Schedule | None = None


class Team(Struct, frozen=True, kw_only=True):
    """An in-house sales team: an order of price 0 in the same market. ``verticals`` empty means all; ``where`` holds
    the conditions as declared (all must hold); ``priority`` as with an order, 1 is first. ``needs`` maps a skill to
    the conditions (all must hold) under which a lead needs a rep who has it. ``worth`` is what a won lead is worth:
    where it is given the team takes a lead that it is expected to make more of than its sale brings."""

    id: str
    name: str
    verticals: tuple[str, ...] = ()
    where: tuple[dict[str, Any], ...] = ()
    priority: int = 100
    reps: tuple[Rep, ...] = ()
    needs: dict[str, tuple[dict[str, Any], ...]] = {}
    delivery: dict[str, Any] = {}
    alert: Alert | None = None
    retired: bool = False
    worth: Money | None = None


class Roster(Struct, frozen=True):
    """Everybody we deal with at one revision of the configuration, by id; the retired are left out."""

    sources: dict[str, Source] = {}
    buyers: dict[str, Buyer] = {}
    teams: dict[str, Team] = {}

    def recipient(self, recipient_id: str) -> Buyer | Team | None:
        """The buyer or team of this id, or None."""
        return self.buyers.get(recipient_id) or self.teams.get(recipient_id)


class Role(StrEnum):
    """What an operator is here for."""

    ADMIN = "admin"
    OPERATOR = "operator"
    COMPLIANCE = "compliance"
    ANALYST = "analyst"


class Right(StrEnum):
    """Something a role may do."""

    READ = "read"
    SEE_PERSONAL = "see_personal"
    CONFIGURE = "configure"
    RESEND = "resend"
    REVIEW = "review"
    IMPORT = "import"
    MANAGE_USERS = "manage_users"
    PRIVACY = "privacy"
    """Carry out what consumers ask: read, verify and decide requests, forget people."""
    AUDIT = "audit"
    """Review who may come in and who read what."""


_RIGHTS: dict[Role, frozenset[Right]] = {
    Role.ADMIN: frozenset(Right),
    Role.OPERATOR: frozenset(Right) - {Right.MANAGE_USERS, Right.PRIVACY, Right.AUDIT},
    Role.COMPLIANCE: frozenset({Right.READ, Right.SEE_PERSONAL, Right.REVIEW, Right.PRIVACY, Right.AUDIT}),
    Role.ANALYST: frozenset({Right.READ}),
}


def may(role: Role, right: Right) -> bool:
    """Whether the role has the right."""
    return right in _RIGHTS[role]


class Operator(Struct, frozen=True, kw_only=True):
    """A person who signs in. ``email`` is the sign-in name, in lower case."""

    id: str
    email: str
    name: str
    role: Role
    created_at: datetime
    disabled: bool = False

    def may(self, right: Right) -> bool:
        """Whether this operator may do it."""
        return not self.disabled and may(self.role, right)


CallerKind = Literal["source", "buyer", "operator"]


class Caller(Struct, frozen=True, kw_only=True):
    """Who holds an API key: a source, a buyer, or a program with an operator's role. ``owner`` is the party's id.

    ``scopes`` are the parts of the API it may call (``SCOPES``), None for all that its kind may; a ``masked`` key
    sees no personal value whatever its role; ``per_minute`` is how many calls it may make, 0 for any number."""

    kind: CallerKind
    owner: str
    key_id: str
    role: Role | None = None
    expires_at: datetime | None = None
    scopes: frozenset[str] | None = None
    masked: bool = False
    per_minute: int = 0

    def may(self, right: Right) -> bool:
        """Whether the key's role has the right; a source's or buyer's key has none of them."""
        if self.masked and right is Right.SEE_PERSONAL:
            return False
        return self.role is not None and may(self.role, right)

    def reaches(self, scope: str) -> bool:
        """Whether the key is good for this part of the API."""
        return self.scopes is None or scope in self.scopes


class KeyRing(Struct, frozen=True):
    """All keys in force at one ``version``; good until :func:`~leadmill.parties.store.keys_version` says another."""

    version: int
    callers: dict[bytes, Caller]


class ApiKey(Struct, frozen=True, kw_only=True):
    """A key as a list shows it; the key itself was shown once, to whoever made it."""

    id: str
    kind: CallerKind
    owner: str
    role: Role | None
    label: str
    declared: bool
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    scopes: tuple[str, ...] | None = None
    masked: bool = False
    per_minute: int = 0
    seen_at: datetime | None = None
    """When it was last used, to a minute or two."""
    successor: str | None = None
    """The key that was made to take its place."""


Stage = Literal["open", "factor", "enrol"]
"""How far a browser is let in: all the way; its password was right and a second factor is still to come; its role
demands a second factor and it may do nothing but set one up."""


class Session(Struct, frozen=True, kw_only=True):
    """A signed-in browser. ``csrf`` must come back with every form; ``expires_at`` is the last moment, however busy
    it is. ``id`` names it in lists, ``method`` says how it was signed in, ``address`` and ``agent`` from where;
    ``proved_at`` is when the person last showed who they are."""

    operator: Operator
    csrf: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    id: str = ""
    stage: Stage = "open"
    method: str = "password"
    address: str = ""
    agent: str = ""
    proved_at: datetime | None = None


class SignedIn(Struct, frozen=True):
    """What signing in gives: the cookie's ``token``, which exists nowhere else, and the session."""

    token: str
    session: Session


class Throttled(Forbidden):
    """Too many tries; ``after`` is the number of seconds to wait."""

    def __init__(self, code: str, detail: str, after: float) -> None:
        super().__init__(code, detail)
        self.after = after
