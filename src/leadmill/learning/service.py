"""The verbs of files: train a model from a table, say how good it is on another, score a table's rows.

``leadmill scoring`` calls them. What is printed and where is the caller's; so are the clock and the file names.
"""

import csv
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from leadmill.core.faults import BadInput
from leadmill.learning.artefact import free, read_model, write_folder
from leadmill.learning.boosting import Say
from leadmill.learning.card import card_of
from leadmill.learning.cardtext import card_text
from leadmill.learning.fairness import AIR, USUAL, Audit
from leadmill.learning.figures import Band, Figures, bands, figures_of
from leadmill.learning.fitting import Effort
from leadmill.learning.kinds import Profile, profile
from leadmill.learning.model import Card, Kind, Limits
from leadmill.learning.outcomes import read_outcomes
from leadmill.learning.picture import picture
from leadmill.learning.refitting import Rolling, roll
from leadmill.learning.scoring import Model
from leadmill.learning.slices import Slice, audits_of, slices_of
from leadmill.learning.suspects import Suspect
from leadmill.learning.table import Floats, Table, table_of
from leadmill.learning.training import Asked, Look, Trained, look_at
from leadmill.learning.training import train as train_table
from leadmill.runtime.rowfiles import digest_file, read_whole

__all__ = [
    "AIR",
    "Asked",
    "Audit",
    "Card",
    "Effort",
    "Evaluated",
    "Figures",
    "Kind",
    "Limits",
    "Look",
    "Model",
    "Predicted",
    "Profile",
    "Read",
    "Rolling",
    "Say",
    "Suspect",
    "Trained",
    "evaluate",
    "look_at",
    "predict",
    "read_model",
    "read_table",
    "train",
]
_SLAB = 20_000
_USUAL = Effort()


class Read(Struct, frozen=True):
    """A file that was read as a table; ``unreadable`` rows are left out."""

    name: str
    digest: str
    table: Table
    unreadable: int


class Evaluated(Struct, frozen=True):
    """How good a model is on a file's rows with an outcome."""

    digest: str
    rows: int
    without_outcome: int
    figures: Figures
    calibration: tuple[Band, ...]
    slices: tuple[Slice, ...]
    audits: tuple[Audit, ...]
    against: Figures | None = None
    against_digest: str = ""
    rolling: Rolling | None = None


class Predicted(Struct, frozen=True):
    """What was written: rows, their mean score, cells of levels never seen and of none, barred columns in the file."""

    digest: str
    rows: int
    mean: float
    absent: tuple[str, ...]
    barred: tuple[str, ...]


def read_table(path: Path, say: Say) -> Read:
    """Read a file whole. Raises :class:`BadInput` as the readers do, and ``learning.file.empty``."""
    read = 0

    def tick(rows: int) -> None:
        nonlocal read
        read += rows
        say("reading", read, None)

    sheet = read_whole(path, path.name, tick=tick)
    if not sheet.rows:
        raise BadInput("learning.file.empty", f"{path.name} has no row that can be read")
    return Read(path.name, digest_file(path), table_of(sheet.columns), len(sheet.faults))


def train(
    read: Read, asked: Asked, look: Look, out: Path, now: datetime, say: Say, against: Model | None = None
) -> tuple[Trained, Card]:
    """Train and write the model's folder. Raises :class:`BadInput` as :func:`leadmill.learning.training.train` does,
    and ``learning.folder.taken``."""
    free(out)
    trained = train_table(read.table, asked, look, say, against)
    card = card_of(trained, asked, trained.built.model(), read.name, read.digest, now.isoformat(timespec="seconds"))
    told = msgspec.json.format(msgspec.json.encode(card), indent=1) + b"\n"
    write_folder(out, trained.built.form, trained.built.trees, told, card_text(card), picture(card))
    return trained, card


def evaluate(
    model: Model,
    read: Read,
    say: Say,
    protected: Sequence[str] = (),
    against: Model | None = None,
    time: str | None = None,
    refit_every: int | None = None,
    label_delay: int = 0,
    effort: Effort = _USUAL,
    limits: Limits = USUAL,
) -> Evaluated:
    """Hold a model against a file's outcomes. With ``refit_every`` it is also fitted again on the file's own past,
    so many rows at a time, with outcomes known ``label_delay`` rows late.

    Raises :class:`BadInput` ``learning.target.none``, ``learning.column.unknown``, ``learning.target.single``."""
    table, target = read.table, model.target
    if target not in table.columns:
        raise BadInput("learning.target.none", f"there is no column '{target}', whose outcome the model foresees")
    for name in (*protected, *([time] if time else [])):
        if name not in table.columns:
            raise BadInput("learning.column.unknown", f"there is no column '{name}'")
    outcomes = read_outcomes(table.columns[target], target, model.form.positive)
    known = ~np.isnan(outcomes.labels)
    rows, labels = table.take(known), outcomes.labels[known]
    chances = _score(model, rows, effort.threads, say)
    seen = [profile(one.name, rows.columns[one.name], one.kind) for one in model.columns if one.name in rows.columns]
    beside = figures_of(labels, _score(against, rows, effort.threads, say)) if against is not None else None
    rolling = None
    if refit_every is not None:
        rolling = roll(model, rows, seen, labels, chances, time, refit_every, label_delay, effort, say)
    return Evaluated(
        digest=model.digest,
        rows=len(labels),
        without_outcome=outcomes.unknown,
        figures=figures_of(labels, chances, effort.seed),
        calibration=tuple(bands(labels, chances)),
        slices=slices_of(rows, seen, labels, chances),
        audits=audits_of(rows, labels, chances, protected, limits),
        against=beside,
        against_digest=against.digest if against is not None else "",
        rolling=rolling,
    )


def predict(model: Model, read: Read, out: Path, say: Say, most: int = 4, threads: int = 2) -> Predicted:
    """Write ``row,score,reasons``, a line for each row of the file in its order, numbered from 1; reasons are
    sentences, joined by a space. Raises OSError where ``out`` cannot be written."""
    table = read.table
    total, done = 0.0, 0
    with out.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("row", "score", "reasons"))
        for start in range(0, table.rows, _SLAB):
            part = table.take(np.arange(start, min(table.rows, start + _SLAB)))
            chances, told = model.tell_columns(_cells(model, part), part.rows, most, threads)
            for number, (chance, reasons) in enumerate(zip(chances.tolist(), told, strict=True), start + 1):
                writer.writerow((number, f"{chance:.6f}", " ".join(reason.says for reason in reasons)))
            total += float(chances.sum())
            done += part.rows
            say("scoring", done, table.rows)
    absent = tuple(column.name for column in model.columns if column.name not in table.columns)
    return Predicted(model.digest, done, total / max(done, 1), absent, tuple(sorted(model.barred & set(table.columns))))


def _cells(model: Model, table: Table) -> dict[str, list[Any]]:
    return table.only([one.name for one in model.columns if one.name in table.columns]).cells()


def _score(model: Model, table: Table, threads: int, say: Say) -> Floats:
    say("scoring", 0, table.rows)
    return model.score_columns(_cells(model, table), table.rows, threads)
