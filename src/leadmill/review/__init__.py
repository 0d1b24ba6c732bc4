"""The human queue: what automation would not decide alone, who decided, and why.

Takes leads that wait for a person, as ``flow`` finds them, and the house's terms; decides who may look at which and by
when, and when two must. Gives cases that move from hand to hand, decisions that can be taken back until they are
carried out, and labels for whoever learns from them. What a decision does to the lead is carried out by ``flow``
(decision 0037).
"""

from leadmill.review.model import (
    CARRY,
    CHOICES,
    DONE,
    EVERY,
    GROUNDS,
    OVERRIDES,
    REJECTS,
    CaseDecided,
    CaseFilter,
    Choice,
    Decision,
    Figures,
    Ground,
    Label,
    LabelRecord,
    LeadLabelled,
    ReviewCase,
    ReviewTerms,
    Stage,
    Wait,
)
from leadmill.review.rules import (
    FEWEST,
    Agreement,
    Pair,
    agreement,
    by_reason,
    by_reviewer,
    due_at,
    is_sampled,
    label_of,
    may_override,
    may_take,
    read_review,
)

__all__ = [
    "CARRY",
    "CHOICES",
    "DONE",
    "EVERY",
    "FEWEST",
    "GROUNDS",
    "OVERRIDES",
    "REJECTS",
    "Agreement",
    "CaseDecided",
    "CaseFilter",
    "Choice",
    "Decision",
    "Figures",
    "Ground",
    "Label",
    "LabelRecord",
    "LeadLabelled",
    "Pair",
    "ReviewCase",
    "ReviewTerms",
    "Stage",
    "Wait",
    "agreement",
    "by_reason",
    "by_reviewer",
    "due_at",
    "is_sampled",
    "label_of",
    "may_override",
    "may_take",
    "read_review",
]
