"""What refitting would bring: a file's rows in the order of time, scored by models of the rows before them.

Outcomes come late: a model made before row ``n`` knows those of rows up to ``n − delay`` only. Beside it stands the
model as it is, on the same rows.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from leadmill.core.faults import BadInput
from leadmill.learning.additive import STEPS
from leadmill.learning.binning import numbers_of
from leadmill.learning.boosting import Say, Setting
from leadmill.learning.building import Naming, build, chances_of
from leadmill.learning.figures import Figures, figures_of
from leadmill.learning.fitting import Effort, Recipe
from leadmill.learning.kinds import Profile, profile
from leadmill.learning.model import Kind
from leadmill.learning.outcomes import LEAST_OF_CLASS, LEAST_ROWS
from leadmill.learning.scoring import Model
from leadmill.learning.table import Floats, Table

_RECIPE = Recipe(8.0, Setting(), 150, 0.5, 0)
"""Serves where a model has no card."""


class Rolling(Struct, frozen=True):
    """The model as it is and the model fitted again, on the rows that both scored; how often it was fitted."""

    every: int
    delay: int
    fits: int
    first: int
    as_it_is: Figures
    refitted: Figures


def roll(
    model: Model,
    table: Table,
    profiles: Sequence[Profile],
    labels: Floats,
    chances: Floats,
    time: str | None,
    every: int,
    delay: int,
    effort: Effort,
    say: Say,
) -> Rolling:
    """Go through the rows by ``time`` (or in the file's order). Raises :class:`BadInput` ``learning.rows.few`` where
    no model could be made before the last rows."""
    order = np.arange(table.rows)
    if time is not None:
        one = profile(time, table.columns[time])
        if one.kind not in (Kind.MOMENT, Kind.NUMBER, Kind.IDENTIFIER):
            raise BadInput("learning.time.unreadable", f"'{time}' holds neither dates nor numbers that rise with time")
        order = np.argsort(numbers_of(table.columns[time], one), kind="stable")
    rows, truth, static = table.take(order), labels[order], chances[order]
    features = rows.only([one.name for one in profiles])
    recipe = recipe_of(model)
    light = Effort(seeds=1, folds=3, threads=effort.threads, seed=effort.seed)
    naming = Naming(model.target, model.form.positive, tuple(model.barred))
    found = np.full(table.rows, np.nan)
    fits = 0
    for start in range(every, table.rows, every):
        known = start - delay
        say("refitting", start, table.rows)
        past = truth[:known] if known > 0 else truth[:0]
        if len(past) < LEAST_ROWS or min(past.sum(), len(past) - past.sum()) < LEAST_OF_CLASS:
            continue
        made = build(features.take(slice(0, known)), profiles, past, {}, light, naming, say, recipe)
        now = slice(start, min(start + every, table.rows))
        found[now] = chances_of(made, features.take(now), effort.threads)
        fits += 1
    tested = ~np.isnan(found)
    if not tested.any():
        says = f"no {LEAST_ROWS} rows with known outcomes before the last {every}; refit less often or with less delay"
        raise BadInput("learning.rows.few", says)
    return Rolling(
        every, delay, fits, int(np.argmax(tested)), figures_of(truth[tested], static[tested]),
        figures_of(truth[tested], found[tested]),
    )  # fmt: skip


def recipe_of(model: Model) -> Recipe:
    """How a model was made, by its card."""
    told = model.card.get("method", {}).get("recipe")
    if not told:
        return _RECIPE
    return Recipe(
        told["penalty"],
        Setting(**told["setting"]),
        told["rounds"],
        told["weight"],
        told["tried"],
        told.get("steps", STEPS[0]),
    )
