"""The model card in Markdown, for people: what one reads before trusting a score."""

from collections.abc import Iterator, Sequence
from typing import Any

from leadmill.learning.model import Card

_MOST = 15
_HEADS = {
    "auc": "AUC",
    "log_loss": "log-loss",
    "brier": "Brier",
    "ece": "calibration error",
    "lift": "lift of the top 10 %",
}


def card_text(card: Card) -> str:
    """The whole card."""
    return "\n".join(_lines(card)).rstrip() + "\n"


def _lines(card: Card) -> Iterator[str]:
    data, held, method = card["data"], card["holdout"], card["method"]
    yield f"# Model card: {_cell(card['target'])} = {_cell(card['positive'])}"
    yield ""
    yield f"Digest `{card['digest']}`, made {card['made_at']}."
    yield ""
    yield (
        f"Learned from {data['rows']:,} rows of {_cell(data['file'])} (SHA-256 `{data['sha256'][:16]}…`), of which "
        f"{data['events']:,} had the outcome ({data['base_rate']:.1%})."
    )
    if data["window"]:
        yield f"They are of {data['window'][0]} to {data['window'][1]} by {_cell(data['time'])}."
    if data["without_outcome"]:
        yield f"{data['without_outcome']:,} rows without an outcome were left out."
    for says in data["history"].get("says", ()):
        yield _cell(says)
    yield ""
    yield "## How good it is"
    yield ""
    yield f"On {held['figures']['rows']:,} rows held back by {held['by']}, by the same recipe fitted on the others:"
    yield ""
    yield from _figures(held["figures"], card["in_use"])
    if together := card["chronological"]:
        later, mixed = together["later"], together["random"]
        yield ""
        yield (
            f"In the order of time, each block by a model of those before: AUC {later['auc']:.3f}, log-loss "
            f"{later['log_loss']:.3f}, calibration error {later['ece']:.3f}. By random folds on the same rows: "
            f"{mixed['auc']:.3f}, {mixed['log_loss']:.3f}, {mixed['ece']:.3f}."
        )
    yield ""
    yield "### Calibration"
    yield ""
    yield "![Mean scores against observed rates, and which columns count](calibration.svg)"
    yield ""
    yield from _table(
        ["score", "rows", "mean score", "observed"],
        [
            [
                f"{band['low']:.1f} to {band['high']:.1f}",
                f"{band['rows']:,}",
                f"{band['score']:.3f}",
                f"{band['rate']:.3f}",
            ]
            for band in held["calibration"]
        ],
    )
    yield ""
    yield "## What it is"
    yield ""
    recipe = method["recipe"]
    yield (
        f"A blend of boosted trees ({recipe['weight']:.0%}, {recipe['rounds']} rounds) and an additive model "
        f"({1 - recipe['weight']:.0%}), chosen out of fold among {recipe['tried']} settings; calibrated by "
        f"{method['calibration']}."
    )
    if method["monotone"]:
        told = ", ".join(
            f"{_cell(name)} {'rising' if sign > 0 else 'falling'}" for name, sign in method["monotone"].items()
        )
        yield f"Monotone: {told}."
    yield ""
    yield "## What counts"
    yield ""
    yield "Mean effect on a row in log-odds, exact (additive points and TreeSHAP):"
    yield ""
    yield from _table(
        ["column", "mean effect", "share"],
        [[one["column"], f"{one['mean_effect']:.3f}", f"{one['share']:.0%}"] for one in card["importance"][:_MOST]],
    )
    for one in card["effects"]:
        if one["column"] in [each["column"] for each in card["importance"][:5]]:
            yield ""
            yield f"### {_cell(one['column'])}"
            yield ""
            yield from _table(
                ["value", "rows", "effect"],
                [[_value(point), f"{point['rows']:,}", f"{point['effect']:+.3f}"] for point in one["points"]],
            )
    yield ""
    yield "## What was left out"
    yield ""
    yield from _table(["column", "why"], [[name, why] for name, why in card["left_out"].items()])
    yield ""
    yield "## Suspected of knowing the outcome"
    yield ""
    if card["suspects"]:
        yield from _table(
            ["columns", "rule", "clear", "why"],
            [
                [
                    ", ".join(one["columns"]) or "the file",
                    one["rule"],
                    "yes" if one["clear"] else "in doubt",
                    one["says"],
                ]
                for one in card["suspects"]
            ],
        )
    else:
        yield "Nothing."
    yield ""
    yield "## On parts of the rows"
    yield ""
    yield from _table(
        ["column", "value", "rows", "rate", "mean score", "AUC", "calibration error"],
        [
            [
                one["column"], one["value"], f"{one['rows']:,}", f"{one['rate']:.3f}", f"{one['score']:.3f}",
                f"{one['auc']:.3f}", f"{one['ece']:.3f}",
            ]
            for one in card["slices"]
        ],
    )  # fmt: skip
    yield ""
    yield from _fairness(card["fairness"])
    yield "## Limits"
    yield ""
    for says in card["limits"]:
        yield f"- {says}"
    yield ""
    yield "## How it was made"
    yield ""
    yield ", ".join(f"{name} {value}" for name, value in card["settings"].items()) + "."
    yield ", ".join(f"{name} {value}" for name, value in card["versions"].items()) + "."


