"""Pure rules of opting out: reading contact details, the token of one click, and what is read from files. No clock, no
store.

Called by the verbs of this package and by ``flow``. What is read here becomes a keyed hash at once.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from leadmill.core.faults import BadInput, FieldFault, NotFound, Permanent
from leadmill.facts import read_email, read_phone
from leadmill.identity import email_key
from leadmill.optouts.model import KINDS, Contact, Scope
from leadmill.policy import listed_emails, listed_phones
from leadmill.runtime.tokens import bytes_of, token_of

KeyedHash = Callable[[str, str], bytes]

_PURPOSE = "one-click"
_DIGEST = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)


def contact_of(keyed_hash: KeyedHash, text: str, country: str = "US") -> Contact | None:
    """An e-mail address or a phone number as the hash that persons are known by; None where it is neither."""
    if "@" in text:
        email = read_email(text)
        return Contact("email", keyed_hash("email", email_key(email.lookup))) if email else None
    phone = read_phone(text, country)
    return Contact("phone", keyed_hash("phone", phone.e164)) if phone else None


def contacts_of(keyed_hash: KeyedHash, fields: Mapping[str, Any]) -> list[Contact]:
    """The contact details of a lead's fields that are in order."""
    return _contacts(keyed_hash, *_read(fields))


def keys_of(keyed_hash: KeyedHash, fields: Mapping[str, Any]) -> list[bytes]:
    """Every hash under which a lead's contact details may be suppressed, those of lists of hashes included."""
    lookup, e164 = _read(fields)
    listed = (*listed_emails(keyed_hash, lookup), *listed_phones(keyed_hash, e164))
    return [*(one.hash for one in _contacts(keyed_hash, lookup, e164)), *listed]


def _read(fields: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The e-mail address and the phone number of a lead, as they are looked up."""
    country, given, number = fields.get("country"), fields.get("email"), fields.get("phone")
    email = read_email(given) if isinstance(given, str) and "@" in given else None
    home = country if isinstance(country, str) and len(country) == 2 else "US"
    phone = read_phone(number, home) if isinstance(number, str) and number else None
    return email.lookup if email else None, phone.e164 if phone else None


def _contacts(keyed_hash: KeyedHash, lookup: str | None, e164: str | None) -> list[Contact]:
    found = [Contact("email", keyed_hash("email", email_key(lookup)))] if lookup else []
    return [*found, Contact("phone", keyed_hash("phone", e164))] if e164 else found


def within(scope: Scope, contacts: Iterable[Contact]) -> list[Contact]:
    """Those that a scope closes, each once."""
    return list(dict.fromkeys(contact for contact in contacts if contact.kind in KINDS[scope]))


# One click


class Ticket(Struct, frozen=True, array_like=True):
    """What a link to unsubscribe carries, sealed: the lead it was sent about and the keyed hash of the address, which
    stays good after the person was forgotten."""

    lead_id: str
    email: bytes


Seal = Callable[[bytes, bytes, str], bytes]
"""``vault.seal`` and ``vault.open``: key, bytes, context."""


def _key(keyed_hash: KeyedHash) -> bytes:
    # A key of 32 bytes for this use alone, from the two halves that the vault derives.
    return keyed_hash(_PURPOSE, "first half") + keyed_hash(_PURPOSE, "second half")


def seal_ticket(keyed_hash: KeyedHash, seal: Seal, ticket: Ticket) -> str:
    """The token for an address. It tells nothing to whoever sees it and cannot be made by anybody else; it has no end,
    for a link to unsubscribe must work for at least 30 days (16 CFR 316.5) and does no harm later."""
    sealed = seal(_key(keyed_hash), msgspec.msgpack.encode(ticket), _PURPOSE)
    return token_of(sealed)


def open_ticket(keyed_hash: KeyedHash, unseal: Seal, token: str) -> Ticket:
    """What a token carries. Raises NotFound ``optouts.token.unknown`` for one that is not ours or was changed."""
    try:
        return msgspec.msgpack.decode(unseal(_key(keyed_hash), bytes_of(token), _PURPOSE), type=Ticket)
    except (ValueError, msgspec.DecodeError, Permanent):
        raise NotFound("optouts.token.unknown", "this link is not one of ours, or not whole") from None


# Lists


class Entry(Struct, frozen=True):
    """One line of a list: a contact detail, or the SHA-256 of one (hexadecimal), with its line number."""

    line: int
    text: str
    digest: bool = False


def read_lines(lines: Iterable[str]) -> Iterator[Entry]:
    """The entries of a list: one a line, or the first column of a CSV; a heading, blanks and lines that begin with #
    are passed over."""
    for number, raw in enumerate(lines, 1):
        text = raw.strip().lstrip("\ufeff").partition(",")[0].partition(";")[0].partition("\t")[0].strip(" \"'")
        if not text or text.startswith("#"):
            continue
        if number == 1 and not any(sign.isdigit() for sign in text) and "@" not in text:
            continue
        yield Entry(number, text, bool(_DIGEST.fullmatch(text)))


def contact_or_fault(keyed_hash: KeyedHash, text: str, pointer: str, country: str = "US") -> Contact:
    """As :func:`contact_of`; raises BadInput ``optouts.contact.malformed`` with the place at fault."""
    found = contact_of(keyed_hash, text, country)
    if found is None:
        says = "write an e-mail address or a phone number, such as ana@example.com or +14155550123"
        raise BadInput("optouts.contact.malformed", says, [FieldFault(pointer, "optouts.contact.malformed", says)])
    return found
