"""Who can be asked about a lead, what is asked and what was heard; what a person corrected.

Asks and answers are heard by the stations ``Enrich`` and ``Correct``. Money here is in millionths of a currency's unit,
since an answer may cost a fraction of a cent.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Literal, Protocol, runtime_checkable

from msgspec import Struct

from leadmill.core.case import Answer, Ask, Evidence
from leadmill.core.conversation import HttpAsk, HttpReply
from leadmill.core.predicates import Value
from leadmill.facts import Fact, FactValue, LookedUp

MICROS = 1_000_000
"""Millionths in one unit of a currency."""

Params = Mapping[str, str]
"""What a provider is told: values by the name of the field or fact they are."""

# ---- plug-ins -------------------------------------------------------------------------------------------------------


class Provider(Protocol):
    """A plug-in of the entry-point group ``leadmill.facts``: a pure conversation that never opens a socket."""

    @property
    def name(self) -> str:
        """What it is called among the installed plug-ins."""
        ...

    @property
    def topics(self) -> Mapping[str, Sequence[str]]:
        """What it can be asked about, and for each topic the lead's fields (``zip``) or facts (``email.domain``) that
        it needs; ``city?`` is told where it is there. Nothing else leaves."""
        ...

    def ask(self, topic: str, params: Params) -> HttpAsk | Sequence[Fact] | None:
        """The request to make; the facts at once where nobody has to be asked; None where there is nothing to ask."""
        ...

    def read(self, topic: str, reply: HttpReply, params: Params) -> Sequence[Fact]:
        """What the reply says. What it does not say is left out or ``unknown``. Raises a Fault where the reply says
        nothing that it understands."""
        ...


@runtime_checkable
class Maker(Protocol):
    """A plug-in that becomes a provider by what its declaration says."""

    def make(self, name: str, options: Mapping[str, object]) -> Provider:
        """The provider called ``name`` with these ``options``. Raises BadInput ``config.provider.malformed`` saying
        what is wrong with them."""
        ...


class Installed(Struct, frozen=True):
    """An installed plug-in: a :class:`Provider` or a :class:`Maker`, and the ``fields`` that its card lets leave."""

    plugin: Provider | Maker
    fields: frozenset[str] = frozenset()


# ---- asking ---------------------------------------------------------------------------------------------------------


class LinkAsk(Struct, frozen=True):
    """One provider of a chain and what it would be told: name and text, sorted by name. ``skip`` is the code of the
    reason why it is not asked, where that is known beforehand."""

    provider: str
    params: tuple[tuple[str, str], ...] = ()
    skip: str | None = None


class ChainAsk(Ask, frozen=True):
    """What do the providers of a chain know on its topic? One question, however many of them are asked."""

    chain: str
    topic: str
    links: tuple[LinkAsk, ...]


SaidKind = Literal["known", "unknown", "failed", "skipped"]
"""How asking a provider ended: it knew something, it knew nothing, no answer came, it was not asked."""


class Said(Struct, frozen=True, omit_defaults=True):
    """What came of one provider. ``code`` says why it failed or was skipped; ``cost`` is in millionths; ``cached`` says
    that it had answered the same question before, ``later`` that it may say more when asked once more."""

    provider: str
    kind: SaidKind
    facts: list[Fact] = []
    code: str | None = None
    cost: int = 0
    took_ms: int = 0
    cached: bool = False
    later: bool = False

    def tell(self) -> str:
        """The same in words, without a value."""
        if self.kind == "known":
            how = "from memory" if self.cached else f"{self.took_ms} ms"
            return f"{self.provider}: {len(self.facts)} facts ({how})"
        if self.kind == "unknown":
            return f"{self.provider}: does not know"
        return f"{self.provider}: {'no answer' if self.kind == 'failed' else 'not asked'} ({self.code})"


class ChainAnswer(Answer, frozen=True, omit_defaults=True):
    """What each provider of a chain said, or why it was not asked, in the chain's order."""

    chain: str
    topic: str
    said: list[Said] = []

    def tell(self) -> Iterable[str]:
        """One sentence a provider."""
        for one in self.said:
            yield f"{self.topic}, {one.tell()}."


class Consultation(Struct, frozen=True, omit_defaults=True):
    """That a provider was asked: everything of a :class:`Said` that is not personal; ``knew`` counts its facts."""

    provider: str
    topic: str
    chain: str
    kind: SaidKind
    knew: int = 0
    code: str | None = None
    cost: int = 0
    took_ms: int = 0
    cached: bool = False


class Consulted(Evidence, frozen=True, omit_defaults=True):
    """Who was asked about a lead and at what cost (millionths). It stays when the person is forgotten."""

    items: list[Consultation] = []

    personal: ClassVar[bool] = False

    def tell(self) -> Iterable[str]:
        """The sum, where anything was paid."""
        paid = sum(item.cost for item in self.items)
        if paid:
            yield f"The providers cost {paid / MICROS:.4f}."


class ProviderAsk(Ask, frozen=True):
    """A question to a provider, as it was put before there were chains. Nobody asks it any more; older journals have
    its answers."""

    provider: str
    topic: str
    params: tuple[tuple[str, str], ...]


class ProviderAnswer(Answer, frozen=True):
    """What a provider said before there were chains. ``fault`` is the code of what went wrong, in which case the facts
    are unknown ones."""

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


# ---- asking again ---------------------------------------------------------------------------------------------------


class AskedAgain(Evidence, frozen=True):
    """That a lead is looked at once more, on these ``topics`` (empty: all of them). Derived from the event that opens
    its page, so it is not stored."""

    topics: tuple[str, ...] = ()

    personal: ClassVar[bool] = False
    kept: ClassVar[bool] = False


# ---- correcting -----------------------------------------------------------------------------------------------------


class Correction(Struct, frozen=True, omit_defaults=True):
    """What a person put right: a field of the lead (``of`` is ``field``; ``was`` is what the lead itself says, None
    where it says nothing) or what is known of it (``of`` is ``fact``). ``why`` may be anything a person writes, so it
    is kept with the personal part."""

    name: str
    value: Value
    of: Literal["field", "fact"]
    by: str
    why: str
    at: datetime
    was: Value = None


class Corrections(Evidence, frozen=True, omit_defaults=True):
    """Everything a person put right about a lead, the latest of each name. It outranks whatever anybody says."""

    items: list[Correction] = []

    personal: ClassVar[bool] = True

    def tell(self) -> Iterable[str]:
        """Who corrected what, without the values."""
        for item in self.items:
            yield f"{item.by} corrected {item.name.replace('_', ' ')}."


class CorrectAsk(Ask, frozen=True):
    """What does a person put right?"""


class CorrectionsMade(Answer, frozen=True):
    """What a person put right just now, and what was looked up about the lead as it is then; None where nothing was."""

    items: list[Correction] = []
    looked: LookedUp | None = None

    def tell(self) -> Iterable[str]:
        """The names alone."""
        yield f"Corrected: {', '.join(item.name for item in self.items)}."


FactValues = Mapping[str, FactValue]
