"""“What if”: a change of the order book, tried on the leads of the last days before it is made."""

from datetime import timedelta
from typing import Any

import msgspec
import tomlkit
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.core.faults import BadInput, NotFound
from leadmill.core.money import Money
from leadmill.flow.model import Trial
from leadmill.flow.rerating import Rerated
from leadmill.flow.scorecards import adoptable
from leadmill.flow.store import find_trial, list_trials
from leadmill.flow.trials import check_change, result_of, start_trial
from leadmill.flow.whatif import Sums, WhatIf
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.console.lists import recipient_name, source_name
from leadmill.interfaces.pages import cash
from leadmill.parties import Right
from leadmill.runtime.records import snapshot

SPANS = (("1", "the last day"), ("7", "the last 7 days"), ("30", "the last 30 days"))
_SHOWN = 100


@get("/what-if", include_in_schema=False)
async def trials_page(desk: NamedDependency[Desk]) -> Page:
    """The form and the latest trials. The text begins with an order as it stands (``order`` in the address) or with
    what was tried before (``again``)."""
    asked = desk.request.query_params
    async with desk.wiring.db.begin() as tx:
        earlier = await find_trial(tx, asked.get("again", ""))
        order = (await snapshot(tx)).of("order").get(asked["order"]) if asked.get("order") else None
    text = earlier.text if earlier is not None else ""
    return await _page(desk, tomlkit.dumps({"order": [msgspec.json.decode(order)]}) if order is not None else text)


async def _page(desk: Desk, text: str = "", error: str = "", days: str = "7") -> Page:
    async with desk.wiring.db.begin() as tx:
        trials = await list_trials(tx)
    return desk.show(
        "trials.html",
        "what-if",
        status=422 if error else 200,
        text=text,
        error=error,
        days=days,
        spans=SPANS,
        may_try=desk.may(Right.CONFIGURE),
        trials=[_row(trial) for trial in trials],
    )


@post("/what-if", include_in_schema=False)
async def try_change(desk: NamedDependency[Desk]) -> Page:
    """Check the change and set the trial going; the worker makes it."""
    form = await desk.form()
    desk.need(Right.CONFIGURE)
    text, days = form.get("text", "").replace("\r\n", "\n").strip(), form.get("days", "7")
    if days not in dict(SPANS):
        days = "7"
    try:
        check_change(text, desk.wiring.packs, desk.wiring.rules)
    except BadInput as fault:
        told = "; ".join(entry.detail for entry in fault.errors) or fault.detail
        return await _page(desk, text, told, days)
    return await begin_trial(desk, text, int(days))


async def begin_trial(desk: Desk, text: str, days: int) -> Page:
    """Set a checked change going on the leads of so many days; the page of its trial."""
    now = desk.now
    since = now - timedelta(days=days)
    trial = Trial(id=desk.wiring.mint("trial", now), text=text, since=since, until=now, by=desk.who.id, at=now)
    async with desk.wiring.db.begin() as tx:
        await start_trial(tx, trial, desk.wiring.mint)
    return desk.back(f"/what-if/{trial.id}")


@get("/what-if/{trial_id:str}", include_in_schema=False)
async def trial_page(desk: NamedDependency[Desk], trial_id: FromPath[str]) -> Page:
    """One trial: how far it is, then what the change would have brought, to whom and from whom."""
    async with desk.wiring.db.begin() as tx:
        trial = await find_trial(tx, trial_id)
    if trial is None:
        raise NotFound("flow.trial.unknown", "there is no trial of this id")
    found = result_of(trial)
    return desk.show(
        "trial.html",
        "what-if",
        trial=_row(trial),
        text=trial.text,
        found=_told(desk, found),
        adoptable=adoptable(trial),
    )


def _row(trial: Trial) -> dict[str, Any]:
    found = result_of(trial)
    done = trial.state == "done"
    return {
        "id": trial.id,
        "first": trial.text.strip().partition("\n")[0][:80],
        "name": _named(trial.text),
        "state": "done" if done else "failed" if trial.state == "failed" else "running",
        "at": trial.at,
        "since": trial.since,
        "until": trial.until,
        "done": trial.done,
        "total": trial.total,
        "share": 100 if done else min(99, trial.done * 100 // trial.total) if trial.total else 0,
        "fault": trial.fault,
        "changed": found.changed if found else None,
        "difference": _difference(found.total) if found else None,
    }


def _named(text: str) -> str:
    """What a change is about: the records it names."""
    tables = tomlkit.parse(text).unwrap()
    return ", ".join(f"{kind} {item.get('id', '')}" for kind, items in tables.items() for item in items)[:120]


def _told(desk: Desk, found: WhatIf | None) -> dict[str, Any] | None:
    if found is None:
        return None
    rules = desk.wiring.rules
    return {
        "leads": found.leads,
        "skipped": found.skipped,
        "changed": found.changed,
        "guessed": found.guessed,
        "total": _sums("All", found.total),
        "scores": _scores(found.scores),
        "recipients": [_sums(recipient_name(rules, who), one) for who, one in _largest(found.by_recipient)],
        "sources": [_sums(source_name(rules, who), one) for who, one in _largest(found.by_source)],
        "changes": [
            {
                "lead_id": item.lead_id,
                "was": item.was,
                "was_to": recipient_name(rules, item.was_recipient) if item.was_recipient else "",
                "now": item.now,
                "now_to": recipient_name(rules, item.now_recipient) if item.now_recipient else "",
                "difference": _signed(item.now_price - item.was_price),
                "guessed": item.guessed,
            }
            for item in found.changes[:_SHOWN]
        ],
    }


def _scores(scores: Rerated) -> dict[str, Any] | None:
    """How leads would be rated; None where all would be as they were."""
    if not scores.changed and not scores.paths:
        return None
    moves = [*scores.paths.items(), *((f"band {move}", leads) for move, leads in scores.bands.items())]
    rules = sorted(scores.rules.items(), key=lambda pair: (-abs(pair[1].points), pair[0]))
    return {
        "rated": scores.rated,
        "changed": scores.changed,
        "farther": scores.farther,
        "moves": sorted(moves, key=lambda pair: (pair[0].startswith("band"), -pair[1], pair[0])),
        "rules": [(rule, moved.leads, f"{moved.points:+,}") for rule, moved in rules[:_SHOWN]],
    }


def _largest(sums: dict[str, Sums]) -> list[tuple[str, Sums]]:
    return sorted(sums.items(), key=lambda pair: (-abs(pair[1].now - pair[1].was), pair[0]))


def _sums(who: str, one: Sums) -> dict[str, Any]:
    return {
        "who": who,
        "leads_was": one.leads_was,
        "leads_now": one.leads_now,
        "was": cash(Money(one.was)),
        "now": cash(Money(one.now)),
        "difference": _difference(one),
        "tone": "ok" if one.now > one.was else "bad" if one.now < one.was else "",
    }


def _difference(one: Sums) -> str:
    off = f" ± {cash(Money(one.error))}" if one.error else ""
    return _signed(one.now - one.was) + off


def _signed(amount: int) -> str:
    return f"+{cash(Money(amount))}" if amount > 0 else cash(Money(amount))


ROUTES = [trials_page, try_change, trial_page]
