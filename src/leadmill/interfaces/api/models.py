"""``/v1/scorecards`` and ``/v1/models``: how leads are rated, for programs: cards with their versions, learned models
with their cards, and a model's place.

Nothing of a person stands here. What places a model is dangerous, and is written down with the key that did it.
"""

from datetime import datetime
from typing import Any, Literal

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from leadmill.core.faults import BadInput, FieldFault, NotFound
from leadmill.flow.placing import ModelStory, Placed, model_story, models_known
from leadmill.flow.scorecards import RETIRED, Author, CardVersion, card_in_force, give_place, versions_of
from leadmill.interfaces.api.access import Reader
from leadmill.interfaces.api.bodies import idempotency_key, once, read_json
from leadmill.interfaces.api.leads import answer
from leadmill.interfaces.dangers import danger
from leadmill.interfaces.modelcards import Figures, read_card
from leadmill.interfaces.wiring import Wiring
from leadmill.parties import Right
from leadmill.runtime.db import Tx
from leadmill.scoring import ModelRecord, Scorecard

_MOST_WHY = 500


class ScorecardOut(Struct, frozen=True, kw_only=True):
    """A vertical's scorecard in force: ``own`` says that the house put one in the place of the pack's, ``revision``
    since which change (0: the pack's), ``digest`` is what scores name. Empty where leads have no card."""

    vertical: str
    version: int
    digest: str
    own: bool
    rules: int
    sell_from: int
    nurture_from: int
    sales_from: int | None


class ScorecardPage(Struct, frozen=True):
    """Every vertical's card; ``next_cursor`` is always null."""

    items: list[ScorecardOut]
    next_cursor: str | None = None


class ScorecardVersionOut(Struct, frozen=True, kw_only=True):
    """A version of a card: since when, by whom and why. ``version`` is null where the pack's card counted again."""

    revision: int
    at: datetime | None
    by: str
    why: str
    version: int | None
    digest: str
    in_force: bool


class ScorecardDetail(ScorecardOut, frozen=True, kw_only=True):
    """A card with its tables, as ``scorecard.toml`` has them, and its versions, the newest first."""

    card: dict[str, Any]
    versions: list[ScorecardVersionOut]


class ModelOut(Struct, frozen=True, kw_only=True):
    """A learned model and its place: candidate, shadow, challenger, champion or retired. ``share`` is the part of the
    leads it decides about, null where it follows from the place; a lead as likely as the average has ``middle`` points,
    twice the odds make ``double`` more."""

    model_id: str
    vertical: str
    digest: str
    state: str
    share: str | None
    foresees: str
    middle: int
    double: int
    why: str


class ModelPage(Struct, frozen=True):
    """Every model the house registered; ``next_cursor`` is always null."""

    items: list[ModelOut]
    next_cursor: str | None = None


class ModelPlaceOut(Struct, frozen=True, kw_only=True):
    """A place that a model was given."""

    revision: int
    at: datetime
    by: str
    state: str
    share: str | None
    why: str


class ModelDetail(ModelOut, frozen=True, kw_only=True):
    """A model with what it looks at, its figures on rows held back, whether it is within its limits of fairness (null
    where nothing was asked), its whole card (``docs/scoring.md``; null where it came without), and its places, the
    newest first."""

    columns: list[str]
    base_rate: float
    figures: Figures | None
    fair: bool | None
    card: dict[str, Any] | None
    places: list[ModelPlaceOut]


class ModelPlaceIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a model shall be, and why. ``share`` is a decimal such as ``0.10``."""

    state: Literal["candidate", "shadow", "challenger", "champion", "retired"]
    why: str
    share: str | None = None


@get("/v1/scorecards", include_in_schema=False)
async def get_scorecards(wiring: NamedDependency[Wiring], reader: NamedDependency[Reader]) -> Response[bytes]:
    """Every vertical's card."""
    rules = wiring.rules
    cards = [rules.cards.get(name) or Scorecard(vertical=name) for name in sorted(rules.verticals)]
    return answer(ScorecardPage([ScorecardOut(**_card(card)) for card in cards]))


@get("/v1/scorecards/{vertical:str}", include_in_schema=False)
async def get_scorecard(
    wiring: NamedDependency[Wiring], reader: NamedDependency[Reader], vertical: FromPath[str]
) -> Response[bytes]:
    """One card."""
    rules = wiring.rules
    if vertical not in rules.verticals:
        raise NotFound("scoring.vertical.unknown", "there is no such vertical; GET /v1/scorecards lists them")
    async with wiring.db.begin(still=True) as tx:
        versions = await versions_of(tx, wiring.packs, vertical)
        held = await card_in_force(tx, wiring.packs, vertical)
    card = rules.cards.get(vertical) or Scorecard(vertical=vertical)
    told = [_version(one, held) for one in versions]
    return answer(ScorecardDetail(**_card(card), card=dict(held.raw or {}), versions=told))


