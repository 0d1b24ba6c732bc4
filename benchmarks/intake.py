"""``leadmill bench intake``: valid leads over HTTP through the whole walk to the queued delivery, durably.

Run by ``leadmill bench``. In one run on one server it measures the one-row durable inserts of ``pgbench`` and the
leads, so that the ratio says something on any machine; see ``docs/performance.md``.
"""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from msgspec import Struct

from benchmarks.closing import carry_out
from benchmarks.drive import Order, Report
from benchmarks.figures import median
from benchmarks.house import Broken, Home, Served, file_system, home, say, serving
from benchmarks.profile import profiling
from benchmarks.stored import leads_stored, store_more
from benchmarks.verifying import GOAL_US, measure_facts, tell_facts

RATIO_GOAL = 0.06
CPU_GOAL_MS = 2.0
P99_GOAL_MS = 100.0
SLOWER_GOAL = 0.10
FIRST_STORED = 10_000
_INSERT_SECONDS = 3
_MOST_A_SECOND = 3_000


class Level(Struct, frozen=True):
    """What was seen at one number of stored leads. The rounds alternate pgbench and leads, so that a neighbour's load
    falls on both: ``ratio`` is the median of each round's rate over the mean of the inserts before and after it; rates
    and latencies (milliseconds) are medians of the rounds. ``cpu_ratio`` is what the ratio comes to by CPU alone, an
    insert's (pgbench and server) over a lead's, where neighbours take little part. CPU is milliseconds a lead:
    ``cpu_program`` all serving processes, ``cpu_postgres`` the whole server, ``cpu_load`` the load itself, which is no
    part of the total; ``webs`` is each web process' share of the program's. ``half`` ran at half the rate
    that the goal asks for, its leads arriving by themselves."""

    stored: int
    inserts: list[float]
    rates: list[float]
    ratios: list[float]
    inserts_per_s: float
    cpu_insert: float
    leads_per_s: float
    ratio: float
    cpu_ratio: float
    cpu_program: float
    cpu_postgres: float
    cpu_total: float
    cpu_load: float
    webs: list[float]
    outcomes: dict[str, int]
    p50: float
    p95: float
    p99: float
    half_rate: float
    half_cpu: float
    half: Report


class Seen(Struct, frozen=True):
    """What a phase showed: the load's report, and the seconds of CPU that each serving process and the whole server of
    the store used in its window."""

    report: Report
    program: dict[int, float]
    postgres: float


class Driver:
    """The load's own process."""

    def __init__(self, served: Served) -> None:
        command = [sys.executable, "-P", "-m", "benchmarks.drive", served.host, str(served.port)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self._next = 0

    def phase(self, served: Served, at: Home, order: Order) -> Seen:
        """Drive one phase."""
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(order).decode() + "\n")
        self._process.stdin.flush()
        marks = []
        for word in ("begin", "end"):
            if self._line().strip() != word:
                raise Broken("the load broke down; see above")
            marks.append((served.cpu(), at.postgres_cpu()))
        report = msgspec.json.decode(self._line(), type=Report)
        (before, database), (after, database_after) = marks
        used = {pid: seconds - before.get(pid, 0.0) for pid, seconds in after.items()}
        return Seen(report, used, database_after - database)

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


