"""A model's card as its page tells it to a person: figures with their intervals, calibration, what counts, for whom.

Pure: takes the card, gives plain values and charts for ``model.html``.
"""

from collections.abc import Sequence
from math import exp
from typing import Any

from leadmill.interfaces.charts import Dot, calibration
from leadmill.interfaces.modelcards import Audit, Band, Effects, Fairness, Figures, ModelCard, Point, Proxy

_STRONGEST = 6
_MOST = 15
MEASURES = (
    ("auc", "AUC", "Of two rows, one with the outcome and one without: how often the first scores higher"),
    ("log_loss", "Log-loss", "How surprised the score is by what came; less is better"),
    ("brier", "Brier", "The mean squared distance between score and outcome; less is better"),
    ("ece", "Calibration error", "How far scores are from the share that came, on average; less is better"),
    ("lift", "Lift, top 10 %", "The share among the tenth that scores highest, over the share of all"),
)


def told(card: ModelCard) -> dict[str, Any]:
    """All that the page shows of a card."""
    held = card.holdout
    settings = {key: value for key, value in card.settings.items() if value is not None}
    return {
        "target": f"{card.target} = {card.positive}" if card.target else "",
        "made_at": card.made_at[:10],
        "data": _data(card),
        "measures": MEASURES,
        "figures": _figures(held.figures) if held is not None else [],
        "held": held,
        "beside": _beside(card),
        "bands": [_band(one) for one in held.calibration] if held is not None else [],
        "plot": _plot(held.calibration) if held is not None and held.calibration else None,
        "importance": _importance(card),
        "effects": _effects(card),
        "suspects": _suspects(card),
        "left_out": sorted(card.left_out.items()),
        "slices": card.slices,
        "fairness": _fairness(card.fairness),
        "limits": card.limits,
        "made": _made(card),
        "settings": ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in settings.items()),
        "versions": ", ".join(f"{name} {value}" for name, value in card.versions.items()),
    }


def _suspects(card: ModelCard) -> list[dict[str, Any]]:
    """What is suspected, each column once with all that speaks against it."""
    found: dict[str, dict[str, Any]] = {}
    for one in card.suspects:
        name = ", ".join(one.columns) or "the file"
        held = found.setdefault(name, {"columns": name, "clear": False, "says": []})
        held["clear"] = held["clear"] or one.clear
        held["says"].append(f"{one.says[:1].upper()}{one.says[1:]}")
    return list(found.values())


def _data(card: ModelCard) -> str:
    data = card.data
    if data is None:
        return ""
    says = f"Learned from {data.rows:,} rows, of which {data.events:,} had the outcome ({data.base_rate:.1%})"
    if data.window:
        says += f", of {data.window[0]} to {data.window[1]}"
    if data.without_outcome:
        says += f"; {data.without_outcome:,} without an outcome were left out"
    return f"{says}."


def _figures(figures: Figures) -> list[dict[str, str]]:
    return [
        {"says": title, "about": about, "value": _value(figures, name), "within": _within(figures, name)}
        for name, title, about in MEASURES
    ]


def _value(figures: Figures, name: str) -> str:
    return f"{getattr(figures, name):.2f}" if name == "lift" else f"{getattr(figures, name):.3f}"


def _within(figures: Figures, name: str) -> str:
    found = figures.intervals.get(name)
    if found is None:
        return ""
    return f"{found[0]:.2f} to {found[1]:.2f}" if name == "lift" else f"{found[0]:.3f} to {found[1]:.3f}"


def _beside(card: ModelCard) -> list[dict[str, Any]]:
    """The rows of the comparison: held back, the model in use on the same rows, in the order of time, by chance."""
    found: list[tuple[str, Figures]] = []
    if card.holdout is not None:
        found.append((f"On rows held back by {card.holdout.by}", card.holdout.figures))
    if card.in_use is not None:
        found.append(("The model in use then, on the same rows", card.in_use))
    if card.chronological is not None:
        found.append(("In the order of time, each block by those before", card.chronological.later))
        found.append(("By random folds, on the same rows", card.chronological.random))
    return [
        {
            "who": who,
            "rows": one.rows,
            "cells": [(_value(one, name), _within(one, name)) for name, _, _ in MEASURES],
        }
        for who, one in found
    ]


def dots(bands: Sequence[Band]) -> list[Dot]:
    """Bins of a calibration as the plot takes them."""
    return [Dot(one.score, one.rate, *one.within, one.rows) for one in bands]


def _plot(bands: Sequence[Band]) -> Any:
    worst = max(bands, key=lambda one: one.rows * abs(one.score - one.rate))
    label = f"Foreseen against observed in {len(bands)} bins; most rows are off at {worst.score:.0%} foreseen, "
    return calibration(f"{label}where {worst.rate:.0%} came", dots(bands))


