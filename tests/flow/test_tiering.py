"""Prices that go by credit: for which leads the law bars them, seen through the score and the tier as well."""

from datetime import UTC, datetime
from typing import Any

import pytest

from leadmill.core.faults import BadInput
from leadmill.flow.configure import apply_declared, declare
from leadmill.flow.lawful import untierable
from leadmill.flow.tiering import check_order, deciding
from leadmill.interfaces.house import House
from leadmill.scoring import ModelRecord
from tests.policy.test_leave import ENGINE

NOW = datetime(2026, 11, 23, tzinfo=UTC)
BARRED = untierable(ENGINE, NOW)
SCORED = frozenset(("credit_score", "loan_amount"))
PLACES = ("state", "property_state")
NOT_CT = [{"not": {"field": name, "eq": "CT"}} for name in PLACES]


def order(by: str, where: list[dict[str, Any]] | None = None, rule: list[dict[str, Any]] | None = None) -> Any:
    rules = [{"where": [{"field": by, "gte": 700}, *(rule or [])], "price": "90.00"}]
    return {"id": "lone-mtg", "vertical": "mortgage", "where": where or [], "price_rules": rules}


def check(raw: Any, vertical: str = "mortgage", scored: frozenset[str] = SCORED, held: tuple[str, ...] = ()) -> None:
    check_order(raw, scored, PLACES, lambda names: BARRED(vertical, names, held))


@pytest.mark.parametrize("by", ["credit_score", "ltv", "household_income", "credit_rating", "debt_to_income"])
def test_a_price_that_goes_by_a_borrowers_finances_is_refused_with_the_rule(by: str) -> None:
    with pytest.raises(BadInput, match=r"price_rules\[0\]: for leads of CT .* \(MTG-1: Conn\. Gen\. Stat\.") as caught:
        check(order(by))
    assert caught.value.code == "config.order.unlawful"


@pytest.mark.parametrize("by", ["score", "tier"])
def test_a_price_by_score_or_tier_goes_by_all_that_the_score_goes_by(by: str) -> None:
    with pytest.raises(BadInput, match="go by way of the score by what"):
        check(order(by))
    check(order(by), scored=frozenset(("loan_amount",)))


def test_an_order_that_leaves_the_state_out_may_price_as_it_likes() -> None:
    check(order("tier", where=NOT_CT))
    check(order("tier", rule=NOT_CT))
    check(order("tier", where=[{"field": name, "in": ["TX", "CA"]} for name in PLACES]))
    with pytest.raises(BadInput):
        check(order("tier", where=NOT_CT[:1]))
    with pytest.raises(BadInput):
        check(order("tier", where=[{"any": [NOT_CT[0], {"field": "loan_amount", "gte": 1}]}, NOT_CT[1]]))


def test_who_holds_the_licence_and_other_verticals_are_free() -> None:
    check(order("credit_score"), held=("ct_broker_licence",))
    check(order("credit_score"), vertical="solar")
    check(order("loan_amount"))


@pytest.mark.parametrize(
    ("how", "moves"),
    [
        ({"state": "champion"}, True),
        ({"state": "challenger"}, True),
        ({"state": "shadow"}, False),
        ({"state": "candidate"}, False),
        ({"state": "champion", "retired": True}, False),
        ({"state": "champion", "foresees": "bad"}, False),
        ({"state": "champion", "vertical": "solar"}, False),
    ],
)
def test_a_score_goes_by_what_models_that_move_it_look_at(how: dict[str, Any], moves: bool) -> None:
    record = ModelRecord(**{"id": "m", "vertical": "mortgage", "digest": "1" * 64, **how})
    assert deciding([record], "mortgage") == (["1" * 64] if moves else [])


async def test_records_are_refused_by_the_card_that_is_in_force(house: House) -> None:
    buyer = {
        "id": "lone", "name": "Lone Star", "kind": "lender", "contract": {"signed": "2026-01-05"},
        "licences": [{"kind": "NMLS", "number": "1", "states": ["TX"]}],
    }  # fmt: skip
    priced = {**order("score"), "id": "lone-mtg", "buyer": "lone", "price": "60.00"}
    free = {**priced, "where": NOT_CT}
    plain = {"vertical": "mortgage", "card": {"start": 60}}

    async def apply(**tables: Any) -> None:
        async with house.db.begin() as tx:
            rules = house.book.walk().rules
            await apply_declared(
                tx,
                [declare(kind, raw, kind) for kind, raw in tables.items()],
                author="test",
                now=house.clock(),
                mint=house.mint,
                keyed_hash=house.vault.keyed_hash,
                environ={},
                verticals=rules.verticals,
                dialects=rules.dialects,
            )

    await apply(buyer=buyer)
    with pytest.raises(BadInput, match="by way of the score"):
        await apply(order=priced)
    await apply(order=free)
    await apply(scorecard=plain, order=priced)  # by a card that looks at no finances
    with pytest.raises(BadInput, match="for leads of CT"):
        await apply(scorecard={"vertical": "mortgage", "retired": True})
    await apply(market={"vertical": "mortgage", "certified": ["ct_broker_licence"]})
    await apply(scorecard={"vertical": "mortgage", "retired": True})
