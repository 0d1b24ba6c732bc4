"""The first station: a submission becomes a lead.

Run by ``flow`` for every submission and again by replay. It asks for nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from leadmill.capture.formed import Form
from leadmill.capture.mapping import Lexicon
from leadmill.capture.model import (
    FILLED_HEADER,
    HONEYPOT,
    INCOMPLETE,
    LOOP,
    TAKEN_OVER,
    UNREADABLE,
    Lead,
    Mapped,
    Submission,
    TakenFrom,
    TakenOver,
    Value,
    Vertical,
)
from leadmill.capture.path import HEADER, KeyedHash, find_own
from leadmill.capture.rules import check_submission, missing
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.faults import BadInput
from leadmill.core.reasons import because
from leadmill.core.verdicts import Pass, Stop, Verdict


class Map:
    """Reads the ``Submission`` under the verticals in force and learns the ``Lead``.

    The edge has refused what cannot be read, so a body that fails here was accepted under other packs: that lead
    stops with ``capture.lead.unreadable`` rather than raising.
    """

    name = "capture"

    def __init__(
        self,
        verticals: Mapping[str, Vertical],
        forms: Mapping[str, Form],
        lexicon: Lexicon | None = None,
        keyed_hash: KeyedHash | None = None,
    ) -> None:
        self._hash = keyed_hash
        self.lexicon = lexicon or Lexicon(verticals)
        self._forms = forms

    def wants(self, case: Case) -> Sequence[Ask]:
        """Nothing: everything is in the submission."""
        return ()

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass with the lead; stop where it is of no use."""
        submission = case[Submission]
        form = self._forms.get(submission.form) if submission.form else None
        try:
            mapped = self.lexicon.kept(submission.id, submission.digest) or check_submission(
                submission, self.lexicon, (form.vertical,) if form else ()
            )
        except BadInput as fault:
            codes = sorted({entry.code for entry in fault.errors}) or [fault.code]
            return Stop(because(UNREADABLE, faults=", ".join(codes)))
        lead = _lead(case.lead_id, submission, mapped)
        learned = (lead, _taken(submission, mapped)) if mapped.taken else (lead,)
        path = submission.headers.get(HEADER)
        if path is not None and self._hash is not None and (known := find_own(self._hash, path)) is not None:
            return Stop(because(LOOP, known=known), learned)
        if mapped.trapped and submission.channel == "hosted":
            return Stop(because(HONEYPOT), learned)
        lacking = missing(mapped, self.lexicon)
        if lacking:
            return Stop(because(INCOMPLETE, missing=", ".join(lacking)), learned)
        return Pass(learned)


def _lead(lead_id: str, submission: Submission, mapped: Mapped) -> Lead:
    return Lead(
        id=lead_id,
        vertical=mapped.vertical,
        source_id=submission.source_id,
        received_at=submission.received_at,
        fields=mapped.fields,
        consent=mapped.consent,
        context=_context(submission, mapped),
        extra=mapped.extra,
        test=mapped.test,
    )


def _taken(submission: Submission, mapped: Mapped) -> TakenOver:
    return TakenOver(
        [TakenFrom(item.name, item.lead_id, item.at) for item in submission.taken if item.name in mapped.taken]
    )


def _context(submission: Submission, mapped: Mapped) -> dict[str, Value]:
    """What we saw ourselves of a visitor of our own page outranks what the browser said in its body; where the lead has
    been, and which answers are earlier ones, stands in no body."""
    context = mapped.context
    if mapped.taken:
        context = context | {TAKEN_OVER: list(mapped.taken)}
    if path := submission.headers.get(HEADER):
        context = context | {"path": path}
    if submission.headers.get("sec-gpc") == "1":
        context = context | {"gpc": True}  # Global Privacy Control: evidence of a wish, judged by policy
    if submission.channel != "hosted":
        return context
    seen: dict[str, Value] = dict(context)
    if filled := submission.headers.get(FILLED_HEADER):
        seen["filled_seconds"] = float(filled)
    if submission.remote_ip:
        seen["ip"] = submission.remote_ip
    if agent := submission.headers.get("user-agent"):
        seen["user_agent"] = agent[:1000]
    if page := submission.headers.get("referer"):
        seen.setdefault("landing_page", page[:2000])
    return seen
