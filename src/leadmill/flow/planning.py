"""What a configuration would change, worked out and checked before anything is written.

Called by ``configure`` with the tables of its files and the documents that stand. A table is read by the package it
belongs to; what it refers to must be there. Every mistake is gathered, so that a person mends a file once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NoReturn

import msgspec
from msgspec import Struct

from leadmill.capture import Form, Vertical, canonical_vertical, credential_text, read_form, vertical_names
from leadmill.core.faults import BadInput
from leadmill.core.reading import nearest
from leadmill.delivery import read_delivery
from leadmill.enrich import Authority, Chain, ProviderSpec, read_authority, read_chain, read_provider
from leadmill.flow.changes import RecordChange, compare
from leadmill.flow.enriching import check_chain
from leadmill.flow.mistakes import Mistakes
from leadmill.flow.rating import KINDS as RATING
from leadmill.flow.rating import Rating, check_rating, read_rating
from leadmill.flow.rules import NO_DIALECTS, Dialects
from leadmill.flow.standing import KINDS as STANDING
from leadmill.flow.standing import Aside, check_aside, read_aside
from leadmill.hygiene import Reverify
from leadmill.market import MarketTerms, Order, read_market, read_order
from leadmill.parties import (
    KEY_PURPOSE,
    Buyer,
    KeyedHash,
    Source,
    Team,
    key_reference,
    read_buyer,
    read_source,
    read_team,
)
from leadmill.privacy import DataAgreement, Schedule
from leadmill.review import ReviewTerms
from leadmill.scoring import Adjustment, CardRecord, CardReviewTerms, ModelRecord
from leadmill.scoring.retraining import Retrain
from leadmill.scoring.watch import WatchTerms

Party = Source | Buyer | Team | Order | MarketTerms | Form | ProviderSpec | Chain | Authority | Aside | Rating


OF_VERTICALS = frozenset({"market", "scorecard", "card_review", "watch"})
"""Kinds of which a vertical has one, under its own name."""


class Declared(Struct, frozen=True):
    """A table of a file; ``place`` is where it stands, such as ``business.toml#/order/3``. A market or a scorecard has
    its vertical's name as its id."""

    kind: str
    raw: dict[str, Any]
    place: str

    @property
    def id(self) -> str:
        """Its id, or nothing where it has none that is a text."""
        found = self.raw.get("vertical" if self.kind in OF_VERTICALS else "id")
        return found if isinstance(found, str) else ""


class Plan(Struct, frozen=True):
    """What applying would do: each record's change, its document afterwards (None to delete), and the records as
    read."""

    records: tuple[RecordChange, ...]
    documents: dict[tuple[str, str], str | None]
    parties: dict[tuple[str, str], Party]


def plan(
    declared: Sequence[Declared],
    standing: Mapping[tuple[str, str], str],
    verticals: Mapping[str, Vertical],
    keyed_hash: KeyedHash,
    environ: Mapping[str, str],
    dialects: Dialects = NO_DIALECTS,
) -> Plan:
    """What applying the tables to the standing documents would do; nothing is written.

    Raises :class:`BadInput`: the mistake itself where there is one, ``config.files.invalid`` with one entry each
    where there are several."""
    faults = Mistakes()
    names = vertical_names(verticals)
    parties: dict[tuple[str, str], Party] = {}
    after: dict[tuple[str, str], dict[str, Any] | None] = {}
    before = {key: decode(body) for key, body in standing.items()}
    places: dict[tuple[str, str], str] = {}
    for item in [_named(item, names) for item in declared]:
        key = (item.kind, item.id)
        with faults.at(item.place):
            if item.id and key in places:
                _bad("config.record.twice", f"{item.kind} {item.id} stands at {places[key]} already")
            places[key] = item.place
            document = _document(item, before.get(key), keyed_hash, environ, dialects)
            if document is not None:
                document = plain_verticals(document, names)
                parties[key] = _read(item.kind, document, verticals, dialects)
            after[key] = document
    # A record with a mistake counts as there, so that those who refer to it are not blamed for it.
    named = [_named(item, names) for item in declared]
    there = {**before, **{(item.kind, item.id): {**item.raw, "key_hash": ""} for item in named}}
    known = _Known.of({**there, **{key: raw for key, raw in after.items() if raw is not None}}, verticals, dialects)
    for key, party in parties.items():
        with faults.at(places[key]):
            known.check(party)
    for key, raw in after.items():
        with faults.at(places[key]):
            known.check_key(key, raw)
    faults.end()
    return Plan(
        tuple(compare(kind, ident, before.get((kind, ident)), raw) for (kind, ident), raw in after.items()),
        {key: None if raw is None else msgspec.json.encode(raw).decode() for key, raw in after.items()},
        parties,
    )


