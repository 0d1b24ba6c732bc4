"""What a learned model is: columns, what each value is worth, trees, calibration; and what it says of a row.

A row is a mapping of column names to values: texts as a file has them, or numbers, truth values and times as a program
has them. All effects are in log-odds, so that they add up.
"""

from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

FORMAT = 2
"""The version of the artefact's form that is written. Since 2 numbers may have a slope."""
READ = frozenset({1, FORMAT})
"""Versions that are read."""

Value: TypeAlias = str | int | float | bool | date | datetime | time | None
"""A cell."""


class Kind(StrEnum):
    """What a column was taken for. The last four are not learned from."""

    NUMBER = "number"
    CATEGORY = "category"
    MOMENT = "date"
    CLOCK = "time of day"
    TEXT = "free text"
    IDENTIFIER = "identifier"
    CONSTANT = "constant"
    EMPTY = "empty"
    UNREADABLE = "unreadable"

    @property
    def learned(self) -> bool:
        """Whether models learn from columns of this kind."""
        return self in (Kind.NUMBER, Kind.CATEGORY, Kind.MOMENT, Kind.CLOCK, Kind.TEXT)


class Column(Struct, frozen=True):
    """A column of the training data that the model looks at; ``kind`` says how its values are read."""

    name: str
    kind: Kind


class Reason(Struct, frozen=True):
    """What one column did to one row's score: ``effect`` in log-odds against the average row (positive raises), and
    a sentence that a person can read. ``value`` is how the model understood the cell."""

    column: str
    effect: float
    says: str
    value: str = ""


class Scored(Struct, frozen=True):
    """The calibrated probability of the positive outcome, and the log-odds before calibration (their order is the
    same). ``unseen`` counts cells whose level the training data did not have, ``missing`` those without a value."""

    probability: float
    log_odds: float
    unseen: int = 0
    missing: int = 0


class NumberFeature(Struct, frozen=True, tag="number", tag_field="is"):
    """A number out of a column: the value itself, or a ``part`` of a date, time or text. Bin ``i`` holds values up to
    ``edges[i]``, edge included; ``effects`` has one more than ``edges``; ``missing`` is the effect of none. To the
    bin's effect comes ``slope`` for each unit above ``middle``, values below ``low`` or above ``high`` counting as
    those."""

    column: str
    kind: Kind
    part: str
    edges: tuple[float, ...]
    effects: tuple[float, ...]
    missing: float
    slope: float = 0.0
    low: float = 0.0
    high: float = 0.0
    middle: float = 0.0


class CategoryFeature(Struct, frozen=True, tag="category", tag_field="is"):
    """A level out of a column. ``levels`` has, by the folded text, what the trees read and the additive effect;
    ``other`` serves levels that were rare or never seen, ``missing`` none. ``rare`` are levels seen too
    seldom to count."""

    column: str
    levels: dict[str, tuple[float, float]]
    missing: tuple[float, float]
    other: tuple[float, float]
    rare: tuple[str, ...] = ()


Feature: TypeAlias = NumberFeature | CategoryFeature


class Calibration(Struct, frozen=True):
    """From log-odds ``z`` to a probability, never falling as ``z`` rises.

    ``platt``: sigmoid(a z + b), a > 0. ``beta``: sigmoid(a ln s − b ln(1 − s) + c) of s = sigmoid(z), a, b ≥ 0 and not
    both 0. ``isotonic``: straight lines between ``points`` (z, probability), both rising strictly.
    ``none``: sigmoid(z).
    """

    method: str = "none"
    numbers: tuple[float, ...] = ()
    points: tuple[tuple[float, float], ...] = ()


class Limits(Struct, frozen=True, kw_only=True):
    """How alike a score must treat groups. ``least_ratio``: the adverse-impact ratio below which a threshold fails (the
    four-fifths rule, 29 CFR § 1607.4(D)); ``most_gap``: how far a group's mean score may certainly be from its rate;
    ``most_excess``: how much more its calibration error may be than chance alone would make it; ``proxy``: the AUC from
    which the columns together are a proxy for the attribute."""

    least_ratio: float = 0.8
    most_gap: float = 0.03
    most_excess: float = 0.04
    proxy: float = 0.75

    def milder_than(self, other: "Limits") -> tuple[str, ...]:
        """The limits that are milder here than there."""
        mild = [("least_ratio", self.least_ratio < other.least_ratio)]
        mild += [(name, getattr(self, name) > getattr(other, name)) for name in ("most_gap", "most_excess", "proxy")]
        return tuple(name for name, milder in mild if milder)


class Form(Struct, frozen=True, kw_only=True):
    """The whole model but for its trees. ``z = intercept + Σ effects + tree_weight · (Σ trees − tree_base)``; the
    additive effects stand there already weighted. ``tree_weight`` is 0 where there are no trees. ``barred`` are columns
    that must never be handed to it; ``cells`` is the edition of how cells are read (:mod:`leadmill.learning.cells`)."""

    format: int = FORMAT
    target: str
    positive: str
    base_rate: float
    columns: tuple[Column, ...]
    features: tuple[Feature, ...]
    intercept: float
    tree_weight: float = 0.0
    tree_base: float = 0.0
    calibration: Calibration = Calibration()
    barred: tuple[str, ...] = ()
    cells: int = 1


class Manifest(Struct, frozen=True):
    """What lies in a model's folder: its ``digest`` (over ``model.json`` and ``trees.txt``) and each file's SHA-256."""

    format: int
    digest: str
    files: dict[str, str]


Card: TypeAlias = dict[str, Any]
"""The model card as its JSON has it; ``docs/scoring.md`` describes it."""


def encode_form(form: Form) -> bytes:
    """The one way of writing a form: its bytes are what the digest is of."""
    return msgspec.json.format(msgspec.json.encode(form, order="deterministic"), indent=1) + b"\n"
