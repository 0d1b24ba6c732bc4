"""What training and evaluation found, as tables for people. Used by :mod:`leadmill.interfaces.cli.scoring`."""

import shlex
from collections.abc import Sequence
from typing import Any

from leadmill.interfaces.cli.speaking import err, out, table
from leadmill.learning.service import Audit, Card, Evaluated, Figures, Look, Read

_HEADS = ("AUC", "log-loss", "Brier", "ECE", "lift 10 %")
_NAMES = ("auc", "log_loss", "brier", "ece", "lift")
_MOST = 10


def tell_columns(read: Read, look: Look) -> None:
    """What the columns were taken for and which are suspected, on standard error."""
    rows = [
        [
            one.name,
            str(one.kind),
            f"{one.filled:.0%}",
            f"{one.distinct:,}",
            _why(look.left_out.get(one.name, "")),
        ]
        for one in look.profiles
    ]
    table(f"{read.name}: {read.table.rows:,} rows", ["column", "taken for", "filled", "values", "left out"], rows,
          right={2, 3}, to=err)  # fmt: skip
    if read.unreadable:
        err.print(f"{read.unreadable:,} rows could not be read and are left out", markup=False)
    if look.outcomes.unknown:
        err.print(f"{look.outcomes.unknown:,} rows have no outcome and are left out", markup=False)
    suspects = [
        [", ".join(one.columns) or "the file", one.rule, "clear" if one.clear else "in doubt", one.says]
        for one in look.suspects
    ]
    if suspects:
        table("Suspected of knowing the outcome", ["columns", "rule", "", "why"], suspects, to=err)
    accused = {name for one in look.suspects if one.clear for name in one.columns}
    if taken := [name for name, why in look.left_out.items() if name in accused and why.startswith("suspected")]:
        back = " ".join(f"--keep {shlex.quote(name)}" for name in taken)
        err.print(f"What was known when a row was scored is taken back with: {back}", markup=False, soft_wrap=True)


def _why(said: str) -> str:
    """The reason in a word or two; the table of suspects has the rest."""
    return said.split(":", 1)[0] if said.startswith("suspected") else said


def tell_card(card: Card) -> None:
    """The card's first page."""
    held = card["holdout"]
    data = card["data"]
    out.print(
        f"{data['rows']:,} rows, {data['events']:,} with the outcome ({data['base_rate']:.1%}); "
        f"{held['figures']['rows']:,} held back by {held['by']}.",
        markup=False,
    )
    rows = [["held back", *_of_card(held["figures"])]]
    spans = held["figures"]["intervals"]
    if spans:
        rows.append(["95 %", *(f"{spans[name][0]:.3f}–{spans[name][1]:.3f}" for name in _NAMES)])
    if card["in_use"]:
        rows.append(["model in use", *_of_card(card["in_use"])])
    if together := card["chronological"]:
        rows.append(["in order of time", *_of_card(together["later"])])
        rows.append(["by random folds", *_of_card(together["random"])])
    table("How good it is", ["", *_HEADS], rows, right=set(range(1, 6)))
    counts = [[one["column"], f"{one['mean_effect']:.3f}", f"{one['share']:.0%}"] for one in card["importance"][:_MOST]]
    table("What counts", ["column", "mean effect", "share"], counts, right={1, 2})
    told = card["fairness"]
    for audit in told["audits"]:
        verdict = "within the limits" if audit["passes"] else "fails"
        out.print(f"{audit['attribute']}: {verdict}", markup=False)
        for says in audit["says"]:
            out.print(f"  {says}", markup=False)
    for proxy in told["proxies"]:
        out.print(f"The features tell {proxy['attribute']} with an AUC of {proxy['auc']:.2f}.", markup=False)
    for says in card["limits"]:
        out.print(f"- {says}", markup=False)
    out.print(f"Digest {card['digest']}", markup=False)


def _of_card(figures: Any) -> list[str]:
    return [f"{figures[name]:.4f}" for name in _NAMES]


def tell_evaluated(found: Evaluated) -> None:
    """An evaluation."""
    out.print(f"Model {found.digest}", markup=False)
    told = f"{found.rows:,} rows, {found.figures.events:,} with the outcome"
    if found.without_outcome:
        told += f"; {found.without_outcome:,} without one were left out"
    out.print(f"{told}.", markup=False)
    rows = [["this model", *_of(found.figures)]]
    spans = found.figures.intervals
    if spans:
        rows.append(["95 %", *(f"{spans[name][0]:.3f}–{spans[name][1]:.3f}" for name in _NAMES)])
    if found.against is not None:
        rows.append(["the other", *_of(found.against)])
    if found.rolling is not None:
        rolling = found.rolling
        rows.append([f"from row {rolling.first:,}: as it is", *_of(rolling.as_it_is)])
        rows.append([f"refitted each {rolling.every:,}, {rolling.fits} times", *_of(rolling.refitted)])
    table("How good it is", ["", *_HEADS], rows, right=set(range(1, 6)))
    table(
        "Calibration",
        ["score", "rows", "mean score", "observed"],
        [[f"{one.low:.1f} to {one.high:.1f}", f"{one.rows:,}", f"{one.score:.3f}", f"{one.rate:.3f}"]
         for one in found.calibration],
        right={1, 2, 3},
    )  # fmt: skip
    if found.slices:
        parts = [
            [one.column, one.value, f"{one.rows:,}", f"{one.rate:.3f}", f"{one.score:.3f}", f"{one.auc:.3f}",
             f"{one.ece:.3f}"]
            for one in found.slices
        ]  # fmt: skip
        heads = ["column", "value", "rows", "rate", "mean score", "AUC", "ECE"]
        table("By groups", heads, parts, right={2, 3, 4, 5, 6})
    _tell_audits(found.audits)


def _of(figures: Figures) -> list[str]:
    return [f"{getattr(figures, name):.4f}" for name in _NAMES]


def _tell_audits(audits: Sequence[Audit]) -> None:
    for audit in audits:
        rows = [
            [one.name, f"{one.rows:,}", f"{one.rate:.3f}", f"{one.score:.3f}",
             f"{one.gap:+.3f} ({one.gap_low:+.3f} to {one.gap_high:+.3f})", f"{one.auc:.3f}", f"{one.ece:.3f}",
             f"{one.ece_by_chance:.3f}", "" if one.passes else "fails"]
            for one in audit.groups
        ]  # fmt: skip
        heads = ["group", "rows", "rate", "mean score", "difference", "AUC", "ECE", "by chance", ""]
        verdict = "within the limits" if audit.passes else "fails"
        table(f"{audit.attribute}: {verdict}", heads, rows, right={1, 2, 3, 5, 6, 7})
        for line in audit.thresholds:
            out.print(
                f"Best {line.share:.0%}: adverse-impact ratio {line.ratio:.2f} for {line.worst}"
                f"{'' if line.passes else ', below the limit'}",
                markup=False,
            )
        if audit.small:
            out.print(f"Not judged, for want of rows or of a value: {', '.join(audit.small)}", markup=False)
