"""Code apps and recovery codes: set up, shown, taken away."""

from datetime import datetime

from leadmill.access import store
from leadmill.access.model import Act, Enrolment, Policy
from leadmill.access.rules import (
    CODES,
    SECRET_BYTES,
    enrolment_uri,
    may_remove,
    plain_code,
    recovery_code,
    shown_secret,
    step_of,
)
from leadmill.core.faults import Conflict, Forbidden, NotFound
from leadmill.parties import KeyedHash, Operator, Random, clear_tries, count_tries
from leadmill.runtime.db import Database, Tx
from leadmill.runtime.vault import Vault

TRIES = 5
"""Wrong codes and passkeys that somebody may show within fifteen minutes."""
_CONTEXT = "operator/{}/totp"


async def begin_totp(tx: Tx, vault: Vault, random: Random, operator: Operator, now: datetime) -> None:
    """Make a secret for a code app, which counts once a code of it was shown. Raises :class:`Conflict`
    ``access.totp.exists``."""
    key, wrapped = vault.new_key()
    sealed = vault.seal(key, random(SECRET_BYTES), _CONTEXT.format(operator.id))
    if not await store.put_totp(tx, operator.id, wrapped, sealed, now):
        raise Conflict("access.totp.exists", "a code app is set up already; take it away first")


async def pending_totp(tx: Tx, vault: Vault, operator: Operator) -> Enrolment | None:
    """The secret that waits to be confirmed, None where none does."""
    held = await store.totp_of(tx, operator.id)
    if held is None or held[2] is not None:
        return None
    secret = _open(vault, operator.id, held[0], held[1])
    return Enrolment(shown_secret(secret), enrolment_uri(secret, operator.email))


async def confirm_totp(tx: Tx, vault: Vault, operator: Operator, code: str, now: datetime, address: str) -> bool:
    """Whether this is a code of the app that waits; then it counts from now on."""
    held = await store.totp_of(tx, operator.id)
    if held is None or held[2] is not None or not await _show_totp(tx, vault, operator.id, plain_code(code), now):
        return False
    store.note_act(tx, Act(now, operator.id, "totp_added", operator.id, address))
    return True


async def show_code(
    db: Database, vault: Vault, digest: KeyedHash, operator: Operator, code: str, now: datetime, address: str
) -> str:
    """What was shown: ``code`` for one of the app's, ``recovery code`` for one of those; each counts once.

    Raises :class:`Forbidden` ``access.code.wrong``, and :class:`leadmill.parties.Throttled`
    ``parties.sign_in.throttled`` after five tries within fifteen minutes."""
    subject = digest("second_factor", operator.id)
    await count_tries(db, {subject: TRIES}, now)
    plain = plain_code(code)
    async with db.begin() as tx:
        if await _show_totp(tx, vault, operator.id, plain, now, confirmed=True):
            await clear_tries(tx, subject)
            return "code"
        if await store.use_code(tx, operator.id, digest("recovery_code", f"{operator.id} {plain}"), now):
            store.note_act(tx, Act(now, operator.id, "code_used", operator.id, address))
            await clear_tries(tx, subject)
            return "recovery code"
        store.note_act(tx, Act(now, operator.id, "sign_in_refused", operator.id, address))
    raise Forbidden("access.code.wrong", "this code is not right, or was used before")


async def _show_totp(tx: Tx, vault: Vault, operator_id: str, code: str, now: datetime, confirmed: bool = False) -> bool:
    held = await store.totp_of(tx, operator_id)
    if held is None or (confirmed and held[2] is None):
        return False
    step = step_of(_open(vault, operator_id, held[0], held[1]), code, now, held[3])
    return step is not None and await store.use_step(tx, operator_id, step, now)


def _open(vault: Vault, operator_id: str, wrapped: bytes, sealed: bytes) -> bytes:
    return vault.open(vault.unwrap(wrapped), sealed, _CONTEXT.format(operator_id))


async def make_codes(
    tx: Tx, digest: KeyedHash, random: Random, operator: Operator, now: datetime, address: str
) -> list[str]:
    """Ten recovery codes in the place of those before, shown this once."""
    codes = [recovery_code(random(7)) for _ in range(CODES)]
    hashes = [digest("recovery_code", f"{operator.id} {plain_code(code)}") for code in codes]
    await store.replace_codes(tx, operator.id, hashes)
    store.note_act(tx, Act(now, operator.id, "codes_made", operator.id, address))
    return codes


async def remove_totp(tx: Tx, policy: Policy, operator: Operator, now: datetime, address: str) -> None:
    """Take the code app away. Raises :class:`Conflict` ``access.factor.last`` where the role demands a second factor
    and this is the only one."""
    await _check_removal(tx, policy, operator)
    if await store.drop_totp(tx, operator.id):
        store.note_act(tx, Act(now, operator.id, "totp_removed", operator.id, address))


async def remove_passkey(
    tx: Tx, policy: Policy, operator: Operator, passkey_id: str, now: datetime, address: str
) -> None:
    """Take a passkey away. Raises :class:`NotFound` ``access.passkey.unknown``, and as :func:`remove_totp`."""
    await _check_removal(tx, policy, operator)
    if not await store.drop_passkey(tx, operator.id, passkey_id):
        raise NotFound("access.passkey.unknown", "there is no such passkey of yours")
    store.note_act(tx, Act(now, operator.id, "passkey_removed", passkey_id, address))


async def _check_removal(tx: Tx, policy: Policy, operator: Operator) -> None:
    if not may_remove(operator.role, policy, await store.factors_of(tx, operator.id)):
        raise Conflict("access.factor.last", "your role must have a second factor; set up another one first")


async def reset_factors(tx: Tx, operator_id: str, who: str, now: datetime, address: str = "") -> None:
    """Take every second factor of somebody away who lost them; ``who`` does it."""
    await store.drop_factors(tx, operator_id)
    store.note_act(tx, Act(now, who, "factors_reset", operator_id, address))
