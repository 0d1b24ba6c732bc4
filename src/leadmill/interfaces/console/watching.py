"""What is measured of models at work, and what is told of it, as pages show them.

Pure: takes what :mod:`leadmill.scoring.watch` measured, gives plain values and charts for the page of a model, of a
vertical, and of alerts.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from leadmill.interfaces.charts import Dot, calibration, pairs
from leadmill.scoring.watch import (
    ALERT_KINDS,
    Alert,
    Calibrated,
    Compared,
    Group,
    Lag,
    Rate,
    Shift,
    Tenth,
    Watched,
    WatchedVertical,
)

_CHARTS = 6
"""Columns whose shift is drawn; all stand in the table."""
_SOME, _STRONG = 3.0, 10.0
TONES = {"few": "line", "steady": "ok", "moving": "warn", "drifted": "bad", "slower": "warn", "silent": "bad"}
Names = Callable[[str], str]
_OF_COLUMNS = frozenset({"column_drift", "beaten"})
_OF_RECIPIENTS = frozenset({"silent", "slower"})
_STATES = {
    "few": "Too few",
    "steady": "Steady",
    "moving": "Moving",
    "drifted": "Drifted",
    "slower": "Slower",
    "silent": "Silent",
}


def model_watched(one: Watched, whole: WatchedVertical) -> dict[str, Any]:
    """All that is measured of one model."""
    ordered = sorted(one.columns, key=lambda each: (each.quiet, each.state != "drifted", -each.psi))
    shown = [each for each in ordered if each.bins][:_CHARTS]
    return {
        "leads": one.leads,
        "first": one.first,
        "last": one.last,
        "upto": whole.upto,
        "why_not": one.why_not,
        "score": _shift(one.score) if one.score is not None else None,
        "columns": [_shift(each) for each in ordered],
        "charts": [_shift(each) for each in shown],
        "calibration": _calibrated(one.calibration) if one.calibration is not None else None,
        "compared": [_compared(each, one.model) for each in whole.compared if one.model in (each.model, each.other)],
        "span": whole.terms.span,
        "horizon": one.horizon or whole.terms.horizon,
        "waits": whole.terms.horizon,
        "least": whole.terms.least,
        "sure": f"{1 - whole.terms.alpha:.0%}",
    }


def evidence(e_value: float, sure: bool) -> str:
    """What the sequential test says, in words."""
    if sure:
        return "sure"
    if e_value >= _STRONG:
        return "strong, not yet sure"
    return "some" if e_value >= _SOME else "none"


def _shift(one: Shift) -> dict[str, Any]:
    bins = [(each.then, each.now) for each in one.bins]
    name = "score" if one.name == "score" else one.name
    return {
        "name": name,
        "rows": one.rows,
        "psi": f"{one.psi:.3f}",
        "chance": f"{one.chance:.3f}",
        "evidence": evidence(one.e_value, one.sure),
        "e_value": f"{one.e_value:.3g}",
        "state": _STATES.get(one.state, one.state),
        "tone": TONES.get(one.state, ""),
        "quiet": one.quiet,
        "chart": pairs(f"Shares of {name} by bin in the training data and lately; PSI {one.psi:.3f}", bins)
        if bins
        else None,
        "bins": [
            {"says": each.says, "then": f"{each.then:.1%}", "now": f"{each.now:.1%}", "rows": each.rows}
            for each in one.bins
        ],
    }


def _calibrated(one: Calibrated) -> dict[str, Any]:
    label = f"What it foresaw against what came of {one.rows:,} leads, beside the rows held back in training; "
    return {
        "rows": one.rows,
        "events": one.events,
        "gap": f"{one.gap:+.3f}",
        "within": f"{one.gap_low:+.3f} to {one.gap_high:+.3f}",
        "error": f"{one.error:.3f}",
        "error_then": "" if one.error_then is None else f"{one.error_then:.3f}",
        "evidence": evidence(one.e_value, one.sure),
        "tone": "bad" if one.sure else "ok",
        "plot": calibration(f"{label}the mean gap is {one.gap:+.3f}", _dots(one.now), _dots(one.then))
        if one.now
        else None,
        "now": [_tenth(each) for each in one.now],
    }


def _dots(tenths: Sequence[Tenth]) -> list[Dot]:
    return [Dot(one.expected, one.observed, one.observed_low, one.observed_high, one.rows) for one in tenths]


def _tenth(one: Tenth) -> dict[str, Any]:
    return {
        "says": f"{one.low:.0%} to {one.high:.0%}",
        "rows": one.rows,
        "score": f"{one.expected:.1%}",
        "rate": f"{one.observed:.1%}",
        "within": f"{one.observed_low:.1%} to {one.observed_high:.1%}",
    }


def _compared(one: Compared, model: str) -> dict[str, Any]:
    """The comparison as seen from ``model``: above nought it is the better one."""
    mine = one.model == model
    difference, low, high = (one.difference, one.low, one.high) if mine else (-one.difference, -one.high, -one.low)
    better = one.better if mine else {"model": "other", "other": "model"}.get(one.better, "open")
    return {
        "other": one.other if mine else one.model,
        "rows": one.rows,
        "difference": f"{difference:+.4f}",
        "within": f"{low:+.4f} to {high:+.4f}",
        "says": {"model": "this one is better", "other": "the other is better"}.get(better, "open"),
        "tone": {"model": "ok", "other": "bad"}.get(better, "line"),
    }


def vertical_watched(whole: WatchedVertical, names: Names) -> dict[str, Any]:
    """What a vertical's page tells: who did how well, and who reports late. ``names`` gives a
    recipient's by its id."""
    return {
        "upto": whole.upto,
        "horizon": whole.terms.horizon,
        "early": whole.terms.early,
        "groups": [_group(one) for one in whole.groups],
        "lags": [_lag(one, names) for one in sorted(whole.lags, key=lambda each: (-each.silent, each.recipient))],
    }


