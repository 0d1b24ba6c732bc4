"""What stands behind a sign-in beside the password, and what is written down about who did what.

Decoded and kept by ``store``, judged by ``rules``, ``passkeys`` and ``outside``. No secret of a person stands here in
the clear but the one that is shown once, when it is made."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from leadmill.parties import ApiKey, LeadRead, Operator, ReaderSum, Role


class Policy(Struct, frozen=True):
    """Which roles may not do without a second factor."""

    demanded: frozenset[Role] = frozenset()


class Passkey(Struct, frozen=True, kw_only=True):
    """A key pair whose private half a device or a password manager holds. ``name`` is its owner's word for it;
    ``backed_up`` says that it is kept in more than one place."""

    id: str
    operator_id: str
    credential: bytes
    public_key: bytes
    sign_count: int
    name: str
    created_at: datetime
    used_at: datetime | None = None
    backed_up: bool = False


class Factors(Struct, frozen=True):
    """What somebody has beside the password: since when a code app, which passkeys, how many recovery codes."""

    totp_since: datetime | None = None
    passkeys: tuple[Passkey, ...] = ()
    codes_left: int = 0

    @property
    def any(self) -> bool:
        """Whether there is a second factor; recovery codes alone are none."""
        return self.totp_since is not None or bool(self.passkeys)


class Enrolment(Struct, frozen=True):
    """A secret for a code app that waits to be confirmed: in base 32, and as the address that apps read."""

    secret: str
    uri: str


class Party(Struct, frozen=True):
    """Who we are to a browser's passkeys: the name they are bound to and the origin that pages come from."""

    rp_id: str
    origin: str


class Provider(Struct, frozen=True, kw_only=True):
    """Another house that signs people in by OpenID Connect. ``secret`` is the name of the variable with the client's
    secret; ``roles`` maps values of ``claim`` to roles, the first that fits counts; ``domains`` are the mail domains
    that may come in, none for nobody."""

    issuer: str
    client_id: str
    secret: str = ""
    label: str = "your organisation"
    domains: tuple[str, ...] = ()
    claim: str = "groups"
    roles: tuple[tuple[str, Role], ...] = ()
    scopes: str = "openid email profile"


class Metadata(Struct, frozen=True):
    """What a provider says of itself at ``/.well-known/openid-configuration``."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Claims(Struct, frozen=True, kw_only=True):
    """What a provider's checked token says: who, with which address, in which groups, and whether the provider asked
    for more than one proof (``strong``)."""

    issuer: str
    subject: str
    email: str
    verified: bool
    name: str = ""
    groups: tuple[str, ...] = ()
    strong: bool = False


class Errand(Struct, frozen=True):
    """What a browser that was sent to another house has to bring back, and where it was going."""

    state: str
    nonce: str
    verifier: str
    goes_on: str = ""


ACTS: dict[str, str] = {
    "signed_in": "signed in",
    "sign_in_refused": "was refused with a wrong code or passkey",
    "signed_out_everywhere": "ended other sessions",
    "password_changed": "changed the password",
    "password_set": "gave somebody a password",
    "operator_added": "added an operator",
    "operator_changed": "changed a role or locked somebody out",
    "totp_added": "set up a code app",
    "totp_removed": "took a code app away",
    "codes_made": "made recovery codes",
    "code_used": "used a recovery code",
    "passkey_added": "added a passkey",
    "passkey_removed": "took a passkey away",
    "factors_reset": "took somebody's second factors away",
    "outside_tied": "was tied to a sign-in elsewhere",
    "key_made": "made a key",
    "key_rotated": "rotated a key",
    "key_revoked": "revoked a key",
    "review_signed": "signed an access review",
    "breach_report": "asked who read what",
    "exported": "exported records",
    "person_forgotten": "had a person forgotten",
    "request_carried_out": "had a consumer's request carried out",
    "request_decided": "decided about a consumer's request",
    "retention_run": "ran the retention schedules",
    "hold_lifted": "lifted a legal hold",
    "backed_up": "made a backup",
    "restored": "restored a backup",
    "master_changed": "changed the master key",
    "rating_changed": "changed how leads are rated",
}
"""What is written down of who did what about access, and of who did what cannot be undone or takes records out of the
house; closed, so that a report can be read."""


COMMAND_LINE = "command line"
"""Stands for whoever sits at the machine, in what is written down."""


class Act(Struct, frozen=True):
    """Somebody did something about access: ``who`` an operator's or key's id, or ``command line``; ``what`` of
    :data:`ACTS`; ``about`` the id of whom or what; ``address`` where it came from."""

    at: datetime
    who: str
    what: str
    about: str = ""
    address: str = ""


class OperatorLine(Struct, frozen=True, kw_only=True):
    """One person of an access review. ``remarks`` say what somebody should look at."""

    id: str
    email: str
    name: str
    role: Role
    disabled: bool
    created_at: datetime
    signed_in_at: datetime | None
    totp: bool
    passkeys: int
    outside: bool
    remarks: tuple[str, ...] = ()


class KeyLine(Struct, frozen=True, kw_only=True):
    """One key of an access review."""

    id: str
    kind: str
    owner: str
    role: Role | None
    scopes: tuple[str, ...] | None
    masked: bool
    created_at: datetime
    expires_at: datetime | None
    seen_at: datetime | None
    remarks: tuple[str, ...] = ()


class AccessReview(Struct, frozen=True):
    """Who may come in, what they may do and when they last did, at one moment."""

    at: datetime
    operators: tuple[OperatorLine, ...]
    keys: tuple[KeyLine, ...]

    @property
    def remarks(self) -> int:
        """How many remarks there are."""
        return sum(len(each.remarks) for each in self.operators) + sum(len(each.remarks) for each in self.keys)


class Signed(Struct, frozen=True):
    """A review that somebody has signed: ``digest`` is the SHA-256 of what was signed."""

    id: str
    at: datetime
    by: str
    note: str
    digest: str
    operators: int
    keys: int
    remarks: int


class Standing(Struct, frozen=True):
    """What the store knows of everybody, from which a review is judged."""

    operators: tuple[Operator, ...]
    keys: tuple[ApiKey, ...]
    signed_in: Mapping[str, datetime]
    totp: frozenset[str]
    passkeys: Mapping[str, int]
    outside: frozenset[str]


class BreachReport(Struct, frozen=True, kw_only=True):
    """Who was shown what of whom in a span. ``readers`` sums up, ``reads`` has each (the latest first; ``whole`` says
    whether all of them stand here); ``acts`` are what was done about access meanwhile."""

    since: datetime
    until: datetime
    names: dict[str, str]
    readers: tuple[ReaderSum, ...]
    reads: tuple[LeadRead, ...]
    acts: tuple[Act, ...]
    leads: int
    whole: bool = True
