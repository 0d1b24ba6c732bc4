"""The verbs on keys, operators and sessions, one file a subject.

Called by the API, the console, the command line, ``access`` and ``flow.configure``. Verbs that take a transaction
stand or fall with it. The clock, ids and randomness are arguments."""

from leadmill.parties.entering import IDLE, LONGEST
from leadmill.parties.service.keys import declare_key, identify_key, issue_key, revoke_key, rotate_key
from leadmill.parties.service.operators import (
    add_operator,
    add_outside_operator,
    change_operator,
    change_password,
    check_own_password,
    set_password,
)
from leadmill.parties.service.secrets import Random
from leadmill.parties.service.sessions import (
    begin_session,
    check_sign_in,
    count_tries,
    csrf_matches,
    prove_session,
    replace_session,
    resume_session,
    sign_in,
    sign_out,
    sign_out_others,
    sweep_sessions,
)
from leadmill.parties.service.uses import KeyUses

__all__ = [
    "IDLE",
    "LONGEST",
    "KeyUses",
    "Random",
    "add_operator",
    "add_outside_operator",
    "begin_session",
    "change_operator",
    "change_password",
    "check_own_password",
    "check_sign_in",
    "count_tries",
    "csrf_matches",
    "declare_key",
    "identify_key",
    "issue_key",
    "prove_session",
    "replace_session",
    "resume_session",
    "revoke_key",
    "rotate_key",
    "set_password",
    "sign_in",
    "sign_out",
    "sign_out_others",
    "sweep_sessions",
]