class Bench:
    """One run: the home, the program and the load, and how long each phase takes."""

    def __init__(self, at: Home, served: Served, driver: Driver, seconds: float, rounds: int, connections: int) -> None:
        self._home = at
        self._served = served
        self._driver = driver
        self._seconds = seconds
        self._rounds = rounds
        self._connections = connections
        self._first = 0

    def drive(self, seconds: float, warm_up: float, rate: float = 0.0, most: int = 0) -> Seen:
        """A phase with fresh leads."""
        most = most or int((seconds + warm_up) * (rate * 1.3 or _MOST_A_SECOND)) + 1000
        order = Order(self._first, most, seconds, warm_up, self._connections, rate)
        found = self._driver.phase(self._served, self._home, order)
        self._first += found.report.sent
        return found

    def warm(self) -> None:
        """Fill what fills at first use, and store the first leads."""
        while (lacking := FIRST_STORED - leads_stored(self._home.url)) > 0:
            say(f"warming up: {lacking:,} leads to go")
            before = self._first
            _check(self.drive(120.0, 0.0, most=lacking).report)
            if self._first == before:
                raise Broken("no lead is taken")

    def level(self) -> Level:
        """Measure at what is stored now."""
        stored = leads_stored(self._home.url)
        say(f"{stored:,} leads stored: pgbench with 16 clients and leads over {self._connections} connections in turn")
        inserts = [self._home.inserts(_INSERT_SECONDS)]
        rounds: list[Seen] = []
        for _ in range(self._rounds):
            rounds.append(self.drive(self._seconds / self._rounds, 1.5))
            inserts.append(self._home.inserts(_INSERT_SECONDS))
        taken = [_check(each.report) for each in rounds]
        rates = [count / each.report.seconds for count, each in zip(taken, rounds, strict=True)]
        ratios = [rate * 2 / (inserts[n].per_s + inserts[n + 1].per_s) for n, rate in enumerate(rates)]
        rate = median(rates)
        inserts_per_s = median(each.per_s for each in inserts)
        half_rate = RATIO_GOAL * inserts_per_s / 2
        say(f"{rate:,.0f} leads/s; now {half_rate:,.0f}, half of what the goal asks for")
        half = self.drive(self._seconds / 2, 2.0, half_rate)
        half_taken = _check(half.report)
        leads = sum(taken)
        cpu_insert = median(each.cpu_ms for each in inserts)
        program = sum(sum(each.program.values()) for each in rounds)
        postgres = sum(each.postgres for each in rounds)
        by_web = [sum(each.program.get(pid, 0.0) for each in rounds) for pid in self._served.webs()]
        return Level(
            stored=stored,
            inserts=[each.per_s for each in inserts],
            rates=rates,
            ratios=ratios,
            inserts_per_s=inserts_per_s,
            cpu_insert=cpu_insert,
            leads_per_s=rate,
            ratio=median(ratios),
            cpu_ratio=cpu_insert * leads / (program + postgres) / 1000,
            cpu_program=program / leads * 1000,
            cpu_postgres=postgres / leads * 1000,
            cpu_total=(program + postgres) / leads * 1000,
            cpu_load=sum(each.report.own_cpu for each in rounds) / leads * 1000,
            webs=[each / program for each in by_web],
            outcomes=_sum(each.report.outcomes for each in rounds),
            p50=median(each.report.p50 for each in rounds),
            p95=median(each.report.p95 for each in rounds),
            p99=median(each.report.p99 for each in rounds),
            half_rate=half_rate,
            half_cpu=(sum(half.program.values()) + half.postgres) / half_taken * 1000,
            half=half.report,
        )


