"""What of a request is sealed: opened and closed with the request's own key.

Used by the verbs beside it and by whoever shows a request. What was let go of reads as nothing.
"""

from datetime import datetime

import msgspec

from leadmill.core.ids import Mint
from leadmill.privacy.model import PrivacyRequest, Retained, Statement
from leadmill.runtime.vault import Vault


def open_told(vault: Vault, one: PrivacyRequest) -> Statement:
    """What the person wrote; nothing where nothing was kept, or it was let go of."""
    if one.sealed is None or one.wrapped_key is None:
        return Statement()
    return msgspec.msgpack.decode(
        vault.open(vault.unwrap(one.wrapped_key), one.sealed, f"{one.id} told"), type=Statement
    )


def sealed_answer(vault: Vault, one: PrivacyRequest, plain: bytes) -> bytes | None:
    """An answer under the request's key; None where it has none."""
    if one.wrapped_key is None:
        return None
    return vault.seal(vault.unwrap(one.wrapped_key), plain, f"{one.id} answer")


def open_answer(vault: Vault, one: PrivacyRequest) -> bytes | None:
    """An answer's bytes; None where there is none (any more)."""
    if one.answer is None or one.wrapped_key is None:
        return None
    return vault.open(vault.unwrap(one.wrapped_key), one.answer, f"{one.id} answer")


def open_note(vault: Vault, one: PrivacyRequest, note: bytes | None) -> str:
    """What somebody wrote about a request."""
    if note is None or one.wrapped_key is None:
        return ""
    return vault.open(vault.unwrap(one.wrapped_key), note, f"{one.id} note").decode()


def retain(
    vault: Vault, mint: Mint, request_id: str, lead_id: str, basis: str, plain: bytes, now: datetime, until: datetime
) -> Retained:
    """Proof of somebody who is deleted, under a key of its own."""
    ident = mint("ret", now)
    key, wrapped = vault.new_key()
    return Retained(
        id=ident,
        request_id=request_id,
        lead_id=lead_id,
        basis=basis,
        at=now,
        until=until,
        wrapped_key=wrapped,
        sealed=vault.seal(key, plain, f"{ident} retained"),
    )


def open_retained(vault: Vault, one: Retained) -> bytes | None:
    """What was retained; None once its time was over."""
    if one.sealed is None or one.wrapped_key is None:
        return None
    return vault.open(vault.unwrap(one.wrapped_key), one.sealed, f"{one.id} retained")
