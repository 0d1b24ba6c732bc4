"""Many pairs at once give what each gives alone."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadmill.linkage import Kind
from leadmill.linkage.ladders import ladder
from leadmill.linkage.likeness import Drawn, sheet_of

WORDS = [
    "john",
    "jon",
    "jonathan",
    "william",
    "bill",
    "smith",
    "smyth",
    "smith jones",
    "j",
    "o",
    "müller",
    "mary ann",
    "日本",
]
DATES = st.from_regex(r"(19|20)[0-9]{2}(0[0-9]|1[0-2]|01)([0-3][0-9]|01|00)", fullmatch=True)
TEXTS = st.one_of(
    st.text("abcdeé日 ", min_size=1, max_size=12),
    st.sampled_from(WORDS),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join),
    DATES,
    st.text("0123456789", min_size=1, max_size=11),
    st.tuples(st.text("abc", min_size=1, max_size=6), st.sampled_from(["x.com", "y.com"])).map("@".join),
)


def near(text: str, chance: random.Random) -> str:
    """The text after up to three slips."""
    signs = list(text)
    for _ in range(chance.randint(0, 3)):
        at = chance.randrange(len(signs))
        match chance.randrange(4):
            case 0:
                signs.insert(at, chance.choice("ab1 9é"))
            case 1 if len(signs) > 1:
                del signs[at]
            case 2:
                signs[at] = chance.choice("ab19é")
            case _:
                other = min(at + 1, len(signs) - 1)
                signs[at], signs[other] = signs[other], signs[at]
    return "".join(signs).strip() or text


def hold_together(kind: Kind, pairs: list[tuple[str, str]]) -> None:
    rungs = ladder(kind)
    plain = [(" ".join(a.split()), " ".join(b.split())) for a, b in pairs]  # as ``plain`` leaves them
    pairs = [(a, b) for a, b in plain if a and b and a != b]
    if not pairs:
        return
    texts = sorted({text for pair in pairs for text in pair})
    sheet, place = sheet_of(texts), {text: at for at, text in enumerate(texts)}
    a, b = (Drawn(sheet, np.array([place[pair[side]] for pair in pairs], np.int64)) for side in (0, 1))
    together = rungs.levels(a, b).tolist()
    alone = [rungs.level(*pair) for pair in pairs]
    assert together == alone, [pair for pair, x, y in zip(pairs, together, alone, strict=True) if x != y]


@pytest.mark.parametrize("kind", list(Kind))
@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS, st.integers(0, 10**6)), min_size=1, max_size=40))
def test_a_sheet_of_pairs_falls_on_the_levels_of_each_pair(kind: Kind, drawn: list[tuple[str, str, int]]) -> None:
    pairs = [(a, b) for a, b, _ in drawn] + [(a, near(a, random.Random(seed))) for a, _, seed in drawn]
    hold_together(kind, [*pairs, *((b, a) for a, b in pairs)])


def test_dates_a_slip_apart_fall_on_the_same_levels_both_ways() -> None:
    chance = random.Random(7)
    dates = [f"{chance.randint(1890, 2020)}{chance.randint(0, 12):02}{chance.randint(0, 31):02}" for _ in range(3000)]
    hold_together(Kind.DATE, [(date, near(date, chance)) for date in dates])
