"""Holds all that forgetting several persons will touch, before any of it is touched.

Called by ``flow`` where persons who are held to be one are forgotten together. Everybody who locks in identity takes
keys first, then blocks, then persons, each in order; whoever forgot person after person would come back to keys with
persons locked, and could wait for somebody who waits for them.
"""

from collections.abc import Sequence

from leadmill.identity.store.contacts import contacts_held
from leadmill.identity.store.persons import (
    BLOCK_MOST,
    hold_blocks,
    hold_keys,
    lock_persons,
    read_persons,
    unpack_blocks,
)
from leadmill.runtime.db import Tx


async def hold_all(tx: Tx, person_ids: Sequence[str]) -> None:
    """Lock the keys of all these persons, the blocks they are found under and then the persons themselves, until the
    transaction ends."""
    persons = await read_persons(tx, sorted(person_ids))
    keys = {held.hash for each in sorted(persons) for held in await contacts_held(tx, each)}
    await hold_keys(tx, sorted(keys))
    blocks = {block for each in persons.values() if each.blocks for block in unpack_blocks(each.blocks)}
    await hold_blocks(tx, sorted(blocks), most=2 * BLOCK_MOST)
    await lock_persons(tx, sorted(persons))
