"""Leads to be suspected, and the card they are suspected by."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from leadmill.capture import Lead, Submission
from leadmill.consent import Proof
from leadmill.core.case import Case
from leadmill.facts import Dossier, Fact
from leadmill.fraud import Card, Kind, Mark, SightAsk, Sighting, read_fraud_cards
from leadmill.identity import Identity
from leadmill.runtime.packs import load_packs
from leadmill.runtime.vault import Vault

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
CARD: Card = read_fraud_cards(load_packs())["solar"]
VAULT = Vault(bytes(range(32)))


def lead(number: int = 1, *, at: datetime = NOW, test: bool = False, source: str = "acme", **context: Any) -> Lead:
    """A solar lead of Ann Smith with this context."""
    return Lead(
        id=f"lead_{number:026d}",
        vertical="solar",
        source_id=source,
        received_at=at,
        fields={"first_name": "Ann", "last_name": "Smith", "address": "12 Oak St", "zip": "95814"},
        context=context,
        test=test,
    )


def dossier(*facts: Fact) -> Dossier:
    """What was found out."""
    return Dossier(list(facts), NOW)


def failed(key: str) -> Fact:
    """A fact that is not in order."""
    return Fact(key, True, "fail", "test")


def case_of(one: Lead, *, keys: dict[str, str] | None = None, facts: Dossier | None = None, **more: Any) -> Case:
    """The case of a lead whose person is known, as the station meets it."""
    hashes = {"phone": VAULT.keyed_hash("phone", "+19165550142").hex()} if keys is None else keys
    person = Identity(person_id="person_00000000000000000000000001", new_person=True, keys=hashes, **more)
    submission = Submission(
        id="sub_1",
        source_id=one.source_id,
        channel="json",
        received_at=one.received_at,
        content_type="application/json",
        body=b"",
        digest="",
    )
    return Case(one.id, [submission, one, facts or dossier(), Proof(kind="none"), person])


def card_with(**changed: Any) -> Card:
    """The card of solar with something changed."""
    return msgspec.structs.replace(CARD, **changed)


def mark(kind: Kind, name: str) -> Mark:
    """A mark of this kind."""
    return Mark(kind, VAULT.keyed_hash(f"test {kind}", name))


def ask(
    *marks: Mark,
    at: datetime = NOW,
    source: str = "acme",
    vertical: str = "solar",
    person: str = "person_0000000a",
    name: bytes = b"",
    card: Card = CARD,
    paced: bool = True,
) -> SightAsk:
    """An ask for these marks."""
    return SightAsk(
        lead_id="lead_x",
        source_id=source,
        vertical=vertical,
        at=at,
        card=card,
        marks=marks,
        person_id=person,
        name=name,
        paced=paced,
    )


def sighting(kind: Kind, **known: Any) -> Sighting:
    """A sighting of a mark, seen once in each window unless it says otherwise."""
    windows = len(CARD.windows[kind])
    return msgspec.structs.replace(Sighting(kind, (1,) * windows, (1,) * windows), **known)


def later(**span: float) -> datetime:
    """A moment after now."""
    return NOW + timedelta(**span)
