"""Providers, chains and authority among the records: read from their documents, and checked against one another.

Called by ``book``, which assembles what is in force, and by ``planning``, which refuses what could not work.
"""

from collections.abc import Collection, Mapping
from typing import Any, NoReturn

import msgspec

from leadmill.capture import Vertical
from leadmill.core.faults import BadInput
from leadmill.core.reading import nearest
from leadmill.enrich import (
    Chain,
    Enrichment,
    Installed,
    ProviderSpec,
    assemble,
    plain,
    read_authority,
    read_chain,
    read_provider,
    withheld,
)
from leadmill.runtime.records import Snapshot
from leadmill.runtime.telemetry import log

KINDS = ("provider", "chain", "authority")
"""The kinds of record that say whom to ask."""

Installations = Mapping[str, Installed]


class EnrichmentBook:
    """Assembles what is declared. Providers that stay as they are stay made: one may have read a large file."""

    def __init__(self, installed: Installations) -> None:
        self._installed = installed
        self._made: dict[str, tuple[str, ProviderSpec]] = {}

    def assemble(self, found: Snapshot) -> Enrichment:
        """The enrichment of a revision. A provider whose plug-in cannot be made any more is as if it were not
        installed; nobody is asked in its place."""
        providers = [self._provider(ident, body) for ident, body in found.of("provider").items()]
        chains = [read_chain(_decode(body)) for body in found.of("chain").values()]
        authority = [read_authority(_decode(body)) for body in found.of("authority").values()]
        return assemble(providers, chains, authority)

    def _provider(self, ident: str, body: str) -> ProviderSpec:
        made = self._made.get(ident)
        if made is None or made[0] != body:
            raw = _decode(body)
            try:
                spec = read_provider(raw, self._installed)
            except BadInput as fault:
                log("enrich").warning("a provider cannot be used", provider=ident, code=fault.code)
                spec = read_provider(raw)
            made = self._made[ident] = (body, spec)
        return made[1]


def check_chain(
    chain: Chain,
    documents: Mapping[str, Mapping[str, Any]],
    verticals: Mapping[str, Vertical],
    sources: Collection[str],
    installed: Installations | None,
) -> None:
    """Refuse a chain that refers to nothing, asks a provider on a topic it knows nothing about, or would tell it what a
    vertical withholds. ``documents`` are those of the providers. Raises BadInput ``config.reference.unknown`` or
    ``config.chain.withheld``."""
    for kind, names, known in (("vertical", chain.verticals, verticals), ("source", chain.sources, sources)):
        for name in names:
            if name not in known:
                _unknown(f"chain {chain.id}: there is no {kind} '{name}'; {nearest(name, known)}")
    for link in chain.links:
        raw = documents.get(link.provider)
        if raw is None:
            _unknown(f"chain {chain.id}: there is no provider '{link.provider}'; {nearest(link.provider, documents)}")
        try:
            spec = read_provider(raw, installed)
        except BadInput:
            continue  # told of at its own place
        if spec.live is None:
            continue
        needs = spec.live.topics.get(chain.topic)
        if needs is None:
            known = nearest(chain.topic, spec.live.topics)
            _unknown(f"chain {chain.id}: {link.provider} cannot be asked about '{chain.topic}'; {known}")
        for name in chain.verticals:
            for need in needs:
                if need == plain(need) and withheld(verticals.get(name), need):
                    says = f"chain {chain.id} would tell {link.provider} the {need} of {name} leads, which is withheld"
                    raise BadInput("config.chain.withheld", says)


def _unknown(says: str) -> NoReturn:
    raise BadInput("config.reference.unknown", says)


def _decode(body: str) -> dict[str, Any]:
    return msgspec.json.decode(body, type=dict[str, Any])
