"""Merging clusters: what counts for and against it."""

import numpy as np
import pytest

from leadmill.linkage import Field, Kind
from leadmill.linkage.clustering import UNSEEN, Judge, Links, merge
from leadmill.linkage.estimation import first_guess
from leadmill.linkage.pairs import Pairs

FIELDS = (Field("given", Kind.GIVEN_NAME), Field("last", Kind.FAMILY_NAME), Field("born", Kind.DATE))
JUDGE = Judge(first_guess(FIELDS, 1000))


def odds(born: float, size: int, agreed: bool, seen: int | None = None) -> float:
    """Of two clusters of this size whose names agree by 10 bits each, their dates of birth by ``born``."""
    pairs = size * size if seen is None else seen
    bits = np.array([10.0, 10.0, born]) * pairs
    sums = np.concatenate((bits, np.full(4, pairs)))[:, None].astype(np.float32)
    sizes = np.array([size], np.float32)
    both = np.array([[False], [agreed]])  # given name and date
    return float(JUDGE.odds(sums, sizes, sizes, both)[0])


@pytest.mark.parametrize(
    ("size", "agreed", "times"),
    [
        pytest.param(1, True, 1, id="one record each: a slip"),
        pytest.param(2, True, 1, id="two may be copies of one slip"),
        pytest.param(3, True, 2, id="three that agree among themselves"),
        pytest.param(9, True, 2, id="many count no more"),
        pytest.param(9, False, 1, id="dates that nobody agrees on"),
    ],
)
def test_what_lasts_counts_double_where_either_side_agrees_on_it_and_they_differ(
    size: int, agreed: bool, times: int
) -> None:
    assert odds(0.0, size, agreed) - odds(-3.0, size, agreed) == pytest.approx(3.0 * times, abs=0.01)


def test_what_agrees_counts_once_however_many_say_it() -> None:
    assert odds(5.0, 9, True) == pytest.approx(odds(5.0, 1, True), abs=0.01)


@pytest.mark.parametrize(
    ("size", "seen", "part"),
    [
        pytest.param(2, 4, 0.0, id="all seen"),
        pytest.param(2, 1, 0.75, id="one of four"),
        pytest.param(100, 2000, 0.0, id="as many as blocks can hold"),
        pytest.param(100, 1000, 0.5, id="half as many"),
    ],
)
def test_pairs_that_no_block_held_count_against_a_merge_as_far_as_blocks_can_hold_them(
    size: int, seen: int, part: float
) -> None:
    assert odds(5.0, size, True) - odds(5.0, size, True, seen) == pytest.approx(float(UNSEEN) * part, abs=0.01)


def test_two_groups_tied_by_one_odd_record_stay_two() -> None:
    left, right = np.triu_indices(6, 1)
    same = (left < 3) == (right < 3)
    bits = np.where(same, 12.0, -4.0).astype(np.float32)
    bits[(left == 2) & (right == 3)] = 12.0
    links = Links(
        Pairs(left.astype(np.int32), right.astype(np.int32)), np.tile(bits, (3, 1)), np.ones((3, len(left)), np.bool_)
    )
    labels = merge(6, links, JUDGE)
    assert len(set(labels[:3].tolist())) == len(set(labels[3:].tolist())) == 1
    assert labels[0] != labels[5]
