"""Made-up tables with an outcome, for the tests of learning; the same in every run."""

import csv
from pathlib import Path

import numpy as np

from leadmill.learning.calibrating import Floats
from leadmill.learning.table import Table, table_of

Columns = dict[str, list[str]]


def leads(rows: int = 800, seed: int = 3) -> tuple[Columns, Floats]:
    """Visits, a source, an occupation with gaps, a group that has nothing to do with it; and the outcome."""
    draw = np.random.default_rng(seed)
    visits = draw.gamma(2.0, 2.0, rows).round(5)
    source = draw.choice(["search", "referral", "banner", "fair"], rows, p=[0.4, 0.2, 0.3, 0.1])
    work = draw.choice(["employed", "student", ""], rows, p=[0.5, 0.3, 0.2])
    group = draw.choice(["a", "b"], rows)
    z = 0.5 * visits - 2.6 + 1.4 * (source == "referral") - 0.7 * (source == "banner") + 0.5 * (work == "employed")
    labels = (draw.random(rows) < 1.0 / (1.0 + np.exp(-z))).astype(np.float64)
    columns = {
        "visits": [f"{value:.5f}" for value in visits],
        "source": source.tolist(),
        "work": work.tolist(),
        "group": group.tolist(),
    }
    return columns, labels


def with_outcome(columns: Columns, labels: Floats, name: str = "won") -> Columns:
    """The columns and the outcome as yes and no."""
    return {**columns, name: ["yes" if label else "no" for label in labels]}


def table(columns: Columns) -> Table:
    """The columns as training holds them."""
    return table_of(columns)


def write(path: Path, columns: Columns) -> Path:
    """The columns as a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path
