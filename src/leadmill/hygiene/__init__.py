"""Hygiene: whether the address and the number of a person still reach them.

Takes what comes back from messages and calls, as observations of contact points that are known by keyed hash alone:
bounces, complaints, disconnected numbers, and what was delivered or answered. Gives, through the station ``Remember``,
the facts ``email.reachable`` and ``phone.reachable`` in a fuller ``Dossier``, each with its confidence, by the
``Upkeep`` that packs make of a vertical (``read_upkeeps``). What is known fades as it grows old.
"""

from leadmill.hygiene.model import (
    CHANNELS,
    KINDS,
    Channel,
    ContactObserved,
    Kind,
    Observation,
    Observed,
    Seen,
    Standing,
    StandingAsk,
    Upkeep,
)
from leadmill.hygiene.notices import Notice, Unread, read_event, read_file, read_message
from leadmill.hygiene.rules import confidence_at, facts_of, kind_of, point_of, standing_of, status_kind
from leadmill.hygiene.schedule import STATES, Reverify, read_reverify
from leadmill.hygiene.step import Remember
from leadmill.hygiene.upkeep import read_upkeep, read_upkeeps

__all__ = [
    "CHANNELS",
    "KINDS",
    "STATES",
    "Channel",
    "ContactObserved",
    "Kind",
    "Notice",
    "Observation",
    "Observed",
    "Remember",
    "Reverify",
    "Seen",
    "Standing",
    "StandingAsk",
    "Unread",
    "Upkeep",
    "confidence_at",
    "facts_of",
    "kind_of",
    "point_of",
    "read_event",
    "read_file",
    "read_message",
    "read_reverify",
    "read_upkeep",
    "read_upkeeps",
    "standing_of",
    "status_kind",
]
