"""Watching models at work: whether leads, chances and outcomes are still what a model learned from.

Decides nothing about a lead. Takes daily counts of what the walk's models saw and said and of what became of leads
(``add_fresh``, ``add_early``, ``add_full``); gives what is measured of each model (``measure``), what a person should
look at (``findings``), and which model broke a bound of the house (``broken``). ``read_watch_terms`` reads how the
house wants it. The store keeps counts, what was measured and alerts, nothing of a person.
"""

from leadmill.scoring.watch.alerting import Finding, findings
from leadmill.scoring.watch.counts import CARD, Day, Said, add_early, add_fresh, add_full
from leadmill.scoring.watch.model import (
    ALERT_KINDS,
    Alert,
    AlertKind,
    Bin,
    Calibrated,
    Compared,
    Group,
    Lag,
    Rate,
    RollBack,
    RolledBack,
    Severity,
    Shift,
    Tenth,
    Watched,
    WatchedVertical,
    WatchTerms,
)
from leadmill.scoring.watch.rules import Standing, broken, decides, measure
from leadmill.scoring.watch.store import (
    acknowledge,
    alone,
    count_alerts,
    days_of,
    forget_days,
    keep_days,
    keep_findings,
    keep_watched,
    last_measured,
    mark_of,
    move_mark,
    read_alerts,
    read_roll_backs,
    read_watch,
    tell_retrained,
    tell_rolled_back,
)
from leadmill.scoring.watch.terms import KIND, read_watch_terms

__all__ = [
    "ALERT_KINDS",
    "CARD",
    "KIND",
    "Alert",
    "AlertKind",
    "Bin",
    "Calibrated",
    "Compared",
    "Day",
    "Finding",
    "Group",
    "Lag",
    "Rate",
    "RollBack",
    "RolledBack",
    "Said",
    "Severity",
    "Shift",
    "Standing",
    "Tenth",
    "WatchTerms",
    "Watched",
    "WatchedVertical",
    "acknowledge",
    "add_early",
    "add_fresh",
    "add_full",
    "alone",
    "broken",
    "count_alerts",
    "days_of",
    "decides",
    "findings",
    "forget_days",
    "keep_days",
    "keep_findings",
    "keep_watched",
    "last_measured",
    "mark_of",
    "measure",
    "move_mark",
    "read_alerts",
    "read_roll_backs",
    "read_watch",
    "read_watch_terms",
    "tell_retrained",
    "tell_rolled_back",
]
