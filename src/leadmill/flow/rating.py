"""Records that say how leads are rated: scorecards in the place of the packs', and learned models over them.

Called by ``book``, which assembles what is in force, by ``planning``, which refuses what the law forbids, and by
``configure``, which refuses models that may not run. Versions are those of all records: each is kept with who made it
and when, and every lead is decided again under that of its time.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from leadmill.capture import Vertical
from leadmill.core.faults import BadInput
from leadmill.core.predicates import fields_of
from leadmill.learning import Limits, Model, read_model
from leadmill.runtime.db import Tx
from leadmill.runtime.records import Snapshot
from leadmill.runtime.telemetry import log
from leadmill.scoring import (
    ADJUSTMENT,
    CARD_KIND,
    DECIDING,
    MODEL_KIND,
    NO_BOUNDS,
    Adjustment,
    Bounds,
    CardRecord,
    ModelRecord,
    Panel,
    Scorecard,
    Voter,
    crowded,
    foreign,
    model_bodies,
    read_adjustment,
    read_model_record,
    read_record,
)

KINDS = (CARD_KIND, MODEL_KIND, ADJUSTMENT)
"""The kinds of these records."""

Rating = CardRecord | ModelRecord | Adjustment
_FOREIGN = 0.5
"""The share of a model's importance from which on it has no place where no lead can have the columns."""
_NAMED = 8
Unscorable = Callable[[str, Iterable[str]], str]
"""Why no score of a vertical may look at some names; nothing where it may."""


def barring_of(
    unscorable: Unscorable | None, bounds: Mapping[str, Bounds] | None = None
) -> Callable[[str, Sequence[str]], dict[str, str]]:
    """What bars names from the models of a vertical, the law or the pack: those of some names, each with why."""

    def barred(vertical: str, names: Sequence[str]) -> dict[str, str]:
        within = (bounds or {}).get(vertical, NO_BOUNDS)
        law = {name: unscorable(vertical, (name,)) for name in names} if unscorable is not None else {}
        return {name: why for name in names if (why := law.get(name, "") or within.why_not(name))}

    return barred


def read_rating(kind: str, raw: Mapping[str, Any]) -> Rating:
    """A record of one of these kinds as read. Raises BadInput as its reader does."""
    if kind == ADJUSTMENT:
        return read_adjustment(raw)
    return read_record(raw) if kind == CARD_KIND else read_model_record(raw)


def check_rating(record: Rating, unscorable: Unscorable | None) -> None:
    """Refuse a card or an adjustment that the law forbids. Raises BadInput ``scoring.card.unlawful``."""
    if isinstance(record, ModelRecord) or unscorable is None:
        return
    if isinstance(record, Adjustment):
        if why := unscorable(record.vertical, fields_of(record.when)):
            raise BadInput("scoring.card.unlawful", f"adjustment {record.id}: {why}")
    elif record.card is not None and (why := unscorable(record.vertical, record.card.asked)):
        raise BadInput("scoring.card.unlawful", f"scorecard {record.vertical}: {why}")


def cards_of(found: Snapshot, of_packs: Mapping[str, Scorecard]) -> dict[str, Scorecard]:
    """The cards of a revision: the packs', the house's own in their place, and what is laid over them."""
    cards = dict(of_packs)
    for body in found.of(CARD_KIND).values():
        record = read_record(msgspec.json.decode(body))
        if record.card is not None:
            cards[record.vertical] = record.card
    for body in found.of(ADJUSTMENT).values():
        lay_over(cards, read_adjustment(msgspec.json.decode(body)))
    return cards


def lay_over(cards: dict[str, Scorecard], one: Adjustment) -> None:
    """Lay an adjustment over its vertical's card, in the place of one of the same id."""
    card = cards.get(one.vertical) or Scorecard(vertical=one.vertical)
    others = [each for each in card.adjustments if each.id != one.id]
    kept = sorted([*others, *([] if one.retired else [one])], key=lambda each: each.id)
    if kept or card.adjustments:
        cards[one.vertical] = msgspec.structs.replace(card, adjustments=tuple(kept))


