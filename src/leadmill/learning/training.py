"""Training from a table: what is looked at, what is left out and why, how good it is on rows held back.

Called by :mod:`leadmill.learning.service`. A part of the rows is held back first: by time where a time column is named,
else by chance. Everything is chosen and fitted on the rest and judged on it; then the recipe is fitted on all rows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leadmill.core.faults import BadInput
from leadmill.learning.binning import numbers_of
from leadmill.learning.boosting import Say
from leadmill.learning.building import Built, Naming, build, chances_of, drawn_rows, same_rows
from leadmill.learning.comparing import Compared, compare
from leadmill.learning.fairness import USUAL, Alternative, Audit, Proxy
from leadmill.learning.figures import Figures, figures_of
from leadmill.learning.fitting import Effort, Recipe
from leadmill.learning.folds import blocks, latest, stratified
from leadmill.learning.kinds import Profile, profile
from leadmill.learning.model import Kind, Limits
from leadmill.learning.outcomes import Outcomes, enough, read_outcomes
from leadmill.learning.proxies import alternatives, proxies
from leadmill.learning.scoring import Model
from leadmill.learning.slices import Slice, audits_of, slices_of
from leadmill.learning.suspects import Suspect, find_suspects
from leadmill.learning.table import Floats, Table

HELD_BACK = 0.2
BLOCKS = 5
"""Blocks of time: each but the first is a test of a model made of those before."""


class Asked(Struct, frozen=True, kw_only=True):
    """What training is asked to do. ``monotone`` has +1 or −1 by column; ``limits`` are what audits are held to, by the
    ``pack`` that is named where they are a pack's: then a proxy fails the model as well. ``history`` is what the caller
    knows of where the rows come from, for the card."""

    target: str
    positive: str | None = None
    exclude: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = {}
    monotone: Mapping[str, int] = {}
    time: str | None = None
    protected: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()
    limits: Limits = USUAL
    pack: str = ""
    history: Mapping[str, Any] = {}
    tolerance: float = 0.01
    effort: Effort = Effort()


class Look(Struct, frozen=True):
    """The table before training: what each column was taken for, what is suspected, what is left out and why."""

    profiles: tuple[Profile, ...]
    suspects: tuple[Suspect, ...]
    left_out: dict[str, str]
    outcomes: Outcomes

    def used(self) -> tuple[Profile, ...]:
        """The columns that are learned from."""
        return tuple(one for one in self.profiles if one.name not in self.left_out)


class Chronological(Struct, frozen=True):
    """Tests in the order of time beside random folds: one row a block, and both over the same rows together."""

    blocks: tuple[Figures, ...]
    later: Figures
    random: Figures


class Trained(Struct, frozen=True, kw_only=True):
    """A model with everything its card tells. ``by_time`` says how rows were held back; ``held`` are the figures
    on them, ``beside`` those of the model in use on the same rows, ``compared`` how far apart the two are."""

    built: Built
    look: Look
    table: Table
    labels: Floats
    held: Figures
    held_labels: Floats
    held_chances: Floats
    by_time: bool
    beside: Figures | None
    chronological: Chronological | None
    slices: tuple[Slice, ...]
    audits: tuple[Audit, ...]
    proxies: tuple[Proxy, ...]
    alternatives: tuple[Alternative, ...]
    window: tuple[str, str] | None
    unknown: int
    strict: bool = False
    compared: Compared | None = None

    @property
    def passes(self) -> bool:
        """Whether the audits of protected attributes are within their limits; where a pack's limits are ``strict``,
        that no columns are a proxy too."""
        return all(one.passes for one in self.audits) and not (self.strict and any(not p.passes for p in self.proxies))


def look_at(table: Table, asked: Asked) -> Look:
    """What the columns hold and which are suspected; nothing is trained.

    Raises :class:`BadInput` ``learning.target.none``, ``learning.column.unknown``, ``learning.option.malformed`` and as
    :func:`leadmill.learning.outcomes.read_outcomes` and :func:`leadmill.learning.outcomes.enough` do."""
    _known(table, asked)
    outcomes = read_outcomes(table.columns[asked.target], asked.target, asked.positive)
    enough(outcomes.labels)
    told = ~np.isnan(outcomes.labels)
    rows, labels = table.take(told), outcomes.labels[told]
    profiles = tuple(
        profile(name, column, asked.kinds.get(name)) for name, column in rows.columns.items() if name != asked.target
    )
    for one in profiles:
        if one.name in asked.monotone and one.kind in (Kind.CATEGORY, Kind.TEXT, Kind.MOMENT):
            says = f"'{one.name}' is taken for {one.kind}; --monotone is for numbers (--kind says that it is one)"
            raise BadInput("learning.option.malformed", says)
    outside = {*asked.exclude, *asked.protected, *asked.barred}
    looked = [one for one in profiles if one.kind.learned and one.name not in outside]
    same = same_rows(rows, looked)
    suspects = find_suspects(
        rows, [one for one in profiles if one.name not in outside], labels, same, asked.effort.seed, asked.time
    )
    left_out = {one.name: f"{one.kind}: {one.why}" for one in profiles if not one.kind.learned}
    for suspect in suspects:
        for name in suspect.columns:
            if suspect.clear and name not in asked.keep and name not in left_out:
                left_out[name] = f"suspected leak ({suspect.rule}): {suspect.says}"
    left_out |= dict.fromkeys(asked.exclude, "excluded by you")
    left_out |= dict.fromkeys(asked.protected, "protected: test data only")
    left_out |= {name: "barred" for name in asked.barred if name in table.columns}
    found = Look(profiles, tuple(suspects), left_out, outcomes)
    if not found.used():
        raise BadInput("learning.columns.none", "no column is left to learn from; see what was left out, and --keep")
    return found


def _known(table: Table, asked: Asked) -> None:
    if asked.target not in table.columns:
        raise BadInput("learning.target.none", f"there is no column '{asked.target}'")
    named = [*asked.exclude, *asked.keep, *asked.kinds, *asked.monotone, *asked.protected]
    if asked.target in (asked.time, *asked.monotone):
        says = f"'{asked.target}' is the outcome; it is neither when a row was to be scored nor learned from"
        raise BadInput("learning.option.malformed", says)
    for name in [*named, *([asked.time] if asked.time else [])]:
        if name not in table.columns:
            raise BadInput("learning.column.unknown", f"there is no column '{name}'")


def train(table: Table, asked: Asked, look: Look, say: Say, against: Model | None = None) -> Trained:
    """Train as :func:`look_at` found the table. Raises :class:`BadInput` as it does."""
    known = ~np.isnan(look.outcomes.labels)
    rows, labels = table.take(known), look.outcomes.labels[known]
    used = look.used()
    names = [one.name for one in used]
    features = rows.only(names)
    times = _times(rows, look.profiles, asked.time)
    held_back = _held_back(features, used, labels, times, asked.effort.seed)
    enough(labels[~held_back], " of those left to learn from")
    if not 0.0 < float(labels[held_back].mean()) < 1.0:
        raise BadInput("learning.events.few", "all rows that were held back have the same outcome")
    naming = Naming(asked.target, look.outcomes.positive, asked.barred)
    dev = build(features.take(~held_back), used, labels[~held_back], asked.monotone, asked.effort, naming, say)
    say("scoring the rows held back", 0, None)
    tested = rows.take(held_back)
    chances = chances_of(dev, tested.only(names), asked.effort.threads)
    held = figures_of(labels[held_back], chances, asked.effort.seed)
    recipe = dev.chosen.recipe
    beside, compared = None, None
    if against is not None:
        theirs = against.score_columns(tested.cells(), tested.rows, asked.effort.threads)
        beside = figures_of(labels[held_back], theirs, asked.effort.seed)
        compared = compare(labels[held_back], chances, theirs, asked.effort.seed)
    chronological = None
    if times is not None:
        chronological = _in_time(features, used, labels, times, asked, naming, recipe, say)
    audits = audits_of(tested, labels[held_back], chances, asked.protected, asked.limits)
    told = proxies(rows, used, asked.protected, asked.effort.seed, asked.limits.proxy)
    others = alternatives(
        features, used, labels, held_back, tested, asked.protected, asked.limits, told, recipe, held.auc,
        asked.tolerance, asked.monotone, asked.effort, naming, say,
    )  # fmt: skip
    final = build(features, used, labels, asked.monotone, asked.effort, naming, say, recipe)
    window = None
    if times is not None and not np.all(np.isnan(times)):
        window = (_shown(times, np.nanmin), _shown(times, np.nanmax))
    return Trained(
        built=final, look=look, table=features, labels=labels, held=held, held_labels=labels[held_back],
        held_chances=chances, by_time=times is not None, beside=beside, chronological=chronological,
        slices=slices_of(tested.only(names), used, labels[held_back], chances), audits=audits, proxies=told,
        alternatives=others, window=window, unknown=look.outcomes.unknown, strict=bool(asked.pack),
        compared=compared,
    )  # fmt: skip


def _times(rows: Table, profiles: Sequence[Profile], time: str | None) -> Floats | None:
    if time is None:
        return None
    one = next(each for each in profiles if each.name == time)
    if one.kind not in (Kind.MOMENT, Kind.NUMBER, Kind.IDENTIFIER):
        raise BadInput("learning.time.unreadable", f"'{time}' holds neither dates nor numbers that rise with time")
    return numbers_of(rows.columns[time], one)


def _shown(times: Floats, take: object) -> str:
    value = float(take(times)) if callable(take) else 0.0
    if value > 100_000 and value < 3_652_059:
        return str(np.datetime64("0001-01-01") + np.timedelta64(int(value) - 1, "D"))
    return f"{value:g}"


def _held_back(
    features: Table, used: Sequence[Profile], labels: Floats, times: Floats | None, seed: int
) -> NDArray[np.bool_]:
    if times is not None:
        return latest(times, HELD_BACK)
    folds = stratified(labels, round(1.0 / HELD_BACK), seed + 17, same_rows(features, used))
    return np.asarray(folds == 0, dtype=np.bool_)


def _in_time(
    features: Table,
    used: Sequence[Profile],
    labels: Floats,
    times: Floats,
    asked: Asked,
    naming: Naming,
    recipe: Recipe,
    say: Say,
) -> Chronological | None:
    """Each block of time by a model of the blocks before it, beside random folds over the same rows; of very many rows
    those drawn, as many as all is chosen by."""
    drawn = drawn_rows(labels, asked.effort.seed)
    if len(drawn) < len(labels):
        features, labels, times = features.take(drawn), labels[drawn], times[drawn]
    block = blocks(times, BLOCKS)
    effort = Effort(seeds=1, folds=3, threads=asked.effort.threads, seed=asked.effort.seed)
    chances = np.full(len(labels), np.nan)
    found = []
    for number in range(1, BLOCKS):
        say("testing block of time", number, BLOCKS - 1)
        before, now = block < number, block == number
        if not now.any() or min(labels[before].sum(), (1.0 - labels[before]).sum()) < 10:
            continue
        made = build(features.take(before), used, labels[before], asked.monotone, effort, naming, say, recipe)
        chances[now] = chances_of(made, features.take(now), effort.threads)
        found.append(figures_of(labels[now], chances[now]))
    tested = ~np.isnan(chances)
    if not found or not 0.0 < float(labels[tested].mean()) < 1.0:
        return None
    mixed = build(features, used, labels, asked.monotone, effort, naming, say, recipe)
    tested &= ~np.isnan(mixed.chances)
    random = figures_of(labels[tested], mixed.chances[tested])
    return Chronological(tuple(found), figures_of(labels[tested], chances[tested]), random)
