"""Asking the providers of a chain, over HTTP and on a real store: who is asked, who is not and why, what is remembered,
what is owed."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from leadmill.core.case import Ask
from leadmill.enrich import Chain, ChainAnswer, ChainAsk, LinkAsk, Said
from leadmill.enrich.service import forget_old_answers, read_limits_used, read_quality
from leadmill.runtime.db import Database
from tests.conftest import FixedClock
from tests.enrich.conftest import Market, Office, enrichment

PHONE = (("phone", "+15102834567"),)


def question(*names: str, phone: str = "+15102834567", **skips: str) -> ChainAsk:
    links = tuple(LinkAsk(name, (("phone", phone),), skips.get(name)) for name in names)
    return ChainAsk("phones", "phone", links)


def kinds(answer: ChainAnswer) -> list[tuple[str, str, str | None]]:
    return [(one.provider, one.kind, one.code) for one in answer.said]


async def spent(db: Database, clock: FixedClock) -> dict[str, tuple[int, int]]:
    """Requests and millionths by scope, of the day."""
    async with db.begin() as tx:
        return {one.scope: (one.asks, one.spent) for one in await read_limits_used(tx, clock()) if one.per == "day"}


async def test_the_first_that_knows_ends_the_asking(market: Market, office: Office) -> None:
    declared = enrichment(
        [market.declared(), market.declared("numberly")], {"id": "phones", "ask": ["linecheck", "numberly"]}
    )
    answer = await office.asker(declared).ask(question("linecheck", "numberly"))
    assert kinds(answer) == [("linecheck", "known", None), ("numberly", "skipped", "enrich.answer.known")]
    facts = {fact.key: fact for fact in answer.said[0].facts}
    assert facts["phone.reachable"].source == "linecheck"
    assert facts["phone.reachable"].cost_minor == 5
    assert facts["phone.type"].cost_minor == 0
    assert answer.said[0].cost == 50_000
    assert market["numberly"].counts == {}


@pytest.mark.parametrize(
    ("act", "kind", "code"),
    [
        ("error", "failed", "http.server.failed"),
        ("busy", "failed", "http.server.busy"),
        ("refused", "failed", "enrich.provider.refused"),
        ("malformed", "failed", "enrich.answer.malformed"),
        ("empty", "unknown", None),
    ],
)
async def test_who_fails_or_knows_nothing_is_followed_by_the_next(
    market: Market, office: Office, db: Database, clock: FixedClock, act: Any, kind: str, code: str | None
) -> None:
    declared = enrichment(
        [market.declared(), market.declared("numberly")], {"id": "phones", "ask": ["linecheck", "numberly"]}
    )
    market["linecheck"].next.extend([act, act])
    answer = await office.asker(declared).ask(question("linecheck", "numberly"))
    assert kinds(answer) == [("linecheck", kind, code), ("numberly", "known", None)]
    # Neither owes us its answer: only what was known is paid for, and every request is counted.
    assert await spent(db, clock) == {"provider linecheck": (1, 0), "provider numberly": (1, 50_000)}


async def test_a_provider_that_is_paid_by_the_request_is_owed_for_one_that_fails(
    market: Market, office: Office, db: Database, clock: FixedClock
) -> None:
    declared = enrichment([market.declared(charge="request")], {"id": "phones", "ask": ["linecheck"]})
    asker = office.asker(declared)
    market["linecheck"].next.append("empty")
    assert (await asker.ask(question("linecheck"))).said[0].cost == 50_000
    market["linecheck"].next.extend(["error", "error"])
    assert (await asker.ask(question("linecheck", phone="+15102834568"))).said[0].cost == 50_000
    assert await spent(db, clock) == {"provider linecheck": (2, 100_000)}


async def test_a_provider_that_is_too_late_is_given_up_and_the_chain_keeps_to_its_time(
    market: Market, office: Office
) -> None:
    declared = enrichment(
        [market.declared(timeout_ms=200), market.declared("numberly", timeout_ms=10_000)],
        {"id": "phones", "ask": ["linecheck", "numberly"], "within_ms": 30_000},
    )
    market["linecheck"].next.append("late")
    answer = await office.asker(declared).ask(question("linecheck", "numberly"))
    assert kinds(answer) == [("linecheck", "failed", "http.time.spent"), ("numberly", "known", None)]
    short = enrichment(
        [market.declared(timeout_ms=5_000), market.declared("numberly")],
        {"id": "phones", "ask": ["linecheck", "numberly"], "within_ms": 150},
    )
    market["linecheck"].next.append("late")
    answer = await office.asker(short).ask(question("linecheck", "numberly", phone="+15102834569"))
    assert kinds(answer) == [
        ("linecheck", "failed", "http.time.spent"),
        ("numberly", "skipped", "enrich.time.spent"),
    ]


async def test_the_same_question_is_answered_from_memory_until_that_expires(
    market: Market, office: Office, clock: FixedClock, db: Database
) -> None:
    declared = enrichment([market.declared(keep="10d", keep_unknown="1h")], {"id": "phones", "ask": ["linecheck"]})
    first = await office.asker(declared).ask(question("linecheck"))
    clock.advance(days=9)
    again = await office.asker(declared).ask(question("linecheck"))
    assert (again.said[0].cached, again.said[0].cost, again.said[0].kind) == (True, 0, "known")
    assert [fact.value for fact in again.said[0].facts] == [fact.value for fact in first.said[0].facts]
    assert again.said[0].facts[0].observed_at == first.said[0].facts[0].observed_at
    assert sum(fact.cost_minor for fact in again.said[0].facts) == 0
    assert len(market["linecheck"].asked) == 1
    clock.advance(days=2)
    assert not (await office.asker(declared).ask(question("linecheck"))).said[0].cached
    market["linecheck"].next.append("empty")
    other = question("linecheck", phone="+15102834500")
    assert (await office.asker(declared).ask(other)).said[0].kind == "unknown"
    assert (await office.asker(declared).ask(other)).said[0].cached
    clock.advance(hours=2)
    assert not (await office.asker(declared).ask(other)).said[0].cached


async def test_what_is_remembered_names_nobody_and_is_let_go_of(
    market: Market, office: Office, db: Database, clock: FixedClock
) -> None:
    declared = enrichment([market.declared(keep="1d")], {"id": "phones", "ask": ["linecheck"]})
    await office.asker(declared).ask(question("linecheck"))
    async with db.begin() as tx:
        (row,) = await tx.conn.fetch("SELECT * FROM enrich_answer")
        text = b" ".join(value if isinstance(value, bytes) else str(value).encode() for value in row.values())
        for word in (b"5102834567", b"reachable", b"mobile", b"Cellular", b"Wireless"):
            assert word not in text
    clock.advance(days=2)
    async with db.begin() as tx:
        await forget_old_answers(tx, clock())
        assert await tx.conn.fetchval("SELECT count(*) FROM enrich_answer") == 0


async def test_nothing_is_remembered_of_who_may_not_be_remembered(market: Market, office: Office) -> None:
    declared = enrichment([market.declared(keep="0h", keep_unknown="0h")], {"id": "phones", "ask": ["linecheck"]})
    asker = office.asker(declared)
    for _ in range(2):
        assert not (await asker.ask(question("linecheck"))).said[0].cached
    assert len(market["linecheck"].asked) == 2


async def test_what_a_lead_may_cost_is_kept_to(market: Market, office: Office) -> None:
    declared = enrichment(
        [market.declared(price="0.04"), market.declared("numberly", price="0.03")],
        {"id": "phones", "ask": ["linecheck", "numberly"], "every": True, "spend": "0.05"},
    )
    answer = await office.asker(declared).ask(question("linecheck", "numberly"))
    assert kinds(answer) == [("linecheck", "known", None), ("numberly", "skipped", "enrich.lead.spent")]
    # Who knew nothing is not owed, so the other may be asked.
    market["linecheck"].next.append("empty")
    answer = await office.asker(declared).ask(question("linecheck", "numberly", phone="+15102834500"))
    assert kinds(answer) == [("linecheck", "unknown", None), ("numberly", "known", None)]


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ([{"per": "day", "spend": "0.10"}], "enrich.budget.spent"),
        ([{"per": "month", "asks": 2}], "enrich.budget.spent"),
        ([{"per": "second", "asks": 2}], "enrich.rate.reached"),
        ([{"per": "minute", "asks": 2}, {"per": "day", "spend": "9.00"}], "enrich.rate.reached"),
    ],
)
async def test_a_spent_budget_and_a_reached_rate_skip_the_provider(
    market: Market, office: Office, limits: list[dict[str, Any]], code: str
) -> None:
    declared = enrichment([market.declared(limits=limits)], {"id": "phones", "ask": ["linecheck"]})
    found = [
        kinds(await office.asker(declared).ask(question("linecheck", phone=f"+1510283450{number}")))[0][1:]
        for number in range(3)
    ]
    assert found == [("known", None), ("known", None), ("skipped", code)]


async def test_a_budget_begins_anew_with_its_window(market: Market, office: Office, clock: FixedClock) -> None:
    declared = enrichment(
        [market.declared(limits=[{"per": "day", "spend": "0.05"}])], {"id": "phones", "ask": ["linecheck"]}
    )
    asker = office.asker(declared)
    assert (await asker.ask(question("linecheck"))).said[0].kind == "known"
    assert (await asker.ask(question("linecheck", phone="+15102834500"))).said[0].code == "enrich.budget.spent"
    clock.advance(hours=9)  # midnight, UTC
    assert (await asker.ask(question("linecheck", phone="+15102834500"))).said[0].kind == "known"


async def test_a_chain_has_limits_of_its_own_which_undo_what_the_provider_counted(
    market: Market, office: Office, db: Database, clock: FixedClock
) -> None:
    chain = {"id": "phones", "ask": ["linecheck"], "limits": [{"per": "hour", "spend": "0.05"}]}
    asker = office.asker(enrichment([market.declared()], chain))
    assert (await asker.ask(question("linecheck"))).said[0].kind == "known"
    assert (await asker.ask(question("linecheck", phone="+15102834500"))).said[0].code == "enrich.budget.spent"
    assert (await spent(db, clock))["provider linecheck"] == (1, 50_000)


async def test_providers_asked_together_all_answer(market: Market, office: Office, db: Database) -> None:
    declared = enrichment(
        [market.declared(), market.declared("numberly")],
        {"id": "phones", "ask": ["linecheck", "numberly"], "together": True},
    )
    asker = office.asker(declared)
    market["numberly"].next.append("wrong")
    answer = await asker.ask(question("linecheck", "numberly"))
    assert kinds(answer) == [("linecheck", "known", None), ("numberly", "known", None)]
    await asker.write_tallies()
    async with db.begin() as tx:
        found = {one.provider: one for one in await read_quality(tx, asker._clock().replace(hour=0))}
    assert (found["linecheck"].agreed, found["linecheck"].differed) == (2, 1)


async def test_a_chain_goes_on_until_all_it_wants_is_known(market: Market, office: Office) -> None:
    narrow = market.declared()
    narrow["options"] = {**narrow["options"], "facts": narrow["options"]["facts"][:1]}
    declared = enrichment(
        [narrow, market.declared("numberly")],
        {"id": "phones", "ask": ["linecheck", "numberly"], "wants": ["phone.reachable", "phone.type"]},
    )
    answer = await office.asker(declared).ask(question("linecheck", "numberly"))
    assert kinds(answer) == [("linecheck", "known", None), ("numberly", "known", None)]


async def test_whoever_may_not_be_asked_is_not_and_the_answer_says_why(market: Market, office: Office) -> None:
    declared = enrichment([market.declared()], {"id": "phones", "ask": ["linecheck"]})
    asker = office.asker(declared)
    found = await asker.ask(question("linecheck", "gone", linecheck="enrich.condition.unmet"))
    assert kinds(found) == [
        ("linecheck", "skipped", "enrich.condition.unmet"),
        ("gone", "skipped", "enrich.provider.missing"),
    ]
    more = ChainAsk("phones", "phone", (LinkAsk("linecheck", (("date_of_birth", "1990-01-01"), *PHONE)),))
    assert kinds(await asker.ask(more)) == [("linecheck", "skipped", "enrich.field.barred")]
    unknown = ChainAsk("emails", "email", (LinkAsk("linecheck", PHONE),))
    assert kinds(await asker.ask(unknown)) == [("linecheck", "skipped", "enrich.chain.missing")]
    assert market["linecheck"].counts == {}


async def test_a_plug_in_that_breaks_takes_nothing_with_it(market: Market, office: Office) -> None:
    class Broken:
        name = "linecheck"
        topics: Mapping[str, Sequence[str]] = {"phone": ("phone",)}

        def ask(self, topic: str, params: Any) -> Any:
            raise KeyError(params["phone"])

        def read(self, topic: str, reply: Any, params: Any) -> Any:
            raise NotImplementedError

    declared = enrichment([market.declared()], {"id": "phones", "ask": ["linecheck"]})
    spec = declared.providers["linecheck"]
    broken = msgspec.structs.replace(declared, providers={"linecheck": msgspec.structs.replace(spec, live=Broken())})
    assert kinds(await office.asker(broken).ask(question("linecheck"))) == [
        ("linecheck", "failed", "enrich.provider.broken")
    ]


async def test_how_providers_did_is_counted_and_told(
    market: Market, office: Office, db: Database, clock: FixedClock
) -> None:
    declared = enrichment([market.declared()], {"id": "phones", "ask": ["linecheck"]})
    asker = office.asker(declared)
    for number, act in enumerate(("answer", "answer", "empty", "malformed")):
        market["linecheck"].next.append(act)  # type: ignore[arg-type]
        await asker.ask(question("linecheck", phone=f"+1510283450{number}"))
    await asker.ask(question("linecheck", phone="+15102834500"))
    await asker.ask(question("linecheck", linecheck="enrich.condition.unmet"))
    await asker.write_tallies()
    await asker.write_tallies()
    async with db.begin() as tx:
        (found,) = await read_quality(tx, clock().replace(hour=0))
    assert (found.known, found.unknown, found.failed, found.skipped, found.cached) == (3, 1, 1, 1, 1)
    assert (found.asked, found.filled, found.faults, found.hits) == (5, 0.6, 0.2, 0.2)
    assert (found.cost, found.a_lead) == (100_000, 20_000)
    assert found.an_answer == pytest.approx(100_000 / 3)
    assert dict(found.codes) == {"enrich.answer.malformed": 1, "enrich.condition.unmet": 1}
    assert sum(count for _, count in found.times) == 3
    assert found.took(0.5) is not None


def test_asks_are_told_apart_by_what_they_ask() -> None:
    asks: set[Ask] = {question("linecheck"), question("linecheck"), question("numberly")}
    assert len(asks) == 2
    assert Chain(id="a", topic="phone", links=()).within_ms == 3_000
    assert Said("a", "known").tell() == "a: 0 facts (0 ms)"
