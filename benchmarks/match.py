"""``leadmill bench match``: one lead against all orders of a vertical: by the index, by asking each, and by SQL.

Run by ``leadmill bench``. All three are asked about the same leads in one run and must name the same orders, so that
the ratios say something on any machine; only CPU is counted, the server's included.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Annotated, Any

import asyncpg
import typer
from msgspec import Struct

from benchmarks.closing import carry_out
from benchmarks.figures import cpu_of_tree, median
from benchmarks.house import Broken, say
from leadmill.core.predicates import compile_predicate, parse
from leadmill.interfaces.cli.frame import settle
from leadmill.market import Order, read_order
from leadmill.market.orderbook.board import Boards
from leadmill.parties import Buyer, Roster
from leadmill.runtime.postgres import embedded

SIZES = (100, 1_000, 10_000, 100_000)
GOALS = {10_000: 100.0, 100_000: 1_000.0}
"""Microseconds of CPU a lead may take, by the number of orders."""
CHANGE_GOAL_MS = 250.0
"""What one changed order may take among the most orders, so that it is seen within a second."""

_SEED = 20261122
_BUYERS = 500
_NOW = datetime(2026, 3, 4, 18, 0, tzinfo=UTC)
_STATES = (
    *("CA", "TX", "FL", "NY", "PA", "IL", "OH", "GA", "NC", "MI", "NJ", "VA", "WA", "AZ", "MA", "TN", "IN"),
    *("MD", "MO", "WI", "CO", "MN", "SC", "AL", "LA", "KY", "OR", "OK", "CT", "UT", "NV", "IA", "AR", "KS"),
    *("MS", "NM", "NE", "ID", "WV", "HI", "NH", "ME", "MT", "RI", "DE", "SD", "ND", "AK", "VT", "WY"),
)
_AREAS = 18
"""Areas of a state, each the first three digits of its ZIP codes."""
_WEIGHTS = [1 / (place + 3) for place in range(len(_STATES))]
_CREDIT = ("excellent", "good", "fair", "poor")
_SHADE = ("none", "some", "much")
_KINDS = ("single", "condo", "mobile")

_TABLE = """
CREATE TABLE demand (
    id text NOT NULL, state text NOT NULL, bill_from int, bill_to int, credit text[], heads text[], shade text,
    owner boolean, wide_bill int, wide_kind text, min_score int
);
"""
_INDEX = "CREATE INDEX demand_state ON demand (state); ANALYZE demand;"
# An order has a row for each state it names, or one for any, so that the index leads straight to those of the lead's.
_QUERY = """
SELECT id FROM demand
WHERE state IN ($1, '*')
  AND (bill_from IS NULL OR $2::int >= bill_from) AND (bill_to IS NULL OR $2::int < bill_to)
  AND (credit IS NULL OR $3::text = ANY(credit)) AND (heads IS NULL OR left($4::text, 3) = ANY(heads))
  AND (shade IS NULL OR $5::text IS DISTINCT FROM shade) AND (owner IS NULL OR owner = $6::boolean)
  AND (wide_bill IS NULL OR $2::int >= wide_bill OR $7::text = wide_kind)
  AND (min_score IS NULL OR $8::int >= min_score)
