"""Outcomes: what became of a lead, in the words of who got it.

Takes a buyer's or a rep's report and gives events; keeps every correction. Decides who may report and which
dispositions there are.
"""

from leadmill.outcomes.model import Disposition, OutcomeCorrected, OutcomeReported, Reported, Stage

__all__ = ["Disposition", "OutcomeCorrected", "OutcomeReported", "Reported", "Stage"]
