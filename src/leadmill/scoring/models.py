"""Learned models on the walk: which of them speaks about which lead, and how a probability becomes points.

Pure. A model is registered for a vertical by a record; what it learned lies in the store under its digest. A champion
decides about every lead, challengers about a share each, and shadows are heard without deciding anything. Which model a
lead falls to depends on its id alone, so that a replay finds the same.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import log2
from typing import Any, Literal, Protocol

from msgspec import Struct

from leadmill.core.reading import Table
from leadmill.scoring.model import Contribution, Foreseen, Foresees, Opinion, Opinions, Score
from leadmill.scoring.rules import Finish, Values

KIND = "model"
"""The kind of the records."""

State = Literal["candidate", "shadow", "challenger", "champion"]
STATES: tuple[State, ...] = ("candidate", "shadow", "challenger", "champion")
DECIDING = frozenset({"challenger", "champion"})
FORESEES: tuple[Foresees, ...] = ("conversion", "bad", "acceptance", "review")

_CODE = "scoring.model.malformed"
_WHOLE = 10_000
_SHOWN = 6
_MOST_ADVERSE = 4
_MOST_WORDS = 500
_HEX = frozenset("0123456789abcdef")
_EVEN = 1e-6


class ModelRecord(Struct, frozen=True, kw_only=True):
    """What the house does with a model: ``state`` and, of one that decides, the ``share`` of leads in ten-thousandths
    (None: a champion's is what the challengers leave). ``middle`` are the points of a lead as likely as the average one
    of its training data, ``double`` how many more points twice the odds are worth. What ``foresees`` something else
    than conversion moves no points: its champion is the one whose chance counts."""

    id: str
    vertical: str
    digest: str
    state: State = "candidate"
    share: int | None = None
    middle: int = 50
    double: int = 15
    retired: bool = False
    why: str = ""
    foresees: Foresees = "conversion"

    @property
    def runs(self) -> bool:
        """Whether leads are scored by it."""
        return not self.retired and self.state != "candidate"


class Learned(Protocol):
    """As much of a learned model as the walk needs; :class:`leadmill.learning.Model` is one."""

    digest: str
    columns: Any
    """What it looks at, each with a ``name``."""

    def score(self, values: Mapping[str, Any], /) -> Any:
        """The row's calibrated ``probability``."""
        ...

    def effects(self, values: Mapping[str, Any], /) -> dict[str, float]:
        """Every column's effect in log-odds against the average row."""
        ...


def read_model_record(raw: Mapping[str, Any]) -> ModelRecord:
    """A ``[[model]]`` as declared. Raises :class:`BadInput` ``scoring.model.malformed``."""
    table = Table(raw, f"{KIND} {raw.get('id', '')}", _CODE)
    digest = table.text("digest")
    if len(digest) != 64 or not _HEX.issuperset(digest):
        table.refuse("must be the digest that leadmill scoring add gave it", "digest")
    state: Any = table.choice("state", STATES, "candidate")
    share = round(table.rate("share") * _WHOLE) if table.has("share") else None
    if state == "challenger" and not share:
        table.refuse("a challenger needs a share of leads over 0", "share")
    if state not in DECIDING and share is not None:
        table.refuse(f"only one that decides has a share; this is a {state}", "share")
    foresees: Any = table.choice("foresees", FORESEES, "conversion")
    why = table.text("why", "")
    if len(why) > _MOST_WORDS:
        table.refuse(f"use at most {_MOST_WORDS} characters", "why")
    found = ModelRecord(
        id=table.name(),
        vertical=table.text("vertical"),
        digest=digest,
        state=state,
        share=share,
        middle=table.whole("middle", 50, 0, 100),
        double=table.whole("double", 15, 1, 100),
        retired=table.flag("retired", False),
        why=why,
        foresees=foresees,
    )
    table.close()
    return found


def crowded(records: Sequence[ModelRecord]) -> str:
    """Why these models of one vertical cannot decide beside one another; nothing where they can."""
    return next((why for foresees in FORESEES if (why := _crowded(records, foresees))), "")


def _crowded(records: Sequence[ModelRecord], foresees: Foresees) -> str:
    deciding = [one for one in records if one.runs and one.state in DECIDING and one.foresees == foresees]
    champions = [one.id for one in deciding if one.state == "champion"]
    if len(champions) > 1:
        return f"{' and '.join(sorted(champions))} cannot both be the champion; make one a shadow or retire it"
    if sum(one.share or 0 for one in deciding) > _WHOLE:
        return "the shares of the models that decide come to more than 1"
    return ""


def lot_of(lead_id: str) -> int:
    """The lead's lot, 0 to 9999: the same always, and as good as drawn."""
    return int.from_bytes(hashlib.sha256(lead_id.encode()).digest()[:8], "big") % _WHOLE


class Voter:
    """A model at its place: it gives an opinion and, where it decides, the score."""

    __slots__ = ("_base", "model", "record")

    def __init__(self, record: ModelRecord, model: Learned, base_rate: float) -> None:
        self.record = record
        self.model = model
        self._base = _odds(base_rate)

    def points(self, probability: float) -> int:
        """The points of a probability: ``middle`` at the average, ``double`` more for each doubling of the odds."""
        record = self.record
        found = record.middle + record.double * log2(_odds(probability) / self._base)
        return max(0, min(100, round(found)))

    def rate(self, values: Values, now: datetime, finish: Finish) -> tuple[Score, Opinion]:
        """The score of a lead that falls to this model."""
        probability = float(self.model.score(values).probability)
        points, middle = self.points(probability), self.record.middle
        effects = sorted(self.model.effects(values).items(), key=lambda item: (-abs(item[1]), item[0]))
        given = self._shares(effects, points - middle)
        score = finish(values, now, points, middle, given)
        adverse = sorted((effect, column) for column, effect in effects if effect < 0)[:_MOST_ADVERSE]
        words = [_sentence(column, effect) for effect, column in adverse]
        return score, self._opinion(probability, points, words)

    def hear(self, values: Values) -> Opinion:
        """What a model says that does not decide."""
        probability = float(self.model.score(values).probability)
        return self._opinion(probability, self.points(probability), [])

    def foresee(self, values: Values, counts: bool) -> Foreseen:
        """What a model says that foresees something else than conversion."""
        record = self.record
        probability = round(float(self.model.score(values).probability), 6)
        return Foreseen(record.id, self.model.digest, record.state, record.foresees, probability, counts)

    def _opinion(self, probability: float, points: int, adverse: list[str]) -> Opinion:
        record = self.record
        return Opinion(record.id, self.model.digest, record.state, round(probability, 6), points, adverse)

    def _shares(self, effects: Sequence[tuple[str, float]], whole: int) -> list[Contribution]:
        """What the columns gave of the points beyond the middle; the last line holds the rest, so that they add up."""
        given = []
        for column, effect in effects[:_SHOWN]:
            points = round(self.record.double * effect / _LN2)
            if points:
                given.append(Contribution(f"{self.record.id}.{column}", points, _sentence(column, effect)))
        rest = whole - sum(item.points for item in given)
        if rest:
            given.append(Contribution(f"{self.record.id}.rest", rest, "everything else together, and the bounds"))
        return given


_LN2 = 0.6931471805599453


def _odds(probability: float) -> float:
    kept = min(1 - _EVEN, max(_EVEN, probability))
    return kept / (1 - kept)


def _sentence(column: str, effect: float) -> str:
    """What a column did, without the person's value: it stands where everybody reads."""
    factor = 2 ** (abs(effect) / _LN2)
    does = f"multiplies the odds by {factor:.2f}" if effect > 0 else f"divides the odds by {factor:.2f}"
    return f"{column.replace('_', ' ')} {does}"


class Panel:
    """The models of one vertical: who decides about a lead, who is heard beside, and who foresees something else."""

    __slots__ = ("_others", "_points", "_voters")

    def __init__(self, voters: Sequence[Voter]) -> None:
        self._voters = tuple(sorted(voters, key=lambda one: one.record.id))
        by_what = [_Lots([one for one in self._voters if one.record.foresees == what]) for what in FORESEES]
        self._points = by_what[0]
        self._others = tuple(lots for lots in by_what[1:] if lots.voters)

    @property
    def columns(self) -> frozenset[str]:
        """The names that its models look at."""
        return frozenset(column.name for voter in self._voters for column in voter.model.columns)

    def deciding(self, lead_id: str) -> Voter | None:
        """The model that decides about the lead; None where the card does."""
        return self._points.deciding(lead_id)

    def rate(self, lead_id: str, values: Values, now: datetime, finish: Finish) -> tuple[Score | None, Opinions]:
        """The score by the model that decides (None where the card does), and what each said."""
        voter = self._points.deciding(lead_id)
        score, said = None, []
        if voter is not None:
            score, opinion = voter.rate(values, now, finish)
            said.append(opinion)
        said += [other.hear(values) for other in self._points.voters if other is not voter]
        foreseen = []
        for lots in self._others:
            counts = lots.deciding(lead_id)
            foreseen += [other.foresee(values, other is counts) for other in lots.voters]
        return score, Opinions(said, voter is not None, foreseen)


class _Lots:
    """Models that foresee the same, and to which of them a lead falls."""

    __slots__ = ("_champion", "_lots", "voters")

    def __init__(self, voters: Sequence[Voter]) -> None:
        self.voters = voters
        self._lots: list[tuple[int, Voter]] = []
        self._champion: Voter | None = None
        upto = 0
        for voter in voters:
            if voter.record.state == "challenger":
                upto += voter.record.share or 0
                self._lots.append((upto, voter))
        for voter in voters:
            if voter.record.state == "champion" and voter.record.share is None:
                self._champion = voter
            elif voter.record.state == "champion":
                upto += voter.record.share or 0
                self._lots.append((upto, voter))

    def deciding(self, lead_id: str) -> Voter | None:
        """The model that the lead falls to; None where it falls to none."""
        if self._lots:
            lot = lot_of(lead_id)
            for upto, voter in self._lots:
                if lot < upto:
                    return voter
        return self._champion
