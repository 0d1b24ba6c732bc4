"""Fraud: what speaks against a lead, and how much.

Decides whether a lead may go on, waits for a person or ends. Takes the ``Lead`` with its ``Dossier``, ``Proof`` and
``Identity``; gives a ``Suspicion`` through the station ``Suspect``: a score of 0 to 100 with the signals behind it, by
the ``Card`` that packs make of a vertical (``read_fraud_cards``). Counts are exact whatever else runs, and kept by
keyed hash alone. What buyers return is learned: it burns the marks of the lead, and shows what each signal was worth.
"""

from leadmill.fraud.cards import read_card, read_fraud_cards
from leadmill.fraud.intervals import Beta, interval
from leadmill.fraud.model import (
    KINDS,
    Burn,
    Card,
    Kind,
    Mark,
    Raised,
    SightAsk,
    Sighted,
    Sighting,
    Suspicion,
    Tally,
)
from leadmill.fraud.precision import Worth, worth_of
from leadmill.fraud.rules import weigh, words_of
from leadmill.fraud.signals import SIGNALS, Signal
from leadmill.fraud.standing import Standing
from leadmill.fraud.step import Suspect, values_of
from leadmill.fraud.store import read_standings

__all__ = [
    "KINDS",
    "SIGNALS",
    "Beta",
    "Burn",
    "Card",
    "Kind",
    "Mark",
    "Raised",
    "SightAsk",
    "Sighted",
    "Sighting",
    "Signal",
    "Standing",
    "Suspect",
    "Suspicion",
    "Tally",
    "Worth",
    "interval",
    "read_card",
    "read_fraud_cards",
    "read_standings",
    "values_of",
    "weigh",
    "words_of",
    "worth_of",
]
