"""What is asked about a lead, what follows from the answers, and whose word counts. Pure.

Called by the package's stations and by whoever shows a lead as it stood before it was corrected.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from leadmill.capture import Lead, Vertical
from leadmill.core.predicates import Value
from leadmill.enrich.declared import OWN, Compiled, Enrichment, plain, withheld
from leadmill.enrich.model import (
    ChainAnswer,
    ChainAsk,
    Consultation,
    Consulted,
    Correction,
    Corrections,
    LinkAsk,
    Provider,
)
from leadmill.facts import Dossier, Fact, Outcome, Reference, Win

OPERATOR = "operator"
"""The source of what a person put right."""

_NORMAL = {
    "phone": "phone.e164",
    "email": "email.normal",
    "state": "state.code",
    "zip": "zip.code",
    "country": "country.code",
}
"""The facts in whose form a field is told, where we have it: one person is then one question, however they write."""

_POINT = {"zip.latitude": "latitude", "zip.longitude": "longitude"}
"""What is looked up in the reference data when a provider needs it: few do, and no dossier holds it."""

_ABOUT = {
    "phone": ("phone.",),
    "email": ("email.", "company."),
    "zip": ("zip.", "geo.", "area.", "address."),
    "city": ("address.",),
    "state": ("address.",),
    "address": ("address.", "property."),
    "first_name": ("name.", "identity."),
    "last_name": ("name.", "identity."),
    "date_of_birth": ("person.", "identity."),
    "ip": ("ip.",),
}
"""What was found out about a field: gone when the field turns out to be another."""


AFTERWARDS = frozenset(("retain",))
"""Topics that cost money and bring the walk nothing: asked about by name alone, once a lead has a recipient."""

_OF_PERSON = (".matched", ".phone", ".email")
"""Ends of the keys of what a vendor said of a certificate when it compared the person's details."""


# Asking


def plan(
    enrichment: Enrichment,
    lead: Lead,
    dossier: Dossier,
    vertical: Vertical | None,
    reference: Reference | None = None,
    topics: Sequence[str] = (),
) -> list[ChainAsk]:
    """The questions to ask about a lead, on these ``topics`` (none: on any but those of ``AFTERWARDS``). A test lead is
    not asked about: answers cost money."""
    asks: list[ChainAsk] = []
    if lead.test:
        return asks
    values: dict[str, Value] | None = None
    for one in enrichment.chains:
        chain = one.chain
        if chain.verticals and lead.vertical not in chain.verticals:
            continue
        if chain.sources and lead.source_id not in chain.sources:
            continue
        if chain.topic not in topics if topics else chain.topic in AFTERWARDS:
            continue
        if values is None:
            values = view(lead, dossier)
        if one.holds is not None and not one.holds(values, lead.received_at):
            continue
        asks.append(_chain_ask(enrichment, one, lead, dossier, vertical, reference, values))
    return asks


def _chain_ask(
    enrichment: Enrichment,
    one: Compiled,
    lead: Lead,
    dossier: Dossier,
    vertical: Vertical | None,
    reference: Reference | None,
    values: Mapping[str, Value],
) -> ChainAsk:
    links = []
    for link, holds in one.links:
        spec = enrichment.providers.get(link.provider)
        if spec is None or spec.live is None:
            links.append(LinkAsk(link.provider, skip="enrich.provider.missing"))
        elif holds is not None and not holds(values, lead.received_at):
            links.append(LinkAsk(link.provider, skip="enrich.condition.unmet"))
        else:
            links.append(_told(link.provider, spec.live, one.chain.topic, lead, dossier, vertical, reference))
    return ChainAsk(one.chain.id, one.chain.topic, tuple(links))


def _told(
    name: str,
    live: Provider,
    topic: str,
    lead: Lead,
    dossier: Dossier,
    vertical: Vertical | None,
    reference: Reference | None,
) -> LinkAsk:
    needs = live.topics.get(topic)
    if needs is None:
        return LinkAsk(name, skip="enrich.topic.unknown")
    params: list[tuple[str, str]] = []
    for need in sorted(needs):
        key = plain(need)
        if withheld(vertical, need):
            if key == need:
                return LinkAsk(name, skip="enrich.field.withheld")
            continue
        value = told(key, lead, dossier, reference)
        if value is not None:
            params.append((key, value))
        elif key == need:
            return LinkAsk(name, skip="enrich.field.missing")
    return LinkAsk(name, tuple(params))


def told(name: str, lead: Lead, dossier: Dossier, reference: Reference | None = None) -> str | None:
    """What a provider is told under this name: a fact, a field in its normal form, where its ZIP lies, what came with
    its consent (``consent.trustedform``), or which lead it is and whose (``lead.id``, ``lead.source``)."""
    if name in _POINT and reference is not None:
        code = dossier.text("zip.code")
        place = reference.place(code) if code is not None else None
        return None if place is None else str(getattr(place, _POINT[name]))
    head, _, tail = name.partition(".")
    if head == "consent":
        token = lead.consent.get(tail)
        return token.strip() or None if isinstance(token, str) else None
    if head == "lead":
        return {"id": lead.id, "source": lead.source_id}.get(tail)
    normal = name if "." in name else _NORMAL.get(name)
    if normal is not None:
        fact = dossier.by_key.get(normal)
        if fact is not None and fact.value is not None and fact.outcome != "fail":
            value = fact.value
            return str(value).lower() if isinstance(value, bool) else str(value)
    return None if "." in name else lead.text(name)


