"""``leadmill bench ping``: how long a source waits for a price, over HTTP, and what one ping costs.

Run by ``leadmill bench``. The business is that of ``bench intake``; its orders have fixed prices, so nobody is asked
for bids and all that is measured is ours: the stations of a ping, the market with its limits, the room that is held,
one durable commit. The same number of leads is sent over the same connections before, to compare with.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.closing import carry_out
from benchmarks.drive import Order, Report
from benchmarks.house import Broken, file_system, home, say, serving
from benchmarks.intake import Driver, Seen

P99_GOAL_MS = 50.0
"""At a fifth of what it bears: a page that asks for a price waits for it."""

_MOST_A_SECOND = 3_000


def measure(seconds: float, workers: int, connections: int, folder: Path | None) -> dict[str, Any]:
    """The whole run, as one document."""
    with home(folder) as at, serving(at, workers) as served:
        driver = Driver(served)
        first = 0

        def drive(length: float, warm_up: float, pings: bool, rate: float = 0.0) -> Seen:
            nonlocal first
            most = int((length + warm_up) * (rate * 1.3 or _MOST_A_SECOND)) + 1000
            order = Order(first, most, length, warm_up, connections, rate, pings)
            found = driver.phase(served, at, order)
            first += found.report.sent
            return found

        try:
            say("warming up")
            drive(3.0, 0.0, pings=True)
            drive(3.0, 0.0, pings=False)
            say(f"leads over {connections} connections, then pings")
            leads = drive(seconds, 1.0, pings=False)
            pings = drive(seconds, 1.0, pings=True)
            rate = _taken(pings.report) / pings.report.seconds
            say(f"{rate:,.0f} pings/s; now at a fifth of that")
            calm = drive(seconds, 1.0, pings=True, rate=rate / 5)
        finally:
            driver.close()
        kind = file_system(at.path)
    return {
        "bench": "ping",
        "workers": workers,
        "connections": connections,
        "file_system": kind,
        "pings": _figures(pings),
        "leads": _figures(leads),
        "calm": {**_figures(calm), "rate": rate / 5},
        "goals": {
            "p99_ms": {"goal": P99_GOAL_MS, "seen": calm.report.p99, "met": calm.report.p99 <= P99_GOAL_MS},
        },
    }


def _taken(report: Report) -> int:
    taken = report.statuses.get("201", 0)
    if report.lost or set(report.statuses) - {"201"} or not taken:
        raise Broken(f"answers {report.statuses or 'none'}, {report.lost} lost; {report.refusal}")
    return taken


def _figures(seen: Seen) -> dict[str, Any]:
    report = seen.report
    taken = _taken(report)
    return {
        "per_s": taken / report.seconds,
        "outcomes": report.outcomes,
        "p50": report.p50,
        "p95": report.p95,
        "p99": report.p99,
        "cpu_ms": (sum(seen.program.values()) + seen.postgres) / taken * 1000,
        "cpu_program_ms": sum(seen.program.values()) / taken * 1000,
    }


def tell(found: dict[str, Any]) -> None:
    """Print the figures for people."""
    for name in ("leads", "pings"):
        each = found[name]
        outcomes = ", ".join(f"{count:,} {what}" for what, count in sorted(each["outcomes"].items()))
        print(
            f"{name}/s {each['per_s']:8,.0f}   p50 {each['p50']:.1f}   p95 {each['p95']:.1f}   p99 {each['p99']:.1f} ms"
            f"   CPU {each['cpu_ms']:.2f} ms each (program {each['cpu_program_ms']:.2f})   ({outcomes})"
        )
    calm, goal = found["calm"], found["goals"]["p99_ms"]
    print(
        f"at {calm['rate']:,.0f} pings/s: p50 {calm['p50']:.1f}   p95 {calm['p95']:.1f}   p99 {calm['p99']:.1f} ms"
        f"   (goal: p99 at most {goal['goal']:.0f}, {'met' if goal['met'] else 'missed'})"
    )
    print(f"home on {found['file_system']}")


def main(
    seconds: Annotated[float, typer.Option(min=1, max=600, help="Measured in each of three phases.")] = 8.0,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Web processes.")] = 2,
    connections: Annotated[int, typer.Option(min=1, max=1000, help="Kept-alive connections.")] = 32,
    folder: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Where the temporary home lies: the disk to measure.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """How long a source waits for a price over HTTP, beside leads on the same connections.

    Takes about a minute.

    Example: leadmill bench ping --seconds 5
    """
    carry_out(lambda: measure(seconds, workers, connections, folder), tell, as_json)


if __name__ == "__main__":
    typer.run(main)