def _named(item: Declared, names: Mapping[str, str]) -> Declared:
    """What a vertical has one of under the vertical's own name, however the file calls it."""
    vertical = item.raw.get("vertical")
    if item.kind not in OF_VERTICALS or not isinstance(vertical, str):
        return item
    return Declared(item.kind, {**item.raw, "vertical": canonical_vertical(vertical, names)}, item.place)


def retires(raw: Mapping[str, Any]) -> bool:
    """Whether a table says nothing but that its record is taken out of play."""
    return raw.get("retired") is True and set(raw) == {"id", "retired"}


def _document(
    item: Declared,
    standing: dict[str, Any] | None,
    keyed_hash: KeyedHash,
    environ: Mapping[str, str],
    dialects: Dialects,
) -> dict[str, Any] | None:
    """The record's document: the table with its key's hash in place of the key. None where it is deleted."""
    raw = dict(item.raw)
    if "key_hash" in raw:
        _bad("config.record.malformed", f"{item.kind} {item.id}, key_hash: write key, or leave it out")
    if retires(raw):
        if standing is None:
            _bad("config.record.unknown", f"there is no {item.kind} {item.id} to retire")
        return None if item.kind == "form" else {**standing, "retired": True}
    if item.kind == "form" and raw.pop("retired", False) is True:
        return None
    if item.kind in ("source", "buyer") and "key" in raw:
        key = key_reference(raw, f"{item.kind} {item.id}", environ)
        del raw["key"]
        if key is not None:
            raw["key_hash"] = keyed_hash(KEY_PURPOSE, key).hex()
    if item.kind == "source" and "dialect" in raw:
        raw["dialect"] = _speech(raw["dialect"], f"source {item.id}, dialect", keyed_hash, environ, dialects)
    return raw


def _speech(raw: object, where: str, keyed_hash: KeyedHash, environ: Mapping[str, str], dialects: Dialects) -> object:
    """A source's ``dialect`` with the hash of its credentials, by which its programs are known. The credentials stay
    as declared: what is secret among them is the name of an environment variable."""
    if not isinstance(raw, Mapping):
        raw = {"name": raw}
    if "hash" in raw:
        _bad("config.record.malformed", f"{where}, hash: write credentials, or leave it out")
    name = str(raw.get("name", ""))
    dialect = dialects.inbound.get(name)
    if dialect is None:
        _bad("config.reference.unknown", f"{where}: there is no dialect '{name}'; {nearest(name, dialects.inbound)}")
    given = raw.get("credentials", {})
    if not given or not isinstance(given, Mapping):
        return dict(raw)
    values: dict[str, str] = {}
    for key, value in given.items():
        if key not in dialect.credentials:
            known = nearest(str(key), dialect.credentials)
            _bad("config.record.malformed", f"{where}, credentials.{key}: {dialect.title} does not send it; {known}")
        if isinstance(value, Mapping):
            values[key] = environ.get(str(value.get("env", "")), "")
            if not values[key]:
                says = f"{where}, credentials.{key}: set the environment variable {value.get('env')}"
                _bad("config.secret.unset", says)
        elif key in dialect.keys:
            _bad("config.secret.literal", f'{where}, credentials.{key}: write {{ env = "NAME" }}; it is a secret')
        else:
            values[key] = str(value)
    text = credential_text(values, dialect.credentials)
    if not text:
        lacking = ", ".join(key for key in dialect.credentials if not values.get(key))
        _bad("config.record.malformed", f"{where}, credentials: {dialect.title} sends {lacking} too")
    return {**raw, "hash": keyed_hash(f"dialect {name}", text).hex()}