"""


class Level(Struct, frozen=True):
    """What was seen with so many orders. CPU is microseconds a lead (medians of the rounds): ``index`` all that the
    market does to know who may take it, ``closures`` every condition of every order asked until one fails, ``sql`` a
    prepared statement, its client's part included. ``build_ms`` and ``change_ms`` are what all orders and one changed
    order take."""

    orders: int
    fitting: float
    index: float
    closures: float
    sql: float
    read_ms: float
    build_ms: float
    change_ms: float


# The book and the leads


def _table(draw: Random, number: int) -> dict[str, Any]:
    """An order as it is declared: most are local or of a few states, some take any; about one in a hundred fits a
    lead."""
    where: list[dict[str, Any]] = []
    reach = draw.random()
    if reach < 0.7:
        state = draw.choices(_STATES, _WEIGHTS)[0]
        where.append({"field": "state", "eq": state})
        heads = [_area(state, place) for place in sorted(draw.sample(range(_AREAS), draw.randint(1, 5)))]
        where.append({"field": "zip", "prefix": heads})
    elif reach < 0.98:
        where.append({"field": "state", "in": sorted(set(draw.choices(_STATES, _WEIGHTS, k=draw.randint(1, 3))))})
    if draw.random() < 0.7:
        bill: dict[str, Any] = {"field": "monthly_bill", "gte": draw.randrange(80, 320, 5)}
        if draw.random() < 0.2:
            bill["lt"] = bill["gte"] + draw.randrange(50, 400, 10)
        where.append(bill)
    if draw.random() < 0.4:
        where.append({"field": "credit_rating", "in": list(_CREDIT[: draw.randint(1, 3)])})
    if draw.random() < 0.3:
        where.append({"not": {"field": "roof_shade", "eq": "much"}})
    if draw.random() < 0.5:
        where.append({"field": "homeowner", "eq": True})
    if draw.random() < 0.1:
        wide = [{"field": "monthly_bill", "gte": draw.randrange(200, 400, 10)}, {"field": "kind", "eq": "single"}]
        where.append({"any": wide})
    order: dict[str, Any] = {
        "id": f"order-{number:06}",
        "buyer": f"buyer-{number % _BUYERS}",
        "vertical": "solar",
        "where": where,
        "price": f"{draw.randrange(15, 95)}.00",
    }
    if draw.random() < 0.4:
        order["min_score"] = draw.randrange(20, 95, 5)
    return order


def _area(state: str, place: int) -> str:
    return f"{_STATES.index(state) * _AREAS + place + 100:03}"


def _rows(table: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The order as rows of the SQL form."""
    found: dict[str, Any] = {}
    for part in table["where"]:
        if "not" in part:
            found["shade"] = part["not"]["eq"]
        elif "any" in part:
            found["wide_bill"], found["wide_kind"] = part["any"][0]["gte"], part["any"][1]["eq"]
        elif part["field"] == "state":
            found["state"] = part.get("in", [part.get("eq")])
        elif part["field"] == "monthly_bill":
            found["bill_from"], found["bill_to"] = part["gte"], part.get("lt")
        elif part["field"] == "credit_rating":
            found["credit"] = part["in"]
        elif part["field"] == "zip":
            found["heads"] = part["prefix"]
        else:
            found["owner"] = part["eq"]
    names = ("bill_from", "bill_to", "credit", "heads", "shade", "owner", "wide_bill", "wide_kind")
    rest = [found.get(name) for name in names]
    return [(table["id"], state, *rest, table.get("min_score")) for state in found.get("state", ["*"])]


def _lead(draw: Random) -> tuple[dict[str, Any], int | None]:
    """What the market sees of a lead; now and then something is missing."""
    state = draw.choices(_STATES, _WEIGHTS)[0]
    values: dict[str, Any] = {
        "state": state,
        "zip": f"{_area(state, draw.randrange(_AREAS))}{draw.randrange(100):02}",
        "monthly_bill": draw.randrange(50, 450),
        "credit_rating": draw.choice(_CREDIT),
        "roof_shade": draw.choice(_SHADE),
        "homeowner": draw.random() < 0.7,
        "kind": draw.choice(_KINDS),
    }
    for name in list(values):
        if draw.random() < 0.03:
            del values[name]
    return values, draw.randint(10, 99) if draw.random() < 0.97 else None


# Measuring


def _cpu(act: Callable[[], object], times: int) -> float:
    """Microseconds of CPU of one of ``times`` things done by ``act``."""
    before = time.process_time_ns()
    act()
    return (time.process_time_ns() - before) / 1000 / times


