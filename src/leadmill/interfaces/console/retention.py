"""“Retention”: how long what is kept stays, what would go now, what must not, and which deletion lists were worked."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.core.faults import BadInput, Conflict, NotFound
from leadmill.core.spans import span_words
from leadmill.flow.retaining import begin_by_hand, lift, place
from leadmill.flow.rights import check_why, forget_by_hand, stop_for
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.dangers import danger
from leadmill.parties import Right
from leadmill.parties.store import list_operators
from leadmill.privacy import (
    TARGETS,
    Hold,
    Least,
    Run,
    Schedule,
    Terms,
    clock_of,
    figures_of,
    in_turn,
    last_pull_at,
    latest_pulls,
    latest_runs,
    list_holds,
)

_SINCE = {"received": "it came", "closed": "anything last happened", "used": "its last use"}
_MOST_RUNS = 12
_MOST_PULLS = 6


@get("/retention", include_in_schema=False)
async def retention_page(desk: NamedDependency[Desk]) -> Page:
    """Schedules with what the last dry run found, holds, runs and deletion lists."""
    return await _page(desk)


async def _page(desk: Desk, error: str = "", given: dict[str, str] | None = None) -> Page:
    terms = desk.wiring.rules.retention
    async with desk.wiring.db.begin(still=True) as tx:
        runs = await latest_runs(tx, 50)
        holds = await list_holds(tx)
        who = {each.id: each.name for each in await list_operators(tx)}
        pulls = await latest_pulls(tx, _MOST_PULLS)
        figures = {pull.id: await figures_of(tx, pull.id) for pull in pulls}
        clock = clock_of(await last_pull_at(tx), desk.now)
    dry = next((one for one in runs if one.dry and one.state == "done"), None)
    return desk.show(
        "retention.html",
        "retention",
        status=422 if error else 200,
        error=error,
        given={"subject": "", "why": "", **(given or {})},
        schedules=[_schedule(one, terms, dry) for one in in_turn(terms)],
        dry=dry,
        least=[_least(one) for one in terms.least],
        holds=[_hold(one, who) for one in holds],
        standing=sum(one.lifted_at is None for one in holds),
        runs=[_run(one, who) for one in runs[:_MOST_RUNS]],
        running=any(one.state == "running" for one in runs),
        next_run=_next(runs, desk.now),
        pulls=[(pull, figures[pull.id]) for pull in pulls],
        clock=clock,
        may_write=desk.may(Right.PRIVACY),
    )


def _schedule(one: Schedule, terms: Terms, dry: Run | None) -> dict[str, Any]:
    tally = dry.tallies.get(one.id) if dry is not None else None
    return {
        "id": one.id,
        "says": TARGETS[one.what].says,
        "then": TARGETS[one.what].then,
        "of": ", ".join([*one.states, *one.verticals, *one.sources, *one.regions]),
        "keep": span_words(one.keep),
        "since": _SINCE[one.since],
        "why": one.why,
        "own": not one.of_pack,
        "tally": tally,
    }


def _least(one: Least) -> dict[str, Any]:
    of = ", ".join([*one.verticals, *one.regions]) or "every vertical"
    return {
        "keep": span_words(one.keep),
        "since": _SINCE[one.since],
        "of": of,
        "citation": one.citation,
        "why": one.why,
    }


def _hold(one: Hold, who: dict[str, str]) -> dict[str, Any]:
    return {
        "id": one.id,
        "subject": one.subject,
        "href": f"/{'leads' if one.subject.startswith('lead_') else 'people'}/{one.subject}",
        "of": "A lead" if one.subject.startswith("lead_") else "A person",
        "why": one.why,
        "by": who.get(one.by, one.by),
        "at": one.at,
        "lifted_at": one.lifted_at,
        "lifted_by": who.get(one.lifted_by or "", one.lifted_by),
        "lifted_why": one.lifted_why,
    }


def _run(one: Run, who: dict[str, str]) -> dict[str, Any]:
    tallies = one.tallies.values()
    return {
        "id": one.id,
        "at": one.at,
        "by": who.get(one.by, one.by),
        "kind": "Dry run" if one.dry else "Run",
        "state": one.state,
        "went": sum(tally.went for tally in tallies),
        "persons": sum(tally.persons for tally in tallies),
        "kept": sum(tally.held + tally.law + tally.busy + tally.waits for tally in tallies),
        "failed": sum(tally.failed for tally in tallies),
        "ended_at": one.ended_at,
    }


def _next(runs: list[Run], now: datetime) -> datetime:
    """When the clock runs them next: at midnight (UTC), or at once where today's run has not begun."""
    today = now.astimezone(UTC).date()
    begun = any(one.day == today for one in runs)
    return datetime.combine(today + timedelta(days=1), time(), UTC) if begun else now