def models_of(found: Mapping[str, str]) -> list[ModelRecord]:
    """The records of models among documents by id."""
    return [read_model_record(msgspec.json.decode(body)) for body in found.values()]


def retire(cards: dict[str, Scorecard], models: "Models", kind: str, ident: str) -> "Models":
    """Take a model or an adjustment out of play; the models as they are then. Raises BadInput
    ``config.record.unknown``."""
    over = next((each for card in cards.values() for each in card.adjustments if each.id == ident), None)
    record = models.records.get(ident)
    if kind == ADJUSTMENT and over is not None:
        lay_over(cards, msgspec.structs.replace(over, retired=True))
    elif kind == MODEL_KIND and record is not None:
        return models.changed([msgspec.structs.replace(record, retired=True)])
    else:
        raise BadInput("config.record.unknown", f"there is no {kind} {ident} to retire")
    return models


class Shelf:
    """The models that were read, by digest: each is read once in a process, however many revisions name it."""

    def __init__(self) -> None:
        self._models: dict[str, Model] = {}

    async def learn(self, tx: Tx, found: Snapshot) -> None:
        """Read what a revision names and is not here yet. One that cannot be read, because a later version of Leadmill
        wrote it, say, is not heard, and the log tells: leads go on being taken, and rated by the rest."""
        wanted = {one.digest for one in models_of(found.of(MODEL_KIND)) if not one.retired} - self._models.keys()
        for digest, body in (await model_bodies(tx, sorted(wanted))).items():
            try:
                self._models[digest] = read_model(body)
            except BadInput as fault:
                log("scoring").error("a model cannot be read, and is not heard", digest=digest, code=fault.code)

    def panels(self, records: Iterable[ModelRecord], muted: Container[str] = ()) -> dict[str, Panel]:
        """Who speaks about the leads of each vertical by these records; ``muted`` ones are left out."""
        voters: dict[str, list[Voter]] = {}
        for one in records:
            model = self._models.get(one.digest)
            if one.runs and model is not None and one.id not in muted:
                voters.setdefault(one.vertical, []).append(Voter(one, model, model.form.base_rate))
        return {vertical: Panel(each) for vertical, each in voters.items()}

    def of(self, digest: str) -> Model | None:
        """The model of a digest, where it was read."""
        return self._models.get(digest)


class Models:
    """The models of a revision: their records by id, and who speaks about the leads of each vertical. ``muted`` are
    those that the packs do not allow (any more), each with why: they are not heard, whatever their records say. What
    packs allow stands in the packs alone, so that a lead is decided again under its packs as it was."""

    def __init__(
        self, records: Mapping[str, ModelRecord], shelf: Shelf, bounds: Mapping[str, Bounds] | None = None
    ) -> None:
        self.records = records
        self.muted: dict[str, str] = {}
        self._shelf = shelf
        self._bounds = bounds or {}
        for one in records.values():
            model = shelf.of(one.digest)
            if one.runs and model is not None and (why := disallowed(one, model, self._bounds.get(one.vertical))):
                self.muted[one.id] = why
        self.panels = shelf.panels(records.values(), self.muted)

    def of(self, record: ModelRecord) -> Model | None:
        """What a record is about, where it was read."""
        return self._shelf.of(record.digest)

    def unheard(self, vertical: str) -> dict[str, str]:
        """The models of a vertical that have a place and are not heard, each with why."""
        mine = [one for one in self.records.values() if one.vertical == vertical and one.runs]
        lost = {one.id: "it cannot be read here" for one in mine if self.of(one) is None}
        return lost | {one.id: self.muted[one.id] for one in mine if one.id in self.muted}

    def changed(self, records: Iterable[ModelRecord]) -> "Models":
        """The same with other records in the place of those of the same ids: a new champion takes the place of the
        one before that foresees the same, which is heard on as a shadow."""
        new = {one.id: one for one in records}
        crowned = {(one.vertical, one.foresees) for one in new.values() if one.runs and one.state == "champion"}
        kept = {
            ident: msgspec.structs.replace(one, state="shadow", share=None)
            if one.state == "champion" and (one.vertical, one.foresees) in crowned
            else one
            for ident, one in self.records.items()
        }
        return Models({**kept, **new}, self._shelf, self._bounds)


