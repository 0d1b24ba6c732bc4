"""What is decided about sign-ins, purely: codes, who must show more than a password, whose word gives which role.

Called by the verbs beside it. The clock and the secrets are arguments."""

import re
from base64 import b32encode
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from leadmill.access.model import (
    AccessReview,
    Claims,
    Factors,
    KeyLine,
    OperatorLine,
    Party,
    Policy,
    Provider,
    Standing,
)
from leadmill.core.faults import BadInput, Forbidden
from leadmill.parties import ApiKey, Operator, Role, Stage

PERIOD = 30
"""Seconds that one code of a code app counts (RFC 6238)."""
DRIFT = 1
"""How many codes a device's clock may be off, either way."""
SECRET_BYTES = 20
CODES = 10
"""How many recovery codes are made at once."""
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
UNUSED = timedelta(days=90)
"""Whoever has not come in for so long need not be able to."""
LONG_LIVED = timedelta(days=365)


def step_of(secret: bytes, code: str, now: datetime, last: int) -> int | None:
    """The time step whose code this is, None where it is none of the present one or its neighbours, or of one that
    was used before: ``last`` is the latest used (RFC 6238, 5.2: a code counts once)."""
    if not re.fullmatch(r"\d{6}", code):
        return None
    device = TOTP(secret, 6, SHA1(), PERIOD, enforce_key_length=False)  # noqa: S303  what every app computes (RFC 6238)
    present = int(now.timestamp()) // PERIOD
    for step in range(present - DRIFT, present + DRIFT + 1):
        try:
            device.verify(code.encode(), step * PERIOD)
        except InvalidToken:
            continue
        if step > last:
            return step
    return None


def enrolment_uri(secret: bytes, email: str) -> str:
    """The address that code apps read, as text or from a QR code."""
    device = TOTP(secret, 6, SHA1(), PERIOD, enforce_key_length=False)  # noqa: S303
    return device.get_provisioning_uri(email, "Leadmill")


def shown_secret(secret: bytes) -> str:
    """A secret as people type it: base 32 in groups of four."""
    text = b32encode(secret).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def plain_code(text: str) -> str:
    """A code as it was typed, without what people put between."""
    return re.sub(r"[\s-]", "", text).lower()[:64]


def recovery_code(given: bytes) -> str:
    """A recovery code out of seven random bytes: fifty bits."""
    number = int.from_bytes(given, "big")
    text = "".join(_ALPHABET[number >> shift & 31] for shift in range(45, -1, -5))
    return f"{text[:5]}-{text[5:]}"


def stage_for(role: Role, policy: Policy, factors: Factors, strong: bool) -> Stage:
    """How far somebody comes who has signed in: ``strong`` says that more than a password was shown already."""
    if strong:
        return "open"
    if factors.any:
        return "factor"
    return "enrol" if role in policy.demanded else "open"


def may_remove(role: Role, policy: Policy, factors: Factors) -> bool:
    """Whether one second factor may go: not the last one of somebody who must have one."""
    return role not in policy.demanded or (factors.totp_since is not None) + len(factors.passkeys) > 1


def party_of(scheme: str, host: str, public_url: str) -> Party | None:
    """Who we are to passkeys, None where there is no name that they could be bound to: an IP address is none."""
    origin = public_url or f"{scheme}://{host}"
    scheme, _, rest = origin.partition("://")
    netloc = rest.partition("/")[0].lower()
    name = netloc.rpartition(":")[0] if re.search(r":\d+$", netloc) else netloc
    if not name or name.startswith("[") or re.fullmatch(r"[\d.]+", name):
        return None
    if scheme != "https" and name != "localhost":
        return None  # browsers have no passkeys where anybody could listen
    return Party(name, f"{scheme}://{netloc}")


# Sign-in elsewhere


