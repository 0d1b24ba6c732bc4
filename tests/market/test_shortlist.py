"""A shortlist offers a lead to whom the plan over all bids would, and weighs few of a large book to know it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadmill.market.allocation.shortlist import Shortlist, Way, Wish
from leadmill.market.allocation.worth import Candidate, plan, settle, share

# Whole millionths: a sum would not feel less, and of offers that earn the same to the last bit either is right.
_worths = st.one_of(st.integers(0, 12).map(float), st.integers(0, 12_000_000).map(lambda whole: whole / 1e6))
_odds = st.one_of(st.sampled_from([0.02, 0.5, 0.8, 0.9, 0.99]), st.floats(0.02, 0.99))
_bids = st.lists(
    st.tuples(
        _worths,
        st.one_of(st.just(0.0), st.floats(0, 3)),  # how much more it might have been worth
        _odds,
        st.booleans(),
        st.integers(0, 9),  # its buyer
        st.sampled_from([8, 8, 8, 2]),  # among how many it shares
    ),
    max_size=24,
)


class Book:
    """Bids of which it is known what they are worth; counts how many were weighed."""

    def __init__(self, bids: list[tuple[float, float, float, bool, int, int]]) -> None:
        self.all: list[Candidate] = []
        self.weighed = 0
        wishes: list[Wish[Way]] = []
        by_way: dict[Way, Candidate] = {}
        for number, (worth, more, odds, shared, buyer, most) in enumerate(bids):
            way = Way(f"{number:03d}", f"buyer-{buyer}", shared, most)
            by_way[way] = Candidate(way.key, way.buyer, shared, worth, odds, most)
            self.all.append(by_way[way])
            wishes.append((worth + more, 100, way))

        def weigh(wish: Wish[Way]) -> Candidate | None:
            self.weighed += 1
            one = by_way[wish[2]]
            return one if one.worth > 0 else None

        self.list = Shortlist(wishes, lambda wish: by_way[wish[2]].odds, weigh, lambda one: one.key)

    def leave_out(self, keys: list[str], buyers: list[str]) -> None:
        self.list.leave_out(keys, buyers)
        self.all = [one for one in self.all if one.key not in keys and one.buyer not in buyers]


def same(found: Any, expected: Any) -> bool:
    if found is None or expected is None:
        return found is expected
    return (found.shared, found.keys) == (expected.shared, expected.keys)


@given(_bids, st.integers(0, 5), st.integers(1, 4), st.booleans())
@settings(max_examples=600, deadline=None)
def test_the_offer_is_that_of_the_plan_over_all_bids(bids, legs, rounds, alone):
    book = Book(bids)
    assert same(book.list.plan(legs, rounds, alone), plan(book.all, legs, rounds, alone))


@given(_bids, st.integers(1, 5), st.booleans())
@settings(max_examples=300, deadline=None)
def test_so_it_is_in_every_round_after_what_became_of_the_offers(bids, legs, takes):
    book, alone = Book(bids), True
    for rounds in (4, 3, 2, 1):
        found = book.list.plan(legs, rounds, alone)
        assert same(found, plan(book.all, legs, rounds, alone))
        if found is None:
            break
        by_key = {one.key: one for one in book.all}
        sold = found.keys[:1] if found.shared and takes else []
        legs, alone = legs - len(sold), alone and not sold
        book.leave_out(found.keys, [by_key[key].buyer for key in sold])
        if legs <= 0:
            break


def naive(candidates: list[Candidate], legs: int, rounds: int) -> tuple[bool, list[str]] | None:
    """The plan by trying every sequence of singles, each followed by whatever earns most."""
    useful = [one for one in candidates if one.worth > 0]
    sharing = share([one for one in useful if one.shared], legs, rounds)

    def most(singles: tuple[Candidate, ...], left: int) -> float:
        best = 0.0 if not left else sharing.once if left == 1 else sharing.again
        for one in singles if left else ():
            others = tuple(each for each in singles if each is not one)
            best = max(best, one.odds * one.worth + (1 - one.odds) * most(others, left - 1))
        return best

    singles = tuple(one for one in useful if not one.shared)
    best = most(singles, rounds)
    for one in sorted(singles, key=lambda one: (-one.worth, -one.odds)):
        others = tuple(each for each in singles if each is not one)
        if one.odds * one.worth + (1 - one.odds) * most(others, rounds - 1) >= best - 1e-12:
            return False, [one.key]
    return (True, [one.key for one in sharing.chosen]) if sharing.chosen else None


_few = st.lists(st.tuples(_worths, _odds, st.booleans(), st.integers(0, 3)), max_size=7)


@given(_few, st.integers(1, 3), st.integers(1, 3))
@settings(max_examples=250, deadline=None)
def test_no_sequence_of_offers_is_expected_to_earn_more_than_the_plan(bids, legs, rounds):
    every = [
        Candidate(str(number), f"buyer-{buyer}", shared, worth, odds)
        for number, (worth, odds, shared, buyer) in enumerate(bids)
    ]
    found, expected = plan(every, legs, rounds), naive(every, legs, rounds)
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        # Equal sequences may begin with another order.
        sharing = share([one for one in every if one.shared and one.worth > 0], legs, rounds)
        chosen = [one for one in every if one.key in expected[1] and not one.shared]
        rest = [one for one in every if not one.shared and one.worth > 0]
        least = sharing.again if expected[0] else value_of(chosen[0], rest, sharing.once, sharing.again, rounds)
        assert found.value == pytest.approx(least, abs=1e-9)


def value_of(first: Candidate, singles: list[Candidate], once: float, again: float, rounds: int) -> float:
    """What asking this one first earns, then the best that is left."""

    def most(left: tuple[Candidate, ...], more: int) -> float:
        best = 0.0 if not more else once if more == 1 else again
        for one in left if more else ():
            others = tuple(each for each in left if each is not one)
            best = max(best, one.odds * one.worth + (1 - one.odds) * most(others, more - 1))
        return best

    others = tuple(one for one in singles if one is not first)
    return first.odds * first.worth + (1 - first.odds) * most(others, rounds - 1)


def test_of_a_large_book_few_bids_are_weighed():
    bids = [(60.0 - number * 0.7, 0.4, 0.8, number % 2 == 0, number, 8) for number in range(80)]
    book = Book(bids)
    found = book.list.plan(3, 4)
    assert same(found, plan(book.all, 3, 4))
    assert book.weighed <= 12


def test_sharing_with_more_rounds_never_earns_less():
    # One buyer bids twice: dearly and unlikely, or a little less and surely.
    legs = [Candidate("dear", "x", True, 10.0, 0.1), Candidate("sure", "x", True, 9.0, 0.9)]
    found = settle([], share(legs, 2, 4), 4)
    assert found is not None
    assert found.keys == ["sure"]
    assert found.value == pytest.approx(8.1)
