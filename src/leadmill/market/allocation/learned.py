"""What the market has learned of buyers and sources: who accepts, whose leads come back.

Kept by the market from deliveries and outcomes, persisted as one small document, read for every auction that has
shadow prices. Counts alone; nothing here is personal. Pure.
"""

from msgspec import Struct, field

from leadmill.market.allocation.accept import ACCEPTS, RETURNS, Counts, Prior, Slopes, clip, fit_prior


class Learned(Struct, kw_only=True):
    """Counts of accepted of answered offers by order, of returned of sold leads by source, and of offers left
    unanswered. ``slopes`` say how acceptance moves with the lead; a score is seen as ``(score − centre) / spread``."""

    accepts: dict[str, Counts] = {}
    returns: dict[str, Counts] = {}
    slopes: Slopes = field(default_factory=Slopes)
    unanswered: Counts = field(default_factory=lambda: Counts(1.0, 50.0))
    centre: float = 0.0
    spread: float = 0.0


class Odds:
    """The rates that follow from what was learned: fitted now and then, kept current answer by answer."""

    __slots__ = ("_answered", "_base", "_bid", "_learned", "_returns", "_score", "prior")

    def __init__(self, learned: Learned) -> None:
        self._learned = learned
        self.prior: Prior = ACCEPTS
        self._base: dict[str, float] = {}
        self._returns: Prior = RETURNS
        self._score = self._bid = 0.0
        self._answered = 1.0
        self.fit()

    def fit(self) -> None:
        """Take up what was learned since."""
        known = self._learned
        self.prior = fit_prior(known.accepts.values(), ACCEPTS)
        self._base = {name: self.prior.rate(one.hits, one.tries) for name, one in known.accepts.items()}
        self._returns = fit_prior(known.returns.values(), RETURNS)
        self._score, self._bid = known.slopes.slopes()
        self._answered = 1.0 - known.unanswered.hits / max(known.unanswered.tries, 1.0)

    @property
    def slopes(self) -> tuple[float, float]:
        """How acceptance moves with the seen score and with the lift of the bid."""
        return self._score, self._bid

    @property
    def answered(self) -> float:
        """How likely an offer is answered at all."""
        return self._answered

    def base(self, order_id: str) -> float:
        """How likely a buyer who answers accepts a usual lead."""
        found = self._base.get(order_id)
        return self.prior.mean if found is None else found

    def accept(self, order_id: str, score: float, lift: float) -> float:
        """How likely an offer ends in a sale; ``score`` as seen, ``lift`` how far the bid lies above the usual."""
        base = self._base.get(order_id)
        if base is None:
            base = self.prior.mean
        return clip((base + self._score * score + self._bid * lift) * self._answered)

    def kept(self, source: str) -> float:
        """How much of a sale's price stays, returns of the source considered."""
        one = self._learned.returns.get(source)
        return 1.0 - (self._returns.rate(one.hits, one.tries) if one is not None else self._returns.mean)

    def seen(self, score: float | None) -> float:
        """A lead's score as acceptance sees it: 0 is usual."""
        known = self._learned
        return (score - known.centre) / known.spread if score is not None and known.spread > 0 else 0.0

    def learn(self, order_id: str, accepted: bool, score: float, lift: float) -> None:
        """Count an answer."""
        known = self._learned
        known.slopes.learn(score, lift, float(accepted) - self.base(order_id))
        known.unanswered.tries += 1
        one = known.accepts.get(order_id)
        if one is None:
            one = known.accepts[order_id] = Counts()
        one.hits += accepted
        one.tries += 1
        self._base[order_id] = self.prior.rate(one.hits, one.tries)

    def learn_silence(self) -> None:
        """Count an offer that was left unanswered."""
        self._learned.unanswered.hits += 1
        self._learned.unanswered.tries += 1
