"""A day played against a referee: nothing is broken, whatever is known, and scarce room goes to its best use."""

from datetime import timedelta
from typing import Any

import pytest

from leadmill.market import Player, converse
from tests.market.referee import Referee


def play(referee: Referee, offers: bool = True, history: bool = True, seed: int = 1) -> dict[str, Any] | None:
    past = referee.history if history else []
    player = Player(referee.opening, referee.sources, past, seed, every=timedelta(hours=2))
    messages = referee.messages(offers)
    last = converse(player, lambda: next(messages, None), referee.answer)
    return dict(last) if last is not None else None


@pytest.mark.parametrize(
    ("offers", "seed", "churn"),
    [(True, 1, False), (False, 1, False), (True, 2, True), (False, 3, True)],
    ids=["bids known", "bids told afterwards", "orders come and go", "orders come and go, bids told afterwards"],
)
def test_no_limit_is_ever_broken(offers, seed, churn):
    referee = Referee(seed, churn=churn)
    last = play(referee, offers)
    assert last is not None
    assert last["violations"] == {}
    assert referee.sold > 60


def test_without_a_past_nothing_is_broken_either():
    referee = Referee(4)
    last = play(referee, history=False)
    assert last is not None
    assert last["violations"] == {}
    assert referee.sold > 60


class Greedy:
    """Sells each lead to whoever bids most."""

    def __init__(self, referee: Referee) -> None:
        self.used: dict[int, int] = {}
        messages = referee.messages(True)
        asked: set[int] = set()
        offers: dict[int, int] = {}
        for message in messages:
            if message["type"] == "end":
                break
            if message["type"] == "lead":
                asked, offers = set(), dict(message["offers"])
            elif message["type"] == "result":
                for order, word in message["results"].items():
                    self.used[int(order)] = self.used.get(int(order), 0) + (word == "accepted")
                if not message["rounds_left"]:
                    continue
            able = [n for n in offers if n not in asked and self.used.get(n, 0) < referee.book[n]["daily_cap"]]
            if not able:
                referee.answer({"mode": "pass"})
                continue
            best = max(able, key=lambda number: offers[number])
            asked.add(best)
            referee.answer({"mode": "exclusive", "orders": [best]})


def contested(seed: int) -> Referee:
    """Two exclusive orders: the dearer takes any lead but few, the other is picky and hardly ever full."""
    referee = Referee(seed, leads=300, orders=2)
    common = {
        **referee.book[0],
        "mode": "exclusive",
        "vertical": "solar",
        "states": "CA|TX|NY|FL",
        "min_score": 1,
        "tiers": "ABCD",
        "homeowner_only": 0,
        "slope": 0.0,
        "sigma": 0.0,
        "h_from": 0,
        "hourly_cap": 0,
        "buyer_budget_cents": 0,
    }
    wide = {**common, "order_id": 0, "buyer_id": 0, "price_cents": 6000, "daily_cap": 60}
    picky = {**common, "order_id": 1, "buyer_id": 1, "price_cents": 5500, "daily_cap": 80, "states": "CA|TX"}
    referee.book = referee.opening = [wide, picky]
    referee.accepts = [1.0, 1.0]
    return referee


@pytest.mark.parametrize("seed", [5, 6])
def test_scarce_room_goes_to_leads_that_nobody_else_wants(seed):
    greedy, ours = contested(seed), contested(seed)
    Greedy(greedy)
    assert not greedy.broken
    play(ours)
    assert not ours.broken
    # Greed fills the wide order by midday with leads the picky one wanted too.
    assert ours.earned > 1.12 * greedy.earned


def test_the_same_seed_plays_the_same_day():
    first, second = Referee(8), Referee(8)
    play(first, seed=3)
    play(second, seed=3)
    assert first.earned == second.earned


def test_a_referee_who_leaves_ends_the_play():
    referee = Referee(9, leads=5)
    player = Player(referee.opening, referee.sources, referee.history)
    said: list[Any] = []
    told = iter([{"type": "lead", **referee.leads[0], "offers": []}])
    assert converse(player, lambda: next(told, None), said.append) is None
    assert said == [{"mode": "pass"}]
