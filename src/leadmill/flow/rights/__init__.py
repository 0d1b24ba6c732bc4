"""Consumer requests carried out: taken, confirmed, decided, and done to every lead of the person.

The requests themselves are :mod:`leadmill.privacy`'s; here they meet the leads. ``taking`` hears them, ``confirming``
finds out who asks, ``deciding`` is what somebody of ours says (``acting`` its one door), ``fulfilling`` does it
(``compiling``, ``correcting``, ``deleting``, ``limiting``), ``letters`` writes to the person; ``byhand`` has somebody
forgotten without a request.
"""

from leadmill.flow.rights.acting import Action, Decision, decide
from leadmill.flow.rights.byhand import check_why, forget_by_hand, person_of, stop_for
from leadmill.flow.rights.confirming import Candidate, candidates, confirm_by_hand, confirm_by_link
from leadmill.flow.rights.deciding import (
    acknowledge_request,
    appeal_request,
    begin_request,
    close_unconfirmed,
    decide_on_appeal,
    deny_request,
    extend_request,
)
from leadmill.flow.rights.fulfilling import carry_out
from leadmill.flow.rights.letters import ASKED, write_letter
from leadmill.flow.rights.taking import FACTS, Plea, Taken, homes, take_request

__all__ = [
    "ASKED",
    "FACTS",
    "Action",
    "Candidate",
    "Decision",
    "Plea",
    "Taken",
    "acknowledge_request",
    "appeal_request",
    "begin_request",
    "candidates",
    "carry_out",
    "check_why",
    "close_unconfirmed",
    "confirm_by_hand",
    "confirm_by_link",
    "decide",
    "decide_on_appeal",
    "deny_request",
    "extend_request",
    "forget_by_hand",
    "homes",
    "person_of",
    "stop_for",
    "take_request",
    "write_letter",
]
