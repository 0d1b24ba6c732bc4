"""What a lead is worth pursuing: a score with the reasons for it, and the scorecards it comes from.

Learned by the step ``Rate``; a ``Seen`` is the one mapping of names to values that predicates are asked of, here and in
market.
"""

from collections.abc import Iterable
from datetime import date
from typing import ClassVar, Literal

from msgspec import Struct

from leadmill.core.case import Evidence
from leadmill.core.predicates import Predicate, fields_of
from leadmill.core.reasons import State, declare

Path = Literal["sell", "nurture", "review", "reject", "sales"]
"""Where a lead goes by its score. ``sales`` is a hot lead: it is for the house's own sales team at once, and is sold
where no team takes it."""

NURTURE = declare(
    "scoring.points.nurture", "{points} points are fewer than the {sell_from} from which leads are sold.", State.NURTURE
)
REVIEW = declare("scoring.points.review", "A person should look at this lead: {says}", State.REVIEW)
REJECT = declare(
    "scoring.points.reject",
    "{points} points are fewer than the {nurture_from} from which leads are kept.",
    State.REJECTED,
)


class Contribution(Struct, frozen=True, array_like=True):
    """What one rule of a card gave or took, in words. Where a group comes to more than its cap, one more contribution,
    named after the group, takes the rest back: with the start they always add up to the points before 0 and 100 bound
    them."""

    rule: str
    points: int
    says: str


class Score(Evidence, frozen=True, kw_only=True):
    """0 to 100 points, the ``band`` they fall in, which is the lead's quality tier (by default A best, E last), where
    the lead goes and why. ``card`` is the digest of the scorecard, ``start`` what every lead begins with; ``review``
    are the rules that ask for a person."""

    points: int
    band: str
    path: Path
    start: int = 0
    contributions: list[Contribution] = []
    review: list[str] = []
    card: str = ""

    personal: ClassVar[bool] = False

    def tell(self) -> Iterable[str]:
        """The points and each rule's share."""
        yield f"{self.points} points, tier {self.band}: {_GOES.get(self.path, self.path)}."
        for item in self.contributions:
            yield f"{item.points:+d} {item.says}"


class Opinion(Struct, frozen=True, array_like=True):
    """What one model said of a lead: the ``probability`` of what it was trained on, calibrated, and the points that
    makes. ``digest`` finds its bytes; ``adverse`` are, of the one that decided, the sentences that spoke against the
    lead most, without the person's values."""

    model: str
    digest: str
    state: str
    probability: float
    points: int
    adverse: list[str] = []


Foresees = Literal["conversion", "bad", "acceptance", "review"]
"""What a model gives the chance of: that a lead converts; that it is given back or should not have been sold; that who
was posted it takes it; that the review desk, were it held, would call it bad."""


class Foreseen(Struct, frozen=True, array_like=True):
    """What a model said of a lead that gives the chance of something else than conversion. It moves no points. Of the
    models that foresee the same, one ``counts`` about a lead: the champion, or the challenger that it falls to."""

    model: str
    digest: str
    state: str
    foresees: Foresees
    probability: float
    counts: bool = False


class Opinions(Evidence, frozen=True, omit_defaults=True):
    """What the models said of a lead; the first ``decided``, or none of them did and the scorecard's points count.
    ``foreseen`` are the chances by models of something else than conversion."""

    said: list[Opinion]
    decided: bool = False
    foreseen: list[Foreseen] = []

    personal: ClassVar[bool] = False

    def chance(self, foresees: Foresees) -> float | None:
        """The chance by the model that counts about this lead; None where none does."""
        if foresees == "conversion":
            return self.said[0].probability if self.decided else None
        return next((one.probability for one in self.foreseen if one.counts and one.foresees == foresees), None)

    def tell(self) -> Iterable[str]:
        """A line a model."""
        for place, one in enumerate(self.said):
            decided = self.decided and place == 0
            does = f"the {one.state}, decided" if decided else f"{one.state}, only heard"
            yield f"Model {one.model} ({does}): {100 * one.probability:.1f} % likely, {one.points} points."
            if decided and one.adverse:
                yield f"Against it most: {'; '.join(one.adverse)}."
        for told in self.foreseen:
            does = f"the {told.state}" if told.counts else f"{told.state}, only heard"
            yield f"Model {told.model} ({does}): {100 * told.probability:.1f} % {_FORESEES[told.foresees]}."


