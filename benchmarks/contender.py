"""One contender on one set, in a process of its own, so that its peak of memory is its own. Run by ``bench resolve``.

    python -m benchmarks.contender NAME FILE.csv TRUTH.csv [COLUMN_LEFT_OUT…]

prints one JSON document: what it found, scored against the truth, its seconds and its peak. All read the same file and
are given the same fields; what a contender does with them is its own.
"""

import csv
import importlib
import logging
import resource
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leadmill.linkage.joining import Joined, join
from leadmill.linkage.mapfile import NO_MAP
from leadmill.linkage.model import Kind
from leadmill.linkage.plain import plain
from leadmill.linkage.resolving import resolve as tell_apart
from leadmill.linkage.service import understand
from leadmill.linkage.splinking import Plan, load, places_compared, plan, train

SURE = 0.95
"""Where the peers' pairs are joined to clusters, as their guides do."""
PRECISE = 0.99
_LEAST = 0.0001

Ints = NDArray[np.int64]


class Found(Struct, frozen=True):
    """Pairs of records with a score, the higher the surer; and, where the contender clusters, each record's cluster."""

    left: Ints
    right: Ints
    scores: NDArray[np.float64]
    clusters: Ints | None = None


class Scored(Struct, frozen=True):
    """Against the truth, pair by pair: the best F1 of any threshold, the best F1 at a precision of 0.99, the share of
    true pairs that were compared at all, and F1, precision and recall of the clusters at the one fixed threshold."""

    best_f1: float
    f1_at_99: float
    reached: float
    clustered_f1: float | None
    clustered_precision: float | None
    clustered_recall: float | None
    pairs: int
    work_s: float
    peak_mb: float


