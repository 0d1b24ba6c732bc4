"""How sure a share is: the beta distribution, its mean and its intervals.

Used where few leads say how often something happens: a prior is as many leads as one believes to have seen before.
Pure.
"""

from functools import lru_cache
from math import exp, lgamma, log, log1p

from msgspec import Struct

_TINY = 1e-300
_TERMS = 300
_PRECISE = 1e-12
_HALVINGS = 60


class Beta(Struct, frozen=True):
    """What is believed of a share: as if ``hits`` and ``misses`` had been seen, both over 0."""

    hits: float
    misses: float

    @property
    def mean(self) -> float:
        """The expected share."""
        return self.hits / (self.hits + self.misses)

    def after(self, hits: float, tries: float) -> "Beta":
        """The belief once ``hits`` of ``tries`` were seen."""
        return Beta(self.hits + hits, self.misses + tries - hits)


@lru_cache(4_096)
def interval(belief: Beta, level: float = 0.9) -> tuple[float, float]:
    """The share's equal-tailed credible interval: it lies below the first and above the second with
    ``(1 - level) / 2`` each."""
    tail = (1 - level) / 2
    return quantile(belief, tail), quantile(belief, 1 - tail)


def quantile(belief: Beta, chance: float) -> float:
    """The share under which the true one lies with this chance. By halving, since the function rises throughout."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if chance_below(belief, middle) < chance:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def chance_below(belief: Beta, share: float) -> float:
    """The chance that the true share is below ``share``: the regularised incomplete beta function, by its continued
    fraction (DLMF 8.17.22, https://dlmf.nist.gov/8.17#v), evaluated after Lentz."""
    if share <= 0 or share >= 1:
        return float(share >= 1)
    a, b = belief.hits, belief.misses
    if share > (a + 1) / (a + b + 2):  # the fraction converges fast on the other side
        return 1 - chance_below(Beta(b, a), 1 - share)
    front = exp(a * log(share) + b * log1p(-share) - log(a) - lgamma(a) - lgamma(b) + lgamma(a + b))
    ratio, upper, lower = 1.0, 1.0, 0.0
    for term in range(_TERMS):
        half = term // 2
        if term == 0:
            factor = 1.0
        elif term % 2 == 0:
            factor = half * (b - half) * share / ((a + term - 1) * (a + term))
        else:
            factor = -(a + half) * (a + b + half) * share / ((a + term - 1) * (a + term))
        lower = 1 + factor * lower
        lower = 1 / (lower if abs(lower) > _TINY else _TINY)
        upper = 1 + factor / upper
        upper = upper if abs(upper) > _TINY else _TINY
        change = upper * lower
        ratio *= change
        if abs(change - 1) < _PRECISE:
            break
    return min(1.0, front * (ratio - 1))
