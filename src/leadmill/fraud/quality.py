"""How good a source is: what share of its leads comes back, believed as far as its numbers carry, and whether that has
lately changed.

A source with few leads says little of itself, so it is taken to be like the others until it has shown otherwise: the
shares of all sources are drawn from one beta distribution, fitted to all of them, and each source is that distribution
after its own leads ("empirical Bayes"; Efron and Morris, Scientific American 236, 1977; for shares Robinson,
Introduction to Empirical Bayes, 2017). Pure; called by the worker's survey and by the console.
"""

from collections.abc import Callable, Iterable, Sequence
from math import exp, lgamma, log, log1p

from msgspec import Struct

from leadmill.fraud.intervals import Beta

_STRENGTHS = (2.0, 5_000.0)
"""Between how many leads of belief the fitted distribution may be worth: it neither vanishes nor silences a source."""
_USUAL, _SPREAD = log(30.0), 1.5
"""Before anything is seen: sources differ as if each had thirty leads in common with the rest, give or take a lot."""
_GOLDEN = (5**0.5 - 1) / 2
_STEPS = 48


class Yield(Struct, frozen=True):
    """Of ``tries`` leads of one source, ``hits`` had whatever is counted."""

    hits: int
    tries: int


def fit_prior(yields: Sequence[Yield]) -> Beta:
    """The beta distribution from which the sources' shares were most likely drawn.

    The mean is that of all leads, half a hit and half a miss added, so that it is never 0 or 1; how alike the sources
    are is found by the highest likelihood of their counts (beta-binomial), with a weak belief of its own that keeps one
    or two sources from saying that all are the same.
    """
    counted = [one for one in yields if one.tries > 0]
    hits = sum(one.hits for one in counted) + 0.5
    mean = hits / (sum(one.tries for one in counted) + 1)

    def loss(strength: float) -> float:
        prior = Beta(mean * exp(strength), (1 - mean) * exp(strength))
        held = (strength - _USUAL) / _SPREAD
        return held * held / 2 - sum(_likelihood(prior, one) for one in counted)

    strength = exp(_lowest(loss, log(_STRENGTHS[0]), log(_STRENGTHS[1])))
    return Beta(mean * strength, (1 - mean) * strength)


def _likelihood(prior: Beta, seen: Yield) -> float:
    """The logarithm of how likely these counts are under the prior, up to what does not depend on it."""
    a, b = prior.hits, prior.misses
    return _log_beta(a + seen.hits, b + seen.tries - seen.hits) - _log_beta(a, b)


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def _lowest(loss: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one valley is lowest, by the golden section."""
    first, second = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_first, at_second = loss(first), loss(second)
    for _ in range(_STEPS):
        if at_first < at_second:
            high, second, at_second = second, first, at_first
            first = high - _GOLDEN * (high - low)
            at_first = loss(first)
        else:
            low, first, at_first = first, second, at_second
            second = low + _GOLDEN * (high - low)
            at_second = loss(second)
    return (low + high) / 2


class Change(Struct, frozen=True):
    """How much speaks for a change to the worse. ``evidence`` is what a bet against "nothing has changed" of one unit
    would have become; ``since`` is how many steps ago the run of bets began that led to it."""

    evidence: float
    since: int

    def is_sure(self, patience: float) -> bool:
        """Whether the evidence is worth an alarm: without any change, one comes every ``patience`` steps or more
        seldom on average."""
        return self.evidence >= patience


_WORSE = (1.5, 2.0, 3.0, 5.0)
"""By how many times the odds of a hit may have risen: each is bet on with an equal part of the stake."""
_MOST = 1e12


def watch(steps: Iterable[Yield], usual: float) -> Change:
    """Whether a share has risen over ``usual`` at some moment nobody knows, looked at after every step.

    A detector that may be looked at as often as one likes: at each step the stakes are multiplied by how much likelier
    the step is under a higher share than under the usual one, and where a stake has shrunk below its start it begins
    anew (Shin, Ramdas and Rinaldo, "E-detectors", 2022; Page's CUSUM is the same with one alternative). Under no change
    the expected product of a step is at most 1, so the mean time to a false alarm at ``1 / α`` is at least ``1 / α``.

    ``usual`` lies strictly between 0 and 1.
    """
    odds = usual / (1 - usual)
    bets = [log(factor) - log1p(usual * (factor - 1)) for factor in _WORSE]
    misses = [log1p(-(odds * factor) / (1 + odds * factor)) - log1p(-usual) for factor in _WORSE]
    stakes = [1.0] * len(_WORSE)
    ages = [0] * len(_WORSE)
    for step in steps:
        for at in range(len(_WORSE)):
            if stakes[at] < 1:
                stakes[at], ages[at] = 1.0, 0
            gain = step.hits * bets[at] + (step.tries - step.hits) * misses[at]
            stakes[at] = min(_MOST, stakes[at] * exp(min(gain, 60.0)))
            ages[at] += 1 if step.tries else 0
    best = max(range(len(_WORSE)), key=lambda at: stakes[at])
    return Change(sum(stakes) / len(stakes), ages[best])
