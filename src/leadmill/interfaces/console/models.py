"""One learned model: what it is made of, how good it is and for whom, the places it has had, and a new place for it.

Giving a place is dangerous: from then on leads are rated by it. It is tried on the leads of the last days first, like
a card.
"""

from typing import Any

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.core.faults import BadInput, NotFound
from leadmill.core.reading import nearest
from leadmill.flow.examining import Recorded, latest_recorded
from leadmill.flow.placing import ModelStory, Placed, model_story
from leadmill.flow.scorecards import RETIRED, Author, give_place, place_text
from leadmill.flow.trials import check_change
from leadmill.interfaces.console.alerts import names_of, watched_on_model
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.console.modelcard import told
from leadmill.interfaces.console.trials import begin_trial
from leadmill.interfaces.dangers import danger
from leadmill.interfaces.modelcards import read_card
from leadmill.parties import Right
from leadmill.runtime.db import Tx
from leadmill.scoring import HORIZON, STATES, ModelRecord

_LATELY = 500
_DAYS = 30
_DOES = {
    "candidate": "rates nobody yet",
    "shadow": "is heard about every lead and decides about none",
    "challenger": "decides about its share of the leads",
    "champion": "decides about the leads that fall to no other",
    RETIRED: "is out of play for good; what it rated can be decided again",
}


@get("/scores/{name:str}/models/{model_id:str}", include_in_schema=False)
async def model_page(desk: NamedDependency[Desk], name: FromPath[str], model_id: FromPath[str]) -> Page:
    """A model's card, its places, and a form for another."""
    return await _page(desk, name, model_id)


async def _page(desk: Desk, name: str, model_id: str, error: str = "", given: dict[str, str] | None = None) -> Page:
    wiring = desk.wiring
    async with wiring.db.begin(still=True) as tx:
        story = await _story(tx, desk, name, model_id)
        found = await latest_recorded(tx, wiring.kit.pen, name, _LATELY, HORIZON, desk.now)
        who = await names_of(tx)
        watched = await watched_on_model(tx, desk, name, model_id, story.record.digest)
    card = read_card(story.card)
    record = story.record
    return desk.show(
        "model.html",
        "scores",
        status=422 if error else 200,
        error=error,
        given={"state": record.state, "share": _percent(record), "why": "", **(given or {})},
        name=name,
        title=wiring.rules.verticals[name].title,
        model=record,
        state=RETIRED if record.retired else record.state,
        does=_does(record),
        states=[(state, f"{state.capitalize()}: {says}") for state, says in _DOES.items()],
        lately=_lately(record, found),
        columns=story.columns,
        base_rate=f"{story.base_rate:.1%}",
        card=told(card) if card is not None else None,
        **watched,
        places=[_place(one, who) for one in story.places],
        may_write=desk.may(Right.CONFIGURE) and not record.retired,
    )


async def _story(tx: Tx, desk: Desk, name: str, model_id: str) -> ModelStory:
    rules = desk.wiring.rules
    if name not in rules.verticals:
        raise NotFound("scoring.vertical.unknown", "there is no such vertical")
    story = await model_story(tx, rules.models, model_id)
    if story.record.vertical != name:
        raise NotFound("scoring.model.missing", f"there is no model of {name} by this name")
    return story


def _percent(record: ModelRecord) -> str:
    return "" if record.share is None else f"{record.share / 100:g}"


def _does(record: ModelRecord) -> str:
    if not record.retired and record.share is not None:
        return f"decides about {_percent(record)} % of the leads"
    return _DOES[RETIRED if record.retired else record.state]


def _lately(record: ModelRecord, found: list[Recorded]) -> dict[str, Any]:
    """How often it was heard of late, and what it said."""
    said = [each for one in found if one.opinions for each in one.opinions.said if each.model == record.id]
    decided = sum(
        one.opinions.decided and one.opinions.said[0].model == record.id for one in found if one.opinions is not None
    )
    mean = sum(each.probability for each in said) / len(said) if said else 0.0
    return {"leads": len(found), "heard": len(said), "decided": decided, "mean": f"{mean:.1%}" if said else ""}


def _place(one: Placed, who: dict[str, str]) -> dict[str, Any]:
    return {
        "revision": one.revision,
        "at": one.at,
        "by": who.get(one.author, one.author),
        "state": RETIRED if one.record.retired else one.record.state,
        "share": _percent(one.record),
        "why": one.record.why,
        "digest": one.record.digest,
    }


@post("/scores/{name:str}/models/{model_id:str}/try", include_in_schema=False)
async def try_place(desk: NamedDependency[Desk], name: FromPath[str], model_id: FromPath[str]) -> Page:
    """Try a model at another place on the last month's leads."""
    form = await desk.form()
    desk.need(Right.CONFIGURE)
    async with desk.wiring.db.begin(still=True) as tx:
        story = await _story(tx, desk, name, model_id)
    try:
        text = place_text(story.record, form.get("state", ""), _share(form))
        check_change(text, desk.wiring.packs, desk.wiring.rules)
    except BadInput as fault:
        return await _page(desk, name, model_id, _words(fault), form)
    return await begin_trial(desk, text, _DAYS)


@post(
    "/scores/{name:str}/models/{model_id:str}/place",
    include_in_schema=False,
    opt=danger("rating_changed", Right.CONFIGURE),
)
async def take_place(desk: NamedDependency[Desk], name: FromPath[str], model_id: FromPath[str]) -> Page:
    """Give a model its place. What the law or its limits of fairness bar is refused with the reason."""
    form = await desk.form()
    by = Author(desk.who.id, desk.now, desk.wiring.mint, desk.wiring.keyed_hash, desk.wiring.rules)
    state = form.get("state", "")
    try:
        if state not in (*STATES, RETIRED):
            raise BadInput("scoring.model.malformed", f"there is no place '{state[:40]}'; {nearest(state, STATES)}")
        async with desk.wiring.db.begin() as tx:
            await _story(tx, desk, name, model_id)
            await give_place(tx, model_id, state, _share(form), form.get("why", "")[:500], by)
            desk.note(tx, model_id)
    except BadInput as fault:
        return await _page(desk, name, model_id, _words(fault), form)
    await desk.wiring.kit.refresh()
    return desk.back(f"/scores/{name}/models/{model_id}", "model_placed")


def _share(form: dict[str, str]) -> str | None:
    """The share as a record has it; the form asks in per cent. Of a place that has none nothing is taken."""
    text = form.get("share", "").strip().removesuffix("%").strip()
    if not text or form.get("state") not in ("challenger", "champion"):
        return None
    try:
        percent = float(text)
    except ValueError:
        percent = -1.0
    if not 0 < percent <= 100:
        raise BadInput("scoring.model.malformed", "the share is a number of per cent, over 0 and up to 100")
    return f"{percent / 100:.4f}"


def _words(fault: BadInput) -> str:
    told_of = "; ".join(entry.detail for entry in fault.errors) or fault.detail
    return f"{told_of} ({fault.code})"


ROUTES = [model_page, try_place, take_place]