def view(lead: Lead, dossier: Dossier) -> dict[str, Value]:
    """What the conditions of chains see of a lead: its fields, what we found out ourselves, ``context.*``, ``source``
    and ``vertical``."""
    values: dict[str, Value] = {f"context.{name}": value for name, value in lead.context.items()}
    values |= lead.fields
    values |= dossier.values
    for name in ("state", "zip", "country"):
        known = dossier.values.get(_NORMAL[name])
        if known is not None:
            values[name] = known
    return values | {"source": lead.source_id, "vertical": lead.vertical}


# What follows


def gather(dossier: Dossier, answers: Iterable[ChainAnswer]) -> list[Fact]:
    """The facts known so far and the answers'. Of a provider that speaks again, what it said before is gone."""
    fresh = [fact for answer in answers for said in answer.said for fact in said.facts]
    said = {(fact.source, fact.key) for fact in fresh}
    return [fact for fact in dossier.facts if (fact.source, fact.key) not in said] + fresh


def weigh(
    facts: list[Fact],
    dossier: Dossier,
    enrichment: Enrichment,
    corrections: Corrections | None,
) -> Dossier:
    """The dossier of these facts, with whose word counts: a person's before anybody's, then the authority's for the
    field, else the surest's. ``dossier`` gives its moment and its reference data."""
    providers = enrichment.providers
    kept = [fact for fact in facts if fact.source != OPERATOR]
    wins: dict[str, Win] = {}
    if enrichment.authority:
        by_key: dict[str, dict[str, int]] = {}
        for place, fact in enumerate(kept):
            if fact.key in enrichment.authority and fact.value is not None:
                by_key.setdefault(fact.key, {})[fact.source] = place
        for key, places in by_key.items():
            for name in enrichment.authority[key]:
                own = name == OWN
                found = [place for one, place in places.items() if one == name or (own and one not in providers)]
                if found:
                    wins[key] = Win(found[0], "authority")
                    break
    for item in corrections.items if corrections is not None else ():
        if item.of == "fact":
            wins[item.name] = Win(len(kept), "correction")
            kept.append(fact_of(item))
    return Dossier(kept, dossier.at, dossier.reference, wins)


def fact_of(item: Correction) -> Fact:
    """What a person put right about what is known."""
    value = item.value
    outcome: Outcome = "unknown" if value is None else "fail" if value is False else "pass"
    return Fact(item.name, value, outcome, OPERATOR, 100, 0, item.at)


def consulted(answers: Sequence[ChainAnswer]) -> Consulted | None:
    """Who was asked and at what cost, without what they said; None where nobody was even thought of."""
    items = [
        Consultation(
            said.provider,
            answer.topic,
            answer.chain,
            said.kind,
            sum(fact.value is not None for fact in said.facts),
            said.code,
            said.cost,
            said.took_ms,
            said.cached,
        )
        for answer in answers
        for said in answer.said
    ]
    return Consulted(items) if items else None


# Correcting


def put_right(lead: Lead, before: Corrections | None, made: Sequence[Correction]) -> tuple[Lead, Corrections]:
    """The lead as corrected, and all its corrections: of each name the latest, with what the lead itself had said."""
    held = {(item.of, item.name): item for item in (before.items if before is not None else ())}
    for item in made:
        key = (item.of, item.name)
        if item.of == "field":
            earlier = held.get(key)
            item = msgspec.structs.replace(item, was=earlier.was if earlier else lead.fields.get(item.name))
        held[key] = item
    corrections = Corrections(list(held.values()))
    return corrected(lead, corrections), corrections


def corrected(lead: Lead, corrections: Corrections) -> Lead:
    """The lead with its corrected fields."""
    return _with(lead, {item.name: item.value for item in corrections.items if item.of == "field"})


def original(lead: Lead, corrections: Corrections) -> Lead:
    """The lead as it was before anybody corrected it."""
    return _with(lead, {item.name: item.was for item in corrections.items if item.of == "field"})


def _with(lead: Lead, fields: Mapping[str, Value]) -> Lead:
    if not fields:
        return lead
    kept = {name: value for name, value in {**lead.fields, **fields}.items() if value is not None}
    return msgspec.structs.replace(lead, fields=kept)


def still_true(facts: Iterable[Fact], changed: Collection[str], providers: Iterable[str]) -> list[Fact]:
    """What providers said that is not about a field which turned out to be another."""
    gone = tuple(head for name in changed for head in _ABOUT.get(name, (f"{name}.",)))
    there = frozenset(providers)
    compared = not {"phone", "email"}.isdisjoint(changed)
    return [
        fact
        for fact in facts
        if fact.source in there
        and not fact.key.startswith(gone or ("\0",))
        and not (compared and fact.key.startswith("certificate.") and fact.key.endswith(_OF_PERSON))
    ]


def agrees(fact: Fact, value: Value) -> bool:
    """Whether a fact says the same; texts are compared without regard to case and blanks."""
    said = fact.value
    if isinstance(said, str) and isinstance(value, str):
        return " ".join(said.casefold().split()) == " ".join(value.casefold().split())
    return said == value
