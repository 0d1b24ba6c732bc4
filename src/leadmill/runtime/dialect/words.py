"""The words buyers use to say yes and no.

Read by ``replies``. Gathered from the published interfaces of lead distribution systems: status words, flags, and
phrases in plain text. A buyer who says it differently declares ``accept`` and ``reject`` in its delivery.
"""

import re
from typing import Literal

FLAGS: dict[str, Literal["accepted", "rejected", "duplicate"]] = {
    "success": "accepted",
    "successful": "accepted",
    "accepted": "accepted",
    "accept": "accepted",
    "sold": "accepted",
    "isvalidpost": "accepted",
    "valid": "accepted",
    "isvalid": "accepted",
    "ok": "accepted",
    "matched": "accepted",
    "rejected": "rejected",
    "duplicate": "duplicate",
    "isduplicate": "duplicate",
}
"""Keys that are answered with yes or no, and what yes means."""

KEYS = frozenset(
    (
        *FLAGS, "status", "result", "outcome", "response", "decision", "leadstatus", "responsestatus", "state",
        "disposition", "resulttext", "responsetype", "statustext", "returncode", "code",
    )
)  # fmt: skip
"""Keys whose value is a word of the lists below."""

ACCEPT = frozenset(
    (
        "accepted", "accept", "success", "successful", "ok", "okay", "sold", "matched", "match", "created", "approved",
        "received", "purchased", "bought", "won", "valid", "good", "pass", "passed", "yes", "true", "queued",
        "complete", "completed", "processed", "lead accepted", "lead received",
    )
)  # fmt: skip

REJECT = frozenset(
    (
        "rejected", "reject", "failed", "failure", "fail", "declined", "decline", "denied", "refused", "refuse",
        "unmatched",
        "not matched", "no match", "nomatch", "unsold", "not sold", "not accepted", "invalid", "error", "errors", "no",
        "false", "unsuccessful", "not successful", "outside criteria", "over max", "over cap", "cap reached", "capped",
        "disabled",
        "data errors", "no bid", "no buyers found", "no qualified buyers found", "bad", "unqualified", "not qualified",
        "blocked", "suppressed", "filtered", "lead rejected", "expired", "returned",
    )
)  # fmt: skip

DUPLICATE = frozenset(
    (
        "duplicate", "duplicated", "dupe", "dup", "duplicate lead", "already exists", "already received", "exists",
        "lead already exists",
    )
)  # fmt: skip

TEXT_DUPLICATE = re.compile(
    r"\b(?:duplicate[ds]?|dupes?|already (?:exists|received|submitted|in (?:our|the) system))\b"
)
TEXT_REJECT = re.compile(
    r"\b(?:reject(?:ed)?|not (?:accepted|sold|matched|valid|successful|qualified|authori[sz]ed)|unsold|unmatched"
    r"|declined?|denied|refused|fail(?:ed|ure)?|errors?|invalid|unsuccessful|no (?:match|buyers?|qualified buyers?)"
    r"|over (?:lead )?cap|cap reached"
    r"|unauthori[sz]ed|forbidden)\b"
)
TEXT_ACCEPT = re.compile(
    r"\b(?:accept(?:ed)?|success(?:ful(?:ly)?)?|ok|okay|sold|matched|received|created|approved|thank you)\b"
)
