"""Watching models at work: whether leads, chances and outcomes are still what a model learned from.

Decides nothing about a lead. Takes daily counts of what the walk's models saw and said and of what became of leads;
gives what is measured of each model (``WatchedVertical``), alerts, and which model broke a bound of the house.
"""

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

__all__ = [
    "ALERT_KINDS",
    "Alert",
    "AlertKind",
    "Bin",
    "Calibrated",
    "Compared",
    "Group",
    "Lag",
    "Rate",
    "RollBack",
    "RolledBack",
    "Severity",
    "Shift",
    "Tenth",
    "WatchTerms",
    "Watched",
    "WatchedVertical",
]
