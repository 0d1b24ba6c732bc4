"""Capture: every way in, to one mapped lead.

Decides whether a request can be read at all, and which lead it is. Takes bytes with their source; gives a sealed
``Submission`` and, through the step ``Map``, a ``Lead``. What a caller got wrong is refused at the edge with one
entry a field; a well-formed lead that is of no use is rejected by the step, with a reason.

An edge builds the ``Submission``, calls ``check_submission`` with the verticals of the source, and hands it to the
runner with ``vertical`` set to the one found.
"""

from leadmill.capture.answering import OneBid, Said, Spoken, speak
from leadmill.capture.bodies import read_body
from leadmill.capture.dialects import Dialect, read_dialects
from leadmill.capture.filemap import check_map, read_map
from leadmill.capture.files import RowFault, count_rows, digest_file, read_rows
from leadmill.capture.formed import Form, FormConsent, FormField, FormStep, Progressive
from leadmill.capture.forms import read_form, unanswered
from leadmill.capture.later import AnswerLater, AnswerOwed, Letter, address_of, later_answer
from leadmill.capture.mapping import Lexicon, canonical_vertical, read_value, vertical_names
from leadmill.capture.model import (
    BLOCK,
    FILLED_HEADER,
    LOOP,
    PING_ID,
    TAKEN_OVER,
    Choice,
    FieldSpec,
    FileMap,
    ImportBlock,
    ImportFault,
    ImportRun,
    Lead,
    Mapped,
    Matching,
    Neutral,
    StoredSubmission,
    Submission,
    TakenAnswer,
    TakenFrom,
    TakenOver,
    Value,
    Vertical,
)
from leadmill.capture.nameless import without_person
from leadmill.capture.path import HEADER as PATH_HEADER
from leadmill.capture.path import find_own, mark_path
from leadmill.capture.pings import check_ping, ping_lead
from leadmill.capture.posting import PLACEHOLDER, Posting, Sample, example_values, posting_of
from leadmill.capture.progressive import Asking, another_person, answers_of, latest, to_ask
from leadmill.capture.rules import HONEYPOT_FIELD, accept_submission, check_submission, map_lead
from leadmill.capture.step import Map
from leadmill.capture.translating import (
    Asked,
    ask_of,
    credential_text,
    fallback_form,
    said_fault,
    said_of,
    vertical_of,
)
from leadmill.capture.verticals import read_verticals

__all__ = [
    "BLOCK",
    "FILLED_HEADER",
    "HONEYPOT_FIELD",
    "LOOP",
    "PATH_HEADER",
    "PING_ID",
    "PLACEHOLDER",
    "TAKEN_OVER",
    "AnswerLater",
    "AnswerOwed",
    "Asked",
    "Asking",
    "Choice",
    "Dialect",
    "FieldSpec",
    "FileMap",
    "Form",
    "FormConsent",
    "FormField",
    "FormStep",
    "ImportBlock",
    "ImportFault",
    "ImportRun",
    "Lead",
    "Letter",
    "Lexicon",
    "Map",
    "Mapped",
    "Matching",
    "Neutral",
    "OneBid",
    "Posting",
    "Progressive",
    "RowFault",
    "Said",
    "Sample",
    "Spoken",
    "StoredSubmission",
    "Submission",
    "TakenAnswer",
    "TakenFrom",
    "TakenOver",
    "Value",
    "Vertical",
    "accept_submission",
    "address_of",
    "another_person",
    "answers_of",
    "ask_of",
    "canonical_vertical",
    "check_map",
    "check_ping",
    "check_submission",
    "count_rows",
    "credential_text",
    "digest_file",
    "example_values",
    "fallback_form",
    "find_own",
    "later_answer",
    "latest",
    "map_lead",
    "mark_path",
    "ping_lead",
    "posting_of",
    "read_body",
    "read_dialects",
    "read_form",
    "read_map",
    "read_rows",
    "read_value",
    "read_verticals",
    "said_fault",
    "said_of",
    "speak",
    "to_ask",
    "unanswered",
    "vertical_names",
    "vertical_of",
    "without_person",
]
