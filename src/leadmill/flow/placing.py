"""Learned models as a person asks after them: what each is made of, the places it has had, and alerts looked at.

Called by the console's pages of models and of alerts, and by the API. Giving a model its place is
:mod:`leadmill.flow.scorecards`'s.
"""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from leadmill.core.faults import BadInput, NotFound
from leadmill.core.ids import looks_like
from leadmill.core.reading import nearest
from leadmill.flow.rating import Models, models_of
from leadmill.learning import Model, read_model
from leadmill.runtime import records
from leadmill.runtime.db import Tx
from leadmill.scoring import MODEL_KIND, ModelRecord, model_bodies, read_model_record
from leadmill.scoring.watch import Alert, acknowledge


class Placed(Struct, frozen=True):
    """A place as it was given: from which revision on, by whom and when. Why stands in the record."""

    revision: int
    at: datetime
    author: str
    record: ModelRecord


class ModelStory(Struct, frozen=True):
    """A model with its card (empty where it came without one), the columns it looks at, the chance of the average
    row, and its places, the newest first."""

    record: ModelRecord
    card: dict[str, Any]
    columns: tuple[str, ...]
    base_rate: float
    places: list[Placed]


async def models_known(tx: Tx) -> list[ModelRecord]:
    """Every model the house ever registered, the retired included, by vertical and id."""
    found = models_of((await records.snapshot(tx)).of(MODEL_KIND))
    return sorted(found, key=lambda one: (one.vertical, one.id))


async def model_story(tx: Tx, models: Models, ident: str) -> ModelStory:
    """All that is told of one model. Raises NotFound ``scoring.model.missing``."""
    places = [_placed(one) for one in await records.history(tx, MODEL_KIND, ident) if one.body is not None]
    if not places:
        known = [one.id for one in await models_known(tx)]
        raise NotFound("scoring.model.missing", f"there is no model '{ident}'; {nearest(ident, known)}")
    record = places[0].record
    model = models.of(record) or await _from_store(tx, record.digest)
    if model is None:
        return ModelStory(record, {}, (), 0.0, places)
    return ModelStory(record, model.card, tuple(one.name for one in model.columns), model.form.base_rate, places)


async def look_at(tx: Tx, alert_id: str, by: str, why: str, at: datetime) -> Alert:
    """Note that somebody looked at an alert and what they found. Raises BadInput ``scoring.alert.unexplained`` where
    nothing says what, and NotFound ``scoring.alert.unknown``."""
    if not why.strip():
        raise BadInput("scoring.alert.unexplained", "say what you found: whoever meets the next one will ask")
    if not looks_like(alert_id, "alert"):
        raise NotFound("scoring.alert.unknown", "there is no such alert")
    return await acknowledge(tx, alert_id, by, why.strip(), at)


async def _from_store(tx: Tx, digest: str) -> Model | None:
    body = (await model_bodies(tx, [digest])).get(digest)
    return read_model(body) if body is not None else None


def _placed(one: records.Version) -> Placed:
    return Placed(one.revision, one.at, one.author, read_model_record(msgspec.json.decode(one.body or "{}")))