def _sum(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def _check(report: Report) -> int:
    """The leads taken in the window. Raises :class:`Broken` where one was refused or lost: then nothing was
    measured."""
    taken = report.statuses.get("201", 0)
    if report.lost or set(report.statuses) - {"201"} or not taken:
        raise Broken(f"answers {report.statuses or 'none'}, {report.lost} lost; {report.refusal}")
    return taken


def measure(
    seconds: float,
    rounds: int,
    workers: int,
    connections: int,
    stored: int,
    profile: Path | None,
    folder: Path | None,
) -> dict[str, Any]:
    """The whole run, as one document."""
    began = time.monotonic()
    levels: list[Level] = []
    with home(folder) as at, serving(at, workers) as served:
        driver = Driver(served)
        try:
            run = Bench(at, served, driver, seconds, rounds, connections)
            run.warm()
            levels.append(run.level())
            if stored:
                store_more(at.url, stored)
                run.drive(3.0, 0.0)
                levels.append(run.level())
            if profile is not None:
                with profiling(served.webs()[0], seconds / 2, profile):
                    run.drive(seconds / 2 + 1, 0.5)
        finally:
            driver.close()
        kind = file_system(at.path)
        say("the facts step by itself")
        facts = measure_facts(at.path / "facts")
    first = levels[0]
    return {
        "bench": "intake",
        "workers": workers,
        "connections": connections,
        "file_system": kind,
        "levels": levels,
        "facts": facts,
        "goals": {
            "ratio": {"goal": RATIO_GOAL, "seen": first.ratio, "met": first.ratio >= RATIO_GOAL},
            "cpu_ms": {"goal": CPU_GOAL_MS, "seen": first.cpu_total, "met": first.cpu_total <= CPU_GOAL_MS},
            "p99_ms": {"goal": P99_GOAL_MS, "seen": first.half.p99, "met": first.half.p99 < P99_GOAL_MS},
            "facts_us": {"goal": GOAL_US, "seen": facts.step_us, "met": facts.step_us <= GOAL_US},
        }
        | (_slower(levels) if len(levels) > 1 else {}),
        "took_s": time.monotonic() - began,
    }


def _slower(levels: list[Level]) -> dict[str, Any]:
    """How much of the ratio is lost between the first level and the last, and by how much PostgreSQL's CPU grew as a
    share of all that a lead took at first: it alone has more to do, and neighbours weigh less on it."""
    first, last = levels[0], levels[-1]
    lost = 1 - last.ratio / first.ratio
    grown = (last.cpu_postgres - first.cpu_postgres) / first.cpu_total
    return {"slower": {"goal": SLOWER_GOAL, "seen": lost, "met": lost <= SLOWER_GOAL, "postgres_grown": grown}}


def tell(found: dict[str, Any]) -> None:
    """Print the figures for people."""
    for level in found["levels"]:
        half = level.half
        outcomes = ", ".join(f"{count:,} {name}" for name, count in sorted(level.outcomes.items()))
        webs = " ".join(f"{share:.0%}" for share in level.webs)
        lines = [
            f"{level.stored:,} leads stored",
            f"  leads/s            {level.leads_per_s:10,.0f}   ({_each(level.rates)}; {outcomes})",
            f"  one-row inserts/s  {level.inserts_per_s:10,.0f}   (pgbench, 16 clients: {_each(level.inserts)})",
            f"  ratio              {level.ratio:10.3f}   ({_each(level.ratios, '.3f')}; goal {RATIO_GOAL})",
            f"  CPU a lead, ms     {level.cpu_total:10.2f}   (program {level.cpu_program:.2f} [by web process {webs}],"
            f" PostgreSQL {level.cpu_postgres:.2f}; goal {CPU_GOAL_MS}; the load's own {level.cpu_load:.2f})",
            f"  ratio by CPU       {level.cpu_ratio:10.3f}   (an insert takes {level.cpu_insert:.3f} ms, its client"
            " included)",
            f"  at full load, ms   p50 {level.p50:.0f}   p95 {level.p95:.0f}   p99 {level.p99:.0f}",
            f"  at {level.half_rate:,.0f}/s, ms      p50 {half.p50:.0f}   p95 {half.p95:.0f}   p99 {half.p99:.0f}"
            f"   (goal: p99 under {P99_GOAL_MS:.0f}; CPU a lead {level.half_cpu:.2f})",
        ]
        print("\n".join(lines))
    print(tell_facts(found["facts"]))
    slower = found["goals"].get("slower")
    if slower:
        print(
            f"ratio lost with what is stored: {slower['seen']:+.1%} (goal: at most {SLOWER_GOAL:.0%});"
            f" PostgreSQL's CPU grew by {slower['postgres_grown']:+.1%} of a lead's"
        )
    missed = [name for name, goal in found["goals"].items() if not goal["met"]]
    print(f"home on {found['file_system']}; {'all goals met' if not missed else 'missed: ' + ', '.join(missed)}")


def _each(values: list[float], shape: str = ",.0f") -> str:
    return " ".join(format(value, shape) for value in values)


def main(
    seconds: Annotated[float, typer.Option(min=2, max=600, help="Measured at full load, all rounds together.")] = 18.0,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="Rounds of pgbench and leads in turn.")] = 3,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Web processes.")] = 2,
    connections: Annotated[int, typer.Option(min=1, max=1000, help="Kept-alive connections.")] = 96,
    stored: Annotated[int, typer.Option(min=0, help="Measure again with so many leads stored.")] = 0,
    profile: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Profile a web process with py-spy (.svg, .json or .txt).")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Where the temporary home lies: the disk to measure.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Leads/s from HTTP to the queued delivery, beside one-row durable inserts on the same server.

    Takes about two minutes, and ten more with --stored 1000000, which needs some 15 GB of disk.

    Example: leadmill bench intake --seconds 20 --stored 1000000
    """
    if profile is not None:
        profile = profile.absolute()
    carry_out(lambda: measure(seconds, rounds, workers, connections, stored, profile, folder), tell, as_json)


if __name__ == "__main__":
    typer.run(main)
