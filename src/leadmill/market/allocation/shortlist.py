"""Which bids must be weighed so that the best next offer is certain: by far not all of a large book's.

Called where only the next offer is wanted and nobody is told why a bid lost. What a bid is worth at most follows from
its amount and the shadow prices alone; what it is worth, after looking at its limits. So bids are weighed in order of
the most they can be worth, until no other could change the offer. The plan is the one that :func:`worth.plan` makes
of all bids, and a test holds it to that. Pure.
"""

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, Generic, TypeVar

from leadmill.market.allocation.worth import (
    LIKELIEST,
    Candidate,
    Plan,
    Sharing,
    of_distinct_buyers,
    settle,
    share,
    tries,
    worth_trying,
)

_MORE = 2
"""How many legs are weighed before it is looked again whether they are enough."""


class Way:
    """A way to sell leads, whatever the lead: the order ``key``, alone or as a leg shared among ``most``."""

    __slots__ = ("buyer", "key", "most", "shared")

    def __init__(self, key: str, buyer: str, shared: bool, most: int) -> None:
        self.key = key
        self.buyer = buyer
        self.shared = shared
        self.most = most


W = TypeVar("W", bound=Way)

Wish = tuple[float, int, W]
"""At most what a way is worth for this lead, what it pays, and the way."""


