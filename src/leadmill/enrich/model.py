"""Who can be asked about a lead, what is asked and what was heard.

Asks and answers are heard by the station ``Enrich``; older journals have the answers with the station ``facts``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from leadmill.core.case import Answer, Ask
from leadmill.core.conversation import HttpAsk, HttpReply
from leadmill.facts import Fact


class ProviderAsk(Ask, frozen=True):
    """A question to a provider plug-in. ``params`` are name and text, sorted by name: only what the provider's card
    says may leave."""

    provider: str
    topic: str
    params: tuple[tuple[str, str], ...]


class ProviderAnswer(Answer, frozen=True):
    """What a provider said, as facts. ``fault`` is the code of what went wrong, in which case the facts are unknown
    ones."""

    provider: str
    topic: str
    facts: list[Fact] = []
    fault: str | None = None

    def tell(self) -> Iterable[str]:
        """Who was asked about what and whether an answer came."""
        yield (
            f"{self.provider} on {self.topic}: no answer ({self.fault})."
            if self.fault
            else f"{self.provider} on {self.topic}: {len(self.facts)} facts."
        )


class Provider(Protocol):
    """A plug-in of the entry-point group ``leadmill.facts``: a pure conversation that never opens a socket."""

    @property
    def name(self) -> str:
        """Its name in the configuration, in asks and as the source of its facts."""
        ...

    @property
    def topics(self) -> Mapping[str, Sequence[str]]:
        """What it can be asked about, and for each topic the lead's fields that it needs: nothing else leaves."""
        ...

    def ask(self, topic: str, params: Mapping[str, str]) -> HttpAsk | None:
        """The request to make; None where there is nothing to ask."""
        ...

    def read(self, topic: str, reply: HttpReply, params: Mapping[str, str]) -> list[Fact]:
        """What the reply says. What it does not say is left out or ``unknown``."""
        ...


class Consult(Struct, frozen=True):
    """A provider in use. Empty ``verticals``, ``sources`` or ``topics`` mean all of them."""

    provider: Provider
    topics: tuple[str, ...] = ()
    verticals: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
