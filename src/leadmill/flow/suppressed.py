"""The last gate before anything goes out: whether the person behind a lead has opted out by now, or limited what is
sensitive about them.

Asked in the very transaction that claims an attempt at a delivery or a message, so that nothing is begun after an
opt-out is durable, and wherever a lead walks on.
"""

from collections.abc import Mapping
from typing import TypeVar

from msgspec import Struct

from leadmill.capture import Lead, Vertical
from leadmill.optouts import Ticket, contacts_of, keys_of, seal_ticket
from leadmill.parties import KeyedHash
from leadmill.policy import find_suppressed, limit_key, sale_key
from leadmill.runtime.db import Tx
from leadmill.runtime.vault import Vault

T = TypeVar("T")


class Standing(Struct, frozen=True):
    """What a lead's person has said: that they want no contact, that sensitive data goes nowhere, and, after the lead
    came, that they are not to be sold."""

    opted_out: bool
    limited: bool
    unsold: bool = False


async def standing_of(tx: Tx, keyed_hash: KeyedHash, lead: Lead) -> Standing:
    """All of it, in one question."""
    keys = set(keys_of(keyed_hash, lead.fields))
    contacts = contacts_of(keyed_hash, lead.fields)
    limits = {limit_key(keyed_hash, one.hash) for one in contacts}
    sales = {sale_key(keyed_hash, one.hash) for one in contacts}
    found = await find_suppressed(tx, keys | limits | sales)
    return Standing(
        opted_out=not keys.isdisjoint(found.keys()),
        limited=not limits.isdisjoint(found.keys()),
        # What was said before the lead came, its own clearance has heard.
        unsold=any(found[key].at > lead.received_at for key in sales if key in found),
    )


def without_sensitive(fields: Mapping[str, T], vertical: Vertical | None) -> dict[str, T]:
    """A lead's fields without those that the vertical calls sensitive; nothing of a vertical that nobody knows."""
    if vertical is None:
        return {}
    specs = vertical.fields
    return {name: value for name, value in fields.items() if name not in specs or specs[name].sensitive is None}


def way_out(vault: Vault, lead: Lead, public_url: str) -> str:
    """The address at which a lead's person unsubscribes with one click; empty where the site's own is not known or
    there is no e-mail address."""
    found = next((one for one in contacts_of(vault.keyed_hash, lead.fields) if one.kind == "email"), None)
    if not public_url or found is None:
        return ""
    return f"{public_url}/u/{seal_ticket(vault.keyed_hash, vault.seal, Ticket(lead.id, found.hash))}"
