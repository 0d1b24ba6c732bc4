"""Under which hashes a list of opt-outs that holds no contact details may have somebody. Pure.

Such lists hold the SHA-256 of an e-mail address or a phone number, in one of the forms that the trade hashes. What is
kept of them is a keyed hash of that, so that nobody can read people from it; a lead is looked up under each form.
"""

import hashlib
from collections.abc import Callable

KeyedHash = Callable[[str, str], bytes]

_PURPOSE = "suppressed-sha256"


def listed_emails(keyed_hash: KeyedHash, lookup: str | None) -> tuple[bytes, ...]:
    """The keys of an e-mail address: of its SHA-256 in lower case."""
    return (listed_key(keyed_hash, _sha256(lookup.strip().lower())),) if lookup else ()


def listed_phones(keyed_hash: KeyedHash, e164: str | None) -> tuple[bytes, ...]:
    """The keys of a phone number: of the SHA-256 of ``+14155550123``, ``14155550123`` and, where the plan is North
    America's, ``4155550123``."""
    if not e164:
        return ()
    digits = e164.removeprefix("+")
    forms = [f"+{digits}", digits]
    if len(digits) == 11 and digits.startswith("1"):
        forms.append(digits[1:])
    return tuple(listed_key(keyed_hash, _sha256(form)) for form in forms)


def listed_key(keyed_hash: KeyedHash, sha256: str) -> bytes:
    """The key under which an entry of such a list is kept; ``sha256`` is hexadecimal."""
    return keyed_hash(_PURPOSE, sha256.lower())


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def limit_key(keyed_hash: KeyedHash, contact: bytes) -> bytes:
    """The key under which a limit on sensitive data is kept for a contact detail, known by its keyed hash."""
    return keyed_hash("limited", contact.hex())


def sale_key(keyed_hash: KeyedHash, contact: bytes) -> bytes:
    """The key under which an opt-out of sale is kept for a contact detail, known by its keyed hash."""
    return keyed_hash("not for sale", contact.hex())