def score(found: Found, truth: Ints, work_s: float) -> Scored:
    """Hold what was found against the truth."""
    true_pairs = _pairs_within(truth)
    order = np.argsort(-found.scores, kind="stable")
    hit = (truth[found.left] == truth[found.right])[order]
    ends = np.append(np.flatnonzero(np.diff(found.scores[order])), len(order) - 1) if len(order) else order
    right = np.cumsum(hit)[ends]
    claimed = ends + 1
    f1 = 2 * right / (claimed + true_pairs)
    precise = f1[right >= PRECISE * claimed]
    clustered = _clustered(found.clusters, truth) if found.clusters is not None else (None, None, None)
    return Scored(
        best_f1=float(f1.max(initial=0.0)),
        f1_at_99=float(precise.max(initial=0.0)),
        reached=float(hit.sum() / true_pairs) if true_pairs else 1.0,
        clustered_f1=clustered[0],
        clustered_precision=clustered[1],
        clustered_recall=clustered[2],
        pairs=len(hit),
        work_s=work_s,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _pairs_within(labels: Ints) -> int:
    counts = np.unique(labels, return_counts=True)[1].astype(np.int64)
    return int((counts * (counts - 1) // 2).sum())


def _clustered(clusters: Ints, truth: Ints) -> tuple[float, float, float]:
    both = _pairs_within(np.unique(np.stack([clusters, truth], axis=1), axis=0, return_inverse=True)[1].ravel())
    claimed, true = _pairs_within(clusters), _pairs_within(truth)
    f1 = 2 * both / (claimed + true) if claimed + true else 1.0
    return f1, both / claimed if claimed else 1.0, both / true if true else 1.0


def read(path: Path, left_out: Sequence[str]) -> Joined:
    """The file as all contenders get it."""
    understood = understand([path], NO_MAP, lambda stage, done, total: None)
    return join(
        [(sheet, [column for column in taken if column.name not in left_out]) for sheet, taken in understood.sheets]
    )


def leadmill(joined: Joined) -> Found:
    """This program. A pair of one cluster scores as the less sure of its two records does there, above all others,
    which score by themselves."""
    found = tell_apart(joined.columns, joined.fields)
    left, right = found.links.left.astype(np.int64), found.links.right.astype(np.int64)
    apart = found.clusters[left] != found.clusters[right]
    inside = _inside(found.clusters)
    sure = np.log2(np.maximum(found.probabilities, 1e-12) / np.maximum(1.0 - found.probabilities, 1e-12))
    scores = np.concatenate((found.link_bits[apart], 1000.0 + np.minimum(sure[inside[0]], sure[inside[1]])))
    return Found(
        np.concatenate((left[apart], inside[0])), np.concatenate((right[apart], inside[1])), scores, found.clusters
    )


def _inside(clusters: Ints) -> tuple[Ints, Ints]:
    """All pairs of records that are in one cluster."""
    order = np.argsort(clusters, kind="stable")
    ends = np.searchsorted(clusters[order], clusters[order], side="right")
    after = ends - np.arange(len(order)) - 1
    first = np.repeat(np.arange(len(order)), after)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(after) - after, after)
    return order[first], order[second]


def splink_usual(joined: Joined) -> Found:
    """Splink 5 on DuckDB with a handful of rules, as its guides show."""
    return _splink(joined, most=6)


def splink_wide(joined: Joined) -> Found:
    """Splink 5 on DuckDB with every rule that the budget of pairs lets it have."""
    return _splink(joined, most=100)


def _splink(joined: Joined, most: int) -> Found:
    logging.disable(logging.CRITICAL)
    columns = _plain(joined)
    chosen: Plan = plan(joined.fields, columns, joined.records, most)
    data = {f"f{place}": [value or None for value in values] for place, values in enumerate(columns)}
    api = load("splink.backends.duckdb").DuckDBAPI()
    arrow = importlib.import_module("pyarrow")
    table = arrow.table({"unique_id": list(range(joined.records)), **data})
    linker = train(chosen, api.register(table))
    pairs = linker.inference.predict(threshold_match_probability=_LEAST)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_probability=SURE)
    edges = pairs.as_pandas_dataframe()
    ends = clusters.as_pandas_dataframe().set_index("unique_id")["cluster_id"]
    return Found(
        edges["unique_id_l"].to_numpy(np.int64),
        edges["unique_id_r"].to_numpy(np.int64),
        edges["match_weight"].to_numpy(np.float64),
        ends.loc[list(range(joined.records))].to_numpy(np.int64),
    )


def recordlinkage(joined: Joined) -> Found:
    """recordlinkage with its unsupervised classifier (ECM) over the rules that Splink's guides would take. It brings
    no clustering."""
    pandas, library = importlib.import_module("pandas"), importlib.import_module("recordlinkage")
    columns = _plain(joined)
    chosen = plan(joined.fields, columns, joined.records, most=6)
    data = pandas.DataFrame({f"f{place}": [value or None for value in values] for place, values in enumerate(columns)})
    index = library.Index()
    for rule in chosen.rules:
        index.block([f"f{place}" for place in rule])
    pairs = index.index(data)
    compare = library.Compare()
    for place in places_compared(joined.fields):
        field = joined.fields[place]
        column = f"f{place}"
        if field.kind in (Kind.SEX, Kind.CATEGORY, Kind.STATE, Kind.HOUSE_NUMBER):
            compare.exact(column, column, label=column)
        elif field.kind in (Kind.DATE, Kind.IDENTIFIER, Kind.PHONE, Kind.POSTCODE):
            compare.string(column, column, method="damerau_levenshtein", threshold=0.85, label=column)
        else:
            compare.string(column, column, method="jarowinkler", threshold=0.88, label=column)
    features = compare.compute(pairs, data).fillna(0)
    features = features.loc[:, features.nunique() > 1]
    classifier = library.ECMClassifier()
    classifier.fit(features)
    scores = classifier.prob(features)
    left = features.index.get_level_values(0).to_numpy(np.int64)
    return Found(left, features.index.get_level_values(1).to_numpy(np.int64), scores.to_numpy(np.float64))


def _plain(joined: Joined) -> list[list[str]]:
    return [[plain(field, value) for value in joined.columns[field.name]] for field in joined.fields]


CONTENDERS: dict[str, tuple[Callable[[Joined], Found], tuple[str, ...]]] = {
    "leadmill": (leadmill, ()),
    "splink": (splink_usual, ("splink", "duckdb", "pandas")),
    "splink-wide": (splink_wide, ("splink", "duckdb", "pandas")),
    "recordlinkage": (recordlinkage, ("recordlinkage", "pandas")),
}
"""What is run by each name, and the packages that it needs."""


def truth_of(path: Path) -> Ints:
    """Whose each record is, as whole numbers, in the file's order."""
    with path.open(encoding="utf-8", newline="") as stream:
        entities = [row["entity_id"] for row in csv.DictReader(stream)]
    return np.unique(np.array(entities), return_inverse=True)[1].astype(np.int64)


def main(arguments: Sequence[str]) -> None:
    """Run, score, print."""
    name, file, truth, *left_out = arguments
    run, needs = CONTENDERS[name]
    for package in needs:  # loading is not work
        importlib.import_module(package)
    warnings.simplefilter("ignore")
    began = time.monotonic()
    joined = read(Path(file), left_out)
    found = run(joined)
    took = time.monotonic() - began
    sys.stdout.write(msgspec.json.encode(score(found, truth_of(Path(truth)), took)).decode() + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
