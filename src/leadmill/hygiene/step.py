"""The station at which it is remembered what came back from a lead's address and number before: ``Remember``.

Run by the runner right after the person is known, in the shared stretch: the keys that identity found are the points,
and one question to the store serves the whole group.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from leadmill.capture import Lead
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.verdicts import ASIDE, Hold, Pass, Stop, Verdict
from leadmill.facts import Checks, Dossier, checks_of, doubted_for, stop_of
from leadmill.hygiene.model import Observed, StandingAsk, Upkeep
from leadmill.hygiene.rules import remembered
from leadmill.identity import Identity

_NONE: tuple[Ask, ...] = ()
_NOTHING = Observed()


class Remember:
    """Adds to the dossier whether somebody was reached at the lead's address and number lately, and how sure facts of
    an earlier day still are. Stops and holds where the vertical's checks name what failed. A lead of whose points
    nothing is known leaves no trace here."""

    name = "hygiene"

    def __init__(self, upkeeps: Mapping[str, Upkeep], checks: Mapping[str, Checks] | None = None) -> None:
        self.upkeeps = dict(upkeeps)
        self._checks = checks or {}

    def wants(self, case: Case) -> Sequence[Ask]:
        """What came back from the lead's points."""
        identity = case.get(Identity)
        if identity is None or case[Lead].vertical not in self.upkeeps:
            return _NONE
        email, phone = identity.keys.get("email"), identity.keys.get("phone")
        if email is None and phone is None:
            return _NONE
        return (
            StandingAsk(
                email=bytes.fromhex(email) if email is not None else None,
                phone=bytes.fromhex(phone) if phone is not None else None,
            ),
        )

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass with the fuller dossier; Stop where a fact failed that the vertical stops for, Hold where one failed
        anew that it has a person look at."""
        lead, dossier = case[Lead], case.get(Dossier)
        upkeep = self.upkeeps.get(lead.vertical)
        if upkeep is None or dossier is None:
            return ASIDE
        observed = next((answer for answer in heard.values() if isinstance(answer, Observed)), _NOTHING)
        fuller = remembered(dossier, observed, upkeep, now)
        if fuller is dossier:
            return ASIDE
        checks = checks_of(self._checks, lead.vertical)
        why = stop_of(lead, fuller, checks)
        if why is not None:
            return Stop(why, (fuller,))
        doubt = doubted_for(fuller, checks, dossier)
        return Pass((fuller,)) if doubt is None else Hold(doubt, learned=(fuller,))
