"""Training on our own leads, from the journal to a model.

Called by ``leadmill scoring train --vertical`` and by the job of scheduled training. The table lies in a folder of the
home that others cannot read, and goes with it, however training ends; what a process that was killed left behind goes
when a worker starts, and at the next training.
"""

import asyncio
import fcntl
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from leadmill.core.faults import BadInput
from leadmill.flow.history import TIME, Counted, Written, unfit_for, write_history
from leadmill.flow.keep import Pen
from leadmill.flow.rating import barring_of
from leadmill.flow.rules import Rules
from leadmill.flow.training.model import Learned, Say, Task, Trainer, Wanted
from leadmill.learning import read_model, unpack_model
from leadmill.runtime.db import Database
from leadmill.scoring import NO_BOUNDS, ModelRecord, model_bodies

LEAST, LEAST_OF_CLASS = 200, 30
"""Leads with a label, and of either outcome, below which nothing is trained; as for files."""

_FOLDER = "training"
_LOCK = "lock"


@asynccontextmanager
async def learned(
    db: Database, pen: Pen, rules: Rules, home: Path, wanted: Wanted, trainer: Trainer, now: datetime, say: Say
) -> AsyncIterator[Learned]:
    """A model made of our own leads; its folder is there as long as the block lasts. Raises BadInput
    ``learning.rows.few``, ``learning.events.few``, ``learning.option.malformed`` and as training does."""
    unfit = unfit_for(wanted.target)
    if never := [name for name in (*wanted.keep, *wanted.monotone, *wanted.kinds) if name in unfit]:
        says = f"'{never[0]}' tells of the lead what came later or which one it is; it is never learned from"
        raise BadInput("learning.option.malformed", says)
    with _room(home) as room:
        say("reading what was known of our leads and what became of them")
        file = room / f"{wanted.vertical}.csv"
        within = rules.dialects.bounds.get(wanted.vertical, NO_BOUNDS)
        written = await write_history(
            db,
            pen,
            rules.verticals[wanted.vertical],
            barring_of(rules.dialects.unscorable, rules.dialects.bounds),
            file,
            (wanted.since, wanted.until),
            wanted.horizon,
            now,
            wanted.groups,
        )
        _enough(written, wanted)
        champion, folder = await _in_use(db, rules, wanted, room / "in-use")
        say(f"training on {written.targets[wanted.target].labelled:,} leads")
        protected = tuple(next(iter(wanted.groups.values()), {}))
        task = Task(
            file=file,
            out=room / "model",
            target=wanted.target,
            time=TIME,
            exclude=(*unfit, *(name for name in wanted.exclude if name not in unfit)),
            protected=protected,
            limits=within.limits,
            pack=wanted.vertical,
            history=history_of(wanted, written),
            against=folder,
            budget_s=wanted.budget_s,
            tries=wanted.tries,
            seed=wanted.seed,
            threads=wanted.threads,
            keep=wanted.keep,
            barred=wanted.barred,
            monotone=wanted.monotone,
            kinds=wanted.kinds,
        )
        made = await trainer(task)
        digest = read_model(task.out).digest
        yield Learned(task.out, digest, wanted, written, made.card, made.passes, champion.id if champion else "")


def _enough(written: Written, wanted: Wanted) -> None:
    """Refuse too little, with what is lacking."""
    found = written.targets[wanted.target]
    rarer = min(found.yes, found.labelled - found.yes)
    lacking = _unlabelled(written, found)
    if found.labelled < LEAST:
        says = f"{found.labelled:,} leads of {wanted.vertical} have a label '{wanted.target}'; {LEAST} are needed"
        raise BadInput("learning.rows.few", f"{says}. {lacking}")
    if rarer < LEAST_OF_CLASS:
        says = f"only {rarer} leads of {wanted.vertical} have the rarer outcome of '{wanted.target}'"
        raise BadInput("learning.events.few", f"{says}; {LEAST_OF_CLASS} are needed. {lacking}")


def _unlabelled(written: Written, found: Counted) -> str:
    without = written.leads - found.labelled
    return (
        f"{without:,} of {written.leads:,} leads have no label: {written.young:,} are too young, {written.unplaced:,} "
        "were got by nobody."
    )


def history_of(wanted: Wanted, written: Written) -> dict[str, Any]:
    """Where the rows come from, for the card."""
    found = written.targets[wanted.target]
    says = []
    if written.first is not None and written.last is not None:
        says.append(
            f"Our own leads of {wanted.vertical}, rated from {written.first:%Y-%m-%d} to {written.last:%Y-%m-%d}, by "
            f"what was known then; outcomes count for {wanted.horizon.days} days."
        )
    says.append(_unlabelled(written, found))
    if found.days_half is not None:
        says.append(
            f"Labels came late: what makes them was heard {found.days_half:g} days after the rating for half of the "
            f"leads of which anything was heard, {found.days_most:g} for nine in ten."
        )
    if written.forgotten:
        says.append(f"{written.forgotten:,} leads of forgotten persons are not among them.")
    return {
        "vertical": wanted.vertical,
        "target": wanted.target,
        "horizon_days": wanted.horizon.days,
        "leads": written.leads,
        "labelled": found.labelled,
        "young": written.young,
        "unplaced": written.unplaced,
        "forgotten": written.forgotten,
        "days_half": found.days_half,
        "days_most": found.days_most,
        "barred": written.barred,
        "says": says,
    }


async def _in_use(db: Database, rules: Rules, wanted: Wanted, to: Path) -> tuple[ModelRecord | None, Path | None]:
    """The champion that foresees the same, and its files."""
    sought = (wanted.vertical, wanted.foresees)
    records = rules.models.records.values()
    running = (one for one in records if one.runs and one.state == "champion")
    found = next((one for one in running if (one.vertical, one.foresees) == sought), None)
    if found is None:
        return None, None
    async with db.begin(still=True) as tx:
        body = (await model_bodies(tx, [found.digest])).get(found.digest)
    if body is None:
        return None, None
    await asyncio.to_thread(unpack_model, body, to)
    return found, to


@contextmanager
def _room(home: Path) -> Iterator[Path]:
    """A folder that nobody else reads, gone at the end; those of processes that are no more are swept."""
    above = home / _FOLDER
    above.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (above / _LOCK).open("w") as door:
        fcntl.flock(door, fcntl.LOCK_EX)  # nobody sweeps a folder that is about to be locked
        for old in above.glob("run-*"):
            _sweep(old)
        room = Path(tempfile.mkdtemp(prefix="run-", dir=above))
        lock = (room / _LOCK).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)
        lock.close()


def sweep_rooms(home: Path) -> None:
    """Let go of what trainings left behind whose process was killed; what cannot be removed now, the next time."""
    above = home / _FOLDER
    if not above.is_dir():
        return
    with suppress(OSError), (above / _LOCK).open("w") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        for old in above.glob("run-*"):
            _sweep(old)


def _sweep(old: Path) -> None:
    """Remove a folder whose process is gone: then nobody holds its lock."""
    try:
        with (old / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(old, ignore_errors=True)
    except OSError:
        return
