"""What buyers' reports say of the providers' words: whether anybody answers there was said before, and is known now.

Called where reports are heeded, in their transaction. Nothing is learned from a report that says nothing of it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from leadmill.core.case import Case
from leadmill.core.events import Event
from leadmill.enrich import Consulted
from leadmill.enrich.service import Heeded, heed_truth
from leadmill.facts import Dossier, Fact
from leadmill.outcomes import Disposition, OutcomeReported
from leadmill.runtime.db import Tx

_PHONE = ("phone.reachable", "phone.valid", "phone.active")
_EMAIL = ("email.deliverable", "email.reachable", "email.valid")
"""The keys under which providers say whether anybody can be reached."""

_REACHED = frozenset(
    (
        Disposition.CONTACTED,
        Disposition.CALLBACK,
        Disposition.QUALIFIED,
        Disposition.APPOINTMENT,
        Disposition.QUOTED,
        Disposition.SOLD,
    )
)
_KEYS: dict[str, tuple[tuple[str, ...], bool]] = {
    **{each.value: (_PHONE, True) for each in _REACHED},
    Disposition.WRONG_NUMBER.value: (_PHONE, False),
    Disposition.DISCONNECTED.value: (_PHONE, False),
    Disposition.BOUNCED.value: (_EMAIL, False),
    Disposition.BAD_CONTACT.value: ((*_PHONE, *_EMAIL), False),
}
"""What a disposition says of which facts."""


async def heed_contacts(tx: Tx, case: Case, events: Sequence[Event], now: datetime) -> None:
    """Count how the providers' words on a lead turned out, by the reports among ``events``."""
    dossier, consulted = case.get(Dossier), case.get(Consulted)
    if dossier is None or consulted is None:
        return
    topics = {item.provider: item.topic for item in consulted.items if item.kind == "known"}
    said = [event.disposition for event in events if isinstance(event, OutcomeReported)]
    await heed_truth(tx, list(turned_out(dossier.facts, topics, said)), now)


def turned_out(facts: Iterable[Fact], topics: dict[str, str], said: Iterable[str]) -> Iterable[Heeded]:
    """Whose words turned out right or wrong. ``topics`` are those of the providers, by their names."""
    told = [fact for fact in facts if fact.source in topics and isinstance(fact.value, bool)]
    for disposition in said:
        keys, truth = _KEYS.get(disposition, ((), True))
        for fact in told:
            if fact.key in keys:
                yield Heeded(fact.source, topics[fact.source], fact.value is truth)
