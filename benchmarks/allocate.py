"""``leadmill bench allocate``: how much of the best possible a day's allocation earns, and what a decision costs.

Run by ``leadmill bench``. Days come from a market simulator that stands outside of the repository: a Python file with
the classes ``Market`` and ``Referee``, given with ``--sim``. Each day is played by the code that ``serve`` sells by
and, beside it and with the same limits and answers, by a waterfall, a round robin and greedily. All are compared with
an upper bound that no policy can beat, which knows every lead and every answer beforehand: our own dual's, so a
share shown is at most a few thousandths too low and never too high.
"""

import importlib.util
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import numpy as np
import typer
from msgspec import Struct

from benchmarks.closing import carry_out
from benchmarks.figures import median, percentile
from benchmarks.house import Broken, say
from leadmill.interfaces.cli.frame import settle
from leadmill.market import Player
from leadmill.market.allocation.duals import Limits, Problem, Uses

PLACES = ("../shared/market_sim.py", "../market_sim.py", "market_sim.py")
"""Where the simulator is looked for, from the checkout."""

STATIONARY_GOAL, SHOCK_GOAL, MICROS_GOAL = 0.975, 0.95, 200.0
_BOUND_PASSES = 40


class Played(Struct, frozen=True):
    """A day as played: shares of the upper bound by policy, broken limits, and how long ours took: microseconds of CPU
    a decision (mean, median and 99th percentile), the same by the clock, and milliseconds a solution (median)."""

    scenario: str
    seed: int
    shares: dict[str, float]
    violations: int
    decision_us: float
    decision_median_us: float
    decision_p99_us: float
    clock_us: float
    clock_median_us: float
    solution_ms: float


def find_sim(given: Path | None) -> ModuleType:
    """The simulator. Raises :class:`Broken` where there is none."""
    root = Path(__file__).parents[1]
    places = [given] if given is not None else [root / place for place in PLACES]
    for place in places:
        if place.is_file():
            spec = importlib.util.spec_from_file_location("market_sim", place)
            if spec is None or spec.loader is None:
                continue
            module = importlib.util.module_from_spec(spec)
            sys.modules["market_sim"] = module
            spec.loader.exec_module(module)
            return module
    looked = ", ".join(str(place) for place in places)
    raise Broken(f"there is no market simulator at {looked}; name the file with --sim PATH")


def upper_bound(market: Any, day: Any) -> float:
    """What nobody can beat: the dual over every lead and every answer of the day."""
    edges = day.edges()
    good = np.flatnonzero(edges["out"] == 1)
    lead, order, bid = edges["lead"][good].astype(np.int64), edges["ord"][good].astype(np.int64), edges["bid"][good]
    hour = day.hour[lead].astype(np.int64)
    hourly = np.flatnonzero(market.o_hcap > 0)
    hourly_of = np.full(market.n_orders, -1)
    hourly_of[hourly] = np.arange(len(hourly))
    funded = np.flatnonzero(market.b_budget > 0)
    fund_of = np.full(market.n_buyers, -1)
    fund_of[funded] = np.arange(len(funded))
    first = market.n_orders + 24 * len(hourly)
    rows = np.stack(
        [
            order,
            np.where(hourly_of[order] >= 0, market.n_orders + hourly_of[order] * 24 + hour, -1),
            np.where(fund_of[market.o_buyer[order]] >= 0, first + fund_of[market.o_buyer[order]], -1),
        ],
        axis=1,
    )
    price = market.o_price.astype(float)
    dearest = np.zeros(market.n_buyers)
    np.maximum.at(dearest, market.o_buyer, price)
    limits = Limits(
        np.concatenate([market.o_cap, np.repeat(market.o_hcap[hourly], 24), market.b_budget[funded]]).astype(float),
        np.concatenate([np.ones(first), dearest[funded]]),
        np.concatenate([price, np.repeat(price[hourly], 24) * 0.7, np.ones(len(funded))]),
    )
    uses = Uses(
        lead,
        bid * (1 - market.src_r[day.src[lead]]),
        np.ones(len(lead)),
        ~market.o_excl[order],
        market.o_buyer[order].astype(np.int64),
        rows,
        np.stack([np.ones(len(lead)), np.ones(len(lead)), bid], axis=1).astype(float),
        np.ones(day.n),
        day.K.astype(np.int64),
    )
    random = np.random.default_rng(1)
    problem = Problem(uses, limits, random)
    best, start = float("inf"), None
    for k in (0.35, 0.1, 0.03):
        start = problem.solve(random, start, _BOUND_PASSES, k)
        best = min(best, problem.bound(start))
    return best


Took = list[tuple[float, float]]
"""Microseconds of CPU and by the clock."""


def _since(before: tuple[int, int]) -> tuple[float, float]:
    return (time.thread_time_ns() - before[0]) / 1000, (time.perf_counter_ns() - before[1]) / 1000