def _band(one: Band) -> dict[str, Any]:
    low, high = one.within
    return {
        "says": f"{one.low:.0%} to {one.high:.0%}",
        "rows": one.rows,
        "score": f"{one.score:.1%}",
        "rate": f"{one.rate:.1%}",
        "within": f"{low:.1%} to {high:.1%}",
    }


def _importance(card: ModelCard) -> list[dict[str, Any]]:
    most = max([one.share for one in card.importance], default=1.0) or 1.0
    return [
        {
            "column": one.column,
            "mean": f"{one.mean_effect:.3f}",
            "share": f"{one.share:.0%}",
            "width": round(100 * one.share / most, 1),
        }
        for one in card.importance[:_MOST]
    ]


def _effects(card: ModelCard) -> list[dict[str, Any]]:
    shares = {one.column: one.share for one in card.importance}
    strongest = [one.column for one in card.importance if one.share > 0][:_STRONGEST]
    by_column = {one.column: one for one in card.effects}
    return [_effect(by_column[name], shares[name]) for name in strongest if name in by_column]


def _effect(one: Effects, share: float) -> dict[str, Any]:
    most = max([abs(point.effect) for point in one.points], default=0.0) or 1.0
    return {
        "column": one.column,
        "share": f"{share:.0%}",
        "points": [
            {
                "says": _named(point),
                "rows": point.rows,
                "odds": f"× {exp(max(-20.0, min(20.0, point.effect))):.2f}",
                "tone": "good" if point.effect > 0 else "bad",
                "x": round(50 - (50 * -point.effect / most if point.effect < 0 else 0), 1),
                "width": round(50 * abs(point.effect) / most, 1),
            }
            for point in one.points
        ],
    }


def _named(point: Point) -> str:
    if point.missing:
        return "not given"
    if point.level is not None:
        return point.level
    if point.low is None or point.high is None:
        return "other"
    low, high = number(point.low), number(point.high)
    return low if low == high else f"{low} to {high}"


def number(value: float) -> str:
    """A number as short as it can be read."""
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"


def _fairness(found: Fairness) -> dict[str, Any]:
    return {
        "asked": bool(found.protected),
        "passes": found.passes,
        "least": f"{found.least_ratio:g}",
        "audits": [_audit(one) for one in found.audits],
        "proxies": [_proxy(one) for one in found.proxies],
        "alternatives": [
            {
                "without": ", ".join(one.without),
                "auc": f"{one.auc:.3f}",
                "ratio": f"{one.ratio:.2f}",
                "within": one.within,
            }
            for one in found.alternatives
        ],
        "barred": ", ".join(found.barred),
    }


def _audit(one: Audit) -> dict[str, Any]:
    return {
        "attribute": one.attribute,
        "passes": one.passes,
        "says": one.says,
        "small": ", ".join(one.small),
        "groups": [
            {
                "name": each.name,
                "rows": each.rows,
                "rate": f"{each.rate:.1%}",
                "score": f"{each.score:.1%}",
                "gap": f"{each.gap:+.3f}",
                "within": f"{each.gap_low:+.3f} to {each.gap_high:+.3f}",
                "auc": f"{each.auc:.3f}",
                "ece": f"{each.ece:.3f}",
                "passes": each.passes,
            }
            for each in one.groups
        ],
        "thresholds": [
            {
                "says": f"The best {each.share:.0%}",
                "selected": ", ".join(f"{name} {share:.1%}" for name, share in each.selected.items()),
                "ratio": f"{each.ratio:.2f}",
                "worst": each.worst,
                "passes": each.passes,
            }
            for each in one.thresholds
        ],
    }


def _proxy(one: Proxy) -> dict[str, Any]:
    return {
        "attribute": one.attribute,
        "group": one.group,
        "auc": f"{one.auc:.3f}",
        "alone": ", ".join(f"{name} {auc:.3f}" for name, auc in one.columns),
        "passes": one.passes,
    }


def _made(card: ModelCard) -> str:
    method = card.method
    if method is None:
        return ""
    recipe = method.recipe
    trees = f"boosted trees ({recipe.weight:.0%}, {recipe.rounds} rounds)"
    says = f"A blend of {trees} and an additive model ({1 - recipe.weight:.0%})" if recipe.weight else "Additive"
    says += f", chosen out of fold among {recipe.tried} settings; calibrated by {method.calibration}."
    if method.monotone:
        ways = [f"{name} {'rising' if sign > 0 else 'falling'}" for name, sign in method.monotone.items()]
        says += f" Monotone: {', '.join(ways)}."
    return says
