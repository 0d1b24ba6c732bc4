"""``leadmill bench policy``: what the law costs a lead in CPU: each action by all packs, and the station of the walk.

Run by ``leadmill bench``. Cases are the bases with numbers and addresses drawn from a fixed seed, a fresh set a round,
so that no memory of a person helps; the time is CPU of this process alone, the median of the rounds. Beside it, from
the same run: what it would be if each case read the rules' conditions anew, as a pack that is not compiled does. The
station judges leads of random places and answers for twenty buyers, question and judgement together; leads of the same
traits share a judgement there, as they do in earnest.
"""

import gc
import hmac
import itertools
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Annotated, Any

import typer

from benchmarks.closing import carry_out
from benchmarks.figures import median
from leadmill.capture import Lead, Value, read_verticals
from leadmill.consent import Proof
from leadmill.core.case import Case, Heard
from leadmill.core.predicates import compile_predicate, parse
from leadmill.facts import Dossier, Fact
from leadmill.identity import Identity
from leadmill.parties import Roster, read_buyer
from leadmill.policy import Clear, SuppressionFound
from leadmill.policy.service import Engine, bases, open_engine, read_case
from leadmill.runtime.packs import load_packs

GOAL_US = 200.0
"""Microseconds of CPU that the law may take a lead."""

GOAL_WALK_US = 150.0
"""Microseconds that the station may take, question and judgement, where twenty buyers stand on the roster."""

_SEED = 20261122
_NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
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


def _lead(number: int, random: Random) -> Case:
    """A lead at the door of the station."""
    state, code, area = random.choice(_PLACES)
    phone = f"+1{area}{random.randint(200, 999)}{random.randint(0, 9999):04}"
    proof = Proof(
        kind="written",
        text="I agree that Sunny Roofs and the others may call me. Agreeing is not a condition of purchase.",
        sellers=[f"Buyer {item} LLC" for item in range(0, 20, random.choice((1, 2, 3)))],
        sellers_display="visible",
        channels=["call", "text", "email"][: random.randint(1, 3)],
        box_default="unchecked",
        given_at=_NOW,
    )
    facts = [
        Fact(name, value, "pass", "bench")
        for name, value in (
            *(("zip.state", state), ("zip.code", code), ("zip.zone", "America/Chicago"), ("phone.e164", phone)),
            *(("phone.valid", True), ("email.syntax", True), ("email.lookup", f"ann.{number}@example.com")),
            *(("phone.type", "fixed_or_mobile"), ("phone.state", state)),
        )
    ]
    keys = {"phone": random.randbytes(16).hex(), "email": random.randbytes(16).hex()}
    fields: dict[str, Value] = {"state": state, "zip": code, "phone": phone, "credit_rating": "good"}
    return Case(
        f"lead_{number}",
        [
            Lead(id=f"lead_{number}", vertical="solar", source_id="acme", received_at=_NOW, fields=fields),
            proof,
            Dossier(facts, _NOW),
            Identity(person_id=f"person_{number}", new_person=True, keys=keys),
        ],
    )


def _station(engine: Engine, count: int, rounds: int, random: Random) -> float:
    """Microseconds a lead of the walk's station with twenty buyers."""
    packs = load_packs()
    licences = [{"kind": "CSLB", "number": "1", "states": ["CA"], "class": "C-46"}]
    buyers = [
        read_buyer(
            {
                "id": f"buyer{number}",
                "name": f"Buyer {number} LLC",
                "licences": licences,
                "contract": {"signed": "2026-01-05", "privacy_terms": number % 3 > 0},
            }
        )
        for number in range(20)
    ]
    roster = Roster(buyers={buyer.id: buyer for buyer in buyers})
    laws = {law.name: law for law in engine.laws}

    def keyed_hash(purpose: str, text: str) -> bytes:
        return hmac.digest(b"a key of the benchmark", f"{purpose}{text}".encode(), "sha256")[:16]

    step = Clear(laws, read_verticals(packs), roster, keyed_hash, engine)
    numbers = itertools.count()

    def judge(case: Case) -> object:
        (ask,) = step.wants(case)
        return step.judge(case, Heard({ask: SuppressionFound()}), _NOW)

    found = []
    for _ in range(rounds):
        cases = [_lead(next(numbers), random) for _ in range(count)]
        gc.collect()
        began = time.process_time()
        for case in cases:
            judge(case)
        found.append((time.process_time() - began) / count * 1e6)
    return median(found)


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
        station = _station(engine, 10 * count, rounds, random)
    worst = max(level["us"] for level in levels)
    goals = {
        "us_a_lead": {"goal": GOAL_US, "seen": worst, "met": worst < GOAL_US},
        "us_on_the_walk": {"goal": GOAL_WALK_US, "seen": station, "met": station < GOAL_WALK_US},
    }
    return {"bench": "policy", "levels": levels, "goals": goals, "took_s": time.monotonic() - began}


def tell(found: dict[str, Any]) -> None:
    """Print the figures for people."""
    print("CPU in µs a case      compiled   rules read anew   ratio")
    for level in found["levels"]:
        print(f"{level['action']:<18} {level['us']:>11,.0f} {level['uncompiled_us']:>17,.0f} {level['ratio']:>7,.1f}")
    for words, goal in zip(
        ("for the dearest", "for the walk's station, 20 buyers"), found["goals"].values(), strict=True
    ):
        missed = "" if goal["met"] else "  MISSED"
        print(f"goal: under {goal['goal']:,.0f} {words}, seen {goal['seen']:,.0f}{missed}")


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
