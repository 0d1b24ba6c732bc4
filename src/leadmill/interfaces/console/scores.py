"""“Scores”: how each vertical's leads are rated, how that turned out, who changed it, and how it would be otherwise.

A change is tried on the leads of the last days first (“What if”), and put in force from what the trial found.
"""

from typing import Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.core.faults import BadInput, NotFound
from leadmill.core.predicates import describe
from leadmill.flow.examining import Recorded, latest_recorded, rated_among
from leadmill.flow.placing import models_known
from leadmill.flow.scorecards import (
    Author,
    CardVersion,
    adopt,
    card_in_force,
    find_version,
    models_in_force,
    text_of,
    versions_of,
)
from leadmill.flow.store import find_trial
from leadmill.flow.trials import check_change
from leadmill.interfaces.console.alerts import names_of, watched_on_vertical
from leadmill.interfaces.console.card_reviews import kept_about, waiting_for
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.console.trials import begin_trial
from leadmill.interfaces.dangers import danger
from leadmill.parties import Right
from leadmill.scoring import (
    HORIZON,
    NEVER,
    CardReview,
    ModelRecord,
    Scorecard,
    Share,
    review_card,
    suggested_card,
)

_LATELY = 500
"""Leads that the page looks at."""
_DAYS = 30


@get("/scores", include_in_schema=False)
async def scores_page(desk: NamedDependency[Desk]) -> Page:
    """Every vertical: whose card counts, and which models speak."""
    rules = desk.wiring.rules
    async with desk.wiring.db.begin(still=True) as tx:
        models = await models_in_force(tx)
        waits = await waiting_for(tx)
    cards = [rules.cards.get(name) or Scorecard(vertical=name) for name in sorted(rules.verticals)]
    return desk.show(
        "scores.html",
        "scores",
        cards=[_card(card, rules.verticals[card.vertical].title, models) for card in cards],
        waits=waits,
    )


def _card(card: Scorecard, title: str, models: dict[str, ModelRecord]) -> dict[str, Any]:
    return {
        "name": card.vertical,
        "title": title,
        "own": card.own,
        "version": card.version,
        "rules": len(card.points),
        "paths": _paths(card),
        "digest": card.digest,
        "models": [one for one in models.values() if one.vertical == card.vertical and one.runs],
    }


def _paths(card: Scorecard) -> str:
    said = [f"sold from {card.sell_from}" if card.sell_from else "sold"]
    if card.nurture_from:
        said.append(f"rejected under {card.nurture_from}")
    if card.sales_from < NEVER:
        said.append(f"to our sales team from {card.sales_from}")
    return ", ".join(said)


@get("/scores/{name:str}", include_in_schema=False)
async def score_page(desk: NamedDependency[Desk], name: FromPath[str]) -> Page:
    """One vertical's card: its rules with how often they fire and what became of those leads, models, versions."""
    return await _page(desk, name)


async def _page(desk: Desk, name: str, text: str = "", error: str = "") -> Page:
    rules, packs = desk.wiring.rules, desk.wiring.packs
    if name not in rules.verticals:
        raise NotFound("scoring.vertical.unknown", "there is no such vertical")
    card = rules.cards.get(name) or Scorecard(vertical=name)
    async with desk.wiring.db.begin(still=True) as tx:
        found = await latest_recorded(tx, desk.wiring.kit.pen, name, _LATELY, HORIZON, desk.now)
        versions = await versions_of(tx, packs, name)
        known = await models_known(tx)
        held = await card_in_force(tx, packs, name)
        who = await names_of(tx)
        kept = await kept_about(tx, desk, name, card.digest, who)
        watch = await watched_on_vertical(tx, desk, name)
    review = review_card(card, rated_among(found))
    return desk.show(
        "score.html",
        "scores",
        status=422 if error else 200,
        error=error,
        card=_card(card, rules.verticals[name].title, {}),
        rules=_rules(card, review, found),
        review=review,
        bands=[_share(one) for one in review.bands],
        lately=len(found),
        horizon=HORIZON.days,
        sure=any(one.sure for one in review.rules),
        models=[_model(one, found) for one in known if one.vertical == name and not one.retired],
        retired=[one.id for one in known if one.vertical == name and one.retired],
        versions=[_version(one, who, held) for one in versions],
        text=text or text_of(name, held),
        watch=watch,
        kept=kept,
        may_write=desk.may(Right.CONFIGURE),
    )


