"""Lists of people who want to hear no more: taken in from a file, given out as hashes.

Called by the command ``suppress`` and by the console. A list is taken in chunks, each an opt-out of its own, so that a
large file makes no long transaction; taking it again changes nothing. Nothing that is given out names anybody.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from msgspec import Struct

from leadmill.capture import Lead
from leadmill.facts import read_email, read_phone
from leadmill.flow.kit import Kit
from leadmill.flow.memory import open_rows
from leadmill.flow.store import leads_of_persons, read_leads
from leadmill.identity.store.contacts import owners_of
from leadmill.optouts import Contact, Entry, Saying, contact_of, contacts_of, hear_opt_outs, read_lines
from leadmill.overlap.model import Kind
from leadmill.overlap.service import Lists
from leadmill.parties import Buyer
from leadmill.policy import Suppression, list_suppressed, listed_key
from leadmill.runtime.db import Tx

_CHUNK = 5_000
_SHOWN = 20


class Taken(Struct, frozen=True):
    """What came of a list: entries ``read``, of which ``fresh`` were not suppressed before; ``hashes`` of them are
    SHA-256 and count from the next lead on, but cannot be held against people we have. ``unreadable`` are neither; the
    first of their lines stand in ``lines``."""

    read: int = 0
    fresh: int = 0
    hashes: int = 0
    unreadable: int = 0
    lines: tuple[int, ...] = ()


async def take_list(kit: Kit, lines: Iterable[str], by: str, country: str = "US") -> Taken:
    """Suppress everybody on a list: one e-mail address, phone number or SHA-256 of one a line, or in the first column
    of a CSV. What is under way for those we know is stopped by jobs."""
    hashed = kit.pen.vault.keyed_hash
    told = Taken()
    wrong: list[int] = []
    for chunk in _chunks(read_lines(lines)):
        contacts = {}
        for entry in chunk:
            found = Contact("sha256", listed_key(hashed, entry.text)) if entry.digest else None
            found = found or contact_of(hashed, entry.text, country)
            if found is None:
                wrong.append(entry.line)
            else:
                contacts[found.hash] = found
        fresh = await _suppress(kit, list(contacts.values()), by) if contacts else 0
        told = Taken(
            told.read + len(chunk),
            told.fresh + fresh,
            told.hashes + sum(entry.digest for entry in chunk),
            len(wrong),
            tuple(wrong[:_SHOWN]),
        )
    return told


async def _suppress(kit: Kit, contacts: Sequence[Contact], by: str) -> int:
    now = kit.clock()
    said = Saying(opt_out_id=kit.mint("opt", now), contacts=tuple(contacts), scope="all", channel="list", by=by, at=now)
    async with kit.db.begin() as tx:
        (heard,) = await hear_opt_outs(tx, kit.mint, [said], now)
    return heard.fresh


def _chunks(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    while chunk := list(islice(entries, _CHUNK)):
        yield chunk


class Given(Struct, frozen=True):
    """One entry of a list as it is given out: a hash, what was hashed, since when and how it came."""

    hash: str
    kind: str
    at: datetime
    source: str


async def give_list(kit: Kit) -> AsyncIterator[Given]:
    """Everything suppressed, under this installation's own keyed hashes, in their order: proof and backup, of use to
    nobody without the key."""
    after = b""
    while True:
        async with kit.db.begin() as tx:
            found = await list_suppressed(tx, after, _CHUNK)
        for one in found:
            yield Given(one.hash.hex(), one.kind, one.at, one.source)
        if len(found) < _CHUNK:
            return
        after = found[-1].hash


async def give_list_to(kit: Kit, lists: Lists, buyer: Buyer) -> AsyncIterator[Given | None]:
    """Everything suppressed as one buyer hashes it; None for each entry that cannot be given so, because nobody here
    has what was hashed: it came on a list, or the person was forgotten. Raises BadInput ``overlap.list.undeclared``."""
    lists.hashed(buyer, "email", "nobody@example.com")  # refused before anything is read
    after = b""
    while True:
        async with kit.db.begin() as tx:
            found = await list_suppressed(tx, after, _CHUNK)
            texts = await _texts(tx, kit, found)
        for one in found:
            known = texts.get(one.hash)
            yield Given(lists.hashed(buyer, *known), known[0], one.at, one.source) if known is not None else None
        if len(found) < _CHUNK:
            return
        after = found[-1].hash


async def _texts(tx: Tx, kit: Kit, found: Sequence[Suppression]) -> dict[bytes, tuple[Kind, str]]:
    """What stands behind hashes, read from the leads of whoever has it; those nobody can read any more are absent."""
    owners = await owners_of(tx, [one.hash for one in found])
    leads = await leads_of_persons(tx, sorted({person for each in owners.values() for person in each}))
    texts: dict[bytes, tuple[Kind, str]] = {}
    for start in range(0, len(leads), _CHUNK):
        rows = await read_leads(tx, leads[start : start + _CHUNK])
        for lead in (await open_rows(tx, kit.pen, rows.values())).values():
            if lead is not None:
                texts |= _read(kit, lead)
    return texts


def _read(kit: Kit, lead: Lead) -> dict[bytes, tuple[Kind, str]]:
    texts: dict[bytes, tuple[Kind, str]] = {}
    country = lead.text("country")
    for one in contacts_of(kit.pen.vault.keyed_hash, lead.fields):
        if one.kind == "email":
            email = read_email(lead.text("email") or "")
            if email is not None:
                texts[one.hash] = ("email", email.lookup)
        else:
            phone = read_phone(lead.text("phone") or "", country if country and len(country) == 2 else "US")
            if phone is not None:
                texts[one.hash] = ("phone", phone.e164)
    return texts
