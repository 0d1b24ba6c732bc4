"""``leadmill bench policy``: what the law costs a lead: each action decided by all packs, in CPU.

Run by ``leadmill bench``. Cases are the bases with numbers and addresses drawn from a fixed seed, a fresh set a round,
so that no memory of a person helps; the time is CPU of this process alone, the median of the rounds. Beside it, from
the same run: what it would be if each case read the rules' conditions anew, as a pack that is not compiled does.
"""

import gc
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Annotated, Any

import typer

from benchmarks.closing import carry_out
from benchmarks.figures import median
from leadmill.core.predicates import compile_predicate, parse
from leadmill.policy.service import Engine, bases, open_engine, read_case

GOAL_US = 200.0
"""Microseconds of CPU that the law may take a lead."""

_SEED = 20261122
_PLACES = (
    *(("CA", "95814", "916"), ("TX", "78701", "512"), ("FL", "33130", "305"), ("NY", "10001", "212")),
    *(("OH", "43215", "614"), ("WA", "98101", "206"), ("IL", "60601", "312"), ("AZ", "85004", "602")),
    *(("MD", "21202", "410"), ("OR", "97204", "503"), ("IN", "46204", "317"), ("NC", "27601", "919")),
)
_ACTIONS = ("sell", "call", "text", "email", "ping", "bill", "score", "rank", "capture")


def _cases(action: str, count: int, random: Random) -> list[dict[str, Any]]:
    made = []
    for _ in range(count):
        state, code, area = random.choice(_PLACES)
        phone = f"+1{area}{random.randint(200, 999)}{random.randint(0, 9999):04}"
        line = {
            "base": random.choice(sorted(bases())),
            "now": f"2026-{random.randint(1, 12):02}-{random.randint(1, 28):02}T{random.randint(0, 23):02}:30:00Z",
            "action": action,
            "lead": {"state": state, "zip": code, "phone": phone},
            "history": [{"at": f"now-{random.randint(1, 90)}h", "kind": "call"} for _ in range(random.randint(0, 3))],
        }
        made.append(read_case(line))
    return made


def _per_case(work: Callable[[dict[str, Any]], object], rounds: list[list[dict[str, Any]]]) -> float:
    for case in rounds[0][:50]:
        work(case)
    found = []
    for cases in rounds:
        gc.collect()
        began = time.process_time()
        for case in cases:
            work(case)
        found.append((time.process_time() - began) / len(cases) * 1e6)
    return median(found)


def _uncompiled(engine: Engine, action: str) -> float:
    """Microseconds to read the conditions of an action's rules once."""
    rules = [rule for law in engine.laws for rule in law.rules if action in rule.actions]
    began = time.process_time()
    for rule in rules:
        compile_predicate(parse(list(rule.when)))
    return (time.process_time() - began) * 1e6


def measure(count: int, rounds: int, folder: Path | None) -> dict[str, Any]:
    """The figures: microseconds a case by action."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="leadmill-bench-", dir=folder) as cache:
        engine = open_engine(Path(cache))
        random = Random(_SEED)
        levels: list[dict[str, Any]] = []
        for action in _ACTIONS:
            drawn = [_cases(action, count, random) for _ in range(rounds)]
            seen = _per_case(engine.decide, drawn)
            plain = median(_uncompiled(engine, action) for _ in range(5))
            levels.append({"action": action, "us": seen, "uncompiled_us": seen + plain, "ratio": (seen + plain) / seen})
    worst = max(level["us"] for level in levels)
    goals = {"us_a_lead": {"goal": GOAL_US, "seen": worst, "met": worst < GOAL_US}}
    return {"bench": "policy", "levels": levels, "goals": goals, "took_s": time.monotonic() - began}


def tell(found: dict[str, Any]) -> None:
    """Print the figures for people."""
    print("CPU in µs a case      compiled   rules read anew   ratio")
    for level in found["levels"]:
        print(f"{level['action']:<18} {level['us']:>11,.0f} {level['uncompiled_us']:>17,.0f} {level['ratio']:>7,.1f}")
    goal = found["goals"]["us_a_lead"]
    print(
        f"goal: under {goal['goal']:,.0f} for the dearest, seen {goal['seen']:,.0f}{'' if goal['met'] else '  MISSED'}"
    )


def main(
    cases: Annotated[int, typer.Option(min=20, max=100_000, help="Cases of each action a round.")] = 400,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="Rounds.")] = 5,
    folder: Annotated[Path | None, typer.Option("--dir", metavar="DIR", help="Where the temporary files lie.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """What the law costs a lead: each action decided by all packs.

    Takes about twenty seconds, most of it to boil down the places.

    Example: leadmill bench policy --cases 1000
    """
    carry_out(lambda: measure(cases, rounds, folder), tell, as_json)


if __name__ == "__main__":
    typer.run(main)
