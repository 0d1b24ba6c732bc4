"""How good providers are: counts by provider, topic and hour, and the figures that follow from them. Pure.

Counted in memory by whoever asks providers and written together every few seconds: a lead costs no statement for it.
What is counted is a closed set: the kinds of :class:`~leadmill.enrich.model.Said`, ``cached``, ``cost`` (millionths),
``agreed`` and ``differed`` (with other providers), ``right`` and ``wrong`` (by what turned out later), ``code …`` for
failures and skips, and ``ms …`` for the time an answer took.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from leadmill.enrich.model import Said
from leadmill.facts import Fact

BOUNDS = (2, 5, 10, 20, 35, 50, 75, 100, 150, 200, 300, 400, 600, 800, 1_200, 1_600, 2_400, 3_200, 5_000, 10_000)
"""Upper bounds, in milliseconds, of the classes into which times are sorted; what is longer is in the last."""

Key = tuple[str, str, datetime, str]
"""Provider, topic, the hour, and what is counted."""


def hour_of(at: datetime) -> datetime:
    """The hour (UTC) that holds a moment."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


class Tally:
    """Counts that were not yet written."""

    def __init__(self) -> None:
        self._counts: dict[Key, int] = {}

    def add(self, provider: str, topic: str, at: datetime, what: str, count: int = 1) -> None:
        """Count something."""
        if count:
            key = (provider, topic, hour_of(at), what)
            self._counts[key] = self._counts.get(key, 0) + count

    def note(self, topic: str, said: Sequence[Said], at: datetime) -> None:
        """Count what came of a chain."""
        for one in said:
            self.add(one.provider, topic, at, one.kind)
            if one.code is not None:
                self.add(one.provider, topic, at, f"code {one.code}")
            if one.cached:
                self.add(one.provider, topic, at, "cached")
            elif one.kind in ("known", "unknown"):
                self.add(one.provider, topic, at, f"ms {bound_of(one.took_ms)}")
            self.add(one.provider, topic, at, "cost", one.cost)
        for provider, agreed, differed in compare(said):
            self.add(provider, topic, at, "agreed", agreed)
            self.add(provider, topic, at, "differed", differed)

    def take(self) -> dict[Key, int]:
        """What was counted since the last time."""
        counts, self._counts = self._counts, {}
        return counts

    def give_back(self, counts: Mapping[Key, int]) -> None:
        """Put back what could not be written."""
        for key, count in counts.items():
            self._counts[key] = self._counts.get(key, 0) + count


def bound_of(took_ms: int) -> int:
    """The class of a time."""
    return BOUNDS[min(bisect_left(BOUNDS, took_ms), len(BOUNDS) - 1)]


def compare(said: Sequence[Said]) -> Iterable[tuple[str, int, int]]:
    """For each provider that others of its chain spoke beside: how many of its facts they agree with, and differ
    from."""
    known: dict[str, dict[str, Fact]] = {
        one.provider: {fact.key: fact for fact in one.facts if fact.value is not None}
        for one in said
        if one.kind == "known"
    }
    for provider, facts in known.items():
        agreed = differed = 0
        for other, theirs in known.items():
            for key in facts.keys() & theirs.keys() if other != provider else ():
                if facts[key].value == theirs[key].value:
                    agreed += 1
                else:
                    differed += 1
        if agreed or differed:
            yield provider, agreed, differed


class Quality(Struct, frozen=True, kw_only=True):
    """What is known of a provider on a topic in a span. Shares are from 0 to 1 and None where nothing was counted;
    ``cost`` is in millionths, times in milliseconds."""

    provider: str
    topic: str
    known: int = 0
    unknown: int = 0
    failed: int = 0
    skipped: int = 0
    cached: int = 0
    cost: int = 0
    agreed: int = 0
    differed: int = 0
    right: int = 0
    wrong: int = 0
    times: tuple[tuple[int, int], ...] = ()
    codes: tuple[tuple[str, int], ...] = ()

    @property
    def asked(self) -> int:
        """How often it was asked, its remembered answers included."""
        return self.known + self.unknown + self.failed

    @property
    def filled(self) -> float | None:
        """The share of questions to which it knew an answer."""
        return _share(self.known, self.asked)

    @property
    def hits(self) -> float | None:
        """The share of questions that it had answered before."""
        return _share(self.cached, self.asked)

    @property
    def faults(self) -> float | None:
        """The share of questions that it left without an answer."""
        return _share(self.failed, self.asked)

    @property
    def truth(self) -> float | None:
        """The share of its statements that turned out right, of those that anything was heard about later."""
        return _share(self.right, self.right + self.wrong)

    @property
    def agreement(self) -> float | None:
        """The share of its statements that others agreed with, of those they spoke about too."""
        return _share(self.agreed, self.agreed + self.differed)

    @property
    def a_lead(self) -> float | None:
        """What a question costs, in millionths."""
        return _share(self.cost, self.asked)

    @property
    def an_answer(self) -> float | None:
        """What a useful answer costs, in millionths."""
        return _share(self.cost, self.known)

    def took(self, share: float) -> int | None:
        """The time within which so large a share of its answers came, remembered ones left out: the upper bound of its
        class."""
        total = sum(count for _, count in self.times)
        reached = 0
        for bound, count in self.times:
            reached += count
            if reached >= share * total:
                return bound
        return None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


_PLAIN = ("known", "unknown", "failed", "skipped", "cached", "cost", "agreed", "differed", "right", "wrong")


def qualities(counts: Iterable[tuple[str, str, str, int]]) -> list[Quality]:
    """What follows from counts by provider, topic and what."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for provider, topic, what, count in counts:
        one = found.setdefault((provider, topic), {})
        one[what] = one.get(what, 0) + count
    return [
        Quality(
            provider=provider,
            topic=topic,
            times=tuple(sorted((int(what[3:]), count) for what, count in one.items() if what.startswith("ms "))),
            codes=tuple(
                sorted(
                    ((what[5:], count) for what, count in one.items() if what.startswith("code ")),
                    key=lambda item: (-item[1], item[0]),
                )
            ),
            **{name: one.get(name, 0) for name in _PLAIN},
        )
        for (provider, topic), one in sorted(found.items())
    ]