NO_MODELS = Models({}, Shelf())


async def check_models(
    tx: Tx,
    changed: Iterable[ModelRecord],
    standing: Iterable[ModelRecord],
    verticals: Mapping[str, Vertical],
    unscorable: Unscorable | None,
    bounds: Mapping[str, Bounds] | None = None,
    before: Iterable[ModelRecord] = (),
) -> None:
    """Refuse models that may not run: ``changed`` are those of this change, ``standing`` all as they will be,
    ``before`` all as they were: one that steps down to be heard only is not asked whether leads have its columns.

    Raises BadInput ``scoring.model.unknown`` where nobody added the bytes, ``scoring.model.unlawful`` where it looks at
    what no score of the vertical may, ``scoring.model.personal`` where at what identifies a person,
    ``scoring.model.outside`` where at what the pack does not let models look at, ``scoring.model.unfair`` where its
    card says that it fails the limits of fairness, was held to milder ones than the pack's, or lacks the audit that the
    pack asks for, ``scoring.model.foreign`` where half or more of what counts in it are columns that no lead of the
    vertical can have, ``scoring.model.crowded`` where several would decide about one lead."""
    heard = {(one.id, one.digest) for one in before if one.runs}
    new = [one for one in changed if not one.retired]
    bodies = await model_bodies(tx, sorted({one.digest for one in new}))
    for one in new:
        if one.digest not in bodies:
            says = f"model {one.id}: nobody added it to this house; leadmill scoring add does"
            raise BadInput("scoring.model.unknown", says)
        if one.runs:
            within = (bounds or {}).get(one.vertical)
            model = read_model(bodies[one.digest])
            check_model(one, model, verticals[one.vertical], unscorable, within)
            if one.state != "shadow" or (one.id, one.digest) not in heard:
                check_known(one, model, verticals[one.vertical])
    by_vertical: dict[str, list[ModelRecord]] = {}
    for one in standing:
        by_vertical.setdefault(one.vertical, []).append(one)
    for vertical, records in by_vertical.items():
        if why := crowded(records):
            raise BadInput("scoring.model.crowded", f"{vertical}: {why}")


def check_model(
    record: ModelRecord,
    model: Model,
    vertical: Vertical,
    unscorable: Unscorable | None,
    bounds: Bounds | None = None,
) -> None:
    """Refuse a model by what it looks at and by what its card says; see :func:`check_models`."""
    names = [column.name for column in model.columns]
    if unscorable is not None and (why := unscorable(vertical.name, names)):
        raise BadInput("scoring.model.unlawful", f"model {record.id}: {why}")
    specs = vertical.fields
    personal = [name for name in names if (spec := specs.get(name)) is not None and (spec.personal or spec.sensitive)]
    if personal:
        says = f"model {record.id} looks at {', '.join(personal)}: who somebody is moves no score"
        raise BadInput("scoring.model.personal", says)
    if why := outside(model, bounds):
        raise BadInput("scoring.model.outside", f"model {record.id}: {why}")
    if record.state in DECIDING and (why := unfair(model.card, bounds)):
        raise BadInput("scoring.model.unfair", f"model {record.id}: {why}")


def check_known(record: ModelRecord, model: Model, vertical: Vertical) -> None:
    """Refuse a model that would see next to nothing of any lead; see :func:`check_models`."""
    if sum(foreign_to(model, vertical).values()) >= _FOREIGN:
        raise BadInput("scoring.model.foreign", f"model {record.id}: {tell_foreign(model, vertical)}")


