"""Passkeys: made, and shown as a second factor, again before what is dangerous, or alone."""

from datetime import datetime, timedelta

from leadmill.access import store
from leadmill.access.model import Act, Party, Passkey
from leadmill.access.passkeys import (
    CHALLENGE_BYTES,
    ask_to_make,
    ask_to_show,
    check_shown,
    credential_of,
    read_made,
)
from leadmill.access.service.factors import TRIES
from leadmill.core.faults import BadInput, Conflict, Forbidden
from leadmill.core.ids import Mint
from leadmill.parties import KeyedHash, Operator, Random, clear_tries, count_tries, find_operator
from leadmill.runtime.db import Database, Tx

PATIENCE = timedelta(minutes=5)
"""How long a browser may take to make or show a passkey."""
MOST = 20
"""The most passkeys that somebody may have."""
_TRIES_PER_ADDRESS = 50


async def offer_passkey(
    tx: Tx, digest: KeyedHash, random: Random, party: Party, operator: Operator, browser: str, now: datetime
) -> str:
    """What a browser needs to make a passkey, as JSON. ``browser`` is the cookie it is known by. Raises
    :class:`Conflict` ``access.passkey.many``."""
    there = await store.passkeys_of(tx, operator.id)
    if len(there) >= MOST:
        raise Conflict("access.passkey.many", f"you have {MOST} passkeys; take one away first")
    challenge = random(CHALLENGE_BYTES)
    await store.put_ceremony(tx, digest("ceremony make", browser), challenge, now + PATIENCE)
    return ask_to_make(party, operator, there, challenge)


async def make_passkey(
    tx: Tx,
    digest: KeyedHash,
    mint: Mint,
    party: Party,
    operator: Operator,
    browser: str,
    body: bytes,
    name: str,
    now: datetime,
    address: str,
) -> Passkey:
    """Keep the passkey that a browser made. Raises :class:`BadInput` ``access.passkey.refused``."""
    challenge = await store.take_ceremony(tx, digest("ceremony make", browser), now)
    if challenge is None:
        raise BadInput("access.passkey.refused", "that took too long; try once more")
    name = "".join(filter(str.isprintable, name)).strip()[:60] or "Passkey"
    blank = Passkey(
        id=mint("pky", now), operator_id=operator.id, credential=b"", public_key=b"", sign_count=0, name=name,
        created_at=now,
    )  # fmt: skip
    made = read_made(party, body, challenge, blank)
    if not await store.add_passkey(tx, made):
        raise BadInput("access.passkey.refused", "this passkey is known already")
    store.note_act(tx, Act(now, operator.id, "passkey_added", made.id, address))
    return made


async def show_passkey(
    db: Database,
    digest: KeyedHash,
    random: Random,
    party: Party,
    operator: Operator | None,
    browser: str,
    address: str,
    now: datetime,
) -> str:
    """What a browser needs to show a passkey, as JSON: one of ``operator``, or, of nobody known yet, any that stands
    for the password too."""
    if operator is None:
        await count_tries(db, {digest("sign_in_address", address): _TRIES_PER_ADDRESS}, now)
    async with db.begin() as tx:
        allowed = await store.passkeys_of(tx, operator.id) if operator is not None else ()
        challenge = random(CHALLENGE_BYTES)
        await store.put_ceremony(tx, digest("ceremony show", browser), challenge, now + PATIENCE)
    return ask_to_show(party, allowed, challenge, operator is None)


async def take_passkey(
    db: Database,
    digest: KeyedHash,
    party: Party,
    operator: Operator | None,
    browser: str,
    body: bytes,
    address: str,
    now: datetime,
) -> Operator:
    """Whose passkey a browser shows: ``operator``'s, or, where nobody is known yet, anybody's who may come in.

    Raises :class:`Forbidden` ``access.passkey.wrong`` whatever was wrong with it, and
    :class:`leadmill.parties.Throttled` ``parties.sign_in.throttled``."""
    subject = digest("second_factor", operator.id) if operator is not None else None
    if subject is not None:
        await count_tries(db, {subject: TRIES}, now)
    async with db.begin() as tx:
        challenge = await store.take_ceremony(tx, digest("ceremony show", browser), now)
        passkey = await store.find_passkey(tx, credential_of(body))
        owner = await find_operator(tx, passkey.operator_id) if passkey is not None else None
    if challenge is None or passkey is None or owner is None or owner.disabled:
        raise Forbidden("access.passkey.wrong", _NOT_TAKEN)
    async with db.begin() as tx:
        try:
            if operator is not None and owner.id != operator.id:
                raise BadInput("access.passkey.refused")
            count = check_shown(party, body, challenge, passkey, operator is None)
        except BadInput:
            store.note_act(tx, Act(now, owner.id, "sign_in_refused", passkey.id, address))
        else:
            await store.use_passkey(tx, passkey.id, count, now)
            if subject is not None:
                await clear_tries(tx, subject)
            return owner
    raise Forbidden("access.passkey.wrong", _NOT_TAKEN)


_NOT_TAKEN = "this passkey was not accepted; use another way"
