"""The second station: what the person was shown and agreed to.

Run by ``flow`` after ``Map``. It asks for nothing and never stops a lead: whether a proof suffices is for ``policy``.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from leadmill.capture import Form, Lead, Submission, Vertical
from leadmill.consent.certificate import certify, digest_of, witness
from leadmill.consent.model import Certified
from leadmill.consent.rules import prove
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.verdicts import Pass, Verdict


class Prove:
    """Learns the ``Proof``; of an answer to a page of ours also how the page was seen, and its certificate's digest.
    ``forms`` are the published forms by id; an earlier version that is still being answered may stand beside them as
    ``id@version``."""

    name = "consent"

    def __init__(self, verticals: Mapping[str, Vertical], forms: Mapping[str, Form]) -> None:
        self._forms = {f"{form.id}@{form.version}": form for form in forms.values()}

    def wants(self, case: Case) -> Sequence[Ask]:
        """Nothing: the proof is in what came."""
        return ()

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass, with a proof that may be of kind none."""
        submission, lead = case[Submission], case[Lead]
        form = self._forms.get(f"{submission.form}@{submission.form_version}")
        proof = prove(lead, submission, form)
        if not submission.session:
            return Pass((proof,))
        seen = witness(submission, lead, form)
        if seen is None:
            return Pass((proof,))
        core = certify(lead, submission, proof, seen, submission.session)
        return Pass((proof, seen, Certified(digest_of(core), core.sight)))