_FORESEES = {
    "conversion": "likely to convert",
    "bad": "likely to be bad",
    "acceptance": "likely to be taken",
    "review": "likely to be called bad by the review desk",
}
_GOES = {"sales": "to the sales team at once"}


class Seen(Evidence, frozen=True):
    """What predicates see of a lead: its fields (state, ZIP and country in their normal form), its facts,
    ``context.*``, ``source``, ``vertical``, ``received_at``, ``fraud.score``, ``fraud.signals`` and, once rated,
    ``score`` and ``tier``. Derived from other evidence, so it is never stored."""

    values: dict[str, str | int | float | bool | list[str] | None]

    personal: ClassVar[bool] = True
    kept: ClassVar[bool] = False


class Fade(Struct, frozen=True):
    """How the points of a rule lessen with the age of what they are about: by half every ``half_life`` days, by
    ``per_day`` points a day, or both, the halving first. ``since`` names what holds the moment it counts from:
    ``received_at``, a field or fact that is a date or time, or ``fact.<key>``, when that fact was observed. Where the
    moment is not known, nothing fades."""

    since: str
    half_life: float = 0.0
    per_day: float = 0.0


class PointsRule(Struct, frozen=True):
    """Gives (or takes) ``points`` where the condition holds. Rules of one ``group`` share its cap."""

    id: str
    when: Predicate
    points: int
    says: str
    group: str | None = None
    fades: Fade | None = None


class ReviewRule(Struct, frozen=True):
    """Asks for a person where the condition holds. It may look at ``score``."""

    id: str
    when: Predicate
    says: str


class SalesRule(Struct, frozen=True):
    """Sends a lead that would be sold straight to the sales team where the condition holds. It may look at
    ``score``."""

    id: str
    when: Predicate
    says: str


class Adjustment(Struct, frozen=True, kw_only=True):
    """Points that the house gives or takes for a while, over card and models: for a season, a market, a campaign.
    ``starts`` and ``ends`` bound the days (UTC) on which it counts, the last one excluded; None is without bound."""

    id: str
    vertical: str
    points: int
    says: str
    when: Predicate
    starts: date | None = None
    ends: date | None = None
    why: str = ""
    retired: bool = False


NEVER = 101
"""A threshold that no score reaches."""

Tiers = tuple[tuple[str, int], ...]
"""Quality tiers, the best first, each with the points from which it holds; the last holds from 0."""

TIERS: Tiers = (("A", 80), ("B", 60), ("C", 40), ("D", 20), ("E", 0))
"""The tiers of a vertical that names none."""


class Scorecard(Struct, frozen=True, kw_only=True):
    """How the leads of one vertical are rated: a start, points for and against, and from how many on a lead is sold
    (``sell_from``), at least kept (``nurture_from``), or handed to the sales team at once (``sales_from``). ``groups``
    says how many points, either way, a group can come to. ``digest`` goes into every score given by the card; ``own``
    says that a record of the house's took the place of the pack's card, ``why`` what for. ``adjustments`` are laid over
    the points, wherever these come from; they are no part of the card or its digest. ``tiers`` are the quality tiers of
    the vertical, wherever the points come from."""

    vertical: str
    version: int = 0
    start: int = 50
    sell_from: int = 0
    nurture_from: int = 0
    points: tuple[PointsRule, ...] = ()
    groups: dict[str, int] = {}
    review: tuple[ReviewRule, ...] = ()
    digest: str = ""
    sales_from: int = NEVER
    sales: tuple[SalesRule, ...] = ()
    own: bool = False
    why: str = ""
    adjustments: tuple[Adjustment, ...] = ()
    tiers: Tiers = TIERS

    @property
    def asked(self) -> frozenset[str]:
        """The names that its conditions look at."""
        whens = [*(rule.when for rule in self.points), *(rule.when for rule in self.review)]
        whens += [rule.when for rule in self.sales]
        fades = {rule.fades.since.removeprefix("fact.") for rule in self.points if rule.fades is not None}
        return frozenset(field for when in whens for field in fields_of(when)) | (fades - {"received_at"})

    @property
    def ages(self) -> tuple[str, ...]:
        """The facts whose time of observation it counts from."""
        since = {rule.fades.since for rule in self.points if rule.fades is not None}
        return tuple(sorted(name.removeprefix("fact.") for name in since if name.startswith("fact.")))


class CardRecord(Struct, frozen=True):
    """What the house says of a vertical's card: another one, or None where the pack's counts again."""

    vertical: str
    card: Scorecard | None
