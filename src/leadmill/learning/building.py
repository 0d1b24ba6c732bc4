"""A model out of rows: features, recipe, fit, calibration, form. With nothing held back: that is the caller's work.

Called by :mod:`leadmill.learning.training`, by evaluations that refit, and by the benchmark.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct, structs

from leadmill.learning.artefact import digest_of
from leadmill.learning.assembly import assemble
from leadmill.learning.boosting import Say
from leadmill.learning.design import draft_features, lay_out
from leadmill.learning.fitting import Chosen, Effort, Recipe, calibrated, choose_recipe, fit, sums_by
from leadmill.learning.kinds import Profile, row_codes
from leadmill.learning.model import Form, encode_form
from leadmill.learning.scoring import Model
from leadmill.learning.table import Codes, Floats, Table
from leadmill.learning.trees import Trees

_MOST_CHOSEN_BY, _EVENTS_CHOSEN_BY = 60_000, 1_500
_GROWTH = 0.25
"""Of how many times more rows there are, the power by which there are more rounds of trees: they can tell more."""
_FEWER_SEEDS = 1
"""Seeds where rows are drawn to choose by: what joining several tells of few rows, many rows tell themselves."""


class Naming(Struct, frozen=True):
    """What a model says of itself: its target, the value sought, what it must never read."""

    target: str
    positive: str
    barred: tuple[str, ...] = ()


class Built(Struct, frozen=True):
    """A model, its bytes, how it came about, and each row's probability out of fold: NaN for rows that were not drawn
    to choose by."""

    form: Form
    trees: bytes
    chosen: Chosen
    chances: Floats

    def model(self) -> Model:
        """The model, ready to score."""
        trees = Trees(self.trees, len(self.form.features)) if self.trees else None
        return Model(self.form, trees, digest_of(encode_form(self.form), self.trees), {})


def build(
    table: Table,
    profiles: Sequence[Profile],
    labels: Floats,
    signs: Mapping[str, int],
    effort: Effort,
    naming: Naming,
    say: Say,
    recipe: Recipe | None = None,
) -> Built:
    """A model of these columns; with a ``recipe`` nothing is tuned, only fitted and calibrated anew. Of very many rows
    some are drawn, by which all is chosen; it is fitted on all, with the trees of one seed."""
    design = lay_out(table, draft_features(table, profiles))
    drawn = drawn_rows(labels, effort.seed)
    if len(drawn) < table.rows:
        effort = structs.replace(effort, seeds=_FEWER_SEEDS)
    some, truth = (design, labels) if len(drawn) == design.rows else (design.take(drawn), labels[drawn])
    same = same_rows(table if some is design else table.take(drawn), profiles)
    if recipe is None:
        chosen = choose_recipe(some, truth, signs, effort, same, say)
    else:
        say("trying the recipe", 0, None)
        chosen = sums_by(recipe, some, truth, signs, effort, same)
    say("fitting", 0, None)
    grown = (design.rows / len(drawn)) ** _GROWTH
    fitted = fit(design, labels, signs, chosen.recipe, effort, grown, say)
    form = assemble(
        fitted, design.drafts, profiles, chosen.calibration, naming.target, naming.positive, float(labels.mean()),
        naming.barred,
    )  # fmt: skip
    chances = np.full(design.rows, np.nan)
    chances[drawn] = calibrated(chosen, truth)
    return Built(form, fitted.trees, chosen, chances)


def drawn_rows(labels: Floats, seed: int) -> Codes:
    """The rows by which is chosen: all, or so many that both outcomes are among them often enough."""
    rarer = max(float(min(labels.mean(), 1.0 - labels.mean())), 1e-9)
    most = max(_MOST_CHOSEN_BY, int(_EVENTS_CHOSEN_BY / rarer))
    if len(labels) <= most:
        return np.arange(len(labels))
    return np.sort(np.random.default_rng(seed).choice(len(labels), most, replace=False))


def same_rows(table: Table, profiles: Sequence[Profile]) -> Codes:
    """Numbers of rows, the same for rows that are alike in all columns that are learned from."""
    return row_codes(table, [one.name for one in profiles])


def chances_of(built: Built, table: Table, threads: int) -> Floats:
    """The probability of other rows."""
    return built.model().score_columns(table.cells(), table.rows, threads)
