"""What each signal was worth: how often the leads on which it was raised came back, and how sure that is.

Pure. Called by the page that shows it, with the tallies of a span.
"""

from collections.abc import Iterable

from msgspec import Struct

from leadmill.fraud.intervals import Beta, interval
from leadmill.fraud.model import Tally

_STRENGTH = 10.0
"""As how many sold leads counts what is believed of a signal before anything came back: that it says nothing."""


class Worth(Struct, frozen=True):
    """A signal over a span. ``share`` is the share of its sold leads that is expected to come back, ``low`` and
    ``high`` bound it with 90 in 100; ``lift`` is how many times that of all leads it is."""

    code: str
    seen: int
    held: int
    rejected: int
    sold: int
    returned: int
    share: float
    low: float
    high: float
    lift: float


def worth_of(tallies: Iterable[Tally]) -> tuple[Worth, list[Worth]]:
    """All leads, and each signal that was raised on any, the most frequent first.

    A signal's share is a beta distribution: before it is seen, that of all leads with the strength of ten of them;
    then with its own sold and returned leads added (the conjugate prior of the binomial).
    """
    sums: dict[str, list[int]] = {"": [0] * 5}
    for one in tallies:
        row = sums.setdefault(one.code, [0] * 5)
        for at, more in enumerate((one.seen, one.held, one.rejected, one.sold, one.returned)):
            row[at] += more
    sold, returned = sums[""][3:]
    mean = (min(returned, sold) + 0.5) / (sold + 1)
    prior = Beta(mean * _STRENGTH, (1 - mean) * _STRENGTH)
    whole = _worth("", sums.pop(""), Beta(0.5, 0.5), mean)
    found = [_worth(code, row, prior, mean) for code, row in sums.items()]
    return whole, sorted(found, key=lambda one: (-one.seen, one.code))


def _worth(code: str, row: list[int], prior: Beta, mean: float) -> Worth:
    seen, held, rejected, sold, returned = row
    # A lead whose sale was counted before the span began can come back within it.
    belief = prior.after(min(returned, sold), sold)
    low, high = interval(belief)
    return Worth(code, seen, held, rejected, sold, returned, belief.mean, low, high, belief.mean / mean)
