"""A model out of rows: features, recipe, fit, calibration, form. With nothing held back: that is the caller's work.

Called by :mod:`leadmill.learning.training`, by evaluations that refit, and by the benchmark.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from leadmill.learning.artefact import digest_of
from leadmill.learning.assembly import assemble
from leadmill.learning.design import draft_features, lay_out
from leadmill.learning.fitting import Chosen, Effort, Recipe, Say, calibrated, choose_recipe, fit, sums_by
from leadmill.learning.kinds import Profile, row_codes
from leadmill.learning.model import Form, encode_form
from leadmill.learning.scoring import Model
from leadmill.learning.table import Codes, Floats, Table
from leadmill.learning.trees import Trees


class Naming(Struct, frozen=True):
    """What a model says of itself: its target, the value sought, what it must never read."""

    target: str
    positive: str
    barred: tuple[str, ...] = ()


class Built(Struct, frozen=True):
    """A model, its bytes, how it came about, and each row's probability out of fold."""

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
    """A model of these columns; with a ``recipe`` nothing is tuned, only fitted and calibrated anew."""
    design = lay_out(table, draft_features(table, profiles))
    same = same_rows(table, profiles)
    if recipe is None:
        chosen = choose_recipe(design, labels, signs, effort, same, say)
    else:
        chosen = sums_by(recipe, design, labels, signs, effort, same)
    say("fitting", 0, None)
    fitted = fit(design, labels, signs, chosen.recipe, effort)
    form = assemble(
        fitted, design.drafts, profiles, chosen.calibration, naming.target, naming.positive, float(labels.mean()),
        naming.barred,
    )  # fmt: skip
    return Built(form, fitted.trees, chosen, calibrated(chosen, labels))


def same_rows(table: Table, profiles: Sequence[Profile]) -> Codes:
    """Numbers of rows, the same for rows that are alike in all columns that are learned from."""
    return row_codes(table, [one.name for one in profiles])


def chances_of(built: Built, table: Table, threads: int) -> Floats:
    """The probability of other rows."""
    return built.model().score_columns(table.cells(), table.rows, threads)
