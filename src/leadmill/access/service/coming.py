"""Coming in: from the right password, or another house's word, to an open session."""

from datetime import datetime

from leadmill.access import store
from leadmill.access.model import Act, Policy
from leadmill.access.rules import stage_for
from leadmill.parties import (
    KeyedHash,
    Operator,
    Random,
    Session,
    SignedIn,
    begin_session,
    change_password,
    replace_session,
)
from leadmill.runtime.db import Tx


async def come_in(
    tx: Tx,
    digest: KeyedHash,
    random: Random,
    policy: Policy,
    operator: Operator,
    now: datetime,
    *,
    method: str,
    strong: bool,
    address: str,
    agent: str,
) -> SignedIn:
    """A session for somebody who showed a password, or more (``strong``): open, or halfway where a second factor is
    still to come."""
    stage = stage_for(operator.role, policy, await store.factors_of(tx, operator.id), strong)
    signed_in = await begin_session(
        tx, digest, random, operator, now, method=method, stage=stage, address=address, agent=agent
    )
    if stage == "open":
        store.note_act(tx, Act(now, operator.id, "signed_in", method, address[:64]))
    return signed_in


async def pass_on(
    tx: Tx, digest: KeyedHash, random: Random, given: str, session: Session, now: datetime, shown: str
) -> SignedIn:
    """Open a session that was halfway, its second factor ``shown`` (code, passkey …); it gets another token."""
    method = f"{session.method} and {shown}"
    signed_in = await replace_session(tx, digest, random, given, session, now, method)
    store.note_act(tx, Act(now, session.operator.id, "signed_in", method, session.address))
    return signed_in


async def change_own_password(
    tx: Tx, digest: KeyedHash, random: Random, session: Session, old: str, new: str, now: datetime
) -> SignedIn:
    """Change an operator's own password: every session ends, and the browser at hand gets a new one. Raises as
    :func:`leadmill.parties.change_password`."""
    await change_password(tx, session.operator.id, old, new)
    store.note_act(tx, Act(now, session.operator.id, "password_changed", session.operator.id, session.address))
    return await begin_session(
        tx, digest, random, session.operator, now, method=session.method, address=session.address, agent=session.agent
    )


async def sweep_access(tx: Tx, now: datetime) -> int:
    """Forget what nobody finished; how many rows went. A background loop calls it now and then."""
    return await store.drop_ceremonies(tx, now)
