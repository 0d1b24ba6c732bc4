"""The station ``overlap``: whom a lead need not be offered to.

Run after policy, before anybody is asked for a bid. Asks which buyers have the person already, and reads whom the
publisher excludes. It stops nobody: the market leaves those buyers out, each with its reason.
"""

from collections.abc import Sequence
from datetime import datetime

from leadmill.capture import Lead
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.verdicts import Pass, Verdict
from leadmill.facts import Dossier
from leadmill.overlap.model import KnownAsk, KnownTo, Overlap
from leadmill.overlap.rules import Exclusions, names_in
from leadmill.parties import Roster

_NOBODY = Pass()


class Compare:
    """Compares a lead with the buyers' lists and the publisher's exclusions. Built for one revision of the rules."""

    name = "overlap"

    def __init__(self, roster: Roster) -> None:
        self._lists = {buyer.id: buyer.known for buyer in roster.buyers.values() if buyer.known is not None}
        self._exclusions = Exclusions(roster)
        self._of_source = {
            source.id: self._exclusions.find(source.exclude) for source in roster.sources.values() if source.exclude
        }

    def wants(self, case: Case) -> Sequence[Ask]:
        """Who has the person, where anybody keeps a list and there is something to compare."""
        if not self._lists:
            return ()
        dossier = case[Dossier]
        phone, email = dossier.text("phone.e164"), dossier.text("email.lookup")
        return (KnownAsk(self._lists, phone, email),) if phone or email else ()

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass, with an :class:`Overlap` where there is any."""
        found = next((answer for answer in heard.values() if isinstance(answer, KnownTo)), None)
        known = {buyer: " and ".join(kinds) for buyer, kinds in found.buyers.items()} if found is not None else {}
        lead = case[Lead]
        excluded = self._of_source.get(lead.source_id, {})
        if "exclude_buyers" in lead.context:
            excluded = excluded | self._exclusions.find(names_in(lead.context))
        if not known and not excluded:
            return _NOBODY
        weak = tuple(buyer for buyer in known if buyer in self._lists and self._lists[buyer].weak)
        return Pass((Overlap(known, weak, excluded),))