def _group(one: Group) -> dict[str, Any]:
    return {
        "decider": one.decider,
        "card": one.decider == "card",
        "early": _rate(one.early),
        "bad": _rate(one.bad),
        "converted": _rate(one.converted),
        "marks": [("bad", "more bad" if each == "bad" else "fewer converted") for each in one.worse]
        + [("ok", "fewer bad" if each == "bad" else "more converted") for each in one.better],
    }


def _rate(one: Rate) -> dict[str, Any]:
    return {
        "rows": one.rows,
        "count": one.count,
        "share": f"{one.share:.1%}" if one.rows else "",
        "within": f"{one.low:.1%} to {one.high:.1%}" if one.rows else "",
    }


def _lag(one: Lag, names: Names) -> dict[str, Any]:
    return {
        "recipient": names(one.recipient),
        "leads": one.leads,
        "median": "" if one.median is None else f"{one.median:.1f} days",
        "ninetieth": "" if one.ninetieth is None else f"{one.ninetieth:.1f} days",
        "silent": f"{one.silent:.0%}",
        "before": "" if one.early_before is None else f"{one.early_before:.0%}",
        "now": "" if one.early_now is None else f"{one.early_now:.0%}",
        "state": _STATES.get(one.state, one.state),
        "tone": TONES.get(one.state, ""),
    }


def alert_shown(one: Alert, who: Mapping[str, str], names: Names) -> dict[str, Any]:
    """An alert as a row of its page; ``who`` are names by the ids of those who looked."""
    about = one.subject if one.kind in _OF_COLUMNS else names(one.subject) if one.kind in _OF_RECIPIENTS else ""
    return {
        "id": one.id,
        "severity": "Today" if one.severity == "alarm" else "Look",
        "tone": "bad" if one.severity == "alarm" else "warn",
        "kind": ALERT_KINDS.get(one.kind, one.kind),
        "says": one.says,
        "vertical": one.vertical,
        "model": one.model,
        "href": f"/scores/{one.vertical}/models/{one.model}#watch" if one.model else f"/scores/{one.vertical}#lags",
        "about": about or one.model,
        "since": one.since,
        "seen": one.seen,
        "ended": one.ended,
        "acknowledged": one.acknowledged,
        "by": who.get(one.by, one.by),
        "why": one.why,
        "open": one.open,
    }
