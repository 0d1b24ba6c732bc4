"""Leads that go round: every process sees whose turn it is, after the others' sales as after its own."""

from datetime import datetime, timedelta

from leadmill.market import Counters, House, Sale, read_market
from tests.market.scene import NOW, Scene, order
from tests.market.shop import ready, walk


class Ticking:
    """A clock that moves with each look, so that no two sales are of one moment."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


async def test_processes_that_take_turns_go_round_as_one_does(db):
    orders = [order("helio-1", "10.00"), order("volt-1", "99.00"), order("amp-1", "50.00")]
    scene = Scene(orders, house=House({"solar": read_market({"vertical": "solar", "strategy": "round_robin"})}))
    await ready(db, scene)
    ticks = Ticking()
    processes = [Counters(ticks) for _ in range(4)]
    got = []
    for number in range(24):
        (case,) = await walk(db, scene, 1, processes[number * number % 4])
        got.append(case[Sale].legs[0].order_id)
    assert got == ["amp-1", "helio-1", "volt-1"] * 8