def play_ours(sim: ModuleType, market: Any, day: Any, past: int) -> tuple[float, int, Took, Took]:
    """What ours earns, what it broke, and its microseconds a decision and a solution."""
    orders = [sim.order_row(market, number) for number in range(market.n_orders) if day.o_af[number] == 0]
    sources = [
        {"source": number, "sold": int(market.src_sold[number]), "returned": int(market.src_ret[number])}
        for number in range(market.n_sources)
    ]
    days = [market.day(-number) for number in range(1, past + 1)] if market.p["history"] else []
    history = [[one.lead_row(number) for number in range(one.n)] for one in days]
    player = Player(orders, sources, history)
    settle()
    referee, edges, news = sim.Referee(market, day), day.edges(), sim.events(market, day)
    decided: Took = []
    solved: Took = []
    for number in range(day.n):
        while news and news[0][0] <= day.t[number]:
            _, kind, order = news.pop(0)
            (player.order_added if kind == "added" else player.order_paused)(sim.order_row(market, order))
        referee.lead(number)
        row = day.lead_row(number)
        span = range(edges["ptr"][number], edges["ptr"][number + 1])
        row["offers"] = [[int(edges["ord"][each]), int(edges["bid"][each])] for each in span]
        solutions, before = player.solved, (time.thread_time_ns(), time.perf_counter_ns())
        player.lead(row)
        took = _since(before)
        if player.solved != solutions:
            solved.append(took)
            took = 0.0, 0.0
        while True:
            before = time.thread_time_ns(), time.perf_counter_ns()
            offer = player.offer()
            more = _since(before)
            decided.append((took[0] + more[0], took[1] + more[1]))
            if offer is None:
                break
            said = referee.post(offer.mode, offer.orders)
            player.told({str(order): word for order, word in said.items()}, {}, referee.rounds)
            if referee.rounds <= 0:
                break
            took = 0.0, 0.0
    return referee.net, sum(referee.viol.values()), decided, solved


def play_old(
    sim: ModuleType,
    market: Any,
    day: Any,
    rank: Callable[[int, int, int], tuple[Any, ...]],
    greedy: bool = False,
) -> float:
    """What a policy earns that tries a lead's orders in the order of ``rank`` (of an order, its bid, and how often it
    got a lead), an exclusive one alone or sharing ones together, whichever the first is; ``greedy`` takes whichever
    bids more together."""
    referee, edges = sim.Referee(market, day), day.edges()
    got = [0] * market.n_orders
    for number in range(day.n):
        referee.lead(number)
        span = range(edges["ptr"][number], edges["ptr"][number + 1])
        offers = {int(edges["ord"][each]): int(edges["bid"][each]) for each in span}
        asked: set[int] = set()
        hour = int(day.hour[number])
        while referee.rounds > 0:
            able = [
                order
                for order, bid in offers.items()
                if order not in asked
                and int(market.o_buyer[order]) not in referee.buyers
                and referee.cap[order] > 0
                and not (market.o_hcap[order] and referee.hc.get((order, hour), 0) >= market.o_hcap[order])
                and not (market.b_budget[market.o_buyer[order]] and referee.bud[market.o_buyer[order]] < bid)
                and (referee.mode is None or not market.o_excl[order])
            ]
            if not able:
                break
            able.sort(key=lambda order: rank(order, offers[order], got[order]))
            alone = [order for order in able if market.o_excl[order]][:1]
            legs: dict[int, int] = {}
            for order in able:
                if not market.o_excl[order]:
                    legs.setdefault(int(market.o_buyer[order]), order)
            chosen = list(legs.values())[: int(day.K[number]) - referee.legs]
            first = bool(market.o_excl[able[0]])
            if greedy and alone and chosen:
                first = offers[alone[0]] >= sum(offers[order] for order in chosen)
            tried = alone if first else chosen
            said = referee.post("exclusive" if first else "shared", tried)
            asked.update(tried)
            for order, word in said.items():
                got[order] += word == "accepted"
    return float(referee.net)


def play(sim: ModuleType, scenario: str, seed: int, leads: int, orders: int, heldout: bool, past: int) -> Played:
    """One day by every policy."""
    market = sim.Market(scenario, seed, leads, orders, heldout=heldout)
    day = market.day(0)
    best = upper_bound(market, day)
    net, violations, decided, solved = play_ours(sim, market, day, past)
    shares = {
        "leadmill": net / best,
        "waterfall": play_old(sim, market, day, lambda order, bid, got: (market.o_prio[order], order)) / best,
        "round robin": play_old(sim, market, day, lambda order, bid, got: (got / market.o_cap[order], order)) / best,
        "greedy": play_old(sim, market, day, lambda order, bid, got: (-bid, order), greedy=True) / best,
    }
    cpu, clock = sorted(each for each, _ in decided), sorted(each for _, each in decided)
    return Played(
        scenario,
        seed,
        shares,
        violations,
        float(np.mean(cpu)),
        median(cpu),
        percentile(cpu, 0.99),
        float(np.mean(clock)),
        median(clock),
        median([each for _, each in solved]) / 1000,
    )


