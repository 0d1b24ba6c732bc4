"""Looking after what is known of persons: leads that are still open are asked about once more in time, and a report
says how addresses and numbers stand.

The rules are :mod:`leadmill.hygiene`'s; here they meet the leads. ``looking`` asks, ``reporting`` reports.
"""

from leadmill.flow.upkeep.looking import REVERIFY, Looked, look_again, look_at_due, plan_looks, reverify
from leadmill.flow.upkeep.reporting import AGES, Day, Due, Group, HygieneReport, Share, read_report

__all__ = [
    "AGES",
    "REVERIFY",
    "Day",
    "Due",
    "Group",
    "HygieneReport",
    "Looked",
    "Share",
    "look_again",
    "look_at_due",
    "plan_looks",
    "read_report",
    "reverify",
]
