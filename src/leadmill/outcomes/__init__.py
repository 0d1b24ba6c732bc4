"""Outcomes: what became of a lead, in the words of who got it.

Takes a buyer's or a rep's report and gives events; keeps every correction. Decides who may report and which
dispositions there are.
"""

from leadmill.outcomes.model import (
    REMARKS,
    STAGES,
    Disposition,
    OutcomeCorrected,
    OutcomeReported,
    Remarks,
    Reported,
    Stage,
)
from leadmill.outcomes.rules import read_disposition, read_remarks
from leadmill.outcomes.service import find_reported, report_outcome
from leadmill.outcomes.store import count_dispositions, outcomes_of, outcomes_of_leads

__all__ = [
    "REMARKS",
    "STAGES",
    "Disposition",
    "OutcomeCorrected",
    "OutcomeReported",
    "Remarks",
    "Reported",
    "Stage",
    "count_dispositions",
    "find_reported",
    "outcomes_of",
    "outcomes_of_leads",
    "read_disposition",
    "read_remarks",
    "report_outcome",
]