@post("/retention/dry-run", include_in_schema=False)
async def take_dry_run(desk: NamedDependency[Desk]) -> Page:
    """Have a worker say what would go."""
    await desk.form()
    desk.need(Right.PRIVACY)
    async with desk.wiring.db.begin() as tx:
        await begin_by_hand(tx, desk.wiring.kit, desk.who.id, True, desk.now)
    return desk.back("/retention", "run_begun")


@post("/retention/run", include_in_schema=False, opt=danger("retention_run", Right.PRIVACY))
async def take_run(desk: NamedDependency[Desk]) -> Page:
    """Have the schedules run by a worker, for good."""
    fields = await desk.form()
    if fields.get("sure") != "yes":
        return await _page(desk, "Tick that you mean it: what goes cannot be brought back.")
    async with desk.wiring.db.begin() as tx:
        begun = await begin_by_hand(tx, desk.wiring.kit, desk.who.id, False, desk.now)
        desk.note(tx, begun.id)
    return desk.back("/retention", "run_begun")


@post("/retention/holds", include_in_schema=False)
async def take_hold(desk: NamedDependency[Desk]) -> Page:
    """Place a legal hold."""
    fields = await desk.form()
    desk.need(Right.PRIVACY)
    subject, why = fields.get("subject", "").strip()[:80], fields.get("why", "")
    try:
        async with desk.wiring.db.begin() as tx:
            await place(tx, desk.wiring.kit, subject, why, desk.who.id, desk.now)
    except (BadInput, NotFound) as fault:
        return await _page(desk, f"{fault.detail[:1].upper()}{fault.detail[1:]}.", fields)
    return desk.back("/retention", "held")


@post("/retention/holds/{hold_id:str}/lift", include_in_schema=False, opt=danger("hold_lifted", Right.PRIVACY))
async def take_lifting(desk: NamedDependency[Desk], hold_id: FromPath[str]) -> Page:
    """Lift a legal hold."""
    fields = await desk.form()
    try:
        async with desk.wiring.db.begin() as tx:
            await lift(tx, desk.wiring.kit, hold_id, fields.get("why", ""), desk.who.id, desk.now)
            desk.note(tx, hold_id)
    except BadInput as fault:
        return await _page(desk, f"{fault.detail[:1].upper()}{fault.detail[1:]}.")
    return desk.back("/retention", "lifted")


@get("/people/{person_id:str}/forget", include_in_schema=False)
async def forget_page(desk: NamedDependency[Desk], person_id: FromPath[str]) -> Page:
    """What forgetting somebody means, to be confirmed."""
    desk.need(Right.PRIVACY)
    return desk.show("forget.html", "people", person_id=person_id, error="", why="", opt_out=True)


@post("/people/{person_id:str}/forget", include_in_schema=False, opt=danger("person_forgotten", Right.PRIVACY))
async def take_forgetting(desk: NamedDependency[Desk], person_id: FromPath[str]) -> Page:
    """Forget somebody; the certificate."""
    fields = await desk.form()
    why, opt_out = fields.get("why", ""), fields.get("opt_out") == "yes"
    try:
        if fields.get("sure") != "yes":
            raise BadInput("privacy.forget.unsure", "tick that you mean it: this cannot be undone")
        check_why(why)
        await stop_for(desk.wiring.kit, person_id, desk.who.id, opt_out)
        async with desk.wiring.db.begin() as tx:
            made = await forget_by_hand(tx, desk.wiring.kit, person_id, desk.who.id, why, desk.now)
            desk.note(tx, person_id)
    except (BadInput, Conflict) as fault:
        if isinstance(fault, NotFound):
            raise
        says = f"{fault.detail[:1].upper()}{fault.detail[1:]}."
        return desk.show("forget.html", "people", status=422, person_id=person_id, error=says, why=why, opt_out=opt_out)
    return desk.show("forgotten.html", "people", person_id=person_id, made=made)


ROUTES = [retention_page, take_dry_run, take_run, take_hold, take_lifting, forget_page, take_forgetting]
