"""Draws the data map. Pure but for the notes, which lie beside this file."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

from leadmill.capture import Vertical
from leadmill.core.faults import Permanent
from leadmill.core.reading import nearest
from leadmill.core.spans import span_words
from leadmill.delivery import read_delivery
from leadmill.enrich import Enrichment
from leadmill.parties import Buyer, Roster, Team
from leadmill.privacy.agreements import Agreement, in_force
from leadmill.privacy.datamap.model import KINDS, Column, DataMap, FieldUse, Goes, Kind, TableNote, Whose
from leadmill.privacy.retention import TARGETS, Schedule, Terms
from leadmill.runtime.dialect import Profile

Schema = Mapping[str, Mapping[str, str]]
"""The columns' types by table and column."""

_FILE = Path(__file__).with_name("columns.toml")
_ASKED = ("leadmill.facts", "leadmill.certificates")
"""The families of what is declared as a provider."""
_NONE = "none"
"""How a card begins that lets nothing leave."""


@cache
def read_notes() -> Mapping[str, TableNote]:
    """What ``columns.toml`` says of each table. Raises Permanent ``privacy.map.malformed`` where a column stands under
    two kinds or a key is unknown."""
    raw = tomllib.loads(_FILE.read_text("utf-8"))
    return {name: _note(name, table) for name, table in raw.items()}


def _note(name: str, table: Mapping[str, Any]) -> TableNote:
    kinds: dict[str, Kind] = {}
    for key, value in table.items():
        if key in KINDS:
            for column in value:
                if column in kinds:
                    _wrong(f"{name}.{column} stands under two kinds")
                kinds[column] = cast(Kind, key)
        elif key not in ("why", "whose", "keep", "stays", "holds"):
            _wrong(f"{name}: {key} is no kind; {nearest(key, KINDS)}")
    if bool(table.get("keep")) == bool(table.get("stays")):
        _wrong(f"{name}: say how long, either by keep or by stays")
    return TableNote(
        name=name,
        why=str(table["why"]),
        whose=cast(Whose, table["whose"]),
        kinds=kinds,
        holds=dict(table.get("holds", {})),
        keep=str(table.get("keep", "")),
        stays=str(table.get("stays", "")),
    )


def _wrong(says: str) -> None:
    raise Permanent("privacy.map.malformed", f"columns.toml: {says}")


def unnoted(schema: Schema, notes: Mapping[str, TableNote]) -> list[str]:
    """What is wrong between schema and notes, in words that say what to do; empty where all is well."""
    here = f"src/leadmill/privacy/datamap/{_FILE.name}, then run python scripts/datamap.py"
    found = []
    for table, columns in sorted(schema.items()):
        note = notes.get(table)
        if note is None:
            found.append(f"the table {table} has no note: add [{table}] to {here}")
            continue
        found += [f"{table}.{name} has no kind: name it in {here}" for name in columns if name not in note.kinds]
        gone = sorted(note.kinds.keys() - columns.keys())
        found += [f"{table}.{name} is no column any more: take it out of {here}" for name in gone]
        silent = sorted(name for name, kind in note.kinds.items() if kind == "sealed" and name not in note.holds)
        found += [f"{table}.{name}: say what is sealed in it, in holds of {here}" for name in silent]
    left = sorted(notes.keys() - schema.keys())
    return found + [f"{table} is no table any more: take it out of {here}" for table in left]


def columns_of(schema: Schema, terms: Terms) -> list[Column]:
    """Every column with all that is to be said of it."""
    notes = read_notes()
    said = schedule_words(terms)
    return [
        Column(
            table=table,
            name=name,
            type=kind,
            kind=notes[table].kinds[name],
            why=notes[table].why,
            whose=notes[table].whose,
            stays=said.get(notes[table].keep, "") or notes[table].stays or "no schedule: for good",
            holds=notes[table].holds.get(name, ""),
        )
        for table, columns in sorted(schema.items())
        if table in notes
        for name, kind in columns.items()
        if name in notes[table].kinds
    ]


def schedule_words(terms: Terms) -> dict[str, str]:
    """How long each thing that schedules are about stays, in words."""
    return {what: "; ".join(_schedule(one) for one in terms.of(what)) for what in TARGETS}


def _schedule(one: Schedule) -> str:
    of = " ".join([*one.states, *one.verticals, *one.sources, *one.regions])
    since = {"received": "it came", "closed": "anything last happened", "used": "its last use"}[one.since]
    return f"{f'{of}: ' if of else ''}{span_words(one.keep)} after {since}"


