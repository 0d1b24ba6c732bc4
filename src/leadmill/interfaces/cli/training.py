"""What ``leadmill scoring train`` needs beside a file: our own leads with ``--vertical``, the packs with
``--vertical-pack``.
"""

import csv
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import typer

from leadmill.capture import read_verticals
from leadmill.core.faults import BadInput, NotFound
from leadmill.core.reading import nearest
from leadmill.flow.history import Groups
from leadmill.flow.scorecards import add_model
from leadmill.flow.training import Learned, Wanted, apart, learned
from leadmill.interfaces.cli import scoring
from leadmill.interfaces.cli.frame import FINDINGS, document, err, out, run, settings
from leadmill.interfaces.cli.learned import tell_card
from leadmill.interfaces.cli.placing import author, vertical_of
from leadmill.interfaces.cli.scoring import About, OwnAsked
from leadmill.interfaces.house import House, Opener
from leadmill.learning import free
from leadmill.runtime.packs import load_packs
from leadmill.scoring import NO_BOUNDS, TARGETS, read_bounds


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the commands of models and files, with what needs a house."""
    scoring.add_to(app, _House(opener))


class _House:
    """Our own leads and the packs; see :class:`leadmill.interfaces.cli.scoring.OwnLeads`."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    def learn(self, asked: OwnAsked) -> int:
        if not asked.vertical:
            says = "name a file to learn from, or whose leads with --vertical"
            raise BadInput("learning.option.malformed", says)
        if asked.out is None and asked.ident is None:
            raise BadInput(
                "learning.option.malformed", "say where the model goes: --out DIR, or --add ID for the house"
            )
        if asked.target not in TARGETS:
            says = f"there is no target '{asked.target}'; {nearest(asked.target, TARGETS)}"
            raise BadInput("learning.target.none", says)
        if asked.out is not None:
            free(asked.out)

        async def act(house: House) -> int:
            return await _learn(house, asked)

        run(self._opener, settings(asked.home, asked.database_url), act)

    def within(self, pack: str, home: str | None) -> tuple[About, Callable[[str], str]]:
        packs = load_packs(*settings(home, None).packs)
        if pack not in packs.verticals:
            raise NotFound("cli.vertical.unknown", f"no vertical '{pack}'; {nearest(pack, packs.verticals)}")
        bounds = read_bounds(packs, read_verticals(packs)).get(pack, NO_BOUNDS)
        return About(pack, bounds.limits), bounds.why_not


async def _learn(house: House, asked: OwnAsked) -> int:
    target: Any = asked.target
    wanted = Wanted(
        vertical=vertical_of(house, asked.vertical),
        target=target,
        since=_utc(asked.since),
        until=_utc(asked.until),
        horizon=timedelta(days=asked.horizon),
        budget_s=asked.effort.budget_s,
        tries=asked.effort.tries,
        seed=asked.effort.seed,
        threads=asked.effort.threads,
        groups=_groups(asked.groups) if asked.groups is not None else {},
        exclude=asked.exclude,
        keep=asked.keep,
        barred=asked.barred,
        monotone=asked.monotone,
        kinds={name: str(kind) for name, kind in asked.kinds.items()},
    )
    rules, trainer = house.book.walk().rules, apart(sys.stderr.buffer.write)
    async with learned(house.db, house.pen, rules, house.settings.home, wanted, trainer, house.clock(), _say) as made:
        for name, why in made.written.barred.items():
            err.print(f"left out {name}: {why}", markup=False)
        if asked.out is not None:
            shutil.copytree(made.folder, asked.out, dirs_exist_ok=True)
        if asked.ident is not None:
            why = f"learned from our own leads: {made.words()}"
            async with house.db.begin() as tx:
                await add_model(tx, made.folder, asked.ident, wanted.vertical, why, author(house), wanted.foresees)
        _tell(made, asked)
    return 0 if made.passes else FINDINGS


def _tell(made: Learned, asked: OwnAsked) -> None:
    if asked.as_json:
        where = {"out": str(asked.out) if asked.out is not None else None, "model": asked.ident}
        document({**where, "in_use": made.champion or None, "history": made.written, "card": made.card})
        return
    for says in made.card["data"]["history"].get("says", ()):
        out.print(says, markup=False)
    tell_card(made.card)
    if made.champion:
        out.print(f"Beside the model in use: {made.words()}", markup=False)
    if asked.out is not None:
        out.print(f"The model: {asked.out}; its card: {asked.out / 'card.md'}", markup=False)
    if asked.ident is not None:
        out.print(f"model {asked.ident}: candidate for {made.wanted.vertical}, digest {made.digest}", markup=False)


def _say(says: str) -> None:
    err.print(says, markup=False)


def _groups(path: Path) -> Groups:
    """Test data by lead. Raises BadInput ``learning.column.unknown`` where no column is ``lead_id``."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or "lead_id" not in rows[0]:
        raise BadInput("learning.column.unknown", f"{path.name} has no column 'lead_id'")
    return {
        row["lead_id"]: {name: cell or "" for name, cell in row.items() if name and name != "lead_id"} for row in rows
    }


def _utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
