"""Trying a change of the order book on leads that came: set going by a person, made by the worker.

Called by the console's page “What if” and by the job behind it. A trial touches nothing: it decides recorded leads
again under the changed book (``whatif``) and keeps what it found.
"""

import msgspec

from leadmill.core.faults import BadInput, Fault, Permanent
from leadmill.core.ids import Mint
from leadmill.flow.book import Book
from leadmill.flow.configure import changed_rules, read_text
from leadmill.flow.keep import Pen
from leadmill.flow.kit import Ears
from leadmill.flow.model import Trial
from leadmill.flow.rules import Rules
from leadmill.flow.store import add_trial, count_between, find_trial, move_trial
from leadmill.flow.whatif import WhatIf, replay_with
from leadmill.runtime.db import Database, Tx
from leadmill.runtime.jobs import Handler, Job, enqueue
from leadmill.runtime.packs import Packs

TRY = "trial.make"
"""The kind of job that makes a trial; its subject is the trial's id."""

MOST_TEXT = 200_000
"""Characters of a change; a larger one goes through ``leadmill replay --with``."""

_NAME = "the change"


def check_change(text: str, packs: Packs, rules: Rules) -> None:
    """Whether a text is a change that could be made of the rules in force. Raises :class:`BadInput` with what is wrong
    and where, also for a text that changes nothing."""
    if len(text) > MOST_TEXT:
        raise BadInput("flow.trial.too_large", f"at most {MOST_TEXT:,} characters; larger: leadmill replay --with")
    declared = read_text(text.encode(), _NAME)
    if not declared:
        raise BadInput("flow.trial.empty", "write what is to change: an order with another price, say")
    changed_rules(declared, packs)(rules)


async def start_trial(tx: Tx, trial: Trial, mint: Mint) -> None:
    """Set a checked trial going; the worker takes it up."""
    total = await count_between(tx, trial.since, trial.until)
    await add_trial(tx, msgspec.structs.replace(trial, total=total))
    enqueue(tx, TRY, trial.id, {}, trial.at, trial.at, mint, dedupe=f"trial {trial.id}")


def make_trial(db: Database, pen: Pen, book: Book, packs: Packs, ears: Ears | None = None) -> Handler:
    """The handler of trial jobs. One that was cut short begins anew."""

    async def handle(job: Job) -> None:
        async with db.begin() as tx:
            trial = await find_trial(tx, job.subject or "")
        if trial is None or trial.state in ("done", "failed"):
            return

        async def tell(done: int) -> None:
            async with db.begin() as tx:
                await move_trial(tx, msgspec.structs.replace(trial, state="running", done=done))

        await tell(0)
        try:
            other = changed_rules(read_text(trial.text.encode(), _NAME), packs)
            found = await replay_with(db, pen, book, other, trial.since, trial.until, tell, ears)
        except (BadInput, Permanent) as fault:
            ended = msgspec.structs.replace(trial, state="failed", fault=_words(fault))
        else:
            ended = msgspec.structs.replace(trial, state="done", done=found.leads, result=_encode(found))
        async with db.begin() as tx:
            await move_trial(tx, ended)

    return handle


def result_of(trial: Trial) -> WhatIf | None:
    """What a trial found, None while it is not done."""
    return _decode(trial.result) if trial.result is not None else None


def _words(fault: Fault) -> str:
    return f"{fault.code}: {fault.detail}"[:1000]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(WhatIf).decode
