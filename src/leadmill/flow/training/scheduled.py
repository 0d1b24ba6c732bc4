"""Training again by schedule: planned by the worker's clock, made by a durable job in a process of its own.

One that is cut short leaves a folder to sweep and is made again: what it made is registered with what is told of it and
the end of the job in one transaction. A model that was made so waits for a person, who places it.
"""

from datetime import datetime, timedelta
from pathlib import Path

from leadmill.core.faults import BadInput
from leadmill.flow.kit import Kit
from leadmill.flow.model import LeadFilter
from leadmill.flow.placing import models_known
from leadmill.flow.scorecards import Author, add_model, place_model, retire_model
from leadmill.flow.store import are_so_many
from leadmill.flow.training.model import Learned, Trainer, Wanted
from leadmill.flow.training.own import learned
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import Handler, Job, enqueue, finish
from leadmill.runtime.telemetry import log
from leadmill.runtime.worker import Patience
from leadmill.scoring.retraining import (
    Retrain,
    Run,
    Standing,
    due,
    keep_run,
    last_run,
    model_id,
    new_from,
    outlived,
    runs_by,
)
from leadmill.scoring.watch import count_alerts, tell_retrained

RETRAIN = "scoring.retrain"
"""The kind of job that trains once; its subject is the record's id."""
_TRIES = 3
PATIENT = Patience(tries=_TRIES + 1, first=60.0)
"""Training is tried so often; the last time is to say that it could not be made, whatever became of the others: a job
that only died would be due anew at once, and read all leads again and again."""
BY = "schedule"
"""Who a change of the records is by that nobody made."""

_DRIFT = ("score_drift", "column_drift", "calibration")
_MOST = 2_000
"""Characters that are kept of why training was refused."""


async def plan_retraining(tx: Tx, kit: Kit) -> None:
    """Have models trained again that are due and of which enough new labels are known."""
    rules, now = kit.walk().rules, kit.clock()
    if not rules.retrains:
        return
    open_alerts = await count_alerts(tx)
    for terms in rules.retrains.values():
        last = await last_run(tx, terms.id)
        drifted = any(open_alerts.get((terms.vertical, kind)) for kind in _DRIFT)
        if not due(terms, last, drifted, now):
            continue
        since, until = new_from(terms, last, now)
        fresh = LeadFilter(vertical=terms.vertical, test=False, since=since, until=until)
        if await are_so_many(tx, fresh, terms.least_new):
            enqueue(tx, RETRAIN, terms.id, {}, now, now, kit.mint, dedupe=f"{RETRAIN}:{terms.id}")


def make_retraining(kit: Kit, home: Path, trainer: Trainer) -> Handler:
    """The handler of these jobs. A training that cannot be made, for want of leads say, is told and not tried again
    before it is due; one whose process was lost is, a few times."""

    async def handle(job: Job) -> None:
        rules, now = kit.walk().rules, kit.clock()
        terms = rules.retrains.get(job.subject or "")
        async with kit.db.begin(still=True) as tx:
            last = await last_run(tx, job.subject or "")
        if terms is None or (last is not None and last.at >= job.created_at):
            return
        if job.attempts > _TRIES:
            says = f"it was tried {_TRIES} times and ended each time without a word: killed, or out of memory"
            await _end(kit, job, _run(kit, terms, now, "refused", f"scoring.training.lost: {says}"))
            return
        wanted = Wanted(
            vertical=terms.vertical,
            target=terms.target,
            horizon=timedelta(days=terms.horizon),
            budget_s=float(terms.budget_s),
            tries=terms.tries,
            exclude=terms.exclude,
            keep=terms.keep,
            monotone={name: 1 if sign == "+" else -1 for name, sign in terms.monotone.items()},
            threads=1,  # it is in no hurry, and others are
        )
        try:
            school = learned(kit.db, kit.pen, rules, home, wanted, trainer, now, _quiet)
            async with school as made, kit.db.begin() as tx:
                run = await _register(tx, kit, terms, made, now)
                await _tell(tx, kit, job, run)
        except BadInput as fault:
            await _end(kit, job, _run(kit, terms, now, "refused", f"{fault.code}: {fault.detail}"[:_MOST]))
            return
        _logged(run)
        await kit.refresh()

    return handle


async def _end(kit: Kit, job: Job, run: Run) -> None:
    """End with no model."""
    async with kit.db.begin() as tx:
        await _tell(tx, kit, job, run)
    _logged(run)


def _logged(run: Run) -> None:
    log("scoring").info("trained by schedule", retrain=run.retrain, standing=run.standing, model=run.model)


async def _register(tx: Tx, kit: Kit, terms: Retrain, made: Learned, now: datetime) -> Run:
    """Keep the model and give it its place; of those before it that nobody has placed go which need not stay."""
    rules = kit.walk().rules
    by = Author(BY, now, kit.mint, rules.keyed_hash, rules)
    known = await models_known(tx)
    ident = model_id(terms, now, {one.id for one in known})
    words = made.words()
    waiting = {one.id for one in known if not one.retired and one.state == terms.place}
    before = [one for one in await runs_by(tx, terms.id) if one.model in waiting]
    for model in outlived(terms, before, now):
        await retire_model(tx, model, f"{ident} was trained in its place", by)
    await add_model(tx, made.folder, ident, terms.vertical, words, by, made.wanted.foresees)
    standing: Standing = terms.place if made.passes else "unfair"
    if standing == "shadow":
        await place_model(tx, ident, "shadow", None, words, by)
    labelled = made.written.targets[terms.target].labelled
    return _run(kit, terms, now, standing, words, ident, made.digest, labelled)


def _run(
    kit: Kit, terms: Retrain, now: datetime, standing: Standing, says: str, model: str = "", digest: str = "",
    labelled: int = 0,
) -> Run:  # fmt: skip
    return Run(
        id=kit.mint("run", now),
        retrain=terms.id,
        vertical=terms.vertical,
        target=terms.target,
        at=now,
        standing=standing,
        says=says,
        model=model,
        digest=digest,
        labelled=labelled,
    )


async def _tell(tx: Tx, kit: Kit, job: Job, run: Run) -> None:
    """Keep what came of it, tell a person, and end the job, all or nothing."""
    await keep_run(tx, run)
    await tell_retrained(tx, run.vertical, run.model, run.retrain, run.says, run.at, kit.mint)
    await finish(tx, job)


def _quiet(_: str) -> None:
    """Steps that nobody watches."""
