"""The last gate before anything goes out: whether the person behind a lead has opted out by now.

Asked in the very transaction that claims an attempt at a delivery or a message, so that nothing is begun after an
opt-out is durable, and wherever a lead walks on.
"""

from leadmill.capture import Lead
from leadmill.optouts import Ticket, contacts_of, keys_of, seal_ticket
from leadmill.parties import KeyedHash
from leadmill.policy import find_suppressed
from leadmill.runtime.db import Tx
from leadmill.runtime.vault import Vault


async def has_opted_out(tx: Tx, keyed_hash: KeyedHash, lead: Lead | None) -> bool:
    """Whether the lead's e-mail address or phone number is suppressed. A lead that cannot be opened is nobody's."""
    if lead is None:
        return False
    return bool(await find_suppressed(tx, keys_of(keyed_hash, lead.fields)))


def way_out(vault: Vault, lead: Lead, public_url: str) -> str:
    """The address at which a lead's person unsubscribes with one click; empty where the site's own is not known or
    there is no e-mail address."""
    found = next((one for one in contacts_of(vault.keyed_hash, lead.fields) if one.kind == "email"), None)
    if not public_url or found is None:
        return ""
    return f"{public_url}/u/{seal_ticket(vault.keyed_hash, vault.seal, Ticket(lead.id, found.hash))}"
