"""How likely a buyer keeps a lead, and how likely a source's lead comes back: counts, read with shrinkage.

Called by ``shadow`` for prices and by the choice for each candidate. Few observations say little: every rate is drawn
towards what all orders, or all sources, do, as strongly as they resemble one another (beta-binomial, fitted by
moments). Pure.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct


class Counts(Struct):
    """``hits`` of ``tries``: accepted of answered offers, or returned of sold leads."""

    hits: float = 0.0
    tries: float = 0.0


class Prior(Struct, frozen=True):
    """What is believed before anything is seen: as if ``alpha`` hits and ``beta`` misses had been."""

    alpha: float
    beta: float

    @property
    def mean(self) -> float:
        """The rate without any observation."""
        return self.alpha / (self.alpha + self.beta)

    def rate(self, hits: float, tries: float) -> float:
        """The expected rate after so many observations."""
        return (hits + self.alpha) / (tries + self.alpha + self.beta)


ACCEPTS = Prior(8.0, 2.0)
"""A buyer of whom nothing is known accepts about four leads of five."""

RETURNS = Prior(0.9, 11.1)
"""A source of which nothing is known sends about seven and a half bad leads of a hundred."""

_FEW = 3
_STRONGEST = 400.0


def fit_prior(counts: Iterable[Counts], otherwise: Prior) -> Prior:
    """The prior that a population shows, by moments; ``otherwise`` where there is too little to see.

    With p = Σk/Σn and S = Σ n(k/n − p)², the correlation within a member is
    ρ = (S − p(1 − p)(m − 1)) / (p(1 − p)(N − Σn²/N − (m − 1))), and α + β = 1/ρ − 1 (Kleinman, 1973).
    """
    seen = [(one.hits, one.tries) for one in counts if one.tries > 0]
    total = sum(tries for _, tries in seen)
    hits = sum(hit for hit, _ in seen)
    members = len(seen)
    if members < _FEW or total <= members or not 0 < hits < total:
        return otherwise
    mean = hits / total
    spread = sum(tries * (hit / tries - mean) ** 2 for hit, tries in seen)
    noise = mean * (1 - mean)
    room = noise * (total - sum(tries * tries for _, tries in seen) / total - (members - 1))
    if room <= 0:
        return otherwise
    alike = (spread - noise * (members - 1)) / room
    strength = min(1.0 / alike - 1.0, _STRONGEST) if alike > 0 else _STRONGEST
    strength = max(strength, 1.0)
    return Prior(mean * strength, (1 - mean) * strength)


class Slopes(Struct):
    """How acceptance moves with the lead, over all orders: a ridge regression of what buyers did beyond their own
    rate on two features, the lead's score and how far the bid lies above the order's usual one. Kept as sums."""

    xx: float = 0.0
    xz: float = 0.0
    zz: float = 0.0
    xy: float = 0.0
    zy: float = 0.0

    def learn(self, score: float, bid: float, beyond: float) -> None:
        """Count one answer; ``beyond`` is 1 or 0 less the order's rate."""
        self.xx += score * score
        self.xz += score * bid
        self.zz += bid * bid
        self.xy += score * beyond
        self.zy += bid * beyond

    def slopes(self, ridge_score: float = 8.0, ridge_bid: float = 4.0) -> tuple[float, float]:
        """How much acceptance rises with a unit of each feature."""
        xx, zz = self.xx + ridge_score, self.zz + ridge_bid
        det = xx * zz - self.xz * self.xz
        if det <= 0:
            return 0.0, 0.0
        return (self.xy * zz - self.zy * self.xz) / det, (self.zy * xx - self.xy * self.xz) / det


def clip(odds: float) -> float:
    """A probability that leaves room for surprise."""
    return 0.02 if odds < 0.02 else 0.99 if odds > 0.99 else odds


def rates(counts: Sequence[Counts], prior: Prior) -> list[float]:
    """Each member's expected rate."""
    return [prior.rate(one.hits, one.tries) for one in counts]