def _rules(card: Scorecard, review: CardReview, found: list[Recorded]) -> list[dict[str, Any]]:
    fired: dict[str, int] = {}
    for one in found:
        for item in one.score.contributions:
            fired[item.rule] = fired.get(item.rule, 0) + 1
    by_rule = {one.rule: one for one in review.rules}
    return [
        {
            "id": rule.id,
            "says": rule.says,
            "when": describe(rule.when),
            "group": f"{rule.group}, at most {card.groups[rule.group]}" if rule.group else "",
            "fades": rule.fades is not None,
            "points": f"{rule.points:+d}",
            "fired": fired.get(rule.id, 0),
            "of": by_rule[rule.id].fired,
            "converted": by_rule[rule.id].converted,
            "suggested": f"{by_rule[rule.id].suggested:+d}" if by_rule[rule.id].sure else "",
        }
        for rule in card.points
    ]


def _share(one: Share) -> dict[str, Any]:
    return {
        "says": one.says,
        "leads": one.leads,
        "converted": one.converted,
        "share": f"{100 * one.rate:.1f} %",
        "within": f"{100 * one.low:.1f} to {100 * one.high:.1f} %",
        "start": 100 * one.low,
        "width": max(0.5, 100 * (one.high - one.low)),
        "middle": 100 * one.rate,
    }


def _model(one: ModelRecord, found: list[Recorded]) -> dict[str, Any]:
    said = [each for record in found if record.opinions for each in record.opinions.said if each.model == one.id]
    decided = sum(
        record.opinions.decided and record.opinions.said[0].model == one.id for record in found if record.opinions
    )
    mean = sum(each.probability for each in said) / len(said) if said else None
    return {
        "id": one.id,
        "state": one.state,
        "foresees": one.foresees,
        "share": None if one.share is None else f"{one.share / 100:g} %",
        "digest": one.digest,
        "why": one.why,
        "heard": len(said),
        "decided": decided,
        "mean": None if mean is None else f"{100 * mean:.1f} %",
    }


def _version(one: CardVersion, who: dict[str, str], held: CardVersion) -> dict[str, Any]:
    return {
        "revision": one.revision,
        "at": one.at,
        "by": who.get(one.author, one.author),
        "why": one.why,
        "version": one.card.version if one.card else None,
        "digest": one.card.digest if one.card else "",
        "now": one.revision == held.revision,
    }


@post("/scores/{name:str}/try", include_in_schema=False)
async def try_card(desk: NamedDependency[Desk], name: FromPath[str]) -> Page:
    """Try a changed card, an older version or the suggestion on the last month's leads."""
    form = await desk.form()
    desk.need(Right.CONFIGURE)
    text = form.get("text", "").replace("\r\n", "\n").strip()
    try:
        if "revision" in form:
            text = await _text_of_version(desk, name, form["revision"])
        elif "suggested" in form:
            text = await _suggestion(desk, name)
        check_change(text, desk.wiring.packs, desk.wiring.rules)
    except BadInput as fault:
        told = "; ".join(entry.detail for entry in fault.errors) or fault.detail
        return await _page(desk, name, text, told)
    return await begin_trial(desk, text, _DAYS)


async def _text_of_version(desk: Desk, name: str, revision: str) -> str:
    if not revision.isdigit() or len(revision) > 18:
        raise NotFound("scoring.version.unknown", "there is no such version")
    async with desk.wiring.db.begin(still=True) as tx:
        return text_of(name, await find_version(tx, desk.wiring.packs, name, int(revision)))


async def _suggestion(desk: Desk, name: str) -> str:
    card = desk.wiring.rules.cards.get(name) or Scorecard(vertical=name)
    async with desk.wiring.db.begin(still=True) as tx:
        found = await latest_recorded(tx, desk.wiring.kit.pen, name, _LATELY, HORIZON, desk.now)
        held = await card_in_force(tx, desk.wiring.packs, name)
    raw = suggested_card(held.raw or {}, review_card(card, rated_among(found)))
    return text_of(name, msgspec.structs.replace(held, revision=-1, raw=raw))


@post("/what-if/{trial_id:str}/adopt", include_in_schema=False, opt=danger("rating_changed", Right.CONFIGURE))
async def take_adoption(desk: NamedDependency[Desk], trial_id: FromPath[str]) -> Page:
    """Put in force what was tried, where it says how leads are rated."""
    form = await desk.form()
    by = Author(desk.who.id, desk.now, desk.wiring.mint, desk.wiring.keyed_hash, desk.wiring.rules)
    async with desk.wiring.db.begin() as tx:
        trial = await find_trial(tx, trial_id)
        if trial is None:
            raise NotFound("flow.trial.unknown", "there is no trial of this id")
        vertical = await adopt(tx, trial, form.get("why", ""), by)
        desk.note(tx, trial.id)
    await desk.wiring.kit.refresh()
    return desk.back(f"/scores/{vertical}" if vertical else "/scores", "card_changed")


ROUTES = [scores_page, score_page, try_card, take_adoption]