def read_roles(text: str) -> tuple[tuple[str, Role], ...]:
    """``group=role`` pairs, parted by commas. Raises :class:`BadInput` ``config.setting.malformed``: nobody becomes
    an administrator by another house's word."""
    found = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        group, _, word = (each.strip() for each in part.rpartition("="))
        if not group or word not in Role.__members__.values():
            raise BadInput("config.setting.malformed", "LEADMILL_OIDC_ROLES: write group=role, parted by commas")
        if Role(word) is Role.ADMIN:
            raise BadInput(
                "config.setting.malformed",
                "LEADMILL_OIDC_ROLES: administrators are made here, not by a group elsewhere",
            )
        found.append((group, Role(word)))
    return tuple(found)


def role_of(claims: Claims, provider: Provider) -> Role:
    """The role that a provider's word gives. Raises :class:`Forbidden` ``access.outside.refused`` for an address that
    is not checked or of another domain, and for somebody in none of the groups."""
    name, _, domain = claims.email.rpartition("@")
    if not claims.verified or not name or domain not in provider.domains:
        raise Forbidden("access.outside.refused", "your address may not come in here; ask an administrator")
    for group, role in provider.roles:
        if group in claims.groups or group == "*":
            return role
    raise Forbidden("access.outside.refused", "none of your groups may come in here; ask an administrator")


# The review


def review(standing: Standing, policy: Policy, now: datetime) -> AccessReview:
    """Who may come in, with what somebody should look at."""
    return AccessReview(
        now,
        tuple(_operator_line(each, standing, policy, now) for each in standing.operators),
        tuple(_key_line(each, now) for each in standing.keys if each.revoked_at is None and not _over(each, now)),
    )


def _operator_line(each: Operator, standing: Standing, policy: Policy, now: datetime) -> OperatorLine:
    seen = standing.signed_in.get(each.id)
    totp, passkeys = each.id in standing.totp, standing.passkeys.get(each.id, 0)
    remarks: list[str] = []
    if not each.disabled:
        if now - (seen or each.created_at) >= UNUSED:
            remarks.append("has not signed in for 90 days" if seen else "has never signed in")
        if not totp and not passkeys and each.id not in standing.outside:
            says = "must have a second factor and has none" if each.role in policy.demanded else "has no second factor"
            remarks.append(says)
    return OperatorLine(
        id=each.id,
        email=each.email,
        name=each.name,
        role=each.role,
        disabled=each.disabled,
        created_at=each.created_at,
        signed_in_at=seen,
        totp=totp,
        passkeys=passkeys,
        outside=each.id in standing.outside,
        remarks=tuple(remarks),
    )


def _key_line(each: ApiKey, now: datetime) -> KeyLine:
    remarks = []
    if now - (each.seen_at or each.created_at) >= UNUSED:
        remarks.append("not used for 90 days" if each.seen_at else "never used")
    if each.expires_at is None and each.kind == "operator":
        remarks.append("never expires")
    if now - each.created_at >= LONG_LIVED:
        remarks.append("older than a year")
    if each.kind == "operator" and each.scopes is None:
        remarks.append("reaches all that its role may")
    return KeyLine(
        id=each.id,
        kind=each.kind,
        owner=each.owner,
        role=each.role,
        scopes=each.scopes,
        masked=each.masked,
        created_at=each.created_at,
        expires_at=each.expires_at,
        seen_at=each.seen_at,
        remarks=tuple(remarks),
    )


def _over(key: ApiKey, now: datetime) -> bool:
    return key.expires_at is not None and key.expires_at <= now


def span(since: str, until: str, now: datetime) -> tuple[datetime, datetime]:
    """A span out of two days or moments as people write them, the end by default now. A day stands for its beginning
    as a start and for its end as an end. Raises :class:`BadInput` ``access.span.malformed``."""
    start, end = _moment(since, now, False), _moment(until, now, True) if until else now
    if start >= end:
        raise BadInput("access.span.malformed", "the beginning lies after the end")
    return start, end


def _moment(text: str, now: datetime, ends: bool) -> datetime:
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput("access.span.malformed", "write a day such as 2026-03-04, or a moment with its offset") from None
    if not 1 < found.year < 9999:
        raise BadInput("access.span.malformed", "write a day of this calendar")
    if ends and len(text.strip()) == len("2026-03-04"):
        found += timedelta(days=1)
    return found if found.tzinfo else found.replace(tzinfo=now.tzinfo)
