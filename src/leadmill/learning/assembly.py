"""From fitted parts to the form that is written down: weights multiplied in, levels by their texts, one intercept."""

from collections.abc import Sequence

import numpy as np

from leadmill.learning.cells import EDITION
from leadmill.learning.design import Draft
from leadmill.learning.fitting import Fitted
from leadmill.learning.kinds import Profile
from leadmill.learning.model import Calibration, CategoryFeature, Column, Feature, Form, NumberFeature
from leadmill.learning.table import Floats
from leadmill.learning.trees import Trees


def assemble(
    fitted: Fitted,
    drafts: Sequence[Draft],
    profiles: Sequence[Profile],
    calibration: Calibration,
    target: str,
    positive: str,
    base_rate: float,
    barred: Sequence[str] = (),
) -> Form:
    """The form of a model. The additive part counts by what the trees leave, the trees by their mean over seeds."""
    weight = fitted.recipe.weight
    features = tuple(
        _feature(draft, effects * (1.0 - weight), slope * (1.0 - weight), fitted.rates.get(place))
        for place, (draft, effects, slope) in enumerate(
            zip(drafts, fitted.additive.effects, fitted.additive.slopes, strict=True)
        )
    )
    intercept, tree_weight, base = fitted.additive.intercept * (1.0 - weight), 0.0, 0.0
    if fitted.trees:
        tree_weight = weight / fitted.seeds
        trees = Trees(fitted.trees, len(drafts))
        base = float(trees.shares(np.full((1, len(drafts)), np.nan), 1)[0, -1])
        intercept += tree_weight * base
    used = {draft.column for draft in drafts}
    return Form(
        target=target,
        positive=positive,
        base_rate=base_rate,
        columns=tuple(Column(one.name, one.kind) for one in profiles if one.name in used),
        features=features,
        intercept=intercept,
        tree_weight=tree_weight,
        tree_base=base,
        calibration=calibration,
        barred=tuple(sorted(barred)),
        cells=EDITION,
    )


def _feature(draft: Draft, effects: Floats, slope: float, rates: Floats | None) -> Feature:
    points = [float(effect) for effect in effects]
    if draft.ordered:
        return NumberFeature(
            draft.column, draft.kind, draft.part, draft.edges, tuple(points[:-1]), points[-1], slope, draft.low,
            draft.high, draft.middle,
        )  # fmt: skip
    reads = [float(rate) for rate in rates] if rates is not None else [0.0] * len(points)
    pairs = list(zip(reads, points, strict=True))
    levels = dict(zip(draft.levels, pairs, strict=False))
    return CategoryFeature(draft.column, levels, missing=pairs[-1], other=pairs[-2], rare=draft.rare)
