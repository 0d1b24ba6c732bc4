"""Capture: every way in, to one mapped lead.

Decides whether a request can be read at all, and which lead it is. Takes bytes with their source; gives a sealed
``Submission`` and, through the step ``Map``, a ``Lead``. What a caller got wrong is refused at the edge with one entry a
field; a well-formed lead that is of no use is rejected by the step, with a reason.
"""

from leadmill.capture.model import (
    Choice,
    FieldSpec,
    Form,
    FormConsent,
    FormField,
    FormStep,
    Lead,
    Submission,
    Value,
    Vertical,
)

__all__ = [
    "Choice",
    "FieldSpec",
    "Form",
    "FormConsent",
    "FormField",
    "FormStep",
    "Lead",
    "Submission",
    "Value",
    "Vertical",
]