class Shortlist(Generic[W]):
    """The bids for one lead. ``odds`` says exactly how likely one is accepted, ``weigh`` what it is worth: None where
    it is worth nothing or a limit keeps it off, never more than the wish says; of equals the first by ``turn`` is
    asked. What is weighed once holds for every round."""

    __slots__ = ("_alone", "_most", "_odds", "_together", "_turn", "_weigh", "weighed")

    def __init__(
        self,
        wishes: Iterable[Wish[W]],
        odds: Callable[[Wish[W]], float],
        weigh: Callable[[Wish[W]], Candidate | None],
        turn: Callable[[Candidate], Any],
    ) -> None:
        ranked = sorted([wish for wish in wishes if wish[0] > 0.0], key=_bound, reverse=True)
        self._alone = [wish for wish in ranked if not wish[2].shared]
        self._together = [wish for wish in ranked if wish[2].shared]
        self._most = {wish[2].most for wish in self._together}
        self._odds = odds
        self._weigh = weigh
        self._turn = turn
        self.weighed: dict[W, Candidate | None] = {}

    def leave_out(self, keys: Iterable[str], buyers: Iterable[str]) -> None:
        """Ask these no more."""
        gone, served = set(keys), set(buyers)
        self._alone = [wish for wish in self._alone if wish[2].key not in gone and wish[2].buyer not in served]
        self._together = [wish for wish in self._together if wish[2].key not in gone and wish[2].buyer not in served]

    def plan(self, legs: int, rounds: int, alone: bool = True) -> Plan | None:
        """The best next offer, as :func:`worth.plan` finds it among all bids in their turn."""
        if rounds <= 0:
            return None
        if rounds > 1:
            certain, found = self._soon_certain(legs, rounds, alone)
            if certain:
                return found
        sharing = self._sharing(legs, rounds)
        singles = self._singles(sharing, rounds) if alone else []
        return settle(singles, sharing, rounds)

    def _soon_certain(self, legs: int, rounds: int, alone: bool) -> tuple[bool, Plan | None]:
        """Whether the offer is certain though what sharing earns at the last round is known within bounds only, and the
        offer if so. Nothing is won by knowing it better unless two ways to begin lie close together."""
        found, rest = self._parted(self._together)
        sizes = {min(most, legs) for most in self._most}
        if legs > 0 and len(sizes) > 1:
            return False, None
        size = sizes.pop() if legs > 0 and sizes else 0
        place = max(size + 1 - len(found), 0) if size else 0
        found += self._look_at(rest[:place])
        while size and place < len(rest) and rest[place][0] >= _filler(found, size):
            found += self._look_at(rest[place : place + 1])
            place += 1
        found.sort(key=self._turn)
        sharing = share(found, legs, rounds)
        most = sharing.once
        if size and place < len(rest):
            others = [rest[place][0] * LIKELIEST] * size
            most = sum(sorted([one.worth * one.odds for one in found] + others, reverse=True)[:size])
            if most > sharing.again:
                return False, None
        if not alone:
            return True, settle((), sharing, rounds)
        singles, rest = self._parted(self._alone)
        place = max(rounds - 1 - len(singles), 0)
        singles += self._look_at(rest[:place])
        while True:
            beyond = rest[place][0] if place < len(rest) and rest[place][0] >= sharing.once else 0.0
            if self._certain(singles, sharing, most, rounds, beyond):
                return True, settle(sorted(singles, key=self._turn), sharing, rounds)
            if not beyond:
                return False, None
            singles += self._look_at(rest[place : place + 1])
            place += 1

    def _certain(self, singles: Sequence[Candidate], sharing: Sharing, most: float, rounds: int, beyond: float) -> bool:
        """Whether the way that seems best to begin with is so whatever is not known: it earns at least what any other
        earns at most."""
        if not singles:
            return beyond < sharing.again or not beyond
        ranked = worth_trying(singles, sharing.once, rounds)
        if not beyond and most == sharing.once:
            return True
        least = tries(ranked, sharing.once, sharing.again, rounds)
        highest = tries(ranked, most, sharing.again, rounds, beyond)
        best = max(least, default=0.0)
        if best >= sharing.again:
            del highest[least.index(best)]
        else:
            best = sharing.again
        return beyond < best and max(highest, default=-1.0) < best

    def _sharing(self, legs: int, rounds: int) -> Sharing:
        found, rest = self._parted(self._together)
        for size in sorted({min(most, legs) for most in self._most}) if rest and legs > 0 else ():
            unknown = [wish for wish in rest if wish[2].most >= size and wish[2] not in self.weighed]
            first = max(size + 1 - len(found), 0)
            found += self._look_at(unknown[:first])
            unknown = unknown[first:]
            while unknown and (missing := self._missing(unknown, found, size)):
                found += self._look_at(missing)
                unknown = [wish for wish in unknown if wish[2] not in self.weighed]
        found.sort(key=self._turn)
        return share(found, legs, rounds)

    def _missing(self, unknown: Sequence[Wish[W]], found: Sequence[Candidate], size: int) -> list[Wish[W]]:
        """Some of those that could still change what sharing earns: worth enough to come before the leg that fills the
        last room, or likely and worth enough to be among the best ``size``."""
        willing = [one for one in found if one.most >= size]
        filler, least = _filler(willing, size), _least(willing, size)
        missing: list[Wish[W]] = []
        for wish in unknown:
            bound = wish[0]
            if bound >= filler or bound * self._odds(wish) >= least:
                missing.append(wish)
                if len(missing) == _MORE:
                    break
            elif bound * LIKELIEST < least:
                break
        return missing

    def _singles(self, sharing: Sharing, rounds: int) -> list[Candidate]:
        """The bids for the lead alone that may be in the best sequence: by what :func:`worth.settle` says of those that
        cannot be, those are left out whose most is too little."""
        found, rest = self._parted(self._alone)
        least = sharing.once
        if rounds == 1:
            least = max([least, *[one.worth * one.odds for one in found]])
        for wish in rest:
            bound = wish[0]
            if bound < least:
                break
            if rounds == 1:
                if bound * self._odds(wish) < least:
                    continue
            elif len(found) >= rounds and sum([one.worth > bound for one in found]) >= rounds:
                odds = self._odds(wish)
                if sum([one.worth > bound and one.odds >= odds for one in found]) >= rounds:
                    continue
            fresh = self._look_at((wish,))
            found += fresh
            if rounds == 1 and fresh:
                least = max(least, fresh[0].worth * fresh[0].odds)
        found.sort(key=self._turn)
        return found

    def _parted(self, wishes: Sequence[Wish[W]]) -> tuple[list[Candidate], Sequence[Wish[W]]]:
        """What is known to be worth something, and the bids not weighed so far."""
        weighed = self.weighed
        if not weighed:
            return [], wishes
        known = [weighed[wish[2]] for wish in wishes if wish[2] in weighed]
        return [one for one in known if one is not None], [wish for wish in wishes if wish[2] not in weighed]

    def _look_at(self, some: Iterable[Wish[W]]) -> list[Candidate]:
        fresh = []
        for wish in some:
            one = self.weighed[wish[2]] = self._weigh(wish)
            if one is not None:
                fresh.append(one)
        return fresh


def _filler(willing: Sequence[Candidate], size: int) -> float:
    """The worth of the leg that fills the last room where refused ones are filled up: none that is worth less is used.
    0 where there is room for more."""
    if len(willing) > size:
        room = float(size)
        for one in of_distinct_buyers(sorted(willing, key=_by_worth)):
            room -= one.odds
            if room <= 0.0:
                return one.worth
    return 0.0


def _least(willing: Sequence[Candidate], size: int) -> float:
    """Worth times odds of the last of the best ``size``; 0 where there are fewer."""
    if len(willing) >= size:
        best = of_distinct_buyers(sorted(willing, key=_by_expected), size)
        if len(best) == size:
            return best[-1].worth * best[-1].odds
    return 0.0


def _by_worth(one: Candidate) -> float:
    return -one.worth


def _by_expected(one: Candidate) -> float:
    return -one.worth * one.odds


_bound = itemgetter(0)
