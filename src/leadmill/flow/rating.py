"""Records that say how leads are rated: scorecards in the place of the packs', and learned models over them.

Called by ``book``, which assembles what is in force, by ``planning``, which refuses what the law forbids, and by
``configure``, which refuses models that may not run. Versions are those of all records: each is kept with who made it
and when, and every lead is decided again under that of its time.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from leadmill.capture import Vertical
from leadmill.core.faults import BadInput
from leadmill.core.predicates import fields_of
from leadmill.learning import Model, read_model
from leadmill.runtime.db import Tx
from leadmill.runtime.records import Snapshot
from leadmill.scoring import (
    ADJUSTMENT,
    CARD_KIND,
    MODEL_KIND,
    Adjustment,
    CardRecord,
    ModelRecord,
    Panel,
    Scorecard,
    Voter,
    crowded,
    model_bodies,
    read_adjustment,
    read_model_record,
    read_record,
)

KINDS = (CARD_KIND, MODEL_KIND, ADJUSTMENT)
"""The kinds of these records."""

_LEAST_RATIO = 0.8
"""The adverse-impact ratio below which a selection is held to disadvantage a group (29 CFR 1607.4(D))."""

Rating = CardRecord | ModelRecord | Adjustment
Unscorable = Callable[[str, Iterable[str]], str]
"""Why no score of a vertical may look at some names; nothing where it may."""


def barring_of(unscorable: Unscorable | None) -> Callable[[str, Sequence[str]], dict[str, str]]:
    """What bars names from the scores of a vertical: those of some names that it bars, each with why."""

    def barred(vertical: str, names: Sequence[str]) -> dict[str, str]:
        told = {name: unscorable(vertical, (name,)) for name in names} if unscorable is not None else {}
        return {name: why for name, why in told.items() if why}

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
        """Read what a revision names and is not here yet."""
        wanted = {one.digest for one in models_of(found.of(MODEL_KIND)) if not one.retired} - self._models.keys()
        for digest, body in (await model_bodies(tx, sorted(wanted))).items():
            self._models[digest] = read_model(body)

    def panels(self, records: Iterable[ModelRecord]) -> dict[str, Panel]:
        """Who speaks about the leads of each vertical by these records."""
        voters: dict[str, list[Voter]] = {}
        for one in records:
            model = self._models.get(one.digest)
            if one.runs and model is not None:
                voters.setdefault(one.vertical, []).append(Voter(one, model, model.form.base_rate))
        return {vertical: Panel(each) for vertical, each in voters.items()}

    def of(self, digest: str) -> Model | None:
        """The model of a digest, where it was read."""
        return self._models.get(digest)


class Models:
    """The models of a revision: their records by id, and who speaks about the leads of each vertical."""

    def __init__(self, records: Mapping[str, ModelRecord], shelf: Shelf) -> None:
        self.records = records
        self.panels = shelf.panels(records.values())
        self._shelf = shelf

    def of(self, record: ModelRecord) -> Model | None:
        """What a record is about, where it was read."""
        return self._shelf.of(record.digest)

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
        return Models({**kept, **new}, self._shelf)


NO_MODELS = Models({}, Shelf())


async def check_models(
    tx: Tx,
    changed: Iterable[ModelRecord],
    standing: Iterable[ModelRecord],
    verticals: Mapping[str, Vertical],
    unscorable: Unscorable | None,
) -> None:
    """Refuse models that may not run: ``changed`` are those of this change, ``standing`` all as they will be.

    Raises BadInput ``scoring.model.unknown`` where nobody added the bytes, ``scoring.model.unlawful`` where it looks at
    what no score of the vertical may, ``scoring.model.personal`` where at what identifies a person,
    ``scoring.model.unfair`` where its card says that it fails the limits of fairness, ``scoring.model.crowded`` where
    several would decide about one lead."""
    new = [one for one in changed if not one.retired]
    bodies = await model_bodies(tx, sorted({one.digest for one in new}))
    for one in new:
        if one.digest not in bodies:
            says = f"model {one.id}: nobody added it to this house; leadmill scoring add does"
            raise BadInput("scoring.model.unknown", says)
        if one.runs:
            check_model(one, read_model(bodies[one.digest]), verticals[one.vertical], unscorable)
    by_vertical: dict[str, list[ModelRecord]] = {}
    for one in standing:
        by_vertical.setdefault(one.vertical, []).append(one)
    for vertical, records in by_vertical.items():
        if why := crowded(records):
            raise BadInput("scoring.model.crowded", f"{vertical}: {why}")


def check_model(record: ModelRecord, model: Model, vertical: Vertical, unscorable: Unscorable | None) -> None:
    """Refuse a model by what it looks at and by what its card says; see :func:`check_models`."""
    names = [column.name for column in model.columns]
    if unscorable is not None and (why := unscorable(vertical.name, names)):
        raise BadInput("scoring.model.unlawful", f"model {record.id}: {why}")
    specs = vertical.fields
    personal = [name for name in names if (spec := specs.get(name)) is not None and (spec.personal or spec.sensitive)]
    if personal:
        says = f"model {record.id} looks at {', '.join(personal)}: who somebody is moves no score"
        raise BadInput("scoring.model.personal", says)
    if record.state in ("challenger", "champion") and (why := unfair(model.card)):
        raise BadInput("scoring.model.unfair", f"model {record.id}: {why}")


def unfair(card: Mapping[str, Any]) -> str:
    """Why a model's card says that it must not decide; nothing where it does not."""
    fairness = card.get("fairness")
    if not isinstance(fairness, Mapping):
        return ""
    if fairness.get("protected") and float(fairness.get("least_ratio", _LEAST_RATIO)) < _LEAST_RATIO:
        return f"it was held to an adverse-impact ratio under {_LEAST_RATIO}; train it with that limit"
    failed = [one for one in fairness.get("audits", ()) if one.get("passes") is False]
    if fairness.get("passes") is not False and not failed:
        return ""
    told = [f"{one['attribute']}: {'; '.join(one.get('says') or ['below the limit'])}" for one in failed]
    return f"its card says that it fails the limits of fairness ({' | '.join(told) or 'see its card'})"