def measure(
    sim: ModuleType, leads: int, orders: int, seeds: Sequence[int], heldout: bool, past: int, names: Sequence[str]
) -> dict[str, Any]:
    """The whole run, as one document."""
    began = time.monotonic()
    known = [*sim.STATIONARY, *sim.SHOCK]
    strange = [name for name in names if name not in known]
    if strange:
        raise Broken(f"the simulator knows no scenario {strange[0]!r}; it knows {', '.join(known)}")
    played = []
    for name in names or known:
        for seed in seeds:
            played.append(play(sim, name, seed, leads, orders, heldout, past))
            one = played[-1]
            say(f"{name} {seed}: " + ", ".join(f"{who} {share:.4f}" for who, share in one.shares.items()))
    means = {
        name: {who: float(np.mean([one.shares[who] for one in played if one.scenario == name])) for who in one.shares}
        for name in dict.fromkeys(one.scenario for one in played)
    }
    big = play(sim, "intraday", seeds[0], 2 * leads, 2_000, heldout, past) if not names else None
    still = [means[name]["leadmill"] for name in means if name in sim.STATIONARY]
    shocks = [means[name]["leadmill"] for name in means if name in sim.SHOCK]
    goals: dict[str, Any] = {}
    if still:
        goals["stationary_mean"] = _goal(STATIONARY_GOAL, float(np.mean(still)))
    if shocks:
        goals["worst_shock"] = _goal(SHOCK_GOAL, min(shocks))
    micros = (big or max(played, key=lambda one: one.decision_us)).decision_us
    goals["decision_us"] = {"goal": MICROS_GOAL, "seen": micros, "met": micros <= MICROS_GOAL}
    broken = sum(one.violations for one in [*played, *([big] if big else [])])
    goals["violations"] = {"goal": 0, "seen": broken, "met": broken == 0}
    return {
        "bench": "allocate",
        "means": means,
        "played": played,
        "two_thousand_orders": big,
        "goals": goals,
        "took_s": time.monotonic() - began,
    }


def _goal(goal: float, seen: float) -> dict[str, Any]:
    return {"goal": goal, "seen": seen, "met": seen >= goal}


def tell(found: dict[str, Any]) -> None:
    """Print the figures for people."""
    policies = list(next(iter(found["means"].values())))
    print("share of an upper bound  " + "".join(f"{name:>14}" for name in policies))
    for scenario, shares in found["means"].items():
        print(f"{scenario:25}" + "".join(f"{shares[name]:>14.4f}" for name in policies))
    big = found["two_thousand_orders"]
    if big is not None:
        print(
            f"2,000 orders: {big.decision_us:,.0f} µs of CPU a decision (median {big.decision_median_us:,.0f}, "
            f"p99 {big.decision_p99_us:,.0f}), {big.clock_us:,.0f} by the clock (median {big.clock_median_us:,.0f}), "
            f"{big.solution_ms:,.0f} ms a solution, share {big.shares['leadmill']:.4f}"
        )
    for name, goal in found["goals"].items():
        print(f"goal {name}: {goal['goal']:g}, seen {goal['seen']:.4g}  {'hit' if goal['met'] else 'MISSED'}")


def main(
    sim: Annotated[
        Path | None, typer.Option("--sim", metavar="PATH", help="The market simulator.", show_default=PLACES[0])
    ] = None,
    leads: Annotated[int, typer.Option(min=100, max=500_000, help="Leads a day.")] = 5_000,
    orders: Annotated[int, typer.Option(min=5, max=10_000, help="Orders in the book.")] = 200,
    seeds: Annotated[str, typer.Option(help="Seeds, parted by commas; each is a day.")] = "1",
    heldout: Annotated[bool, typer.Option("--heldout", help="Draw scarcity and shocks anew from the seed.")] = False,
    past: Annotated[int, typer.Option(min=0, max=14, help="Past days to learn from.")] = 3,
    scenario: Annotated[list[str] | None, typer.Option(help="Only this scenario; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """A day's earnings beside the best possible, a waterfall, a round robin and greed; µs a decision.

    Takes about ten minutes; one scenario takes half of one.

    Example: leadmill bench allocate --sim ../shared/market_sim.py --scenario intraday --seeds 1,2
    """
    numbers = [int(one) for one in seeds.split(",")]
    carry_out(lambda: measure(find_sim(sim), leads, orders, numbers, heldout, past, scenario or []), tell, as_json)


if __name__ == "__main__":
    typer.run(main)
