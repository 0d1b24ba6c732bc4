"""The last gate before anything goes out: whether the person behind a lead has opted out by now.

Asked in the very transaction that claims an attempt at a delivery or a message, so that nothing is begun after an
opt-out is durable, and wherever a lead walks on.
"""

from leadmill.capture import Lead
from leadmill.optouts import contacts_of
from leadmill.parties import KeyedHash
from leadmill.policy import find_suppressed
from leadmill.runtime.db import Tx


async def has_opted_out(tx: Tx, keyed_hash: KeyedHash, lead: Lead | None) -> bool:
    """Whether the lead's e-mail address or phone number is suppressed. A lead that cannot be opened is nobody's."""
    if lead is None:
        return False
    return bool(await find_suppressed(tx, [one.hash for one in contacts_of(keyed_hash, lead.fields)]))