def foreign_to(model: Model, vertical: Vertical) -> dict[str, float]:
    """The columns of a model that no lead of a vertical can have, each with its share of the importance that the card
    tells; where it tells none all columns count alike."""
    names = [column.name for column in model.columns]
    told = model.card.get("importance")
    listed = [one for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []
    shares = {str(one.get("column")): _share(one.get("share")) for one in listed}
    whole = sum(shares.get(name, 0.0) for name in names)
    each = {name: shares.get(name, 0.0) / whole if whole > 0 else 1 / len(names) for name in names}
    lacking = [name for name in names if foreign(name, vertical.fields)]
    return {name: each[name] for name in sorted(lacking, key=lambda one: (-each[one], one))}


def _share(told: object) -> float:
    return float(told) if isinstance(told, int | float) and told > 0 else 0.0


def tell_foreign(model: Model, vertical: Vertical) -> str:
    """In words which columns of a model no lead of a vertical can have, and what to do; nothing where all are known."""
    shares = foreign_to(model, vertical)
    if not shares:
        return ""
    named = ", ".join(f"'{name}' ({share:.0%})" for name, share in list(shares.items())[:_NAMED])
    more = f" and {len(shares) - _NAMED} more" if len(shares) > _NAMED else ""
    return (
        f"no lead of {vertical.name} has {named}{more}: {sum(shares.values()):.0%} of what counts in it is always "
        "missing; name the file's columns as the vertical's fields, as a map.toml does for imports, and train again"
    )


def disallowed(record: ModelRecord, model: Model, bounds: Bounds | None) -> str:
    """Why the pack does not allow a model its place; nothing where it does. Of the packs alone, so that the same packs
    always say the same."""
    if bounds is None:
        return ""
    return outside(model, bounds) or (unfair(model.card, bounds) if record.state in DECIDING else "")


def outside(model: Model, bounds: Bounds | None) -> str:
    """What a model looks at that the pack does not let models look at; nothing where there is no such thing."""
    told = {name: why for column in model.columns if (why := (bounds or NO_BOUNDS).why_not(name := column.name))}
    return "; ".join(f"it looks at {name}: {why}" for name, why in told.items())


def limits_of(card: Mapping[str, Any]) -> Limits:
    """The limits that a model was held to, by its card; cards of before name the ratio alone."""
    fairness = card.get("fairness")
    told = fairness if isinstance(fairness, Mapping) else {}
    usual = Limits(least_ratio=float(told.get("least_ratio", Limits().least_ratio)))
    return msgspec.convert({**msgspec.to_builtins(usual), **told.get("limits", {})}, Limits)


def unfair(card: Mapping[str, Any], bounds: Bounds | None = None) -> str:
    """Why a model's card says that it must not decide; nothing where it does not."""
    asked = bounds or NO_BOUNDS
    fairness = card.get("fairness")
    if not isinstance(fairness, Mapping):
        return _UNAUDITED if asked.audit else ""
    audits = fairness.get("audits", ())
    if asked.audit and not any(one.get("thresholds") for one in audits):
        return _UNAUDITED
    held = limits_of(card)
    if fairness.get("protected") and (milder := held.milder_than(asked.limits)):
        named = ", ".join(f"{name} {getattr(asked.limits, name):g}" for name in milder)
        return f"it was held to milder limits than the pack asks for ({named}); train it with those"
    failed = [one for one in audits if one.get("passes") is False]
    told = [f"{one['attribute']}: {'; '.join(one.get('says') or ['below the limit'])}" for one in failed]
    if bounds is not None:
        told += [
            f"the columns tell {one['attribute']} with an AUC of {one['auc']:.2f} (less than {asked.limits.proxy:g} is "
            "asked)"
            for one in fairness.get("proxies", ())
            if float(one.get("auc", 0.0)) >= asked.limits.proxy
        ]
    if fairness.get("passes") is not False and not told:
        return ""
    return f"its card says that it fails the limits of fairness ({' | '.join(told) or 'see its card'})"


_UNAUDITED = (
    "the pack lets a model decide only after an audit with lawful test data of two groups or more; train it with "
    "--protected"
)
