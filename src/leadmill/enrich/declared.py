"""Providers, chains and whose word counts, as a business declares them.

Read from configuration by ``flow`` when it is applied and whenever its revision moves; held by the rules in force. A
declaration that asks for more than a plug-in's card lets leave is refused here.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from leadmill.capture import Vertical
from leadmill.core.faults import BadInput
from leadmill.core.predicates import Check, compile_predicate, parse
from leadmill.core.reading import Table, nearest
from leadmill.core.spans import is_span
from leadmill.enrich.model import MICROS, Installed, Maker, Provider

PROVIDER_CODE = "config.provider.malformed"
CHAIN_CODE = "config.chain.malformed"

OWN = "own"
"""In an authority: whatever we found out ourselves."""

Per = Literal["second", "minute", "hour", "day", "month", "all"]
PERS: tuple[Per, ...] = ("second", "minute", "hour", "day", "month", "all")

Charge = Literal["answer", "request"]
"""When a provider is owed its price: where it knew something, or for every request."""


class Limit(Struct, frozen=True):
    """At most so many requests, or so much money (millionths), in each window, which is of UTC."""

    per: Per
    asks: int | None = None
    spend: int | None = None


class ProviderSpec(Struct, frozen=True, kw_only=True):
    """A provider as declared. ``live`` is the plug-in ready to converse, None where it is not installed. An answer is
    remembered for the span ``keep``, "does not know" for ``keep_unknown``; ``price`` is in millionths."""

    id: str
    plugin: str
    price: int = 0
    charge: Charge = "answer"
    currency: str = "USD"
    limits: tuple[Limit, ...] = ()
    timeout_ms: int = 2_000
    keep: str = "30d"
    keep_unknown: str = "1d"
    retired: bool = False
    live: Provider | None = None
    fields: frozenset[str] = frozenset()


class Link(Struct, frozen=True):
    """A provider's place in a chain, and the condition (as tables) under which it is asked."""

    provider: str
    where: tuple[Any, ...] = ()


class Chain(Struct, frozen=True, kw_only=True):
    """Whom to ask on a topic, in what order, and how far to go. Empty ``verticals`` or ``sources`` mean all of them;
    ``wants`` are the facts that end the asking once all are known (none: any fact). ``spend`` is at most what a lead
    may cost here, in millionths."""

    id: str
    topic: str
    links: tuple[Link, ...]
    verticals: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    where: tuple[Any, ...] = ()
    together: bool = False
    every: bool = False
    wants: tuple[str, ...] = ()
    within_ms: int = 3_000
    spend: int | None = None
    limits: tuple[Limit, ...] = ()
    retired: bool = False


class Authority(Struct, frozen=True):
    """Whose word counts for a field, best first; nobody's in particular where it is empty."""

    id: str
    sources: tuple[str, ...] = ()
    retired: bool = False


class Compiled(Struct, frozen=True):
    """A chain with its conditions ready to be asked."""

    chain: Chain
    holds: Check | None
    links: tuple[tuple[Link, Check | None], ...]


class Enrichment(Struct, frozen=True):
    """Everything declared: providers by id, chains in the order of their ids, and the sources of a field by its
    name."""

    providers: Mapping[str, ProviderSpec] = {}
    chains: tuple[Compiled, ...] = ()
    authority: Mapping[str, tuple[str, ...]] = {}

    def __bool__(self) -> bool:
        return bool(self.chains)


NO_ENRICHMENT = Enrichment()


# Reading


def read_provider(raw: object, installed: Mapping[str, Installed] | None = None) -> ProviderSpec:
    """A ``[[provider]]`` table. ``installed`` are the plug-ins by name; None reads what is said and checks nothing.

    Raises BadInput ``config.provider.malformed``, ``config.reference.unknown`` for a plug-in that is not installed,
    ``config.provider.card`` where it would be told more than its card lets leave.
    """
    table = Table(raw, "provider", PROVIDER_CODE)
    ident = table.name()
    table.where = f"provider {ident}"
    plugin = table.text("plugin", ident)
    currency = table.currency()
    options = table.value("options", {})
    if not isinstance(options, Mapping):
        table.refuse("must be a table", "options")
    if ident == OWN:
        table.refuse("is what our own facts are called", "id")
    charge: Charge = "request" if table.choice("charge", ("answer", "request"), "answer") == "request" else "answer"
    price = read_price(table, "price") if table.has("price") else 0
    limits = read_limits(table)
    timeout_ms = table.whole("timeout_ms", 2_000, least=50, most=60_000)
    keep, keep_unknown = read_keep(table, "keep", "30d"), read_keep(table, "keep_unknown", "1d")
    retired = table.flag("retired", False)
    table.close()
    live, fields = None, frozenset[str]()
    if installed is not None:
        there = installed.get(plugin)
        if there is None and not retired:
            says = f"provider {ident}, plugin: there is no plug-in '{plugin}'; {nearest(plugin, installed)}"
            raise BadInput("config.reference.unknown", says)
        if there is not None:
            live, fields = _live(table, ident, there, options), there.fields
    return ProviderSpec(
        id=ident,
        plugin=plugin,
        price=price,
        charge=charge,
        currency=currency,
        limits=limits,
        timeout_ms=timeout_ms,
        keep=keep,
        keep_unknown=keep_unknown,
        retired=retired,
        live=live,
        fields=fields,
    )


