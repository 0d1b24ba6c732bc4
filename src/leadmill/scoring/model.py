"""What a lead is worth pursuing: a score with the reasons for it, and the scorecards it comes from.

Learned by the step ``Rate``; a ``Seen`` is the one mapping of names to values that predicates are asked of, here and in
market.
"""

from collections.abc import Iterable
from typing import ClassVar, Literal

from msgspec import Struct

from leadmill.core.case import Evidence
from leadmill.core.predicates import Predicate
from leadmill.core.reasons import State, declare

Path = Literal["sell", "nurture", "review", "reject"]
"""Where a lead goes by its score."""

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
    """0 to 100 points, the band they fall in (A best, E last), where the lead goes and why. ``card`` is the digest of
    the scorecard, ``start`` what every lead begins with; ``review`` are the rules that ask for a person."""

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
        yield f"{self.points} points, band {self.band}: {self.path}."
        for item in self.contributions:
            yield f"{item.points:+d} {item.says}"


class Seen(Evidence, frozen=True):
    """What predicates see of a lead: its fields (state, ZIP and country in their normal form), its facts,
    ``context.*``, ``source``, ``vertical``, ``fraud.score``, ``fraud.signals`` and, once rated, ``score``. Derived from
    other evidence, so it is never stored."""

    values: dict[str, str | int | float | bool | list[str] | None]

    personal: ClassVar[bool] = True
    kept: ClassVar[bool] = False


class PointsRule(Struct, frozen=True):
    """Gives (or takes) ``points`` where the condition holds. Rules of one ``group`` share its cap."""

    id: str
    when: Predicate
    points: int
    says: str
    group: str | None = None


class ReviewRule(Struct, frozen=True):
    """Asks for a person where the condition holds. It may look at ``score``."""

    id: str
    when: Predicate
    says: str


class Scorecard(Struct, frozen=True, kw_only=True):
    """How the leads of one vertical are rated: a start, points for and against, and from how many on a lead is sold
    (``sell_from``) or at least kept (``nurture_from``). ``groups`` says how many points, either way, a group can come
    to. ``digest`` goes into every score given by the card."""

    vertical: str
    version: int = 0
    start: int = 50
    sell_from: int = 0
    nurture_from: int = 0
    points: tuple[PointsRule, ...] = ()
    groups: dict[str, int] = {}
    review: tuple[ReviewRule, ...] = ()
    digest: str = ""
