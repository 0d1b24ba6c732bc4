"""What is wrong with some of the traffic, and how often: the measured shares of an ordinary day.

Used by ``compose``. The shares add up to one; most enquiries are in order.
"""

from random import Random
from typing import Literal, get_args

Trouble = Literal[
    "none", "again", "bad_phone", "throwaway", "no_consent", "not_named", "program", "fast", "placeholder",
    "wrong_place", "implausible", "no_contact", "unknown_fields", "test", "replay", "reused_key", "honeypot",
    "wrong_type", "broken", "unknown_vertical", "wrong_key", "huge",
]  # fmt: skip
"""``again``: the same person once more. ``not_named``: the page named none of our buyers. ``program``: the browser says
that it is none. ``wrong_place``: the state is not the ZIP's.
``implausible``: an answer that a person should look at. ``replay``: the request once more with its key. ``reused_key``:
its key with another body. ``broken``: no JSON at all."""

SHARES: dict[Trouble, float] = {
    "none": 0.685,
    "again": 0.060,
    "unknown_fields": 0.040,
    "bad_phone": 0.035,
    "no_consent": 0.030,
    "wrong_place": 0.020,
    "throwaway": 0.020,
    "program": 0.018,
    "replay": 0.015,
    "not_named": 0.012,
    "fast": 0.010,
    "implausible": 0.015,
    "test": 0.010,
    "placeholder": 0.008,
    "no_contact": 0.006,
    "wrong_type": 0.005,
    "honeypot": 0.004,
    "broken": 0.003,
    "unknown_vertical": 0.0015,
    "reused_key": 0.0012,
    "wrong_key": 0.0010,
    "huge": 0.0003,
}

REFUSED: frozenset[Trouble] = frozenset(("wrong_type", "broken", "unknown_vertical", "wrong_key", "huge"))
"""What Leadmill turns away with a 4xx: the caller's mistake, not the person's."""

ON_A_PAGE: frozenset[Trouble] = frozenset(
    ("none", "again", "bad_phone", "throwaway", "no_consent", "placeholder", "honeypot", "wrong_type", "replay")
)
"""What can happen on a hosted form; there anything else is in order."""

assert set(SHARES) == set(get_args(Trouble))
_KINDS = tuple(SHARES)
_WEIGHTS = tuple(SHARES.values())


def draw(rng: Random) -> Trouble:
    """What is wrong with the next enquiry."""
    return rng.choices(_KINDS, weights=_WEIGHTS)[0]
