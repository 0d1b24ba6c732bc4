"""Capture: every way in, to one mapped lead.

Decides whether a request can be read at all, and which lead it is. Takes bytes with their source; gives a sealed
``Submission`` and, through the step ``Map``, a ``Lead``. What a caller got wrong is refused at the edge with one
entry a field; a well-formed lead that is of no use is rejected by the step, with a reason.

An edge builds the ``Submission``, calls ``check_submission`` with the verticals of the source, and hands it to the
runner with ``vertical`` set to the one found.
"""

from leadmill.capture.bodies import read_body
from leadmill.capture.forms import read_form, unanswered
from leadmill.capture.mapping import Lexicon
from leadmill.capture.model import (
    Choice,
    FieldSpec,
    Form,
    FormConsent,
    FormField,
    FormStep,
    ImportFault,
    ImportRun,
    Lead,
    Mapped,
    StoredSubmission,
    Submission,
    Value,
    Vertical,
)
from leadmill.capture.rules import HONEYPOT_FIELD, check_submission, map_lead
from leadmill.capture.step import Map
from leadmill.capture.verticals import read_verticals

__all__ = [
    "HONEYPOT_FIELD",
    "Choice",
    "FieldSpec",
    "Form",
    "FormConsent",
    "FormField",
    "FormStep",
    "ImportFault",
    "ImportRun",
    "Lead",
    "Lexicon",
    "Map",
    "Mapped",
    "StoredSubmission",
    "Submission",
    "Value",
    "Vertical",
    "check_submission",
    "map_lead",
    "read_body",
    "read_form",
    "read_verticals",
    "unanswered",
]