def _figures(figures: Any, in_use: Any) -> Iterator[str]:
    rows = []
    for key, head in _HEADS.items():
        low, high = figures["intervals"].get(key, (None, None))
        span = f"{low:.3f} to {high:.3f}" if low is not None else ""
        rows.append([head, f"{figures[key]:.3f}", span, *([f"{in_use[key]:.3f}"] if in_use else [])])
    yield from _table(["", "figure", "95 %", *(["model in use"] if in_use else [])], rows)


def _fairness(told: Any) -> Iterator[str]:
    yield "## Groups"
    yield ""
    if told["barred"]:
        yield f"Barred, and never read: {', '.join(_cell(name) for name in told['barred'])}."
        yield ""
    if not told["protected"]:
        yield "No protected attribute was given."
        yield ""
        return
    for one in told["audits"]:
        yield f"### {_cell(one['attribute'])}: {'within the limits' if one['passes'] else 'fails'}"
        yield ""
        yield from _table(
            ["group", "rows", "rate", "mean score", "difference (95 %)", "AUC", "calibration error", "by chance"],
            [
                [
                    group["name"], f"{group['rows']:,}", f"{group['rate']:.3f}", f"{group['score']:.3f}",
                    f"{group['gap']:+.3f} ({group['gap_low']:+.3f} to {group['gap_high']:+.3f})", f"{group['auc']:.3f}",
                    f"{group['ece']:.3f}", f"{group['ece_by_chance']:.3f}",
                ]
                for group in one["groups"]
            ],
        )  # fmt: skip
        yield ""
        for line in one["thresholds"]:
            yield (
                f"- Best {line['share']:.0%}: adverse-impact ratio {line['ratio']:.2f} for {_cell(line['worst'])}, "
                f"{'within' if line['passes'] else 'below'} the limit of {told['least_ratio']:.2f}."
            )
        for says in one["says"]:
            yield f"- {_cell(says)}"
        yield ""
    for one in told["proxies"]:
        named = ", ".join(f"{_cell(name)} {reached:.2f}" for name, reached in one["columns"][:5]) or "none notably"
        verdict = "" if one["passes"] else " They are a proxy."
        yield f"The features tell {_cell(one['attribute'])} with an AUC of {one['auc']:.2f} ({named}).{verdict}"
        yield ""
    if told["alternatives"]:
        yield "Without the columns that tell it best:"
        yield ""
        yield from _table(
            ["without", "AUC", "log-loss", "least ratio", "within the tolerance"],
            [
                [", ".join(one["without"]), f"{one['auc']:.3f}", f"{one['log_loss']:.3f}", f"{one['ratio']:.2f}",
                 "yes" if one["within"] else "no"]
                for one in told["alternatives"]
            ],
        )  # fmt: skip
        yield ""


def _value(point: Any) -> str:
    if point.get("missing"):
        return "not given"
    if "level" in point:
        return str(point["level"])
    return f"{point['from']:.6g} to {point['to']:.6g}" if point["from"] != point["to"] else f"{point['from']:.6g}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "| " + " | ".join("---" for _ in heads) + " |"
    for row in rows:
        yield "| " + " | ".join(_cell(cell) for cell in row) + " |"


def _cell(text: object) -> str:
    """A text that cannot break out of its place: one line, no bars, no mark-up."""
    flat = " ".join(str(text).split())
    for sign in "\\`*_[]<>|#":
        flat = flat.replace(sign, f"\\{sign}")
    return flat