def draw_map(
    schema: Schema,
    terms: Terms,
    verticals: Mapping[str, Vertical],
    roster: Roster,
    enrichment: Enrichment,
    cards: Mapping[tuple[str, str], Mapping[str, Any]],
    agreements: Mapping[str, Agreement],
    profiles: Mapping[str, Profile],
) -> DataMap:
    """The whole map. ``cards`` are those of the installed plug-ins by family and name."""
    goes = [
        *(_recipient("buyer", each, agreements, profiles) for each in roster.buyers.values()),
        *(_recipient("team", each, agreements, profiles) for each in roster.teams.values()),
        *_providers(enrichment, cards, agreements),
        *_plugins(cards, agreements),
    ]
    goes = [each for each in goes if each.fields or each.everything]
    return DataMap(
        columns=columns_of(schema, terms),
        fields=[each for name in sorted(verticals) for each in _fields(verticals[name], goes)],
        goes=goes,
        schedules=schedule_words(terms),
    )


def _recipient(
    kind: Literal["buyer", "team"],
    party: Buyer | Team,
    agreements: Mapping[str, Agreement],
    profiles: Mapping[str, Profile],
) -> Goes:
    fields: tuple[str, ...] = ()
    by, everything, where = "reads it in the portal", True, "here"
    if party.delivery:
        spec = read_delivery(party.delivery, profiles=profiles)
        fields = tuple(sorted({picked.source for picked in spec.fields.values()}))
        by, everything, where = f"delivery by {spec.courier}", not spec.fields, _host(spec.url)
    return Goes(
        kind=kind,
        id=party.id,
        name=party.name,
        fields=fields,
        everything=everything,
        by=by,
        where=where,
        agreement=in_force(agreements.values(), kind, party.id),
    )


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2]


def _providers(
    enrichment: Enrichment, cards: Mapping[tuple[str, str], Mapping[str, Any]], agreements: Mapping[str, Agreement]
) -> Iterable[Goes]:
    """Each provider that some chain asks, with what its topics need; those that let nothing leave are none."""
    for ident, spec in sorted(enrichment.providers.items()):
        card = next((cards[family, spec.plugin] for family in _ASKED if (family, spec.plugin) in cards), {})
        if spec.retired or spec.live is None or not leaves(card):
            continue
        topics = [one.chain.topic for one in enrichment.chains if any(x.provider == ident for x in one.chain.links)]
        needs = {need.rstrip("?") for topic in topics for need in spec.live.topics.get(topic, ())}
        yield Goes(
            kind="provider",
            id=ident,
            name=ident,
            fields=tuple(sorted(needs)),
            by=f"asked on {', '.join(sorted(set(topics)))}" if topics else "asked by no chain",
            where=_regions(card),
            agreement=in_force(agreements.values(), "provider", ident),
        )


def _plugins(cards: Mapping[tuple[str, str], Mapping[str, Any]], agreements: Mapping[str, Agreement]) -> Iterable[Goes]:
    for (family, name), card in sorted(cards.items()):
        if family == "leadmill.messengers" and leaves(card):
            yield Goes(
                kind="messenger",
                id=name,
                name=name,
                fields=tuple(str(one) for one in card.get("fields", ("email",))),
                by="; ".join(str(one) for one in card.get("personal_data", ())),
                where=_regions(card),
                agreement=in_force(agreements.values(), "messenger", name),
            )


def leaves(card: Mapping[str, Any]) -> bool:
    """Whether a plug-in's card says that personal data leaves the machine; without a card it counts as if it did."""
    said: Sequence[str] = [str(one) for one in card.get("personal_data", ("not said",))]
    return not all(one.strip().lower().startswith(_NONE) for one in said)


def _regions(card: Mapping[str, Any]) -> str:
    return ", ".join(str(one) for one in card.get("regions", ()))


def _fields(vertical: Vertical, goes: Sequence[Goes]) -> Iterable[FieldUse]:
    for name, spec in vertical.fields.items():
        kind: Kind = "sensitive" if spec.sensitive else "personal" if spec.personal else "operational"
        yield FieldUse(
            vertical=vertical.name,
            name=name,
            title=spec.title or name.replace("_", " "),
            kind=kind,
            sensitive=spec.sensitive or "",
            goes=tuple(f"{each.kind} {each.id}" for each in goes if each.everything or name in each.fields),
        )
