"""Limits are exact whatever else runs: several processes ask at once, and neither money nor requests exceed what was
declared."""

import asyncio
from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadmill.core.conversation import HttpAsk, HttpReply
from leadmill.core.faults import Transient
from leadmill.enrich import Asker, ChainAsk, LinkAsk
from leadmill.runtime.db import Database
from leadmill.runtime.vault import Vault
from tests.conftest import FixedClock, on_loop
from tests.enrich.conftest import Market, enrichment

ANSWERS = {
    "known": b'{"status": "ok", "line": {"active": true}}',
    "unknown": b'{"status": "no_data"}',
    "malformed": b"{",
}


class Wire:
    """Performs requests without a network: what comes back is decided by the number that is asked about."""

    def __init__(self, acts: Sequence[str]) -> None:
        self.acts = acts
        self.requests = 0
        self.owed = 0

    async def perform(self, ask: HttpAsk) -> HttpReply:
        self.requests += 1
        act = self.acts[int(ask.url[-3:]) % len(self.acts)]
        await asyncio.sleep(0)
        if act == "fault":
            raise Transient("http.server.failed")
        self.owed += act == "known"
        return HttpReply(200, {}, ANSWERS[act])


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    acts=st.lists(st.sampled_from(["known", "unknown", "malformed", "fault"]), min_size=1, max_size=5),
    most=st.integers(0, 12),
    asks=st.integers(1, 20),
    price=st.integers(1, 3),
    shared=st.integers(1, 12),
)
def test_no_limit_is_exceeded_by_processes_that_ask_at_once(
    db: Database, clock: FixedClock, acts: list[str], most: int, asks: int, price: int, shared: int
) -> None:
    clock.advance(days=1)  # each example has a day to itself
    market = Market()
    market.url = "https://provider.example"
    raw = market.declared(
        "numberly",
        price=f"0.0{price}",
        keep="0h",
        keep_unknown="0h",
        limits=[{"per": "day", "spend": f"{most / 100:.2f}"}, {"per": "hour", "asks": asks}],
    )
    chain = {"id": "phones", "ask": ["numberly"], "limits": [{"per": "day", "spend": f"{shared / 100:.2f}"}]}
    declared = enrichment([raw], chain)
    wire = Wire(acts)
    askers = [Asker(lambda: declared, wire.perform, db, Vault(bytes(32)), clock) for _ in range(3)]
    questions = [
        ChainAsk("phones", "phone", (LinkAsk("numberly", (("phone", f"+15102834{number:03}"),)),))
        for number in range(24)
    ]

    async def ask_all() -> list[int]:
        answers = await asyncio.gather(*(askers[n % 3].ask(one) for n, one in enumerate(questions)))
        return [one.said[0].cost for one in answers]

    paid = sum(on_loop(ask_all()))
    assert paid == wire.owed * price * 10_000
    assert paid <= min(most, shared) * 10_000
    assert wire.requests <= asks

    async def counted() -> list[tuple[str, str, int, int]]:
        async with db.begin() as tx:
            rows = await tx.conn.fetch("SELECT * FROM enrich_counter WHERE starts <= $1 AND ends > $1", clock())
        return [(row["scope"], row["per"], row["asks"], row["spent"]) for row in rows]

    rows = on_loop(counted())
    for scope, per, number, spent in rows:
        assert number == wire.requests, (scope, per)
        assert spent == paid, (scope, per)
