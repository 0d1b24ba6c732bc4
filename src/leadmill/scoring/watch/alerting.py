"""What of all that is measured a person should look at. Pure; called after each count."""

from collections.abc import Iterator

from msgspec import Struct

from leadmill.scoring.models import DECIDING
from leadmill.scoring.watch.counts import CARD
from leadmill.scoring.watch.model import (
    AlertKind,
    Calibrated,
    Group,
    Severity,
    Shift,
    Watched,
    WatchedVertical,
    WatchTerms,
)

_FACTOR = 1.5
"""How many times more, or fewer, than foreseen is large where both are small."""


class Finding(Struct, frozen=True):
    """An alert that stands now, without when it began."""

    kind: AlertKind
    severity: Severity
    model: str
    subject: str
    says: str


def findings(watched: WatchedVertical) -> list[Finding]:
    """Everything that is large and sure. Of a model that decides it is an alarm, of one that is only heard something to
    look at."""
    states = {one.model: one.state for one in watched.models}
    found: list[Finding] = []
    for one in watched.models:
        found += _of_model(watched.terms, one)
    for group in watched.groups:
        found += _of_group(watched.terms, group, states)
    for pair in watched.compared:
        if pair.better == "other" and states.get(pair.model) == "champion" and pair.rows >= watched.terms.least:
            says = (
                f"{pair.other} foresees better on the same {pair.rows:,} leads: "
                f"a log-loss lower by {-pair.difference:.4f}, for sure by {-pair.high:.4f}"
            )
            found.append(Finding("beaten", "watch", pair.model, pair.other, says))
    for lag in watched.lags:
        if lag.state in ("silent", "slower") and lag.early_before is not None and lag.early_now is not None:
            says = (
                f"answered for {lag.early_before:.0%} of leads within {watched.terms.early} days, "
                f"lately for {lag.early_now:.0%} of {lag.early_rows:,}"
            )
            kind: AlertKind = "silent" if lag.state == "silent" else "slower"
            found.append(Finding(kind, "alarm" if kind == "silent" else "watch", "", lag.recipient, says))
    return found


def _of_model(terms: WatchTerms, one: Watched) -> Iterator[Finding]:
    severity: Severity = "alarm" if one.state in DECIDING else "watch"
    if one.score is not None and one.score.state == "drifted":
        says = f"the scores of {one.score.rows:,} leads are {_far(one.score)}"
        yield Finding("score_drift", severity, one.model, "", says)
    for shift in one.columns:
        if shift.state == "drifted" and not shift.quiet:
            says = f"{shift.name} of {shift.rows:,} leads is {_far(shift)}; most moved: {_moved(shift)}"
            yield Finding("column_drift", "watch", one.model, shift.name, says)
    if one.calibration is not None and decayed(terms, one.calibration):
        told = one.calibration
        expected = (told.events - told.gap * told.rows) / told.rows
        says = (
            f"of {told.rows:,} leads it foresaw {expected:.1%}, {told.events / told.rows:.1%} came out so; "
            f"the difference is between {told.gap_low:+.3f} and {told.gap_high:+.3f}"
        )
        yield Finding("calibration", severity, one.model, "", says)


def decayed(terms: WatchTerms, told: Calibrated) -> bool:
    """Whether chances are far from what comes out, for sure."""
    if not told.sure or told.rows < terms.least:
        return False
    expected = max(told.events - told.gap * told.rows, 1e-9)
    factor = max(told.events, 1e-9) / expected
    return abs(told.gap) >= terms.gap or not 1 / _FACTOR < factor < _FACTOR


def _of_group(terms: WatchTerms, group: Group, states: dict[str, str]) -> Iterator[Finding]:
    if group.decider == CARD or group.decider not in states:
        return
    severity: Severity = "alarm" if states[group.decider] in DECIDING else "watch"
    if "bad" in group.worse and group.early.rows >= terms.least:
        says = f"{group.early.share:.1%} of its {group.early.rows:,} leads are bad, for sure more than of the others'"
        yield Finding("worse_bad", severity, group.decider, "", says)
    if "converted" in group.worse and group.converted.rows >= terms.least:
        says = (
            f"{group.converted.share:.1%} of its {group.converted.rows:,} leads converted, "
            "for sure fewer than of the others'"
        )
        yield Finding("worse_conversion", severity, group.decider, "", says)


def _far(shift: Shift) -> str:
    return f"far from the training data: PSI {shift.psi:.2f}, by chance {shift.chance:.2f}"


def _moved(shift: Shift) -> str:
    most = max(shift.bins, key=lambda one: abs(one.now - one.then))
    return f"{most.says} from {most.then:.0%} to {most.now:.0%}"
