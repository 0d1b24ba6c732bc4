"""The station at which a lead gets its person: ``Recognise``.

Run by the runner as the first of the shared stretch, because its ask claims keys in the transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from leadmill.capture import Lead, Matching, Vertical
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.faults import Permanent
from leadmill.core.reasons import because
from leadmill.core.verdicts import Pass, Stop, Verdict
from leadmill.facts import Dossier
from leadmill.identity.model import DUPLICATE, USUAL, FindPerson, HeldAs, Identity, PersonFound
from leadmill.identity.showing import traits_of
from leadmill.identity.weighing import bits_of

_DEFAULT_DAYS = 30


class Recognise:
    """Finds the lead's person and stops it where that person wanted the same within the vertical's window. A person
    found by likeness must be surer for that than for being the person: a lead is not refused on a resemblance.

    ``keyed_hash`` is the vault's. A lead marked as a test is never a duplicate, nor is another lead one of it.
    """

    name = "identity"

    def __init__(self, verticals: Mapping[str, Vertical], keyed_hash: Callable[[str, str], bytes]) -> None:
        self._days = {name: vertical.dedupe_window_days for name, vertical in verticals.items()}
        self._matching: dict[str, Matching] = {name: vertical.matching for name, vertical in verticals.items()}
        self._keyed_hash = keyed_hash

    def wants(self, case: Case) -> Sequence[Ask]:
        """Whose the lead's keys and traits are. Only contact details that are in order are keys."""
        lead = case[Lead]
        traits = traits_of(lead, case[Dossier])
        hashed = self._keyed_hash
        held = case.get(HeldAs)
        return (
            FindPerson(
                lead_id=lead.id,
                vertical=lead.vertical,
                since=lead.received_at - timedelta(days=self._days.get(lead.vertical, _DEFAULT_DAYS)),
                at=lead.received_at,
                email=hashed("email", traits.email) if traits.email else None,
                phone=hashed("phone", traits.phone) if traits.phone else None,
                traits=traits,
                matching=self._matching.get(lead.vertical, USUAL),
                person_id=held.person_id if held is not None else None,
            ),
        )

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass with the identity; Stop for a duplicate."""
        ask, found = next(iter(heard.items()), (None, None))
        if not isinstance(ask, FindPerson) or not isinstance(found, PersonFound):
            raise Permanent("flow.answer.mismatch", "recognise did not hear whose the keys are")
        lead = case[Lead]
        days = self._days.get(lead.vertical, _DEFAULT_DAYS)
        counts = found.bits is None or found.bits >= bits_of(ask.matching.duplicate)
        earlier = found.recent[-1] if found.recent and days and counts and not lead.test else None
        keys = {kind: key.hex() for kind, key in ask.keys}
        identity = Identity(
            person_id=found.person_id,
            new_person=found.new_person,
            keys=keys,
            matched_on=found.matched_on,
            recent=found.recent,
            duplicate_of=earlier,
            rival=found.rival,
            rival_on=found.rival_on,
            household=found.household,
            possible=found.possible,
            bits=found.bits,
            parts=found.parts,
            joined=found.joined,
        )
        if earlier:
            return Stop(because(DUPLICATE, duplicate_of=earlier, days=days), (identity,))
        return Pass((identity,))