async def _level(size: int, rounds: int, url: str, postmaster: int) -> Level:
    draw = Random(_SEED + size)
    tables = [_table(draw, number) for number in range(size)]
    leads = [_lead(draw) for _ in range(400)]
    orders: dict[str, Order] = {}
    read = _cpu(lambda: orders.update((table["id"], read_order(table)) for table in tables), 1000)
    roster = Roster({}, {f"buyer-{n}": Buyer(id=f"buyer-{n}", name=f"Buyer {n}") for n in range(_BUYERS)}, {})
    made: list[Boards] = []
    build = _cpu(lambda: made.append(Boards(orders, roster, small=0)), 1000)
    other = orders | {tables[size // 2]["id"]: read_order({**tables[0], "id": tables[size // 2]["id"]})}
    change = median(_cpu(lambda: Boards(other, roster, earlier=made[0], small=0), 1000) for _ in range(3))
    board = made[0]["solar"]
    asked = [(table["id"], compile_predicate(parse(table["where"])), table.get("min_score")) for table in tables]

    def naive(lead: tuple[dict[str, Any], int | None]) -> list[str]:
        values, points = lead
        return [
            ident
            for ident, check, least in asked
            if check(values, _NOW) and (least is None or (points is not None and points >= least))
        ]

    def indexed(lead: tuple[dict[str, Any], int | None]) -> list[str]:
        return sorted(line.order.id for line, _ in board.sort(*lead).left)

    connection = await asyncpg.connect(url)
    try:
        await connection.execute("DROP TABLE IF EXISTS demand")
        await connection.execute(_TABLE)
        await connection.copy_records_to_table("demand", records=[row for table in tables for row in _rows(table)])
        await connection.execute(_INDEX)
        statement = await connection.prepare(_QUERY)
        few = leads[: max(8, min(len(leads), 400_000 // size))]
        for lead in few[:8]:
            found = [sorted(row["id"] for row in await statement.fetch(*_bound(lead))), naive(lead), indexed(lead)]
            if found[0] != found[1] or found[1] != found[2]:
                raise Broken(f"index, closures and SQL disagree: {[len(each) for each in found]} orders")
        say(f"{size:,} orders: measuring")
        settle()  # as the program does once its rules are read
        seen: dict[str, list[float]] = {"index": [], "closures": [], "sql": []}
        times = range(max(1, 40_000 // size))
        many = len(leads) * len(times)
        for _ in range(rounds):
            seen["index"].append(_cpu(lambda: [board.sort(*lead) for _ in times for lead in leads], many))
            seen["closures"].append(_cpu(lambda: [naive(lead) for lead in few], len(few)))
            seen["sql"].append(await _sql(statement, leads, postmaster))
        fitting = sum(len(board.sort(*lead).left) for lead in leads)
    finally:
        await connection.close()
    return Level(
        orders=size,
        fitting=fitting / len(leads),
        index=median(seen["index"]),
        closures=median(seen["closures"]),
        sql=median(seen["sql"]),
        read_ms=read,
        build_ms=build,
        change_ms=change,
    )


def _bound(lead: tuple[dict[str, Any], int | None]) -> list[Any]:
    values, points = lead
    names = ("state", "monthly_bill", "credit_rating", "zip", "roof_shade", "homeowner", "kind")
    return [*(values.get(name) for name in names), points]


async def _sql(statement: Any, leads: Sequence[tuple[dict[str, Any], int | None]], postmaster: int) -> float:
    """Microseconds of CPU a lead, the server's and the client's; its accounts are kept in hundredths of a second."""
    before = sum(cpu_of_tree(postmaster).values()) + time.process_time()
    began, asked = time.monotonic(), 0
    while time.monotonic() - began < 1.0:
        for lead in leads[:100]:
            await statement.fetch(*_bound(lead))
        asked += 100
    return (sum(cpu_of_tree(postmaster).values()) + time.process_time() - before) / asked * 1e6


async def _levels(url: str, postmaster: int, sizes: Sequence[int], rounds: int) -> list[Level]:
    return [await _level(size, rounds, url, postmaster) for size in sizes]


def measure(rounds: int, most: int, folder: Path | None) -> dict[str, Any]:
    """The whole run, as one document."""
    began = time.monotonic()
    sizes = [size for size in SIZES if size <= most]
    with tempfile.TemporaryDirectory(prefix="leadmill-bench-", dir=folder, ignore_cleanup_errors=True) as made:
        path = Path(made)
        with embedded(path, say) as url:
            postmaster = int((path / "postgres" / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
            levels = asyncio.run(_levels(url, postmaster, sizes, rounds))
    last = levels[-1]
    goals = {
        f"us_{level.orders}": {"goal": goal, "seen": level.index, "met": level.index < goal}
        for level in levels
        if (goal := GOALS.get(level.orders)) is not None
    }
    goals["change_ms"] = {"goal": CHANGE_GOAL_MS, "seen": last.change_ms, "met": last.change_ms < CHANGE_GOAL_MS}
    return {"bench": "match", "levels": levels, "goals": goals, "took_s": time.monotonic() - began}


def tell(found: dict[str, Any]) -> None:
    """Print the figures for people."""
    print("CPU in µs a lead       index   closures        SQL   closures/index   SQL/index   fitting orders")
    for level in found["levels"]:
        print(
            f"{level.orders:>8,} orders  {level.index:>10,.1f} {level.closures:>10,.1f} {level.sql:>10,.1f}"
            f" {level.closures / level.index:>16,.1f} {level.sql / level.index:>11,.1f} {level.fitting:>16,.1f}"
        )
    print("CPU in ms           reading all   building all   one changed")
    for level in found["levels"]:
        print(f"{level.orders:>8,} orders  {level.read_ms:>14,.1f} {level.build_ms:>14,.1f} {level.change_ms:>13,.1f}")
    for name, goal in found["goals"].items():
        print(f"goal {name}: under {goal['goal']:,.0f}, seen {goal['seen']:,.1f}{'' if goal['met'] else '  MISSED'}")


def main(
    rounds: Annotated[int, typer.Option(min=1, max=50, help="Rounds of index, closures and SQL in turn.")] = 5,
    orders: Annotated[int, typer.Option(min=100, max=100_000, help="The most orders; 100 to this, tenfold.")] = 100_000,
    folder: Annotated[Path | None, typer.Option("--dir", metavar="DIR", help="Where the temporary home lies.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """One lead against all orders: the index beside every condition asked and beside SQL, 100 to 100,000 orders.

    Takes about two minutes.

    Example: leadmill bench match --orders 10000
    """
    carry_out(lambda: measure(rounds, orders, folder), tell, as_json)


if __name__ == "__main__":
    typer.run(main)
