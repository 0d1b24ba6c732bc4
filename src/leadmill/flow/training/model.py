"""What is asked of training on our own leads, and what came of it."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct

from leadmill.flow.history import Groups, Written
from leadmill.learning import Limits
from leadmill.scoring import HORIZON, TARGETS, Foresees, Target


class Wanted(Struct, frozen=True, kw_only=True):
    """Leads of which vertical and span to learn from, and what of them. Settings are tried for ``budget_s`` seconds, or
    ``tries`` of them. ``groups`` is lawful test data by lead, for the audit alone. ``exclude``, ``keep``, ``barred``,
    ``monotone`` (+1 or −1 by column) and ``kinds`` are as for a file (:class:`leadmill.learning.service.Asked`)."""

    vertical: str
    target: Target = "converted"
    since: datetime | None = None
    until: datetime | None = None
    horizon: timedelta = HORIZON
    budget_s: float = 60.0
    tries: int | None = None
    seed: int = 0
    threads: int = 2
    groups: Groups = {}
    exclude: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()
    monotone: dict[str, int] = {}
    kinds: dict[str, str] = {}

    @property
    def foresees(self) -> Foresees:
        """What a model of this target gives the chance of."""
        return TARGETS[self.target]


class Task(Struct, frozen=True, kw_only=True):
    """One training from a file, for whoever does it: which columns are what, what audits are held to, where the model
    goes, and the model in use, to compare with."""

    file: Path
    out: Path
    target: str
    time: str
    exclude: tuple[str, ...]
    protected: tuple[str, ...]
    limits: Limits
    pack: str
    history: dict[str, Any]
    against: Path | None = None
    budget_s: float = 60.0
    tries: int | None = None
    seed: int = 0
    threads: int = 2
    keep: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()
    monotone: dict[str, int] = {}
    kinds: dict[str, str] = {}


class Trained(Struct, frozen=True):
    """What training made in its folder: the card, and whether groups are treated within the limits."""

    card: dict[str, Any]
    passes: bool


Trainer = Callable[[Task], Awaitable[Trained]]
"""Trains. Raises BadInput as :mod:`leadmill.learning.service` does."""

Say = Callable[[str], None]
"""Told what is being done."""


class Learned(Struct, frozen=True):
    """A model made of our own leads, in a folder that goes when its block ends. ``champion`` is the model in use that
    it was compared with, nothing where there is none."""

    folder: Path
    digest: str
    wanted: Wanted
    written: Written
    card: dict[str, Any]
    passes: bool
    champion: str = ""

    def words(self) -> str:
        """How good it is, and how it stands beside the model in use."""
        held = self.card["holdout"]["figures"]
        told = f"AUC {held['auc']:.3f} on {held['rows']:,} rows held back"
        compared = self.card.get("compared")
        if compared and self.champion:
            told += (
                f", {compared['auc']:+.3f} ({compared['auc_low']:+.3f} to {compared['auc_high']:+.3f}) beside "
                f"{self.champion}"
            )
        return told if self.passes else f"{told}; it does not treat groups within the limits and may not decide"
