"""A model's card as pages and programs read it: typed, whatever an older or foreign card leaves out.

Used by the console's pages of models and by the API. The card itself is described in ``docs/scoring.md``.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from leadmill.core.shares import share_interval


class Figures(Struct, frozen=True):
    """How good a score is on some rows; ``intervals`` hold each figure 95 times in 100."""

    rows: int
    events: int
    auc: float
    log_loss: float
    brier: float
    ece: float
    lift: float
    intervals: dict[str, tuple[float, float]] = {}


class Band(Struct, frozen=True):
    """One bin of the calibration plot: mean score and observed rate of its rows."""

    low: float
    high: float
    rows: int
    score: float
    rate: float

    @property
    def within(self) -> tuple[float, float]:
        """Where the rate lies with 95 in 100 (Wilson's interval)."""
        return share_interval(self.rate * self.rows, self.rows)


class Held(Struct, frozen=True):
    """What was held back of the rows, ``by`` time or chance, and how the same recipe did there."""

    by: str
    figures: Figures
    calibration: tuple[Band, ...] = ()


class Data(Struct, frozen=True):
    """The rows it learned from."""

    file: str
    sha256: str
    rows: int
    events: int
    base_rate: float
    without_outcome: int = 0
    window: tuple[str, str] | None = None
    time: str | None = None


class Together(Struct, frozen=True):
    """Tests in the order of time beside random folds on the same rows."""

    later: Figures
    random: Figures
    blocks: tuple[Figures, ...] = ()


class Recipe(Struct, frozen=True):
    """The share of trees in the blend, how many there are, and among how many settings they were chosen."""

    weight: float
    rounds: int
    tried: int


class Method(Struct, frozen=True):
    """How it was made."""

    recipe: Recipe
    calibration: str
    monotone: dict[str, int] = {}


class Column(Struct, frozen=True):
    """A column of the file and what it was taken for."""

    name: str
    kind: str
    filled: float = 1.0
    distinct: int = 0


class Suspect(Struct, frozen=True):
    """Columns suspected of knowing the outcome, by which rule and why."""

    columns: tuple[str, ...]
    rule: str
    clear: bool
    says: str


class Weight(Struct, frozen=True):
    """A column's mean effect in log-odds, and its share of all effects."""

    column: str
    mean_effect: float
    share: float


class Point(Struct, frozen=True, rename={"low": "from", "high": "to"}):
    """The mean effect of a column's bin or level, in log-odds against the average row."""

    rows: int
    effect: float
    low: float | None = None
    high: float | None = None
    level: str | None = None
    missing: bool = False


class Effects(Struct, frozen=True):
    """A column's effects, bin by bin."""

    column: str
    points: tuple[Point, ...]


class Slice(Struct, frozen=True):
    """How it does on the rows with one value."""

    column: str
    value: str
    rows: int
    rate: float
    score: float
    auc: float
    ece: float


class Group(Struct, frozen=True):
    """One group of a protected attribute: mean score and observed rate, and how far they are apart."""

    name: str
    rows: int
    rate: float
    score: float
    gap: float
    gap_low: float
    gap_high: float
    auc: float
    ece: float
    passes: bool


class Threshold(Struct, frozen=True):
    """How often each group passes a score, and the lowest share over the highest."""

    share: float
    score: float
    selected: dict[str, float]
    ratio: float
    worst: str
    passes: bool


class Audit(Struct, frozen=True):
    """One protected attribute."""

    attribute: str
    passes: bool
    groups: tuple[Group, ...] = ()
    small: tuple[str, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    says: tuple[str, ...] = ()


class Proxy(Struct, frozen=True):
    """How well the columns tell an attribute, together and alone."""

    attribute: str
    group: str
    auc: float
    passes: bool
    columns: tuple[tuple[str, float], ...] = ()


class Alternative(Struct, frozen=True):
    """The same recipe without some columns."""

    without: tuple[str, ...]
    auc: float
    ratio: float
    within: bool


class Fairness(Struct, frozen=True):
    """Whether it treats groups alike; ``passes`` is None where nothing was asked."""

    protected: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()
    least_ratio: float = 0.8
    audits: tuple[Audit, ...] = ()
    proxies: tuple[Proxy, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    passes: bool | None = None


class ModelCard(Struct, frozen=True):
    """What a model is made of, how good it is and for whom, and what it is not good for."""

    digest: str = ""
    target: str = ""
    positive: str = ""
    made_at: str = ""
    data: Data | None = None
    holdout: Held | None = None
    in_use: Figures | None = None
    chronological: Together | None = None
    method: Method | None = None
    columns: tuple[Column, ...] = ()
    left_out: dict[str, str] = {}
    suspects: tuple[Suspect, ...] = ()
    importance: tuple[Weight, ...] = ()
    effects: tuple[Effects, ...] = ()
    slices: tuple[Slice, ...] = ()
    fairness: Fairness = Fairness()
    limits: tuple[str, ...] = ()
    settings: dict[str, Any] = {}
    versions: dict[str, str] = {}


def read_card(raw: Mapping[str, Any]) -> ModelCard | None:
    """The card as it was written; None where there is none, or where it is no card."""
    if not raw:
        return None
    try:
        return msgspec.convert(dict(raw), ModelCard, strict=False)
    except msgspec.ValidationError:
        return None