def plain_verticals(raw: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The table with its verticals as the packs name them, so that ``home-services`` and ``home_services`` are one."""
    found = dict(raw)
    if isinstance(raw.get("vertical"), str):
        found["vertical"] = canonical_vertical(raw["vertical"], names)
    if isinstance(raw.get("verticals"), list):
        found["verticals"] = _plain(raw["verticals"], names)
    speech = raw.get("dialect")
    if isinstance(speech, Mapping) and isinstance(speech.get("verticals"), Mapping):
        meant = {code: _plain([name], names)[0] for code, name in speech["verticals"].items()}
        found["dialect"] = {**speech, "verticals": meant}
    if isinstance(raw.get("reps"), list):
        found["reps"] = [
            {**rep, "products": _plain(rep["products"], names)}
            if isinstance(rep, Mapping) and isinstance(rep.get("products"), list)
            else rep
            for rep in raw["reps"]
        ]
    return found


def _plain(said: list[Any], names: Mapping[str, str]) -> list[Any]:
    return [canonical_vertical(one, names) if isinstance(one, str) else one for one in said]


def _read(
    kind: str, document: Mapping[str, Any], verticals: Mapping[str, Vertical], dialects: Dialects = NO_DIALECTS
) -> Party:
    raw = {key: value for key, value in document.items() if key != "key_hash"}
    if kind == "source":
        return read_source(raw)
    if kind == "order":
        # What leaves play is asked no more: its bidder may be gone already.
        return read_order(raw, dialects.outbound, None if raw.get("retired") is True else dialects.bidders)
    if kind == "market":
        return read_market(raw)
    if kind == "form":
        return read_form(raw, verticals)
    if kind == "provider":
        return read_provider(raw, dialects.providers)
    if kind == "chain":
        return read_chain(raw)
    if kind == "authority":
        return read_authority(raw)
    if kind in STANDING:
        return read_aside(kind, raw)
    if kind in RATING:
        return read_rating(kind, raw)
    party = read_buyer(raw) if kind == "buyer" else read_team(raw)
    if party.delivery:
        couriers = None if party.retired else dialects.couriers
        read_delivery(party.delivery, f"{kind} {party.id}, delivery", couriers, dialects.outbound)
    return party


class _Known(Struct, frozen=True):
    """What a record may refer to: everything standing after the change, the retired included."""

    verticals: Mapping[str, Vertical]
    sources: dict[str, Collection[str]]
    buyers: dict[str, str]
    teams: Collection[str]
    holders: dict[str, list[tuple[str, str]]]
    providers: dict[str, dict[str, Any]]
    dialects: Dialects

    @classmethod
    def of(
        cls,
        documents: Mapping[tuple[str, str], dict[str, Any]],
        verticals: Mapping[str, Vertical],
        dialects: Dialects,
    ) -> "_Known":
        def every(kind: str) -> dict[str, dict[str, Any]]:
            return {ident: raw for (of, ident), raw in documents.items() if of == kind}

        holders: dict[str, list[tuple[str, str]]] = {}
        for key, raw in documents.items():
            holders.setdefault(raw.get("key_hash", ""), []).append(key)
        return cls(
            verticals,
            {ident: _texts(raw.get("verticals")) for ident, raw in every("source").items()},
            {ident: str(raw.get("currency", "USD")) for ident, raw in every("buyer").items()},
            every("team"),
            holders,
            {ident: {k: v for k, v in raw.items() if k != "key_hash"} for ident, raw in every("provider").items()},
            dialects,
        )

    def check(self, party: Party) -> None:
        """Refuse what refers to nothing, with the nearest thing there is."""
        match party:
            case Source():
                self._verticals(f"source {party.id}", party.verticals)
                self._verticals(f"source {party.id}, dialect", party.dialect.verticals.values())
                self._source(party)
            case Buyer():
                self._alone(party.id)
            case Team():
                self._alone(party.id)
                self._verticals(f"team {party.id}", party.verticals)
                for rep in party.reps:
                    self._verticals(f"team {party.id}, rep {rep.id}", rep.products)
            case Order():
                self._verticals(f"order {party.id}", (party.vertical,))
                if party.buyer is not None and (why := self.verticals[party.vertical].barred.get(party.unit)):
                    _bad("config.order.unlawful", f"order {party.id}, unit {party.unit}: {why}")
                self._order(party)
            case Chain():
                if not party.retired:
                    check_chain(party, self.providers, self.verticals, self.sources, self.dialects.providers)
            case (
                Reverify() | Schedule() | DataAgreement() | ReviewTerms() | CardReviewTerms() | WatchTerms() | Retrain()
            ):
                named = {"vertical": self.verticals, "source": self.sources, "buyer": self.buyers, "team": self.teams}
                check_aside(party, {**named, "provider": self.providers})
            case CardRecord():
                self._verticals(f"scorecard {party.vertical}", (party.vertical,))
                check_rating(party, self.dialects.unscorable)
            case ModelRecord():
                self._verticals(f"model {party.id}", (party.vertical,))
            case Adjustment():
                self._verticals(f"adjustment {party.id}", (party.vertical,))
                check_rating(party, self.dialects.unscorable)
            case MarketTerms():
                self._verticals(f"market {party.vertical}", (party.vertical,))
                self._market(party)
            case Form():
                self._exists(f"form {party.id}", "source", party.source_id, self.sources)
                if party.vertical not in self.sources[party.source_id]:
                    says = f"form {party.id}: source {party.source_id} does not send {party.vertical} leads"
                    _bad("config.reference.mismatch", says)

    def _market(self, market: MarketTerms) -> None:
        kept = self.verticals[market.vertical].currency
        if market.currency != kept:
            says = f"market {market.vertical} names amounts in {market.currency}; its leads are sold in {kept}"
            _bad("config.reference.mismatch", says)

    def _source(self, source: Source) -> None:
        """Floors and margins are compared with prices: they must be in the same money."""
        if not (source.floor or source.shared_floor or source.min_margin):
            return
        for name in source.verticals:
            kept = self.verticals[name].currency
            if kept != source.currency:
                says = f"source {source.id} names amounts in {source.currency}; {name} leads are sold in {kept}"
                _bad("config.reference.mismatch", says)

    def _alone(self, recipient: str) -> None:
        if recipient in self.buyers and recipient in self.teams:
            _bad("config.record.clash", f"{recipient} is a buyer and a team; recipients have ids of their own")

    def _order(self, order: Order) -> None:
        if order.team is not None:
            self._exists(f"order {order.id}", "team", order.team, self.teams)
        if order.buyer is None:
            return
        self._exists(f"order {order.id}", "buyer", order.buyer, self.buyers)
        if order.price is not None and order.currency != self.buyers[order.buyer]:
            says = f"order {order.id} pays in {order.currency}, buyer {order.buyer} in {self.buyers[order.buyer]}"
            _bad("config.reference.mismatch", says)

    def _verticals(self, who: str, names: Iterable[str]) -> None:
        for name in names:
            self._exists(who, "vertical", name, self.verticals)

    def _exists(self, who: str, kind: str, name: str, among: Collection[str]) -> None:
        if name not in among:
            _bad("config.reference.unknown", f"{who}: there is no {kind} '{name}'; {nearest(name, among)}")

    def check_key(self, key: tuple[str, str], raw: Mapping[str, Any] | None) -> None:
        """Refuse a key that somebody else has: a key must tell who calls."""
        if raw is None or "key_hash" not in raw:
            return
        others = [holder for holder in self.holders[raw["key_hash"]] if holder != key]
        if others:
            says = f"{' '.join(key)} has the key of {' '.join(others[0])}; give each its own"
            _bad("config.key.shared", says)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _bad(code: str, says: str) -> NoReturn:
    raise BadInput(code, says)


def decode(body: str) -> dict[str, Any]:
    """A stored document as the table it was."""
    return msgspec.json.decode(body, type=dict[str, Any])
