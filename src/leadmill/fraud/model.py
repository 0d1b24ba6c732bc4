"""What may speak against a lead: marks by which leads are counted, what was heard of them, and the suspicion raised.

Learned by the step ``Suspect``, read by scoring, market, the desk and whoever tells a lead's story. Nothing here says
who anybody is: a mark is a keyed hash, and a suspicion holds codes, counts and spans.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Literal

from msgspec import Struct

from leadmill.core.case import Answer, Ask, Evidence
from leadmill.core.reasons import State, declare
from leadmill.fraud.signals import SIGNALS

REVIEW = declare(
    "fraud.lead.review", "A person should look at this lead, {score} of 100 speaks against it: {says}", State.REVIEW
)
REJECTED = declare("fraud.lead.rejected", "Too much speaks against this lead, {score} of 100: {says}", State.REJECTED)

Kind = Literal["phone", "email", "ip", "net", "device", "address", "source"]
"""What leads are counted by. ``net`` is the /24 of an IPv4 address and the /64 of an IPv6 address."""

KINDS: tuple[Kind, ...] = ("phone", "email", "ip", "net", "device", "address", "source")

Path = Literal["pass", "review", "reject"]
"""Where a lead goes by its suspicion."""


class Mark(Struct, frozen=True, array_like=True):
    """Something that leads are counted by: sixteen bytes of a keyed hash."""

    kind: Kind
    hash: bytes


class Card(Struct, frozen=True, kw_only=True, eq=False):
    """What counts in one vertical; read from packs.

    ``weights`` is, by signal, the chance in a hundred that a lead with this signal alone is a fraud; a signal without
    a weight is not raised. ``limits`` and ``crowds`` say by kind how many leads, or different persons, are usual
    within each of the ``windows`` of the kind (seconds, ascending; ``None`` where a window has no limit). ``keep`` is
    how many sightings of a mark are kept, ``days`` for how long. ``shared`` are networks that many people share, whose
    addresses are not counted. Of a returned lead's marks half is forgotten in ``half_life_days``; ``returns`` are the
    dispositions after which they are burned. Of a source, leads younger than ``ripe_days`` are not asked whether they
    came back; one of which more than ``poor_share`` in a hundred surely do is poor; a change is sure when without one
    it would be seen every ``patience`` days or more seldom.
    """

    vertical: str = ""
    review_at: int = 101
    reject_at: int = 101
    weights: dict[str, int] = {}
    windows: dict[Kind, tuple[int, ...]] = {}
    limits: dict[Kind, tuple[int | None, ...]] = {}
    crowds: dict[Kind, tuple[int | None, ...]] = {}
    keep: dict[Kind, int] = {}
    days: dict[Kind, int] = {}
    shared: tuple[str, ...] = ()
    recycled_days: int = 7
    posted_hours: int = 72
    consent_days: int = 90
    half_life_days: int = 60
    returns: tuple[str, ...] = ()
    burst_least: int = 200
    burst_factor: float = 5.0
    ripe_days: int = 10
    poor_share: int = 40
    patience: int = 1_000
    digest: str = ""


class SightAsk(Ask, frozen=True, kw_only=True, eq=False):
    """How often were these marks seen, this lead counted in? Compared by identity, as it is asked once a lead.

    ``person_id`` and ``name`` (four bytes of a keyed hash of the family name, empty where there is none) tell one
    person from another. ``paced`` says that the lead counts towards its source's pace: rows of a file do not, because
    a file has all its leads at once.
    """

    lead_id: str
    source_id: str
    vertical: str
    at: datetime
    card: Card
    marks: tuple[Mark, ...] = ()
    person_id: str = ""
    name: bytes = b""
    paced: bool = True


class Sighting(Struct, frozen=True, array_like=True):
    """What is known of one mark, the lead at hand counted in.

    ``counts`` and ``persons`` stand in the order of the card's windows: leads, and different persons among them.
    ``elsewhere`` is how many days ago the mark was first seen with another source, ``vertical`` with another vertical
    of the same source, None where it never was; ``names`` how many other family names came with it; ``burned`` how
    many hours ago each lead with it was returned. Written as an array: fields are only added at the end.
    """

    kind: Kind
    counts: tuple[int, ...] = ()
    persons: tuple[int, ...] = ()
    elsewhere: int | None = None
    vertical: int | None = None
    names: int = 0
    burned: tuple[int, ...] = ()


class Sighted(Answer, frozen=True, omit_defaults=True):
    """What was seen of a lead's marks; a mark seen for the first time is left out. ``hour`` is how many leads the
    source sent within the last hour and ``usual`` how many it usually sends in one, both None where it has no past to
    compare with. ``poor`` is how many in a hundred of the source's sold leads surely come back, where those are too
    many; ``turned`` which of its shares has risen (``door``, ``returned``), and ``since`` when."""

    sightings: tuple[Sighting, ...] = ()
    hour: int | None = None
    usual: float | None = None
    poor: int | None = None
    turned: str | None = None
    since: str | None = None

    def tell(self) -> Iterable[str]:
        """One sentence a mark."""
        for item in self.sightings:
            if item.counts and item.counts[-1] > 1:
                yield f"This {_NAMES[item.kind]} was seen {item.counts[-1]} times, with {item.persons[-1]} persons."
            if item.burned:
                yield f"{len(item.burned)} leads with this {_NAMES[item.kind]} were returned."


_NAMES: dict[Kind, str] = {
    "phone": "phone number",
    "email": "e-mail address",
    "ip": "IP address",
    "net": "network",
    "device": "device",
    "address": "street address",
    "source": "source",
}


class Raised(Struct, frozen=True, array_like=True):
    """A signal raised on a lead: its code, its weight in a hundred, and the particulars its sentence is filled with."""

    code: str
    weight: int
    detail: dict[str, Any] = {}

    @property
    def says(self) -> str:
        """The signal in words."""
        known = SIGNALS.get(self.code)
        return known.says.format_map(_Shown(self.detail)) if known is not None else self.code


class _Shown(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "–"


class Suspicion(Evidence, frozen=True, kw_only=True, omit_defaults=True):
    """How likely a lead is a fraud, 0 to 100, by which signals, strongest first, and where it goes. ``card`` is the
    digest of what it was judged by."""

    score: int = 0
    path: Path = "pass"
    raised: list[Raised] = []
    card: str = ""

    personal: ClassVar[bool] = False

    def tell(self) -> Iterable[str]:
        """The score and each signal's part."""
        if not self.raised:
            yield "Nothing speaks against it."
            return
        yield f"{self.score} of 100 speaks against it: {self.path}."
        for item in self.raised:
            yield f"{item.code}, {item.weight}: {item.says}"


class Burn(Struct, frozen=True):
    """A returned lead's mark, from ``at`` on."""

    mark: bytes
    lead_id: str
    at: datetime


class Tally(Struct, frozen=True, kw_only=True):
    """What became of the leads of one vertical and source on which a signal was raised; ``code`` is empty for all
    leads, those without a signal included. ``sold`` counts leads that somebody bought, ``returned`` those of them that
    came back."""

    vertical: str
    source_id: str
    code: str
    seen: int = 0
    held: int = 0
    rejected: int = 0
    sold: int = 0
    returned: int = 0