def _card(card: Scorecard) -> dict[str, Any]:
    return {
        "vertical": card.vertical,
        "version": card.version,
        "digest": card.digest,
        "own": card.own,
        "rules": len(card.points),
        "sell_from": card.sell_from,
        "nurture_from": card.nurture_from,
        "sales_from": card.sales_from if card.sales_from <= 100 else None,
    }


def _version(one: CardVersion, held: CardVersion) -> ScorecardVersionOut:
    return ScorecardVersionOut(
        revision=one.revision,
        at=one.at,
        by=one.author,
        why=one.why,
        version=one.card.version if one.card else None,
        digest=one.card.digest if one.card else "",
        in_force=one.revision == held.revision,
    )


@get("/v1/models", include_in_schema=False)
async def get_models(
    request: Request[Any, Any, Any], wiring: NamedDependency[Wiring], reader: NamedDependency[Reader]
) -> Response[bytes]:
    """The models."""
    vertical = request.query_params.get("vertical")
    async with wiring.db.begin(still=True) as tx:
        known = await models_known(tx)
    return answer(ModelPage([ModelOut(**_model(one)) for one in known if vertical in (None, "", one.vertical)]))


@get("/v1/models/{model_id:str}", include_in_schema=False)
async def get_model(
    wiring: NamedDependency[Wiring], reader: NamedDependency[Reader], model_id: FromPath[str]
) -> Response[bytes]:
    """One model."""
    async with wiring.db.begin(still=True) as tx:
        story = await model_story(tx, wiring.rules.models, _checked(model_id))
    return answer(_detail(story))


@post("/v1/models/{model_id:str}/place", include_in_schema=False, opt=danger("rating_changed", Right.CONFIGURE))
async def post_place(
    request: Request[Any, Any, Any],
    wiring: NamedDependency[Wiring],
    reader: NamedDependency[Reader],
    model_id: FromPath[str],
) -> Response[bytes]:
    """Give a model its place."""
    key = idempotency_key(request)
    given, body = await read_json(request, ModelPlaceIn)
    if not given.why.strip() or len(given.why) > _MOST_WHY:
        says = f"say why, in at most {_MOST_WHY} characters"
        raise BadInput("api.body.invalid", "see errors", [FieldFault("/why", "api.field.invalid", says)])

    async def act(tx: Tx) -> ModelOut:
        now = wiring.clock()
        by = Author(reader.id, now, wiring.mint, wiring.keyed_hash, wiring.rules)
        await give_place(tx, _checked(model_id), given.state, given.share, given.why, by)
        reader.note(tx, model_id, now)
        story = await model_story(tx, wiring.rules.models, model_id)
        return ModelOut(**_model(story.record))

    reply = await once(wiring, f"models {model_id} place", key, body, act, status=200)
    await wiring.kit.refresh()
    return reply


def _checked(model_id: str) -> str:
    """An id that no record can have is asked after nowhere."""
    if not model_id.isprintable() or len(model_id) > 64:
        raise NotFound("scoring.model.missing", "there is no such model; GET /v1/models lists them")
    return model_id


def _share(one: ModelRecord) -> str | None:
    return None if one.share is None else f"{one.share / 10_000:.4f}".rstrip("0").rstrip(".")


def _model(one: ModelRecord) -> dict[str, Any]:
    return {
        "model_id": one.id,
        "vertical": one.vertical,
        "digest": one.digest,
        "state": RETIRED if one.retired else one.state,
        "share": _share(one),
        "foresees": one.foresees,
        "middle": one.middle,
        "double": one.double,
        "why": one.why,
    }


def _detail(story: ModelStory) -> ModelDetail:
    card = read_card(story.card)
    asked = card is not None and card.fairness.protected
    return ModelDetail(
        **_model(story.record),
        columns=list(story.columns),
        base_rate=story.base_rate,
        figures=card.holdout.figures if card is not None and card.holdout is not None else None,
        fair=card.fairness.passes if card is not None and asked else None,
        card=story.card or None,
        places=[_place(one) for one in story.places],
    )


def _place(one: Placed) -> ModelPlaceOut:
    return ModelPlaceOut(
        revision=one.revision,
        at=one.at,
        by=one.author,
        state=RETIRED if one.record.retired else one.record.state,
        share=_share(one.record),
        why=one.record.why,
    )


ROUTES = [get_scorecards, get_scorecard, get_models, get_model, post_place]
