"""What is known of a lead beyond what it says of itself: facts, each with where it is from, how sure it is and what it
cost.

Learned by the steps ``Verify`` and ``Enrich``, read by identity, scoring, policy and market. A normalisation is a fact
as well: the lead's own fields are never overwritten.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import ClassVar, Literal

from msgspec import Struct

from leadmill.core.case import Answer, Ask, Evidence
from leadmill.core.reasons import State, declare

FactValue = str | int | float | bool | list[str] | None
"""What a fact may say; None where it is not known."""

Outcome = Literal["pass", "fail", "unknown"]
"""Whether what was looked at is in order. ``unknown`` is an answer: nothing was found out, nothing is assumed."""

OURS = "leadmill"
"""The source of what a rule of ours says."""

UNUSABLE = declare(
    "facts.contact.unusable", "Neither the e-mail address nor the phone number can be used ({detail}).", State.REJECTED
)
BOT = declare(
    "facts.visitor.bot", "The form was sent by a program that names itself in its user agent.", State.REJECTED
)
FAILED = declare("facts.check.failed", "Not in order, which this vertical does not take: {what}.", State.REJECTED)
DOUBTED = declare(
    "facts.check.doubted", "Not in order, which a person looks at in this vertical: {what}.", State.REVIEW
)


class Fact(Struct, frozen=True, array_like=True):
    """One thing found out. ``source`` names who says so: a rule of ours, a package, a provider.

    ``confidence`` is a percentage; ``cost_minor`` is what the answer cost in minor units of the operator's currency;
    ``observed_at`` is None where it was found out when the dossier was made, ``expires_at`` where it does not age by
    itself. Written as an array, because a lead has dozens: fields are only ever added at the end, with a default.
    """

    key: str
    value: FactValue
    outcome: Outcome
    source: str
    confidence: int = 100
    cost_minor: int = 0
    observed_at: datetime | None = None
    expires_at: datetime | None = None


Rule = Literal["sure", "authority", "correction"]
"""Why a fact counts where several speak to its key: it is the surest, its source is the authority for the key, or a
person has put it right."""


class Win(Struct, frozen=True, array_like=True):
    """The fact that counts for a key whose surest fact does not: its ``place`` among the facts, and ``by`` what."""

    place: int
    by: Rule


class Dossier(Evidence, frozen=True, dict=True, omit_defaults=True):
    """The facts of one lead, found out ``at``, with the reference data of digest ``reference``.

    Where several facts speak to a key, the surest that knows counts, and of equals the first, unless ``wins`` names
    another.
    """

    facts: list[Fact] = []
    at: datetime | None = None
    reference: str = ""
    wins: dict[str, Win] = {}

    personal: ClassVar[bool] = True

    @cached_property
    def by_key(self) -> dict[str, Fact]:
        """The fact that counts for each key."""
        found: dict[str, Fact] = {}
        for fact in self.facts:
            held = found.get(fact.key)
            if held is None or _rank(fact) > _rank(held):
                found[fact.key] = fact
        for key, win in self.wins.items():
            found[key] = self.facts[win.place]
        return found

    def won(self, key: str) -> Rule:
        """Why the fact that counts for a key does."""
        win = self.wins.get(key)
        return "sure" if win is None else win.by

    @cached_property
    def values(self) -> dict[str, FactValue]:
        """What is known by key; what is unknown is absent."""
        return {key: fact.value for key, fact in self.by_key.items() if fact.value is not None}

    def value(self, key: str) -> FactValue:
        """What is known under this key, None where nothing is."""
        fact = self.by_key.get(key)
        return None if fact is None else fact.value

    def text(self, key: str) -> str | None:
        """The value under this key where it is a text."""
        value = self.value(key)
        return value if isinstance(value, str) else None

    def outcome(self, key: str) -> Outcome:
        """Whether what this key is about is in order; ``unknown`` where nobody looked."""
        fact = self.by_key.get(key)
        return "unknown" if fact is None else fact.outcome

    def tell(self) -> Iterable[str]:
        """What was looked at and found, without the personal values."""
        for outcome, words in (("pass", "In order"), ("fail", "Not in order"), ("unknown", "Not known")):
            keys = [key for key, fact in self.by_key.items() if fact.outcome == outcome]
            if keys:
                yield f"{words}: {', '.join(keys)}."
        paid = sum(fact.cost_minor for fact in self.facts)
        if paid:
            yield f"The facts cost {paid} minor units."


def _rank(fact: Fact) -> tuple[bool, int]:
    return fact.value is not None, fact.confidence


class LookUp(Ask, frozen=True):
    """Whether a mail domain takes mail, and where an IP address is; either may be empty."""

    domain: str = ""
    ip: str = ""


class MailSeen(Struct, frozen=True, array_like=True):
    """What the domain name system said of a mail domain: whether it ``takes`` mail (None: not known), ``why``, when it
    said so and until when that holds."""

    takes: bool | None
    why: str
    at: datetime | None = None
    until: datetime | None = None


class IpSeen(Struct, frozen=True, omit_defaults=True):
    """What the files of IP addresses say: ``country`` and ``region`` by their ISO codes, degrees, the network's number
    and name, whether it is a data centre's, whether the address hides another."""

    country: str = ""
    region: str = ""
    city: str = ""
    zone: str = ""
    latitude: float | None = None
    longitude: float | None = None
    asn: int | None = None
    network: str = ""
    hosting: bool | None = None
    anonymous: bool | None = None


class LookedUp(Answer, frozen=True, omit_defaults=True):
    """The answer; None where it was not looked up."""

    mail: MailSeen | None = None
    ip: IpSeen | None = None

    def tell(self) -> Iterable[str]:
        """What was said, without the address."""
        if self.mail is not None:
            yield f"Whether the mail domain takes mail: {_TAKES[self.mail.takes]} ({self.mail.why})."
        if self.ip is not None:
            place = " ".join(filter(None, (self.ip.region, self.ip.country))) or "no known country"
            yield f"The IP files place the address in {place}."


_TAKES = {True: "yes", False: "no", None: "not known"}
