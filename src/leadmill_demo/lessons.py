"""A model of the demo's own: past solar enquiries with what became of them, and the three commands that have Leadmill
learn from them and hear the model as a shadow.

Run by ``__main__`` once, beside everything else, where ``leadmill serve --demo`` asks for it. The commands are those
that anybody would type; the business is invented, and so is what became of its enquiries.
"""

import asyncio
import csv
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from leadmill_demo.enquiries import Answers, solar
from leadmill_demo.places import SUNNY
from leadmill_demo.visiting import visiting

NAME = "solar-demo"
"""The model's id."""

_ROWS = 4_000
_DAYS = 150
_TRIES = 2
"""Settings that training tries: enough for a model, few enough for some seconds."""
_PATIENCE = 300.0
"""Seconds that one command may take."""
_TAUGHT = "taught"
_SENSITIVE = ("credit_rating",)
"""What no model may look at, though it counts: a person's finances."""


def odds_of(answers: Answers, visits: int) -> float:
    """How likely an enquiry became a sale, as log-odds."""
    return (
        -2.6
        + (1.1 if answers["homeowner"] else -1.6)
        + 0.9 * math.tanh((int(answers["monthly_bill"]) - 150) / 90)
        + {"none": 0.4, "some": 0.0, "much": -1.1}[str(answers["roof_shade"])]
        + {"excellent": 0.5, "good": 0.3, "fair": -0.2, "poor": -1.2}.get(str(answers["credit_rating"]), 0.0)
        + {"immediately": 0.9, "one_to_three_months": 0.4, "later": -0.7, "unsure": -0.9}.get(
            str(answers["timeframe"]), 0.0
        )
        + (0.3 if answers["battery_interest"] else 0.0)
        - 0.02 * abs(int(answers["roof_age"]) - 12)
        + 0.15 * min(visits, 6)
    )


def past(rng: Random, now: datetime, rows: int = _ROWS) -> Iterator[dict[str, str]]:
    """Enquiries of the last months, oldest first, each as it stood when it was rated and with what became of it."""
    for row in range(rows):
        at = now - timedelta(days=_DAYS * (1 - row / rows))
        answers = solar(rng, rng.choice(SUNNY), at.date())
        seen = visiting(rng, at)
        chance = 1 / (1 + math.exp(-odds_of(answers, seen.get("visits", 0))))
        values = {name: value for name, value in answers.items() if name not in _SENSITIVE}
        values |= {f"context.{name}": value for name, value in seen.items() if name != "last_visit_at"}
        yield {
            "decided_at": at.isoformat(timespec="seconds"),
            **{name: _written(value) for name, value in values.items()},
            "converted": _written(rng.random() < chance),
        }


def _written(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def write_past(path: Path, rng: Random, now: datetime, rows: int = _ROWS) -> None:
    """Write them as a table."""
    found = list(past(rng, now, rows))
    names = list(dict.fromkeys(name for row in found for name in row if name != "converted"))
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [*names, "converted"])
        table.writeheader()
        table.writerows(found)


def commands(folder: Path) -> list[list[str]]:
    """What is typed: learn, register, hear as a shadow."""
    table, model = str(folder / "past.csv"), str(folder / "model")
    tuned = ["--time", "decided_at", "--exclude", "decided_at", "--tries", str(_TRIES), "--threads", "1", "--seed", "1"]
    return [
        ["scoring", "train", table, "--target", "converted", *tuned, "--vertical-pack", "solar", "--out", model],
        ["scoring", "add", model, "--id", NAME, "--vertical", "solar", "--why", "learned from last year's enquiries"],
        ["scoring", "activate", NAME, "--as", "shadow", "--why", "heard for a month before it decides"],
    ]


async def teach(folder: Path, rng: Random, say: Callable[[str], None]) -> None:
    """Have Leadmill learn, unless it did at an earlier start. What goes wrong is told and spoils nothing."""
    if not await asyncio.to_thread(_prepare, folder, rng):
        return
    for words in commands(folder):
        fault = await _run(words)
        if fault:
            say(f"no model: leadmill {' '.join(words[:2])}: {fault}")
            return
    await asyncio.to_thread((folder / _TAUGHT).touch)
    say(f"model {NAME} is heard as a shadow")


def _prepare(folder: Path, rng: Random) -> bool:
    if (folder / _TAUGHT).exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    write_past(folder / "past.csv", rng, datetime.now(UTC))
    return True


async def _run(words: Sequence[str]) -> str:
    """Run one command of Leadmill's; the last line of what it complained of, nothing where all went well."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "leadmill", *words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        _, told = await asyncio.wait_for(process.communicate(), _PATIENCE)
    except TimeoutError:
        return f"took longer than {_PATIENCE:.0f} seconds"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    last = told.decode(errors="replace").strip().rpartition("\n")[2]
    return (last or f"status {process.returncode}") if process.returncode else ""