def _live(table: Table, ident: str, there: Installed, options: Mapping[str, Any]) -> Provider:
    plugin = there.plugin
    if isinstance(plugin, Maker):
        provider = plugin.make(ident, options)
    elif options:
        table.refuse("this plug-in takes none", "options")
    else:
        provider = plugin
    for topic, needs in provider.topics.items():
        for need in needs:
            if not may_leave(need, there.fields):
                says = f"provider {ident} would be told {plain(need)} on {topic}; its card does not let that leave"
                raise BadInput("config.provider.card", says)
    return provider


def plain(need: str) -> str:
    """The field or fact that a need names: ``city`` for ``city?``."""
    return need.removesuffix("?")


def may_leave(need: str, fields: frozenset[str]) -> bool:
    """Whether a card lets a field or fact leave: it names it, or the field that the fact is about."""
    name = plain(need)
    return name in fields or name.partition(".")[0] in fields


def withheld(vertical: Vertical | None, need: str) -> bool:
    """Whether a vertical keeps a field to itself: its pack withholds it, or it is sensitive there."""
    if vertical is None:
        return False
    name = plain(need).partition(".")[0]
    spec = vertical.fields.get(name)
    return "*" in vertical.withhold or name in vertical.withhold or (spec is not None and spec.sensitive is not None)


def read_chain(raw: object) -> Chain:
    """A ``[[chain]]`` table. Raises BadInput ``config.chain.malformed``."""
    table = Table(raw, "chain", CHAIN_CODE)
    ident = table.name()
    table.where = f"chain {ident}"
    where = table.value("where", [])
    parse(where, f"{table.where}, where")
    chain = Chain(
        id=ident,
        topic=table.name("topic"),
        links=_links(table),
        verticals=table.texts("verticals", ()),
        sources=table.texts("sources", ()),
        where=tuple(where),
        together=table.flag("together", False),
        every=table.flag("every", False),
        wants=table.texts("wants", ()),
        within_ms=table.whole("within_ms", 3_000, least=50, most=60_000),
        spend=read_price(table, "spend") if table.has("spend") else None,
        limits=read_limits(table),
        retired=table.flag("retired", False),
    )
    table.close()
    if not chain.links:
        table.refuse("names nobody to ask", "ask")
    names = [link.provider for link in chain.links]
    for name in names:
        if names.count(name) > 1:
            table.refuse(f"names {name} twice", "ask")
    return chain


def _links(table: Table) -> tuple[Link, ...]:
    found: list[Link] = []
    for place, raw in enumerate(table.tables("ask")):
        if isinstance(raw, str):
            found.append(Link(raw))
            continue
        part = table.inner(raw, f"ask[{place}]")
        where = part.value("where", [])
        parse(where, f"{part.where}, where")
        found.append(Link(part.text("provider"), tuple(where)))
        part.close()
    return tuple(found)


def read_authority(raw: object) -> Authority:
    """A field of the ``[authority]`` table, as ``{ id, sources }``. Raises BadInput ``config.authority.malformed``."""
    table = Table(raw, "authority", "config.authority.malformed")
    ident = table.name()
    table.where = f"authority of {ident}"
    found = Authority(ident, table.texts("sources", ()), table.flag("retired", False))
    table.close()
    return found


def read_price(table: Table, key: str) -> int:
    """An amount written as a text such as ``"0.004"``, in millionths; at most six places."""
    found = table.value(key)
    try:
        value = Decimal(found) * MICROS if isinstance(found, str) else Decimal("NaN")
    except ArithmeticError:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 <= value < 10**15 or value != value.to_integral_value():
        table.refuse('must be an amount written as a text, such as "0.004", of at most six places', key)
    return int(value)


def read_limits(table: Table) -> tuple[Limit, ...]:
    found: list[Limit] = []
    for place, raw in enumerate(table.tables("limits")):
        part = table.inner(raw, f"limits[{place}]")
        word = part.choice("per", PERS)
        per = next(one for one in PERS if one == word)
        asks = part.whole("asks", least=0) if part.has("asks") else None
        spend = read_price(part, "spend") if part.has("spend") else None
        part.close()
        if asks is None and spend is None:
            part.refuse("limits nothing; give asks, spend or both")
        if any(other.per == per for other in found):
            part.refuse(f"there is another limit a {per}; write both in one")
        found.append(Limit(per, asks, spend))
    return tuple(found)


def read_keep(table: Table, key: str, default: str) -> str:
    found = table.text(key, default)
    if not is_span(found):
        table.refuse("must be a span such as 12h, 30d or 6mo; 0h remembers nothing", key)
    return found


# Assembling


def assemble(providers: Sequence[ProviderSpec], chains: Sequence[Chain], authority: Sequence[Authority]) -> Enrichment:
    """Everything in force, what has retired left out."""
    return Enrichment(
        {spec.id: spec for spec in providers if not spec.retired},
        tuple(_compiled(chain) for chain in sorted(chains, key=lambda chain: chain.id) if not chain.retired),
        {one.id: one.sources for one in authority if one.sources and not one.retired},
    )


def _compiled(chain: Chain) -> Compiled:
    return Compiled(chain, _check(chain.where), tuple((link, _check(link.where)) for link in chain.links))


def _check(where: tuple[Any, ...]) -> Check | None:
    return compile_predicate(parse(list(where))) if where else None
